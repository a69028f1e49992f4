//! Bytes as the index's answer to a bulk request; see `transfer::fuzzing::bulk_answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| transfer::fuzzing::bulk_answer(bytes));
