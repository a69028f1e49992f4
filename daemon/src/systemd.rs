//! Duties towards systemd as a `Type=notify` service. Without systemd (`NOTIFY_SOCKET` is not set) nothing is sent.
//!
//! `READY=1` when every component is ready; `WATCHDOG=1` at half the interval that the unit asks for, and only
//! while every component is alive, so that systemd restarts a process that hangs; `STATUS=` says what it waits for.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::{Context, Health};

/// Every component is ready (also: the reload is done).
pub fn ready() {
    send(&[NotifyState::Ready]);
}

/// The process ends.
pub fn stopping() {
    send(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// The configuration is loaded again; [`ready`] must follow.
pub fn reloading() {
    // The time lets systemd tell this reload's READY from an earlier one.
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        send(&[NotifyState::Reloading, now]);
    }
}

/// One line for `systemctl status`.
pub fn status(line: &str) {
    send(&[NotifyState::Status(line)]);
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot notify systemd");
    }
}

/// Keeps systemd informed until shutdown.
pub async fn inform(ctx: Context) {
    tokio::select! {
        () = ctx.shutdown.cancelled() => {}
        () = report_readiness(&ctx.health) => {}
        () = watchdog(&ctx.health, sd_notify::watchdog_enabled()) => {}
    }
}

async fn report_readiness(health: &Health) {
    let mut changes = health.changes();
    let mut was_ready = false;
    loop {
        let line = status_line(health);
        if health.is_ready() && !was_ready {
            was_ready = true;
            send(&[NotifyState::Ready, NotifyState::Status(&line)]);
            tracing::info!("ready");
        } else {
            status(&line);
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

fn status_line(health: &Health) -> String {
    health.waiting_for().unwrap_or_else(|| "running".to_owned())
}

/// Sends a sign of life twice in each interval, while there is life.
async fn watchdog(health: &Health, interval: Option<Duration>) {
    let Some(interval) = interval.filter(|interval| !interval.is_zero()) else {
        return std::future::pending().await;
    };
    let mut ticks = tokio::time::interval(interval / 2);
    loop {
        ticks.tick().await;
        match hung(health) {
            None => send(&[NotifyState::Watchdog]),
            Some(names) => tracing::error!(components = names, "no sign of life, the watchdog is not fed"),
        }
    }
}

/// The components whose beat is too old.
fn hung(health: &Health) -> Option<String> {
    let names: Vec<String> = health
        .report()
        .into_iter()
        .filter(|component| !component.alive)
        .map(|component| component.name)
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

#[cfg(test)]
mod tests;
