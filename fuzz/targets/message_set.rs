//! Bytes as message sets of magic 0 and 1; see `wire::fuzzing::message_set`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::fuzzing::message_set(bytes));
