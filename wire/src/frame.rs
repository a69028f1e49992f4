//! Owns whole frames: an int32 size, a header, a message.
//!
//! The size counts what follows it. Frames are written with it and read without it: who reads from a socket has to
//! look at the size first, to hold it against a limit.

use bytes::Bytes;

use crate::codec::{DecodeError, EncodeError, Encoded, Reader, Writer};
use crate::message::{ApiKey, Message, Request, RequestHeader, header};

/// The frame of a request, size included.
pub fn encode_request<R: Request>(
    client_id: Option<&str>,
    correlation_id: i32,
    version: i16,
    body: &R,
) -> Result<Encoded, EncodeError> {
    let header = RequestHeader {
        api_key: R::KEY.code(),
        api_version: version,
        correlation_id,
        client_id: client_id.map(str::to_owned),
    };
    let mut w = Writer::new();
    w.i32(0);
    header.encode(&mut w, R::KEY)?;
    body.encode(&mut w, version)?;
    finish(w)
}

/// Reads the header of a request's frame (without its size), and returns it with the reader at the body.
///
/// The version may be one that is not known, see [`RequestHeader::decode`]. Once the body is decoded, nothing should
/// remain in the reader.
pub fn decode_request_header(frame: Bytes) -> Result<(RequestHeader, Reader), DecodeError> {
    let mut r = Reader::new(frame);
    let header = RequestHeader::decode(&mut r)?;
    Ok((header, r))
}

/// The frame of a response, size included.
pub fn encode_response<M: Message>(
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    body: &M,
) -> Result<Encoded, EncodeError> {
    let mut w = Writer::new();
    w.i32(0);
    header::encode_response_header(&mut w, key, version, correlation_id);
    body.encode(&mut w, version)?;
    finish(w)
}

/// Reads the response to a request of type `R` and `version` from its frame (without its size), and returns the
/// correlation id and the message. Bytes after the message are ignored.
pub fn decode_response<R: Request>(frame: Bytes, version: i16) -> Result<(i32, R::Response), DecodeError> {
    let mut r = Reader::new(frame);
    let correlation_id = header::decode_response_header(&mut r, R::KEY, version)?;
    Ok((correlation_id, R::Response::decode(&mut r, version)?))
}

/// Puts the size in front, which counts the holes too.
fn finish(mut w: Writer) -> Result<Encoded, EncodeError> {
    let size = w.wire_len().saturating_sub(size_of::<i32>());
    w.set_first_i32(i32::try_from(size).map_err(|_| EncodeError::TooLong(size))?);
    Ok(w.finish())
}

#[cfg(test)]
mod tests;
