//! Single files of a partition's directory, shown and verified.

use std::collections::BTreeMap;
use std::path::Path;

use super::partition::DIR;
use super::{LOG, Scratch, mend, seeds};
use crate::log::checkpoint;
use crate::log::disk::RealDisk;
use crate::log::dump::{Decoder, DumpError, Options, dump};
use crate::log::epochs::{self, LeaderEpochs};
use crate::log::producer::snapshot;
use crate::log::verify::verify;

/// What a file is called, by the first byte of an input.
pub(super) const NAMES: [&str; 7] = [
    LOG,
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000003.snapshot",
    epochs::FILE,
    checkpoint::RECOVERY_POINTS,
];

/// The offset in the snapshot's name.
const SNAPSHOT_AT: i64 = 3;

/// The bit of the first byte with which checksums are made right.
pub(super) const MEND: u8 = 0x80;

/// Bytes as one file, whose name the first byte chooses. It can be shown and verified, and what it says can be written
/// and says the same again.
pub fn log_file(bytes: &[u8]) {
    let Some((kind, content)) = bytes.split_first() else { return };
    let name = NAMES.get(usize::from(kind & !MEND) % NAMES.len()).copied().unwrap_or(LOG);
    let mut content = content.to_vec();
    if kind & MEND != 0 && name == LOG {
        mend::checksums(&mut content);
    } else if kind & MEND != 0 && name.ends_with(".snapshot") {
        mend::snapshot(&mut content);
    }
    let scratch = Scratch::new();
    // indexes are compared with it
    scratch.write(&format!("{DIR}/{LOG}"), &seeds::log());
    let path = scratch.write(&format!("{DIR}/{name}"), &content);
    show(&path);
    let report = verify(std::slice::from_ref(&path), &mut |_| {});
    assert!(report.is_ok(), "cannot verify: {report:?}");
    let dir = scratch.path().join(DIR);
    match name {
        epochs::FILE => rewrite_epochs(&content),
        checkpoint::RECOVERY_POINTS => rewrite_checkpoint(&path),
        name if name.ends_with(".snapshot") => rewrite_snapshot(&dir),
        _ => {}
    }
}

/// Shows all there is to be shown, as text and as data.
fn show(path: &Path) {
    let data = Options { records: true, data: true, decoder: None };
    let decoded = |decoder| Options { decoder: Some(decoder), ..Options::default() };
    for options in [Options::default(), data, decoded(Decoder::Offsets), decoded(Decoder::Transactions)] {
        let shown: Result<(), DumpError> = dump(path, options, &mut |item| {
            let (text, json) = (item.to_string(), serde_json::to_string(&item));
            assert!(!text.is_empty() && json.is_ok(), "{item:?} cannot be shown: {json:?}");
            Ok(())
        });
        assert!(shown.is_ok(), "{shown:?}");
    }
}

fn rewrite_epochs(content: &[u8]) {
    let Some(epochs) = LeaderEpochs::parse(content) else { return };
    assert_eq!(LeaderEpochs::parse(epochs.text().as_bytes()).as_ref(), Some(&epochs), "epochs are kept");
}

fn rewrite_checkpoint(path: &Path) {
    let Ok(offsets) = checkpoint::read(path) else { return };
    assert!(checkpoint::write(&RealDisk, path, &offsets).is_ok(), "a checkpoint can be written");
    assert_eq!(checkpoint::read(path).ok(), Some(offsets), "offsets are kept");
}

/// A file may give a producer's batches different times, which are then written as the last one of them.
fn rewrite_snapshot(dir: &Path) {
    let Some(found) = snapshot::read(dir, SNAPSHOT_AT) else { return };
    let mut before = None;
    let mut producers = found;
    for _ in 0..2 {
        assert!(
            snapshot::write(&RealDisk, dir, SNAPSHOT_AT, &producers).is_ok(),
            "a snapshot can be written"
        );
        let again = snapshot::read(dir, SNAPSHOT_AT);
        assert!(again.is_some(), "what was written can be read");
        producers = again.unwrap_or_default();
        let known: BTreeMap<_, _> = producers.iter().map(|(id, producer)| (id, producer.clone())).collect();
        assert!(before.is_none_or(|before| before == known), "producers are kept");
        before = Some(known);
    }
}
