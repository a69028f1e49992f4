//! The producer id that all lanes share, and how it is replaced.
//!
//! A lane is *enlisted* while an answer to one of its batches may still come. A new id is taken only when no lane is
//! enlisted: then nothing is under way under the old one, and each lane numbers what it holds anew, from 0. Lanes that see
//! [`ProducerIds::renewal_waits`] send nothing more until they are enlisted again.
//!
//! A new id is needed at the first start, when the machine was booted since the id was taken (the page cache, and with it
//! intents, may be lost), and when a broker does not accept the id or the sequence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use daemon::Backoff;
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use tracing::{info, warn};
use wire::error_code::ErrorCode;
use wire::message::InitProducerIdRequest;

use super::complaint::Complaint;
use super::config::Config;
use super::connection::CallError;
use super::metadata::Metadata;
use crate::checkpoint::Checkpoint;
use crate::model::{Producer, boot_id};

/// Held by a lane while it is enlisted.
pub(super) type Enlisted = OwnedRwLockReadGuard<Option<Producer>>;

/// The present producer id and its replacement.
pub(super) struct ProducerIds {
    current: Arc<RwLock<Option<Producer>>>,
    /// How many lanes wait to replace it.
    renewals: AtomicUsize,
    metadata: Arc<Metadata>,
    checkpoint: Arc<Checkpoint>,
    backoff: Backoff,
}

/// Counts a renewal as long as it waits or works.
struct Renewal<'a>(&'a AtomicUsize);

impl<'a> Renewal<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Renewal<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ProducerIds {
    /// Goes on with the checkpoint's producer, if it may be used.
    pub(super) fn new(
        known: Option<Producer>,
        config: &Config,
        metadata: Arc<Metadata>,
        checkpoint: Arc<Checkpoint>,
    ) -> Self {
        Self {
            current: Arc::new(RwLock::new(known)),
            renewals: AtomicUsize::new(0),
            metadata,
            checkpoint,
            backoff: Backoff::new(config.retry_backoff_ms, config.retry_backoff_max_ms),
        }
    }

    /// Waits until there is a producer that no one wants to replace.
    pub(super) async fn enlist(&self) -> (Enlisted, Producer) {
        loop {
            let enlisted = self.current.clone().read_owned().await;
            if let Some(producer) = enlisted.clone() {
                return (enlisted, producer);
            }
            drop(enlisted);
            self.renew(None).await;
        }
    }

    /// Whether lanes should come to rest.
    pub(super) fn renewal_waits(&self) -> bool {
        self.renewals.load(Ordering::Relaxed) > 0
    }

    /// Replaces `old`, unless another lane has. The caller must not be enlisted.
    pub(super) async fn renew(&self, old: Option<&Producer>) {
        let _renewal = Renewal::begin(&self.renewals);
        let mut current = self.current.write().await;
        if current.as_ref() != old {
            return;
        }
        let mut backoff = self.backoff.clone();
        let mut complaint = Complaint::default();
        loop {
            match self.take().await {
                Ok(producer) => match self.checkpoint.set_producer(producer.clone()) {
                    Ok(()) => {
                        info!(producer_id = producer.id, epoch = producer.epoch, "took a producer id");
                        *current = Some(producer);
                        return;
                    }
                    Err(error) => complaint.say(|repeats| {
                        warn!(%error, repeats, "cannot record the producer id, trying again");
                    }),
                },
                Err(error) => {
                    complaint.say(|repeats| warn!(%error, repeats, "no producer id yet, trying again"))
                }
            }
            tokio::time::sleep(backoff.next_pause()).await;
        }
    }

    async fn take(&self) -> Result<Producer, CallError> {
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: i32::MAX,
            producer_id: -1,
            producer_epoch: -1,
        };
        let connection = self.metadata.any().await?;
        let answer = connection.call(&request).await?;
        match ErrorCode::from_code(answer.error_code) {
            ErrorCode::None => {
                Ok(Producer { id: answer.producer_id, epoch: answer.producer_epoch, boot_id: boot_id() })
            }
            code => Err(connection.refused("InitProducerId", code)),
        }
    }
}

/// The checkpoint's producer, when this is still the boot in which it was taken.
pub(super) fn usable(known: Option<Producer>, boot_id: &str) -> Option<Producer> {
    known.filter(|producer| {
        let same = !boot_id.is_empty() && producer.boot_id == boot_id;
        if !same {
            warn!("the machine was started anew, taking a new producer id: lines may repeat in their topic");
        }
        same
    })
}
