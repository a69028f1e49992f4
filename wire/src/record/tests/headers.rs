use proptest::prelude::*;

use crate::record::{EncodedHeaders, Headers, RecordError, headers};

fn encoded(list: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    headers::put(&mut out, list);
    assert_eq!(out.len(), headers::size(list), "the size is known before it is written");
    out
}

#[test]
fn no_headers_are_one_byte() {
    assert_eq!(encoded(&[]), [0]);
    let none = Headers::parse(&[0]).unwrap();
    assert!(none.is_empty() && none.iter().next().is_none());
    assert_eq!(none, Headers::default());
}

#[test]
fn the_last_of_equal_keys_counts() {
    let bytes = encoded(&[("a", b"1"), ("b", b"2"), ("a", b"3")]);
    let headers = Headers::parse(&bytes).unwrap();
    assert_eq!(headers.len(), 3);
    assert_eq!(headers.get("a"), Some(&b"3"[..]));
    assert_eq!(headers.get("b"), Some(&b"2"[..]));
    assert_eq!(headers.get("c"), None);
}

#[test]
fn a_null_value_is_read_and_a_null_key_refused() {
    // count 1, key of 1 byte "k", value length -1
    let headers = Headers::parse(&[2, 2, b'k', 1]).unwrap();
    assert_eq!(headers.iter().collect::<Vec<_>>(), [(&b"k"[..], None)]);
    assert_eq!(headers.get("k"), None);
    assert_eq!(Headers::parse(&[2, 1, 1]), Err(RecordError::BadRecord("a header's key is null")));
}

#[test]
fn keys_need_not_be_utf_8() {
    let headers = Headers::parse(&[2, 4, 0xff, 0xfe, 0]).unwrap();
    assert_eq!(headers.iter().collect::<Vec<_>>(), [(&[0xff, 0xfe][..], Some(&[][..]))]);
}

#[test]
fn a_hostile_count_costs_nothing() {
    assert_eq!(Headers::parse(&[1]), Err(RecordError::BadRecord("negative header count")));
    // i32::MAX headers of which none follows
    let huge = [0xfe, 0xff, 0xff, 0xff, 0x0f];
    assert_eq!(Headers::parse(&huge), Err(RecordError::BadRecord("it is cut off")));
}

#[test]
fn bytes_behind_the_last_header_are_refused() {
    let mut bytes = encoded(&[("a", b"1")]);
    bytes.push(0);
    assert_eq!(Headers::parse(&bytes), Err(RecordError::BadRecord("it is longer than its fields")));
}

#[test]
fn encoded_headers_change_behind_their_mark_only() {
    let mut kept = EncodedHeaders::new();
    kept.push("host", b"web-1");
    let constant = kept.mark();
    for offset in ["0", "118", "20000"] {
        kept.reset(constant);
        kept.push("offset", offset.as_bytes());
        let mut bytes = Vec::new();
        kept.put(&mut bytes);
        assert_eq!(bytes, encoded(&[("host", b"web-1"), ("offset", offset.as_bytes())]));
        assert_eq!(bytes.len(), kept.size());
    }
}

#[test]
fn a_mark_of_longer_headers_changes_nothing() {
    let mut long = EncodedHeaders::new();
    long.push("key", b"value");
    let mut short = EncodedHeaders::new();
    short.reset(long.mark());
    assert_eq!(short, EncodedHeaders::new());
}

proptest! {
    #[test]
    fn reads_what_it_writes(
        list in proptest::collection::vec((".{0,8}", proptest::collection::vec(any::<u8>(), 0..80)), 0..5),
    ) {
        let borrowed: Vec<(&str, &[u8])> = list.iter().map(|(k, v)| (k.as_str(), v.as_slice())).collect();
        let bytes = encoded(&borrowed);
        let read: Vec<_> = Headers::parse(&bytes).unwrap().iter().collect();
        let expected: Vec<_> = borrowed.iter().map(|(k, v)| (k.as_bytes(), Some(*v))).collect();
        prop_assert_eq!(read, expected);
    }
}
