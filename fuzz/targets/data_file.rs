//! Bytes as one of the small files of the data directory; see `broker::fuzzing::data_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| broker::fuzzing::data_file(bytes));
