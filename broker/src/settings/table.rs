//! Which settings there are. Names, types and which ones can change live are Kafka 3.9's, as far as this broker has
//! something to set; `num.recovery.threads.per.data.dir`, which Kafka changes live, takes a restart here.
//!
//! Not here, and thus refused: settings that would have no effect, such as those of replication, of quotas and of threads,
//! and the levels of codecs. Accepted without effect, since topics are defined with them elsewhere and nobody could
//! tell the difference: `unclean.leader.election.enable`, `file.delete.delay.ms`, `message.format.version`, `preallocate`.

/// The type of a setting, by Kafka's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum Kind {
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// Where the value of a broker's setting is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// Under a key of `configs/broker.yaml`.
    Key(&'static str),
    /// Under a key, and written as Kafka writes the address of a listener.
    Listener(&'static str),
    /// It cannot be otherwise in this broker.
    Constant(&'static str),
}

/// A setting of the broker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BrokerSetting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) held: Held,
    /// Whether a request may change it.
    pub(crate) dynamic: bool,
    pub(crate) documentation: &'static str,
}

/// A setting of a topic; its type and its default are those of the broker's setting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TopicSetting {
    pub(crate) name: &'static str,
    pub(crate) broker: &'static str,
}

/// Under a key that takes effect at once.
const fn live(key: &'static str) -> (Held, bool) {
    (Held::Key(key), true)
}

/// Under a key that takes effect at a start or a reload.
const fn file(key: &'static str) -> (Held, bool) {
    (Held::Key(key), false)
}

const fn listener(key: &'static str) -> (Held, bool) {
    (Held::Listener(key), false)
}

const fn constant(value: &'static str) -> (Held, bool) {
    (Held::Constant(value), false)
}

/// A row for each setting: name, type, where its value is found, meaning.
macro_rules! settings {
    ($($name:literal, $kind:ident, $held:ident($value:literal), $documentation:literal;)+) => {
        &[$(BrokerSetting {
            name: $name,
            kind: Kind::$kind,
            held: $held($value).0,
            dynamic: $held($value).1,
            documentation: $documentation,
        }),+]
    };
}

/// The broker's settings, by name.
pub(crate) const BROKER: &[BrokerSetting] = settings! {
    "advertised.listeners", String, listener("advertised_listener"), "The address that clients are told, if not the one they used.";
    "auto.create.topics.enable", Boolean, file("auto_create_topics_enable"), "Whether a topic comes into being when a client asks for it.";
    "broker.id", Int, file("broker_id"), "The id of this broker.";
    "compression.type", String, live("compression_type"), "The codec that batches are kept in; producer keeps each as its producer compressed it.";
    "connections.max.idle.ms", Long, file("connections_max_idle_ms"), "A connection is closed after so long without a request.";
    "default.replication.factor", Int, constant("1"), "Replicas of a topic that is created without saying how many.";
    "delete.topic.enable", Boolean, constant("true"), "Whether topics can be deleted.";
    "fetch.max.bytes", Int, file("fetch_max_bytes"), "The most record bytes in the answer to one fetch.";
    "group.consumer.assignors", List, file("group_consumer_assignors"), "The assignors that members of groups of the newer protocol may ask for, the default first.";
    "group.consumer.heartbeat.interval.ms", Int, file("group_consumer_heartbeat_interval_ms"), "How often members of groups of the newer protocol are asked to be heard of.";
    "group.consumer.max.size", Int, file("group_consumer_max_size"), "The most members of one group of the newer protocol.";
    "group.consumer.session.timeout.ms", Int, file("group_consumer_session_timeout_ms"), "A member of a group of the newer protocol is removed that has not been heard of for so long.";
    "group.initial.rebalance.delay.ms", Int, file("group_initial_rebalance_delay_ms"), "How long an empty group waits for more members before its first generation.";
    "group.max.session.timeout.ms", Int, file("group_max_session_timeout_ms"), "The longest session that a member may ask for.";
    "group.max.size", Int, file("group_max_size"), "The most members of one group.";
    "group.min.session.timeout.ms", Int, file("group_min_session_timeout_ms"), "The shortest session that a member may ask for.";
    "listeners", String, listener("listen"), "Where clients connect.";
    "log.cleaner.dedupe.buffer.size", Long, live("dedupe_buffer_bytes"), "The memory of one compaction, in bytes.";
    "log.cleaner.delete.retention.ms", Long, live("delete_retention_ms"), "How long compaction keeps the mark of a deleted key.";
    "log.cleaner.max.compaction.lag.ms", Long, live("max_compaction_lag_ms"), "A record waits at most so long before it is compacted.";
    "log.cleaner.min.cleanable.ratio", Double, live("min_cleanable_dirty_ratio"), "The share of uncompacted log that starts a compaction.";
    "log.cleaner.min.compaction.lag.ms", Long, live("min_compaction_lag_ms"), "A record stays at least so long before it may be compacted away.";
    "log.cleanup.policy", List, constant("delete"), "What happens to old segments of a topic that does not say.";
    "log.dirs", String, file("data_dir"), "The directory of the logs.";
    "log.flush.interval.messages", Long, live("flush_messages"), "A partition is flushed to disk after so many records.";
    "log.flush.interval.ms", Long, live("flush_ms"), "A partition is flushed to disk when a record has waited so long.";
    "log.index.interval.bytes", Int, live("index_interval_bytes"), "Bytes of log between two entries of the index.";
    "log.index.size.max.bytes", Int, live("segment_index_bytes"), "The size at which an index file makes its segment close.";
    "log.message.format.version", String, constant("3.0-IV1"), "Without effect, as in Kafka since 3.0: segments have one format, and old clients are converted for.";
    "log.message.timestamp.after.max.ms", Long, live("message_timestamp_after_max_ms"), "How far a record's own timestamp may be ahead of the broker's time.";
    "log.message.timestamp.before.max.ms", Long, live("message_timestamp_before_max_ms"), "How far a record's own timestamp may be behind the broker's time.";
    "log.message.timestamp.type", String, live("message_timestamp_type"), "CreateTime keeps the producer's timestamps, LogAppendTime gives records the broker's.";
    "log.preallocate", Boolean, constant("false"), "Without effect: room on the disk is always allocated ahead of what is written, a step at a time.";
    "log.retention.bytes", Long, live("retention_bytes"), "Old segments of a partition are deleted while it is larger; -1 is unlimited.";
    "log.retention.ms", Long, live("retention_ms"), "Segments are deleted when their newest record is older; -1 keeps them for ever.";
    "log.roll.ms", Long, live("segment_ms"), "A segment is closed when its records span so long.";
    "log.segment.bytes", Int, live("segment_bytes"), "A segment is closed before it grows beyond this.";
    "log.segment.delete.delay.ms", Long, constant("0"), "Without effect: the files of a deleted segment go at once, and who is reading one goes on.";
    "max.connections", Int, live("max_connections"), "The most connections in all.";
    "max.connections.per.ip", Int, live("max_connections_per_ip"), "The most connections from one address.";
    "max.incremental.fetch.session.cache.slots", Int, file("max_fetch_sessions"), "The most fetch sessions; who finds no room is served without one.";
    "max.request.partition.size.limit", Int, file("max_request_partitions"), "The most partitions that one request may name, or that one answer describes page by page.";
    "message.max.bytes", Int, live("max_message_bytes"), "The largest batch of records that is accepted.";
    "min.insync.replicas", Int, live("min_insync_replicas"), "Replicas that must hold a record before acks=all is answered; there is one.";
    "node.id", Int, file("broker_id"), "The id of this broker.";
    "num.partitions", Int, file("num_partitions"), "Partitions of a topic that is created without saying how many.";
    "num.recovery.threads.per.data.dir", Int, file("num_recovery_threads_per_data_dir"), "Threads that check the log after a crash.";
    "offset.metadata.max.bytes", Int, file("offset_metadata_max_bytes"), "The largest text that may accompany a committed offset.";
    "offsets.retention.check.interval.ms", Long, file("offsets_retention_check_interval_ms"), "How often old offsets are looked for.";
    "offsets.retention.minutes", Int, file("offsets_retention_minutes"), "How long the offsets of an empty group are kept.";
    "offsets.topic.num.partitions", Int, file("offsets_topic_num_partitions"), "Partitions of the topic of committed offsets.";
    "offsets.topic.replication.factor", Int, constant("1"), "Replicas of the topic of committed offsets.";
    "offsets.topic.segment.bytes", Int, file("offsets_topic_segment_bytes"), "The size of a segment of the topic of committed offsets.";
    "producer.id.expiration.ms", Int, live("producer_id_expiration_ms"), "An idempotent producer that is silent for so long is forgotten.";
    "queued.max.request.bytes", Long, file("queued_max_request_bytes"), "Memory for the requests of all connections.";
    "socket.request.max.bytes", Int, file("socket_request_max_bytes"), "The largest request.";
    "unclean.leader.election.enable", Boolean, constant("false"), "Without effect: the one replica of a partition leads it.";
};

const fn topic(name: &'static str, broker: &'static str) -> TopicSetting {
    TopicSetting { name, broker }
}

/// The settings of topics, by name. [`LogConfig::with_override`](crate::log::LogConfig::with_override) reads their values.
pub(crate) const TOPIC: &[TopicSetting] = &[
    topic("cleanup.policy", "log.cleanup.policy"),
    topic("compression.type", "compression.type"),
    topic("delete.retention.ms", "log.cleaner.delete.retention.ms"),
    topic("file.delete.delay.ms", "log.segment.delete.delay.ms"),
    topic("flush.messages", "log.flush.interval.messages"),
    topic("flush.ms", "log.flush.interval.ms"),
    topic("index.interval.bytes", "log.index.interval.bytes"),
    topic("max.compaction.lag.ms", "log.cleaner.max.compaction.lag.ms"),
    topic("max.message.bytes", "message.max.bytes"),
    topic("message.format.version", "log.message.format.version"),
    topic("message.timestamp.after.max.ms", "log.message.timestamp.after.max.ms"),
    topic("message.timestamp.before.max.ms", "log.message.timestamp.before.max.ms"),
    topic("message.timestamp.type", "log.message.timestamp.type"),
    topic("min.cleanable.dirty.ratio", "log.cleaner.min.cleanable.ratio"),
    topic("min.compaction.lag.ms", "log.cleaner.min.compaction.lag.ms"),
    topic("min.insync.replicas", "min.insync.replicas"),
    topic("preallocate", "log.preallocate"),
    topic("retention.bytes", "log.retention.bytes"),
    topic("retention.ms", "log.retention.ms"),
    topic("segment.bytes", "log.segment.bytes"),
    topic("segment.index.bytes", "log.index.size.max.bytes"),
    topic("segment.ms", "log.roll.ms"),
    topic("unclean.leader.election.enable", "unclean.leader.election.enable"),
];

/// A setting of the broker by Kafka's name.
pub(crate) fn broker_setting(name: &str) -> Option<&'static BrokerSetting> {
    BROKER.iter().find(|setting| setting.name == name)
}

/// The broker's setting behind a topic's, by the topic's name for it.
pub(crate) fn behind_topic_setting(name: &str) -> Option<&'static BrokerSetting> {
    let setting = TOPIC.iter().find(|setting| setting.name == name)?;
    broker_setting(setting.broker)
}
