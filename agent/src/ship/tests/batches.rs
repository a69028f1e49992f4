//! Ranges to batches: the same bytes each time, cut where they must be, never over the computed bound.

use bytes::Bytes;
use proptest::prelude::*;
use wire::record::Compression;
use wire::record::batch::{records, validate};

use super::super::batch::{Encoder, Piece};
use super::file;
use crate::model::{Producer, Shape};

fn piece(data: &[u8]) -> Piece {
    Piece {
        file: file("app", 9),
        start: 1_000_000,
        end: 1_000_000 + data.len() as u64,
        lines: memchr::memchr_iter(b'\n', data).count() as u32,
        data: Bytes::copy_from_slice(data),
        shape: Shape::Lines,
        timestamp_ms: 5,
        credit: None,
    }
}

fn producer() -> Producer {
    Producer { id: 77, epoch: 3, boot_id: "boot".to_owned() }
}

fn encode(piece: &Piece, codec: Compression) -> (Bytes, u32) {
    Encoder::new(codec).encode(piece, &producer(), 40).unwrap()
}

#[test]
fn the_same_range_builds_the_same_batch_also_in_a_used_encoder() {
    let piece = piece(b"one\ntwo\nthree\n");
    for codec in Compression::ALL {
        let (first, count) = encode(&piece, codec);
        assert_eq!(count, 3);
        let mut used = Encoder::new(codec);
        used.encode(&self::piece(b"something else\n"), &producer(), 0).unwrap();
        assert_eq!(used.encode(&piece, &producer(), 40).unwrap().0, first, "{codec:?}");
        let header = validate(&first, 1 << 20).unwrap();
        assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (77, 3, 40));
        assert_eq!((header.base_timestamp, header.max_timestamp), (5, 5));
    }
}

#[test]
fn a_range_of_empty_lines_is_a_batch_of_empty_values() {
    let (batch, count) = encode(&piece(b"\n\n\n"), Compression::None);
    assert_eq!(count, 3);
    let offsets: Vec<_> = records(&batch, 1 << 20)
        .unwrap()
        .iter()
        .map(|record| {
            let record = record.unwrap();
            assert_eq!(record.value, Some(&b""[..]));
            String::from_utf8(record.headers.get("offset").unwrap().to_vec()).unwrap()
        })
        .collect();
    assert_eq!(offsets, ["1000000", "1000001", "1000002"]);
}

#[test]
fn offsets_are_written_in_full_up_to_the_largest() {
    for start in [0, 9, 10, u64::MAX - 1] {
        let piece = Piece { start, end: u64::MAX, ..piece(b"x\n") };
        let (batch, _) = encode(&piece, Compression::None);
        let records = records(&batch, 1 << 20).unwrap();
        let record = records.iter().next().unwrap().unwrap();
        assert_eq!(record.headers.get("offset"), Some(start.to_string().as_bytes()));
    }
}

#[test]
fn one_line_is_never_cut() {
    let mut line = piece(b"a line that is longer than the limit\n");
    assert!(line.cut(10).is_none());
    assert!(line.halve().is_none());
    let mut partial = Piece { shape: Shape::Partial, lines: 1, ..piece(b"no end") };
    assert!(partial.cut(1).is_none());
    assert!(partial.halve().is_none());
}

#[test]
fn halves_meet_and_have_half_the_lines() {
    let mut first = piece(b"1\n2\n3\n4\n5\n");
    let second = first.halve().unwrap();
    assert_eq!((&first.data[..], first.lines), (&b"1\n2\n"[..], 2));
    assert_eq!((&second.data[..], second.lines), (&b"3\n4\n5\n"[..], 3));
    assert_eq!((first.end, second.start, second.end), (1_000_004, 1_000_004, 1_000_010));
}

proptest! {
    #[test]
    fn pieces_are_the_whole_within_the_limit_and_the_bound(
        lines in proptest::collection::vec("[a-z]{0,200}", 1..40),
        limit in 300_usize..5000,
    ) {
        let text = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>();
        let whole = piece(text.as_bytes());
        let mut rest = Some(whole.clone());
        let mut joined = Vec::new();
        let mut next_start = whole.start;
        let mut count = 0;
        while let Some(mut front) = rest.take() {
            rest = front.cut(limit);
            let (batch, records) = encode(&front, Compression::None);
            prop_assert!(batch.len() <= front.bound());
            prop_assert!(batch.len() <= limit || records == 1, "{} of {}", batch.len(), limit);
            prop_assert_eq!(records, front.lines);
            prop_assert_eq!(front.start, next_start);
            next_start = front.end;
            count += records as usize;
            joined.extend_from_slice(&front.data);
        }
        prop_assert_eq!(joined, text.as_bytes());
        prop_assert_eq!(next_start, whole.end);
        prop_assert_eq!(count, lines.len());
    }

    #[test]
    fn no_codec_makes_a_batch_longer_than_the_bound(data in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let mut data = data;
        data.push(b'\n');
        let piece = piece(&data);
        for codec in Compression::ALL {
            prop_assert!(encode(&piece, codec).0.len() <= piece.bound());
        }
    }
}
