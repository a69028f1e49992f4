//! The parts as this binary runs them: their flags in common, their files, their lives.

use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use daemon::config::{ConfigError, Live, Section, Source};
use daemon::{Context, Outcome, Supervisor};

use crate::commands::topics::key_value;
use crate::fail::{Failure, chain};

/// A part's configuration, with what the process around it needs to know.
pub(crate) trait Part: Section {
    /// The subcommand's name, and its section's in the file of `up`.
    const NAME: &'static str;

    /// Where metrics and health are served, if the file says so.
    fn admin(&self) -> Option<String>;

    /// How long it may take to stop.
    fn stop_within(&self) -> Duration;
}

/// The environment variable with the address of last resort for metrics and health.
const ADMIN_VARIABLE: &str = "LOGAGENT_ADMIN";

/// Time for a part to stop beyond what it allows itself.
const STOP_MARGIN: Duration = Duration::from_secs(5);

impl Part for broker::Config {
    const NAME: &'static str = "broker";

    fn admin(&self) -> Option<String> {
        self.admin.clone()
    }

    fn stop_within(&self) -> Duration {
        Duration::from_millis(self.shutdown_timeout_ms) + STOP_MARGIN
    }
}

impl Part for agent::Config {
    const NAME: &'static str = "agent";

    fn admin(&self) -> Option<String> {
        self.admin.clone()
    }

    fn stop_within(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms) + STOP_MARGIN
    }
}

impl Part for transfer::Config {
    const NAME: &'static str = "transfer";

    fn admin(&self) -> Option<String> {
        self.admin.clone()
    }

    fn stop_within(&self) -> Duration {
        Duration::from_millis(self.drain_timeout_ms) + STOP_MARGIN
    }
}

/// The flags of every part.
#[derive(Args, Debug)]
#[command(next_help_heading = "Process")]
pub(crate) struct Common {
    /// The config file; keys it does not name have their defaults. Without it, flags and defaults are enough.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Serve /metrics, /healthz, /readyz and pages here; "none" for nowhere. Else where the config says, else
    /// $LOGAGENT_ADMIN.
    #[arg(long, value_name = "ADDR")]
    pub(crate) admin: Option<String>,
    /// Override any key of the config file, such as ship.compression=zstd; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) overrides: Vec<(String, String)>,
}

impl Common {
    /// The layers: defaults, file, `--set`, and the part's own flags, which win.
    pub(crate) fn source(&self, defaults: &'static str, flags: &[(&str, &Option<String>)]) -> Source {
        let source = Source::new(defaults).file(self.config.clone());
        let source = self.overrides.iter().fold(source, |source, (key, value)| source.set(key, value));
        flags.iter().fold(source, |source, (key, value)| match value {
            Some(value) => source.set_text(*key, value),
            None => source,
        })
    }

    /// Where metrics and health are served: the flag's address, else the file's, else the one in the environment, by
    /// which a unit gives its service a default that the file can change.
    pub(crate) fn admin(&self, configured: Option<String>) -> Option<String> {
        let given = self.admin.clone().or(configured).or_else(|| std::env::var(ADMIN_VARIABLE).ok());
        given.filter(|address| !matches!(address.as_str(), "" | "none"))
    }
}

/// Runs a part as a daemon until it is told to stop.
pub(crate) fn run<T, M, F, E>(common: Common, source: Source, main: M) -> Result<(), Failure>
where
    T: Part,
    M: FnOnce(Live<T>, Context) -> F + Send + 'static,
    F: Future<Output = Result<(), E>> + Send,
    E: Error + 'static,
{
    supervise(move |supervisor| async move {
        let live = supervisor.reloads.live(move || source.load::<T>()).map_err(refused)?;
        let config = live.current();
        supervisor.stop_within(config.stop_within());
        serve_admin(&supervisor, common.admin(config.admin())).await?;
        drop(config);
        main(live, supervisor.ctx.clone()).await.map_err(|error| stopped(T::NAME, &error))
    })
}

/// Runs a daemon and says how it ended.
pub(crate) fn supervise<M, F>(main: M) -> Result<(), Failure>
where
    M: FnOnce(Supervisor) -> F,
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    match daemon::run(main) {
        Outcome::Finished => Ok(()),
        Outcome::Failed(failure) => Err(failure),
        Outcome::Abandoned(why) => Err(Failure::new(format!("the process ended at once: {why}"))
            .remedy("what was acknowledged is safe; the next start goes on from there")),
        Outcome::NotStarted(error) => Err(Failure::new(format!("cannot start: {error}"))),
    }
}

/// Serves metrics and health, if there is an address; returns where.
pub(crate) async fn serve_admin(
    supervisor: &Supervisor,
    address: Option<String>,
) -> Result<Option<SocketAddr>, Failure> {
    let Some(address) = address else { return Ok(None) };
    let served = supervisor.serve_admin(&address).await;
    served.map(Some).map_err(|error| {
        Failure::new(chain(&error)).remedy("choose another address with --admin ADDR, or --admin none")
    })
}

/// A configuration that is not taken.
pub(crate) fn refused(error: ConfigError) -> Failure {
    Failure::new(error.to_string())
}

/// A part that could not go on.
pub(crate) fn stopped(name: &str, error: &dyn Error) -> Failure {
    Failure::new(format!("{name}: {}", chain(error)))
}
