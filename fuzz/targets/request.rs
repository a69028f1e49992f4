//! Bytes as a request's frame, header and body; see `wire::fuzzing::request`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::fuzzing::request(bytes));
