//! What a lane does when its oldest batch fails.
//!
//! First every answer that may still come is heard out, so that nothing of the lane is under way. Then, as `decide` says, it
//! waits, looks for the leader, takes a new producer id or cuts the batch. Then the oldest batch is sent alone, with the same
//! bytes and the same sequence unless they had to change; when the broker has it, the others follow in order. A broker that
//! has them already recognises them by their sequence and says so, which counts as success.
//!
//! Only a new producer id can make lines repeat in the topic: those of batches whose outcome is not known. They keep their
//! (host, file, offset), by which whoever indexes them can tell.

use tracing::{debug, error, warn};

use super::decide::{Action, Failure, decide};
use super::lane::{Lane, Waiting};
use super::window::{Batch, State};

impl Lane {
    /// Returns when the oldest batch is acknowledged, or given up, and the others are on their way again.
    pub(super) async fn recover(&mut self, mut failure: Failure) {
        loop {
            self.proven = false;
            self.hear_out().await;
            self.enlisted = None;
            self.act_on(&failure).await;
            if self.window.is_empty() {
                return;
            }
            self.enlist().await;
            self.post(0).await;
            let Some(head) = self.window.front_mut() else { return };
            match head.outcome().await {
                Ok(()) => break,
                Err(next) => failure = next,
            }
        }
        self.settle();
        for index in 0..self.window.len() {
            if self.window.get(index).is_some_and(|batch| !batch.is_done()) {
                self.post(index).await;
            }
        }
    }

    /// Waits until no answer to a batch of this lane can come any more.
    async fn hear_out(&mut self) {
        for batch in &mut self.window {
            if matches!(batch.state, State::Sent(_))
                && let Err(failure) = batch.outcome().await
            {
                // it failed because the one before it did; its turn comes again
                debug!(%failure, base_sequence = batch.base_sequence, "a later batch failed too");
            }
        }
    }

    async fn act_on(&mut self, failure: &Failure) {
        let verdict = decide(failure);
        match verdict.action {
            Action::Retry => self.pause("cannot ship, trying again", failure).await,
            Action::FindLeader => {
                let version = self.shared.metadata.version();
                self.pause("cannot ship, trying again", failure).await;
                if let Err(error) = self.shared.metadata.refresh(version).await {
                    debug!(%error, "cannot ask for the partition's leader");
                }
            }
            Action::Renew => {
                self.pause("the broker does not accept our sequence, taking a new producer id", failure)
                    .await;
                let old = self.producer.clone();
                self.shared.ids.renew(old.as_ref()).await;
            }
            Action::Shrink => self.shrink(failure).await,
        }
    }

    /// Reports the trouble, not too often, and waits.
    pub(super) async fn pause(&mut self, what: &str, failure: &Failure) {
        let (topic, partition) = (self.id.topic.clone(), self.id.partition);
        let lasting = decide(failure).lasting;
        self.complaint.say(|repeats| match lasting {
            true => error!(%topic, partition, repeats, error = %failure, "{what}"),
            false => warn!(%topic, partition, repeats, error = %failure, "{what}"),
        });
        tokio::time::sleep(self.backoff.next_pause()).await;
    }

    /// The oldest batch is larger than the broker takes. Neither it nor what follows was appended, so its sequences are
    /// free: it is cut in two, or, being one line, given up.
    async fn shrink(&mut self, failure: &Failure) {
        let sequences: Vec<i32> = self
            .window
            .iter()
            .rev()
            .filter(|batch| batch.recorded)
            .map(|batch| batch.base_sequence)
            .collect();
        for sequence in sequences {
            self.insist("withdraw a batch", |lane| lane.shared.checkpoint.withdraw(&lane.id, sequence)).await;
        }
        let Some(mut head) = self.window.pop_front() else { return };
        let first = head.base_sequence;
        match head.piece.halve() {
            Some(rest) => {
                self.max_batch_bytes = head.piece.bound();
                warn!(
                    topic = %self.id.topic, partition = self.id.partition, bytes = head.encoded.len(),
                    limit = self.max_batch_bytes, "the broker refuses a batch of this size, making them smaller"
                );
                // the others are cut to this size as well, when their turn comes
                while let Some(batch) = self.window.pop_back() {
                    self.waiting.push_front(Waiting { piece: batch.piece, base_sequence: None });
                }
                self.waiting.push_front(Waiting { piece: rest, base_sequence: None });
                self.window.push_front(head);
            }
            None => self.give_up(&head, failure).await,
        }
        self.number_anew(first).await;
    }

    /// A line that no broker takes is the one thing that is not tried for ever: it would block all behind it.
    async fn give_up(&mut self, batch: &Batch, failure: &Failure) {
        let piece = &batch.piece;
        error!(
            path = %piece.file.path, topic = %self.id.topic, offset = piece.start, bytes = piece.data.len(),
            error = %failure, "giving up a line that is too large for the broker"
        );
        self.shared.metrics.abandoned_bytes.inc_by(piece.end.saturating_sub(piece.start));
        self.insist("give a range up", |lane| {
            lane.shared.checkpoint.abandon(&piece.file, piece.start, piece.end)
        })
        .await;
    }

    /// Under a new producer id the broker does not recognise what it has.
    pub(super) fn warn_of_repeats(&self) {
        let open = self.window.iter().filter(|batch| batch.maybe_appended || batch.is_done());
        let lines: u64 = open.map(|batch| u64::from(batch.count)).sum();
        if lines > 0 {
            warn!(
                topic = %self.id.topic, partition = self.id.partition, lines,
                "sending lines under a new producer id that the topic may have already"
            );
        }
    }
}
