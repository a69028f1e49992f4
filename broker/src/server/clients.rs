//! Who is connected, for those who look. What a connection's task counts, others read.
//!
//! Nobody pays much for it: a connection is an entry of bounded size, and as only its own task writes, a request costs plain
//! loads and stores. Its client's name and software are kept as they were told first.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use daemon::pages::html::shortened;
use parking_lot::Mutex;

/// What is kept of a text that a client tells.
const TEXT_CHARS_MAX: usize = 200;
/// What stands before each request.
const SIZE_BYTES: usize = 4;

/// The open connections.
#[derive(Debug, Default, Clone)]
pub(crate) struct Clients {
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    /// How many there have been.
    count: u64,
    /// In the order in which they came.
    by_number: BTreeMap<u64, Arc<Connected>>,
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) address: SocketAddr,
    pub(crate) since: Instant,
    id: OnceLock<String>,
    software: OnceLock<(String, String)>,
    requests: Count,
    bytes_in: Count,
    bytes_out: Count,
}

/// A connection is known as open as long as this is there.
#[derive(Debug)]
pub(crate) struct Registration {
    open: Arc<Mutex<Open>>,
    number: u64,
    connected: Arc<Connected>,
}

/// A number that one task counts up.
#[derive(Debug, Default)]
struct Count(AtomicU64);

impl Count {
    fn add(&self, count: usize) {
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before.wrapping_add(count as u64), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Clients {
    /// Adds a connection.
    pub(crate) fn register(&self, address: SocketAddr) -> Registration {
        let connected = Arc::new(Connected {
            address,
            since: Instant::now(),
            id: OnceLock::new(),
            software: OnceLock::new(),
            requests: Count::default(),
            bytes_in: Count::default(),
            bytes_out: Count::default(),
        });
        let mut open = self.open.lock();
        let number = open.count;
        open.count = number.wrapping_add(1);
        open.by_number.insert(number, connected.clone());
        Registration { open: self.open.clone(), number, connected }
    }

    /// All connections, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Connected>> {
        self.open.lock().by_number.values().cloned().collect()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.open.lock().by_number.len()
    }
}

impl Registration {
    /// Where its task counts.
    pub(crate) fn connected(&self) -> Arc<Connected> {
        self.connected.clone()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.open.lock().by_number.remove(&self.number);
    }
}

impl Connected {
    /// A request of so many bytes has come.
    pub(crate) fn received(&self, bytes: usize) {
        self.requests.add(1);
        self.bytes_in.add(bytes.saturating_add(SIZE_BYTES));
    }

    /// So many bytes were sent.
    pub(crate) fn sent(&self, bytes: usize) {
        self.bytes_out.add(bytes);
    }

    /// The name that the client gives itself.
    pub(crate) fn name(&self, id: Option<&str>) {
        if let Some(id) = id
            && self.id.get().is_none()
        {
            // only its own task comes here
            let _ = self.id.set(shortened(id, TEXT_CHARS_MAX).into_owned());
        }
    }

    /// The name and the version of the client's software, if it tells them.
    pub(crate) fn introduce(&self, name: &str, version: &str) {
        if !name.is_empty() && self.software.get().is_none() {
            let kept = |text: &str| shortened(text, TEXT_CHARS_MAX).into_owned();
            let _ = self.software.set((kept(name), kept(version)));
        }
    }

    /// The name that the client gives itself.
    pub(crate) fn client_id(&self) -> Option<&str> {
        self.id.get().map(String::as_str)
    }

    /// The name and the version of the client's software.
    pub(crate) fn software(&self) -> Option<(&str, &str)> {
        self.software.get().map(|(name, version)| (name.as_str(), version.as_str()))
    }

    /// Requests, bytes in and bytes out.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        (self.requests.get(), self.bytes_in.get(), self.bytes_out.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn connections_are_known_in_their_order_until_they_end() {
        let clients = Clients::default();
        let first = clients.register(address(1));
        let second = clients.register(address(2));
        first.connected().received(96);
        first.connected().received(0);
        first.connected().sent(7);
        let ports = || clients.all().iter().map(|one| one.address.port()).collect::<Vec<_>>();
        assert_eq!(ports(), [1, 2]);
        assert_eq!(clients.all()[0].counts(), (2, 104, 7));
        drop(first);
        let third = clients.register(address(3));
        assert_eq!((ports(), clients.len()), (vec![2, 3], 2));
        drop((second, third));
        assert_eq!(clients.len(), 0);
    }

    #[test]
    fn what_a_client_says_of_itself_is_kept_as_said_first_and_bounded() {
        let clients = Clients::default();
        let registration = clients.register(address(1));
        let one = registration.connected();
        assert_eq!((one.client_id(), one.software()), (None, None));
        one.name(None);
        one.introduce("", "");
        assert_eq!((one.client_id(), one.software()), (None, None));
        one.name(Some(&"x".repeat(100_000)));
        one.name(Some("other"));
        assert_eq!(one.client_id().unwrap().chars().count(), TEXT_CHARS_MAX + 1);
        one.introduce("librdkafka", &"9".repeat(100_000));
        one.introduce("other", "1");
        let (name, version) = one.software().unwrap();
        assert_eq!((name, version.chars().count()), ("librdkafka", TEXT_CHARS_MAX + 1));
    }
}
