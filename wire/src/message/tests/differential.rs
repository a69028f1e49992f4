//! Every message in every version against the crate `kafka-protocol`, which is generated from Kafka's schemas: 0.15.1
//! from those of Kafka 3.8, beginning with version 0, and 0.18 from those of Kafka 4, beginning later.
//!
//! A random message of ours is encoded, decoded by theirs, encoded by theirs: the bytes must be equal. Ours then reads
//! their bytes, and the message must be the one that we began with.

use bytes::{Buf, BytesMut};
use kafka_protocol_015::messages as theirs_015;
use kafka_protocol_018::messages as theirs_018;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{decode, encode};
use crate::message::{ApiKey, Message};
use crate::testing::{Gen, Random};

/// Whether two crates' versions of a message agree; `$theirs` says which crate.
macro_rules! agreement {
    ($agree:ident, $theirs:ident) => {
        fn $agree<Ours, Theirs>(key: ApiKey, random: &[u8])
        where
            Ours: Message + Random,
            Theirs: $theirs::protocol::Message
                + $theirs::protocol::Encodable
                + $theirs::protocol::Decodable
                + std::fmt::Debug,
        {
            let (first, last) = key.versions().into_inner();
            for version in first.max(Theirs::VERSIONS.min)..=last.min(Theirs::VERSIONS.max) {
                let v = key.encodable(version).unwrap();
                let message = Ours::random(&mut Gen::new(random), v);
                let bytes = encode(&message, version);

                let mut rest = bytes.clone();
                let theirs = Theirs::decode(&mut rest, version)
                    .unwrap_or_else(|error| panic!("{key} {version}: {error}: {message:?} as {bytes:?}"));
                assert_eq!(rest.remaining(), 0, "{key} {version}: {message:?} has more than {theirs:?}");

                let mut again = BytesMut::new();
                theirs.encode(&mut again, version).unwrap();
                assert_eq!(again, bytes, "{key} {version}: {message:?} differs from {theirs:?}");
                assert_eq!(decode::<Ours>(&again.freeze(), version), message, "{key} {version}");
            }
        }
    };
}

agreement!(agree_with_015, kafka_protocol_015);
agreement!(agree_with_018, kafka_protocol_018);

/// The newest version of an API, which is Kafka 3.8's but for groups of the newer protocol: theirs is Kafka 4.0's.
fn newest(key: ApiKey, of_3_8: i16) -> i16 {
    match key {
        ApiKey::ConsumerGroupHeartbeat | ApiKey::ConsumerGroupDescribe => 1,
        _ => of_3_8,
    }
}

/// Calls `agree` with random bytes. One function for all tests, as each instance of proptest's runner takes seconds to
/// compile.
fn for_random_messages(agree: &dyn Fn(&[u8])) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) };
    let result = TestRunner::new(config).run(&prop::collection::vec(any::<u8>(), 0..400), |random| {
        agree(&random);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

macro_rules! differential_tests {
    ($($key:ident = $code:literal, $versions:expr, flexible $flexible:expr, $module:ident: $request:ident => $response:ident;)+) => {$(
        mod $module {
            use super::*;

            #[test]
            fn requests() {
                for_random_messages(&|random| {
                    agree_with_015::<crate::message::$request, theirs_015::$request>(ApiKey::$key, random);
                    agree_with_018::<crate::message::$request, theirs_018::$request>(ApiKey::$key, random);
                });
            }

            #[test]
            fn responses() {
                for_random_messages(&|random| {
                    agree_with_015::<crate::message::$response, theirs_015::$response>(ApiKey::$key, random);
                    agree_with_018::<crate::message::$response, theirs_018::$response>(ApiKey::$key, random);
                });
            }

            #[test]
            fn versions_and_headers() {
                use kafka_protocol_015::protocol::{HeaderVersion, Message};

                let theirs = theirs_015::$request::VERSIONS;
                assert_eq!(ApiKey::$key.versions(), theirs.min..=newest(ApiKey::$key, theirs.max));
                for version in ApiKey::$key.versions() {
                    let key = ApiKey::$key;
                    let request = theirs_015::$request::header_version(version);
                    assert_eq!(key.request_header_version(version), request, "request {version}");
                    let response = theirs_015::$response::header_version(version);
                    assert_eq!(key.response_header_version(version), response, "response {version}");
                }
            }
        }
    )+};
}

for_each_api!(differential_tests);
