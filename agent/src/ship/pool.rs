//! The connections, one for each broker, opened when they are first needed and again when they were lost.
//!
//! Whoever needs a connection that cannot be opened gets the error at once, also those who come in the pause after the
//! failure; they wait and ask again by themselves. So there is one attempt at a time, however many wait.

use std::collections::HashMap;
use std::sync::Arc;

use daemon::Backoff;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::config::Config;
use super::connection::{CallError, Connection};

/// Connections by address.
pub(super) struct Pool {
    config: Arc<Config>,
    slots: Mutex<HashMap<Arc<str>, Arc<tokio::sync::Mutex<Slot>>>>,
}

struct Slot {
    connection: Option<Arc<Connection>>,
    backoff: Backoff,
    /// The last failure and until when it stands.
    failed: Option<(CallError, Instant)>,
}

impl Pool {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { config, slots: Mutex::default() }
    }

    /// The connection to `address` (`host:port`).
    pub(super) async fn get(&self, address: &str) -> Result<Arc<Connection>, CallError> {
        let slot = self.slot(address);
        let mut slot = slot.lock().await;
        if let Some(connection) = slot.connection.as_ref().filter(|connection| connection.is_open()) {
            return Ok(connection.clone());
        }
        if let Some((error, _)) = slot.failed.as_ref().filter(|(_, until)| Instant::now() < *until) {
            return Err(error.clone());
        }
        slot.connection = None;
        match Connection::open(address.into(), &self.config).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                slot.connection = Some(connection.clone());
                slot.failed = None;
                slot.backoff.reset();
                Ok(connection)
            }
            Err(error) => {
                let until = Instant::now() + slot.backoff.next_pause();
                slot.failed = Some((error.clone(), until));
                Err(error)
            }
        }
    }

    /// Forgets the connections to all but these addresses.
    pub(super) fn retain(&self, addresses: &[Arc<str>]) {
        self.slots.lock().retain(|address, _| addresses.contains(address));
    }

    fn slot(&self, address: &str) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(address) {
            return slot.clone();
        }
        let backoff = Backoff::new(self.config.retry_backoff_ms, self.config.retry_backoff_max_ms);
        let slot = Arc::new(tokio::sync::Mutex::new(Slot { connection: None, backoff, failed: None }));
        slots.insert(address.into(), slot.clone());
        slot
    }
}
