use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use wire::record::{BatchHeader, EndMarker};

use super::entries::Aborted;
use super::{Report, Severity, VerifyError, bytes_in, check_partition, verify};
use crate::log::config::LogConfig;
use crate::log::tests::{Lab, NOON, keyed, produced, transactional, values_at};
use crate::log::{LogManager, ManagerOptions, ManualClock, RealDisk};

/// A data directory with two topics, one of them compacted, after a clean stop.
struct Dir(TempDir);

impl Dir {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let options = ManagerOptions {
            data_dir: dir.path().to_owned(),
            node_id: 1,
            defaults: LogConfig { segment_bytes: 1000, index_interval_bytes: 100, ..LogConfig::default() },
            partitions_max: 10,
            recovery_threads: 1,
            clock: Arc::new(ManualClock::at(NOON)),
            disk: Arc::new(RealDisk),
        };
        let (logs, _) = LogManager::open(options).unwrap();
        let compact = BTreeMap::from([
            ("cleanup.policy".to_owned(), "compact".to_owned()),
            ("min.cleanable.dirty.ratio".to_owned(), "0.01".to_owned()),
        ]);
        let plain = logs.create_topic("plain", 1, BTreeMap::new()).unwrap();
        let keys = logs.create_topic("keys", 1, compact).unwrap();
        for number in 0..60 {
            let text = number.to_string();
            plain.partitions()[0].append(&mut values_at(NOON + number, &[&text, "more"])).unwrap();
            plain.partitions()[0].append(&mut produced(7, 0, 2 * number as i32, 2)).unwrap();
            let record = [("key", Some(text.as_str()))];
            keys.partitions()[0].append(&mut keyed(NOON, wire::record::Compression::None, &record)).unwrap();
        }
        logs.tick();
        logs.clean();
        logs.close().unwrap();
        Dir(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file of the plain topic: the first, second, … with an ending; negative counts from the end.
    fn file(&self, suffix: &str, number: isize) -> PathBuf {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(self.path("plain-0")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|found| found == suffix));
        paths.sort();
        let at = if number < 0 { paths.len() as isize + number } else { number };
        paths[at as usize].clone()
    }

    fn verify(&self) -> Report {
        verify(&[self.0.path().to_owned()], &mut |_| {}).unwrap()
    }

    /// The one thing that is found is damage to this file, and its problem holds these words.
    #[track_caller]
    fn assert_damaged(&self, path: &Path, words: &str) {
        let report = self.verify();
        let path = path.strip_prefix(self.0.path()).unwrap();
        let found = report.findings.iter().find(|finding| finding.path.ends_with(path));
        let found = found.unwrap_or_else(|| panic!("{} is not in {:#?}", path.display(), report.findings));
        assert!(found.problem.contains(words), "{found}");
        assert!(found.is_damage() && report.is_damaged(), "{found}");
        assert!(!found.remedy.is_empty());
    }
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) {
    OpenOptions::new().write(true).open(path).unwrap().write_all_at(bytes, at).unwrap();
}

fn append(path: &Path, bytes: &[u8]) {
    overwrite(path, fs::metadata(path).unwrap().len(), bytes);
}

fn cut(path: &Path, by: u64) {
    let len = fs::metadata(path).unwrap().len();
    OpenOptions::new().write(true).open(path).unwrap().set_len(len - by).unwrap();
}

#[test]
fn an_undamaged_directory_has_no_findings() {
    let dir = Dir::new();
    let mut read = 0;
    let paths = [dir.0.path().to_owned()];
    let report = verify(&paths, &mut |bytes| read += bytes).unwrap();
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    assert_eq!((report.partitions, report.bytes), (2, read));
    assert_eq!(read, bytes_in(&paths));
    assert!(report.segments > 5 && report.batches > 120);
}

#[test]
fn a_partition_and_a_file_may_be_verified_alone() {
    let dir = Dir::new();
    let alone = [dir.path("plain-0"), dir.file("log", 1), dir.file("index", 0), dir.file("snapshot", -1)];
    for path in alone {
        assert!(verify(&[path], &mut |_| {}).unwrap().findings.is_empty());
    }
    let unknown = dir.path("notes.txt");
    fs::write(&unknown, "").unwrap();
    assert!(matches!(verify(&[unknown], &mut |_| {}), Err(VerifyError::Unknown(_))));
    assert!(matches!(verify(&[dir.path("gone")], &mut |_| {}), Err(VerifyError::Read { .. })));
}

#[test]
fn nothing_is_changed() {
    let dir = Dir::new();
    overwrite(&dir.file("log", 0), 80, b"x");
    let content = || {
        let mut files: Vec<_> =
            fs::read_dir(dir.path("plain-0")).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect::<Vec<_>>()
    };
    let before = content();
    dir.verify();
    assert_eq!(content(), before);
}

#[test]
fn a_flipped_bit_in_a_batch_is_found() {
    let dir = Dir::new();
    overwrite(&dir.file("log", 0), 70, &[0xff]);
    dir.assert_damaged(&dir.file("log", 0), "checksum");
}

#[test]
fn a_batch_that_is_cut_off_is_found() {
    let dir = Dir::new();
    cut(&dir.file("log", -1), 10);
    dir.assert_damaged(&dir.file("log", -1), "cut off");
    // and that the log was durable beyond it
    dir.assert_damaged(&dir.path("recovery-point-offset-checkpoint"), "plain-0 had offset 240");
}

#[test]
fn a_tail_of_zeros_is_found() {
    let dir = Dir::new();
    append(&dir.file("log", -1), &[0; 300]);
    dir.assert_damaged(&dir.file("log", -1), "the last 300 bytes are zeros");
}

#[test]
fn offsets_that_do_not_follow_the_name_are_found() {
    let dir = Dir::new();
    // no checksum covers the base offset
    overwrite(&dir.file("log", 0), 7, &[9]);
    dir.assert_damaged(&dir.file("log", 0), "offsets");
}

#[test]
fn a_missing_segment_is_found() {
    let dir = Dir::new();
    fs::remove_file(dir.file("log", 1)).unwrap();
    dir.assert_damaged(&dir.file("log", 0), "the next segment begins");
}

#[test]
fn a_wrong_entry_of_an_index_is_found() {
    let dir = Dir::new();
    let index = dir.file("index", 0);
    let position = fs::read(&index).unwrap()[7];
    overwrite(&index, 7, &[position.wrapping_add(1)]);
    dir.assert_damaged(&index, "no batch begins");
    overwrite(&index, 0, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    dir.assert_damaged(&index, "not beyond the entry before it");
}

#[test]
fn half_an_entry_and_a_missing_index_are_found() {
    let dir = Dir::new();
    cut(&dir.file("index", 0), 3);
    dir.assert_damaged(&dir.file("index", 0), "no whole entry");
    let index = dir.file("index", 1);
    fs::remove_file(&index).unwrap();
    dir.assert_damaged(&index, "missing");
}

#[test]
fn a_time_index_that_is_wrong_or_ends_early_is_found() {
    let dir = Dir::new();
    let index = dir.file("timeindex", 0);
    let newest = fs::read(&index).unwrap().len() as u64 - 12;
    overwrite(&index, newest + 7, &[0xff]);
    dir.assert_damaged(&index, "it says time");
    cut(&index, 12);
    dir.assert_damaged(&index, "it ends with time");
}

#[test]
fn a_transaction_index_that_disagrees_with_the_log_is_found() {
    let lab = Lab::new();
    let partition = lab.open();
    for sequence in 0..2 {
        transactional::send(&partition, (7, 0, sequence), "key", "value").unwrap();
        transactional::abort(&partition, 7, 0);
    }
    partition.close().unwrap();
    let index = lab.path("00000000000000000000.txnindex");
    let problems = || {
        let mut findings = check_partition(index.parent().unwrap(), true).unwrap().findings;
        findings.retain(|finding| finding.path == index);
        findings.into_iter().map(|finding| finding.to_string()).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(problems(), "");
    overwrite(&index, 34 + 9, &[8]);
    assert!(
        problems().contains("entry 1: no transaction of producer 8 ends with offset 3"),
        "{}",
        problems()
    );
    overwrite(&index, 1, &[7]);
    assert!(problems().contains("entry 0: its version is not known"), "{}", problems());
    overwrite(&index, 1, &[0]);
    overwrite(&index, 34 + 9, &[7]);
    cut(&index, 1);
    assert!(problems().contains("33 bytes at its end are no whole entry"), "{}", problems());
}

#[test]
fn a_snapshot_that_disagrees_with_the_log_is_found() {
    let dir = Dir::new();
    let newest = dir.file("snapshot", -1);
    let sound = fs::read(&newest).unwrap();
    let mut wrong = sound.clone();
    wrong[10..18].copy_from_slice(&8i64.to_be_bytes());
    let crc = wire::crc32c(&wrong[6..]);
    wrong[2..6].copy_from_slice(&crc.to_be_bytes());
    fs::write(&newest, &wrong).unwrap();
    dir.assert_damaged(&newest, "of producer 8, epoch 0");
    wrong[17] = 9;
    fs::write(&newest, &wrong).unwrap();
    dir.assert_damaged(&newest, "checksum");
    fs::remove_file(&newest).unwrap();
    let stale = dir.path("plain-0/00000000000000000999.snapshot");
    fs::write(&stale, sound).unwrap();
    dir.assert_damaged(&stale, "which ends at 240");
}

#[test]
fn epochs_and_checkpoints_that_cannot_be_are_found() {
    let dir = Dir::new();
    let epochs = dir.path("plain-0/leader-epoch-checkpoint");
    fs::write(&epochs, "0\n1\n3 1000\n").unwrap();
    dir.assert_damaged(&epochs, "epoch 3 begins at 1000");
    fs::write(&epochs, "nonsense").unwrap();
    dir.assert_damaged(&epochs, "no list");
    let points = dir.path("recovery-point-offset-checkpoint");
    fs::write(&points, "0\n1\nplain 0 241\n").unwrap();
    dir.assert_damaged(&points, "its log ends at 240");
    fs::write(&points, "0\n2\n").unwrap();
    dir.assert_damaged(&points, "no list");
}

#[test]
fn a_directory_without_identity_or_registry_is_found() {
    let dir = Dir::new();
    let (meta, registry) = (dir.path("meta.properties"), dir.path("topics.json"));
    fs::write(&meta, "version=1\n").unwrap();
    dir.assert_damaged(&meta, "names no cluster.id");
    fs::remove_file(&meta).unwrap();
    dir.assert_damaged(&meta, "missing");
    fs::write(&registry, "{").unwrap();
    dir.assert_damaged(&registry, "understand");
}

#[test]
fn directories_and_topics_that_do_not_belong_together_are_found() {
    let dir = Dir::new();
    fs::create_dir(dir.path("photos")).unwrap();
    dir.assert_damaged(&dir.path("photos"), "not that of a topic");
    fs::rename(dir.path("keys-0"), dir.path("keys-1")).unwrap();
    dir.assert_damaged(&dir.path("keys-0"), "missing");
    dir.assert_damaged(&dir.path("keys-1"), "only 1 partitions");
    fs::rename(dir.path("keys-1"), dir.path("other-0")).unwrap();
    dir.assert_damaged(&dir.path("other-0"), "not in topics.json");
    fs::copy(dir.path("other-0/partition.metadata"), dir.path("plain-0/partition.metadata")).unwrap();
    dir.assert_damaged(&dir.path("plain-0/partition.metadata"), "another topic");
    fs::remove_file(dir.path("plain-0/partition.metadata")).unwrap();
    dir.assert_damaged(&dir.path("plain-0/partition.metadata"), "nothing says which topic");
}

#[test]
fn what_an_interrupted_operation_left_is_told_and_is_no_damage() {
    let dir = Dir::new();
    let left = [
        "topics.tmp",
        "plain-0/00000000000000000240.snapshot.tmp",
        "plain-0/00000000000000000000.cleaned",
        "plain-0/00000000000000000000-00000000000000000050.swap",
        "plain-0/00000000000000000777.index",
    ];
    for name in left {
        fs::write(dir.path(name), "").unwrap();
    }
    fs::create_dir(dir.path("plain-0.1234-delete")).unwrap();
    let report = dir.verify();
    assert_eq!(report.findings.len(), left.len() + 1, "{:#?}", report.findings);
    assert!(report.findings.iter().all(|finding| finding.severity == Severity::Leftover));
    assert!(!report.is_damaged());
}

/// Each of two billion partitions was looked for, and missed by name.
#[test]
fn a_registry_that_claims_billions_of_partitions_is_verified_soon() {
    let dir = Dir::new();
    let registry = dir.path("topics.json");
    let text = fs::read_to_string(&registry).unwrap();
    fs::write(&registry, text.replace("\"partitions\": 1", "\"partitions\": 2147483647")).unwrap();
    let report = verify(&[dir.0.path().to_owned()], &mut |_| {}).unwrap();
    assert!((100..1000).contains(&report.findings.len()), "{} findings", report.findings.len());
}

/// Recovery indexes the offset of the marker itself; verify took the last offset that its batch's header claims.
#[test]
fn a_transaction_ends_at_its_marker_whatever_its_batch_claims() {
    let marker = EndMarker { committed: false, coordinator_epoch: 0 };
    let mut batch = marker.batch(9, 0, NOON).unwrap().to_vec();
    wire::record::batch::set_base_offset(&mut batch, 7);
    batch[23..27].copy_from_slice(&5_i32.to_be_bytes());
    let fields = [9_i64, 6, 7, 8].map(i64::to_be_bytes);
    let mut aborted = Aborted::new(&[&[0, 0], fields.as_flattened()].concat());
    aborted.meet(&BatchHeader::parse(&batch).unwrap());
    assert_eq!(aborted.finish(), None);
}
