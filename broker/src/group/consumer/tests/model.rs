//! Any order of members coming, going and falling behind, topics changing, and restarts: nobody reads what another reads,
//! and in the end all is read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;
use wire::ErrorCode;
use wire::message::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use crate::error::Failure;
use crate::group::Caller;
use crate::group::config::ConsumerConfig;
use crate::group::consumer::change::Change;
use crate::group::consumer::check::check;
use crate::group::consumer::heartbeat::Beat;
use crate::group::consumer::member::Current;
use crate::group::consumer::partitions::{Partitions, each, from_wire, to_wire};
use crate::group::consumer::records::{read, record};
use crate::group::consumer::state::ConsumerGroup;
use crate::group::consumer::topics::{TopicSize, TopicSizes, Topics};

const TOPICS: [&str; 3] = ["a", "b", "c"];

/// Regular expressions, and which topics they match.
const EXPRESSIONS: [(&str, &[usize]); 4] =
    [("", &[]), ("a|b", &[0, 1]), ("[^a]", &[1, 2]), (".*", &[0, 1, 2])];

#[derive(Debug, Default)]
struct FakeTopics {
    version: u64,
    by_name: BTreeMap<String, TopicSize>,
}

impl Topics for FakeTopics {
    fn version(&self) -> u64 {
        self.version
    }

    fn size(&self, name: &str) -> Option<TopicSize> {
        self.by_name.get(name).copied()
    }

    fn matching(&self, is_wanted: &dyn Fn(&str) -> bool) -> TopicSizes {
        let wanted = self.by_name.iter().filter(|(name, _)| is_wanted(name));
        wanted.map(|(name, size)| (name.clone(), *size)).collect()
    }

    fn name(&self, id: Uuid) -> Option<String> {
        self.by_name.iter().find(|(_, size)| size.id == id).map(|(name, _)| name.clone())
    }
}

/// A consumer as Kafka's: it takes a new assignment over when it gets round to it.
#[derive(Debug, Clone)]
struct Client {
    id: String,
    epoch: i32,
    assignor: &'static str,
    topics: BTreeSet<String>,
    /// The place of its expression.
    expression: usize,
    owned: Partitions,
    told: Option<Partitions>,
    /// Whether its next request tells its subscription.
    is_new: bool,
}

#[derive(Debug, Clone)]
enum Op {
    Join(Vec<usize>, usize, bool),
    Beat(prop::sample::Index),
    TakeOver(prop::sample::Index),
    Subscribe(prop::sample::Index, Vec<usize>, usize),
    Forget(prop::sample::Index),
    Leave(prop::sample::Index),
    Expire(prop::sample::Index),
    Resize(usize, i32),
    Restart(bool),
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<prop::sample::Index>;
    let some = || prop::collection::vec(0..TOPICS.len(), 0..4);
    let expression = || 0..EXPRESSIONS.len();
    prop_oneof![
        2 => (some(), expression(), any::<bool>()).prop_map(|(topics, at, range)| Op::Join(topics, at, range)),
        8 => index().prop_map(Op::Beat),
        6 => index().prop_map(Op::TakeOver),
        1 => (index(), some(), expression()).prop_map(|(client, topics, at)| Op::Subscribe(client, topics, at)),
        1 => index().prop_map(Op::Forget),
        1 => index().prop_map(Op::Leave),
        1 => index().prop_map(Op::Expire),
        1 => (0..TOPICS.len(), 0..6).prop_map(|(topic, size)| Op::Resize(topic, size)),
        1 => any::<bool>().prop_map(Op::Restart),
    ]
}

#[derive(Debug, Default)]
struct World {
    group: ConsumerGroup,
    topics: FakeTopics,
    config: ConsumerConfig,
    clients: Vec<Client>,
    log: Vec<(Bytes, Option<Bytes>)>,
    joined: usize,
}

fn names(numbers: &[usize]) -> BTreeSet<String> {
    numbers.iter().map(|number| TOPICS[*number].to_owned()).collect()
}

impl World {
    fn write(&mut self, changes: &[Change]) {
        self.log.extend(changes.iter().map(|change| record("g", change).unwrap()));
    }

    fn request(&self, client: &Client) -> ConsumerGroupHeartbeatRequest {
        let mut request = ConsumerGroupHeartbeatRequest {
            group_id: "g".into(),
            member_id: client.id.clone(),
            member_epoch: client.epoch,
            topic_partitions: Some(to_wire(&client.owned)),
            ..Default::default()
        };
        if client.epoch == 0 || client.is_new {
            request.rebalance_timeout_ms = 1000;
            request.subscribed_topic_names = Some(client.topics.iter().cloned().collect());
            request.subscribed_topic_regex = Some(EXPRESSIONS[client.expression].0.into());
            request.server_assignor = Some(client.assignor.into());
        }
        request
    }

    fn answer(&mut self, client: &Client) -> Result<ConsumerGroupHeartbeatResponse, Failure> {
        let request = self.request(client);
        let caller = Caller { client_id: "c".into(), client_host: "/h".into(), version: 1 };
        check(&request, caller.version, &self.config)?;
        let owned = request.topic_partitions.as_deref().map(from_wire);
        let outcome = self.group.heartbeat(&Beat {
            group: "g",
            request: &request,
            member_id: &client.id,
            owned: owned.as_ref(),
            caller: &caller,
            config: &self.config,
            topics: &self.topics,
            now_ms: 0,
        })?;
        self.write(&outcome.changes);
        Ok(self.group.accept(outcome))
    }

    fn beat(&mut self, at: usize) {
        let mut client = self.clients[at].clone();
        match self.answer(&client) {
            Ok(response) => {
                client.epoch = response.member_epoch;
                client.is_new = false;
                if let Some(assignment) = response.assignment {
                    client.told = Some(from_wire(&assignment.topic_partitions));
                }
            }
            Err(failure) => {
                assert_eq!(failure.code, ErrorCode::UnknownMemberId, "{}", failure.message);
                client = Client { epoch: 0, owned: Partitions::new(), told: None, ..client };
            }
        }
        self.clients[at] = client;
    }

    fn take_over(&mut self, at: usize) {
        if let Some(told) = self.clients[at].told.take() {
            self.clients[at].owned = told;
        }
    }

    fn remove(&mut self, id: &str) {
        if self.group.members.contains_key(id) {
            let changes = self.group.removal(id);
            self.write(&changes);
            changes.into_iter().for_each(|change| self.group.apply(change));
        }
    }

    fn resize(&mut self, topic: usize, size: i32) {
        self.topics.version += 1;
        let name = TOPICS[topic].to_owned();
        let before = self.topics.by_name.get(&name).copied();
        match before {
            // it grows, or it is another one
            Some(before) if before.partitions < size => {
                self.topics.by_name.insert(name, TopicSize { partitions: size, ..before });
            }
            _ if size == 0 => {
                self.topics.by_name.remove(&name);
            }
            _ => {
                let id = Uuid::from_u128(u128::from(self.topics.version));
                self.topics.by_name.insert(name, TopicSize { id, partitions: size });
            }
        }
    }

    /// The group as the log has it, the log perhaps compacted.
    fn restart(&mut self, is_compacted: bool) {
        if is_compacted {
            let last: HashMap<Bytes, usize> =
                self.log.iter().enumerate().map(|(at, (key, _))| (key.clone(), at)).collect();
            let records = std::mem::take(&mut self.log).into_iter().enumerate();
            let kept = records.filter(|(at, (key, value))| last[key] == *at && value.is_some());
            self.log = kept.map(|(_, record)| record).collect();
        }
        let mut loaded = ConsumerGroup::default();
        for (key, value) in &self.log {
            loaded.apply(read(key.clone(), value.clone()).unwrap().unwrap().1);
        }
        loaded.drop_strays();
        assert_eq!(shown(&loaded), shown(&self.group));
        self.group = loaded;
    }

    fn run(&mut self, op: Op) {
        let count = self.clients.len();
        let pick = |index: prop::sample::Index| (count > 0).then(|| index.index(count.max(1)));
        match op {
            Op::Join(topics, expression, range) => {
                self.joined += 1;
                self.clients.push(Client {
                    id: format!("m{}", self.joined),
                    epoch: 0,
                    assignor: if range { "range" } else { "uniform" },
                    topics: names(&topics),
                    expression,
                    owned: Partitions::new(),
                    told: None,
                    is_new: true,
                });
                self.beat(count);
            }
            Op::Beat(index) => pick(index).into_iter().for_each(|at| self.beat(at)),
            Op::TakeOver(index) => pick(index).into_iter().for_each(|at| self.take_over(at)),
            Op::Subscribe(index, topics, expression) => {
                if let Some(at) = pick(index) {
                    self.clients[at].topics = names(&topics);
                    self.clients[at].expression = expression;
                    self.clients[at].is_new = true;
                }
            }
            // it joins again with the same id, as one that was fenced
            Op::Forget(index) => {
                if let Some(at) = pick(index) {
                    let client = self.clients[at].clone();
                    self.clients[at] = Client { epoch: 0, owned: Partitions::new(), told: None, ..client };
                }
            }
            Op::Leave(index) => {
                if let Some(at) = pick(index) {
                    let gone = self.clients.remove(at);
                    self.remove(&gone.id);
                }
            }
            // the client has given up before: it cannot reach the broker, and comes back
            Op::Expire(index) => {
                if let Some(at) = pick(index) {
                    let client = self.clients[at].clone();
                    self.clients[at] = Client { owned: Partitions::new(), told: None, ..client };
                    let id = self.clients[at].id.clone();
                    self.remove(&id);
                }
            }
            Op::Resize(topic, size) => self.resize(topic, size),
            Op::Restart(is_compacted) => self.restart(is_compacted),
        }
    }

    fn check_owners(&self) {
        let mut owned = BTreeSet::new();
        for client in &self.clients {
            for place in each(&client.owned) {
                assert!(owned.insert(place), "{place:?} has two owners");
                assert_eq!(self.group.holders.get(&place), Some(&client.id), "{place:?}");
            }
        }
    }

    /// Everyone does what he should for a while.
    fn settle(&mut self) {
        for _ in 0..10 {
            for at in 0..self.clients.len() {
                self.beat(at);
                self.take_over(at);
                self.check_owners();
            }
        }
        let read: BTreeSet<(Uuid, i32)> =
            self.clients.iter().flat_map(|client| each(&client.owned)).collect();
        let matched = |client: &Client| names(EXPRESSIONS[client.expression].1);
        let wanted =
            |client: &Client| client.topics.union(&matched(client)).cloned().collect::<Vec<String>>();
        let names: BTreeSet<String> = self.clients.iter().flat_map(wanted).collect();
        let sizes = names.iter().filter_map(|name| self.topics.by_name.get(name));
        let all: BTreeSet<(Uuid, i32)> =
            sizes.flat_map(|size| (0..size.partitions).map(move |index| (size.id, index))).collect();
        assert_eq!(read, all);
        assert_eq!(self.group.state_name(), if self.clients.is_empty() { "Empty" } else { "Stable" });
    }
}

type Shown = (i32, i32, Vec<(String, Current)>, Vec<(String, Partitions)>, BTreeMap<(Uuid, i32), String>);

fn shown(group: &ConsumerGroup) -> Shown {
    let members = group.members.iter().map(|(id, member)| (id.clone(), member.current.clone()));
    let targets = group.targets.iter().map(|(id, target)| (id.clone(), target.clone()));
    let holders = group.holders.iter().map(|(place, id)| (*place, id.clone()));
    (group.epoch, group.target_epoch, members.collect(), targets.collect(), holders.collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn nobody_reads_what_another_reads_and_in_the_end_all_is_read(
        ops in prop::collection::vec(op(), 0..60),
    ) {
        let mut world = World::default();
        world.resize(0, 4);
        world.resize(1, 3);
        for op in ops {
            world.run(op);
            world.check_owners();
        }
        world.settle();
    }
}
