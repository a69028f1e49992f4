daemon::fuzz_tests!(segment, partition, log_file, data_file, group_record, transaction_record);
