//! Why a broker does not start, or does not stop cleanly; and why it does not do what a client asks.

use std::io;
use std::net::SocketAddr;

use thiserror::Error;
use wire::ErrorCode;

use crate::log::{OpenError, StorageError, TopicError};
use crate::producer_ids::ProducerIdError;
use crate::settings::SettingError;

/// Why a broker does not start, or does not stop cleanly.
#[derive(Debug, Error)]
pub enum Error {
    /// The data directory is in use, not writable, another broker's, or damaged.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The settings that were changed by request cannot be read.
    #[error("cannot load the dynamic settings: {0}")]
    Settings(#[source] StorageError),
    /// The source of producer ids cannot be used.
    #[error(transparent)]
    ProducerIds(#[from] ProducerIdError),
    /// The topic in which groups' offsets are kept cannot be made.
    #[error("cannot create the topic of committed offsets: {0}")]
    OffsetsTopic(#[source] TopicError),
    /// The groups cannot be read.
    #[error("cannot load the consumer groups: {0}")]
    Groups(#[source] StorageError),
    /// The transactions cannot be read.
    #[error("cannot load the transactions: {0}")]
    Transactions(#[source] StorageError),
    /// The port is in use, or the address is not this host's.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// The kernel's answer.
        source: io::Error,
    },
    /// Not everything could be flushed; the next start verifies the logs.
    #[error("the logs could not be closed cleanly: {0}")]
    Close(#[source] StorageError),
    /// A thread died: a mistake of ours.
    #[error("a thread of the broker failed: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

/// Why something was not done that a client asked for: the code and the words of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Failure { code, message: message.into() }
    }
}

impl From<TopicError> for Failure {
    fn from(error: TopicError) -> Self {
        Failure::new(error.error_code(), error.to_string())
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Failure::new(error.error_code(), error.to_string())
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Failure::new(error.error_code(), error.to_string())
    }
}
