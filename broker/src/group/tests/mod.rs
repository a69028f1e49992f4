//! The coordinator as clients meet it: over real partitions in a temporary directory, with a clock that the test moves.

mod consumer;
mod consumer_offsets;
mod delete;
mod expressions;
mod formats;
mod generations;
mod offsets;
mod statics;
mod survey;
mod transactional;

use std::sync::Arc;

use bytes::Bytes;
use tempfile::TempDir;
use wire::message::heartbeat::HeartbeatRequest;
use wire::message::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use wire::message::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse};
use wire::{ApiKey, ErrorCode};

use super::{Caller, ConsumerConfig, Coordinator, GroupConfig, OFFSETS_TOPIC};
use crate::log::{LogConfig, LogManager, ManagerOptions, ManualClock, RealDisk};

const SESSION_MS: i32 = 10_000;
const REBALANCE_MS: i32 = 30_000;
const START_MS: i64 = 1_700_000_000_000;

/// A coordinator, its clock and where it keeps its groups.
struct Fixture {
    coordinator: Arc<Coordinator>,
    clock: Arc<ManualClock>,
    logs: LogManager,
    _dir: TempDir,
}

fn load(logs: &LogManager, clock: &Arc<ManualClock>) -> Arc<Coordinator> {
    let partitions = logs.topic(OFFSETS_TOPIC).unwrap().partitions().to_vec();
    Arc::new(Coordinator::load(partitions, config(), clock.clone()).unwrap())
}

fn config() -> GroupConfig {
    GroupConfig {
        min_session_timeout_ms: 1_000,
        max_session_timeout_ms: 60_000,
        initial_rebalance_delay_ms: 0,
        max_members: 3,
        max_groups: 4,
        offsets_retention_ms: 60_000,
        offset_metadata_max_bytes: 16,
        consumer: ConsumerConfig::default(),
    }
}

impl Fixture {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::at(START_MS));
        let options = ManagerOptions {
            data_dir: dir.path().to_owned(),
            node_id: 0,
            defaults: LogConfig::default(),
            partitions_max: 10,
            recovery_threads: 1,
            clock: clock.clone(),
            disk: Arc::new(RealDisk),
        };
        let logs = LogManager::open(options).unwrap().0;
        logs.create_topic(OFFSETS_TOPIC, 2, [("cleanup.policy".into(), "compact".into())].into()).unwrap();
        Fixture { coordinator: load(&logs, &clock), clock, logs, _dir: dir }
    }

    /// The coordinator after a crash: what it had in memory is gone.
    fn restarted(mut self) -> Self {
        self.coordinator = load(&self.logs, &self.clock);
        self
    }

    /// Begins to join; the answer may need others to join or time to pass.
    fn joining(&self, request: JoinGroupRequest) -> tokio::task::JoinHandle<JoinGroupResponse> {
        let coordinator = self.coordinator.clone();
        tokio::spawn(async move { coordinator.join(&caller(ApiKey::JoinGroup), request).await })
    }

    /// Joins a group as its only member, with the two steps of KIP-394.
    async fn join_alone(&self, group: &str) -> JoinGroupResponse {
        let first = self.coordinator.join(&caller(ApiKey::JoinGroup), join(group, "")).await;
        assert_eq!(first.error_code, ErrorCode::MemberIdRequired.code());
        self.coordinator.join(&caller(ApiKey::JoinGroup), join(group, &first.member_id)).await
    }

    /// A stable group of one; returns its member id and generation.
    async fn stable(&self, group: &str) -> (String, i32) {
        let joined = self.join_alone(group).await;
        assert_eq!(joined.error_code, 0);
        let synced = self.coordinator.sync(lead(&joined, group, &[(&joined.member_id, b"all")])).await;
        assert_eq!((synced.error_code, &synced.assignment[..]), (0, &b"all"[..]));
        (joined.member_id, joined.generation_id)
    }

    fn beat(&self, group: &str, member: &str, generation: i32) -> i16 {
        let request = HeartbeatRequest {
            group_id: group.into(),
            generation_id: generation,
            member_id: member.into(),
            ..Default::default()
        };
        self.coordinator.heartbeat(&request).error_code
    }

    fn pass(&self, ms: i32) {
        self.clock.advance(i64::from(ms));
        self.coordinator.tick();
    }
}

fn caller(api: ApiKey) -> Caller {
    Caller { client_id: "client".into(), client_host: "127.0.0.1".into(), version: *api.versions().end() }
}

fn join(group: &str, member: &str) -> JoinGroupRequest {
    let protocols =
        vec![JoinGroupRequestProtocol { name: "range".into(), metadata: Bytes::from_static(b"topics") }];
    JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        member_id: member.into(),
        protocol_type: "consumer".into(),
        protocols,
        ..Default::default()
    }
}

fn follow(joined: &JoinGroupResponse, group: &str) -> SyncGroupRequest {
    SyncGroupRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..Default::default()
    }
}

fn lead(joined: &JoinGroupResponse, group: &str, shares: &[(&str, &'static [u8])]) -> SyncGroupRequest {
    let assignments = shares
        .iter()
        .map(|(member, share)| SyncGroupRequestAssignment {
            member_id: (*member).to_owned(),
            assignment: Bytes::from_static(share),
        })
        .collect();
    SyncGroupRequest { assignments, ..follow(joined, group) }
}

/// Lets what was spawned run until it waits.
async fn settle() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

fn share(synced: &SyncGroupResponse) -> &[u8] {
    assert_eq!(synced.error_code, 0);
    &synced.assignment
}
