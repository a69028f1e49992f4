daemon::fuzz_tests!(line, bulk_answer, positions);
