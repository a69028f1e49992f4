//! Commits of offsets, one at a time, on a thread of their own.
//!
//! How an asynchronous commit ended is told only to clients with callbacks: librdkafka 2.12 sends no event for it, and
//! events are what the `rdkafka` crate takes. A synchronous commit is answered, but holds its caller up for as long as the
//! coordinator is away.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Weak};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::KafkaResult;
use rdkafka::topic_partition_list::Offset;

use super::Events;
use crate::batch::Partition;

/// For each partition the offset after the last record that is safe.
type Offsets = Vec<(Partition, i64)>;

/// The consumer's end of the thread, which ends with it.
pub(super) struct Committer {
    work: Sender<Offsets>,
    answers: Receiver<KafkaResult<()>>,
    busy: bool,
}

impl Committer {
    /// Starts the thread. It keeps no handle on the client while it has nothing to commit.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub(super) fn start(kafka: &Arc<BaseConsumer<Events>>) -> io::Result<Self> {
        let (work, offsets) = channel();
        let (answer, answers) = channel();
        let kafka = Arc::downgrade(kafka);
        std::thread::Builder::new()
            .name("commit".to_owned())
            .spawn(move || serve(&kafka, &offsets, &answer))?;
        Ok(Self { work, answers, busy: false })
    }

    /// Whether the last commit is not answered yet.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Begins a commit.
    pub(super) fn commit(&mut self, offsets: Offsets) {
        self.busy = self.work.send(offsets).is_ok();
    }

    /// How the commit ended, once it has.
    pub(super) fn answer(&mut self) -> Option<KafkaResult<()>> {
        let answer = self.answers.try_recv().ok()?;
        self.busy = false;
        Some(answer)
    }
}

fn serve(kafka: &Weak<BaseConsumer<Events>>, work: &Receiver<Offsets>, answers: &Sender<KafkaResult<()>>) {
    for offsets in work {
        let Some(client) = kafka.upgrade() else { return };
        let result = commit(&client, &offsets);
        // the one who reads the answer may want to close the client
        drop(client);
        if answers.send(result).is_err() {
            return;
        }
    }
}

fn commit(kafka: &BaseConsumer<Events>, offsets: &Offsets) -> KafkaResult<()> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (Partition { topic, number }, next) in offsets {
        list.add_partition_offset(topic, *number, Offset::Offset(*next))?;
    }
    kafka.commit(&list, CommitMode::Sync)
}
