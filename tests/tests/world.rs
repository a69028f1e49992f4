//! The pipeline as a test sets it up: each daemon a process of its own.

use std::path::Path;

use logagent_tests::logagent::{Broker, Daemon};
use tempfile::TempDir;

/// The host id of the agent in these tests.
pub(crate) const HOST: &str = "web-1";
/// The key that tells the agent what to collect.
pub(crate) const COLLECT_KEY: &str = "/logagent/web-1/collect_config";

/// A directory of a test, which all users may enter: Elasticsearch runs as another one than root.
pub(crate) fn scratch() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// An agent that is told by etcd.
pub(crate) fn agent_with_etcd(dir: &Path, broker: &Broker, etcd: &str) -> Daemon {
    let data = dir.join("agent");
    let args = [
        "--bootstrap",
        broker.bootstrap(),
        "--etcd",
        etcd,
        "--host-id",
        HOST,
        "--data-dir",
        data.to_str().unwrap(),
    ];
    Daemon::start("agent", dir, &args)
}

/// An agent that is told by a file.
pub(crate) fn agent_with_file(dir: &Path, broker: &Broker, collect: &Path) -> Daemon {
    let data = dir.join("agent");
    let args = [
        "--bootstrap",
        broker.bootstrap(),
        "--collect",
        collect.to_str().unwrap(),
        "--host-id",
        HOST,
        "--data-dir",
        data.to_str().unwrap(),
    ];
    Daemon::start("agent", dir, &args)
}

/// A transfer of the topic `nginx_log` into Elasticsearch.
pub(crate) fn transfer(dir: &Path, broker: &Broker, elasticsearch: &str) -> Daemon {
    let data = dir.join("transfer");
    let args = [
        "--bootstrap",
        broker.bootstrap(),
        "--topics",
        "nginx_log",
        "--group",
        "transfer",
        "--elasticsearch",
        elasticsearch,
        "--data-dir",
        data.to_str().unwrap(),
    ];
    Daemon::start("transfer", dir, &args)
}
