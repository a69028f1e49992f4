//! What every daemon does, whatever it is for: configuration with places in its errors, reload, signals,
//! logging, metrics, health, pages, and its duties towards systemd.
//!
//! A daemon is a function of a [`Context`] that [`run`] starts and stops; its settings are a
//! [`config::Section`] that a [`config::Source`] loads.

pub mod admin;
mod backoff;
pub mod config;
mod context;
mod fuzz_tests;
#[doc(hidden)]
pub mod fuzzing;
pub mod health;
mod lock;
pub mod log;
pub mod metrics;
pub mod pages;
mod process;
mod run;
pub mod signals;
pub mod systemd;

pub use backoff::Backoff;
pub use context::Context;
pub use health::Health;
pub use lock::lock_exclusively;
pub use metrics::Metrics;
pub use pages::Pages;
pub use run::{Outcome, Supervisor, run};
