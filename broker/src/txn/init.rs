//! InitProducerId with a transactional id: whoever asks last is the producer, all before it are fenced.

use tracing::info;
use wire::ErrorCode;

use super::coordinator::{Coordinator, check_id};
use super::state::{Init, Transaction};

impl Coordinator {
    /// Serves InitProducerId: the producer's id and epoch. `known` are those that it has, if it wants to go on with them.
    /// When a transaction is open it is aborted, and the producer has to ask again. Blocks.
    pub(crate) fn init_producer_id(
        &self,
        id: &str,
        timeout_ms: i32,
        known: Option<(i64, i16)>,
    ) -> Result<(i64, i16), ErrorCode> {
        check_id(id)?;
        if !(1..=self.config.max_timeout_ms).contains(&timeout_ms) {
            return Err(ErrorCode::InvalidTransactionTimeout);
        }
        let store = self.store()?;
        let now_ms = self.clock.now_ms();
        let entry = match self.find(id) {
            Some(entry) => entry,
            None => {
                let producer_id = self.new_producer_id()?;
                self.find_or_create(id, || Transaction::new(producer_id, timeout_ms, now_ms))?
            }
        };
        let _changing = entry.changing.lock();
        // it was removed just now: the client asks again
        let current = entry.current().ok_or(ErrorCode::ConcurrentTransactions)?;
        let mut decided = current.init(known, timeout_ms, None, now_ms)?;
        if decided == Init::NeedsId {
            decided = current.init(known, timeout_ms, Some(self.new_producer_id()?), now_ms)?;
        }
        match decided {
            Init::Next(next) => {
                store.write(id, &next, now_ms)?;
                let (producer_id, producer_epoch) = (next.producer_id, next.producer_epoch);
                self.put(&entry, Some(next));
                info!(transactional_id = id, producer_id, producer_epoch, "producer of transactions");
                Ok((producer_id, producer_epoch))
            }
            Init::AbortFirst(fenced) => {
                info!(transactional_id = id, "aborting the transaction of a producer that is replaced");
                self.decide(id, &entry, fenced)?;
                Err(ErrorCode::ConcurrentTransactions)
            }
            Init::NeedsId => Err(ErrorCode::CoordinatorNotAvailable),
        }
    }

    fn new_producer_id(&self) -> Result<i64, ErrorCode> {
        self.producer_ids.next().map_err(|error| {
            tracing::error!(%error, "cannot hand out a producer id");
            ErrorCode::CoordinatorNotAvailable
        })
    }
}
