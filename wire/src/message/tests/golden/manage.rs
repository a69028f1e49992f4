//! Messages of administration beyond topics: settings, partitions, records, producers.

use super::golden;
use crate::message::*;

#[test]
fn describe_configs_1_tells_where_values_come_from_and_0_only_whether_they_are_defaults() {
    let synonym = describe_configs::DescribeConfigsSynonym { name: "k".into(), value: None, source: 5 };
    let config = describe_configs::DescribeConfigsResourceResult {
        name: "k".into(),
        value: Some("v".into()),
        read_only: true,
        ..Default::default()
    };
    let response = |config| DescribeConfigsResponse {
        results: vec![describe_configs::DescribeConfigsResult {
            resource_type: 2,
            resource_name: "t".into(),
            configs: vec![config],
            ..Default::default()
        }],
        ..Default::default()
    };
    let head = r#"00000000 00000001 0000 ffff 02 0001 "t" 00000001 0001 "k" 0001 "v" 01"#;
    let is_default = describe_configs::DescribeConfigsResourceResult { is_default: true, ..config.clone() };
    golden(0, &format!("{head} 01 00"), &response(is_default));
    let synonyms = vec![synonym];
    let sourced =
        describe_configs::DescribeConfigsResourceResult { config_source: 1, synonyms, ..config.clone() };
    golden(1, &format!(r#"{head} 01 00 00000001 0001 "k" ffff 05"#), &response(sourced.clone()));
    let documented = describe_configs::DescribeConfigsResourceResult {
        config_type: 5,
        documentation: Some("d".into()),
        ..sourced
    };
    golden(
        4,
        r#"00000000 02 0000 00 02 02 "t" 02 02 "k" 02 "v" 01 01 00 02 02 "k" 00 05 00 05 02 "d" 00 00 00"#,
        &response(documented),
    );
}

#[test]
fn describe_configs_request_4() {
    let resource = describe_configs::DescribeConfigsResource {
        resource_type: 4,
        resource_name: "1".into(),
        configuration_keys: None,
    };
    let request =
        DescribeConfigsRequest { resources: vec![resource], include_synonyms: true, ..Default::default() };
    golden(1, r#"00000001 04 0001 "1" ffffffff 01"#, &request);
    golden(4, r#"02 04 02 "1" 00 00 01 00 00"#, &request);
}

#[test]
fn incremental_alter_configs_says_what_to_do_with_each_setting() {
    let config =
        |name: &str, config_operation, value: Option<&str>| incremental_alter_configs::AlterableConfig {
            name: name.into(),
            config_operation,
            value: value.map(Into::into),
        };
    let resource = incremental_alter_configs::AlterConfigsResource {
        resource_type: 2,
        resource_name: "t".into(),
        configs: vec![config("a", 0, Some("1")), config("b", 1, None)],
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: true };
    golden(0, r#"00000001 02 0001 "t" 00000002 0001 "a" 00 0001 "1" 0001 "b" 01 ffff 01"#, &request);
    golden(1, r#"02 02 02 "t" 03 02 "a" 00 02 "1" 00 02 "b" 01 00 00 00 01 00"#, &request);
}

/// A struct that may be null has a byte before it, also in a flexible version.
#[test]
fn describe_topic_partitions_has_a_cursor_that_may_be_null() {
    let request = DescribeTopicPartitionsRequest {
        topics: vec![describe_topic_partitions::TopicRequest { name: "t".into() }],
        ..Default::default()
    };
    golden(0, r#"02 02 "t" 00 000007d0 ff 00"#, &request);
    let cursor = describe_topic_partitions::Cursor { topic_name: "t".into(), partition_index: 7 };
    let request = DescribeTopicPartitionsRequest { cursor: Some(cursor), ..request };
    golden(0, r#"02 02 "t" 00 000007d0 01 02 "t" 00000007 00 00"#, &request);
}

#[test]
fn create_partitions_may_leave_the_assignment_to_the_broker() {
    let topic =
        |assignments| create_partitions::CreatePartitionsTopic { name: "t".into(), count: 3, assignments };
    let request = |assignments| CreatePartitionsRequest {
        topics: vec![topic(assignments)],
        timeout_ms: 1000,
        validate_only: false,
    };
    golden(0, r#"00000001 0001 "t" 00000003 ffffffff 000003e8 00"#, &request(None));
    let assignment = create_partitions::CreatePartitionsAssignment { broker_ids: vec![1] };
    golden(2, r#"02 02 "t" 00000003 02 02 00000001 00 00 000003e8 00 00"#, &request(Some(vec![assignment])));
}

#[test]
fn delete_records_names_the_first_offset_that_stays() {
    let partition = delete_records::DeleteRecordsPartition { partition_index: 2, offset: -1 };
    let topic = delete_records::DeleteRecordsTopic { name: "t".into(), partitions: vec![partition] };
    let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 1000 };
    golden(0, r#"00000001 0001 "t" 00000001 00000002 ffffffffffffffff 000003e8"#, &request);
    golden(2, r#"02 02 "t" 02 00000002 ffffffffffffffff 00 00 000003e8 00"#, &request);
}

#[test]
fn offset_delete_is_not_flexible() {
    let partition = offset_delete::OffsetDeleteResponsePartition { partition_index: 1, error_code: 86 };
    let topic = offset_delete::OffsetDeleteResponseTopic { name: "t".into(), partitions: vec![partition] };
    golden(
        0,
        r#"0000 00000000 00000001 0001 "t" 00000001 00000001 0056"#,
        &OffsetDeleteResponse { topics: vec![topic], ..Default::default() },
    );
}

#[test]
fn describe_log_dirs_4_tells_the_size_of_the_disk() {
    let partition = describe_log_dirs::DescribeLogDirsPartition { partition_size: 512, ..Default::default() };
    let topic = describe_log_dirs::DescribeLogDirsTopic { name: "t".into(), partitions: vec![partition] };
    let result = describe_log_dirs::DescribeLogDirsResult {
        log_dir: "/d".into(),
        topics: vec![topic],
        total_bytes: 4096,
        usable_bytes: 1024,
        ..Default::default()
    };
    golden(
        4,
        r#"00000000 0000 02 0000 03 "/d" 02 02 "t" 02 00000000 0000000000000200 0000000000000000 00 00 00
           0000000000001000 0000000000000400 00 00"#,
        &DescribeLogDirsResponse { results: vec![result], ..Default::default() },
    );
}
