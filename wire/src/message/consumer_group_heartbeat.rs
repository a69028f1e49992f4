//! ConsumerGroupHeartbeat (68): a member of a group of the newer protocol (KIP-848) joins, lives, leaves, says what it
//! owns, and hears what it may read. Versions 0 and 1, both flexible; the response is the same in both.
//!
//! What has not changed since the member's last request may be left out: null, or −1. The assignment is a struct that may
//! be null: an int8 stands before it, below zero for null and 1 otherwise.

use uuid::Uuid;

use crate::codec::{DecodeError, EncodeError, Field, Nullable, Reader, Version, Writer, message};

message! {
    /// Says that a member is alive, what it wants and what it owns.
    pub struct ConsumerGroupHeartbeatRequest {
        /// The name of the group.
        group_id: String, 0..;
        /// The member's id. In version 0 it is empty until the coordinator has given it one, since 1 the client makes it (KIP-1082).
        member_id: String, 0..;
        /// The member's epoch; 0 to join, −1 to leave, −2 for a static member that will be back.
        member_epoch: i32, 0..;
        /// The static id by which a member is known again after a restart; null for none.
        instance_id: Option<String>, 0..;
        /// The rack of the client; null for none, or if it did not change.
        rack_id: Option<String>, 0..;
        /// How long the coordinator waits for the member to give partitions up, in milliseconds; −1 if it did not change.
        rebalance_timeout_ms: i32 = -1, 0..;
        /// The topics that it wants to read; null if they did not change.
        subscribed_topic_names: Option<Vec<String>>, 0..;
        /// The regular expression of the topics that it wants to read; empty for none, null if it did not change.
        subscribed_topic_regex: Option<String>, 1..;
        /// The assignor that it prefers; null for none, or if it did not change.
        server_assignor: Option<String>, 0..;
        /// The partitions that it owns; null if they did not change.
        topic_partitions: Option<Vec<TopicPartitions>>, 0..;
    }

    /// Partitions of one topic.
    pub struct TopicPartitions {
        /// The id of the topic.
        topic_id: Uuid, 0..;
        /// The partitions.
        partitions: Vec<i32>, 0..;
    }

    /// Says where the member stands and what it may read.
    pub struct ConsumerGroupHeartbeatResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What is wrong; null for nothing.
        error_message: Option<String>, 0..;
        /// The member's id.
        member_id: Option<String>, 0..;
        /// The member's epoch.
        member_epoch: i32, 0..;
        /// After how long the next request is expected, in milliseconds.
        heartbeat_interval_ms: i32, 0..;
        /// What the member may read; null if it did not change.
        assignment: Option<Assignment>, 0..;
    }

    /// What a member may read.
    pub struct Assignment {
        /// The partitions that it may use at once.
        topic_partitions: Vec<TopicPartitions>, 0..;
    }
}

impl Nullable for Assignment {
    fn read_nullable(r: &mut Reader, v: Version) -> Result<Option<Self>, DecodeError> {
        if r.i8()? < 0 { Ok(None) } else { Self::read(r, v).map(Some) }
    }

    fn write_nullable(value: Option<&Self>, w: &mut Writer, v: Version) -> Result<(), EncodeError> {
        match value {
            None => {
                w.i8(-1);
                Ok(())
            }
            Some(assignment) => {
                w.i8(1);
                assignment.write(w, v)
            }
        }
    }
}
