use daemon::config::Source;

use super::*;

fn load(keys: &[(&str, &str)]) -> Result<Config, String> {
    let source = Source::new(Config::DEFAULTS);
    let source = keys.iter().fold(source, |source, (key, value)| source.set(*key, *value));
    source.load().map_err(|error| error.to_string())
}

#[test]
fn the_shipped_file_is_valid_and_has_kafkas_defaults() {
    let config = load(&[]).unwrap();
    let log = config.log();
    let kafka = LogConfig::default();
    assert_eq!(log, kafka_but_flushed(&kafka));
    assert_eq!(config.socket_request_max_bytes, 100 << 20);
    assert!(config.queued_max_request_bytes <= 64 << 20);
}

/// Kafka leaves flushing to the kernel; we flush by time.
fn kafka_but_flushed(kafka: &LogConfig) -> LogConfig {
    LogConfig { flush_ms: 1000, ..kafka.clone() }
}

#[test]
fn each_rule_names_its_key() {
    let cases = [
        ("broker_id", "-1"),
        ("advertised_listener", "no-port"),
        ("advertised_listener", "host:99999"),
        ("advertised_listener", ":9092"),
        ("data_dir", "''"),
        ("num_partitions", "0"),
        ("max_partitions", "0"),
        ("segment_bytes", "100"),
        ("segment_bytes", "2147483648"),
        ("segment_ms", "0"),
        ("segment_index_bytes", "8"),
        ("index_interval_bytes", "2147483648"),
        ("retention_ms", "-2"),
        ("retention_bytes", "-2"),
        ("max_message_bytes", "1073741825"),
        ("message_timestamp_before_max_ms", "-1"),
        ("message_timestamp_after_max_ms", "-1"),
        ("flush_messages", "0"),
        ("flush_ms", "0"),
        ("min_insync_replicas", "2"),
        ("delete_retention_ms", "-1"),
        ("min_compaction_lag_ms", "-1"),
        ("max_compaction_lag_ms", "0"),
        ("min_cleanable_dirty_ratio", "1.5"),
        ("dedupe_buffer_bytes", "1"),
        ("producer_id_expiration_ms", "0"),
        ("producer_ids_max", "0"),
        ("num_recovery_threads_per_data_dir", "0"),
        ("socket_request_max_bytes", "2147483648"),
        ("queued_max_request_bytes", "1000"),
        ("max_in_flight_requests_per_connection", "0"),
        ("max_connections", "0"),
        ("max_connections_per_ip", "0"),
        ("connections_max_idle_ms", "10"),
        ("fetch_max_bytes", "0"),
        ("max_request_partitions", "0"),
        ("group_min_session_timeout_ms", "0"),
        ("group_max_session_timeout_ms", "100"),
        ("group_max_size", "0"),
        ("max_groups", "0"),
        ("group_consumer_session_timeout_ms", "0"),
        ("group_consumer_heartbeat_interval_ms", "0"),
        ("group_consumer_heartbeat_interval_ms", "45000"),
        ("group_consumer_max_size", "0"),
        ("group_consumer_assignors", "''"),
        ("group_consumer_assignors", "uniform,sticky"),
        ("group_consumer_assignors", "range,range"),
        ("offsets_topic_num_partitions", "0"),
        ("offsets_topic_segment_bytes", "100"),
        ("offsets_retention_minutes", "0"),
        ("offsets_retention_check_interval_ms", "0"),
        ("transaction_max_timeout_ms", "0"),
        ("transactional_id_expiration_ms", "0"),
        ("transaction_abort_timed_out_transaction_cleanup_interval_ms", "0"),
        ("transaction_remove_expired_transaction_cleanup_interval_ms", "0"),
        ("transaction_state_log_num_partitions", "0"),
        ("transaction_state_log_segment_bytes", "100"),
        ("max_transactional_ids", "0"),
        ("max_transaction_partitions", "0"),
        ("listen", "nowhere"),
        ("message_timestamp_type", "Yesterday"),
        ("compression_type", "none"),
        ("segment_byte", "1024"),
    ];
    for (key, value) in cases {
        let error = load(&[(key, value)]).expect_err(&format!("{key}: {value}"));
        assert!(error.contains(key), "{key}: {value}: {error}");
    }
}

#[test]
fn an_advertised_address_may_be_a_name_or_ipv6() {
    let advertised = |text: &str| load(&[("advertised_listener", text)]).unwrap().advertised();
    assert_eq!(advertised("''"), None);
    assert_eq!(advertised("logs.example.com:9092"), Some(("logs.example.com".to_owned(), 9092)));
    assert_eq!(advertised("'[2001:db8::1]:9092'"), Some(("2001:db8::1".to_owned(), 9092)));
}
