//! Bytes as a collect list, from etcd, a file or the cache; see `agent::fuzzing::collect_list`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agent::fuzzing::collect_list(bytes));
