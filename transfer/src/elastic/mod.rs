//! The index: Elasticsearch 7.17 to 9 and OpenSearch, by the few APIs that all of them answer alike: `_index_template` and
//! `_bulk`. (`GET /` is not among them: some distributions answer it with 405.)

pub(crate) mod client;
pub(crate) mod outcome;
pub(crate) mod send;
pub(crate) mod template;

pub(crate) use client::Client;
pub use client::ClientError;
pub(crate) use send::Sender;
