//! Bytes as the two slots of the agent's checkpoint; see `agent::fuzzing::checkpoint`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agent::fuzzing::checkpoint(bytes));
