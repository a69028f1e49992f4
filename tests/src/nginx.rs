//! A real nginx, which writes each access line to two logs: one that is rotated, and one that is not, from which the
//! expected lines are counted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use crate::process::Process;
use crate::{free_port, http, wait_for};

/// A running nginx.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
    host: String,
    dir: PathBuf,
}

impl Nginx {
    /// Starts nginx with everything it writes below `dir`.
    pub fn start(dir: &Path) -> Self {
        let port = free_port();
        let logs = dir.join("logs");
        std::fs::create_dir_all(&logs).unwrap();
        let conf = dir.join("nginx.conf");
        std::fs::write(&conf, config(dir, port)).unwrap();
        let args = ["-p", dir.to_str().unwrap(), "-c", conf.to_str().unwrap()];
        let process = Process::start("nginx", dir, "/usr/sbin/nginx", &args);
        let nginx = Nginx { process, host: format!("127.0.0.1:{port}"), dir: dir.to_owned() };
        wait_for("nginx", Duration::from_secs(30), || std::net::TcpStream::connect(&nginx.host).is_ok());
        nginx
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The log that is collected and rotated.
    pub fn access_log(&self) -> PathBuf {
        self.dir.join("logs/access.log")
    }

    /// The lines of the log that is never rotated: what nginx has written.
    pub fn written(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.dir.join("oracle.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Opens its logs again, as logrotate's postrotate does.
    pub fn reopen_logs(&self) {
        self.process.signal(Signal::USR1);
    }

    /// Its process id, for logrotate.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// A connection to it.
    pub fn client(&self) -> http::Client {
        http::Client::connect(&self.host).expect("nginx accepts connections")
    }
}

impl Drop for Nginx {
    /// A master that is killed leaves its worker behind: it has to be asked.
    fn drop(&mut self) {
        self.process.stop(Duration::from_secs(10));
    }
}

fn config(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        r#"
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/logs/error.log info;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {dir}/tmp1; proxy_temp_path {dir}/tmp2; fastcgi_temp_path {dir}/tmp3;
    uwsgi_temp_path {dir}/tmp4; scgi_temp_path {dir}/tmp5;
    keepalive_requests 1000000;
    access_log {dir}/logs/access.log combined;
    access_log {dir}/oracle.log combined;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "ok\n"; }}
        location /missing {{ return 404 "no\n"; }}
        location /slow {{ return 503 "later\n"; }}
    }}
}}
"#
    )
}
