//! Ending transactions: the decision, the markers, and that it is done.

use tracing::{info, warn};
use wire::ErrorCode;
use wire::record::EndMarker;

use super::coordinator::{Coordinator, Entry, Producer, check_id};
use super::markers::{Marker, Written};
use super::state::{Partitions, State, Transaction};

impl Coordinator {
    /// Serves EndTxn; when it returns without an error the transaction will end as asked, whatever happens, and as a
    /// rule has ended. Blocks.
    pub(crate) fn end(&self, producer: Producer<'_>, is_commit: bool) -> Result<(), ErrorCode> {
        let id = producer.transactional_id;
        check_id(id)?;
        let entry = self.find(id).ok_or(ErrorCode::InvalidProducerIdMapping)?;
        let _changing = entry.changing.lock();
        let current = entry.current().ok_or(ErrorCode::InvalidProducerIdMapping)?;
        current.check_producer(producer.id, producer.epoch)?;
        match current.prepare(is_commit, self.clock.now_ms())? {
            Some(prepared) => self.decide(id, &entry, prepared),
            None => Ok(()),
        }
    }

    /// Makes a decision durable, and carries it out as far as possible.
    pub(super) fn decide(&self, id: &str, entry: &Entry, prepared: Transaction) -> Result<(), ErrorCode> {
        self.store()?.write(id, &prepared, self.clock.now_ms())?;
        self.put(entry, Some(prepared.clone()));
        self.finish(id, entry, &prepared);
        Ok(())
    }

    /// Writes the markers that a decision owes, and completes it when all of them are durable. What fails is tried again
    /// at the next tick.
    fn finish(&self, id: &str, entry: &Entry, decided: &Transaction) {
        let owed = self.write_markers(id, decided);
        let now_ms = self.clock.now_ms();
        let completed = match (owed.is_empty(), self.store()) {
            (true, Ok(store)) => {
                let completed = decided.complete(now_ms);
                store.write_behind(id, Some(&completed), now_ms).map(|()| completed)
            }
            (false, _) => Err(ErrorCode::KafkaStorageError),
            (true, Err(error)) => Err(error),
        };
        match completed {
            Ok(completed) => {
                self.put(entry, Some(completed));
                self.unfinished.lock().remove(id);
            }
            Err(error) => {
                warn!(transactional_id = id, %error, "a transaction has ended, but its markers are not all written");
                // those that are written need not be again
                self.put(entry, Some(Transaction { partitions: owed, ..decided.clone() }));
                self.unfinished.lock().insert(id.to_owned());
            }
        }
    }

    /// Writes the markers of a decision; returns the partitions that still need one.
    fn write_markers(&self, id: &str, decided: &Transaction) -> Partitions {
        let coordinator_epoch = self.store().map_or(0, |store| store.epoch_of(id));
        let committed = decided.state == State::PrepareCommit;
        let marker = Marker {
            producer_id: decided.producer_id,
            producer_epoch: decided.producer_epoch,
            end: EndMarker { committed, coordinator_epoch },
        };
        let places: Vec<(&str, i32)> = decided
            .partitions
            .iter()
            .flat_map(|(topic, partitions)| partitions.iter().map(|partition| (topic.as_str(), *partition)))
            .collect();
        let mut owed = Partitions::new();
        for ((topic, partition), written) in places.iter().zip(self.markers.write(marker, &places)) {
            if written.is_err_and(may_succeed_later) {
                owed.entry((*topic).to_owned()).or_default().insert(*partition);
            }
        }
        owed
    }

    /// Serves WriteTxnMarkers: an administrator's decision about a transaction that no coordinator knows any more. Blocks.
    pub(crate) fn write_markers_of(&self, marker: Marker, partitions: &[(&str, i32)]) -> Vec<Written> {
        self.markers.write(marker, partitions)
    }

    /// Completes what was decided and could not be carried out. Blocks.
    pub(crate) fn finish_ending(&self) {
        let unfinished: Vec<String> = self.unfinished.lock().iter().cloned().collect();
        for id in unfinished {
            let Some(entry) = self.find(&id) else { continue };
            let _changing = entry.changing.lock();
            match entry.current() {
                Some(decided) if decided.state.is_ending() => {
                    info!(transactional_id = id, state = decided.state.name(), "completing a transaction");
                    self.finish(&id, &entry, &decided);
                }
                _ => {
                    self.unfinished.lock().remove(&id);
                }
            }
        }
    }
}

/// Whether a marker is still owed. A topic that was deleted needs none, nor does a partition that a newer instance of the
/// producer, or a newer coordinator, has written to: there the transaction has ended.
fn may_succeed_later(error: ErrorCode) -> bool {
    !matches!(
        error,
        ErrorCode::UnknownTopicOrPartition
            | ErrorCode::InvalidProducerEpoch
            | ErrorCode::TransactionCoordinatorFenced
    )
}
