//! Reads a tail: blocks into chunks, chunks to the lane, as long as there is memory for them.
//!
//! Nothing is kept between reads but positions: a line that is not complete is read again when its end is there. Every read
//! begins with the bytes before the position, which must be those that were there: so a file that was truncated and has grown
//! past the position since is noticed.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use memchr::memchr;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Duration, Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::frame::{Front, front};
use super::{End, Report, Shared, Tail, block};
use crate::Ship;
use crate::checkpoint::Unsent;
use crate::identity::{self, Stat};
use crate::model::{Chunk, FileRef, Proof, Shape};

/// First wait after an error; then it wakes with the file.
const RETRY: Duration = Duration::from_secs(1);

/// Where a reader is.
#[derive(Debug)]
pub(crate) struct Cursor {
    /// Ranges that are still to be read below `rest`, the current one first.
    gaps: VecDeque<(u64, u64)>,
    /// Where reading goes on behind the gaps, with its proof.
    rest: Proof,
    /// Position in the current range.
    read: u64,
    /// Between `read` and here is no line end.
    scanned: u64,
    /// Of the bytes before `read`.
    proof: Proof,
    /// When the file was last seen to grow.
    grown: Instant,
    /// The file's modification time when the proof was last checked.
    verified_ns: i64,
}

impl Cursor {
    /// Reads what is unsent; `proof` is of the position behind it, if there is one.
    pub(crate) fn new(unsent: Unsent, proof: Option<Proof>) -> Self {
        let rest = proof.filter(|proof| proof.at == unsent.from).unwrap_or(Proof::of(unsent.from, b""));
        let gaps = VecDeque::from(unsent.gaps);
        let proof = gaps.front().map_or(rest, |&(start, _)| Proof::of(start, b""));
        let (read, scanned) = (proof.at, proof.at);
        Self { gaps, rest, read, scanned, proof, grown: Instant::now(), verified_ns: 0 }
    }

    /// Where reading has come to behind the gaps.
    pub(crate) fn position(&self) -> Proof {
        if self.gaps.is_empty() { self.proof } else { self.rest }
    }

    fn move_to(&mut self, proof: Proof) {
        self.read = proof.at;
        self.scanned = proof.at;
        self.proof = proof;
    }

    /// Leaves a gap that is read to its end.
    fn next_gap(&mut self) {
        self.gaps.pop_front();
        let next = self.gaps.front().map_or(self.rest, |&(start, _)| Proof::of(start, b""));
        self.move_to(next);
    }
}

/// What a step came to.
enum Step {
    /// There may be more.
    Moved,
    /// All there is was read.
    AtEnd,
    /// The bytes before the position are not those that were there.
    Changed,
    /// Asked to stop.
    Stopped,
}

pub(crate) struct Reader<S> {
    tail: Arc<Tail>,
    shared: Arc<Shared<S>>,
    cursor: Cursor,
    stop: CancellationToken,
}

impl<S: Ship> Reader<S> {
    pub(crate) fn new(
        tail: Arc<Tail>,
        shared: Arc<Shared<S>>,
        cursor: Cursor,
        stop: CancellationToken,
    ) -> Self {
        tail.set_position(cursor.position());
        Self { tail, shared, cursor, stop }
    }

    /// Reads until the file is gone or it is told to stop.
    pub(crate) async fn run(mut self) {
        let end = self.read_until_the_end().await;
        if self.tail.is_retired() {
            self.give_up();
        }
        let _ = self.shared.reports.send(Report::Ended(self.tail.id, self.cursor, end)).await;
    }

    async fn read_until_the_end(&mut self) -> End {
        loop {
            match self.step().await {
                Ok(Step::Moved) => {}
                Ok(Step::AtEnd) => {
                    if let Some(end) = self.wait().await {
                        return end;
                    }
                }
                Ok(Step::Changed) => {
                    if let Some(end) = self.ask().await {
                        return end;
                    }
                }
                Ok(Step::Stopped) => return End::Stopped,
                Err(error) => {
                    warn!(path = %self.tail.location().display(), %error, "cannot read, trying again");
                    if self.stop.run_until_cancelled(sleep(RETRY)).await.is_none() {
                        return End::Stopped;
                    }
                }
            }
        }
    }

    /// Counts what can no longer be read.
    fn give_up(&mut self) {
        let mut lost = self.tail.size().saturating_sub(self.cursor.position().at);
        if let Some(file_ref) = self.tail.file_ref() {
            for (start, end) in std::mem::take(&mut self.cursor.gaps) {
                let start = start.max(self.cursor.read.min(end));
                lost += end - start;
                if let Err(error) = self.shared.checkpoint.abandon(&file_ref, start, end) {
                    warn!(path = %self.tail.path, %error, "cannot note what is lost");
                }
            }
        }
        if lost > 0 {
            self.shared.metrics.abandoned_bytes.inc_by(lost);
            let location = self.tail.location();
            warn!(path = %location.display(), bytes = lost, "unread bytes are lost, no copy of them was found");
        }
    }

    async fn step(&mut self) -> io::Result<Step> {
        if self.stop.is_cancelled() {
            return Ok(Step::Stopped);
        }
        let Some(file) = self.tail.file().filter(|_| !self.tail.is_retired()) else {
            return Ok(Step::Changed);
        };
        let stat = Stat::of(&file)?;
        let end = self.cursor.gaps.front().map(|&(_, end)| end);
        if stat.size < self.cursor.scanned || end.is_some_and(|end| stat.size < end) {
            return Ok(Step::Changed);
        }
        self.tail.saw(stat.size);
        let visible = end.unwrap_or(stat.size);
        if visible > self.cursor.scanned {
            return self.read_on(&file, stat, visible).await;
        }
        if end.is_some() {
            if self.cursor.scanned > self.cursor.read {
                return self.emit_rest(&file).await;
            }
            self.cursor.next_gap();
            return Ok(Step::Moved);
        }
        // written again up to the very same size?
        if stat.modified_ns != self.cursor.verified_ns {
            if !identity::has_proof(&file, &self.cursor.proof)? {
                return Ok(Step::Changed);
            }
            self.cursor.verified_ns = stat.modified_ns;
        }
        Ok(Step::AtEnd)
    }

    /// Reads from `scanned` to `visible`, or as much as fits a block.
    async fn read_on(&mut self, file: &Arc<File>, stat: Stat, visible: u64) -> io::Result<Step> {
        let want = (visible - self.cursor.scanned).min(self.shared.config.read_block_bytes as u64) as usize;
        if self.cursor.scanned > self.cursor.read {
            return self.scan(file, want).await;
        }
        let Some(credit) = self.credit(want).await else {
            return Ok(Step::Stopped);
        };
        let Some(data) = self.read(file, want).await? else {
            return Ok(Step::Changed);
        };
        self.cursor.verified_ns = stat.modified_ns;
        let start = self.cursor.read;
        match front(&data, self.shared.config.max_line_bytes) {
            Front::Lines { len, lines } => {
                let end = start + len as u64;
                self.emit(file, data.slice(..len), (end, Shape::Lines, lines), credit).await
            }
            Front::TooLong { len } => {
                let data = data.slice(..self.shared.config.max_line_bytes);
                self.emit(file, data, (start + len as u64, Shape::Truncated, 1), credit).await
            }
            Front::Open => {
                self.scanned(data.len());
                Ok(Step::Moved)
            }
        }
    }

    /// Looks for the end of a line whose beginning is known to have none.
    async fn scan(&mut self, file: &Arc<File>, want: usize) -> io::Result<Step> {
        let Some(credit) = self.credit(want).await else {
            return Ok(Step::Stopped);
        };
        let bytes = block::read(file, self.cursor.scanned, want).await?;
        let Some(at) = memchr(b'\n', &bytes) else {
            self.scanned(bytes.len());
            return Ok(Step::Moved);
        };
        drop((bytes, credit));
        let end = self.cursor.scanned + at as u64 + 1;
        let length = end - 1 - self.cursor.read;
        if length > self.shared.config.max_line_bytes as u64 {
            self.emit_range(file, (end, Shape::Truncated)).await
        } else {
            self.emit_range(file, (end, Shape::Lines)).await
        }
    }

    fn scanned(&mut self, bytes: usize) {
        self.cursor.scanned += bytes as u64;
        self.cursor.grown = Instant::now();
    }

    /// Sends what there is of a line that goes no further.
    async fn emit_rest(&mut self, file: &Arc<File>) -> io::Result<Step> {
        let end = self.cursor.scanned;
        let whole = end - self.cursor.read <= self.shared.config.max_line_bytes as u64;
        self.emit_range(file, (end, if whole { Shape::Partial } else { Shape::Truncated })).await
    }

    /// Reads one line again, whose end is known, and sends it.
    async fn emit_range(&mut self, file: &Arc<File>, (end, shape): (u64, Shape)) -> io::Result<Step> {
        let range = (end - self.cursor.read) as usize;
        let want = if shape == Shape::Truncated { self.shared.config.max_line_bytes } else { range };
        let Some(credit) = self.credit(want).await else {
            return Ok(Step::Stopped);
        };
        match self.read(file, want).await? {
            Some(data) if data.len() == want => self.emit(file, data, (end, shape, 1), credit).await,
            _ => Ok(Step::Changed),
        }
    }

    /// Reads `want` bytes at the position; `None` when what is before it is not what it was.
    async fn read(&self, file: &Arc<File>, want: usize) -> io::Result<Option<Bytes>> {
        let proof = &self.cursor.proof;
        let before = usize::from(proof.len);
        let bytes = block::read(file, proof.start(), before + want).await?;
        let holds = bytes.get(..before).is_some_and(|bytes| proof.holds(bytes));
        Ok((holds && bytes.len() > before).then(|| Bytes::from(bytes).slice(before..)))
    }

    async fn credit(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = u32::try_from(bytes).ok()?;
        let credit = self.shared.credit.clone().acquire_many_owned(permits);
        self.stop.run_until_cancelled(credit).await?.ok()
    }

    /// Hands a chunk over and moves behind it.
    async fn emit(
        &mut self,
        file: &Arc<File>,
        data: Bytes,
        (end, shape, lines): (u64, Shape, u32),
        credit: OwnedSemaphorePermit,
    ) -> io::Result<Step> {
        let start = self.cursor.read;
        // at the very front there is no proof, but the fingerprint
        if start == 0 && !identity::has_head(file, self.tail.head())? {
            return Ok(Step::Changed);
        }
        let file_ref = match self.tail.file_ref() {
            Some(known) => known,
            None => match self.identify(file, &data).await? {
                Some(file_ref) => file_ref,
                None => return Ok(Step::Changed),
            },
        };
        let proof = if shape == Shape::Truncated { tail_proof(file, end)? } else { Proof::of(start, &data) };
        let dropped = (end - start).saturating_sub(data.len() as u64);
        if dropped > 0 {
            let path = &file_ref.path;
            warn!(%path, offset = start, bytes = dropped, "dropping the rest of a line over max_line_bytes");
            self.shared.metrics.abandoned_bytes.inc_by(dropped);
        }
        self.shared.metrics.read_bytes.inc_by(data.len() as u64);
        self.shared.metrics.read_lines.inc_by(u64::from(lines));
        let timestamp_ms = now_ms();
        let chunk = Chunk { file: file_ref, start, end, data, lines, shape, timestamp_ms, credit };
        self.shared.ship.ship(chunk).await;
        self.cursor.move_to(proof);
        self.cursor.grown = Instant::now();
        self.tail.set_position(self.cursor.position());
        Ok(Step::Moved)
    }

    /// Settles the generation with its first line, and makes it known to the checkpoint before any of it is sent.
    async fn identify(&self, file: &Arc<File>, data: &Bytes) -> io::Result<Option<Arc<FileRef>>> {
        let place = self.tail.place();
        let Some(head) = identity::extend_head(file, self.tail.head())? else {
            return Ok(None);
        };
        let generation = identity::generation(&place, self.tail.truncations(), identity::first_line(data));
        let file_ref = Arc::new(FileRef {
            host: self.shared.host.clone(),
            path: self.tail.path.clone(),
            topic: self.tail.topic.clone(),
            generation,
        });
        self.shared.checkpoint.track(&file_ref, &place, head).map_err(io::Error::other)?;
        self.tail.set_head(head);
        self.tail.set_file_ref(file_ref.clone());
        Ok(Some(file_ref))
    }

    /// Waits at the end of the file. `Some` when there is nothing more to wait for.
    async fn wait(&mut self) -> Option<End> {
        if self.tail.is_retired() {
            return Some(End::Finished);
        }
        let partial = self.cursor.scanned > self.cursor.read;
        let quiet = self.cursor.grown + self.shared.config.partial_line_timeout();
        let timer = async {
            if partial || self.tail.is_gone() {
                sleep_until(quiet).await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.stop.cancelled() => Some(End::Stopped),
            () = self.tail.wake.notified() => None,
            () = timer => {
                let file = self.tail.file()?;
                if !partial {
                    // a writer may still have it open and have written in the meantime
                    let quiet = Stat::of(&file).is_ok_and(|stat| stat.size <= self.cursor.scanned);
                    return quiet.then_some(End::Finished);
                }
                match self.emit_rest(&file).await {
                    Ok(Step::Changed) => self.ask().await,
                    Ok(Step::Stopped) => Some(End::Stopped),
                    Ok(Step::Moved | Step::AtEnd) => None,
                    Err(error) => {
                        warn!(path = %self.tail.location().display(), %error, "cannot read, trying again");
                        None
                    }
                }
            }
        }
    }

    /// Has the supervisor find out where the bytes are.
    async fn ask(&mut self) -> Option<End> {
        if self.tail.is_retired() {
            return Some(End::Finished);
        }
        self.shared.reports.send(Report::Changed(self.tail.id)).await.ok()?;
        tokio::select! {
            () = self.stop.cancelled() => return Some(End::Stopped),
            () = self.tail.resolved.notified() => {}
        }
        self.cursor.scanned = self.cursor.read;
        self.cursor.verified_ns = 0;
        self.tail.is_retired().then_some(End::Finished)
    }
}

/// The proof of a position whose bytes are not in memory.
fn tail_proof(file: &File, at: u64) -> io::Result<Proof> {
    let start = at.saturating_sub(Proof::BYTES as u64);
    let bytes = identity::read_at(file, start, (at - start) as usize)?;
    Ok(Proof::of(at.saturating_sub(bytes.len() as u64), &bytes))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}
