//! A child process whose output goes to a file, which can be killed and started again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How a process is started, and the one that runs.
#[derive(Debug)]
pub struct Process {
    name: String,
    program: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts a program; what it prints is appended to `<dir>/<name>.log`.
    pub fn start(name: &str, dir: &Path, program: impl Into<PathBuf>, args: &[&str]) -> Self {
        let mut process = Process {
            name: name.to_owned(),
            program: program.into(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            log: dir.join(format!("{name}.log")),
            child: None,
        };
        process.restart();
        process
    }

    /// Starts it again, after it has ended.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "{} is still running", self.name);
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        let child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("cannot start {}: {error}; run tests/setup build test", self.program.display())
            });
        self.child = Some(child);
    }

    /// The process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.as_ref().expect("it runs").id()).unwrap()
    }

    /// Ends it as a power cut would: `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// Asks it to end by SIGTERM and waits for at most `limit`.
    pub fn terminate(&mut self, limit: Duration) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait(limit)
    }

    /// Waits for its end for at most `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        if !self.ends_within(limit) {
            self.kill();
            panic!("{} did not end within {limit:?}\n{}", self.name, self.output());
        }
        self.child.take().expect("it runs").wait().unwrap()
    }

    /// Asks it to end by SIGTERM, and kills it when it has not after `limit`.
    pub fn stop(&mut self, limit: Duration) {
        if self.is_running() {
            self.signal(Signal::TERM);
        }
        self.ends_within(limit);
        self.kill();
    }

    /// Whether it has ended, after at most `limit`.
    fn ends_within(&mut self, limit: Duration) -> bool {
        let begin = Instant::now();
        while self.is_running() {
            if begin.elapsed() > limit {
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }

    /// Whether it has not ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Panics with what it printed if it has ended by itself.
    pub fn must_run(&mut self) {
        assert!(self.is_running(), "{} has ended:\n{}", self.name, self.output());
    }

    /// What it has printed, over all its lives.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// The most resident memory of its present life, bytes.
    pub fn peak_memory_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let output = self.output();
            let tail = output.len().saturating_sub(8_000);
            eprintln!("--- {} printed ---\n{}", self.name, output.get(tail..).unwrap_or(&output));
        }
    }
}

/// Runs a program to its end with some input, and returns what it printed; panics if it fails.
pub fn run(program: impl AsRef<Path>, args: &[&str], input: &[u8]) -> Vec<u8> {
    let program = program.as_ref();
    let (output, ok) = try_run(program, args, input);
    let (stdout, stderr) = output;
    assert!(ok, "{} {args:?} failed:\n{}", program.display(), String::from_utf8_lossy(&stderr));
    stdout
}

/// Runs a program to its end; returns standard output and error, and whether it succeeded.
pub fn try_run(program: &Path, args: &[&str], input: &[u8]) -> ((Vec<u8>, Vec<u8>), bool) {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("cannot start {}: {error}; run tests/setup build test", program.display())
        });
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that ends early does not read the rest: that is its own affair.
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    ((output.stdout, output.stderr), output.status.success())
}
