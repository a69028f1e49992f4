//! Against the `kafka-protocol` crate, which is written from the same documents by others. Its
//! codecs are not built here, so batches are not compressed.

use bytes::{Bytes, BytesMut};
use kafka_protocol_018::records::{
    Compression as TheirCompression, Record as TheirRecord, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType as TheirTimestampType,
};
use proptest::prelude::*;

use crate::record::batch::{batches, records, validate};
use crate::record::{BatchBuilder, BatchHeader, Compression};

use super::LIMIT;

type Bytestring = Option<Vec<u8>>;
type Plain = (i64, Bytestring, Bytestring, Vec<(String, Bytestring)>);

/// Distinct header keys, because theirs are a map; timestamps of this age, because theirs overflow.
fn any_records() -> impl Strategy<Value = Vec<Plain>> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..100));
    let headers = proptest::collection::btree_map(".{0,8}", bytes(), 0..4)
        .prop_map(|map| map.into_iter().collect::<Vec<_>>());
    proptest::collection::vec((0..1_i64 << 42, bytes(), bytes(), headers), 1..10)
}

fn theirs(list: &[Plain], producer: (i64, i16, i32)) -> Vec<TheirRecord> {
    let each = |(index, (timestamp, key, value, headers)): (usize, &Plain)| TheirRecord {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: producer.0,
        producer_epoch: producer.1,
        timestamp_type: TheirTimestampType::Creation,
        offset: index as i64,
        sequence: if producer.2 < 0 { -1 } else { producer.2 + index as i32 },
        timestamp: *timestamp,
        key: key.clone().map(Bytes::from),
        value: value.clone().map(Bytes::from),
        headers: headers.iter().map(|(k, v)| (k.clone().into(), v.clone().map(Bytes::from))).collect(),
    };
    list.iter().enumerate().map(each).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn they_read_what_we_write(list in any_records(), producer in (0..1_i64 << 50, 0..i16::MAX, 0..1_i32 << 30)) {
        let mut builder = BatchBuilder::new(Compression::None).producer(producer.0, producer.1, producer.2);
        for (timestamp, key, value, headers) in &list {
            let headers: Vec<(&str, &[u8])> =
                headers.iter().map(|(k, v)| (k.as_str(), v.as_deref().unwrap_or_default())).collect();
            builder.append(*timestamp, key.as_deref(), value.as_deref(), &headers).unwrap();
        }
        let mut batch = builder.finish().unwrap();
        let info = RecordBatchDecoder::decode_batch_info(&mut batch.clone()).unwrap();
        prop_assert_eq!(info[0].record_count, list.len() as i32);
        let read = RecordBatchDecoder::decode(&mut batch).unwrap();
        // Our writer knows no null header values.
        let filled: Vec<Plain> = list
            .into_iter()
            .map(|(t, k, v, headers)| {
                (t, k, v, headers.into_iter().map(|(k, v)| (k, Some(v.unwrap_or_default()))).collect())
            })
            .collect();
        prop_assert_eq!(read.records, theirs(&filled, producer));
    }

    #[test]
    fn we_read_what_they_write(list in any_records()) {
        let mut bytes = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression: TheirCompression::None };
        RecordBatchEncoder::encode(&mut bytes, &theirs(&list, (-1, -1, -1)), &options).unwrap();
        let mut expected = list.iter();
        for item in batches(&bytes) {
            let (header, batch) = item.unwrap();
            prop_assert_eq!(header.producer_id, -1);
            crate::record::batch::verify_crc(batch).unwrap();
            let read = records(batch, LIMIT).unwrap();
            for record in &read {
                let record = record.unwrap();
                let (timestamp, key, value, headers) = expected.next().unwrap();
                prop_assert_eq!(record.timestamp, *timestamp);
                prop_assert_eq!(record.key, key.as_deref());
                prop_assert_eq!(record.value, value.as_deref());
                let wanted: Vec<_> = headers.iter().map(|(k, v)| (k.as_bytes(), v.as_deref())).collect();
                prop_assert_eq!(record.headers.iter().collect::<Vec<_>>(), wanted);
            }
        }
        prop_assert!(expected.next().is_none());
    }
}

/// The same records make the same bytes, up to the base timestamp, which Kafka takes from the first
/// record and they from the smallest: so the first is the smallest here.
#[test]
fn both_write_the_same_bytes() {
    let list: Vec<Plain> = vec![
        (1_000, Some(b"key".to_vec()), Some(b"value".to_vec()), vec![("host".into(), Some(b"a".to_vec()))]),
        (1_000_000, None, Some(vec![7; 200]), vec![]),
        (1_001, Some(vec![]), None, vec![]),
    ];
    let mut bytes = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: TheirCompression::None };
    RecordBatchEncoder::encode(&mut bytes, &theirs(&list, (12, 3, 40)), &options).unwrap();

    let mut builder = BatchBuilder::new(Compression::None).producer(12, 3, 40);
    builder.append(1_000, Some(b"key"), Some(b"value"), &[("host", b"a")]).unwrap();
    builder.append(1_000_000, None, Some(&[7; 200]), &[]).unwrap();
    builder.append(1_001, Some(b""), None, &[]).unwrap();
    let batch = builder.finish().unwrap();
    assert_eq!(BatchHeader::parse(&batch), BatchHeader::parse(&bytes));
    assert_eq!(batch, bytes);
    assert!(validate(&bytes, LIMIT).is_ok());
}
