//! The list in etcd: get at revision R, watch from R + 1, and on any error begin again.
//!
//! What was tried shaped this (etcd 3.4): connecting succeeds with the server down; after a restart the watch stream yields
//! the same error for ever; a watch from a compacted revision is answered `canceled` and then silence. So a watch is never
//! repaired: every error, cancel or end of the stream closes the client, waits, and starts over with a get, which misses
//! nothing because the value is a state and not a history. The key is also read again from time to time, which finds a watch
//! that is silently dead.
//!
//! A deleted key is the empty list. A key that is absent without our having seen the deletion counts as deleted only if
//! etcd's history goes on from what we know (same cluster id, revision not lower); an etcd that has lost its data does not
//! stop the collecting.

use std::time::Duration;

use daemon::Backoff;
use etcd_client::{Client, ConnectOptions, GetResponse, WatchOptions, WatchResponse};
use tokio_util::sync::CancellationToken;

use super::cache::Stamp;
use super::config::EtcdConfig;
use super::force::Force;

/// Why etcd cannot be used at the moment.
#[derive(Debug, thiserror::Error)]
pub enum EtcdError {
    /// What the client says.
    #[error("etcd does not answer as it should: {0}")]
    Client(#[from] etcd_client::Error),
    /// The password file cannot be read.
    #[error("cannot read the password file {path}: {source}")]
    Password {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No answer in time.
    #[error("etcd did not answer within {0} ms")]
    Timeout(u64),
    /// The watch was ended by the server.
    #[error("etcd ended the watch: {0}")]
    Canceled(String),
}

/// A client with the configured limits. It connects when it is first used.
pub async fn connect(config: &EtcdConfig) -> Result<Client, EtcdError> {
    let mut options = ConnectOptions::new()
        .with_connect_timeout(config.timeout())
        .with_timeout(config.timeout())
        .with_keep_alive(Duration::from_millis(config.keep_alive_ms), config.timeout())
        .with_keep_alive_while_idle(true)
        .with_require_leader(true)
        .with_auto_token_refresh(true);
    if !config.user.is_empty() {
        let path = &config.password_file;
        let password = tokio::fs::read_to_string(path)
            .await
            .map_err(|source| EtcdError::Password { path: path.clone(), source })?;
        options = options.with_user(config.user.as_str(), password.trim_end_matches(['\r', '\n']));
    }
    let connecting = Client::connect(config.endpoints(), Some(options));
    within(config, connecting).await
}

/// Follows the key until `shutdown`.
pub(super) async fn follow(config: EtcdConfig, host: String, mut force: Force, shutdown: CancellationToken) {
    let mut backoff = Backoff::new(config.backoff_ms, config.backoff_max_ms);
    let following = async {
        loop {
            if let Err(error) = session(&config, &host, &mut force, &mut backoff).await {
                force.source_failed(&error.to_string());
            }
            tokio::time::sleep(backoff.next_pause()).await;
        }
    };
    shutdown.run_until_cancelled(following).await;
}

/// One client's life: ends with the first error.
async fn session(
    config: &EtcdConfig,
    host: &str,
    force: &mut Force,
    backoff: &mut Backoff,
) -> Result<(), EtcdError> {
    let key = config.key(host);
    let mut client = connect(config).await?;
    let first = within(config, client.get(key.as_str(), None)).await?;
    let from = accept(force, &first).revision;
    backoff.reset();
    let options = WatchOptions::new().with_start_revision(from.saturating_add(1));
    let mut watch = within(config, client.watch(key.as_str(), Some(options))).await?;
    let mut recheck = tokio::time::interval(Duration::from_millis(config.recheck_ms));
    recheck.reset();
    loop {
        tokio::select! {
            message = watch.message() => match message? {
                Some(response) => heed(force, &response)?,
                None => return Err(EtcdError::Canceled("the stream ended".to_owned())),
            },
            _ = recheck.tick() => {
                accept(force, &within(config, client.get(key.as_str(), None)).await?);
            }
        }
    }
}

/// Takes over what a get found; returns the revision at which it looked.
fn accept(force: &mut Force, response: &GetResponse) -> Stamp {
    let at = response.header().map_or(Stamp::default(), |header| Stamp {
        cluster: header.cluster_id(),
        revision: header.revision(),
    });
    match response.kvs().first() {
        Some(entry) => force.found(entry.value(), Stamp { revision: entry.mod_revision(), ..at }),
        None => force.absent(at),
    }
    at
}

/// Takes over what a watch reports.
fn heed(force: &mut Force, response: &WatchResponse) -> Result<(), EtcdError> {
    if response.canceled() {
        let reason = match response.compact_revision() {
            0 => response.cancel_reason().to_owned(),
            revision => format!("revisions before {revision} are compacted"),
        };
        return Err(EtcdError::Canceled(reason));
    }
    let cluster = response.header().map_or(0, |header| header.cluster_id());
    for event in response.events() {
        let Some(entry) = event.kv() else { continue };
        let stamp = Stamp { cluster, revision: entry.mod_revision() };
        // a deletion leaves no version; `event_type` would panic on a type that the client does not know
        match entry.version() {
            0 => force.deleted(stamp),
            _ => force.found(entry.value(), stamp),
        }
    }
    Ok(())
}

async fn within<T>(
    config: &EtcdConfig,
    call: impl Future<Output = Result<T, etcd_client::Error>>,
) -> Result<T, EtcdError> {
    match tokio::time::timeout(config.timeout(), call).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(EtcdError::Timeout(config.timeout_ms)),
    }
}
