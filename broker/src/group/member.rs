//! A member of a group, and the answer it may be waiting for.

use bytes::Bytes;
use tokio::sync::oneshot;
use wire::ErrorCode;
use wire::message::join_group::{JoinGroupRequestProtocol, JoinGroupResponse};
use wire::message::sync_group::SyncGroupResponse;

/// One consumer in a group.
#[derive(Debug)]
pub(super) struct Member {
    /// The name that the coordinator gave it.
    pub(super) id: String,
    /// The name that its operator gave it, if it is a static member (KIP-345).
    pub(super) instance_id: Option<String>,
    /// The name of its client.
    pub(super) client_id: String,
    /// The address of its client.
    pub(super) client_host: String,
    /// Without a heartbeat for so long it is removed, milliseconds.
    pub(super) session_timeout_ms: i32,
    /// How long a rebalance waits for it, milliseconds.
    pub(super) rebalance_timeout_ms: i32,
    /// The ways to assign partitions that it knows, the preferred one first.
    pub(super) protocols: Vec<JoinGroupRequestProtocol>,
    /// What the leader has assigned to it.
    pub(super) assignment: Bytes,
    /// When its session ends unless it is heard of, milliseconds since 1970.
    pub(super) deadline_ms: i64,
    /// Whether it has synced in this generation.
    pub(super) synced: bool,
    /// An answer that it waits for.
    pub(super) waiter: Waiter,
}

/// What a member waits for.
#[derive(Debug, Default)]
pub(super) enum Waiter {
    /// Nothing.
    #[default]
    None,
    /// The end of the joining phase.
    Join(oneshot::Sender<JoinGroupResponse>),
    /// The leader's assignment.
    Sync(oneshot::Sender<SyncGroupResponse>),
}

impl Member {
    /// The member is alive until its session time has passed from now.
    pub(super) fn touch(&mut self, now_ms: i64) {
        self.deadline_ms = now_ms.saturating_add(i64::from(self.session_timeout_ms));
    }

    /// Whether it waits for the end of the joining phase and its client is still there to hear of it.
    pub(super) fn is_joining(&self) -> bool {
        matches!(&self.waiter, Waiter::Join(sender) if !sender.is_closed())
    }

    /// Whether a request of it is being answered: then its session cannot end.
    pub(super) fn is_waiting(&self) -> bool {
        match &self.waiter {
            Waiter::None => false,
            Waiter::Join(sender) => !sender.is_closed(),
            Waiter::Sync(sender) => !sender.is_closed(),
        }
    }

    /// Ends what it waits for with an error.
    pub(super) fn fail(&mut self, error: ErrorCode) {
        match std::mem::take(&mut self.waiter) {
            Waiter::None => {}
            Waiter::Join(sender) => {
                let answer = JoinGroupResponse {
                    error_code: error.code(),
                    member_id: self.id.clone(),
                    ..Default::default()
                };
                let _ = sender.send(answer);
            }
            Waiter::Sync(sender) => {
                let _ = sender.send(SyncGroupResponse { error_code: error.code(), ..Default::default() });
            }
        }
    }

    /// What it said of itself under a protocol.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|known| known.name == protocol)
            .map(|known| known.metadata.clone())
            .unwrap_or_default()
    }
}
