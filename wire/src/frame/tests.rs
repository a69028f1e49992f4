//! Tests of whole frames.

use super::*;
use crate::codec::{Blob, Hole};
use crate::message::*;
use crate::testing::hex;

/// A frame without its size, which is checked.
fn unframe(encoded: &Encoded) -> Bytes {
    let mut bytes = encoded.bytes.clone();
    let size = bytes.split_to(4);
    assert_eq!(
        usize::try_from(i32::from_be_bytes(size[..].try_into().unwrap())).unwrap(),
        encoded.wire_len() - 4
    );
    bytes
}

#[test]
fn a_request_of_librdkafka() {
    let frame = hex(r#"
        00000029
        0012 0003 00000001 0007 "rdkafka"   # the client id is not compact though the header is flexible
        00
        0b "librdkafka" 0b "2.3.0-zlib" 00
        "#);
    let request = ApiVersionsRequest {
        client_software_name: "librdkafka".into(),
        client_software_version: "2.3.0-zlib".into(),
    };
    let encoded = encode_request(Some("rdkafka"), 1, 3, &request).unwrap();
    assert_eq!(encoded.bytes, frame);
    assert!(encoded.holes.is_empty());

    let (header, mut body) = decode_request_header(unframe(&encoded)).unwrap();
    let expected =
        RequestHeader { api_key: 18, api_version: 3, correlation_id: 1, client_id: Some("rdkafka".into()) };
    assert_eq!(header, expected);
    assert_eq!(ApiVersionsRequest::decode(&mut body, 3), Ok(request));
    assert_eq!(body.remaining(), 0);
}

#[test]
fn a_request_without_client_id() {
    let encoded = encode_request(None, 7, 0, &HeartbeatRequest::default()).unwrap();
    assert_eq!(encoded.bytes, hex("00000012 000c 0000 00000007 ffff 0000 00000000 0000"));
    assert_eq!(decode_request_header(unframe(&encoded)).unwrap().0.client_id, None);
}

#[test]
fn tags_in_a_request_header_are_skipped() {
    let frame = hex(r#"000c 0004 00000007 ffff 01 09 02 "xy" 01 00000000 01 00 00"#);
    let (header, mut body) = decode_request_header(frame).unwrap();
    assert_eq!(header.correlation_id, 7);
    assert_eq!(HeartbeatRequest::decode(&mut body, 4), Ok(HeartbeatRequest::default()));
}

/// franz-go and kafka-python ask for a version of ApiVersions that we lack, and must be answered.
#[test]
fn the_header_of_an_unknown_version_is_read() {
    let (header, _) =
        decode_request_header(hex(r#"0012 0063 00000002 0001 "x" 00 "whatever follows""#)).unwrap();
    assert_eq!((header.api_version, header.correlation_id), (99, 2));
    assert_eq!(header.client_id.as_deref(), Some("x"));
}

#[test]
fn the_header_of_an_unknown_api_is_an_error() {
    let result = decode_request_header(hex("03e8 0000 00000002 ffff"));
    assert_eq!(result.unwrap_err(), DecodeError::UnknownApi(1000));
}

#[test]
fn every_cut_of_a_header_is_an_error() {
    let frame = hex(r#"000c 0004 00000007 0003 "abc" 00"#);
    for cut in 0..frame.len() {
        assert!(decode_request_header(frame.slice(..cut)).is_err(), "cut to {cut}");
    }
}

#[test]
fn the_response_header_of_api_versions_never_has_tags() {
    let response = ApiVersionsResponse::default();
    let encoded = encode_response(ApiKey::ApiVersions, 3, 5, &response).unwrap();
    assert_eq!(encoded.bytes, hex("0000000c 00000005 0000 01 00000000 00"));
    assert_eq!(decode_response::<ApiVersionsRequest>(unframe(&encoded), 3), Ok((5, response)));

    let encoded = encode_response(ApiKey::Heartbeat, 4, 5, &HeartbeatResponse::default()).unwrap();
    assert_eq!(encoded.bytes, hex("0000000c 00000005 00 00000000 0000 00"));
    assert_eq!(decode_response::<HeartbeatRequest>(unframe(&encoded), 4).unwrap().0, 5);
}

fn fetch_response(blobs: &[Blob]) -> FetchResponse {
    let partition = |blob: &Blob| fetch::PartitionData { records: Some(blob.clone()), ..Default::default() };
    FetchResponse {
        responses: vec![fetch::FetchableTopicResponse {
            partitions: blobs.iter().map(partition).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[test]
fn holes_filled_in_make_the_same_frame_as_the_bytes_themselves() {
    let texts = ["first batch".repeat(30), String::new(), "second".to_owned()];
    let bytes: Vec<Blob> = texts.iter().map(|text| Bytes::from(text.clone()).into()).collect();
    let holes: Vec<Blob> = (0..)
        .zip(&texts)
        .map(|(tag, text)| Blob::Hole { len: u32::try_from(text.len()).unwrap(), tag })
        .collect();
    for version in ApiKey::Fetch.versions() {
        let whole = encode_response(ApiKey::Fetch, version, 1, &fetch_response(&bytes)).unwrap();
        let holed = encode_response(ApiKey::Fetch, version, 1, &fetch_response(&holes)).unwrap();
        assert_eq!(holed.wire_len(), whole.bytes.len());
        assert_eq!(holed.holes.len(), texts.len());

        let mut sent = Vec::new();
        let mut from = 0;
        for Hole { at, len, tag } in &holed.holes {
            sent.extend_from_slice(&holed.bytes[from..*at]);
            let text = &texts[usize::try_from(*tag).unwrap()];
            assert_eq!(text.len(), usize::try_from(*len).unwrap());
            sent.extend_from_slice(text.as_bytes());
            from = *at;
        }
        sent.extend_from_slice(&holed.bytes[from..]);
        assert_eq!(sent, whole.bytes, "version {version}");
    }
}

#[test]
fn a_frame_beyond_two_gibibytes_is_refused() {
    let big = Blob::Hole { len: i32::MAX.unsigned_abs(), tag: 0 };
    let error = encode_response(ApiKey::Fetch, 4, 1, &fetch_response(&[big.clone(), big])).unwrap_err();
    assert!(matches!(error, EncodeError::TooLong(size) if size > 1 << 31), "{error}");
    let too_big = Blob::Hole { len: 1 << 31, tag: 0 };
    let error = encode_response(ApiKey::Fetch, 4, 1, &fetch_response(&[too_big])).unwrap_err();
    assert_eq!(error, EncodeError::TooLong(1 << 31));
}
