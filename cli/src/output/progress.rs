//! How far long work has come: a line beside the output, on a terminal only.

use std::io::{IsTerminal as _, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// Bytes from which on reading takes long enough to show how far it is.
const LONG_BYTES: u64 = 256 << 20;

/// A bar for so many bytes, if they are many and somebody sees it.
pub(crate) fn of_bytes(bytes: u64) -> ProgressBar {
    if bytes < LONG_BYTES || !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    styled(ProgressBar::new(bytes), "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    // The templates are constants; without one the bar would look otherwise.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
