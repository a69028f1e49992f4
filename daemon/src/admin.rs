//! The administrative HTTP server: `/metrics`, `/healthz`, `/readyz`, the [pages](crate::pages) of the parts, and `/`, which
//! lists what there is.
//!
//! It is small on purpose: a bounded number of connections, each with a bounded life and a bounded amount that
//! it may send, so that nobody who reaches the port can take the daemon's memory or descriptors.

mod front;
mod hosts;
mod limits;

use std::io;
use std::net::SocketAddr;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::{Router, routing};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::health::Report;
use crate::{Context, metrics};

use hosts::Hosts;
use limits::Limited;

/// The address cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for metrics and health (admin): {source}")]
pub struct AdminError {
    address: String,
    source: io::Error,
}

/// A bound server that does not answer yet.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
    hosts: Hosts,
}

/// Binds `address` (`host:port`).
///
/// # Errors
/// The address does not resolve or is taken.
pub async fn bind(address: &str) -> Result<Admin, AdminError> {
    let failed = |source| AdminError { address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok(Admin { listener, address: local, hosts: Hosts::new(address, local) })
}

/// Binds `address` and answers until shutdown.
///
/// # Errors
/// The address does not resolve or is taken.
pub async fn serve(address: &str, ctx: Context) -> Result<(), AdminError> {
    let shutdown = ctx.shutdown.clone();
    let admin = bind(address).await?;
    tokio::select! {
        () = admin.run(ctx) => {}
        () = shutdown.cancelled() => {}
    }
    Ok(())
}

impl Admin {
    /// Where it listens: with the port that the system chose if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers for as long as it is polled, also while the daemon stops.
    pub async fn run(self, ctx: Context) {
        let server = axum::serve(Limited::new(self.listener), router(ctx, self.hosts));
        if let Err(error) = server.await {
            tracing::error!(%error, "the metrics and health server ended");
        }
    }
}

fn router(ctx: Context, hosts: Hosts) -> Router {
    let pages = front::router(ctx.pages.clone(), hosts);
    let own: Router = Router::new()
        .route("/metrics", routing::get(metrics))
        .route("/healthz", routing::get(healthz))
        .route("/readyz", routing::get(readyz))
        .with_state(ctx);
    own.merge(pages)
}

async fn metrics(State(ctx): State<Context>) -> Response {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], ctx.metrics.encode()).into_response()
}

/// What `/healthz` and `/readyz` answer.
#[derive(Debug, Serialize)]
struct Answer {
    status: &'static str,
    components: Vec<Report>,
}

/// 200 while no component hangs, else 503.
async fn healthz(State(ctx): State<Context>) -> Response {
    let components = ctx.health.report();
    let alive = components.iter().all(|component| component.alive);
    answer(alive, if alive { "alive" } else { "hanging" }, components)
}

/// 200 when every component is ready and the process does not stop, else 503.
async fn readyz(State(ctx): State<Context>) -> Response {
    let ready = ctx.health.is_ready() && !ctx.shutdown.is_cancelled();
    let status = match ready {
        true => "ready",
        false if ctx.shutdown.is_cancelled() => "stopping",
        false => "not ready",
    };
    answer(ready, status, ctx.health.report())
}

fn answer(good: bool, status: &'static str, components: Vec<Report>) -> Response {
    let code = if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Answer { status, components })).into_response()
}

#[cfg(test)]
mod tests;
