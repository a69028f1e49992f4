//! Owns Kafka's error codes: number, name, meaning, and whether it helps to try again.

use std::fmt;

macro_rules! error_codes {
    ($($name:ident = $code:literal, $text:literal $(, $retriable:ident)?;)+) => {
        /// What a broker answers when it does not do what it was asked, as of Kafka 3.9; 128 is of 4.0.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = $text] $name = $code,)+
        }

        impl ErrorCode {
            /// All codes, in ascending order.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The number on the wire.
            pub const fn code(self) -> i16 {
                self as i16
            }

            /// The error of a number. A number that is not known reads as [`ErrorCode::UnknownServerError`], as in
            /// Kafka's own clients.
            pub const fn from_code(code: i16) -> Self {
                match code {
                    $($code => Self::$name,)+
                    _ => Self::UnknownServerError,
                }
            }

            /// Whether the same request may succeed later, perhaps after new metadata or at another broker.
            pub const fn is_retriable(self) -> bool {
                match self {
                    $(Self::$name => retriable!($($retriable)?),)+
                }
            }

            /// The meaning, as a sentence.
            pub const fn message(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}

macro_rules! retriable {
    () => {
        false
    };
    (retriable) => {
        true
    };
}

error_codes! {
    UnknownServerError = -1, "The broker met an error that it did not expect.";
    None = 0, "No error.";
    OffsetOutOfRange = 1, "The offset is outside the range that the broker holds.";
    CorruptMessage = 2, "The message is corrupt: its checksum or its size is wrong, or it lacks the key that a compacted topic needs.", retriable;
    UnknownTopicOrPartition = 3, "The broker does not host this topic or partition.", retriable;
    InvalidFetchSize = 4, "The fetch size is invalid.";
    LeaderNotAvailable = 5, "The partition has no leader at this moment.", retriable;
    NotLeaderOrFollower = 6, "The broker is not the leader of the partition, or holds no replica of it.", retriable;
    RequestTimedOut = 7, "The request took longer than its time limit.", retriable;
    BrokerNotAvailable = 8, "The broker is not available.";
    ReplicaNotAvailable = 9, "The replica is not available.", retriable;
    MessageTooLarge = 10, "A record batch is larger than the broker accepts.";
    StaleControllerEpoch = 11, "The controller has moved to another broker.";
    OffsetMetadataTooLarge = 12, "The metadata of the committed offset is too large.";
    NetworkException = 13, "The connection ended before the answer came.", retriable;
    CoordinatorLoadInProgress = 14, "The coordinator is still loading its state.", retriable;
    CoordinatorNotAvailable = 15, "The coordinator is not available.", retriable;
    NotCoordinator = 16, "The broker is not the coordinator.", retriable;
    InvalidTopicException = 17, "The name of the topic is invalid, or the topic cannot be used in this way.";
    RecordListTooLarge = 18, "The record batches are larger than a segment may be.";
    NotEnoughReplicas = 19, "Fewer replicas are in sync than the topic demands.", retriable;
    NotEnoughReplicasAfterAppend = 20, "The records were written, but to fewer in-sync replicas than the topic demands.", retriable;
    InvalidRequiredAcks = 21, "The number of acknowledgements must be -1, 0 or 1.";
    IllegalGeneration = 22, "The generation is not the current one of the group.";
    InconsistentGroupProtocol = 23, "The member's protocols do not fit those of the group, or it offers none.";
    InvalidGroupId = 24, "The name of the group is invalid.";
    UnknownMemberId = 25, "The coordinator does not know this member.";
    InvalidSessionTimeout = 26, "The session timeout is outside the range that the broker allows.";
    RebalanceInProgress = 27, "The group is rebalancing: the member must join again.";
    InvalidCommitOffsetSize = 28, "The committed offset is too large to be kept.";
    TopicAuthorizationFailed = 29, "The client may not use this topic.";
    GroupAuthorizationFailed = 30, "The client may not use this group.";
    ClusterAuthorizationFailed = 31, "The client may not do this to the cluster.";
    InvalidTimestamp = 32, "The timestamp of a record is too far from the broker's time.";
    UnsupportedSaslMechanism = 33, "The broker does not offer this SASL mechanism.";
    IllegalSaslState = 34, "The request does not fit the state of the authentication.";
    UnsupportedVersion = 35, "The broker does not serve this version of the API.";
    TopicAlreadyExists = 36, "A topic of this name exists already.";
    InvalidPartitions = 37, "The number of partitions must be at least 1.";
    InvalidReplicationFactor = 38, "The replication factor must be at least 1 and at most the number of brokers.";
    InvalidReplicaAssignment = 39, "The assignment of replicas is invalid.";
    InvalidConfig = 40, "The configuration is invalid.";
    NotController = 41, "The broker is not the controller of the cluster.", retriable;
    InvalidRequest = 42, "The request is malformed or contradicts itself.";
    UnsupportedForMessageFormat = 43, "The message format of the topic does not allow this.";
    PolicyViolation = 44, "The request violates a policy of the cluster.";
    OutOfOrderSequenceNumber = 45, "The sequence number does not follow the last one.";
    DuplicateSequenceNumber = 46, "The sequence number was used before.";
    InvalidProducerEpoch = 47, "The epoch of the producer is an old one.";
    InvalidTxnState = 48, "The transaction is not in a state that allows this.";
    InvalidProducerIdMapping = 49, "The producer id does not belong to this transactional id.";
    InvalidTransactionTimeout = 50, "The transaction timeout is longer than the broker allows.";
    ConcurrentTransactions = 51, "Another operation on the same transaction is under way.", retriable;
    TransactionCoordinatorFenced = 52, "The transaction coordinator has been replaced.";
    TransactionalIdAuthorizationFailed = 53, "The client may not use this transactional id.";
    SecurityDisabled = 54, "Access control is switched off.";
    OperationNotAttempted = 55, "The operation was not attempted, because another one in the request failed.";
    KafkaStorageError = 56, "The broker cannot read or write its disk.", retriable;
    LogDirNotFound = 57, "The broker has no such log directory.";
    SaslAuthenticationFailed = 58, "The authentication failed.";
    UnknownProducerId = 59, "The broker has no state of this producer id; its records may have expired.";
    ReassignmentInProgress = 60, "The partition is being reassigned.";
    DelegationTokenAuthDisabled = 61, "Delegation tokens are switched off.";
    DelegationTokenNotFound = 62, "The delegation token does not exist.";
    DelegationTokenOwnerMismatch = 63, "The delegation token belongs to someone else.";
    DelegationTokenRequestNotAllowed = 64, "Delegation tokens cannot be requested over this connection.";
    DelegationTokenAuthorizationFailed = 65, "The client may not use delegation tokens.";
    DelegationTokenExpired = 66, "The delegation token has expired.";
    InvalidPrincipalType = 67, "The kind of principal is not supported.";
    NonEmptyGroup = 68, "The group still has members.";
    GroupIdNotFound = 69, "The group does not exist.";
    FetchSessionIdNotFound = 70, "The fetch session does not exist.", retriable;
    InvalidFetchSessionEpoch = 71, "The epoch of the fetch session is not the expected one.", retriable;
    ListenerNotFound = 72, "The leader has no listener of the kind that the request came by.", retriable;
    TopicDeletionDisabled = 73, "Deleting topics is switched off.";
    FencedLeaderEpoch = 74, "The leader epoch of the request is older than the broker's.", retriable;
    UnknownLeaderEpoch = 75, "The leader epoch of the request is newer than the broker's.", retriable;
    UnsupportedCompressionType = 76, "The client cannot read the compression of the partition.";
    StaleBrokerEpoch = 77, "The broker has registered again since.";
    OffsetNotAvailable = 78, "The new leader cannot tell the offset yet.", retriable;
    MemberIdRequired = 79, "The member must join again with the member id that it is given.";
    PreferredLeaderNotAvailable = 80, "The preferred leader is not available.", retriable;
    GroupMaxSizeReached = 81, "The group has as many members as it may.";
    FencedInstanceId = 82, "Another member has registered with the same static id.";
    EligibleLeadersNotAvailable = 83, "No replica that may lead is available.", retriable;
    ElectionNotNeeded = 84, "The partition needs no election.", retriable;
    NoReassignmentInProgress = 85, "The partition is not being reassigned.";
    GroupSubscribedToTopic = 86, "The group is subscribed to the topic, so its offsets cannot be deleted.";
    InvalidRecord = 87, "The broker refuses the record.";
    UnstableOffsetCommit = 88, "Offsets of an open transaction are not settled yet.", retriable;
    ThrottlingQuotaExceeded = 89, "The client exceeds its quota.", retriable;
    ProducerFenced = 90, "A newer producer with the same transactional id has taken over.";
    ResourceNotFound = 91, "The request names something that does not exist.";
    DuplicateResource = 92, "The request names the same thing twice.";
    UnacceptableCredential = 93, "The credential does not meet the requirements.";
    InconsistentVoterSet = 94, "The sender or the receiver is not one of the expected voters.";
    InvalidUpdateVersion = 95, "The version to update to is invalid.";
    FeatureUpdateFailed = 96, "The features could not be updated.";
    PrincipalDeserializationFailure = 97, "The principal of a forwarded request cannot be read.";
    SnapshotNotFound = 98, "The snapshot does not exist.";
    PositionOutOfRange = 99, "The position is outside the snapshot.";
    UnknownTopicId = 100, "The broker does not host a topic of this id.", retriable;
    DuplicateBrokerRegistration = 101, "The broker id is in use.";
    BrokerIdNotRegistered = 102, "The broker id is not registered.";
    InconsistentTopicId = 103, "The topic id is not that of the partition's log.", retriable;
    InconsistentClusterId = 104, "The cluster id is not that of this cluster.";
    TransactionalIdNotFound = 105, "The transactional id does not exist.";
    FetchSessionTopicIdError = 106, "The fetch session mixes topics with and without ids.", retriable;
    IneligibleReplica = 107, "A replica that may not join is among the in-sync ones.";
    NewLeaderElected = 108, "The change was made, and the partition has a new leader.";
    OffsetMovedToTieredStorage = 109, "The offset has moved to tiered storage.";
    FencedMemberEpoch = 110, "The member epoch is an old one: the member must give up its partitions and join again.";
    UnreleasedInstanceId = 111, "The static id is still in use by another member.";
    UnsupportedAssignor = 112, "The group does not support the assignor.";
    StaleMemberEpoch = 113, "The member epoch is stale: the member must learn the new one first.";
    MismatchedEndpointType = 114, "The request was sent to the wrong kind of listener.";
    UnsupportedEndpointType = 115, "This kind of listener is not supported.";
    UnknownControllerId = 116, "The controller id is not known.";
    UnknownSubscriptionId = 117, "The telemetry subscription is not known or outdated.";
    TelemetryTooLarge = 118, "The telemetry is larger than the broker accepts.";
    InvalidRegistration = 119, "The registration of the broker is invalid.";
    TransactionAbortable = 120, "The transaction failed and can only be aborted.";
    InvalidRecordState = 121, "The state of the record does not allow this.";
    ShareSessionNotFound = 122, "The share session does not exist.", retriable;
    InvalidShareSessionEpoch = 123, "The epoch of the share session is not the expected one.", retriable;
    FencedStateEpoch = 124, "The epoch of the share group's state is not the current one.";
    InvalidVoterKey = 125, "The key of the voter is not that of the receiver.";
    DuplicateVoter = 126, "The voter is one already.";
    VoterNotFound = 127, "The voter is not among the voters.";
    InvalidRegularExpression = 128, "The regular expression is not valid.";
}

impl ErrorCode {
    /// `Ok` for [`ErrorCode::None`], else the error.
    pub fn check(code: i16) -> Result<(), Self> {
        match Self::from_code(code) {
            Self::None => Ok(()),
            error => Err(error),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for ErrorCode {}

#[cfg(test)]
mod tests;
