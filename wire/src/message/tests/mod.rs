//! Tests of the messages: against two other implementations, against bytes written by hand, against hostile bytes.

mod differential;
mod golden;
mod hostile;
mod versions;

use bytes::Bytes;

use super::Message;
use crate::codec::{Reader, Writer};

/// The body of `message`, which must be one that `version` can express.
fn encode<M: Message>(message: &M, version: i16) -> Bytes {
    let mut w = Writer::new();
    message.encode(&mut w, version).unwrap_or_else(|error| panic!("version {version}: {error}: {message:?}"));
    w.finish().bytes
}

/// The message whose body is `bytes`, to the last byte.
fn decode<M: Message>(bytes: &Bytes, version: i16) -> M {
    let mut r = Reader::new(bytes.clone());
    let message =
        M::decode(&mut r, version).unwrap_or_else(|error| panic!("version {version}: {error}: {bytes:?}"));
    assert_eq!(r.remaining(), 0, "bytes left over in version {version} after {message:?}");
    message
}
