//! Batches to `_bulk`, until every document is in the index or in the dead-letter topic.
//!
//! A batch begins as one piece. A piece may be cut in halves (413), or shrink to the documents that have to be sent again;
//! both keep the order. A batch is answered once, when nothing of it is left: there is no end but success.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use daemon::Backoff;
use daemon::health::Component;
use futures_util::future::join_all;
use tracing::{info, warn};

use super::client::Client;
use super::outcome::{self, ItemVerdict, Refusal, Verdict};
use crate::batch::{Batch, Item};
use crate::config::Elasticsearch;
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::metrics::Metrics;

/// After this many failures in a row the index counts as away.
const AWAY_AFTER: u32 = 2;
/// While it is away every so many failures are logged.
const LOG_EVERY: u32 = 20;

/// Sends batches; clones share everything.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    client: Client,
    dead_letters: Arc<DeadLetters>,
    metrics: Metrics,
    health: Component,
    backoff: Backoff,
}

/// Consecutive documents of a batch, with their bytes.
struct Piece {
    body: Bytes,
    /// Their `bytes` count from this body's start.
    items: Vec<Item>,
}

impl Sender {
    pub(crate) fn new(
        client: Client,
        config: &Elasticsearch,
        dead_letters: Arc<DeadLetters>,
        metrics: Metrics,
        health: Component,
    ) -> Self {
        let backoff = Backoff::new(config.backoff_initial_ms, config.backoff_max_ms);
        Self { client, dead_letters, metrics, health, backoff }
    }

    /// Returns when every document of the batch is safe.
    pub(crate) async fn deliver(&self, mut batch: Batch) {
        let mut pieces =
            vec![Piece { body: std::mem::take(&mut batch.body), items: std::mem::take(&mut batch.items) }];
        let mut attempt = Attempt { backoff: self.backoff.clone(), failures: 0 };
        while let Some(piece) = pieces.pop() {
            self.try_piece(&batch, piece, &mut pieces, &mut attempt).await;
        }
    }

    /// Sends a piece once; what is left of it goes back onto `pieces`.
    async fn try_piece(&self, batch: &Batch, piece: Piece, pieces: &mut Vec<Piece>, attempt: &mut Attempt) {
        let answer = self.client.bulk(piece.body.clone()).await;
        let verdict = match &answer {
            Ok(answer) => outcome::judge(answer, piece.items.len()),
            Err(error) => outcome::judge_failure(error),
        };
        match verdict {
            Verdict::Items(verdicts) => {
                self.succeeded(attempt);
                if let Some(rest) = self.settle(batch, piece, verdicts, attempt).await {
                    pieces.push(rest);
                }
            }
            Verdict::Smaller(refusal) => match piece.halves() {
                Ok((first, second)) => {
                    self.metrics.retried("split", 1);
                    pieces.extend([second, first]);
                }
                Err(piece) => {
                    let refused = piece.items.iter().map(|item| (item, refusal.clone())).collect();
                    self.bury(batch, refused).await;
                }
            },
            Verdict::Again { why, detail } => {
                self.metrics.retried(why, 1);
                self.failed(attempt, why, &detail);
                pieces.push(piece);
                tokio::time::sleep(attempt.backoff.next_pause()).await;
            }
        }
    }

    /// Acts on each document's verdict; returns those to be sent again, after a pause.
    async fn settle(
        &self,
        batch: &Batch,
        piece: Piece,
        verdicts: Vec<ItemVerdict>,
        attempt: &mut Attempt,
    ) -> Option<Piece> {
        let (mut added, mut duplicates) = (0, 0);
        let (mut again, mut refused) = (Vec::new(), Vec::new());
        let mut reasons: BTreeMap<(&'static str, String), usize> = BTreeMap::new();
        for (at, verdict) in verdicts.into_iter().enumerate() {
            match verdict {
                ItemVerdict::Added => added += 1,
                ItemVerdict::Duplicate => duplicates += 1,
                ItemVerdict::Refused(refusal) => refused.push((&piece.items[at], refusal)),
                ItemVerdict::Again { why, kind } => {
                    *reasons.entry((why, kind)).or_default() += 1;
                    again.push(at);
                }
            }
        }
        self.metrics.indexed_documents.inc_by(added);
        self.metrics.duplicate_documents.inc_by(duplicates);
        self.bury(batch, refused).await;
        if again.is_empty() {
            return None;
        }
        for ((why, kind), count) in reasons {
            self.metrics.retried(why, count);
            warn!(why, kind, documents = count, "documents are not indexed yet and are sent again");
        }
        if again.len() < piece.items.len() {
            attempt.backoff.reset();
        }
        tokio::time::sleep(attempt.backoff.next_pause()).await;
        Some(piece.select(&again))
    }

    /// Sends the documents' records to the dead-letter topics; returns when all are there.
    async fn bury(&self, batch: &Batch, refused: Vec<(&Item, Refusal)>) {
        let letters = refused.into_iter().filter_map(|(item, refusal)| DeadLetter::new(batch, item, refusal));
        let deliveries = letters.map(|letter| async move {
            self.dead_letters.deliver(&letter).await;
            self.metrics.dead_letters.inc();
        });
        join_all(deliveries).await;
    }

    fn succeeded(&self, attempt: &mut Attempt) {
        if attempt.failures >= AWAY_AFTER {
            info!(failures = attempt.failures, "index answers again");
        }
        attempt.failures = 0;
        self.health.ready();
    }

    /// Says so at first and then now and again; the rest is counted.
    fn failed(&self, attempt: &mut Attempt, why: &'static str, detail: &str) {
        attempt.failures = attempt.failures.saturating_add(1);
        if attempt.failures == 1 || attempt.failures.is_multiple_of(LOG_EVERY) {
            warn!(why, error = detail, failures = attempt.failures, "bulk request failed and is sent again");
        }
        if attempt.failures >= AWAY_AFTER {
            self.health.not_ready(format!("index does not take documents: {detail}"));
        }
    }
}

/// How the sending of a batch went so far.
struct Attempt {
    backoff: Backoff,
    /// Requests without an answer for each item, in a row.
    failures: u32,
}

impl Piece {
    /// Two pieces over the same bytes, or the piece itself when it has one document only.
    fn halves(mut self) -> Result<(Self, Self), Self> {
        if self.items.len() < 2 {
            return Err(self);
        }
        let mut rest = self.items.split_off(self.items.len() / 2);
        let cut = rest[0].bytes.start;
        for item in &mut rest {
            item.bytes = item.bytes.start - cut..item.bytes.end - cut;
        }
        let second = Self { body: self.body.slice(cut..), items: rest };
        let first = Self { body: self.body.slice(..cut), items: self.items };
        Ok((first, second))
    }

    /// A piece of only these documents, copied.
    fn select(&self, items: &[usize]) -> Self {
        if items.len() == self.items.len() {
            return Self { body: self.body.clone(), items: self.items.clone() };
        }
        let mut body = BytesMut::with_capacity(items.iter().map(|&at| self.items[at].bytes.len()).sum());
        let mut selected = Vec::with_capacity(items.len());
        for &at in items {
            let item = &self.items[at];
            let start = body.len();
            body.extend_from_slice(&self.body[item.bytes.clone()]);
            selected.push(Item { bytes: start..body.len(), ..item.clone() });
        }
        Self { body: body.freeze(), items: selected }
    }
}

#[cfg(test)]
mod tests;
