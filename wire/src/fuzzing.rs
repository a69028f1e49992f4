//! The bodies of the fuzz targets. Each takes any bytes and panics only if a promise of this crate is broken. The same
//! bodies run under proptest in this crate's tests.

use bytes::Bytes;

pub use crate::record::fuzzing::*;

use crate::codec::{Reader, Writer};
use crate::frame::decode_request_header;
use crate::message::{ApiKey, ApiVisitor, Message, Request};

/// A request's frame, without its size.
pub fn request(bytes: &[u8]) {
    let Ok((header, body)) = decode_request_header(Bytes::copy_from_slice(bytes)) else { return };
    let Ok(key) = ApiKey::try_from(header.api_key) else { return };
    key.visit(RoundTrip { body, version: header.api_version, response: false });
}

/// A response's body; the first two bytes choose its API and version.
pub fn response(bytes: &[u8]) {
    let [key, version, body @ ..] = bytes else { return };
    let key = ApiKey::ALL[usize::from(*key) % ApiKey::ALL.len()];
    let body = Reader::new(Bytes::copy_from_slice(body));
    key.visit(RoundTrip { body, version: i16::from(*version), response: true });
}

/// What can be read can be written, and is read the same again.
struct RoundTrip {
    body: Reader,
    version: i16,
    response: bool,
}

impl ApiVisitor for RoundTrip {
    type Output = ();

    fn visit<R: Request>(self) {
        if self.response { self.check::<R::Response>() } else { self.check::<R>() }
    }
}

impl RoundTrip {
    fn check<M: Message>(mut self) {
        let Ok(message) = M::decode(&mut self.body, self.version) else { return };
        let mut w = Writer::new();
        assert_eq!(message.encode(&mut w, self.version), Ok(()), "what was read can be written: {message:?}");
        let mut again = Reader::new(w.finish().bytes);
        assert_eq!(M::decode(&mut again, self.version), Ok(message), "what was written reads the same");
        assert_eq!(again.remaining(), 0, "nothing more was written than is read");
    }
}
