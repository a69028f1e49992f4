//! The subcommands, one file each: its arguments, its help, what it does.

pub(crate) mod agent;
pub(crate) mod broker;
pub(crate) mod check;
pub(crate) mod collect;
pub(crate) mod completion;
pub(crate) mod consume;
pub(crate) mod delete_records;
pub(crate) mod groups;
pub(crate) mod log;
pub(crate) mod produce;
pub(crate) mod topics;
pub(crate) mod transfer;
pub(crate) mod up;
