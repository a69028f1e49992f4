//! Bytes as the file of positions of the transfer's files; see `transfer::fuzzing::positions`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| transfer::fuzzing::positions(bytes));
