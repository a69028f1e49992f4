//! Partitions come and go.
//!
//! On revocation: pause, send what is collected, wait (bounded) for answers, commit, then give up the partitions. What is
//! not answered by then is not committed: the next owner reads it again, and the index knows the documents by their `_id`.
//! The same happens at a stop.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::Offset;
use tracing::{debug, info, warn};

use super::{Consumer, Event, SHORT_TICK, TICK};

/// How long an answer to a commit is waited for after the drain.
const COMMIT_WAIT: Duration = Duration::from_secs(3);

impl Consumer {
    /// Acts on what librdkafka told in its callbacks.
    pub(super) fn serve_events(&mut self) {
        while let Some(event) = self.kafka.context().next_event() {
            match event {
                Event::Assigned(partitions) => self.assign(partitions),
                Event::Revoked => self.release(),
            }
        }
    }

    fn assign(&mut self, mut partitions: TopicPartitionList) {
        self.forget();
        if let Some(store) = &self.store {
            let recorded = store.begin(self.builder.next_id());
            self.start_from(&mut partitions, &recorded);
        }
        info!(partitions = partitions.count(), "partitions assigned");
        self.log_failure("assign", self.kafka.assign(&partitions));
        self.assigned = partitions;
        self.health.ready();
    }

    /// Starts each partition where its files end. What the group committed beyond that was written by another instance.
    fn start_from(&self, partitions: &mut TopicPartitionList, recorded: &BTreeMap<(String, i32), i64>) {
        let committed = self.kafka.committed_offsets(partitions.clone(), COMMIT_WAIT).ok();
        let committed = committed.map(|list| list.to_topic_map()).unwrap_or_default();
        let known: Vec<(String, i32)> = partitions
            .elements()
            .iter()
            .map(|element| (element.topic().to_owned(), element.partition()))
            .collect();
        for partition in known {
            let Some(&own) = recorded.get(&partition) else { continue };
            let group = match committed.get(&partition) {
                Some(Offset::Offset(group)) => *group,
                _ => own,
            };
            let (topic, number) = partition;
            let set = partitions.set_partition_offset(&topic, number, Offset::Offset(own.max(group)));
            self.log_failure("seek", set);
        }
    }

    /// Gives up all partitions, with everything done that can be done within the time.
    fn release(&mut self) {
        if self.kafka.assignment_lost() {
            warn!("partitions were lost: the group has not heard of this member for too long");
        } else {
            self.settle();
        }
        info!(partitions = self.assigned.count(), "partitions revoked");
        self.resume();
        self.forget();
        self.log_failure("unassign", self.kafka.unassign());
        self.assigned = TopicPartitionList::new();
    }

    /// Sends what is collected, waits for the answers, commits.
    fn settle(&mut self) {
        self.pause();
        let deadline = Instant::now() + self.limits.drain;
        while (!self.builder.is_empty() || self.in_flight > 0) && Instant::now() < deadline {
            if !self.builder.is_empty() && self.in_flight < self.limits.in_flight {
                self.send();
            }
            self.wait_for_answer(SHORT_TICK);
            self.serve_quietly();
        }
        if self.in_flight > 0 {
            warn!(batches = self.in_flight, "batches are still under way: their records will be read again");
        }
        self.commit_all();
    }

    /// Commits until nothing is left to commit, or the time is up: what is not committed is read again.
    fn commit_all(&mut self) {
        let deadline = Instant::now() + COMMIT_WAIT;
        // a commit that fails at once is not repeated at once
        let mut next_try = Instant::now();
        while (self.committer.is_busy() || self.tracker.has_uncommitted()) && Instant::now() < deadline {
            if Instant::now() >= next_try {
                self.commit();
                next_try = Instant::now() + TICK;
            }
            std::thread::sleep(SHORT_TICK);
            self.serve_quietly();
        }
    }

    /// Lets librdkafka call back, and only takes note of commits.
    fn serve_quietly(&mut self) {
        self.health.beat();
        if let Err(error) = self.poll(Duration::ZERO) {
            debug!(%error, "no record");
        }
        self.take_commit();
    }

    /// The records collected and the offsets followed are another's now.
    fn forget(&mut self) {
        self.builder.clear();
        self.opened_at = None;
        self.tracker.clear();
        self.blocked_since = None;
        self.metrics.lag_records.set(0);
    }

    /// The stop: as if everything were revoked, and for good.
    pub(super) fn leave(mut self) {
        self.settle();
        self.health.retire();
        // a list of partitions holds on to the client's inside: closing it would wait for the list for ever
        self.assigned = TopicPartitionList::new();
        // from here on the callbacks act by themselves, while the last handle closes the client
        self.kafka.context().close();
        info!("left the group");
    }
}
