//! Bytes that no honest client sends: no panic, and little memory.

use bytes::Bytes;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::encode;
use crate::codec::{DecodeError, Reader};
use crate::fuzzing;
use crate::message::{ApiKey, ApiVisitor, Message, Request};
use crate::testing::{Gen, Random, allocated};

/// What decoding a frame of `len` bytes may allocate in all: arrays as the reader allows, and the text of strings.
fn memory_limit(len: usize) -> usize {
    (16 * len).max(64 * 1024) + len
}

/// Decodes `bytes` as the request and the response of every API and version, within the memory allowed.
struct DecodeAll<'a>(&'a Bytes);

impl ApiVisitor for DecodeAll<'_> {
    type Output = ();

    fn visit<R: Request>(self) {
        for version in R::KEY.versions() {
            decode_bounded::<R>(self.0, version);
            decode_bounded::<R::Response>(self.0, version);
        }
    }
}

fn decode_bounded<M: Message>(bytes: &Bytes, version: i16) {
    let mut r = Reader::new(bytes.clone());
    let (memory, result) = allocated(|| M::decode(&mut r, version));
    let limit = memory_limit(bytes.len());
    assert!(memory <= limit, "{memory} bytes for a frame of {}: {result:?}", bytes.len());
}

fn decode_as_everything(bytes: &Bytes) {
    for key in ApiKey::ALL {
        key.visit(DecodeAll(bytes));
    }
}

/// A change to a frame.
#[derive(Debug, Clone)]
enum Damage {
    Cut(prop::sample::Index),
    Overwrite(prop::sample::Index, Vec<u8>),
    Insert(prop::sample::Index, Vec<u8>),
}

impl Damage {
    fn apply(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Self::Overwrite(at, new) => {
                let at = at.index(bytes.len() + 1);
                let end = bytes.len().min(at + new.len());
                bytes.splice(at..end, new);
            }
            Self::Insert(at, new) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, new);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    // Lengths that overflow, that are negative, and that are a little wrong.
    let new = || {
        prop_oneof![
            Just(vec![0x7f, 0xff, 0xff, 0xff]),
            Just(vec![0xff, 0xff, 0xff, 0xff, 0x0f]),
            Just(vec![0xff; 4]),
            Just(vec![0x80; 6]),
            prop::collection::vec(any::<u8>(), 1..3),
        ]
    };
    prop_oneof![
        at().prop_map(Damage::Cut),
        (at(), new()).prop_map(|(at, new)| Damage::Overwrite(at, new)),
        (at(), new()).prop_map(|(at, new)| Damage::Insert(at, new)),
    ]
}

/// Calls `check` with random bytes and damage, see `differential::for_random_messages`.
fn for_random_damage(check: &dyn Fn(&[u8], &[Damage])) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) };
    let strategy = (prop::collection::vec(any::<u8>(), 0..300), prop::collection::vec(damage(), 1..4));
    let result = TestRunner::new(config).run(&strategy, |(random, damage)| {
        check(&random, &damage);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

fn damaged_is_bounded<M: Message + Random>(key: ApiKey, random: &[u8], damage: &[Damage]) {
    for version in key.versions() {
        let v = key.encodable(version).unwrap();
        let mut bytes = encode(&M::random(&mut Gen::new(random), v), version).to_vec();
        for one in damage {
            one.clone().apply(&mut bytes);
        }
        decode_bounded::<M>(&bytes.into(), version);
    }
}

macro_rules! damage_tests {
    ($($key:ident = $code:literal, $versions:expr, flexible $flexible:expr, $module:ident: $request:ident => $response:ident;)+) => {$(
        #[test]
        fn $module() {
            for_random_damage(&|random, damage| {
                damaged_is_bounded::<crate::message::$request>(ApiKey::$key, random, damage);
                damaged_is_bounded::<crate::message::$response>(ApiKey::$key, random, damage);
            });
        }
    )+};
}

mod damaged_messages {
    use super::*;

    for_each_api!(damage_tests);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn random_bytes_as_everything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        decode_as_everything(&bytes.into());
    }

    #[test]
    fn bytes_of_few_kinds_as_everything(
        bytes in prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 3, 0x7f, 0x80, 0xff]), 0..200),
    ) {
        decode_as_everything(&bytes.into());
    }

    #[test]
    fn fuzz_body_of_requests(
        key in prop::sample::select(ApiKey::ALL),
        version in 0i16..18,
        rest in prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 3, 8, 0xff]), 0..100),
    ) {
        let mut frame = key.code().to_be_bytes().to_vec();
        frame.extend(version.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(rest);
        fuzzing::request(&frame);
    }

    #[test]
    fn fuzz_body_of_responses(bytes in prop::collection::vec(0u8..20, 0..120)) {
        fuzzing::response(&bytes);
    }
}

/// One such request of 30 bytes made another implementation ask for 154 GB.
#[test]
fn a_count_of_two_billion_in_a_small_frame_is_an_error_and_costs_nothing() {
    let bytes = Bytes::from_static(b"\x7f\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00");
    let mut r = Reader::new(bytes.clone());
    let (memory, result) = allocated(|| crate::message::MetadataRequest::decode(&mut r, 1));
    assert_eq!(result, Err(DecodeError::LengthBeyondEnd { length: 0x7fff_ffff, left: 12 }));
    assert_eq!(memory, 0);
}

/// An empty name is one byte in a flexible version and 24 in memory.
#[test]
fn a_frame_of_empty_names_cannot_take_many_times_its_size() {
    let count = 1_000_000;
    let mut bytes = vec![0xc1, 0x84, 0x3d];
    bytes.resize(bytes.len() + count, 1);
    let bytes = Bytes::from(bytes);
    let mut r = Reader::new(bytes);
    let (memory, result) = allocated(|| crate::message::DeleteTopicsRequest::decode(&mut r, 4));
    assert_eq!(result, Err(DecodeError::TooManyElements { count }));
    assert_eq!(memory, 0);
}

/// The limit must not hit who asks for very many topics with very short names.
#[test]
fn a_hundred_thousand_topics_of_three_letters_are_read() {
    let request = crate::message::DescribeGroupsRequest {
        groups: (0..100_000).map(|n| format!("{:03}", n % 1000)).collect(),
        ..Default::default()
    };
    let bytes = encode(&request, 5);
    assert_eq!(super::decode::<crate::message::DescribeGroupsRequest>(&bytes, 5), request);
}
