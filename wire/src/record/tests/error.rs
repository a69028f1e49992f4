use crate::ErrorCode;
use crate::record::{Compression, RecordError};

#[test]
fn only_damage_is_worth_sending_again() {
    let damaged = [
        RecordError::Incomplete { needed: 61, have: 3 },
        RecordError::BadMagic(3),
        RecordError::BadCrc { stored: 1, computed: 2 },
        RecordError::BadLength(-1),
        RecordError::Corrupt { codec: Compression::Gzip, reason: "bad data".to_owned() },
    ];
    for error in damaged {
        assert!(error.code() == ErrorCode::CorruptMessage && error.code().is_retriable(), "{error}");
    }
    let refused = [
        (RecordError::BadCount { records_count: 1, last_offset_delta: 1 }, ErrorCode::InvalidRecord),
        (RecordError::BadRecord("it is empty"), ErrorCode::InvalidRecord),
        (RecordError::NotAllowed("it is a control batch"), ErrorCode::InvalidRecord),
        (RecordError::UnknownCompression(7), ErrorCode::InvalidRecord),
        (RecordError::TooLarge { limit: 5 }, ErrorCode::MessageTooLarge),
    ];
    for (error, code) in refused {
        assert!(error.code() == code && !code.is_retriable(), "{error}");
    }
}

#[test]
fn errors_read_like_sentences() {
    let known = [
        (
            RecordError::Incomplete { needed: 61, have: 3 },
            "the record batch is cut off: it needs 61 bytes and there are 3",
        ),
        (
            RecordError::BadCrc { stored: 1, computed: 0xabc },
            "the checksum of the record batch is 0x00000abc, its header says 0x00000001",
        ),
        (
            RecordError::Corrupt { codec: Compression::Lz4, reason: "the data is cut off".to_owned() },
            "the lz4 data of the batch cannot be decompressed: the data is cut off",
        ),
        (RecordError::TooLarge { limit: 1000 }, "the records of the batch exceed the limit of 1000 bytes"),
    ];
    for (error, sentence) in known {
        assert_eq!(error.to_string(), sentence);
    }
}
