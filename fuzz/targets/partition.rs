//! Bytes as all files of a partition's directory; see `broker::fuzzing::partition`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| broker::fuzzing::partition(bytes));
