//! All end-to-end and conformance tests, as one binary. `tests/setup test` installs what they talk to.

#![expect(clippy::print_stderr, reason = "tests report what they measured")]

mod clients;
mod collect;
mod crash;
mod hostile;
mod outage;
mod scenario;
mod tree;
mod up;
mod world;
