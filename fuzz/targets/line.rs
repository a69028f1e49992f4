//! Bytes as a record of a topic, to be a document; see `transfer::fuzzing::line`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| transfer::fuzzing::line(bytes));
