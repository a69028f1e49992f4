//! Bytes as one file of a partition's directory, shown and verified; see `broker::fuzzing::log_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| broker::fuzzing::log_file(bytes));
