//! The transactions that have begun and not ended.

use std::cmp::Reverse;
use std::fmt;

use daemon::pages::html::shortened;
use daemon::pages::{Cell, Column, Request, View, table};
use serde::Serialize;

use super::listing::{Listing, Part, filter};
use super::{Look, NAME_CHARS_MAX};
use crate::txn::OpenTransaction;

/// A transaction in one line.
#[derive(Debug, Serialize)]
pub(super) struct TransactionRow {
    transactional_id: String,
    producer_id: i64,
    state: &'static str,
    partition_count: usize,
    age_seconds: u64,
}

impl From<OpenTransaction> for TransactionRow {
    fn from(open: OpenTransaction) -> Self {
        TransactionRow {
            transactional_id: shortened(&open.transactional_id, NAME_CHARS_MAX).into_owned(),
            producer_id: open.producer_id,
            state: open.state,
            partition_count: open.partitions,
            age_seconds: u64::try_from(open.age_ms / 1000).unwrap_or(0),
        }
    }
}

impl TransactionRow {
    fn cells(&self) -> [Cell<'_>; 5] {
        [
            Cell::Text(&self.transactional_id),
            Cell::Text(self.state),
            Cell::Number(self.producer_id),
            Cell::count(self.partition_count),
            Cell::Age(self.age_seconds),
        ]
    }
}

/// A part of the transactions, the oldest first.
pub(super) fn list(look: Look<'_>, part: &Part<'_>) -> Listing<TransactionRow> {
    let mut open = look.broker.txns.open();
    let total = open.len();
    open.retain(|one| part.wants(&one.transactional_id));
    if !part.by_name {
        open.sort_by_key(|one| Reverse(one.age_ms));
    }
    Listing::new(open, total, part).map(TransactionRow::from)
}

/// Writes transactions as a table.
pub(super) fn rows(transactions: &[TransactionRow], out: &mut String) -> fmt::Result {
    let columns = [
        Column::Text("transactional id"),
        Column::Text("state"),
        Column::Number("producer id"),
        Column::Number("partitions"),
        Column::Number("open for"),
    ];
    table(out, columns, transactions.iter().map(TransactionRow::cells))
}

/// The page of all open transactions.
#[derive(Debug, Serialize)]
pub(super) struct Transactions {
    transactions: Listing<TransactionRow>,
}

impl Transactions {
    pub(super) fn new(look: Look<'_>, request: &Request) -> Self {
        Transactions { transactions: list(look, &Part::of(request)) }
    }
}

impl View for Transactions {
    fn title(&self) -> String {
        "Open transactions".to_owned()
    }

    fn html(&self, request: &Request, out: &mut String) -> fmt::Result {
        filter(request, &request.link("transactions", &[]), out)?;
        self.transactions.count("open transactions", out)?;
        rows(&self.transactions.items, out)?;
        self.transactions.pager(request, out)
    }
}
