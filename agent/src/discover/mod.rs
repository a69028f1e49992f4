//! Which files are there: patterns over folders, and the folders' own reports of what happens in them.

mod pattern;
mod watch;

pub(crate) use pattern::{Excludes, Pattern};
pub(crate) use watch::{Changes, Watcher};
