//! Owns the headers that precede the messages.
//!
//! | field | request header 1 | request header 2 | response header 0 | response header 1 |
//! |---|---|---|---|---|
//! | API key, int16 | x | x | | |
//! | API version, int16 | x | x | | |
//! | correlation id, int32 | x | x | x | x |
//! | client id, nullable string, never compact | x | x | | |
//! | tagged fields | | x | | x |
//!
//! Request header 0, without a client id, belongs to an API that is not served.

use super::ApiKey;
use crate::codec::{DecodeError, EncodeError, Reader, Tags, Writer};

/// What stands before a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API key.
    pub api_key: i16,
    /// The version of the API.
    pub api_version: i16,
    /// The number that the response repeats.
    pub correlation_id: i32,
    /// The name that the client gives itself.
    pub client_id: Option<String>,
}

impl RequestHeader {
    /// Reads a header. The version of the API need not be one that is known: a newer request's header is read as the
    /// newest known one's, so that it can be answered. An unknown API is an error, as its header's form is unknown.
    pub fn decode(r: &mut Reader) -> Result<Self, DecodeError> {
        let api_key = r.i16()?;
        let api_version = r.i16()?;
        let correlation_id = r.i32()?;
        let key = ApiKey::try_from(api_key)?;
        let client_id = r.string(false)?;
        if key.request_header_version(api_version) >= 2 {
            r.tagged_fields(|_, _| Ok(false))?;
        }
        Ok(Self { api_key, api_version, correlation_id, client_id })
    }

    /// Writes the header for a request of `key`.
    pub(crate) fn encode(&self, w: &mut Writer, key: ApiKey) -> Result<(), EncodeError> {
        w.i16(self.api_key);
        w.i16(self.api_version);
        w.i32(self.correlation_id);
        w.string(self.client_id.as_deref(), false)?;
        if key.request_header_version(self.api_version) >= 2 {
            w.tagged_fields(Tags::default());
        }
        Ok(())
    }
}

/// Reads a response's header and returns the correlation id.
pub(crate) fn decode_response_header(r: &mut Reader, key: ApiKey, version: i16) -> Result<i32, DecodeError> {
    let correlation_id = r.i32()?;
    if key.response_header_version(version) >= 1 {
        r.tagged_fields(|_, _| Ok(false))?;
    }
    Ok(correlation_id)
}

/// Writes a response's header.
pub(crate) fn encode_response_header(w: &mut Writer, key: ApiKey, version: i16, correlation_id: i32) {
    w.i32(correlation_id);
    if key.response_header_version(version) >= 1 {
        w.tagged_fields(Tags::default());
    }
}
