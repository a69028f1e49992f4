//! What the process is asked to do by signals.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A request from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// SIGTERM: stop, losing nothing.
    Terminate,
    /// SIGINT (Ctrl-C): stop, losing nothing; asked twice, at once.
    Interrupt,
    /// SIGHUP: load the configuration again.
    Reload,
}

/// The signals that a daemon listens to.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Listens from now on; the signals' default action, to end the process, is gone.
    ///
    /// # Errors
    /// The system refuses a handler.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next request. Dropping the future loses none.
    pub async fn next(&mut self) -> Request {
        tokio::select! {
            _ = self.terminate.recv() => Request::Terminate,
            _ = self.interrupt.recv() => Request::Interrupt,
            _ = self.hangup.recv() => Request::Reload,
        }
    }
}
