//! Bytes as a record of `__consumer_offsets`; see `broker::fuzzing::group_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| broker::fuzzing::group_record(bytes));
