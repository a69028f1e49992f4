//! ApiVersions, Metadata, CreateTopics, DeleteTopics.

use uuid::Uuid;

use super::golden;
use crate::message::{
    ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest,
    DeleteTopicsResponse, MetadataRequest, MetadataResponse, api_versions, create_topics, delete_topics,
    metadata,
};

#[test]
fn api_versions_request_3_as_librdkafka_sends_it() {
    golden(
        3,
        r#"0b "librdkafka" 06 "2.3.0" 00"#,
        &ApiVersionsRequest {
            client_software_name: "librdkafka".into(),
            client_software_version: "2.3.0".into(),
        },
    );
}

#[test]
fn api_versions_requests_before_3_are_empty() {
    golden(0, "", &ApiVersionsRequest::default());
    golden(2, "", &ApiVersionsRequest::default());
}

fn api_versions_response(error_code: i16) -> ApiVersionsResponse {
    ApiVersionsResponse {
        error_code,
        api_keys: vec![api_versions::ApiVersion { api_key: 18, min_version: 0, max_version: 4 }],
        ..Default::default()
    }
}

#[test]
fn api_versions_answers_an_unknown_version_in_version_0() {
    golden(0, "0023 00000001 0012 0000 0004", &api_versions_response(35));
}

#[test]
fn api_versions_response_3_with_features() {
    golden(
        3,
        r#"
        0000 02 0012 0000 0004 00 00000000
        02                          # two tags
        01 08 0000000000000007      # 1: epoch of the features
        02 0a 02 04 "abc" 0002 0001 00  # 2: features in force
        "#,
        &ApiVersionsResponse {
            finalized_features_epoch: 7,
            finalized_features: vec![api_versions::FinalizedFeatureKey {
                name: "abc".into(),
                max_version_level: 2,
                min_version_level: 1,
            }],
            ..api_versions_response(0)
        },
    );
}

fn topics(names: &[&str]) -> Vec<metadata::MetadataRequestTopic> {
    let topic =
        |name: &&str| metadata::MetadataRequestTopic { name: Some((*name).into()), ..Default::default() };
    names.iter().map(topic).collect()
}

#[test]
fn metadata_asks_for_all_topics_by_an_empty_list_in_0_and_by_null_later() {
    golden(0, "00000000", &MetadataRequest::default());
    golden(1, "ffffffff", &MetadataRequest { topics: None, ..Default::default() });
    golden(1, "00000000", &MetadataRequest { topics: Some(Vec::new()), ..Default::default() });
    golden(9, "00 01 00 00 00", &MetadataRequest { topics: None, ..Default::default() });
}

#[test]
fn metadata_request_4() {
    golden(
        4,
        r#"00000001 0009 "nginx_log" 00"#,
        &MetadataRequest {
            topics: Some(topics(&["nginx_log"])),
            allow_auto_topic_creation: false,
            ..Default::default()
        },
    );
}

#[test]
fn metadata_request_12_by_name_and_by_id() {
    let mut topics = topics(&["t", ""]);
    topics[1].name = None;
    topics[1].topic_id = Uuid::from_u128(0x77);
    golden(
        12,
        r#"
        03
        00000000000000000000000000000000 02 "t" 00
        00000000000000000000000000000077 00 00
        01 00 00
        "#,
        &MetadataRequest { topics: Some(topics), ..Default::default() },
    );
}

fn metadata_response() -> MetadataResponse {
    MetadataResponse {
        brokers: vec![metadata::MetadataResponseBroker {
            node_id: 1,
            host: "localhost".into(),
            port: 9092,
            rack: None,
        }],
        topics: vec![metadata::MetadataResponseTopic {
            name: Some("t".into()),
            partitions: vec![metadata::MetadataResponsePartition {
                partition_index: 0,
                leader_id: 1,
                replica_nodes: vec![1],
                isr_nodes: vec![1],
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[test]
fn metadata_response_0() {
    golden(
        0,
        r#"
        00000001 00000001 0009 "localhost" 00002384
        00000001 0000 0001 "t"
        00000001 0000 00000000 00000001 00000001 00000001 00000001 00000001
        "#,
        &metadata_response(),
    );
}

#[test]
fn metadata_response_12() {
    let mut response = metadata_response();
    response.cluster_id = Some("c".into());
    response.controller_id = 1;
    response.topics[0].topic_id = Uuid::from_u128(5);
    response.topics[0].partitions[0].leader_epoch = 3;
    response.topics.push(metadata::MetadataResponseTopic {
        error_code: 100,
        name: None,
        topic_id: Uuid::from_u128(6),
        ..Default::default()
    });
    golden(
        12,
        r#"
        00000000
        02 00000001 0a "localhost" 00002384 00 00
        02 "c" 00000001
        03
        0000 02 "t" 00000000000000000000000000000005 00
          02 0000 00000000 00000001 00000003 02 00000001 02 00000001 01 00
          80000000 00
        0064 00 00000000000000000000000000000006 00 01 80000000 00   # an unknown id
        00
        "#,
        &response,
    );
}

#[test]
fn create_topics_0_and_5() {
    let request = CreateTopicsRequest {
        topics: vec![create_topics::CreatableTopic {
            name: "t".into(),
            num_partitions: 3,
            replication_factor: 1,
            configs: vec![create_topics::CreatableTopicConfig { name: "k".into(), value: None }],
            ..Default::default()
        }],
        ..Default::default()
    };
    golden(0, r#"00000001 0001 "t" 00000003 0001 00000000 00000001 0001 "k" ffff 0000ea60"#, &request);
    golden(5, r#"02 02 "t" 00000003 0001 01 02 02 "k" 00 00 00 0000ea60 00 00"#, &request);
}

#[test]
fn create_topics_response_5_may_withhold_the_settings() {
    let result = create_topics::CreatableTopicResult {
        name: "t".into(),
        num_partitions: 3,
        replication_factor: 1,
        configs: None,
        topic_config_error_code: 29,
        ..Default::default()
    };
    golden(
        5,
        r#"00000000 02 02 "t" 0000 00 00000003 0001 00 01 00 02 001d 00"#,
        &CreateTopicsResponse { topics: vec![result], ..Default::default() },
    );
}

#[test]
fn delete_topics_by_name_and_since_6_by_id() {
    golden(
        1,
        r#"00000001 0001 "t" 00001388"#,
        &DeleteTopicsRequest { topic_names: vec!["t".into()], timeout_ms: 5000, ..Default::default() },
    );
    let by_id = delete_topics::DeleteTopicState { name: None, topic_id: Uuid::from_u128(9) };
    golden(
        6,
        "02 00 00000000000000000000000000000009 00 00001388 00",
        &DeleteTopicsRequest { topics: vec![by_id], timeout_ms: 5000, ..Default::default() },
    );
    let deleted = delete_topics::DeletableTopicResult { name: Some("t".into()), ..Default::default() };
    golden(
        5,
        r#"00000000 02 02 "t" 0000 00 00 00"#,
        &DeleteTopicsResponse { responses: vec![deleted], ..Default::default() },
    );
}
