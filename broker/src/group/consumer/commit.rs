//! Who may commit and fetch offsets of a group of the newer protocol.

use wire::ErrorCode;
use wire::message::offset_commit::OffsetCommitRequest;
use wire::message::txn_offset_commit::TxnOffsetCommitRequest;

use super::state::ConsumerGroup;

/// The first version of OffsetCommit in which a member can say its epoch and understand that it is stale.
const KNOWS_EPOCHS_FROM: i16 = 9;

impl ConsumerGroup {
    /// Whether the sender may commit: a member of that epoch, or anyone who is none while there are no members.
    pub(in crate::group) fn may_commit(
        &self,
        request: &OffsetCommitRequest,
        version: i16,
    ) -> Result<(), ErrorCode> {
        let epoch = request.generation_id_or_member_epoch;
        if epoch < 0 && self.members.is_empty() {
            return Ok(());
        }
        let known = self.epoch_of(&request.member_id)?;
        if version < KNOWS_EPOCHS_FROM {
            return Err(ErrorCode::UnsupportedVersion);
        }
        if epoch == known { Ok(()) } else { Err(ErrorCode::StaleMemberEpoch) }
    }

    /// As [`may_commit`](Self::may_commit), in a transaction: producers speak of generations.
    pub(in crate::group) fn may_commit_transactional(
        &self,
        request: &TxnOffsetCommitRequest,
    ) -> Result<(), ErrorCode> {
        if request.generation_id < 0 && self.members.is_empty() {
            return Ok(());
        }
        let known = self.epoch_of(&request.member_id)?;
        if request.generation_id == known { Ok(()) } else { Err(ErrorCode::IllegalGeneration) }
    }

    /// Whether the sender may fetch: a member of that epoch, or anyone who does not say that he is one.
    pub(in crate::group) fn may_fetch(&self, member_id: Option<&str>, epoch: i32) -> Result<(), ErrorCode> {
        let Some(member_id) = member_id else {
            return if epoch < 0 { Ok(()) } else { Err(ErrorCode::UnknownMemberId) };
        };
        if self.epoch_of(member_id)? == epoch { Ok(()) } else { Err(ErrorCode::StaleMemberEpoch) }
    }

    fn epoch_of(&self, member_id: &str) -> Result<i32, ErrorCode> {
        let member = self.members.get(member_id).ok_or(ErrorCode::UnknownMemberId)?;
        Ok(member.current.epoch)
    }
}
