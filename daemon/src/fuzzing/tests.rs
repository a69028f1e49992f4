crate::fuzz_tests!(config);
