//! What goes on beside the requests: flushing by time and retention, compaction, the time of consumer groups and of
//! transactions, a look at the free disk space and at what is counted, on threads that may block.

use std::sync::Arc;
use std::time::Duration;

use daemon::config::Live;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::group::Coordinator;
use crate::log::LogManager;
use crate::page::Rates;
use crate::state::Broker;
use crate::txn;

/// The longest pause between two looks at the logs.
const TICK_MAX: Duration = Duration::from_secs(1);
const TICK_MIN: Duration = Duration::from_millis(10);

/// Looks after the logs until `stop`, and puts changed settings in force.
pub(crate) async fn run(logs: Arc<LogManager>, mut config: Live<Config>, stop: CancellationToken) {
    loop {
        // half of flush_ms, so that no record waits much longer than it says
        let flush = Duration::from_millis(u64::try_from(config.current().flush_ms / 2).unwrap_or(u64::MAX));
        tokio::select! {
            () = stop.cancelled() => return,
            changed = config.changed() => reconfigure(&logs, &changed).await,
            () = tokio::time::sleep(flush.clamp(TICK_MIN, TICK_MAX)) => {
                let logs = logs.clone();
                // the log reports what fails; only its own mistakes end up here
                if let Err(error) = tokio::task::spawn_blocking(move || logs.tick()).await {
                    tracing::error!(%error, "the upkeep of the logs failed");
                }
            }
        }
    }
}

async fn reconfigure(logs: &Arc<LogManager>, config: &Arc<Config>) {
    let (logs, defaults) = (logs.clone(), config.log());
    match tokio::task::spawn_blocking(move || logs.set_defaults(defaults)).await {
        Ok(Ok(())) => tracing::info!("settings of the log are in force"),
        Ok(Err(error)) => tracing::error!(%error, "settings of the log are not in force"),
        Err(error) => tracing::error!(%error, "settings of the log are not in force"),
    }
}

/// The pause between two rounds of compaction.
const CLEAN_EVERY: Duration = Duration::from_secs(1);

/// Compacts logs until `stop`, beside their other upkeep, for it may take long. What is going on at the stop ends when the logs
/// are closed, so this is to be waited for after that.
pub(crate) async fn run_cleaner(logs: Arc<LogManager>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(CLEAN_EVERY) => {}
        }
        let logs = logs.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || logs.clean()).await {
            tracing::error!(%error, "the compaction of the logs failed");
        }
    }
}

/// How often free disk space is looked at.
const SPACE_EVERY: Duration = Duration::from_secs(1);

/// Watches the free disk space until `stop`.
pub(crate) async fn run_free_space(broker: Arc<Broker>, stop: CancellationToken) {
    look_every(SPACE_EVERY, "the free disk space", broker, stop, Broker::look_at_free_space).await;
}

/// Takes samples of what is counted until `stop`.
pub(crate) async fn run_rates(broker: Arc<Broker>, stop: CancellationToken) {
    let sample = |broker: &Broker| broker.rates.sample(&broker.metrics, &broker.logs);
    look_every(Rates::EVERY, "what is counted", broker, stop, sample).await;
}

/// Looks at the broker now and every so often, on a thread that may block, until `stop`.
async fn look_every(
    period: Duration,
    at: &'static str,
    broker: Arc<Broker>,
    stop: CancellationToken,
    look: fn(&Broker),
) {
    let mut due = tokio::time::interval(period);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = due.tick() => {}
        }
        let broker = broker.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || look(&broker)).await {
            tracing::error!(%error, at, "cannot look");
        }
    }
}

/// How often groups look at the clock: sessions and rebalances end that much late at most.
const GROUP_TICK: Duration = Duration::from_millis(100);

/// Lets time pass for the groups until `stop`.
pub(crate) async fn run_groups(groups: Arc<Coordinator>, expire_every: Duration, stop: CancellationToken) {
    let mut tick = tokio::time::interval(GROUP_TICK);
    let mut expire = tokio::time::interval(expire_every.max(GROUP_TICK));
    loop {
        let groups = groups.clone();
        let upkeep = tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => tokio::task::spawn_blocking(move || groups.tick()),
            _ = expire.tick() => tokio::task::spawn_blocking(move || groups.expire_offsets()),
        };
        if let Err(error) = upkeep.await {
            tracing::error!(%error, "the upkeep of the groups failed");
        }
    }
}

/// How often markers are tried again that could not be written.
const TXN_RETRY: Duration = Duration::from_secs(1);

/// Lets time pass for the transactions until `stop`.
pub(crate) async fn run_txns(txns: Arc<txn::Coordinator>, stop: CancellationToken) {
    let (abort_every, expire_every) = txns.intervals();
    let mut retry = tokio::time::interval(TXN_RETRY);
    let mut abort = tokio::time::interval(abort_every);
    let mut expire = tokio::time::interval(expire_every);
    loop {
        let txns = txns.clone();
        let upkeep = tokio::select! {
            () = stop.cancelled() => return,
            _ = retry.tick() => tokio::task::spawn_blocking(move || txns.finish_ending()),
            _ = abort.tick() => tokio::task::spawn_blocking(move || txns.abort_overdue()),
            _ = expire.tick() => tokio::task::spawn_blocking(move || txns.remove_expired()),
        };
        if let Err(error) = upkeep.await {
            tracing::error!(%error, "the upkeep of the transactions failed");
        }
    }
}
