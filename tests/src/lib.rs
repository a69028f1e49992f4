//! What the end-to-end tests share: real servers and clients as child processes, each in a temporary directory, on free
//! ports of the loopback interface, ended by their process ids.
//!
//! Everything here panics on failure with what the process printed: it is test code, and a test that cannot set up its
//! world has failed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "the harness of tests fails loudly"
)]

pub mod elastic;
pub mod etcd;
pub mod http;
pub mod kafka;
pub mod logagent;
pub mod nginx;
pub mod process;

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

/// Where `tests/setup` has put the servers that are not Debian packages.
pub fn cache() -> PathBuf {
    let of_user = || {
        let home = PathBuf::from(std::env::var_os("HOME").expect("HOME is set"));
        let caches = std::env::var_os("XDG_CACHE_HOME").map_or_else(|| home.join(".cache"), PathBuf::from);
        caches.join("logagent/servers")
    };
    match std::env::var_os("LOGAGENT_CACHE") {
        Some(path) => path.into(),
        None if rustix::process::geteuid().is_root() => "/var/cache/logagent".into(),
        None => of_user(),
    }
}

/// A port that was free a moment ago, never the same twice. It is none of those that the kernel gives to outgoing connections
/// (from 32768 on), one of which could have it by the time that a server binds it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() as u16).wrapping_mul(61);
    loop {
        let port = 10_000 + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 22_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Waits until `ready` holds; panics after `limit` with `what` it waited for.
pub fn wait_for(what: &str, limit: Duration, mut ready: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !ready() {
        assert!(begin.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A generator of random numbers whose seed is printed; `LOGAGENT_SEED` repeats a run.
pub fn seeded(test: &str) -> rand::rngs::StdRng {
    let seed =
        std::env::var("LOGAGENT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    eprintln!("{test}: LOGAGENT_SEED={seed}");
    rand::SeedableRng::seed_from_u64(seed)
}
