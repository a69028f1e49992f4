//! The binary as operators meet it: its help, its messages, its life as a daemon, its units.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests, and so are the helpers they share"
)]

#[path = "all/support.rs"]
mod support;

#[path = "all/check.rs"]
mod check;
#[path = "all/etcd.rs"]
mod etcd;
#[path = "all/groups.rs"]
mod groups;
#[path = "all/help.rs"]
mod help;
#[path = "all/kafka.rs"]
mod kafka;
#[path = "all/life.rs"]
mod life;
#[path = "all/records.rs"]
mod records;
#[path = "all/topics.rs"]
mod topics;
#[path = "all/units.rs"]
mod units;
#[path = "all/up.rs"]
mod up;
