//! The broker, and the beginning of each list.

use std::fmt::{self, Write as _};

use daemon::pages::html::Text;
use daemon::pages::{Request, View};
use serde::Serialize;

use super::clients::ClientRow;
use super::facts::BrokerFacts;
use super::groups::GroupRow;
use super::listing::{Listing, Part, filter};
use super::topics::TopicRow;
use super::transactions::TransactionRow;
use super::{Look, clients, groups, topics, transactions};

/// The first page. The filter is for topics and groups; the others' beginnings are always shown.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    broker: BrokerFacts,
    topics: Listing<TopicRow>,
    groups: Listing<GroupRow>,
    clients: Listing<ClientRow>,
    transactions: Listing<TransactionRow>,
}

impl Overview {
    pub(super) fn new(look: Look<'_>, request: &Request) -> Self {
        let part = Part::first(request);
        Overview {
            broker: BrokerFacts::new(look),
            topics: topics::list(look, &part),
            groups: groups::list(look, &part),
            clients: clients::list(look, &part.unfiltered()),
            transactions: transactions::list(look, &part.unfiltered()),
        }
    }
}

impl View for Overview {
    fn title(&self) -> String {
        format!("Broker {}", self.broker.node_id)
    }

    fn html(&self, request: &Request, out: &mut String) -> fmt::Result {
        self.broker.html(out)?;
        filter(request, &request.link("", &[]), out)?;
        head("Topics", "topics", &self.topics, request, out)?;
        topics::rows(&self.topics.items, request, out)?;
        head("Consumer groups", "groups", &self.groups, request, out)?;
        groups::rows(&self.groups.items, request, out)?;
        head("Clients", "clients", &self.clients, request, out)?;
        clients::rows(&self.clients.items, out)?;
        head("Open transactions", "transactions", &self.transactions, request, out)?;
        transactions::rows(&self.transactions.items, out)
    }
}

/// Writes the head of a list, which leads to all of it.
fn head<T>(
    title: &str,
    below: &str,
    listing: &Listing<T>,
    request: &Request,
    out: &mut String,
) -> fmt::Result {
    let q = match below {
        "topics" | "groups" => request.get("q").unwrap_or_default(),
        _ => "",
    };
    let link = request.link(below, &[("q", q)]);
    writeln!(out, "<h2><a href=\"{}\">{title}</a></h2>", Text(&link))?;
    listing.count("in all", out)
}
