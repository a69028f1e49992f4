//! Appending to the slots, moving from one to the other, and reading them back.

use std::io;

use tracing::warn;

use super::entry::{self, Decoded, Entry};
use super::slot::{HEADER, Header, RESERVE, Slot};
use super::state::State;

/// The log and the end it is written at.
#[derive(Debug)]
pub(super) struct Log {
    slots: [Box<dyn Slot>; 2],
    active: usize,
    epoch: u64,
    /// Length of the active slot, in bytes.
    len: u64,
    /// Length at which the log moves on, in bytes.
    limit: u64,
    /// Entries that may wait for the next write.
    waiting: Vec<u8>,
}

/// A slot read back.
struct Replay {
    header: Header,
    state: State,
    len: u64,
    /// Entries may be missing at the end that something was done on the strength of.
    stale: bool,
}

impl Log {
    /// Reads the slot in force. When entries may be missing, the state comes without producer and intents.
    pub(super) fn open(mut slots: [Box<dyn Slot>; 2]) -> io::Result<(Self, State)> {
        let [first, second] = &mut slots;
        let bytes = [first.read()?, second.read()?];
        let replays = bytes.each_ref().map(|bytes| replay(bytes));
        let used = bytes.iter().any(|bytes| bytes.len() >= HEADER);
        let [first, second] = replays;
        let active = match (&first, &second) {
            (Some(first), Some(second)) => usize::from(second.header.is_newer(&first.header)),
            (None, Some(_)) => 1,
            _ => 0,
        };
        let chosen = if active == 1 { second } else { first };
        let mut log = Self { slots, active, epoch: 0, len: 0, limit: 0, waiting: Vec::new() };
        let Some(chosen) = chosen else {
            if used {
                warn!(
                    "both slots of the checkpoint are damaged, starting afresh: files are read from their start"
                );
            }
            log.compact(&State::default())?;
            return Ok((log, State::default()));
        };
        log.epoch = chosen.header.epoch;
        log.len = chosen.len;
        log.limit = HEADER as u64 + chosen.header.snapshot_len + RESERVE / 2;
        let mut state = chosen.state;
        if chosen.stale {
            warn!("the checkpoint is damaged, what it knew last is lost: some lines may be sent twice");
            state.producer = None;
            state.lanes.clear();
            state.intents.clear();
            log.compact(&state)?;
        } else {
            log.slots[active].cut(chosen.len)?;
        }
        Ok((log, state))
    }

    /// Adds an entry to the next write.
    pub(super) fn defer(&mut self, entry: &Entry) {
        entry::encode(entry, self.epoch, &mut self.waiting);
    }

    /// Writes an entry, behind those that wait. When it fails, the log is as if it had not been tried.
    pub(super) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let waited = self.waiting.len();
        self.defer(entry);
        let written = self.flush();
        if written.is_err() {
            self.waiting.truncate(waited);
        }
        written
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let slot = &mut self.slots[self.active];
        if let Err(error) = slot.write_at(self.len, &self.waiting) {
            // half an entry at the end is cut when the log is opened: this only saves that from happening
            let _ = slot.cut(self.len);
            return Err(error);
        }
        self.len += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Whether it is time to [`Log::compact`].
    pub(super) fn is_long(&self) -> bool {
        self.len >= self.limit
    }

    /// Puts the next [`Log::compact`] off, after one that failed.
    pub(super) fn postpone(&mut self) {
        self.limit = self.len + RESERVE / 4;
    }

    /// Writes `state` to the other slot and goes on there. When it fails, the log stays where it is.
    pub(super) fn compact(&mut self, state: &State) -> io::Result<()> {
        // 0 is that of a log which has none yet
        let (epoch, other) = (self.epoch.wrapping_add(1).max(1), 1 - self.active);
        let mut snapshot = Vec::new();
        for entry in state.entries() {
            entry::encode(&entry, epoch, &mut snapshot);
        }
        let len = (HEADER + snapshot.len()) as u64;
        let slot = &mut self.slots[other];
        slot.write_at(HEADER as u64, &snapshot)?;
        slot.cut(len)?;
        slot.sync()?;
        // from the moment its header is written the new slot is in force, so nothing after that may fail
        slot.write_at(0, &Header::encode(epoch, &snapshot))?;
        if let Err(error) = slot.sync() {
            warn!(%error, "cannot bring the checkpoint to the disk");
        }
        // should the new slot be damaged one day, the old one says that it is out of date
        self.waiting.clear();
        if self.epoch > 0 {
            self.defer(&Entry::Moved { epoch });
            let _ = self.flush();
            self.waiting.clear();
        }
        (self.active, self.epoch, self.len, self.limit) = (other, epoch, len, len + RESERVE / 2);
        Ok(())
    }

    /// Writes what waits and brings it to the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.slots[self.active].sync()
    }
}

fn replay(bytes: &[u8]) -> Option<Replay> {
    let header = Header::decode(bytes)?;
    let mut state = State::default();
    let mut at = HEADER;
    let mut stale = false;
    while let Some(rest) = bytes.get(at..) {
        match entry::decode(rest, header.epoch) {
            Decoded::Entry(Entry::Moved { .. }, _) => {
                stale = true;
                break;
            }
            Decoded::Entry(entry, size) => {
                state.apply(entry);
                at += size;
            }
            Decoded::End => break,
            // not in the snapshot: it was written whole, and without its end the slot would not be
            Decoded::Torn if at as u64 >= HEADER as u64 + header.snapshot_len => {
                warn!(offset = at, bytes = rest.len(), "cutting a half-written entry off the checkpoint");
                break;
            }
            Decoded::Torn | Decoded::Corrupt => {
                warn!(offset = at, bytes = rest.len(), "cutting damaged entries off the checkpoint");
                stale = true;
                break;
            }
        }
    }
    Some(Replay { header, state, len: at as u64, stale })
}
