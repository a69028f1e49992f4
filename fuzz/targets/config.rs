//! Bytes as a configuration file; see `daemon::fuzzing::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| daemon::fuzzing::config(bytes));
