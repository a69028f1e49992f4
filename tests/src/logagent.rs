//! Our own daemons as separate processes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::Process;
use crate::{free_port, http, wait_for};

/// The binary that was built with these tests.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join("logagent");
    assert!(built.exists(), "{} is missing: build the workspace first", built.display());
    built
}

/// One daemon.
#[derive(Debug)]
pub struct Daemon {
    /// Its process.
    pub process: Process,
    admin: String,
}

impl Daemon {
    /// Starts `logagent <role> <args> --admin ADDR`; its output goes to `<dir>/<role>.log`.
    pub fn start(role: &str, dir: &Path, args: &[&str]) -> Self {
        let admin = format!("127.0.0.1:{}", free_port());
        let mut all = vec![role];
        all.extend(args);
        all.extend(["--admin", &admin]);
        Daemon { process: Process::start(role, dir, binary(), &all), admin }
    }

    /// Its admin address.
    pub fn admin(&self) -> &str {
        &self.admin
    }

    /// Returns when it says that it is ready.
    pub fn wait_until_ready(&mut self) {
        let admin = self.admin.clone();
        wait_for("the daemon to be ready", Duration::from_secs(60), || {
            self.process.must_run();
            http::get(&admin, "/readyz").is_some()
        });
    }

    /// The sum of a metric over its labels; 0 while the daemon does not answer. `labels` is a part of the label text
    /// that must occur.
    pub fn metric(&self, name: &str, labels: &str) -> f64 {
        let text = http::get(&self.admin, "/metrics").unwrap_or_default();
        let matches = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])) && line.contains(labels)
        };
        text.lines().filter(matches).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

/// A broker on a port that stays its own over restarts.
#[derive(Debug)]
pub struct Broker {
    /// The daemon.
    pub daemon: Daemon,
    bootstrap: String,
    data_dir: PathBuf,
}

impl Broker {
    /// Starts a broker with its data below `dir` and waits until it serves.
    pub fn start(dir: &Path, args: &[&str]) -> Self {
        let bootstrap = format!("127.0.0.1:{}", free_port());
        let data_dir = dir.join("broker");
        let mut all = vec!["--listen", &bootstrap, "--data-dir", data_dir.to_str().unwrap()];
        all.extend(args);
        let mut daemon = Daemon::start("broker", dir, &all);
        daemon.wait_until_ready();
        Broker { daemon, bootstrap, data_dir }
    }

    /// `127.0.0.1:port`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Where its partitions are.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
}
