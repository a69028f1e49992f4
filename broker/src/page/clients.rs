//! The open connections.

use std::fmt;
use std::time::Instant;

use daemon::pages::{Cell, Column, Request, View, table};
use serde::Serialize;

use super::Look;
use super::listing::{Listing, Part, filter};
use crate::server::clients::Connected;

/// A connection in one line.
#[derive(Debug, Serialize)]
pub(super) struct ClientRow {
    address: String,
    /// The name that the client gave itself first.
    client_id: Option<String>,
    /// What its software says it is, if it says so (ApiVersions from version 3 on).
    software_name: Option<String>,
    software_version: Option<String>,
    age_seconds: u64,
    requests: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl ClientRow {
    fn new(connected: &Connected, now: Instant) -> Self {
        let software = connected.software();
        let (requests, bytes_in, bytes_out) = connected.counts();
        ClientRow {
            address: connected.address.to_string(),
            client_id: connected.client_id().map(str::to_owned),
            software_name: software.map(|(name, _)| name.to_owned()),
            software_version: software.map(|(_, version)| version.to_owned()),
            age_seconds: now.saturating_duration_since(connected.since).as_secs(),
            requests,
            bytes_in,
            bytes_out,
        }
    }

    fn cells(&self) -> [Cell<'_>; 8] {
        [
            Cell::Text(&self.address),
            maybe(self.client_id.as_deref()),
            maybe(self.software_name.as_deref()),
            maybe(self.software_version.as_deref()),
            Cell::Age(self.age_seconds),
            Cell::Number(i64::try_from(self.requests).unwrap_or(i64::MAX)),
            Cell::Size(self.bytes_in),
            Cell::Size(self.bytes_out),
        ]
    }
}

fn maybe(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::None, Cell::Text)
}

/// A part of the connections, the oldest first; the filter looks at addresses and names.
pub(super) fn list(look: Look<'_>, part: &Part<'_>) -> Listing<ClientRow> {
    let mut open = look.broker.clients.all();
    let total = open.len();
    open.retain(|one| {
        let (software, _) = one.software().unwrap_or_default();
        let names = [one.client_id().unwrap_or_default(), software];
        names.iter().any(|name| part.wants(name)) || part.wants(&one.address.to_string())
    });
    Listing::new(open, total, part).map(|one| ClientRow::new(&one, look.now))
}

/// Writes connections as a table.
pub(super) fn rows(clients: &[ClientRow], out: &mut String) -> fmt::Result {
    let columns = [
        Column::Text("address"),
        Column::Text("client id"),
        Column::Text("software"),
        Column::Text("version"),
        Column::Number("connected for"),
        Column::Number("requests"),
        Column::Number("bytes in"),
        Column::Number("bytes out"),
    ];
    table(out, columns, clients.iter().map(ClientRow::cells))
}

/// The page of all connections.
#[derive(Debug, Serialize)]
pub(super) struct Clients {
    clients: Listing<ClientRow>,
}

impl Clients {
    pub(super) fn new(look: Look<'_>, request: &Request) -> Self {
        Clients { clients: list(look, &Part::of(request)) }
    }
}

impl View for Clients {
    fn title(&self) -> String {
        "Clients".to_owned()
    }

    fn html(&self, request: &Request, out: &mut String) -> fmt::Result {
        filter(request, &request.link("clients", &[]), out)?;
        self.clients.count("connections", out)?;
        rows(&self.clients.items, out)?;
        self.clients.pager(request, out)
    }
}
