//! One connection to one broker on which requests are spoken as they are: for what the binding of librdkafka has no call for
//! (changing some settings and leaving the others, committing for a group from outside it, with an answer for each
//! partition), and where it drops the broker's own words of why it refuses.
//!
//! What concerns topics is asked of the controller, what concerns a group of its coordinator.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use wire::frame;
use wire::message::Request;
use wire::message::api_versions::{ApiVersion, ApiVersionsRequest};
use wire::message::find_coordinator::FindCoordinatorRequest;
use wire::message::metadata::MetadataRequest;
use wire::{ApiKey, ErrorCode};

use super::{CLIENT_ID, Connection};
use crate::fail::Failure;

/// Kafka's port, for an address without one.
const PORT: u16 = 9092;
/// A longer answer is none to a question asked here.
const MAX_ANSWER_BYTES: u32 = 64 << 20;
/// The newest version of FindCoordinator that asks for one group; later ones ask for several, in other fields.
const ONE_COORDINATOR: i16 = 3;

/// A connection to a broker.
pub(crate) struct Direct {
    /// What every failure begins with: `cannot alter topic web`.
    what: String,
    address: String,
    stream: TcpStream,
    /// What the broker serves.
    versions: Vec<ApiVersion>,
    correlation_id: i32,
}

impl Connection {
    /// The broker that creates and changes topics.
    pub(crate) fn controller(&self, what: &str) -> Result<Direct, Failure> {
        let mut first = self.first(what)?;
        let metadata = first.call(&MetadataRequest::default())?;
        match metadata.brokers.iter().find(|broker| broker.node_id == metadata.controller_id) {
            Some(broker) => self.at(first, &broker.host, broker.port),
            // A broker that names no controller passes on what it has to do.
            None => Ok(first),
        }
    }

    /// All brokers of the cluster.
    pub(crate) fn brokers(&self, what: &str) -> Result<Vec<Direct>, Failure> {
        let mut first = self.first(what)?;
        let metadata =
            first.call(&MetadataRequest { topics: Some(Vec::new()), ..MetadataRequest::default() })?;
        metadata.brokers.iter().map(|broker| self.open(what, &address(&broker.host, broker.port))).collect()
    }

    /// The broker that keeps a group.
    pub(crate) fn coordinator(&self, what: &str, group: &str) -> Result<Direct, Failure> {
        let mut first = self.first(what)?;
        let request = FindCoordinatorRequest { key: group.to_owned(), ..FindCoordinatorRequest::default() };
        let found = first.call_up_to(&request, ONE_COORDINATOR)?;
        first.accepted(found.error_code, found.error_message.as_deref())?;
        self.at(first, &found.host, found.port)
    }

    /// How long a broker may take to do what it is asked, as requests have it.
    pub(crate) fn request_timeout_ms(&self) -> i32 {
        i32::try_from(self.timeout_ms).unwrap_or(i32::MAX)
    }

    /// The first broker of the list that answers.
    fn first(&self, what: &str) -> Result<Direct, Failure> {
        let addresses = self.bootstrap.split(',').map(str::trim).filter(|address| !address.is_empty());
        let mut answering = addresses.filter_map(|address| self.open(what, &with_port(address)).ok());
        answering.next().ok_or_else(|| self.nobody(what))
    }

    /// The broker of an address: the one that is connected, or another.
    fn at(&self, connected: Direct, host: &str, port: i32) -> Result<Direct, Failure> {
        let address = address(host, port);
        if connected.address == address { Ok(connected) } else { self.open(&connected.what, &address) }
    }

    fn open(&self, what: &str, address: &str) -> Result<Direct, Failure> {
        // Sockets take no time-out of zero.
        let patience = self.timeout().max(Duration::from_millis(1));
        let stream = connect(address, patience).map_err(|error| {
            Failure::new(format!("{what}: cannot connect to the broker at {address}: {error}"))
                .remedy("brokers must be reachable by the addresses that they advertise")
        })?;
        let mut broker = Direct {
            what: what.to_owned(),
            address: address.to_owned(),
            stream,
            versions: Vec::new(),
            correlation_id: 0,
        };
        // Every broker since 0.10 knows version 0.
        let served = broker.exchange(&ApiVersionsRequest::default(), 0)?;
        broker.accepted(served.error_code, None)?;
        broker.versions = served.api_keys;
        Ok(broker)
    }
}

impl Direct {
    /// Asks in the newest version that both sides know.
    pub(crate) fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, Failure> {
        self.call_up_to(request, i16::MAX)
    }

    /// Whether the broker serves an API at all.
    pub(crate) fn serves(&self, api: ApiKey) -> bool {
        common_version(&self.versions, api, i16::MAX).is_some()
    }

    /// `Ok` if the broker did what was asked, else why not: in its own words, if it has some.
    pub(crate) fn accepted(&self, code: i16, words: Option<&str>) -> Result<(), Failure> {
        match refusal(code, words) {
            None => Ok(()),
            Some(cause) => Err(self.failure(&cause)),
        }
    }

    fn call_up_to<R: Request>(&mut self, request: &R, newest: i16) -> Result<R::Response, Failure> {
        let Some(version) = common_version(&self.versions, R::KEY, newest) else {
            let cause = format!("the broker at {} does not serve {}", self.address, R::KEY);
            return Err(self.failure(&cause).remedy("it takes a broker that is newer"));
        };
        self.exchange(request, version)
    }

    fn exchange<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, Failure> {
        self.correlation_id = self.correlation_id.wrapping_add(1);
        let frame = match frame::encode_request(Some(CLIENT_ID), self.correlation_id, version, request) {
            Ok(frame) => frame,
            Err(error) => return Err(self.failure(&error.to_string())),
        };
        let answer = match self.send(&frame.bytes) {
            Ok(answer) => answer,
            Err(error) => {
                let reason = match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "it took too long".to_owned(),
                    _ => error.to_string(),
                };
                let cause = format!("the broker at {} did not answer {}: {reason}", self.address, R::KEY);
                return Err(self.failure(&cause).remedy("give it more time with --timeout-ms"));
            }
        };
        match frame::decode_response::<R>(answer.into(), version) {
            Ok((id, response)) if id == self.correlation_id => Ok(response),
            Ok(_) => Err(self.failure(&format!("the broker at {} answered another request", self.address))),
            Err(error) => {
                Err(self.failure(&format!("the broker at {} is not understood: {error}", self.address)))
            }
        }
    }

    /// Sends a frame and receives one, without its size.
    fn send(&mut self, frame: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(frame)?;
        let mut size = [0; 4];
        self.stream.read_exact(&mut size)?;
        let size = u32::from_be_bytes(size);
        if size > MAX_ANSWER_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it speaks another protocol"));
        }
        let mut answer = Vec::new();
        // Memory grows with what arrives, not with what is announced.
        let read = (&mut self.stream).take(u64::from(size)).read_to_end(&mut answer)?;
        if read < size as usize { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(answer) }
    }

    fn failure(&self, cause: &str) -> Failure {
        Failure::new(format!("{}: {cause}", self.what))
    }
}

/// Why a broker refuses: its own words, else what the code means; none for the code of success.
pub(crate) fn refusal(code: i16, words: Option<&str>) -> Option<String> {
    let error = ErrorCode::check(code).err()?;
    Some(words.filter(|words| !words.is_empty()).map_or_else(|| error.to_string(), str::to_owned))
}

/// The newest version that both sides know.
fn common_version(served: &[ApiVersion], api: ApiKey, newest: i16) -> Option<i16> {
    let served = served.iter().find(|served| served.api_key == api.code())?;
    let ours = api.versions();
    let version = served.max_version.min(*ours.end()).min(newest);
    (version >= served.min_version && version >= *ours.start()).then_some(version)
}

/// The address as the system resolves it, from one as librdkafka takes it.
fn with_port(address: &str) -> String {
    let address = address.split_once("://").map_or(address, |(_, address)| address);
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { address.to_owned() } else { format!("{address}:{PORT}") }
}

/// The address as the system resolves it.
fn address(host: &str, port: i32) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn connect(address: &str, patience: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(patience))?;
                stream.set_write_timeout(Some(patience))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests;
