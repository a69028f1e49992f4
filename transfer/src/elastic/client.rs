//! The connection: addresses, credentials, certificates; one request and its answer as plain bytes.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use elasticsearch::auth::Credentials;
use elasticsearch::cert::{Certificate, CertificateValidation};
use elasticsearch::http::Method;
use elasticsearch::http::headers::{CONTENT_TYPE, HeaderMap, HeaderValue};
use elasticsearch::http::transport::{BuildError, MultiNodeConnectionPool, Transport, TransportBuilder};

use crate::config::Elasticsearch;

/// A client of one cluster. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Client {
    transport: Transport,
    timeout: Duration,
}

impl fmt::Debug for Client {
    /// Without the transport, which would show its credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// `elasticsearch.url` is not usable. Its text is not shown: it may hold a password.
    #[error("elasticsearch.url is no list of http:// or https:// addresses")]
    Address,
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
    Build(#[from] BuildError),
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
        let mut urls = config.urls().map_err(|_| ClientError::Address)?;
        if urls.is_empty() {
            return Err(ClientError::Address);
        }
        let mut credentials = None;
        for url in &mut urls {
            if !url.username().is_empty() {
                let password = url.password().unwrap_or_default().to_owned();
                credentials = Some(Credentials::Basic(url.username().to_owned(), password));
            }
            // left in the address it would be sent twice, and be part of every error's text
            url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| ClientError::Address)?;
        }
        if let (Some(username), Some(password)) = (&config.username, &config.password) {
            credentials = Some(Credentials::Basic(username.clone(), password.expose().to_owned()));
        }
        if let Some(key) = &config.api_key {
            credentials = Some(Credentials::EncodedApiKey(key.expose().to_owned()));
        }
        let timeout = Duration::from_millis(config.request_timeout_ms);
        let pool = MultiNodeConnectionPool::round_robin(urls, None);
        let mut builder = TransportBuilder::new(pool).timeout(timeout).enable_meta_header(false);
        if let Some(credentials) = credentials {
            builder = builder.auth(credentials);
        }
        if let Some(path) = &config.ca_file {
            let pem = std::fs::read(path)
                .map_err(|source| ClientError::ReadCertificate { path: path.clone(), source })?;
            let certificate =
                Certificate::from_pem(&pem).map_err(|_| ClientError::Certificate { path: path.clone() })?;
            builder = builder.cert_validation(CertificateValidation::Full(certificate));
        }
        Ok(Self { transport: builder.build()?, timeout })
    }

    /// Sends a JSON document.
    pub(crate) async fn put(&self, path: &str, body: Bytes) -> Result<Answer, elasticsearch::Error> {
        self.send(Method::Put, path, "application/json", &[], body).await
    }

    /// Sends a bulk body and asks for no more of the answer than is looked at.
    pub(crate) async fn bulk(&self, body: Bytes) -> Result<Answer, elasticsearch::Error> {
        let filter = "errors,error,items.*.status,items.*.error.type,items.*.error.reason";
        self.send(Method::Post, "/_bulk", "application/x-ndjson", &[("filter_path", filter)], body).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &'static str,
        query: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, elasticsearch::Error> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let query = (!query.is_empty()).then_some(query);
        let response =
            self.transport.send(method, path, headers, query, Some(body), Some(self.timeout)).await?;
        let status = response.status_code().as_u16();
        Ok(Answer { status, body: response.bytes().await? })
    }
}

#[cfg(test)]
mod tests;
