//! The supervisor with real signals, which this process sends to itself: one test at a time.

use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::{Mutex, MutexGuard};

use super::*;
use crate::config::{Invalid, Section};

static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

struct Fixture {
    supervisor: Supervisor,
    signals: Signals,
    _alone: MutexGuard<'static, ()>,
}

async fn fixture() -> Fixture {
    let alone = ONE_AT_A_TIME.lock().await;
    Fixture { supervisor: Supervisor::new(), signals: Signals::listen().unwrap(), _alone: alone }
}

fn send(signal: Signal) {
    kill_process(getpid(), signal).unwrap();
}

/// A daemon that stops as soon as it is asked to.
fn obedient(ctx: &Context) -> JoinHandle<Result<(), String>> {
    let shutdown = ctx.shutdown.clone();
    tokio::spawn(async move {
        shutdown.cancelled().await;
        Ok(())
    })
}

fn stubborn() -> JoinHandle<Result<(), String>> {
    tokio::spawn(std::future::pending())
}

#[tokio::test]
async fn a_daemon_that_ends_by_itself_is_finished() {
    let Fixture { supervisor, signals, _alone } = fixture().await;
    let outcome = supervise(tokio::spawn(async { Ok::<(), String>(()) }), signals, supervisor).await;
    assert!(matches!(outcome, Outcome::Finished));
}

#[tokio::test]
async fn a_failure_is_handed_on() {
    let Fixture { supervisor, signals, _alone } = fixture().await;
    let main = tokio::spawn(async { Err::<(), _>("disk full".to_owned()) });
    let outcome = supervise(main, signals, supervisor).await;
    assert!(matches!(outcome, Outcome::Failed(error) if error == "disk full"));
}

#[tokio::test]
async fn sigterm_and_ctrl_c_stop_it() {
    for signal in [Signal::TERM, Signal::INT] {
        let Fixture { supervisor, signals, _alone } = fixture().await;
        let shutdown = supervisor.ctx.shutdown.clone();
        let main = obedient(&supervisor.ctx);
        send(signal);
        assert!(matches!(supervise(main, signals, supervisor).await, Outcome::Finished));
        assert!(shutdown.is_cancelled());
    }
}

#[tokio::test]
async fn one_that_does_not_stop_is_left_behind_in_bounded_time() {
    let Fixture { supervisor, signals, _alone } = fixture().await;
    supervisor.stop_within(Duration::from_millis(10));
    send(Signal::TERM);
    let outcome = supervise(stubborn(), signals, supervisor).await;
    assert!(matches!(outcome, Outcome::Abandoned("it did not stop in time")));
}

#[tokio::test]
async fn a_second_ctrl_c_ends_it_at_once() {
    let Fixture { supervisor, signals, _alone } = fixture().await;
    let shutdown = supervisor.ctx.shutdown.clone();
    send(Signal::INT);
    let supervising = tokio::spawn(supervise(stubborn(), signals, supervisor));
    shutdown.cancelled().await;
    send(Signal::INT);
    let outcome = supervising.await.unwrap();
    assert!(matches!(outcome, Outcome::Abandoned("it was interrupted again while stopping")));
}

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Tiny {
    size: u32,
}

impl Section for Tiny {
    const DEFAULTS: &'static str = "size: 1\n";

    fn validate(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

#[tokio::test]
async fn sighup_reloads_and_counts_how_it_ended() {
    let Fixture { supervisor, signals, _alone } = fixture().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "size: 2\n").unwrap();
    let source = crate::config::Source::new(Tiny::DEFAULTS).file(Some(file.path()));
    let mut live = supervisor.reloads.live(move || source.load::<Tiny>()).unwrap();
    let metrics = supervisor.ctx.metrics.clone();
    let counted = |result: &str, count: u32| {
        metrics.encode().contains(&format!("logagent_config_reloads_total{{result=\"{result}\"}} {count}\n"))
    };
    let shutdown = supervisor.ctx.shutdown.clone();
    let supervising = tokio::spawn(supervise(obedient(&supervisor.ctx), signals, supervisor));

    std::fs::write(file.path(), "size: 3\n").unwrap();
    send(Signal::HUP);
    assert_eq!(live.changed().await.size, 3);
    std::fs::write(file.path(), "seize: 3\n").unwrap();
    send(Signal::HUP);
    while !counted("refused", 1) {
        tokio::task::yield_now().await;
    }
    assert_eq!(live.current().size, 3);
    assert!(counted("applied", 1) && counted("unchanged", 0), "{}", metrics.encode());

    assert!(!shutdown.is_cancelled());
    send(Signal::TERM);
    assert!(matches!(supervising.await.unwrap(), Outcome::Finished));
}

#[tokio::test]
async fn the_admin_address_is_served_for_the_whole_life() {
    let supervisor = Supervisor::new();
    let address = supervisor.serve_admin("127.0.0.1:0").await.unwrap();
    supervisor.ctx.shutdown.cancel();
    let stream = tokio::net::TcpStream::connect(address).await;
    assert!(stream.is_ok());
    assert!(supervisor.serve_admin(&address.to_string()).await.is_err());
}
