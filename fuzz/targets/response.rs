//! Bytes as a response's body of any API and version; see `wire::fuzzing::response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::fuzzing::response(bytes));
