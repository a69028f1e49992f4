//! The protocol's server: accepts connections, within limits, and ends them when the broker stops.
//!
//! | file | what it does |
//! |---|---|
//! | `admission` | how many may connect |
//! | `clients` | who is connected |
//! | `budget` | the memory that requests share |
//! | `frame` | requests off the socket |
//! | `connection` | one client's requests, answered in order |
//! | `send`, `warm` | responses onto the socket, records by sendfile |
//! | `log_limit` | log lines that clients can cause |

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use self::admission::{Admission, Admitted};
use self::budget::Budget;
use self::clients::Registration;
use self::connection::{Connection, End};
use self::frame::{FrameError, FrameLimits, FrameReader};
use self::log_limit::LogLimit;
use self::send::SendError;
use crate::api::{Client, Refusal};
use crate::state::Broker;

mod admission;
pub(crate) mod budget;
pub(crate) mod clients;
mod connection;
mod frame;
mod log_limit;
pub(crate) mod send;
mod warm;

/// How long accepting rests when the kernel refuses, for example because there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The server on its socket.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    broker: Arc<Broker>,
    budget: Arc<Budget>,
    admission: Admission,
    limits: Arc<LogLimits>,
}

/// The log lines that clients can cause.
#[derive(Debug, Default)]
struct LogLimits {
    accept: LogLimit,
    refused: LogLimit,
    ended: LogLimit,
}

impl Server {
    pub(crate) fn new(listener: TcpListener, broker: Arc<Broker>) -> Self {
        let budget = Arc::new(Budget::new(broker.config.current().queued_max_request_bytes));
        Server { listener, broker, budget, admission: Admission::default(), limits: Arc::default() }
    }

    /// Serves until `shutdown`; then takes no more requests, and lets those in progress end within bounded time.
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, address)) => self.accept(socket, address, &shutdown, &mut connections),
                    Err(error) => {
                        if let Some(suppressed) = self.limits.accept.permit() {
                            tracing::warn!(%error, suppressed, "cannot accept a connection");
                        }
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
                () = shutdown.cancelled() => break,
            }
        }
        drop(self.listener);
        let all_ended = async { while connections.join_next().await.is_some() {} };
        if timeout(self.broker.config.current().shutdown_timeout(), all_ended).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "connections are cut off, the stop took too long"
            );
            connections.shutdown().await;
        }
    }

    fn accept(
        &self,
        socket: TcpStream,
        address: SocketAddr,
        shutdown: &CancellationToken,
        connections: &mut JoinSet<()>,
    ) {
        let config = self.broker.config.current();
        let admitted =
            self.admission.admit(address.ip(), config.max_connections, config.max_connections_per_ip);
        let admitted = match admitted {
            Ok(admitted) => admitted,
            Err(reason) => {
                self.broker.metrics.connection_refused();
                if let Some(suppressed) = self.limits.refused.permit() {
                    let open = self.admission.open();
                    tracing::warn!(%address, %reason, open, suppressed, "connection refused");
                }
                return;
            }
        };
        // without it small responses wait for the acknowledgement of the ones before
        let prepared = socket.set_nodelay(true).and_then(|()| socket.local_addr());
        let Ok(local) = prepared else { return };
        let frames = FrameLimits {
            request_max_bytes: config.socket_request_max_bytes,
            idle: config.connections_max_idle(),
        };
        let registration = self.broker.clients.register(address);
        let connection = Connection {
            socket,
            reader: FrameReader::new(self.budget.clone(), frames),
            broker: self.broker.clone(),
            client: Client { address, local, connected: registration.connected() },
            in_flight_max: config.max_in_flight_requests_per_connection,
            stall: config.connections_max_idle(),
            shutdown: shutdown.clone(),
        };
        connections.spawn(serve(connection, admitted, registration, self.limits.clone()));
    }
}

/// Serves one client, and says why it ended if that is worth a line.
async fn serve(
    connection: Connection,
    admitted: Admitted,
    registration: Registration,
    limits: Arc<LogLimits>,
) {
    let (broker, address) = (connection.broker.clone(), connection.client.address);
    broker.metrics.connected();
    let _open = Open(broker.clone());
    let end = connection.serve().await;
    drop((admitted, registration));
    if let End::Refused(Refusal::Body { api, .. } | Refusal::TooManyPartitions { api }) = &end {
        broker.metrics.request_error(*api);
    }
    if is_expected(&end) {
        tracing::debug!(%address, reason = %end, "connection ended");
    } else if let Some(suppressed) = limits.ended.permit() {
        tracing::warn!(%address, reason = %end, suppressed, "connection closed");
    }
}

/// Counts an open connection, also when its task is cut off.
struct Open(Arc<Broker>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.disconnected();
    }
}

/// Whether a connection ended as connections do.
fn is_expected(end: &End) -> bool {
    matches!(
        end,
        End::Stopping
            | End::Frame(FrameError::Closed | FrameError::Idle | FrameError::Io(_))
            | End::Send(SendError::Io(_))
    )
}
