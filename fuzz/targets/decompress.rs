//! Bytes as compressed bytes of every codec; see `wire::fuzzing::decompress`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wire::fuzzing::decompress(bytes));
