daemon::fuzz_tests!(checkpoint, collect_list);
