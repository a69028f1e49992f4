//! Bytes as a record of `__transaction_state`; see `broker::fuzzing::transaction_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| broker::fuzzing::transaction_record(bytes));
