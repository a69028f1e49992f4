//! Bytes that others wrote: batches of every magic and codec from the Java client 3.9.1, and three
//! that are worked out by hand from the documents.
//!
//! The Java client wrote the same four records at offsets 100 to 103 into each file of `golden/`; the
//! later ones exercise a null key, a null value, and empty ones. Magic 1 and 2 have timestamps,
//! magic 2 also headers and an idempotent producer whose sequence wraps.

use crate::record::batch::{batches, records, verify_crc};
use crate::record::legacy::{ConversionLimits, Magic, SetBuilder, entries, to_batches};
use crate::record::{BatchBuilder, BatchHeader, Compression};

use super::LIMIT;

type Read = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>);

const NOW: i64 = 1_700_000_000_000;

/// The four records as they should be read.
fn expected(with_timestamps: bool) -> Vec<Read> {
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    let mut records = vec![
        (100, NOW, bytes("key"), bytes(&"a".repeat(300))),
        (101, NOW + 5, None, bytes("second")),
        (102, NOW - 3, bytes("gone"), None),
        (103, NOW + 70_000, bytes(""), bytes("")),
    ];
    if !with_timestamps {
        records.iter_mut().for_each(|record| record.1 = -1);
    }
    records
}

fn read_batch(batch: &[u8]) -> Vec<Read> {
    let records = records(batch, LIMIT).unwrap();
    let owned = records.iter().map(|record| {
        let record = record.unwrap();
        (record.offset, record.timestamp, record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec))
    });
    owned.collect()
}

fn read_set(set: &[u8]) -> Vec<Read> {
    let mut read = Vec::new();
    for entry in entries(set) {
        for message in entry.unwrap().messages(LIMIT).unwrap().iter() {
            let [key, value] = [message.key, message.value].map(|field| field.map(<[u8]>::to_vec));
            read.push((message.offset, message.timestamp, key, value));
        }
    }
    read
}

const MAGIC_2: [(Compression, &[u8]); 5] = [
    (Compression::None, include_bytes!("../golden/magic2-none.bin")),
    (Compression::Gzip, include_bytes!("../golden/magic2-gzip.bin")),
    (Compression::Snappy, include_bytes!("../golden/magic2-snappy.bin")),
    (Compression::Lz4, include_bytes!("../golden/magic2-lz4.bin")),
    (Compression::Zstd, include_bytes!("../golden/magic2-zstd.bin")),
];

const MAGIC_0_AND_1: [(i8, Compression, &[u8]); 8] = [
    (0, Compression::None, include_bytes!("../golden/magic0-none.bin")),
    (0, Compression::Gzip, include_bytes!("../golden/magic0-gzip.bin")),
    (0, Compression::Snappy, include_bytes!("../golden/magic0-snappy.bin")),
    (0, Compression::Lz4, include_bytes!("../golden/magic0-lz4.bin")),
    (1, Compression::None, include_bytes!("../golden/magic1-none.bin")),
    (1, Compression::Gzip, include_bytes!("../golden/magic1-gzip.bin")),
    (1, Compression::Snappy, include_bytes!("../golden/magic1-snappy.bin")),
    (1, Compression::Lz4, include_bytes!("../golden/magic1-lz4.bin")),
];

#[test]
fn the_java_clients_batches_are_read() {
    for (codec, bytes) in MAGIC_2 {
        let (header, batch) = batches(bytes).next().unwrap().unwrap();
        assert_eq!(batch.len(), bytes.len());
        assert_eq!(verify_crc(batch), Ok(()), "{codec}");
        assert_eq!(header.compression(), Ok(codec));
        assert_eq!((header.base_offset, header.last_offset(), header.records_count), (100, 103, 4));
        assert_eq!((header.producer_id, header.producer_epoch), (4000, 5));
        assert_eq!((header.base_sequence, header.last_sequence()), (i32::MAX - 1, 1));
        assert_eq!((header.partition_leader_epoch, header.max_timestamp), (9, NOW + 70_000));
        assert_eq!(read_batch(batch), expected(true), "{codec}");
        let records = records(batch, LIMIT).unwrap();
        let headers = records.iter().next().unwrap().unwrap().headers;
        let both = [(&b"host"[..], Some(&b"web-1"[..])), (b"none", None)];
        assert_eq!(headers.iter().collect::<Vec<_>>(), both);
    }
}

#[test]
fn the_java_clients_message_sets_are_read() {
    for (magic, codec, bytes) in MAGIC_0_AND_1 {
        assert!(entries(bytes).all(|entry| entry.unwrap().compression() == Ok(codec)));
        assert_eq!(read_set(bytes), expected(magic == 1), "magic {magic}, {codec}");
    }
}

#[test]
fn the_java_clients_message_sets_are_converted() {
    for (magic, codec, bytes) in MAGIC_0_AND_1 {
        let limits = ConversionLimits { decompressed: LIMIT, batch: LIMIT };
        let converted = to_batches(bytes, None, limits).unwrap();
        assert_eq!(converted.len(), 1);
        assert_eq!(BatchHeader::parse(&converted[0]).unwrap().compression(), Ok(codec));
        let mut batch = converted[0].to_vec();
        crate::record::batch::set_base_offset(&mut batch, 100);
        assert_eq!(read_batch(&batch), expected(magic == 1), "magic {magic}, {codec}");
    }
}

/// Batches of the Java client come out as the message sets of the Java client: without compression byte for byte,
/// else with the same messages and frames of the same kind.
#[test]
fn the_set_builder_writes_what_the_java_client_writes() {
    for (magic, codec, java) in MAGIC_0_AND_1 {
        let form = if magic == 0 { Magic::V0 } else { Magic::V1 };
        let mut builder = SetBuilder::new(form, 0, LIMIT);
        let (_, batch) = MAGIC_2.iter().find(|(of, _)| *of == codec).unwrap();
        builder.push(batch, LIMIT).unwrap();
        let ours = builder.finish();
        assert_eq!(read_set(&ours), read_set(java), "magic {magic}, {codec}");
        if codec == Compression::None {
            assert_eq!(ours, java, "magic {magic}");
            continue;
        }
        let [ours, java] = [&ours[..], java].map(|set| entries(set).next().unwrap().unwrap());
        assert_eq!(
            (ours.offset, ours.attributes, ours.timestamp, ours.key),
            (java.offset, java.attributes, java.timestamp, java.key),
            "magic {magic}, {codec}"
        );
        // the head of a frame: up to lz4's header checksum, snappy's versions, gzip's method
        let head = match codec {
            Compression::Lz4 => 7,
            Compression::Snappy => 16,
            _ => 3,
        };
        assert_eq!(ours.value.unwrap()[..head], java.value.unwrap()[..head], "magic {magic}, {codec}");
    }
}

/// A batch without nulls in headers comes out of our builder byte for byte as out of the Java client's.
#[test]
fn the_builder_writes_what_the_java_client_writes() {
    let java = MAGIC_2[0].1;
    let mut builder = BatchBuilder::new(Compression::None).producer(4000, 5, i32::MAX - 1);
    for (index, (_, timestamp, key, value)) in expected(true).into_iter().enumerate() {
        let headers: &[(&str, &[u8])] = if index == 0 { &[("host", b"web-1"), ("none", b"")] } else { &[] };
        builder.append(timestamp, key.as_deref(), value.as_deref(), headers).unwrap();
    }
    let mut ours = builder.finish().unwrap().to_vec();
    // The only difference: the second header's value, empty here, null (-1, zigzag 1) there.
    let at = ours.windows(5).position(|window| window == b"none\0").unwrap() + 4;
    ours[at] = 1;
    let mut ours = super::resealed(&ours, |_| ());
    crate::record::batch::set_base_offset(&mut ours, 100);
    crate::record::batch::set_leader_epoch(&mut ours, 9);
    assert_eq!(ours, java);
}

/// Every byte by the tables in the documents.
#[test]
fn a_batch_by_hand() {
    let mut bytes = vec![
        0, 0, 0, 0, 0, 0, 0, 0, // base offset
        0, 0, 0, 60, // batch length: 49 bytes of header behind it, and a record of 11
        0xff, 0xff, 0xff, 0xff, // partition leader epoch
        2,    // magic
        0, 0, 0, 0, // crc, below
        0, 0, // attributes
        0, 0, 0, 0, // last offset delta
        0, 0, 0, 0, 0, 0, 0x03, 0xe8, // base timestamp: 1000
        0, 0, 0, 0, 0, 0, 0x03, 0xe8, // max timestamp
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // producer id
        0xff, 0xff, // producer epoch
        0xff, 0xff, 0xff, 0xff, // base sequence
        0, 0, 0, 1,  // records count
        20, // record length 10
        0, 0, 0, // attributes, timestamp delta, offset delta
        1, // key: null
        4, b'h', b'i', // value
        2, 0, 0, // one header: empty key, empty value
    ];
    let crc = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    let mut builder = BatchBuilder::new(Compression::None);
    builder.append(1_000, None, Some(b"hi"), &[("", b"")]).unwrap();
    assert_eq!(builder.finish().unwrap(), bytes);
}

#[test]
fn messages_by_hand() {
    let magic_0 = [
        &[0, 0, 0, 0, 0, 0, 0, 9][..],               // offset
        &[0, 0, 0, 17],                              // message size
        &0xd0a1_b23e_u32.to_be_bytes(),              // crc of the rest
        &[0, 0],                                     // magic, attributes
        &[0, 0, 0, 1, b'k', 0, 0, 0, 2, b'h', b'i'], // key, value
    ]
    .concat();
    let read = (9, -1, Some(b"k".to_vec()), Some(b"hi".to_vec()));
    assert_eq!(read_set(&magic_0), [read]);

    let magic_1 = [
        &[0, 0, 0, 0, 0, 0, 0, 9][..],                     // offset
        &[0, 0, 0, 24],                                    // message size
        &0x0661_4b6d_u32.to_be_bytes(),                    // crc of the rest
        &[1, 0],                                           // magic, attributes
        &[0, 0, 0, 0, 0, 0, 0x03, 0xe8],                   // timestamp: 1000
        &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2, b'h', b'i'], // null key, value
    ]
    .concat();
    assert_eq!(read_set(&magic_1), [(9, 1_000, None, Some(b"hi".to_vec()))]);
}
