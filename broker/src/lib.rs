//! The broker: a partitioned log on disk, served to Kafka clients.
//!
//! | module | owns |
//! |---|---|
//! | [`config`] | the settings, described in `configs/broker.yaml` |
//! | [`log`] | topics, partitions, segments: plain code over files |
//! | `api` | one file for each API of the protocol |
//! | `fetch_sessions` | what the clients of Fetch want and were told |
//! | `group` | consumer groups and their offsets |
//! | `server` | sockets: frames, order, limits, sendfile |
//! | `settings` | the settings by Kafka's names, and those changed by request |
//! | `page` | what is shown at the admin address, and rates |
//! | `txn` | transactions: their coordinator and its topic |
//! | `state` | what the APIs' handlers share |
//! | `replay` | how coordinators read their topics when they start |
//! | `producer_ids`, `background`, `metrics`, `open_files` | what their names say |
//!
//! A produced batch goes from `server` (one buffer) through `api` (checked, stamped in place) to `log` (appended as
//! it is); a fetched one from `log` (a range of a file) through `api` (a hole in the response) to `server` (sendfile).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use daemon::config::Live;
use daemon::health::Component;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

mod api;
mod background;
pub mod config;
mod error;
mod fetch_sessions;
mod free_space;
#[doc(hidden)]
pub mod fuzzing;
mod group;
pub mod log;
mod metrics;
mod open_files;
mod page;
mod producer_ids;
mod replay;
mod server;
mod settings;
mod state;
mod txn;

pub use config::Config;
pub use error::Error;
pub use producer_ids::ProducerIdError;

use crate::fetch_sessions::FetchSessions;
use crate::free_space::FreeSpace;
use crate::group::{Coordinator, OFFSETS_TOPIC};
use crate::log::{Disk, LogManager, ManagerOptions, OpenReport, RealDisk, SystemClock};
use crate::metrics::BrokerMetrics;
use crate::page::{BrokerPage, Rates};
use crate::producer_ids::ProducerIds;
use crate::server::Server;
use crate::server::clients::Clients;
use crate::settings::DynamicSettings;
use crate::state::Broker;
use crate::txn::LogMarkers;

/// How often the broker shows that its runtime goes round.
const BEAT: Duration = Duration::from_secs(5);

/// Serves until `ctx.shutdown`, having lost nothing then.
///
/// # Errors
/// As [`bind`] and [`Bound::run`].
pub async fn run(config: Live<Config>, ctx: daemon::Context) -> Result<(), Error> {
    bind(config, ctx).await?.run().await
}

/// Opens the data directory and the port. Clients that connect from now on wait for [`Bound::run`].
///
/// # Errors
/// The data directory or the port cannot be used.
pub async fn bind(config: Live<Config>, ctx: daemon::Context) -> Result<Bound, Error> {
    bind_with(config, ctx, Arc::new(RealDisk)).await
}

/// As [`bind`], on a disk that may fail: for tests.
///
/// # Errors
/// As [`bind`].
pub async fn bind_with(
    config: Live<Config>,
    ctx: daemon::Context,
    disk: Arc<dyn Disk>,
) -> Result<Bound, Error> {
    let health = ctx.health.component("broker");
    health.not_ready("opening the logs");
    let file = config.current();
    let dynamic = DynamicSettings::open(disk.clone(), &file.data_dir, config).map_err(Error::Settings)?;
    let config = dynamic.live();
    let settings = config.current();
    open_files::prepare(&settings);
    let address = settings.listen;
    // before the logs are opened: that a port is in use should be known at once
    let listener = TcpListener::bind(address).await.map_err(|source| Error::Listen { address, source })?;
    let options = ManagerOptions {
        data_dir: settings.data_dir.clone(),
        node_id: settings.broker_id,
        defaults: settings.log(),
        partitions_max: settings.max_partitions,
        recovery_threads: settings.num_recovery_threads_per_data_dir,
        clock: Arc::new(SystemClock),
        disk: disk.clone(),
    };
    let (logs, report) = tokio::task::spawn_blocking(move || LogManager::open(options)).await??;
    let logs = Arc::new(logs);
    let groups = open_groups(logs.clone(), &settings).await?;
    let producer_ids = Arc::new(ProducerIds::open(disk, logs.data_dir())?);
    let txns = open_txns(logs.clone(), groups.clone(), producer_ids.clone(), &settings).await?;
    let metrics = BrokerMetrics::new(&ctx.metrics, api::SERVED.iter().map(|(key, ..)| *key));
    tell(&report, &metrics);
    let broker = Arc::new(Broker {
        node_id: settings.broker_id,
        advertised: settings.advertised(),
        producer_ids,
        groups,
        txns,
        logs,
        fetch_sessions: FetchSessions::new(metrics.fetch_sessions()),
        metrics,
        free_space: FreeSpace::default(),
        rates: Rates::default(),
        clients: Clients::default(),
        started: Instant::now(),
        conversions: api::Conversions::new(settings.queued_max_request_bytes),
        config,
        settings: dynamic,
        shutdown: ctx.shutdown.clone(),
    });
    let first_look = broker.clone();
    tokio::task::spawn_blocking(move || first_look.look_at_free_space()).await?;
    let local_addr = listener.local_addr().map_err(|source| Error::Listen { address, source })?;
    ctx.pages.register("broker", page::TITLE, BrokerPage::new(&broker, local_addr));
    Ok(Bound { local_addr, server: Server::new(listener, broker.clone()), broker, health })
}

/// Makes the topic of the offsets at the first start, and loads the groups from it.
async fn open_groups(logs: Arc<LogManager>, settings: &Config) -> Result<Arc<Coordinator>, Error> {
    let (partitions, configs) = (settings.offsets_topic_num_partitions, settings.offsets_topic());
    let groups = settings.groups();
    let load = move || -> Result<Coordinator, Error> {
        let topic = match logs.topic(OFFSETS_TOPIC) {
            Some(topic) => topic,
            None => logs.create_topic(OFFSETS_TOPIC, partitions, configs).map_err(Error::OffsetsTopic)?,
        };
        Coordinator::load(topic.partitions().to_vec(), groups, Arc::new(SystemClock)).map_err(Error::Groups)
    };
    Ok(Arc::new(tokio::task::spawn_blocking(load).await??))
}

/// Loads the transactions, and completes those that a stop has interrupted.
async fn open_txns(
    logs: Arc<LogManager>,
    groups: Arc<Coordinator>,
    producer_ids: Arc<ProducerIds>,
    settings: &Config,
) -> Result<Arc<txn::Coordinator>, Error> {
    let config = settings.transactions();
    let markers = Box::new(LogMarkers { logs: logs.clone(), groups });
    let clock = Arc::new(SystemClock);
    let load = move || txn::Coordinator::load(logs, markers, producer_ids, config, clock);
    let loaded = tokio::task::spawn_blocking(load).await?.map_err(Error::Transactions)?;
    Ok(Arc::new(loaded))
}

/// Says what opening the logs found.
fn tell(report: &OpenReport, metrics: &BrokerMetrics) {
    metrics.recovered_truncated(report.total.truncated_bytes);
    for (partition, recovery) in &report.recovered {
        tracing::warn!(partition, ?recovery, "repaired a partition");
    }
    tracing::info!(partitions = report.partitions, clean = report.clean, "logs are open");
}

/// A broker that has its data directory and its port.
#[derive(Debug)]
pub struct Bound {
    local_addr: SocketAddr,
    server: Server,
    broker: Arc<Broker>,
    health: Component,
}

impl Bound {
    /// The address that it listens on, with the port that the kernel chose if the configured one was 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until the context's shutdown: then no more requests are taken, those in progress are answered, and the
    /// logs are closed so that the next start trusts them.
    ///
    /// # Errors
    /// The logs could not be closed cleanly; nothing acknowledged is lost, but the next start verifies them.
    pub async fn run(self) -> Result<(), Error> {
        let Bound { local_addr, server, broker, health } = self;
        let upkeep_stop = CancellationToken::new();
        let upkeep = background::run(broker.logs.clone(), broker.config.clone(), upkeep_stop.clone());
        let upkeep = tokio::spawn(upkeep);
        let cleaner = tokio::spawn(background::run_cleaner(broker.logs.clone(), upkeep_stop.clone()));
        let (follower, follow_stop) = (broker.clone(), upkeep_stop.clone());
        let settings = tokio::spawn(async move { follower.settings.follow(follow_stop).await });
        let expire_every = Duration::from_millis(broker.config.current().offsets_retention_check_interval_ms);
        let groups = background::run_groups(broker.groups.clone(), expire_every, upkeep_stop.clone());
        let groups = tokio::spawn(groups);
        let txns = tokio::spawn(background::run_txns(broker.txns.clone(), upkeep_stop.clone()));
        let space = tokio::spawn(background::run_free_space(broker.clone(), upkeep_stop.clone()));
        let rates = tokio::spawn(background::run_rates(broker.clone(), upkeep_stop.clone()));
        tracing::info!(address = %local_addr, node_id = broker.node_id, "broker is serving");
        health.ready();
        tokio::select! {
            () = server.run(broker.shutdown.clone()) => {}
            () = beat(&health) => {}
        }
        health.not_ready("stopping");
        health.retire();
        upkeep_stop.cancel();
        upkeep.await?;
        settings.await?;
        groups.await?;
        txns.await?;
        space.await?;
        rates.await?;
        let logs = broker.logs.clone();
        let closed = tokio::task::spawn_blocking(move || logs.close()).await?;
        // only now: it is the close that makes a long compaction give way
        cleaner.await?;
        closed.map_err(Error::Close)?;
        tracing::info!("broker has stopped");
        Ok(())
    }
}

/// Shows for ever that the runtime goes round.
async fn beat(health: &Component) {
    let mut interval = tokio::time::interval(BEAT);
    loop {
        interval.tick().await;
        health.beat();
    }
}
