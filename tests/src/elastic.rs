//! A real Elasticsearch 8.19.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::process::Process;
use crate::{cache, free_port, http, root, wait_for};

/// The longest that Elasticsearch may take to start on a busy machine.
const START: Duration = Duration::from_secs(900);

/// A single node.
#[derive(Debug)]
pub struct Elastic {
    process: Process,
    data: PathBuf,
    host: String,
}

impl Elastic {
    /// Starts Elasticsearch with its data below `dir`; [`wait_until_ready`](Self::wait_until_ready) says when it serves.
    pub fn start(dir: &Path) -> Self {
        let port = free_port();
        let data = dir.join("elasticsearch");
        std::fs::create_dir_all(&data).unwrap();
        // as root it runs as another user, who must get through
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let script = root().join("tests/servers/elasticsearch");
        let env = format!("LOGAGENT_CACHE={}", cache().display());
        let port_text = port.to_string();
        let args = [&env, script.to_str().unwrap(), &port_text, data.to_str().unwrap()];
        let process = Process::start("elasticsearch", dir, "env", &args);
        Elastic { process, data, host: format!("127.0.0.1:{port}") }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Returns when it serves.
    pub fn wait_until_ready(&mut self) {
        let host = self.host.clone();
        let health = "/_cluster/health?wait_for_status=yellow&timeout=1s";
        wait_for("Elasticsearch", START, || {
            self.process.must_run();
            http::get(&host, health).is_some()
        });
    }

    /// Ends the server by `kill -9`. Its launcher ends with it.
    pub fn kill(&mut self) {
        let pid =
            std::fs::read_to_string(self.data.join("es.pid")).ok().and_then(|pid| pid.trim().parse().ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
            wait_for("Elasticsearch's end", Duration::from_secs(60), || {
                rustix::process::test_kill_process(pid).is_err()
            });
        }
        let _ = std::fs::remove_file(self.data.join("es.pid"));
        self.process.kill();
    }

    /// Starts it again on the same data.
    pub fn restart(&mut self) {
        self.process.restart();
    }

    /// Sends a request and returns the JSON of the answer; panics unless it succeeds.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, text) =
            http::request(&self.host, method, path, &body.to_string()).expect("Elasticsearch answers");
        assert!(status < 300, "{method} {path}: {status} {}", String::from_utf8_lossy(&text));
        serde_json::from_slice(&text).expect("JSON")
    }

    /// How many documents the indices that match `pattern` hold; 0 while it does not answer.
    pub fn count(&self, pattern: &str) -> u64 {
        let refresh = format!("/{pattern}/_refresh");
        let count = format!("/{pattern}/_count");
        let _ = http::request(&self.host, "POST", &refresh, "");
        http::get(&self.host, &count)
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .and_then(|answer| answer["count"].as_u64())
            .unwrap_or(0)
    }

    /// Calls `each` with every document of the indices that match `pattern`.
    pub fn scan(&self, pattern: &str, mut each: impl FnMut(&Value)) {
        let mut page = self.call(
            "POST",
            &format!("/{pattern}/_search?scroll=2m"),
            &json!({"size": 1000, "sort": ["_doc"]}),
        );
        loop {
            let hits = page["hits"]["hits"].as_array().expect("hits");
            if hits.is_empty() {
                return;
            }
            hits.iter().for_each(&mut each);
            let next = json!({"scroll": "2m", "scroll_id": page["_scroll_id"]});
            page = self.call("POST", "/_search/scroll", &next);
        }
    }
}

impl Drop for Elastic {
    fn drop(&mut self) {
        self.kill();
    }
}
