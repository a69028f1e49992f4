//! DescribeTransactions and ListTransactions, and what is shown of open transactions.

use std::collections::HashSet;

use wire::ErrorCode;
use wire::message::describe_transactions::{TopicData, TransactionState};
use wire::message::list_transactions::{
    ListTransactionsRequest, ListTransactionsResponse, ListedTransaction,
};

use super::coordinator::Coordinator;
use super::state::{State, Transaction};

/// A transaction that has begun and not ended.
#[derive(Debug)]
pub(crate) struct OpenTransaction {
    pub(crate) transactional_id: String,
    pub(crate) producer_id: i64,
    /// Kafka's name of it.
    pub(crate) state: &'static str,
    pub(crate) partitions: usize,
    /// Since its beginning, milliseconds.
    pub(crate) age_ms: i64,
}

impl Coordinator {
    /// The transactions that have begun and not ended, by transactional id.
    pub(crate) fn open(&self) -> Vec<OpenTransaction> {
        let now_ms = self.clock.now_ms();
        let is_open = |current: &Transaction| current.state == State::Ongoing || current.state.is_ending();
        let mut open = Vec::new();
        for (transactional_id, entry) in self.all() {
            let Some(current) = entry.current().filter(|current| is_open(current)) else { continue };
            open.push(OpenTransaction {
                transactional_id,
                producer_id: current.producer_id,
                state: current.state.name(),
                partitions: current.size(),
                age_ms: now_ms.saturating_sub(current.start_ms),
            });
        }
        open.sort_by(|a, b| a.transactional_id.cmp(&b.transactional_id));
        open
    }

    /// Serves ListTransactions: the ids that pass all filters; an empty filter lets all pass.
    pub(crate) fn list(&self, request: ListTransactionsRequest) -> ListTransactionsResponse {
        let (known, unknown): (Vec<String>, Vec<String>) =
            request.state_filters.into_iter().partition(|name| State::from_name(name).is_some());
        let states: HashSet<State> = known.iter().filter_map(|name| State::from_name(name)).collect();
        let is_filtered = !states.is_empty() || !unknown.is_empty();
        let producers: HashSet<i64> = request.producer_id_filters.into_iter().collect();
        let now_ms = self.clock.now_ms();
        let passes = |current: &Transaction| {
            let duration_ms = now_ms.saturating_sub(current.start_ms);
            (producers.is_empty() || producers.contains(&current.producer_id))
                && (!is_filtered || states.contains(&current.state))
                && (request.duration_filter < 0 || duration_ms > request.duration_filter)
        };
        let mut transaction_states: Vec<ListedTransaction> = Vec::new();
        for (transactional_id, entry) in self.all() {
            let Some(current) = entry.current().filter(|current| passes(current)) else { continue };
            transaction_states.push(ListedTransaction {
                transactional_id,
                producer_id: current.producer_id,
                transaction_state: current.state.name().to_owned(),
            });
        }
        transaction_states.sort_by(|a, b| a.transactional_id.cmp(&b.transactional_id));
        ListTransactionsResponse { unknown_state_filters: unknown, transaction_states, ..Default::default() }
    }

    /// Serves DescribeTransactions for one id.
    pub(crate) fn describe(&self, transactional_id: String) -> TransactionState {
        let refuse = |transactional_id, error: ErrorCode| TransactionState {
            error_code: error.code(),
            transactional_id,
            ..Default::default()
        };
        if transactional_id.is_empty() {
            return refuse(transactional_id, ErrorCode::InvalidRequest);
        }
        let Some(current) = self.find(&transactional_id).and_then(|entry| entry.current()) else {
            return refuse(transactional_id, ErrorCode::TransactionalIdNotFound);
        };
        let topics = current.partitions.iter().map(|(topic, partitions)| TopicData {
            topic: topic.clone(),
            partitions: partitions.iter().copied().collect(),
        });
        TransactionState {
            error_code: 0,
            transactional_id,
            transaction_state: current.state.name().to_owned(),
            transaction_timeout_ms: current.timeout_ms,
            transaction_start_time_ms: current.start_ms,
            producer_id: current.producer_id,
            producer_epoch: current.producer_epoch,
            topics: topics.collect(),
        }
    }
}
