//! Prints what stands in the files of the log, entry by entry, without changing anything: what `logagent log dump` does.
//!
//! The text is that of Kafka's `kafka-dump-log`, so that whoever reads one reads the other; [`Item`]s are serialized for
//! programs. Files that are damaged are shown as far as they can be read, with a [`Item::Problem`] where that ends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use wire::record::{BatchHeader, batch};

use super::checkpoint;
use super::disk::read_file;
use super::epochs::{self, LeaderEpochs};
use super::error::StorageError;
use super::partition::RECORDS_BYTES_MAX;
use super::producer::entries;
use super::segment::index::{self, OffsetEntry};
use super::segment::scan::{HeaderScan, ScanError};
use super::segment::time_index::{self, TimeEntry};
use super::segment::txn_index;

pub use super::producer::entries::Entry as ProducerEntry;
pub use super::segment::txn_index::AbortedTxn;
pub use item::{BatchItem, Item, RecordItem};

mod item;
#[cfg(test)]
mod tests;

/// What is shown of a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Each record, not only the batches.
    pub records: bool,
    /// Keys and values too; shows each record.
    pub data: bool,
    /// Keys and values as those of an internal topic; shows each record.
    pub decoder: Option<Decoder>,
}

/// Whose records they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoder {
    /// `__consumer_offsets`.
    Offsets,
    /// `__transaction_state`.
    Transactions,
}

/// Why a file could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// It could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The name is that of no file of a log.
    #[error("{} is no segment, index, snapshot or checkpoint", .0.display())]
    Unknown(PathBuf),
    /// What is shown could not be written.
    #[error(transparent)]
    Show(io::Error),
}

impl From<StorageError> for DumpError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Io { path, source, .. } => DumpError::Read { path, source },
            other => DumpError::Show(io::Error::other(other)),
        }
    }
}

type Sink<'a> = &'a mut dyn FnMut(Item) -> io::Result<()>;
type Show<'a> = &'a mut dyn FnMut(Item) -> Result<(), DumpError>;

/// Shows a file, which its name says the kind of.
///
/// # Errors
/// The file cannot be read, or `show` fails. Damage is shown.
pub fn dump(path: &Path, options: Options, show: Sink<'_>) -> Result<(), DumpError> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut show = |item: Item| show(item).map_err(DumpError::Show);
    match path.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default() {
        "log" => segment(path, base_of(path)?, options, &mut show),
        "index" => offset_index(&content(path)?, base_of(path)?, &mut show),
        "timeindex" => time_index(&content(path)?, base_of(path)?, &mut show),
        "txnindex" => aborted(&content(path)?, &mut show),
        "snapshot" => match entries::parse(&content(path)?) {
            Ok(mut entries) => entries.try_for_each(|entry| show(Item::Producer(entry))),
            Err(error) => show(Item::Problem { position: None, reason: error.to_string() }),
        },
        _ if name == epochs::FILE => epochs(&content(path)?, &mut show),
        _ if checkpoint::ALL.contains(&name) => offsets(&content(path)?, &mut show),
        _ => Err(DumpError::Unknown(path.to_owned())),
    }
}

fn content(path: &Path) -> Result<Vec<u8>, DumpError> {
    let missing = || DumpError::Read { path: path.to_owned(), source: io::ErrorKind::NotFound.into() };
    read_file(path)?.ok_or_else(missing)
}

/// The base offset in a file's name.
fn base_of(path: &Path) -> Result<i64, DumpError> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
    stem.ok_or_else(|| DumpError::Unknown(path.to_owned()))
}

fn segment(path: &Path, base_offset: i64, options: Options, show: Show<'_>) -> Result<(), DumpError> {
    let failed = |source| DumpError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let len = file.metadata().map_err(failed)?.len();
    let end = u32::try_from(len).unwrap_or(u32::MAX).min(i32::MAX as u32);
    show(Item::Segment { starting_offset: base_offset })?;
    for found in HeaderScan::new(&file, 0, end) {
        match found {
            Ok((position, header)) if header.size() > RECORDS_BYTES_MAX => {
                let reason = format!("a batch of {} bytes is too large to be shown", header.size());
                return show(Item::Problem { position: Some(position), reason });
            }
            Ok((position, header)) => {
                let mut bytes = vec![0; header.size()];
                file.read_exact_at(&mut bytes, position.into()).map_err(failed)?;
                show(Item::Batch(BatchItem::new(position, &header, batch::verify_crc(&bytes).is_ok())))?;
                if options.records || options.data || options.decoder.is_some() {
                    records(position, &header, &bytes, options, show)?;
                }
            }
            Err(ScanError::Corrupt { position, reason }) => {
                let reason = format!("{reason}; {} bytes are not shown", len - u64::from(position));
                return show(Item::Problem { position: Some(position), reason });
            }
            Err(ScanError::Io(error)) => return Err(failed(error)),
        }
    }
    Ok(())
}

fn records(
    position: u32,
    header: &BatchHeader,
    bytes: &[u8],
    options: Options,
    show: Show<'_>,
) -> Result<(), DumpError> {
    let problem = |error: &dyn std::error::Error| Item::Problem {
        position: Some(position),
        reason: format!("the records of the batch cannot be read: {error}"),
    };
    let records = match batch::records(bytes, RECORDS_BYTES_MAX) {
        Ok(records) => records,
        Err(error) => return show(problem(&error)),
    };
    for record in &records {
        match record {
            Ok(record) => show(Item::Record(RecordItem::new(header, &record, options)))?,
            Err(error) => return show(problem(&error)),
        }
    }
    Ok(())
}

fn offset_index(bytes: &[u8], base_offset: i64, show: Show<'_>) -> Result<(), DumpError> {
    let (entries, rest) = bytes.as_chunks();
    for entry in entries {
        let OffsetEntry { last_offset, position } = index::decode(base_offset, *entry);
        show(Item::OffsetEntry { offset: last_offset, position })?;
    }
    whole(rest, show)
}

fn time_index(bytes: &[u8], base_offset: i64, show: Show<'_>) -> Result<(), DumpError> {
    let (entries, rest) = bytes.as_chunks();
    for entry in entries {
        let TimeEntry { timestamp, offset } = time_index::decode(base_offset, *entry);
        show(Item::TimeEntry { timestamp, offset })?;
    }
    whole(rest, show)
}

fn aborted(bytes: &[u8], show: Show<'_>) -> Result<(), DumpError> {
    let (entries, rest) = bytes.as_chunks::<{ txn_index::ENTRY }>();
    for entry in entries {
        let Some(entry) = AbortedTxn::decode(entry) else { return malformed(show) };
        show(Item::Aborted(entry))?;
    }
    whole(rest, show)
}

fn whole(rest: &[u8], show: Show<'_>) -> Result<(), DumpError> {
    match rest.len() {
        0 => Ok(()),
        len => {
            let reason = format!("{len} bytes at the end are no whole entry");
            show(Item::Problem { position: None, reason })
        }
    }
}

fn epochs(bytes: &[u8], show: Show<'_>) -> Result<(), DumpError> {
    match LeaderEpochs::parse(bytes) {
        Some(epochs) => epochs.starts().iter().try_for_each(|(epoch, start_offset)| {
            show(Item::Epoch { epoch: *epoch, start_offset: *start_offset })
        }),
        None => malformed(show),
    }
}

fn offsets(bytes: &[u8], show: Show<'_>) -> Result<(), DumpError> {
    match std::str::from_utf8(bytes).ok().and_then(checkpoint::parse) {
        Some(offsets) => offsets
            .into_iter()
            .try_for_each(|((topic, partition), offset)| show(Item::Checkpoint { topic, partition, offset })),
        None => malformed(show),
    }
}

fn malformed(show: Show<'_>) -> Result<(), DumpError> {
    show(Item::Problem { position: None, reason: "the file is malformed".to_owned() })
}
