//! Bytes as the segment of a partition that was killed; see `broker::fuzzing::segment`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| broker::fuzzing::segment(bytes));
