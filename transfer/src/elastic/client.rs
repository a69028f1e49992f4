//! The connection: addresses, credentials, certificates; one request and its answer as plain bytes.
//!
//! Three requests are all that is needed of Elasticsearch's API, and both ends of each are ours to shape: so this speaks
//! HTTP, and not through a client that generates every endpoint.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use percent_encoding::percent_decode_str;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, RequestBuilder};
use url::Url;

use crate::config::Elasticsearch;

/// Asks for no more of the answer than is looked at. Relative, so that an address may have a path.
const BULK: &str = "_bulk?filter_path=errors,error,items.*.status,items.*.error.type,items.*.error.reason";
/// An answer has some 20 bytes for each document, and a reason of at most some kB for each that was refused.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A client of one cluster. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    /// Their paths end with a slash.
    nodes: Arc<[Url]>,
    /// How many requests were sent: nodes take turns.
    sent: Arc<AtomicUsize>,
    credentials: Option<Credentials>,
}

#[derive(Clone)]
enum Credentials {
    Basic { username: String, password: String },
    ApiKey(HeaderValue),
}

impl fmt::Debug for Client {
    /// Without the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// `elasticsearch.url` is not usable. Its text is not shown: it may hold a password.
    #[error("elasticsearch.url is no list of http:// or https:// addresses")]
    Address,
    /// `elasticsearch.api_key` cannot stand in a header. It is not shown.
    #[error("elasticsearch.api_key is no API key in its encoded form")]
    ApiKey,
    /// `elasticsearch.ca_file` cannot be read.
    #[error("cannot read elasticsearch.ca_file {}: {source}", path.display())]
    ReadCertificate {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `elasticsearch.ca_file` holds no certificate.
    #[error("elasticsearch.ca_file {} holds no PEM certificate", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
    },
    /// The HTTP client refuses the settings.
    #[error("cannot set up the client of elasticsearch: {0}")]
    Build(#[from] reqwest::Error),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Client {
    /// Sets up a client; nothing is sent yet.
    pub(crate) fn new(config: &Elasticsearch) -> Result<Self, ClientError> {
        let mut nodes = config.urls().map_err(|_| ClientError::Address)?;
        if nodes.is_empty() {
            return Err(ClientError::Address);
        }
        let mut credentials = None;
        for url in &mut nodes {
            credentials = take_credentials(url)?.or(credentials);
        }
        if let (Some(username), Some(password)) = (&config.username, &config.password) {
            let (username, password) = (username.clone(), password.expose().to_owned());
            credentials = Some(Credentials::Basic { username, password });
        }
        if let Some(key) = &config.api_key {
            let value = HeaderValue::try_from(format!("ApiKey {}", key.expose()));
            let mut value = value.map_err(|_| ClientError::ApiKey)?;
            value.set_sensitive(true);
            credentials = Some(Credentials::ApiKey(value));
        }
        let timeout = Duration::from_millis(config.request_timeout_ms);
        // a redirected bulk request would arrive as a GET: the answer is logged instead, with its status
        let mut builder = reqwest::Client::builder().timeout(timeout).redirect(Policy::none());
        if let Some(path) = &config.ca_file {
            // the well-known authorities have no say over a private one's servers
            builder = builder.tls_built_in_root_certs(false);
            for certificate in certificates(path)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        Ok(Self { http: builder.build()?, nodes: nodes.into(), sent: Arc::default(), credentials })
    }

    /// Sends a JSON document. The path has no slash before it.
    pub(crate) async fn put(&self, path: &str, body: Bytes) -> Result<Answer, RequestError> {
        self.send(Method::PUT, path, "application/json", body).await
    }

    /// Sends a bulk body.
    pub(crate) async fn bulk(&self, body: Bytes) -> Result<Answer, RequestError> {
        self.send(Method::POST, BULK, "application/x-ndjson", body).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: Bytes,
    ) -> Result<Answer, RequestError> {
        let turn = self.sent.fetch_add(1, Ordering::Relaxed) % self.nodes.len();
        let url = format!("{}{path}", self.nodes[turn]);
        let request = self.http.request(method, url).header(CONTENT_TYPE, content_type).body(body);
        let mut response = self.authorized(request).send().await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(RequestError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status().as_u16(), body: body.freeze() })
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credentials {
            None => request,
            Some(Credentials::Basic { username, password }) => request.basic_auth(username, Some(password)),
            Some(Credentials::ApiKey(value)) => request.header(AUTHORIZATION, value),
        }
    }
}

/// Takes user and password out of an address, where they would be part of every error's text, and ends its path with a
/// slash.
fn take_credentials(url: &mut Url) -> Result<Option<Credentials>, ClientError> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = (!url.username().is_empty()).then(|| Credentials::Basic {
        username: decoded(url.username()),
        password: decoded(url.password().unwrap_or_default()),
    });
    url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| ClientError::Address)?;
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(credentials)
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, ClientError> {
    let pem = std::fs::read(path)
        .map_err(|source| ClientError::ReadCertificate { path: path.to_owned(), source })?;
    let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
    if found.is_empty() { Err(ClientError::Certificate { path: path.to_owned() }) } else { Ok(found) }
}

#[cfg(test)]
mod tests;
