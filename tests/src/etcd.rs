//! A real etcd.

use std::path::Path;
use std::time::Duration;

use crate::process::{Process, run};
use crate::{free_port, http, wait_for};

/// A single etcd server.
#[derive(Debug)]
pub struct Etcd {
    /// Its process.
    pub process: Process,
    endpoint: String,
}

impl Etcd {
    /// Starts etcd with its data below `dir`.
    pub fn start(dir: &Path) -> Self {
        let (client, peer) = (free_port(), free_port());
        let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        let data = dir.join("etcd");
        let cluster = format!("default={peer}");
        let args = [
            "--data-dir",
            data.to_str().unwrap(),
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
            "--initial-cluster",
            &cluster,
        ];
        let etcd = Etcd { process: Process::start("etcd", dir, "etcd", &args), endpoint: client };
        etcd.wait_until_ready();
        etcd
    }

    /// `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns when it answers.
    pub fn wait_until_ready(&self) {
        let host = self.endpoint.trim_start_matches("http://");
        let healthy = || http::get(host, "/health").is_some_and(|health| health.contains("true"));
        wait_for("etcd", Duration::from_secs(60), healthy);
    }

    /// Sets a key, with etcd's own client.
    pub fn put(&self, key: &str, value: &str) {
        run("etcdctl", &["--endpoints", &self.endpoint, "put", key, value], b"");
    }
}
