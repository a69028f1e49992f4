//! A real etcd on free ports with its data in a temporary directory.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use etcd_client::Client;
use tempfile::TempDir;

use super::super::{EtcdConfig, connect};
use super::settings::shipped;

/// One etcd process; killed when it is dropped.
pub(super) struct Etcd {
    data: TempDir,
    client_port: u16,
    peer_port: u16,
    process: Option<Child>,
}

impl Etcd {
    /// Starts one and waits until it answers.
    pub(super) async fn start() -> Self {
        let [client_port, peer_port] = free_ports();
        let mut etcd = Self { data: TempDir::new().unwrap(), client_port, peer_port, process: None };
        etcd.run().await;
        etcd
    }

    /// Starts the process again, with its data.
    pub(super) async fn run(&mut self) {
        let client = format!("http://127.0.0.1:{}", self.client_port);
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        let process = Command::new("etcd")
            .args(["--name", "test", "--data-dir"])
            .arg(self.data.path().join("data"))
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("test={peer}")])
            .args(["--logger", "zap", "--log-level", "error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("etcd is installed (Debian: apt install etcd-server)");
        self.process = Some(process);
        let mut backoff = daemon::Backoff::new(10, 200);
        loop {
            if let Ok(mut client) = connect(&self.config()).await
                && client.get("health", None).await.is_ok()
            {
                return;
            }
            tokio::time::sleep(backoff.next_pause()).await;
        }
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Loses its data while it is down.
    pub(super) fn wipe(&mut self) {
        assert!(self.process.is_none(), "it is down");
        self.data = TempDir::new().unwrap();
    }

    /// How the agent reaches it, with short waits.
    pub(super) fn config(&self) -> EtcdConfig {
        EtcdConfig {
            endpoints: format!("127.0.0.1:{}", self.client_port),
            backoff_ms: 10,
            backoff_max_ms: 100,
            ..shipped().etcd
        }
    }

    pub(super) async fn client(&self) -> Client {
        connect(&self.config()).await.unwrap()
    }

    /// Writes the list of the host `web-1`.
    pub(super) async fn put(&self, list: &str) {
        self.client().await.put(self.config().key("web-1"), list, None).await.unwrap();
    }

    /// Deletes it.
    pub(super) async fn delete(&self) {
        self.client().await.delete(self.config().key("web-1"), None).await.unwrap();
    }

    /// Forgets all history up to now, some of it made for the purpose.
    pub(super) async fn compact(&self) {
        let mut client = self.client().await;
        for number in 0..10 {
            client.put("other", number.to_string(), None).await.unwrap();
        }
        let revision = client.get("other", None).await.unwrap().header().unwrap().revision();
        client.compact(revision, None).await.unwrap();
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_ports() -> [u16; 2] {
    let listeners = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}
