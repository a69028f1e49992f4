//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.

use std::sync::Arc;

use broker::log::RealDisk;
use wire::ErrorCode;
use wire::message::alter_configs::{self, AlterConfigsRequest};
use wire::message::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult,
};
use wire::message::incremental_alter_configs::{self, IncrementalAlterConfigsRequest};

use super::support::{Client, TestBroker, batch_of, error_of};

pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
pub(super) const SET: i8 = 0;
pub(super) const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;
/// Where values come from.
const OF_TOPIC: i8 = 1;
const OF_BROKER: i8 = 2;
const OF_FILE: i8 = 4;
const OF_DEFAULT: i8 = 5;

fn resource(resource_type: i8, name: &str, keys: &[&str]) -> DescribeConfigsResource {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    DescribeConfigsResource {
        resource_type,
        resource_name: name.to_owned(),
        configuration_keys: (!keys.is_empty()).then_some(keys),
    }
}

async fn describe(
    client: &mut Client,
    version: i16,
    resource: DescribeConfigsResource,
) -> DescribeConfigsResult {
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: version >= 1,
        include_documentation: version >= 3,
    };
    client.call(version, &request).await.results.remove(0)
}

/// One setting that must be there.
async fn described(client: &mut Client, kind: i8, name: &str, key: &str) -> DescribeConfigsResourceResult {
    let mut result = describe(client, 4, resource(kind, name, &[key])).await;
    assert_eq!((result.error_code, result.configs.len()), (0, 1), "{key}: {:?}", result.error_message);
    result.configs.remove(0)
}

pub(super) async fn value(client: &mut Client, kind: i8, name: &str, key: &str) -> String {
    described(client, kind, name, key).await.value.unwrap()
}

/// Changes settings; the error and its words.
pub(super) async fn alter(
    client: &mut Client,
    kind: i8,
    name: &str,
    changes: &[(&str, i8, Option<&str>)],
) -> (ErrorCode, String) {
    alter_as(client, 1, false, kind, name, changes).await
}

async fn alter_as(
    client: &mut Client,
    version: i16,
    validate_only: bool,
    resource_type: i8,
    name: &str,
    changes: &[(&str, i8, Option<&str>)],
) -> (ErrorCode, String) {
    let config = |(name, config_operation, value): &(&str, i8, Option<&str>)| {
        incremental_alter_configs::AlterableConfig {
            name: (*name).to_owned(),
            config_operation: *config_operation,
            value: value.map(str::to_owned),
        }
    };
    let resource = incremental_alter_configs::AlterConfigsResource {
        resource_type,
        resource_name: name.to_owned(),
        configs: changes.iter().map(config).collect(),
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only };
    let response = client.call(version, &request).await.responses.remove(0);
    assert_eq!((response.resource_type, response.resource_name.as_str()), (resource_type, name));
    (ErrorCode::from_code(response.error_code), response.error_message.unwrap_or_default())
}

async fn replace(
    client: &mut Client,
    version: i16,
    name: &str,
    settings: &[(&str, Option<&str>)],
) -> (ErrorCode, String) {
    let config = |(name, value): &(&str, Option<&str>)| alter_configs::AlterableConfig {
        name: (*name).to_owned(),
        value: value.map(str::to_owned),
    };
    let resource = alter_configs::AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: name.to_owned(),
        configs: settings.iter().map(config).collect(),
    };
    let request = AlterConfigsRequest { resources: vec![resource], validate_only: false };
    let response = client.call(version, &request).await.responses.remove(0);
    (ErrorCode::from_code(response.error_code), response.error_message.unwrap_or_default())
}

pub(super) const OK: (ErrorCode, String) = (ErrorCode::None, String::new());

#[tokio::test]
async fn every_version_describes_a_topic() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("segment.bytes", "2000000")]).await;
    for version in 0..=4 {
        let result = describe(&mut client, version, resource(TOPIC, "t", &[])).await;
        assert_eq!((result.error_code, result.resource_type, result.resource_name.as_str()), (0, TOPIC, "t"));
        let find = |name: &str| result.configs.iter().find(|config| config.name == name).unwrap();
        let (own, inherited) = (find("segment.bytes"), find("flush.messages"));
        assert_eq!((own.value.as_deref(), inherited.value.as_deref()), (Some("2000000"), Some("500000")));
        assert!(!own.read_only && !own.is_sensitive);
        if version == 0 {
            assert!(!own.is_default && inherited.is_default);
            continue;
        }
        assert_eq!((own.config_source, inherited.config_source), (OF_TOPIC, OF_DEFAULT), "version {version}");
        let synonyms: Vec<_> = own.synonyms.iter().map(|s| (s.name.as_str(), s.source)).collect();
        assert_eq!(synonyms, [("segment.bytes", OF_TOPIC), ("log.segment.bytes", OF_DEFAULT)]);
        assert_eq!(own.config_type, if version >= 3 { 3 } else { 0 });
        assert_eq!(own.documentation.is_some(), version >= 3);
    }
}

#[tokio::test]
async fn a_broker_tells_its_settings_and_where_they_come_from() {
    let broker = TestBroker::start_with(&[("segment_ms", "1234567")]).await;
    let mut client = broker.client().await;
    let result = describe(&mut client, 4, resource(BROKER, "1", &[])).await;
    assert_eq!(result.error_code, 0, "{:?}", result.error_message);
    let find = |name: &str| result.configs.iter().find(|config| config.name == name).unwrap();
    let rolled = find("log.roll.ms");
    assert_eq!((rolled.value.as_deref(), rolled.config_source), (Some("1234567"), OF_FILE));
    assert_eq!((rolled.read_only, rolled.config_type), (false, 5));
    assert_eq!(rolled.synonyms.iter().map(|s| s.source).collect::<Vec<_>>(), [OF_FILE, OF_DEFAULT]);
    let partitions = find("num.partitions");
    assert_eq!((partitions.value.as_deref(), partitions.config_source), (Some("1"), OF_DEFAULT));
    assert!(partitions.read_only);
    assert_eq!(find("log.dirs").value.as_deref(), broker.dir.path().to_str());
    assert!(find("listeners").value.as_deref().unwrap().starts_with("PLAINTEXT://127.0.0.1:"));
    let only = describe(&mut client, 4, resource(BROKER, "1", &["log.roll.ms", "no.such.key"])).await;
    assert_eq!(only.configs.iter().map(|config| config.name.as_str()).collect::<Vec<_>>(), ["log.roll.ms"]);
    assert!(describe(&mut client, 4, resource(BROKER, "", &[])).await.configs.is_empty());
}

#[tokio::test]
async fn what_cannot_be_described_has_its_error_and_words() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let cases = [
        (TOPIC, "u", ErrorCode::UnknownTopicOrPartition),
        (TOPIC, "a/b", ErrorCode::InvalidTopicException),
        (BROKER, "7", ErrorCode::InvalidRequest),
        (BROKER, "one", ErrorCode::InvalidRequest),
        (8, "1", ErrorCode::InvalidRequest),
        (16, "x", ErrorCode::InvalidRequest),
        (32, "g", ErrorCode::InvalidRequest),
        (99, "", ErrorCode::InvalidRequest),
    ];
    for (kind, name, error) in cases {
        let result = describe(&mut client, 4, resource(kind, name, &[])).await;
        assert_eq!(ErrorCode::from_code(result.error_code), error, "{kind} {name}");
        assert!(result.error_message.is_some_and(|words| !words.is_empty()) && result.configs.is_empty());
    }
}

/// A name of few bytes must not be answered with all settings again and again.
#[tokio::test]
async fn a_resource_that_comes_twice_is_described_once() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let resources = vec![resource(BROKER, "1", &[]), resource(BROKER, "1", &[])];
    let request = DescribeConfigsRequest { resources, ..Default::default() };
    let results = client.call(4, &request).await.results;
    assert_eq!((results[0].error_code, results[1].error_code), (0, ErrorCode::InvalidRequest.code()));
    assert!(results[1].configs.is_empty());
}

#[tokio::test]
async fn a_topics_settings_change_at_once_and_survive_a_restart() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("retention.ms", "-1"), ("segment.ms", "5000")]).await;
    let large = batch_of(&["x".repeat(500).as_str()]);
    client.produce("t", large.clone()).await;
    let changes = [("max.message.bytes", SET, Some("300")), ("segment.ms", DELETE, None)];
    assert_eq!(alter_as(&mut client, 0, false, TOPIC, "t", &changes).await, OK);
    assert_eq!(error_of(&client.try_produce("t", 1, large.clone()).await), ErrorCode::MessageTooLarge);
    let dir = broker.stop().await;

    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    let mut client = broker.client().await;
    assert_eq!(error_of(&client.try_produce("t", 1, large).await), ErrorCode::MessageTooLarge);
    assert_eq!(described(&mut client, TOPIC, "t", "max.message.bytes").await.config_source, OF_TOPIC);
    assert_eq!(described(&mut client, TOPIC, "t", "segment.ms").await.config_source, OF_DEFAULT);
    assert_eq!(value(&mut client, TOPIC, "t", "retention.ms").await, "-1");
    client.produce("t", batch_of(&["small"])).await;
}

#[tokio::test]
async fn replacing_forgets_what_is_not_named() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("segment.ms", "5000"), ("flush.ms", "7")]).await;
    for version in 0..=2 {
        let flush_ms = (version + 8).to_string();
        assert_eq!(replace(&mut client, version, "t", &[("flush.ms", Some(&flush_ms))]).await, OK);
        assert_eq!(value(&mut client, TOPIC, "t", "flush.ms").await, flush_ms);
        assert_eq!(value(&mut client, TOPIC, "t", "segment.ms").await, "604800000");
    }
    let (error, words) = replace(&mut client, 2, "t", &[("flush.ms", None)]).await;
    assert!(error == ErrorCode::InvalidRequest && words.contains("flush.ms"), "{error:?} {words}");
}

#[tokio::test]
async fn lists_grow_and_shrink_by_words() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let policy = "cleanup.policy";
    for (operation, word, expected) in [
        (APPEND, "compact", "delete,compact"),
        (APPEND, "compact", "delete,compact"),
        (SUBTRACT, "delete", "compact"),
        (SUBTRACT, "delete", "compact"),
        (APPEND, "delete", "compact,delete"),
    ] {
        assert_eq!(alter(&mut client, TOPIC, "t", &[(policy, operation, Some(word))]).await, OK);
        assert_eq!(value(&mut client, TOPIC, "t", policy).await, expected);
    }
    let (error, words) = alter(&mut client, TOPIC, "t", &[(policy, SUBTRACT, Some("compact,delete"))]).await;
    assert!(error == ErrorCode::InvalidConfig && words.contains(policy), "an empty policy: {words}");
    let (error, words) = alter(&mut client, TOPIC, "t", &[("retention.ms", APPEND, Some("1"))]).await;
    assert!(error == ErrorCode::InvalidConfig && words.contains("retention.ms"), "no list: {words}");
}

#[tokio::test]
async fn each_refusal_names_the_setting_and_changes_nothing() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let good = ("flush.ms", SET, Some("9"));
    let cases = [
        (TOPIC, "t", ("retention.ms", SET, Some("soon")), ErrorCode::InvalidConfig),
        (TOPIC, "t", ("no.such.key", SET, Some("1")), ErrorCode::InvalidConfig),
        (TOPIC, "t", ("no.such.key", DELETE, None), ErrorCode::InvalidConfig),
        (TOPIC, "t", ("file.delete.delay.ms", SET, Some("-1")), ErrorCode::InvalidConfig),
        (TOPIC, "t", ("retention.ms", SET, None), ErrorCode::InvalidRequest),
        (TOPIC, "t", ("retention.ms", 9, Some("1")), ErrorCode::InvalidRequest),
        (TOPIC, "t", ("flush.ms", DELETE, None), ErrorCode::InvalidRequest),
    ];
    for (kind, name, bad, expected) in cases {
        let (error, words) = alter(&mut client, kind, name, &[good, bad]).await;
        assert_eq!(error, expected, "{bad:?}: {words}");
        assert!(words.contains(bad.0), "{bad:?}: {words}");
        assert_eq!(value(&mut client, TOPIC, "t", "flush.ms").await, "1000", "{bad:?}");
    }
    assert_eq!(alter(&mut client, TOPIC, "u", &[good]).await.0, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(alter(&mut client, 8, "1", &[good]).await.0, ErrorCode::InvalidRequest);
    assert_eq!(alter(&mut client, BROKER, "7", &[good]).await.0, ErrorCode::InvalidRequest);
    assert_eq!(alter_as(&mut client, 1, true, TOPIC, "t", &[good]).await, OK, "a dry run");
    assert_eq!(value(&mut client, TOPIC, "t", "flush.ms").await, "1000");
}

#[tokio::test]
async fn a_resource_that_comes_twice_is_not_changed_at_all() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let one = |value: &str| alter_configs::AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".to_owned(),
        configs: vec![alter_configs::AlterableConfig {
            name: "flush.ms".to_owned(),
            value: Some(value.to_owned()),
        }],
    };
    let request = AlterConfigsRequest { resources: vec![one("5"), one("6")], validate_only: false };
    let responses = client.call(2, &request).await.responses;
    assert!(responses.iter().all(|one| one.error_code == ErrorCode::InvalidRequest.code()));
    assert_eq!(value(&mut client, TOPIC, "t", "flush.ms").await, "1000");
}

/// The groups' offsets would be deleted by age.
#[tokio::test]
async fn the_topic_of_the_offsets_stays_compacted() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let offsets = "__consumer_offsets";
    let change = [("cleanup.policy", SET, Some("delete"))];
    assert_eq!(alter(&mut client, TOPIC, offsets, &change).await.0, ErrorCode::InvalidConfig);
    assert_eq!(replace(&mut client, 2, offsets, &[]).await.0, ErrorCode::InvalidConfig);
    assert_eq!(value(&mut client, TOPIC, offsets, "cleanup.policy").await, "compact");
    assert_eq!(alter(&mut client, TOPIC, offsets, &[("segment.ms", SET, Some("5000"))]).await, OK);
}

#[tokio::test]
async fn the_brokers_settings_change_at_once_and_survive_a_restart() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let large = batch_of(&["x".repeat(5000).as_str()]);
    client.produce("t", large.clone()).await;
    for (name, key, value) in [("1", "message.max.bytes", "4000"), ("", "log.flush.interval.messages", "77")]
    {
        assert_eq!(alter(&mut client, BROKER, name, &[(key, SET, Some(value))]).await, OK);
    }
    assert_eq!(error_of(&client.try_produce("t", 1, large.clone()).await), ErrorCode::MessageTooLarge);
    assert_eq!(value(&mut client, TOPIC, "t", "max.message.bytes").await, "4000");
    let (error, words) = alter(&mut client, BROKER, "1", &[("num.partitions", SET, Some("3"))]).await;
    assert!(error == ErrorCode::InvalidRequest && words.contains("num.partitions"), "{words}");
    let (error, words) = alter(&mut client, BROKER, "1", &[("log.retention.minutes", SET, Some("3"))]).await;
    assert!(error == ErrorCode::InvalidConfig && words.contains("log.retention.minutes"), "{words}");
    let dir = broker.stop().await;

    let broker = TestBroker::start_in(dir, &[], Arc::new(RealDisk)).await;
    let mut client = broker.client().await;
    assert_eq!(error_of(&client.try_produce("t", 1, large.clone()).await), ErrorCode::MessageTooLarge);
    let limit = described(&mut client, BROKER, "1", "message.max.bytes").await;
    assert_eq!((limit.value.as_deref(), limit.config_source), (Some("4000"), OF_BROKER));
    let all = describe(&mut client, 4, resource(BROKER, "", &[])).await.configs;
    assert_eq!(
        all.iter().map(|c| (&*c.name, c.value.as_deref())).collect::<Vec<_>>(),
        [("log.flush.interval.messages", Some("77"))]
    );
    assert_eq!(alter(&mut client, BROKER, "1", &[("message.max.bytes", DELETE, None)]).await, OK);
    client.produce("t", large).await;
}

/// There is one replica: a topic that demands more gets none of what asks for all of them.
#[tokio::test]
async fn a_topic_that_demands_more_replicas_than_there_are_refuses_acks_all() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create_with("t", 1, &[("min.insync.replicas", "2")]).await;
    let refused = client.try_produce("t", -1, batch_of(&["a"])).await;
    assert_eq!(error_of(&refused), ErrorCode::NotEnoughReplicas);
    assert_eq!(client.produce("t", batch_of(&["b"])).await, 0, "nothing of it was written");
    assert_eq!(alter(&mut client, TOPIC, "t", &[("min.insync.replicas", DELETE, None)]).await, OK);
    assert_eq!(error_of(&client.try_produce("t", -1, batch_of(&["c"])).await), ErrorCode::None);
}
