//! The checkpoint: which ranges of which files were sent with which sequence, and which are acknowledged.

use std::collections::HashMap;
use std::path::Path;

use crate::model::{FileKey, FileRef, Intent, LaneId, Producer};

/// What the checkpoint knew when it was opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The producer; `None` when there is none yet, or when damage may have lost sequences: take a new one.
    pub producer: Option<Producer>,
    /// The next sequence of each lane of that producer.
    pub lanes: HashMap<LaneId, i32>,
    /// Batches that may have been sent but are not acknowledged, in order for each lane.
    pub intents: Vec<Intent>,
}

/// Why the checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The data directory cannot be read or written.
    #[error("cannot use the checkpoint in {dir}: {source}")]
    Io {
        /// The data directory.
        dir: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The open checkpoint; shared by tails and lanes.
#[derive(Debug)]
pub struct Checkpoint {}

impl Checkpoint {
    /// Opens or creates the checkpoint in `dir`.
    pub fn open(_dir: &Path) -> Result<(Self, State), CheckpointError> {
        Ok((Self {}, State::default()))
    }

    /// Takes a new producer: the lanes' sequences begin at 0, open intents become unsent ranges (a range that is sent
    /// again gets a new intent).
    pub fn set_producer(&self, _producer: Producer) -> Result<(), CheckpointError> {
        Ok(())
    }

    /// Records a batch BEFORE it is sent. An open intent of the same lane and base sequence is replaced. The lane's next
    /// sequence becomes `base_sequence + count` (wrapping as Kafka does: after `i32::MAX` comes 0).
    pub fn intend(&self, _intent: &Intent) -> Result<(), CheckpointError> {
        Ok(())
    }

    /// The broker has the batch: its range is done. It is on disk at the latest before the next intent.
    /// An unknown batch is ignored.
    pub fn acknowledge(&self, _lane: &LaneId, _base_sequence: i32) -> Result<(), CheckpointError> {
        Ok(())
    }

    /// Withdraws an open intent that the broker has certainly not taken; its sequence is free again (the lane's next
    /// sequence goes back to it) and its range is unsent.
    pub fn withdraw(&self, _lane: &LaneId, _base_sequence: i32) -> Result<(), CheckpointError> {
        Ok(())
    }

    /// Gives a range up for good (the caller counts and logs it): it will not be read again.
    pub fn abandon(&self, _file: &FileRef, _start: u64, _end: u64) -> Result<(), CheckpointError> {
        Ok(())
    }

    /// Offset up to which everything of the file is acknowledged or abandoned.
    pub fn position(&self, _key: &FileKey) -> u64 {
        0
    }
}
