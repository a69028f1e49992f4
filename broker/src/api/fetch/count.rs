//! What a Fetch sends, counted in all and for each partition.

use wire::Blob;
use wire::message::fetch::{FetchableTopicResponse, PartitionData};

use super::{BY_ID, Collected, Fetch};

impl Fetch {
    /// Counts what is about to be sent.
    pub(super) fn count(&self, collected: &Collected) {
        if collected.bytes == 0 {
            return;
        }
        self.broker.metrics.fetched(u64::from(collected.bytes));
        for answer in &collected.response.responses {
            self.count_topic(answer);
        }
    }

    fn count_topic(&self, answer: &FetchableTopicResponse) {
        // a topic is only looked for if some of it is sent
        let mut sent = answer.partitions.iter().filter(|data| bytes(data) > 0).peekable();
        if sent.peek().is_none() {
            return;
        }
        let topic = if self.context.version >= BY_ID {
            self.broker.topic_by_id(answer.topic_id)
        } else {
            self.broker.topic(&answer.topic)
        };
        let Some(topic) = topic else { return };
        for data in sent {
            if let Some(partition) = topic.partition(data.partition_index) {
                partition.count_sent(bytes(data));
            }
        }
    }
}

fn bytes(data: &PartitionData) -> usize {
    data.records.as_ref().map_or(0, Blob::len)
}
