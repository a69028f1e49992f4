//! The broker's page at the admin address: `/broker` for people, `/broker.json` with the same data for programs.
//!
//! | below `/broker` | what it shows |
//! |---|---|
//! | | the broker, and the beginning of each list |
//! | `/topics`, `/groups` | all of them, the largest and those furthest behind first |
//! | `/clients`, `/transactions` | the open connections, the transactions that have begun and not ended |
//! | `/topic?name=`, `/group?name=` | one of them with its partitions |
//!
//! Lists come page by page: `page` counts from 1, `rows` makes pages smaller, `q` leaves what has that text in its name, and
//! `sort=name` sorts by it. So no answer grows with what the broker has, and what clients name themselves is cut.
//!
//! A view is a plain value that is made when it is asked for, from what is kept anyway, on a thread that may block. Each file
//! has one list: its rows, how they are made, and what they look like. [`rates`] alone looks before anybody asks.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Instant;

use daemon::pages::{Page, PageError, Request, Shown};

use crate::state::Broker;

mod clients;
mod facts;
mod group;
mod groups;
mod listing;
mod overview;
mod rates;
#[cfg(test)]
mod tests;
mod topic;
mod topics;
mod transactions;

pub(crate) use rates::{Rates, Totals};

/// What the list of pages says of it.
pub(crate) const TITLE: &str = "The broker: topics, groups, lag, clients";

/// What is shown of a name by which something is found.
const NAME_CHARS_MAX: usize = 1000;
/// What is shown of other texts of clients.
const TEXT_CHARS_MAX: usize = 200;

/// The page. It does not keep the broker alive.
#[derive(Debug)]
pub(crate) struct BrokerPage {
    broker: Weak<Broker>,
    address: SocketAddr,
}

/// What a view is made of.
#[derive(Clone, Copy)]
struct Look<'a> {
    broker: &'a Broker,
    /// Where the broker listens.
    address: SocketAddr,
    now: Instant,
}

impl BrokerPage {
    /// The page of a broker that listens at `address`.
    pub(crate) fn new(broker: &Arc<Broker>, address: SocketAddr) -> Self {
        BrokerPage { broker: Arc::downgrade(broker), address }
    }
}

impl Page for BrokerPage {
    fn show(&self, request: &Request) -> Result<Shown, PageError> {
        let broker = self.broker.upgrade().ok_or(PageError::Unavailable("the broker has stopped"))?;
        let look = Look { broker: &broker, address: self.address, now: Instant::now() };
        match request.below() {
            "" => Shown::of(&overview::Overview::new(look, request), request),
            "topics" => Shown::of(&topics::Topics::new(look, request), request),
            "topic" => Shown::of(&topic::TopicView::new(look, request)?, request),
            "groups" => Shown::of(&groups::Groups::new(look, request), request),
            "group" => Shown::of(&group::GroupView::new(look, request)?, request),
            "clients" => Shown::of(&clients::Clients::new(look, request), request),
            "transactions" => Shown::of(&transactions::Transactions::new(look, request), request),
            other => Err(PageError::NotFound(format!("the broker's page has no {other}"))),
        }
    }
}

/// The name that a request is about.
fn name_in(request: &Request) -> Result<&str, PageError> {
    request.get("name").ok_or_else(|| PageError::NotFound("which one? say ?name=".to_owned()))
}
