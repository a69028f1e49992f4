use std::fs;
use std::path::Path;

use wire::record::{BatchBuilder, Compression};

use super::{DumpError, Item, Options, dump};
use crate::log::tests::{Lab, NOON, produced, transactional, values};

fn shown(path: &Path, options: Options) -> Vec<Item> {
    let mut items = Vec::new();
    dump(path, options, &mut |item| {
        items.push(item);
        Ok(())
    })
    .unwrap();
    items
}

fn text(path: &Path, options: Options) -> Vec<String> {
    shown(path, options).iter().map(ToString::to_string).collect()
}

/// A partition with a few batches, closed.
fn lab() -> Lab {
    let lab = Lab::small();
    let partition = lab.open();
    partition.append(&mut values(&["a", "b"])).unwrap();
    let mut builder = BatchBuilder::new(Compression::Lz4).producer(7, 1, 5);
    builder.append(NOON, Some(b"key"), Some(b"value"), &[("file", b"x".as_slice())]).unwrap();
    partition.append(&mut builder.finish().unwrap().to_vec()).unwrap();
    for number in 0..5 {
        partition.append(&mut produced(8, 0, number, 1)).unwrap();
    }
    partition.close().unwrap();
    lab
}

#[test]
fn a_segment_looks_as_in_kafkas_tool() {
    let lab = lab();
    let path = lab.path("00000000000000000000.log");
    let lines = text(&path, Options::default());
    assert_eq!(lines[0], "Log starting offset: 0");
    let crc = u32::from_be_bytes(*fs::read(&path).unwrap()[17..].first_chunk().unwrap());
    assert_eq!(
        lines[1],
        format!(
            "baseOffset: 0 lastOffset: 1 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 \
             partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: {} size: 77 \
             magic: 2 compresscodec: none crc: {crc} isvalid: true",
            NOON + 1
        )
    );
    assert_eq!(lines.len(), 8);
    assert!(lines[2].contains("baseSequence: 5 lastSequence: 5 producerId: 7 producerEpoch: 1"));
    assert!(lines[2].contains("compresscodec: lz4"));
}

/// Captured from kafka.tools.DumpLogSegments of Kafka 3.9.1, with --print-data-log.
#[test]
fn a_batch_of_kafkas_is_shown_as_kafka_shows_it() {
    let lab = lab();
    let path = lab.path("00000000000000000100.log");
    fs::write(&path, include_bytes!("../../../../wire/src/record/golden/magic2-none.bin")).unwrap();
    let lines = text(&path, Options { data: true, ..Options::default() });
    assert_eq!(
        lines[1],
        "baseOffset: 100 lastOffset: 103 count: 4 baseSequence: 2147483646 lastSequence: 1 producerId: 4000 \
         producerEpoch: 5 partitionLeaderEpoch: 9 isTransactional: false isControl: false deleteHorizonMs: \
         OptionalLong.empty position: 0 CreateTime: 1700000070000 size: 423 magic: 2 compresscodec: none crc: \
         601666589 isvalid: true"
    );
    let first = "| offset: 100 CreateTime: 1700000000000 keySize: 3 valueSize: 300 sequence: 2147483646 headerKeys: \
                 [host,none] key: key payload: aaaa";
    assert!(lines[2].starts_with(first), "{}", lines[2]);
    assert_eq!(
        lines[3..],
        [
            "| offset: 101 CreateTime: 1700000000005 keySize: -1 valueSize: 6 sequence: 2147483647 headerKeys: [] \
             payload: second",
            "| offset: 102 CreateTime: 1699999999997 keySize: 4 valueSize: -1 sequence: 0 headerKeys: [] key: gone",
            "| offset: 103 CreateTime: 1700000070000 keySize: 0 valueSize: 0 sequence: 1 headerKeys: [] key:  payload: ",
        ]
    );
}

#[test]
fn records_come_with_their_data_when_asked() {
    let lab = lab();
    let path = lab.path("00000000000000000000.log");
    let lines = text(&path, Options { records: true, ..Options::default() });
    let bare =
        format!("| offset: 2 CreateTime: {NOON} keySize: 3 valueSize: 5 sequence: 5 headerKeys: [file]");
    assert_eq!(lines[5], bare);
    let lines = text(&path, Options { data: true, ..Options::default() });
    assert_eq!(lines[5], format!("{bare} key: key payload: value"));
    let json = serde_json::to_value(&shown(&path, Options { data: true, ..Options::default() })[5]).unwrap();
    assert_eq!((&json["kind"], &json["key"], &json["keySize"]), (&"record".into(), &"key".into(), &3.into()));
}

/// As kafka.tools.DumpLogSegments of Kafka 3.9.1 prints them.
#[test]
fn the_ends_of_transactions_are_shown() {
    let lab = Lab::new();
    let partition = lab.open();
    transactional::send(&partition, (7, 0, 0), "key", "value").unwrap();
    transactional::abort(&partition, 7, 0);
    partition.close().unwrap();
    let lines = text(&lab.path("00000000000000000000.log"), Options { data: true, ..Options::default() });
    let marker = "sequence: -1 headerKeys: [] endTxnMarker: ABORT coordinatorEpoch: 0";
    assert!(lines[4].ends_with(marker), "{}", lines[4]);
    let aborted = text(&lab.path("00000000000000000000.txnindex"), Options::default());
    assert_eq!(aborted, ["version: 0 producerId: 7 firstOffset: 0 lastOffset: 1 lastStableOffset: 2"]);
}

#[test]
fn indexes_snapshots_and_epochs_are_shown() {
    let lab = lab();
    let offsets = text(&lab.path("00000000000000000000.index"), Options::default());
    assert!(!offsets.is_empty() && offsets[0].starts_with("offset: "), "{offsets:?}");
    let times = text(&lab.path("00000000000000000000.timeindex"), Options::default());
    assert_eq!(times, [format!("timestamp: {} offset: 1", NOON + 1)]);
    let producers = text(&lab.path(&lab.files("snapshot")[0]), Options::default());
    assert!(producers.contains(&format!(
        "producerId: 7 producerEpoch: 1 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: {NOON} \
         firstSequence: 5 lastSequence: 5 lastOffset: 2 offsetDelta: 0 timestamp: {NOON}"
    )));
    assert_eq!(text(&lab.path("leader-epoch-checkpoint"), Options::default()), ["epoch: 0 startOffset: 0"]);
}

#[test]
fn damage_is_shown_where_reading_ends() {
    let lab = lab();
    let path = lab.path("00000000000000000000.log");
    let mut bytes = fs::read(&path).unwrap();
    bytes[70] ^= 1;
    bytes.truncate(200);
    fs::write(&path, bytes).unwrap();
    let lines = text(&path, Options::default());
    assert!(lines[1].ends_with("isvalid: false"));
    assert!(lines.last().unwrap().starts_with("at byte "), "{lines:?}");
    let odd = lab.path("00000000000000000000.index");
    fs::write(&odd, [0; 11]).unwrap();
    assert_eq!(text(&odd, Options::default())[1], "3 bytes at the end are no whole entry");
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let lab = lab();
    for name in ["notes.txt", "x.log"] {
        fs::write(lab.path(name), "").unwrap();
        let refused = dump(&lab.path(name), Options::default(), &mut |_| Ok(()));
        assert!(matches!(refused, Err(DumpError::Unknown(_))));
    }
    let missing = dump(&lab.path("00000000000000000009.log"), Options::default(), &mut |_| Ok(()));
    assert!(matches!(missing, Err(DumpError::Read { .. })));
}
