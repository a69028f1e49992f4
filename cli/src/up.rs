//! `up`: the whole pipeline in one process. The parts do not know: between them there is only the Kafka protocol on
//! loopback, as between daemons.

mod config;
mod counts;
mod plan;
mod show;
mod start;

pub(crate) use config::UpConfig;
pub(crate) use plan::{Flags, Plan};
pub(crate) use start::start;
