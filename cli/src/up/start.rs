//! Starting the parts in the order in which they need each other, and stopping them in the opposite order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use daemon::config::{Live, Reloads};
use daemon::{Context, Supervisor};
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::plan::Plan;
use super::show::{self, Place};
use crate::fail::{Failure, chain};
use crate::part::{Part as _, refused, serve_admin, stopped};

/// How often the list is looked at for new topics.
const LIST_POLL: Duration = Duration::from_secs(1);

type Running = JoinHandle<Result<(), Failure>>;

/// The parts while they run.
struct Parts {
    agent: (Running, CancellationToken),
    transfer: (Running, CancellationToken),
    broker: (Running, CancellationToken),
}

/// Runs all parts until shutdown, or until one of them cannot go on.
pub(crate) async fn start(supervisor: Supervisor, plan: Plan, admin: Option<String>) -> Result<(), Failure> {
    let config = plan.clone();
    let broker: Live<broker::Config> = supervisor.reloads.live(move || config.broker()).map_err(refused)?;
    let broker_ctx = apart(&supervisor.ctx);
    let bound = broker::bind(broker.clone(), broker_ctx.clone()).await.map_err(|error| {
        Failure::new(format!("broker: {}", chain(&error)))
            .remedy("if the port is taken: --listen 127.0.0.1:0 takes a free one")
    })?;
    let address = bound.local_addr();

    let config = plan.clone();
    let agent: Live<agent::Config> =
        supervisor.reloads.live(move || config.agent(address)).map_err(refused)?;
    let config = plan.clone();
    let transfer: Live<transfer::Config> =
        supervisor.reloads.live(move || config.transfer(address)).map_err(refused)?;
    let stop =
        broker.current().stop_within() + agent.current().stop_within() + transfer.current().stop_within();
    supervisor.stop_within(stop);
    let admin = serve_admin(&supervisor, admin).await?;
    show::introduce(&places(&plan, address, &transfer.current(), admin));

    let (agent_ctx, transfer_ctx) = (apart(&supervisor.ctx), apart(&supervisor.ctx));
    let mut parts = Parts {
        broker: (spawn("broker", bound.run()), broker_ctx.shutdown),
        transfer: (spawn("transfer", transfer::run(transfer, transfer_ctx.clone())), transfer_ctx.shutdown),
        agent: (spawn("agent", agent::run(agent, agent_ctx.clone())), agent_ctx.shutdown),
    };
    tokio::select! {
        () = supervisor.ctx.shutdown.cancelled() => parts.stop().await,
        ended = parts.first_to_end() => {
            // The others still have what they accepted.
            let stopped = parts.stop().await;
            ended.and(stopped)
        }
        () = show::counts(supervisor.ctx.metrics.clone()) => Ok(()),
        () = follow_list(plan.list.clone(), supervisor.reloads.clone()) => Ok(()),
    }
}

/// The same metrics and health, with a shutdown of its own.
fn apart(ctx: &Context) -> Context {
    Context { shutdown: CancellationToken::new(), ..ctx.clone() }
}

fn spawn<E: std::error::Error + 'static>(
    name: &'static str,
    part: impl Future<Output = Result<(), E>> + Send + 'static,
) -> Running {
    tokio::spawn(async move { part.await.map_err(|error| stopped(name, &error)) })
}

impl Parts {
    /// A part that ends before it is asked to.
    async fn first_to_end(&mut self) -> Result<(), Failure> {
        tokio::select! {
            ended = &mut self.agent.0 => too_early("agent", ended),
            ended = &mut self.transfer.0 => too_early("transfer", ended),
            ended = &mut self.broker.0 => too_early("broker", ended),
        }
    }

    /// The agent first, so that what it has sent is still acknowledged; the broker last.
    async fn stop(self) -> Result<(), Failure> {
        let mut result = Ok(());
        for (running, shutdown) in [self.agent, self.transfer, self.broker] {
            shutdown.cancel();
            if !running.is_finished() {
                result = result.and(running.await.unwrap_or_else(gone));
            }
        }
        result
    }
}

fn too_early(name: &str, ended: Result<Result<(), Failure>, JoinError>) -> Result<(), Failure> {
    ended.unwrap_or_else(gone)?;
    Err(Failure::new(format!("{name}: it ended without being asked to")))
}

fn gone(error: JoinError) -> Result<(), Failure> {
    Err(Failure::new(format!("a part is gone: {error}")))
}

/// The agent sees a changed list by itself; the transfer's topics follow from it by a reload.
async fn follow_list(list: Option<PathBuf>, reloads: Reloads) {
    let Some(list) = list else { return std::future::pending().await };
    let mut known = stamp(&list);
    loop {
        tokio::time::sleep(LIST_POLL).await;
        let now = stamp(&list);
        if now != known {
            known = now;
            match reloads.reload() {
                Ok(changed) => tracing::info!(changed, "the collect list changed"),
                Err(error) => tracing::error!(%error, "configuration refused, the old one stays in force"),
            }
        }
    }
}

fn stamp(file: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn places(
    plan: &Plan,
    address: SocketAddr,
    transfer: &transfer::Config,
    admin: Option<SocketAddr>,
) -> Vec<Place> {
    let first = transfer.topics.first().map_or("nginx_log", |topic| topic.name.as_str());
    let collecting = match (&plan.list, plan.config.paths.is_empty()) {
        (Some(_), false) => format!("{} into topic {}", plan.config.paths.join(" "), plan.config.topic),
        (Some(list), true) => format!("what {} lists", list.display()),
        (None, _) => "what the agent's section says".to_owned(),
    };
    let documents = match &transfer.elasticsearch.url {
        Some(url) => format!("{url} (index {first}-*)"),
        None => transfer.data_dir.join(format!("{first}-*.ndjson")).display().to_string(),
    };
    let mut places = vec![
        Place { what: "collecting", place: collecting },
        Place { what: "kept in", place: plan.config.data_dir.display().to_string() },
        Place {
            what: "broker",
            place: format!("{address}  (logagent consume -b {address} --topic {first} --from-beginning)"),
        },
        Place { what: "documents", place: documents },
    ];
    if let Some(admin) = admin {
        places.push(Place { what: "pages", place: format!("http://{admin}/  (broker, metrics)") });
    }
    places.push(Place { what: "stop", place: "Ctrl-C; the next start goes on from there".to_owned() });
    places
}
