//! Files to record batches: discover, identify, tail, checkpoint, ship.
//!
//! A line's identity is (host, file generation, byte offset). It is set here, once, and everything after the agent
//! collapses repeats by it. See `supervise` for how the parts are wired and `checkpoint` for what survives a crash.
//!
//! | room | what it owns |
//! |---|---|
//! | `collect` | the list of what is collected, from etcd or a file |
//! | `discover` | the files that the list means, found by watching and scanning |
//! | `identity`, `locate` | which file it is, and where it has gone |
//! | `tail` | reading: blocks, lines, positions |
//! | `supervise` | one tail for each file and topic, over rotation, truncation and restarts |
//! | `checkpoint` | what survives a crash |
//! | `ship` | file ranges to record batches, each exactly once |

pub mod checkpoint;
pub mod collect;
pub mod config;
mod discover;
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod locate;
pub mod metrics;
pub mod model;
mod run;
pub mod ship;
mod supervise;
mod tail;

pub use config::Config;
pub use run::{Error, Ship, run};
