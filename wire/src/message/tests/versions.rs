//! What a version cannot express: refused where it matters, left out where it does not.

use uuid::Uuid;

use super::{decode, encode};
use crate::codec::{DecodeError, EncodeError, Reader, Writer};
use crate::message::*;
use crate::testing::hex;

fn encode_error<M: Message>(message: &M, version: i16) -> EncodeError {
    message.encode(&mut Writer::new(), version).unwrap_err()
}

fn decode_error<M: Message>(bytes: &str, version: i16) -> DecodeError {
    M::decode(&mut Reader::new(hex(bytes)), version).unwrap_err()
}

#[test]
fn a_field_that_matters_is_refused_in_a_version_without_it() {
    let request = CreateTopicsRequest { validate_only: true, ..Default::default() };
    let expected = EncodeError::NotInVersion { field: "CreateTopicsRequest.validate_only", version: 0 };
    assert_eq!(encode_error(&request, 0), expected);
    assert!(!encode(&request, 1).is_empty());
}

#[test]
fn a_field_that_is_no_longer_there_is_refused_too() {
    let request = FindCoordinatorRequest { key: "g".into(), ..Default::default() };
    let expected = EncodeError::NotInVersion { field: "FindCoordinatorRequest.key", version: 4 };
    assert_eq!(encode_error(&request, 4), expected);
}

#[test]
fn a_tagged_field_is_refused_before_its_version() {
    let request = FetchRequest {
        replica_state: fetch::ReplicaState { replica_id: 1, replica_epoch: 1 },
        ..Default::default()
    };
    let expected = EncodeError::NotInVersion { field: "FetchRequest.replica_state", version: 14 };
    assert_eq!(encode_error(&request, 14), expected);
    assert_eq!(
        encode_error(&request, 3),
        EncodeError::NotInVersion { version: 3, field: "FetchRequest.replica_state" }
    );
}

#[test]
fn an_ignorable_field_is_left_out() {
    let response = MetadataResponse {
        throttle_time_ms: 5,
        cluster_id: Some("c".into()),
        controller_id: 3,
        ..Default::default()
    };
    assert_eq!(decode::<MetadataResponse>(&encode(&response, 0), 0), MetadataResponse::default());
    assert_eq!(decode::<MetadataResponse>(&encode(&response, 3), 3), response);
}

/// A member with an expression cannot be understood in version 0; of what kind a described member is need not be told.
#[test]
fn groups_of_the_newer_protocol_before_version_1() {
    let request =
        ConsumerGroupHeartbeatRequest { subscribed_topic_regex: Some("a.*".into()), ..Default::default() };
    let field = "ConsumerGroupHeartbeatRequest.subscribed_topic_regex";
    assert_eq!(encode_error(&request, 0), EncodeError::NotInVersion { field, version: 0 });
    let member = consumer_group_describe::Member { member_type: 1, ..Default::default() };
    let group = consumer_group_describe::DescribedGroup { members: vec![member], ..Default::default() };
    let response = ConsumerGroupDescribeResponse { groups: vec![group], ..Default::default() };
    let read: ConsumerGroupDescribeResponse = decode(&encode(&response, 0), 0);
    assert_eq!(read.groups[0].members[0].member_type, -1);
    assert_eq!(decode::<ConsumerGroupDescribeResponse>(&encode(&response, 1), 1), response);
}

#[test]
fn fields_absent_from_a_version_are_read_as_their_defaults() {
    let bytes = encode(&FetchRequest::default(), 0);
    let request: FetchRequest = decode(&bytes, 0);
    assert_eq!((request.max_bytes, request.session_epoch), (i32::MAX, -1));
    assert!(decode::<MetadataRequest>(&hex("00000000"), 0).allow_auto_topic_creation);
}

#[test]
fn null_is_refused_where_the_version_does_not_allow_it() {
    let all = MetadataRequest { topics: None, ..Default::default() };
    let field = "MetadataRequest.topics";
    assert_eq!(encode_error(&all, 0), EncodeError::Null { field, version: 0 });
    assert_eq!(
        decode_error::<MetadataRequest>("ffffffff", 0),
        DecodeError::UnexpectedNull { field, version: 0 }
    );
    assert_eq!(decode_error::<HeartbeatRequest>("ffff", 0), DecodeError::Null);
}

/// kafka-python and sarama have sent −1 and other negative numbers.
#[test]
fn any_negative_count_is_null() {
    let request: MetadataRequest = decode(&hex("fffffffe"), 1);
    assert_eq!(request.topics, None);
}

#[test]
fn unknown_versions_are_errors_both_ways() {
    let error = DecodeError::UnknownVersion { api: "Heartbeat", version: 5 };
    assert_eq!(decode_error::<HeartbeatRequest>("", 5), error);
    let error = EncodeError::UnknownVersion { api: "Heartbeat", version: -1 };
    assert_eq!(encode_error(&HeartbeatResponse::default(), -1), error);
}

#[test]
fn unknown_tags_are_skipped() {
    let plain: ApiVersionsRequest = decode(&hex(r#"02 "a" 02 "b" 00"#), 3);
    let tagged: ApiVersionsRequest = decode(&hex(r#"02 "a" 02 "b" 02 05 03 "xyz" ffffffff0f 00"#), 3);
    assert_eq!(tagged, plain);
}

#[test]
fn a_known_tag_must_be_as_long_as_it_says() {
    // Tag 1 is an int64.
    let response = |tag: &str| format!("0000 01 00000000 01 {tag}");
    let too_long = response("01 09 000000000000000700");
    assert_eq!(decode_error::<ApiVersionsResponse>(&too_long, 3), DecodeError::TagSize { tag: 1, left: 1 });
    let too_short = response("01 07 00000000000000 07");
    assert_eq!(decode_error::<ApiVersionsResponse>(&too_short, 3), DecodeError::Incomplete { missing: 1 });
    let beyond = response("01 7f 0000000000000007");
    assert_eq!(
        decode_error::<ApiVersionsResponse>(&beyond, 3),
        DecodeError::LengthBeyondEnd { length: 127, left: 8 }
    );
}

#[test]
fn a_known_tag_is_unknown_before_its_version() {
    // Tag 0 of ProduceResponse is a list of brokers since version 10; in 9 it means nothing.
    let response: ProduceResponse = decode(&hex("01 00000000 01 00 02 ffff"), 9);
    assert_eq!(response, ProduceResponse::default());
}

#[test]
fn defaults_are_not_sent_as_tags() {
    let response = CreateTopicsResponse {
        topics: vec![create_topics::CreatableTopicResult { topic_id: Uuid::nil(), ..Default::default() }],
        ..Default::default()
    };
    assert!(encode(&response, 7).ends_with(&[0, 0]), "no tags of the topic, none of the response");
}

#[test]
fn bytes_after_a_message_are_left_in_the_reader() {
    let mut r = Reader::new(hex(r#"0001 "g" 00000002 0001 "m" aabb"#));
    HeartbeatRequest::decode(&mut r, 0).unwrap();
    assert_eq!(r.into_remaining(), hex("aabb"));
}

#[test]
fn every_cut_of_a_message_is_an_error() {
    let request = JoinGroupRequest {
        group_id: "group".into(),
        protocols: vec![join_group::JoinGroupRequestProtocol::default()],
        ..Default::default()
    };
    for version in ApiKey::JoinGroup.versions() {
        let bytes = encode(&request, version);
        for cut in 0..bytes.len() {
            let result = JoinGroupRequest::decode(&mut Reader::new(bytes.slice(..cut)), version);
            assert!(result.is_err(), "version {version} cut to {cut}: {result:?}");
        }
    }
}

#[test]
fn records_are_slices_of_the_frame_and_not_copied() {
    let frame = hex(r#"ffff ffff 00000000 00000001 0001 "t" 00000001 00000000 00000003 "abc""#);
    let request: ProduceRequest = decode(&frame, 3);
    let records = request.topic_data[0].partition_data[0].records.as_ref().unwrap();
    let bytes = records.bytes().unwrap();
    assert_eq!(bytes.as_ptr(), frame[frame.len() - 3..].as_ptr());
}
