//! One transactional id as plain data, after Kafka's (TransactionMetadata of 0.11 to 3.9). Each request either gives the
//! next state, which holds once it is durable, or is refused.

use std::collections::{BTreeMap, BTreeSet};

use wire::ErrorCode;

/// Partitions by topic.
pub(crate) type Partitions = BTreeMap<String, BTreeSet<i32>>;

/// Where a transaction stands, with Kafka's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(super) enum State {
    /// There has been no transaction since the producer's last InitProducerId.
    Empty = 0,
    /// It has partitions.
    Ongoing = 1,
    /// It is committed; markers are being written.
    PrepareCommit = 2,
    /// It is aborted; markers are being written.
    PrepareAbort = 3,
    /// It is committed, and the next may begin.
    CompleteCommit = 4,
    /// It is aborted, and the next may begin.
    CompleteAbort = 5,
    /// The id is being removed. Never written.
    Dead = 6,
    /// The epoch is being raised to fence a producer. Never written.
    PrepareEpochFence = 7,
}

impl State {
    const ALL: [State; 8] = [
        State::Empty,
        State::Ongoing,
        State::PrepareCommit,
        State::PrepareAbort,
        State::CompleteCommit,
        State::CompleteAbort,
        State::Dead,
        State::PrepareEpochFence,
    ];

    /// The state of a number in the log.
    pub(super) fn from_id(id: i8) -> Option<State> {
        State::ALL.into_iter().find(|state| *state as i8 == id)
    }

    /// The state of a name in a request.
    pub(super) fn from_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Kafka's name of the state.
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::Ongoing => "Ongoing",
            State::PrepareCommit => "PrepareCommit",
            State::PrepareAbort => "PrepareAbort",
            State::CompleteCommit => "CompleteCommit",
            State::CompleteAbort => "CompleteAbort",
            State::Dead => "Dead",
            State::PrepareEpochFence => "PrepareEpochFence",
        }
    }

    /// Whether the decision has fallen and markers are owed.
    pub(super) fn is_ending(self) -> bool {
        matches!(self, State::PrepareCommit | State::PrepareAbort)
    }

    /// Whether there is nothing to be lost but the id itself.
    pub(super) fn is_idle(self) -> bool {
        matches!(self, State::Empty | State::CompleteCommit | State::CompleteAbort)
    }
}

/// What InitProducerId leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Init {
    /// The producer gets what this state says, once it is durable.
    Next(Transaction),
    /// The epoch cannot grow: the same with a new producer id.
    NeedsId,
    /// A transaction is open: it has to be aborted first, with this state, and the producer has to ask again.
    AbortFirst(Transaction),
}

/// A transactional id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transaction {
    pub(super) producer_id: i64,
    /// The id before the epochs were used up, -1 if there was none.
    pub(super) last_producer_id: i64,
    /// -1 while no producer has been given one.
    pub(super) producer_epoch: i16,
    /// The epoch before the producer raised it itself, by which it is known when it asks again; -1 if it did not.
    pub(super) last_producer_epoch: i16,
    /// How long a transaction may be open, milliseconds.
    pub(super) timeout_ms: i32,
    pub(super) state: State,
    /// While it is open or ends: where it has records, or may have.
    pub(super) partitions: Partitions,
    /// When the transaction was begun, milliseconds since 1970; -1 before the first.
    pub(super) start_ms: i64,
    pub(super) updated_ms: i64,
}

/// The last epoch that a producer is given: one more must be left to fence it.
const LAST_EPOCH: i16 = i16::MAX - 1;

impl Transaction {
    /// An id that nobody has used, before its first epoch.
    pub(super) fn new(producer_id: i64, timeout_ms: i32, now_ms: i64) -> Self {
        Transaction {
            producer_id,
            last_producer_id: -1,
            producer_epoch: -1,
            last_producer_epoch: -1,
            timeout_ms,
            state: State::Empty,
            partitions: Partitions::new(),
            start_ms: -1,
            updated_ms: now_ms,
        }
    }

    /// InitProducerId: a producer begins anew (`known` is none), or wants to go on with the id and epoch that it has
    /// (KIP-360). `new_id` is asked for only after [`Init::NeedsId`].
    pub(super) fn init(
        &self,
        known: Option<(i64, i16)>,
        timeout_ms: i32,
        new_id: Option<i64>,
        now_ms: i64,
    ) -> Result<Init, ErrorCode> {
        if !known.is_none_or(|(id, epoch)| self.is_own(id, epoch)) {
            return Err(ErrorCode::ProducerFenced);
        }
        match self.state {
            State::PrepareCommit | State::PrepareAbort => return Err(ErrorCode::ConcurrentTransactions),
            State::Ongoing => return self.fence(now_ms).map(Init::AbortFirst),
            State::Dead | State::PrepareEpochFence => return Err(ErrorCode::ConcurrentTransactions),
            State::Empty | State::CompleteCommit | State::CompleteAbort => {}
        }
        let next = Transaction { timeout_ms, last_producer_id: self.producer_id, ..self.idle(now_ms) };
        if self.producer_epoch >= LAST_EPOCH && known.is_none_or(|(_, epoch)| epoch == self.producer_epoch) {
            let Some(producer_id) = new_id else { return Ok(Init::NeedsId) };
            let last_producer_epoch = if known.is_some() { self.producer_epoch } else { -1 };
            let producer_epoch = 0;
            return Ok(Init::Next(Transaction { producer_id, producer_epoch, last_producer_epoch, ..next }));
        }
        let (producer_epoch, last_producer_epoch) = self.raised(known)?;
        Ok(Init::Next(Transaction { producer_epoch, last_producer_epoch, ..next }))
    }

    /// Whether a producer that has this id and epoch may still be the current one. It is also when its epochs were used up
    /// and it has not heard of the new id.
    fn is_own(&self, id: i64, epoch: i16) -> bool {
        self.producer_epoch < 0
            || id == self.producer_id
            || (id == self.last_producer_id && epoch >= LAST_EPOCH)
    }

    /// The next epoch, and the one by which a repeated request is recognised.
    fn raised(&self, known: Option<(i64, i16)>) -> Result<(i16, i16), ErrorCode> {
        let next = self.producer_epoch.checked_add(1).ok_or(ErrorCode::ProducerFenced)?;
        match known {
            None => Ok((next, -1)),
            Some((_, epoch)) if self.producer_epoch < 0 || epoch == self.producer_epoch => {
                Ok((next, self.producer_epoch))
            }
            // it asks again: the first answer was lost
            Some((_, epoch)) if epoch == self.last_producer_epoch => {
                Ok((self.producer_epoch, self.last_producer_epoch))
            }
            Some(_) => Err(ErrorCode::ProducerFenced),
        }
    }

    fn idle(&self, now_ms: i64) -> Self {
        Transaction {
            state: State::Empty,
            partitions: Partitions::new(),
            start_ms: -1,
            updated_ms: now_ms,
            ..self.clone()
        }
    }

    /// Aborts an open transaction under the next epoch, which nobody is given: what its producer does now is refused.
    pub(super) fn fence(&self, now_ms: i64) -> Result<Self, ErrorCode> {
        let producer_epoch = self.producer_epoch.checked_add(1).ok_or(ErrorCode::ProducerFenced)?;
        Ok(Transaction {
            state: State::PrepareAbort,
            producer_epoch,
            last_producer_epoch: -1,
            updated_ms: now_ms,
            ..self.clone()
        })
    }

    /// Whether a request is of this id's current producer.
    pub(super) fn check_producer(&self, producer_id: i64, producer_epoch: i16) -> Result<(), ErrorCode> {
        if producer_id != self.producer_id {
            Err(ErrorCode::InvalidProducerIdMapping)
        } else if producer_epoch != self.producer_epoch {
            Err(ErrorCode::ProducerFenced)
        } else {
            Ok(())
        }
    }

    /// AddPartitionsToTxn and AddOffsetsToTxn; `None` when the transaction has all of them already.
    pub(super) fn add(&self, partitions: &Partitions, now_ms: i64) -> Result<Option<Self>, ErrorCode> {
        if !self.state.is_idle() && self.state != State::Ongoing {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        let is_open = self.state == State::Ongoing;
        let has = |topic: &String, partition: &i32| {
            self.partitions.get(topic).is_some_and(|known| known.contains(partition))
        };
        if is_open && partitions.iter().all(|(topic, wanted)| wanted.iter().all(|p| has(topic, p))) {
            return Ok(None);
        }
        let mut next = self.clone();
        for (topic, wanted) in partitions {
            next.partitions.entry(topic.clone()).or_default().extend(wanted);
        }
        next.state = State::Ongoing;
        next.start_ms = if is_open { self.start_ms } else { now_ms };
        next.updated_ms = now_ms;
        Ok(Some(next))
    }

    /// Whether a partition is part of the open transaction. Kafka lets it pass, too, while nothing says otherwise: what
    /// is appended is checked again by the partition.
    pub(super) fn verify(&self, topic: &str, partition: i32) -> Result<(), ErrorCode> {
        if self.state.is_ending() {
            return Err(ErrorCode::ConcurrentTransactions);
        }
        let is_part = self.partitions.get(topic).is_some_and(|known| known.contains(&partition));
        if is_part { Ok(()) } else { Err(ErrorCode::TransactionAbortable) }
    }

    /// EndTxn: the decision; `None` when it has fallen that way before and all is done.
    pub(super) fn prepare(&self, is_commit: bool, now_ms: i64) -> Result<Option<Self>, ErrorCode> {
        match (self.state, is_commit) {
            (State::Ongoing, _) => {
                let state = if is_commit { State::PrepareCommit } else { State::PrepareAbort };
                Ok(Some(Transaction { state, updated_ms: now_ms, ..self.clone() }))
            }
            (State::CompleteCommit, true) | (State::CompleteAbort, false) => Ok(None),
            (State::PrepareCommit, true) | (State::PrepareAbort, false) => {
                Err(ErrorCode::ConcurrentTransactions)
            }
            _ => Err(ErrorCode::InvalidTxnState),
        }
    }

    /// What follows once every marker is durable.
    pub(super) fn complete(&self, now_ms: i64) -> Self {
        let is_commit = self.state == State::PrepareCommit;
        let state = if is_commit { State::CompleteCommit } else { State::CompleteAbort };
        Transaction { state, partitions: Partitions::new(), updated_ms: now_ms, ..self.clone() }
    }

    /// Whether the time of the open transaction is up.
    pub(super) fn is_overdue(&self, now_ms: i64) -> bool {
        self.state == State::Ongoing && self.start_ms.saturating_add(i64::from(self.timeout_ms)) < now_ms
    }

    /// The number of its partitions.
    pub(super) fn size(&self) -> usize {
        self.partitions.values().map(BTreeSet::len).sum()
    }
}
