//! What the terminal shows while `up` runs: where to look, and a block of counts that stays in place. Without a terminal
//! a line of them is printed every few seconds; under systemd it is the unit's status.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use daemon::Metrics;
use indicatif::{ProgressBar, ProgressStyle};

use super::counts::Counts;
use crate::output;

/// Between two lines on a terminal.
const LIVE: Duration = Duration::from_millis(500);
/// Between two lines elsewhere.
const PLAIN: Duration = Duration::from_secs(5);

/// What a line of the introduction says.
pub(crate) struct Place {
    pub(crate) what: &'static str,
    pub(crate) place: String,
}

/// Tells where everything is.
pub(crate) fn introduce(places: &[Place]) {
    let width = places.iter().map(|line| line.what.len()).max().unwrap_or(0);
    let lines: String = places.iter().map(|line| format!("{:width$}  {}\n", line.what, line.place)).collect();
    // That nobody reads it is no reason not to run.
    let _ = output::print(lines);
}

/// Shows the counts for as long as it is polled.
pub(crate) async fn counts(metrics: Metrics) {
    if std::env::var_os("NOTIFY_SOCKET").is_some() {
        every(PLAIN, &metrics, Counts::line, daemon::systemd::status).await;
    } else if std::io::stderr().is_terminal() {
        let bar = bar();
        let writer = bar.clone();
        daemon::log::wrap_writes(move |write| writer.suspend(write));
        every(LIVE, &metrics, Counts::block, |block| bar.set_message(block.to_owned())).await;
    } else {
        every(PLAIN, &metrics, Counts::line, output::note).await;
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    // The template is a constant; without it the bar would show a spinner too.
    if let Ok(style) = ProgressStyle::with_template("{msg}") {
        bar.set_style(style);
    }
    bar
}

/// Text of what is counted, with what was counted before and how long ago.
type Text = fn(&Counts, &Counts, Duration) -> String;

async fn every(interval: Duration, metrics: &Metrics, text: Text, show: impl Fn(&str)) {
    let mut earlier = Counts::parse(&metrics.encode());
    let mut since = Instant::now();
    loop {
        tokio::time::sleep(interval).await;
        let (now, at) = (Counts::parse(&metrics.encode()), Instant::now());
        show(&text(&now, &earlier, at - since));
        (earlier, since) = (now, at);
    }
}
