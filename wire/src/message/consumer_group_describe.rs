//! ConsumerGroupDescribe (69): the state and the members of groups of the newer protocol (KIP-848). Versions 0 and 1,
//! both flexible.

use uuid::Uuid;

use crate::codec::message;

message! {
    /// Asks for groups.
    pub struct ConsumerGroupDescribeRequest {
        /// The names of the groups.
        group_ids: Vec<String>, 0..;
        /// Whether the answer says what the client may do.
        include_authorized_operations: bool, 0..;
    }

    /// Describes groups.
    pub struct ConsumerGroupDescribeResponse {
        /// How long the broker held back or wants the client to wait for a quota, in milliseconds.
        throttle_time_ms: i32, 0..;
        /// The groups, in the order asked for.
        groups: Vec<DescribedGroup>, 0..;
    }

    /// A group.
    pub struct DescribedGroup {
        /// See [`ErrorCode`](crate::ErrorCode); 0 for none.
        error_code: i16, 0..;
        /// What is wrong; null for nothing.
        error_message: Option<String>, 0..;
        /// The name of the group.
        group_id: String, 0..;
        /// Where the group stands: Empty, Assigning, Reconciling, Stable or Dead.
        group_state: String, 0..;
        /// Counts the changes that ask for a new assignment.
        group_epoch: i32, 0..;
        /// The group epoch for which the target assignment was made.
        assignment_epoch: i32, 0..;
        /// The assignor.
        assignor_name: String, 0..;
        /// The members.
        members: Vec<Member>, 0..;
        /// What the client may do to the group, a bit for each operation; the minimum if not told.
        authorized_operations: i32 = i32::MIN, 0..;
    }

    /// A member of a group.
    pub struct Member {
        /// The member's id.
        member_id: String, 0..;
        /// The static id by which a member is known again after a restart; null for none.
        instance_id: Option<String>, 0..;
        /// The rack of the client; null for none.
        rack_id: Option<String>, 0..;
        /// The member's epoch.
        member_epoch: i32, 0..;
        /// The name that the client gives itself.
        client_id: String, 0..;
        /// Where the client is.
        client_host: String, 0..;
        /// The topics that it wants to read.
        subscribed_topic_names: Vec<String>, 0..;
        /// The regular expression of the topics that it wants to read; null for none.
        subscribed_topic_regex: Option<String>, 0..;
        /// What it may read now.
        assignment: Assignment, 0..;
        /// What it shall read.
        target_assignment: Assignment, 0..;
        /// The protocol that the member speaks: 0 the classic one, 1 the newer one, −1 if it is not told.
        member_type: i8 = -1, 1.., ignorable;
    }

    /// What a member reads.
    pub struct Assignment {
        /// The partitions.
        topic_partitions: Vec<TopicPartitions>, 0..;
    }

    /// Partitions of one topic.
    pub struct TopicPartitions {
        /// The id of the topic.
        topic_id: Uuid, 0..;
        /// The name of the topic.
        topic_name: String, 0..;
        /// The partitions.
        partitions: Vec<i32>, 0..;
    }
}
