//! The broker on real sockets, spoken to through `wire` by a small client of the tests' own.

#[path = "all/support.rs"]
mod support;

#[path = "all/durability.rs"]
mod durability;
#[path = "all/fetch.rs"]
mod fetch;
#[path = "all/hostile.rs"]
mod hostile;
#[path = "all/lifecycle.rs"]
mod lifecycle;
#[path = "all/metadata.rs"]
mod metadata;
#[path = "all/offsets.rs"]
mod offsets;
#[path = "all/old_formats.rs"]
mod old_formats;
#[path = "all/produce.rs"]
mod produce;
#[path = "all/topics.rs"]
mod topics;
#[path = "all/versions.rs"]
mod versions;
