use std::sync::Arc;

use wire::record::{BatchBuilder, BatchHeader, Compression, TimestampType as RecordTime, batch};

use crate::log::config::{CompressionType, LogConfig, TimestampType};
use crate::log::error::AppendError;
use crate::log::partition::RECORDS_BYTES_MAX;
use crate::log::tests::{Lab, NOON, commit, committed, keyed, produced, read_values, send, values};

/// All that name a codec.
const TYPES: [CompressionType; 5] = [
    CompressionType::Uncompressed,
    CompressionType::Gzip,
    CompressionType::Snappy,
    CompressionType::Lz4,
    CompressionType::Zstd,
];

fn lab(compression_type: CompressionType) -> Lab {
    Lab::with(LogConfig { compression_type, ..LogConfig::default() })
}

/// All bytes of the first segment.
fn log_of(lab: &Lab) -> Vec<u8> {
    std::fs::read(lab.path("00000000000000000000.log")).unwrap()
}

fn codecs(log: &[u8]) -> Vec<Compression> {
    batch::batches(log).map(|found| found.unwrap().0.compression().unwrap()).collect()
}

/// An idempotent producer's batch with all that records may have.
fn rich(codec: Compression) -> Vec<u8> {
    let mut builder = BatchBuilder::new(codec).producer(7, 3, 5);
    builder.append(NOON, Some(b"key"), Some(b"value"), &[("host", b"web-1"), ("path", b"/a.log")]).unwrap();
    builder.append(NOON + 5, None, Some(&[b'a'; 300]), &[]).unwrap();
    builder.append(NOON - 2, Some(b"gone"), None, &[]).unwrap();
    Vec::from(builder.finish().unwrap())
}

/// A batch of one record of 2000 bytes.
fn large(codec: Compression) -> Vec<u8> {
    let mut builder = BatchBuilder::new(codec);
    builder.append(NOON, None, Some(&[b'a'; 2000]), &[]).unwrap();
    Vec::from(builder.finish().unwrap())
}

/// `batch` with another block of records, its length and checksum right.
fn with_block(batch: &[u8], block: &[u8]) -> Vec<u8> {
    let mut changed = batch[..BatchHeader::SIZE].to_vec();
    changed.extend_from_slice(block);
    let length = changed.len() as i32 - 12;
    changed[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = wire::crc32c(&changed[21..]);
    changed[17..21].copy_from_slice(&crc.to_be_bytes());
    changed
}

#[test]
fn every_codec_becomes_that_of_the_topic_and_nothing_else_changes() {
    for to in TYPES {
        for from in Compression::ALL {
            let (lab, sent) = (lab(to), rich(from));
            let appended = lab.open().append(&mut sent.clone()).unwrap();
            assert_eq!((appended.base_offset, appended.last_offset), (0, 2), "{from} to {to:?}");
            let log = log_of(&lab);
            batch::verify_crc(&log).unwrap();
            let (old, new) = (BatchHeader::parse(&sent).unwrap(), BatchHeader::parse(&log).unwrap());
            let expected = BatchHeader {
                partition_leader_epoch: 0,
                attributes: i16::from(to.codec().unwrap().id()),
                batch_length: log.len() as i32 - 12,
                crc: new.crc,
                ..old
            };
            assert_eq!(new, expected, "{from} to {to:?}");
            let before = batch::records(&sent, 1 << 20).unwrap();
            let after = batch::records(&log, 1 << 20).unwrap();
            assert!(before.iter().eq(after.iter()), "{from} to {to:?}");
        }
    }
}

/// In two members, as our own compressor would not write it.
#[test]
fn a_batch_of_the_topics_codec_stays_as_it_came() {
    let plain = rich(Compression::None);
    let (front, back) = plain[BatchHeader::SIZE..].split_at(50);
    let mut block = Vec::new();
    for part in [front, back] {
        Compression::Gzip.compress(part, &mut block).unwrap();
    }
    let mut expected = with_block(&rich(Compression::Gzip), &block);
    for compression_type in [CompressionType::Gzip, CompressionType::Producer] {
        let lab = lab(compression_type);
        lab.open().append(&mut expected.clone()).unwrap();
        batch::set_leader_epoch(&mut expected, 0);
        assert_eq!(log_of(&lab), expected, "{compression_type:?}");
    }
}

#[test]
fn of_several_batches_those_of_another_codec_are_compressed_again() {
    let lab = lab(CompressionType::Lz4);
    let partition = lab.open();
    let sent = [Compression::Zstd, Compression::Lz4, Compression::None, Compression::Lz4]
        .map(|codec| keyed(NOON, codec, &[("k", Some("v")), ("k", None)]));
    let appended = partition.append(&mut sent.concat()).unwrap();
    assert_eq!((appended.base_offset, appended.last_offset), (0, 7));
    let log = log_of(&lab);
    let offsets: Vec<i64> = batch::batches(&log).map(|found| found.unwrap().0.base_offset).collect();
    assert_eq!(offsets, [0, 2, 4, 6]);
    assert_eq!(codecs(&log), [Compression::Lz4; 4]);
    assert_eq!(partition.size_bytes(), log.len() as u64);
    let last = BatchHeader::parse(&sent[3]).unwrap();
    assert_eq!(log[log.len() - last.size() + 12 + 4..], sent[3][12 + 4..], "it was not touched");
    // recovery finds the same
    drop(partition);
    assert_eq!(lab.open().log_end_offset(), 8);
}

#[test]
fn a_batch_that_is_sent_again_is_recognised_also_after_a_crash() {
    let lab = lab(CompressionType::Zstd);
    let partition = lab.open();
    partition.append(&mut values(&["other"])).unwrap();
    assert!(!partition.append(&mut produced(7, 0, 0, 3)).unwrap().duplicate);
    let again = partition.append(&mut produced(7, 0, 0, 3)).unwrap();
    assert_eq!((again.duplicate, again.base_offset, again.last_offset), (true, 1, 3));
    drop(partition);
    let partition = lab.open();
    assert!(partition.append(&mut produced(7, 0, 0, 3)).unwrap().duplicate);
    assert!(!partition.append(&mut produced(7, 0, 3, 1)).unwrap().duplicate);
    let read: Vec<String> = read_values(&partition).into_iter().map(|(_, value)| value).collect();
    assert_eq!(read, ["other", "7/0/0", "7/0/1", "7/0/2", "7/0/3"]);
    assert_eq!(codecs(&log_of(&lab)), [Compression::Zstd; 3]);
}

#[test]
fn append_time_is_given_after_it() {
    let config = LogConfig {
        compression_type: CompressionType::Snappy,
        message_timestamp_type: TimestampType::LogAppendTime,
        ..LogConfig::default()
    };
    let lab = Lab::with(config);
    lab.clock.advance(500);
    let appended = lab.open().append(&mut rich(Compression::Gzip)).unwrap();
    assert_eq!(appended.log_append_time, NOON + 500);
    let log = log_of(&lab);
    batch::verify_crc(&log).unwrap();
    let header = BatchHeader::parse(&log).unwrap();
    assert_eq!((header.timestamp_type(), header.max_timestamp), (RecordTime::LogAppendTime, NOON + 500));
    assert_eq!(header.compression(), Ok(Compression::Snappy));
}

#[test]
fn a_changed_setting_holds_from_the_next_append_on() {
    let lab = lab(CompressionType::Producer);
    let partition = lab.open();
    for compression_type in [CompressionType::Producer, CompressionType::Gzip, CompressionType::Uncompressed]
    {
        partition.set_config(Arc::new(LogConfig { compression_type, ..LogConfig::default() }));
        partition.append(&mut keyed(NOON, Compression::Lz4, &[("k", Some("v"))])).unwrap();
    }
    assert_eq!(codecs(&log_of(&lab)), [Compression::Lz4, Compression::Gzip, Compression::None]);
}

#[test]
fn transactions_keep_their_producer_and_markers_are_not_compressed() {
    let lab = lab(CompressionType::Zstd);
    let partition = lab.open();
    send(&partition, (7, 0, 0), "k", "v").unwrap();
    commit(&partition, 7, 0);
    let log = log_of(&lab);
    let headers: Vec<BatchHeader> = batch::batches(&log).map(|found| found.unwrap().0).collect();
    assert!(headers.iter().all(|header| header.is_transactional() && header.producer_id == 7));
    assert_eq!(headers.iter().map(BatchHeader::is_control).collect::<Vec<_>>(), [false, true]);
    assert_eq!(codecs(&log), [Compression::Zstd, Compression::None]);
    assert_eq!(committed(&partition, 1000), [(0, "v".to_owned())]);
}

#[test]
fn the_limits_on_batch_and_segment_hold_for_what_comes_out() {
    let config = LogConfig {
        compression_type: CompressionType::Uncompressed,
        max_message_bytes: 1000,
        ..LogConfig::default()
    };
    let lab = Lab::with(config.clone());
    let partition = lab.open();
    let refused = partition.append(&mut large(Compression::Gzip)).unwrap_err();
    assert!(matches!(refused, AppendError::TooLarge { size, max: 1000 } if size > 2000), "{refused}");

    let in_gzip = LogConfig { compression_type: CompressionType::Gzip, ..config.clone() };
    partition.set_config(Arc::new(in_gzip));
    let refused = partition.append(&mut large(Compression::None)).unwrap_err();
    assert!(matches!(refused, AppendError::TooLarge { .. }), "as it comes it may not be larger either");
    assert_eq!(partition.append(&mut large(Compression::Zstd)).unwrap().base_offset, 0);

    partition.set_config(Arc::new(LogConfig { max_message_bytes: 2500, segment_bytes: 3000, ..config }));
    let refused = partition.append(&mut large(Compression::Gzip).repeat(2)).unwrap_err();
    assert!(matches!(refused, AppendError::LargerThanSegment { size, .. } if size > 4000), "{refused}");
    assert_eq!(partition.log_end_offset(), 1);
}

/// Without another codec they would be kept as they are, for consumers to stumble over.
#[test]
fn records_that_cannot_be_read_are_corrupt() {
    let garbage = with_block(&rich(Compression::Gzip), &[0x55; 40]);
    let mut block = rich(Compression::None)[BatchHeader::SIZE..].to_vec();
    // the first record's offset, behind its length, attributes and timestamp
    block[3] = 2;
    let skipping = with_block(&rich(Compression::None), &block);
    let lab = lab(CompressionType::Zstd);
    let partition = lab.open();
    for mut broken in [garbage, skipping] {
        let refused = partition.append(&mut broken).unwrap_err();
        assert!(matches!(refused, AppendError::Corrupt(_)), "{refused}");
        assert_eq!(refused.error_code().code(), 2);
    }
    assert_eq!((partition.log_end_offset(), log_of(&lab).len()), (0, 0));
}

/// Many members, each of little: some 200 KB that stand for 128 MiB and more.
#[test]
fn what_decompresses_to_more_than_the_limit_is_refused() {
    const PART: usize = 1 << 16;
    let mut part = Vec::new();
    Compression::Gzip.compress(&[0; PART], &mut part).unwrap();
    let bomb = with_block(&rich(Compression::Gzip), &part.repeat(RECORDS_BYTES_MAX / PART + 1));
    assert!(bomb.len() < LogConfig::default().max_message_bytes as usize);
    let lab = lab(CompressionType::Zstd);
    let refused = lab.open().append(&mut bomb.clone()).unwrap_err();
    assert!(matches!(&refused, AppendError::Invalid(words) if words.contains("limit")), "{refused}");
}
