//! How far long work has come: a line beside the output, on a terminal only.

use std::fs::File;
use std::io::{IsTerminal as _, stderr, stdout};
use std::os::fd::AsFd as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Bytes from which on reading takes long enough to show how far it is.
const LONG_BYTES: u64 = 256 << 20;
/// Between two looks at a count.
const TICK: Duration = Duration::from_millis(200);

/// A bar for so many bytes, if they are many and somebody sees it.
pub(crate) fn of_bytes(bytes: u64) -> ProgressBar {
    if bytes < LONG_BYTES || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    styled(ProgressBar::new(bytes), "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
}

/// A count of records whose end is not known, if `wanted` and somebody sees it.
pub(crate) fn of_records(wanted: bool) -> ProgressBar {
    if !wanted || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = styled(ProgressBar::new_spinner(), "{spinner} {human_pos} records, {per_sec}, {elapsed}");
    bar.enable_steady_tick(TICK);
    bar
}

/// Whether the output goes to a file. A terminal shows by itself how far it is, and who reads from a pipe may have the terminal
/// for himself.
pub(crate) fn is_unseen() -> bool {
    let output = stdout().as_fd().try_clone_to_owned();
    output.is_ok_and(|output| File::from(output).metadata().is_ok_and(|metadata| metadata.is_file()))
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // The templates are constants; without one the bar would look otherwise.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
