//! Produce, Fetch, ListOffsets, InitProducerId.

use bytes::Bytes;
use uuid::Uuid;

use super::golden;
use crate::codec::Blob;
use crate::message::{
    FetchRequest, FetchResponse, InitProducerIdRequest, InitProducerIdResponse, ListOffsetsRequest,
    ListOffsetsResponse, ProduceRequest, ProduceResponse, fetch, list_offsets, produce,
};

fn records(text: &'static str) -> Option<Blob> {
    Some(Bytes::from_static(text.as_bytes()).into())
}

fn produce_request() -> ProduceRequest {
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![produce::TopicProduceData {
            name: "nginx_log".into(),
            partition_data: vec![produce::PartitionProduceData { index: 2, records: records("batch") }],
        }],
        ..Default::default()
    }
}

#[test]
fn produce_request_0_has_no_transactional_id() {
    golden(
        0,
        r#"
        ffff 00007530           # acks -1, timeout 30 s
        00000001 0009 "nginx_log"
        00000001 00000002       # partition 2
        00000005 "batch"
        "#,
        &produce_request(),
    );
}

#[test]
fn produce_request_7() {
    golden(
        7,
        r#"
        ffff                    # transactional id: null
        ffff 00007530
        00000001 0009 "nginx_log"
        00000001 00000002 00000005 "batch"
        "#,
        &produce_request(),
    );
}

#[test]
fn produce_request_9_is_compact_also_in_its_records() {
    golden(
        9,
        r#"
        03 "tx"                 # transactional id
        ffff 00007530
        02 0a "nginx_log"
        02 00000002 06 "batch" 00
        00 00                   # no tags of the topic, none of the request
        "#,
        &ProduceRequest { transactional_id: Some("tx".into()), ..produce_request() },
    );
}

#[test]
fn produce_request_with_null_records() {
    let mut request = produce_request();
    request.topic_data[0].partition_data[0].records = None;
    golden(3, r#"ffff ffff 00007530 00000001 0009 "nginx_log" 00000001 00000002 ffffffff"#, &request);
    golden(9, r#"00 ffff 00007530 02 0a "nginx_log" 02 00000002 00 00 00 00"#, &request);
}

fn produce_response(partition: produce::PartitionProduceResponse) -> ProduceResponse {
    ProduceResponse {
        responses: vec![produce::TopicProduceResponse {
            name: "t".into(),
            partition_responses: vec![partition],
        }],
        ..Default::default()
    }
}

#[test]
fn produce_responses_of_old_versions() {
    let appended = produce::PartitionProduceResponse { index: 1, base_offset: 258, ..Default::default() };
    golden(
        0,
        r#"00000001 0001 "t" 00000001 00000001 0000 0000000000000102"#,
        &produce_response(appended.clone()),
    );
    golden(
        2,
        r#"
        00000001 0001 "t" 00000001 00000001 0000 0000000000000102
        ffffffffffffffff        # the records keep their own time
        00000064                # throttled for 100 ms, since version 1
        "#,
        &ProduceResponse { throttle_time_ms: 100, ..produce_response(appended) },
    );
}

#[test]
fn produce_response_10_tells_the_new_leader_in_tags() {
    let moved = produce::PartitionProduceResponse {
        index: 1,
        error_code: 6,
        base_offset: -1,
        log_start_offset: -1,
        record_errors: vec![produce::BatchIndexAndErrorMessage {
            batch_index: 3,
            batch_index_error_message: Some("bad".into()),
        }],
        current_leader: produce::LeaderIdAndEpoch { leader_id: 4, leader_epoch: 5 },
        ..Default::default()
    };
    golden(
        10,
        r#"
        02 02 "t" 02
        00000001 0006 ffffffffffffffff ffffffffffffffff ffffffffffffffff
        02 00000003 04 "bad" 00     # record 3 is bad
        00                          # error message: null
        01 00 09 00000004 00000005 00   # one tag: 0, 9 bytes: leader 4, epoch 5, no tags
        00 00000000
        01 00 0d                    # one tag of the response: 0, 13 bytes
          02 00000004 02 "h" 00002384 00 00
        "#,
        &ProduceResponse {
            node_endpoints: vec![produce::NodeEndpoint {
                node_id: 4,
                host: "h".into(),
                port: 9092,
                rack: None,
            }],
            ..produce_response(moved)
        },
    );
}

fn fetch_request(partition: fetch::FetchPartition) -> FetchRequest {
    FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        topics: vec![fetch::FetchTopic {
            topic: "t".into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn fetch_partition() -> fetch::FetchPartition {
    fetch::FetchPartition { fetch_offset: 7, partition_max_bytes: 1 << 20, ..Default::default() }
}

#[test]
fn fetch_request_4() {
    golden(
        4,
        r#"
        ffffffff 000001f4 00000001  # no replica, wait 500 ms for 1 byte
        03200000 01                 # at most 50 MiB, committed records only
        00000001 0001 "t"
        00000001 00000000 0000000000000007 00100000
        "#,
        &FetchRequest { max_bytes: 50 << 20, isolation_level: 1, ..fetch_request(fetch_partition()) },
    );
}

#[test]
fn fetch_request_12() {
    golden(
        12,
        r#"
        ffffffff 000001f4 00000001 7fffffff 00
        00000000 ffffffff           # no session
        02 02 "t" 02
        00000000 00000003           # leader epoch 3
        0000000000000007 00000002   # the record before is of epoch 2
        ffffffffffffffff 00100000 00
        00
        01                          # nothing forgotten
        05 "rack"
        00
        "#,
        &FetchRequest {
            rack_id: "rack".into(),
            ..fetch_request(fetch::FetchPartition {
                current_leader_epoch: 3,
                last_fetched_epoch: 2,
                ..fetch_partition()
            })
        },
    );
}

#[test]
fn fetch_request_17_names_topics_by_id_and_the_follower_in_a_tag() {
    let mut request = FetchRequest {
        cluster_id: Some("c".into()),
        replica_state: fetch::ReplicaState { replica_id: 2, replica_epoch: 9 },
        ..fetch_request(fetch_partition())
    };
    request.topics[0].topic = String::new();
    request.topics[0].topic_id = Uuid::from_u128(0xab);
    golden(
        17,
        r#"
        000001f4 00000001 7fffffff 00 00000000 ffffffff
        02 000000000000000000000000000000ab 02
        00000000 ffffffff 0000000000000007 ffffffff ffffffffffffffff 00100000 00
        00 01 01
        02                          # two tags
        00 02 02 "c"                # 0: the cluster
        01 0d 00000002 0000000000000009 00  # 1: the follower
        "#,
        &request,
    );
}

fn fetch_response(partition: fetch::PartitionData) -> FetchResponse {
    FetchResponse {
        responses: vec![fetch::FetchableTopicResponse {
            topic: "t".into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[test]
fn fetch_response_4_with_null_transactions() {
    let partition = fetch::PartitionData {
        high_watermark: 9,
        last_stable_offset: 9,
        records: records("batch"),
        ..Default::default()
    };
    golden(
        4,
        r#"
        00000000
        00000001 0001 "t" 00000001
        00000000 0000 0000000000000009 0000000000000009
        ffffffff                    # aborted transactions: null
        00000005 "batch"
        "#,
        &fetch_response(partition),
    );
}

#[test]
fn fetch_response_12_with_transactions_and_tags() {
    let partition = fetch::PartitionData {
        high_watermark: 9,
        last_stable_offset: 8,
        log_start_offset: 1,
        aborted_transactions: Some(vec![fetch::AbortedTransaction { producer_id: 6, first_offset: 2 }]),
        records: records(""),
        diverging_epoch: fetch::EpochEndOffset { epoch: 1, end_offset: 3 },
        snapshot_id: fetch::SnapshotId { end_offset: 4, epoch: 2 },
        ..Default::default()
    };
    golden(
        12,
        r#"
        00000000 0000 0000007b      # session 123
        02 02 "t" 02
        00000000 0000 0000000000000009 0000000000000008 0000000000000001
        02 0000000000000006 0000000000000002 00
        ffffffff
        01                          # records of length 0, which is not null
        02                          # two tags; the leader (1) has not changed and is left out
        00 0d 00000001 0000000000000003 00
        02 0d 0000000000000004 00000002 00
        00 00
        "#,
        &FetchResponse { session_id: 123, ..fetch_response(partition) },
    );
}

#[test]
fn list_offsets_0_and_1_differ_in_form() {
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![list_offsets::ListOffsetsTopic {
            name: "t".into(),
            partitions: vec![list_offsets::ListOffsetsPartition { timestamp: -2, ..Default::default() }],
        }],
        ..Default::default()
    };
    golden(0, r#"ffffffff 00000001 0001 "t" 00000001 00000000 fffffffffffffffe 00000001"#, &request);
    golden(1, r#"ffffffff 00000001 0001 "t" 00000001 00000000 fffffffffffffffe"#, &request);

    let response = |partition| ListOffsetsResponse {
        topics: vec![list_offsets::ListOffsetsTopicResponse {
            name: "t".into(),
            partitions: vec![partition],
        }],
        ..Default::default()
    };
    golden(
        0,
        r#"00000001 0001 "t" 00000001 00000000 0000 00000002 0000000000000005 0000000000000000"#,
        &response(list_offsets::ListOffsetsPartitionResponse {
            old_style_offsets: vec![5, 0],
            ..Default::default()
        }),
    );
    golden(
        1,
        r#"00000001 0001 "t" 00000001 00000000 0000 ffffffffffffffff 0000000000000005"#,
        &response(list_offsets::ListOffsetsPartitionResponse { offset: 5, ..Default::default() }),
    );
}

#[test]
fn init_producer_id_4() {
    golden(
        4,
        "00 7fffffff ffffffffffffffff ffff 00",
        &InitProducerIdRequest { transaction_timeout_ms: i32::MAX, ..Default::default() },
    );
    golden(
        4,
        "00000000 0000 00000000000003e8 0001 00",
        &InitProducerIdResponse { producer_id: 1000, producer_epoch: 1, ..Default::default() },
    );
}
