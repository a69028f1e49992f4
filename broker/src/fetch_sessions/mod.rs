//! Fetch sessions: a client names its partitions once, and from then on only what changes (KIP-227, since Fetch version 7).
//!
//! # What a request means
//! | session id | epoch | the request |
//! |---|---|---|
//! | 0 | -1 | names all that it wants; nothing is remembered |
//! | 0 | 0 | names all that it wants, and would like a session: the answer has its id, and its next epoch is 1 |
//! | id | 0 | closes the session, then as the line before |
//! | id | -1 | closes the session, then as the first line |
//! | id | any other | incremental: names new partitions and those wanted otherwise than before, and what to forget |
//!
//! An answer with session id 0 says that there is no session (any more). That is no error: the next request names everything.
//!
//! # An incremental request
//! is for all partitions of the session, in the session's order. It has the epoch that follows its predecessor's; after the
//! largest comes 1. Names and forgotten partitions are taken over, in this order, before anything is read. If that leaves no
//! partition, the session is closed and the answer has id 0.
//!
//! A partition is answered if it has records or an error, or if its high watermark, its last stable offset or its start are
//! not those that the client was told last (Kafka leaves the last stable offset out of this). An error is told each time, and
//! when it is gone the partition is told too, whatever its offsets are. Partitions that gave records go to the end of the
//! order, so that a full answer starves nobody; those of which only offsets were told stay where they are.
//!
//! # Errors of the whole request
//! | error | when | what clients do |
//! |---|---|---|
//! | FETCH_SESSION_ID_NOT_FOUND | there is no such session: it was evicted, closed, or the broker has started anew | name everything |
//! | INVALID_FETCH_SESSION_EPOCH | another epoch is due: an answer was lost, or another request overtook this one | close it, name everything |
//! | FETCH_SESSION_TOPIC_ID_ERROR | the session's topics go by name and the request's by id, or the other way round | the same |
//!
//! Whoever loses an answer cannot know what it told, so no epoch is served twice. A request that waits while the next one of
//! its session comes is answered with the second error, and what it would have told counts as not told.
//!
//! # Bounds
//! Sessions outlive connections, so clients that go leave theirs behind. When there are too many sessions, or too many
//! partitions in all of them, a new one takes the place of one that has not been used for two minutes; else of a smaller one
//! that is older than two minutes; else it is not opened. A session that grows makes room in the same way; if it finds none it
//! is closed, and its client is told that it is not there. Locks are taken in this order: a session's, then that of the cache.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;
use wire::ErrorCode;
use wire::message::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};

use self::cache::{Cache, Shared};
pub(crate) use self::session::TopicRef;
use self::session::{Cached, Changes, Session, can_be_remembered};
use crate::metrics::FetchSessionMetrics;

mod cache;
mod session;
#[cfg(test)]
mod tests;

/// The id of no session.
const NO_SESSION: i32 = 0;
/// The epoch that asks for a session.
const INITIAL_EPOCH: i32 = 0;
/// The epoch that asks for none.
const FINAL_EPOCH: i32 = -1;

/// What sessions may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Sessions; 0 for none.
    pub(crate) sessions: usize,
    /// Partitions of all sessions together.
    pub(crate) partitions: usize,
    /// Partitions of one session.
    pub(crate) partitions_each: usize,
}

/// What a request is for.
#[derive(Debug)]
pub(crate) enum Scope {
    /// For what it names; nothing is remembered.
    Sessionless,
    /// For what it names, and for a session.
    Full,
    /// For the partitions of a session.
    Incremental(Turn),
}

/// All sessions.
#[derive(Debug)]
pub(crate) struct FetchSessions {
    cache: Mutex<Cache>,
    metrics: FetchSessionMetrics,
}

impl FetchSessions {
    /// No sessions yet.
    pub(crate) fn new(metrics: FetchSessionMetrics) -> Self {
        FetchSessions { cache: Mutex::default(), metrics }
    }

    /// Takes over what a request says of its session, whose topics it names by id or by name.
    pub(crate) fn begin(
        &self,
        request: &FetchRequest,
        by_id: bool,
        limits: Limits,
        now: Instant,
    ) -> Result<Scope, ErrorCode> {
        let scope = match request.session_epoch {
            INITIAL_EPOCH => Scope::Full,
            FINAL_EPOCH => Scope::Sessionless,
            _ => return self.resume(request, by_id, limits, now),
        };
        if request.session_id != NO_SESSION {
            self.close(request.session_id);
        }
        Ok(scope)
    }

    fn resume(
        &self,
        request: &FetchRequest,
        by_id: bool,
        limits: Limits,
        now: Instant,
    ) -> Result<Scope, ErrorCode> {
        let id = request.session_id;
        let found = self.cache.lock().take_up(id, now);
        let shared = found.ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let mut session = shared.lock();
        if session.epoch() != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.by_id() != by_id {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        if !can_be_remembered(request) {
            self.close(id);
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        let before = session.len();
        session.update(request);
        if session.is_empty() {
            self.close(id);
            return Ok(Scope::Sessionless);
        }
        if session.len() != before && !self.resize(id, session.len(), limits, now) {
            self.close(id);
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        let epoch = session.next_epoch();
        drop(session);
        Ok(Scope::Incremental(Turn { id, epoch, session: shared }))
    }

    /// Opens a session for what `request` has named and `response` is about to tell; returns its id, 0 if there is no room.
    pub(crate) fn open(
        &self,
        request: &FetchRequest,
        response: &FetchResponse,
        by_id: bool,
        limits: Limits,
        now: Instant,
    ) -> i32 {
        if !can_be_remembered(request) {
            return NO_SESSION;
        }
        let size: usize = request.topics.iter().map(|topic| topic.partitions.len()).sum();
        let shared = Arc::new(Mutex::new(Session::new(by_id)));
        let inserted = self.change(|cache| cache.insert(Arc::clone(&shared), size, limits, now));
        let Some((id, evicted)) = inserted else { return NO_SESSION };
        self.count_evicted(&evicted);
        // nobody else has its id yet
        shared.lock().fill(request, response);
        id
    }

    fn resize(&self, id: i32, size: usize, limits: Limits, now: Instant) -> bool {
        let evicted = self.change(|cache| cache.resize(id, size, limits, now));
        evicted.inspect(|evicted| self.count_evicted(evicted)).is_some()
    }

    fn close(&self, id: i32) {
        drop(self.change(|cache| cache.remove(id)));
    }

    /// Changes the cache. What is taken out of it is returned, so that it is freed without the lock.
    fn change<T>(&self, change: impl FnOnce(&mut Cache) -> T) -> T {
        let mut cache = self.cache.lock();
        let result = change(&mut cache);
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.metrics.sessions.set(count(cache.sessions()));
        self.metrics.partitions.set(count(cache.partitions()));
        result
    }

    fn count_evicted(&self, evicted: &[Shared]) {
        self.metrics.evictions.inc_by(evicted.len() as u64);
    }
}

/// An incremental request being served. It is the session's newest until the next one comes.
#[derive(Debug)]
pub(crate) struct Turn {
    id: i32,
    /// The epoch that the session expects next, as long as nobody has overtaken this request.
    epoch: i32,
    session: Shared,
}

impl Turn {
    /// The session's id.
    pub(crate) fn id(&self) -> i32 {
        self.id
    }

    /// Reads all partitions, in the session's order, and keeps what is to be told of them.
    pub(crate) fn changed(&self, read: impl FnMut(&Cached) -> PartitionData) -> Result<Changes, ErrorCode> {
        Ok(self.session()?.changed(read))
    }

    /// Visits all partitions; none if the request was overtaken.
    pub(crate) fn each(&self, visit: impl FnMut(&Cached)) {
        if let Ok(session) = self.session() {
            session.partitions().for_each(visit);
        }
    }

    /// Remembers that the client is told `responses`, which are of the partitions at `places`.
    pub(crate) fn commit(
        &self,
        places: &[u64],
        responses: &[FetchableTopicResponse],
    ) -> Result<(), ErrorCode> {
        self.session()?.commit(places, responses);
        Ok(())
    }

    fn session(&self) -> Result<MutexGuard<'_, Session>, ErrorCode> {
        let session = self.session.lock();
        if session.epoch() == self.epoch { Ok(session) } else { Err(ErrorCode::InvalidFetchSessionEpoch) }
    }
}
