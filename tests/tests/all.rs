//! All end-to-end and conformance tests, as one binary. `tests/setup test` installs what they talk to.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests fail loudly, so do their helpers, and they report what they measured"
)]

mod clients;
mod collect;
mod crash;
mod hostile;
mod outage;
mod scenario;
mod tree;
mod up;
mod world;
