//! ApiVersions (18): what we serve.
//!
//! | version | |
//! |---|---|
//! | 0 | the list |
//! | 1 | throttle time, always 0 |
//! | 3 | flexible; name and version of the client |
//! | 4 | as 3 |
//! | any other | answered in the form of version 0 with error 35 and the list, so that the client can ask again |
//!
//! Left out: features. There are none to agree on in a single broker.

use wire::ErrorCode;
use wire::frame;
use wire::message::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};

use super::{ApiKey, Incoming, Refusal, Reply, RequestContext, SERVED, Work};

/// Answers at once, and remembers the client's name and version.
pub(super) fn begin(mut incoming: Incoming<'_>) -> Result<Work, Refusal> {
    let request = incoming.decode::<ApiVersionsRequest>()?;
    let (name, version) = (&request.client_software_name, &request.client_software_version);
    incoming.client.connected.introduce(name, version);
    incoming.answer(request, |_, _, _| ApiVersionsResponse { api_keys: announcement(), ..Default::default() })
}

/// The answer to a version that we do not know.
pub(super) fn unsupported(context: &RequestContext) -> Result<Work, Refusal> {
    let error_code = ErrorCode::UnsupportedVersion.code();
    let response = ApiVersionsResponse { error_code, api_keys: announcement(), ..Default::default() };
    let (api, version) = (ApiKey::ApiVersions, 0);
    let encoded = frame::encode_response(api, version, context.correlation_id, &response)
        .map_err(|source| Refusal::Response { api, version, source })?;
    Ok(Work::Done(Some(Reply::new(encoded))))
}

fn announcement() -> Vec<ApiVersion> {
    let entry = |&(key, min_version, max_version): &(ApiKey, i16, i16)| ApiVersion {
        api_key: key.code(),
        min_version,
        max_version,
    };
    SERVED.iter().map(entry).collect()
}
