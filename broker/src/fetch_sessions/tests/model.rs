//! Whatever a client, its connection and other clients do: who applies what a session tells knows what a request without a
//! session would have been told.

use proptest::prelude::*;

use super::*;
use crate::fetch_sessions::session::epoch_after;

/// High watermark, last stable offset and start, or the error.
type Known = Result<(i64, i64, i64), i16>;

#[derive(Debug, Clone)]
enum Op {
    Append(Key),
    Settle(Key),
    DeleteRecords(Key),
    DeleteTopic(u8),
    Create(Key),
    /// The client wants a partition, from the beginning or from its end.
    Want(Key, bool),
    Unwant(Key),
    /// It sends a request; so many partitions have room for records.
    Fetch(usize),
    /// Its request is answered, and the answer is lost.
    LoseAnswer,
    /// Its connection breaks while the request waits.
    LoseRequest,
    /// Another client fetches so many partitions.
    Other(i32),
    /// Somebody sends a wrong epoch.
    Intrude(i32),
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let key = || (0..3u8, 0..2i32);
    prop_oneof![
        4 => key().prop_map(Op::Append),
        1 => key().prop_map(Op::Settle),
        1 => key().prop_map(Op::DeleteRecords),
        1 => (0..3u8).prop_map(Op::DeleteTopic),
        3 => key().prop_map(Op::Create),
        4 => (key(), any::<bool>()).prop_map(|(key, at_end)| Op::Want(key, at_end)),
        2 => key().prop_map(Op::Unwant),
        10 => prop_oneof![Just(usize::MAX), 0..3usize].prop_map(Op::Fetch),
        1 => Just(Op::LoseAnswer),
        1 => Just(Op::LoseRequest),
        1 => (0..5).prop_map(Op::Other),
        1 => any::<i32>().prop_map(Op::Intrude),
        1 => (0..200u64).prop_map(Op::Pass),
    ]
}

/// A client as Kafka's: it names what is new or different, and forgets what it does not want any more.
#[derive(Debug, Default)]
struct Consumer {
    /// Id and next epoch.
    session: Option<(i32, i32)>,
    /// A session that it has given up and not closed yet.
    given_up: i32,
    /// What the session has been told of what is wanted, as far as the client knows.
    named: BTreeMap<Key, i64>,
    wanted: BTreeMap<Key, i64>,
    known: BTreeMap<Key, Known>,
}

impl Consumer {
    fn request(&self) -> FetchRequest {
        let all = self.wanted.iter().map(|(key, offset)| (*key, *offset));
        let Some((id, epoch)) = self.session else {
            return full(self.given_up, INITIAL_EPOCH, &all.collect::<Vec<_>>());
        };
        let changed = all.filter(|(key, offset)| self.named.get(key) != Some(offset));
        let forgotten = self.named.keys().filter(|key| !self.wanted.contains_key(*key));
        request(id, epoch, &changed.collect::<Vec<_>>(), &forgotten.copied().collect::<Vec<_>>())
    }

    /// After an error the session is closed, unless there is none.
    fn give_up(&mut self, error: ErrorCode) {
        let (id, _) = self.session.take().expect("an error of a session that the client has not");
        self.given_up = match error {
            ErrorCode::FetchSessionIdNotFound => NO_SESSION,
            ErrorCode::InvalidFetchSessionEpoch => id,
            other => panic!("{other:?}"),
        };
    }

    fn apply(&mut self, response: &FetchResponse) {
        let answered = told(response).into_iter().map(|(key, data)| (key, known(data)));
        match self.session {
            Some((id, epoch)) if response.session_id == id => {
                self.session = Some((id, epoch_after(epoch)));
                self.known.extend(answered);
                self.known.retain(|key, _| self.wanted.contains_key(key));
            }
            Some(_) => {
                assert_eq!(response.session_id, NO_SESSION);
                assert!(self.wanted.is_empty(), "a session with partitions is not closed");
                self.session = None;
                self.known.clear();
            }
            None => {
                self.session = (response.session_id != NO_SESSION).then_some((response.session_id, 1));
                self.given_up = NO_SESSION;
                self.known = answered.collect();
            }
        }
        self.named = self.wanted.clone();
    }
}

fn known(data: &PartitionData) -> Known {
    match data.error_code {
        0 => Ok((data.high_watermark, data.last_stable_offset, data.log_start_offset)),
        error => Err(error),
    }
}

struct Run {
    world: World,
    consumer: Consumer,
}

impl Run {
    fn new(by_id: bool) -> Self {
        let mut world = World::new(by_id);
        world.limits = Limits { sessions: 1, partitions: 5, partitions_each: 4 };
        Run { world, consumer: Consumer::default() }
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Append(key) => self.change(key, |offsets| offsets.end += 1),
            Op::Settle(key) => self.change(key, |offsets| offsets.stable = offsets.end),
            Op::DeleteRecords(key) => self.change(key, |offsets| offsets.start = offsets.end),
            Op::DeleteTopic(topic) => self.world.partitions.retain(|(of, _), _| *of != topic),
            Op::Create(key) => {
                self.world.partitions.entry(key).or_insert(Offsets { start: 0, stable: 0, end: 0 });
            }
            Op::Want(key, at_end) => {
                let end = self.world.partitions.get(&key).map_or(0, |offsets| offsets.end);
                self.consumer.wanted.insert(key, if at_end { end } else { 0 });
            }
            Op::Unwant(key) => {
                self.consumer.wanted.remove(&key);
            }
            Op::Fetch(room) => {
                self.world.room = room;
                self.fetch();
            }
            Op::LoseAnswer => drop(self.world.fetch(&self.consumer.request())),
            Op::LoseRequest => drop(self.world.begin(&self.consumer.request())),
            Op::Other(count) => {
                let wanted: Vec<_> = (0..count).map(|partition| ((9, partition), 0)).collect();
                self.world.opens(&wanted);
            }
            Op::Intrude(epoch) => {
                let Some((id, due)) = self.consumer.session else { return };
                let is_wrong = ![due, epoch_after(due), INITIAL_EPOCH, FINAL_EPOCH].contains(&epoch);
                if is_wrong {
                    assert!(self.world.fetch(&request(id, epoch, &[((0, 0), 1)], &[(0, 1)])).is_err());
                }
            }
            Op::Pass(seconds) => self.world.pass(seconds),
        }
    }

    fn change(&mut self, key: Key, change: impl FnOnce(&mut Offsets)) {
        if let Some(offsets) = self.world.partitions.get_mut(&key) {
            change(offsets);
        }
    }

    /// A request, and a second one if the first meets an error of the session.
    fn fetch(&mut self) {
        let first = self.world.fetch(&self.consumer.request());
        let response = first.or_else(|error| {
            self.consumer.give_up(error);
            self.world.fetch(&self.consumer.request())
        });
        let response = response.expect("a full request is not refused");
        self.consumer.apply(&response);
        self.check(&response);
        // who got records goes on by one
        for (key, data) in told(&response) {
            if data.records.as_ref().is_some_and(|records| !records.is_empty()) {
                *self.consumer.wanted.get_mut(&key).expect("records that nobody wants") += 1;
            }
        }
    }

    /// The client knows what it would be told without a session, and nothing else.
    fn check(&self, response: &FetchResponse) {
        let wanted: Vec<(Key, i64)> =
            self.consumer.wanted.iter().map(|(key, offset)| (*key, *offset)).collect();
        let without = self.world.fetch(&full(NO_SESSION, FINAL_EPOCH, &wanted)).unwrap();
        let expected: BTreeMap<Key, Known> =
            told(&without).into_iter().map(|(key, data)| (key, known(data))).collect();
        assert_eq!(self.consumer.known, expected);
        if self.world.room == usize::MAX {
            let given = |response: &FetchResponse| -> BTreeMap<Key, usize> {
                let size = |data: &PartitionData| data.records.as_ref().map_or(0, Blob::len);
                let sizes = told(response).into_iter().map(|(key, data)| (key, size(data)));
                sizes.filter(|(_, size)| *size > 0).collect()
            };
            assert_eq!(given(response), given(&without), "records");
        }
        let (sessions, partitions, _) = self.world.counts();
        let limits = self.world.limits;
        assert!(sessions <= limits.sessions as i64 && partitions <= limits.partitions as i64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn who_applies_what_is_told_knows_what_a_full_answer_would_tell(
        by_id in any::<bool>(),
        ops in prop::collection::vec(op(), 0..120),
    ) {
        let mut run = Run::new(by_id);
        for op in ops {
            run.run(op);
        }
    }
}
