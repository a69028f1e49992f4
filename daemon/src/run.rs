//! A daemon's life: runtime, signals, reloads, an end in bounded time.

use std::future::Future;
use std::io;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use tokio::task::JoinHandle;

use crate::config::Reloads;
use crate::signals::{Request, Signals};
use crate::{Context, admin, systemd};

/// How long stopping may take unless the daemon says otherwise.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How long blocking calls may go on after the daemon's end.
const BLOCKING_GRACE: Duration = Duration::from_secs(1);

/// How a daemon ended.
#[derive(Debug)]
pub enum Outcome<E> {
    /// It stopped as it was asked to, or had nothing left to do.
    Finished,
    /// It could not go on.
    Failed(E),
    /// It did not stop in time, or was told to stop at once.
    Abandoned(&'static str),
    /// The process could not even begin.
    NotStarted(io::Error),
}

/// What a daemon's main function is given beside its [`Context`]: influence on the process.
#[derive(Clone, Debug)]
pub struct Supervisor {
    /// For the parts.
    pub ctx: Context,
    /// Where a configuration is loaded so that SIGHUP loads it again.
    pub reloads: Reloads,
    stop_within_ms: Arc<AtomicU64>,
}

impl Supervisor {
    fn new() -> Self {
        let stop_within_ms = Arc::new(AtomicU64::new(millis(STOP_WITHIN)));
        Self { ctx: Context::default(), reloads: Reloads::default(), stop_within_ms }
    }

    /// How long the daemon may take to stop; then the process ends without it.
    pub fn stop_within(&self, limit: Duration) {
        self.stop_within_ms.store(millis(limit), Ordering::Relaxed);
    }

    /// Serves metrics and health on `address` for the life of the process. Returns where.
    ///
    /// # Errors
    /// The address does not resolve or is taken.
    pub async fn serve_admin(&self, address: &str) -> Result<std::net::SocketAddr, admin::AdminError> {
        let admin = admin::bind(address).await?;
        let address = admin.local_addr();
        tokio::spawn(admin.run(self.ctx.clone()));
        tracing::info!(%address, "serving metrics and health");
        Ok(address)
    }
}

/// Runs `main` to its end: SIGTERM and Ctrl-C cancel its shutdown token, SIGHUP reloads.
///
/// From here on a panic of any task ends the process: a daemon is never half alive.
pub fn run<M, F, E>(main: M) -> Outcome<E>
where
    M: FnOnce(Supervisor) -> F,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Send + 'static,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Outcome::NotStarted(error),
    };
    abort_on_panic();
    let supervisor = Supervisor::new();
    let outcome = runtime.block_on(async {
        match Signals::listen() {
            Ok(signals) => {
                let main = tokio::spawn(main(supervisor.clone()));
                tokio::spawn(systemd::inform(supervisor.ctx.clone()));
                supervise(main, signals, supervisor).await
            }
            Err(error) => Outcome::NotStarted(error),
        }
    });
    systemd::stopping();
    runtime.shutdown_timeout(BLOCKING_GRACE);
    outcome
}

async fn supervise<E>(
    mut main: JoinHandle<Result<(), E>>,
    mut signals: Signals,
    supervisor: Supervisor,
) -> Outcome<E> {
    let reloads = ReloadCounter::register(&supervisor.ctx);
    loop {
        tokio::select! {
            ended = &mut main => return ended_as(ended),
            request = signals.next() => match request {
                Request::Reload => reloads.reload(&supervisor).await,
                Request::Terminate | Request::Interrupt => break,
            },
        }
    }
    tracing::info!("stopping");
    systemd::stopping();
    supervisor.ctx.shutdown.cancel();
    let limit = Duration::from_millis(supervisor.stop_within_ms.load(Ordering::Relaxed));
    let overdue = tokio::time::sleep(limit);
    tokio::pin!(overdue);
    loop {
        tokio::select! {
            ended = &mut main => return ended_as(ended),
            () = &mut overdue => return Outcome::Abandoned("it did not stop in time"),
            request = signals.next() => if request == Request::Interrupt {
                return Outcome::Abandoned("it was interrupted again while stopping");
            },
        }
    }
}

fn ended_as<E>(ended: Result<Result<(), E>, tokio::task::JoinError>) -> Outcome<E> {
    match ended {
        Ok(Ok(())) => Outcome::Finished,
        Ok(Err(error)) => Outcome::Failed(error),
        // Only reached when the panic hook is not ours (tests): nobody else cancels this task.
        Err(_) => Outcome::Abandoned("its main task is gone"),
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReloadResult {
    result: &'static str,
}

/// Counts how reloads ended.
struct ReloadCounter(Family<ReloadResult, Counter>);

impl ReloadCounter {
    fn register(ctx: &Context) -> Self {
        let family = Family::<ReloadResult, Counter>::default();
        for result in ["applied", "unchanged", "refused"] {
            drop(family.get_or_create(&ReloadResult { result }));
        }
        let help = "Configuration reloads by how they ended";
        ctx.metrics.register(|registry| registry.register("logagent_config_reloads", help, family.clone()));
        Self(family)
    }

    async fn reload(&self, supervisor: &Supervisor) {
        systemd::reloading();
        let reloads = supervisor.reloads.clone();
        // Reading files may block.
        let reloaded = tokio::task::spawn_blocking(move || reloads.reload()).await;
        let result = match reloaded {
            Ok(Ok(true)) => {
                tracing::info!("configuration reloaded");
                "applied"
            }
            Ok(Ok(false)) => {
                tracing::info!("configuration is unchanged");
                "unchanged"
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "configuration refused, the old one stays in force");
                "refused"
            }
            Err(error) => {
                tracing::error!(%error, "configuration refused, the old one stays in force");
                "refused"
            }
        };
        self.0.get_or_create(&ReloadResult { result }).inc();
        if supervisor.ctx.health.is_ready() {
            systemd::ready();
        }
    }
}

/// A panic is logged where the operator looks, and ends the process: systemd starts it anew.
fn abort_on_panic() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        let backtrace = std::backtrace::Backtrace::force_capture();
        tracing::error!(place, message, "panic, the process ends: this is a defect of logagent\n{backtrace}");
        std::process::abort();
    }));
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
