//! Files to record batches: discover, identify, tail, checkpoint, ship.
//!
//! A line's identity is (host, file generation, byte offset). It is set here, once, and everything after the agent
//! collapses repeats by it. See `supervise` for how the parts are wired and `checkpoint` for what survives a crash.

mod backoff;
pub mod checkpoint;
pub mod collect;
pub mod metrics;
pub mod model;
pub mod ship;
