//! Transactions over the wire: a producer, its successor, consumers of committed records, groups, administrators.

use bytes::Bytes;
use wire::message::add_offsets_to_txn::AddOffsetsToTxnRequest;
use wire::message::add_partitions_to_txn::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use wire::message::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use wire::message::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};
use wire::message::describe_producers::{DescribeProducersRequest, TopicRequest};
use wire::message::describe_topic_partitions::{self, DescribeTopicPartitionsRequest};
use wire::message::describe_transactions::DescribeTransactionsRequest;
use wire::message::end_txn::EndTxnRequest;
use wire::message::fetch::{FetchRequest, PartitionData};
use wire::message::find_coordinator::FindCoordinatorRequest;
use wire::message::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use wire::message::init_producer_id::InitProducerIdRequest;
use wire::message::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use wire::message::list_transactions::ListTransactionsRequest;
use wire::message::metadata::MetadataRequest;
use wire::message::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestTopic};
use wire::message::produce::{PartitionProduceResponse, ProduceRequest};
use wire::message::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use wire::message::write_txn_markers::{WritableTxnMarker, WritableTxnMarkerTopic, WriteTxnMarkersRequest};
use wire::record::{BatchBuilder, Compression, batch};
use wire::{Blob, ErrorCode};

use super::support::{Client, TestBroker, error_of, fetch_request, produce_request};

/// A producer of the transactional id "tx".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tx {
    id: i64,
    epoch: i16,
}

fn code(error: i16) -> ErrorCode {
    ErrorCode::from_code(error)
}

fn of_tx(producer: Tx, sequence: i32, value: &str) -> Bytes {
    let mut builder =
        BatchBuilder::new(Compression::None).producer(producer.id, producer.epoch, sequence).transactional();
    builder.append(1_000, None, Some(value.as_bytes()), &[]).unwrap();
    builder.finish().unwrap()
}

/// Asks until no transaction is in the way.
async fn init(client: &mut Client) -> Tx {
    let request = InitProducerIdRequest {
        transactional_id: Some("tx".to_owned()),
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    loop {
        let response = client.call(4, &request).await;
        match code(response.error_code) {
            ErrorCode::None => return Tx { id: response.producer_id, epoch: response.producer_epoch },
            error => assert_eq!(error, ErrorCode::ConcurrentTransactions),
        }
    }
}

async fn add(
    client: &mut Client,
    version: i16,
    producer: Tx,
    topic: &str,
    partitions: &[i32],
) -> Vec<ErrorCode> {
    let request = AddPartitionsToTxnRequest {
        v3_and_below_transactional_id: "tx".to_owned(),
        v3_and_below_producer_id: producer.id,
        v3_and_below_producer_epoch: producer.epoch,
        v3_and_below_topics: vec![AddPartitionsToTxnTopic {
            name: topic.to_owned(),
            partitions: partitions.to_vec(),
        }],
        ..Default::default()
    };
    let response = client.call(version, &request).await;
    let results = &response.results_by_topic_v3_and_below[0].results_by_partition;
    results.iter().map(|result| code(result.partition_error_code)).collect()
}

async fn produce(client: &mut Client, version: i16, batch: Bytes) -> PartitionProduceResponse {
    let transactional_id = Some("tx".to_owned());
    let request = ProduceRequest { transactional_id, ..produce_request("t", -1, batch) };
    let mut response = client.call(version, &request).await;
    response.responses.remove(0).partition_responses.remove(0)
}

async fn end(client: &mut Client, version: i16, producer: Tx, committed: bool) -> ErrorCode {
    let request = EndTxnRequest {
        transactional_id: "tx".to_owned(),
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        committed,
    };
    code(client.call(version, &request).await.error_code)
}

/// What a consumer of committed records is given of partition 0, and how much of it is batches of data.
async fn fetch_committed(client: &mut Client, offset: i64) -> (PartitionData, usize) {
    let request = FetchRequest { isolation_level: 1, ..fetch_request("t", offset) };
    let mut response = client.call(12, &request).await;
    let data = response.responses.remove(0).partitions.remove(0);
    let bytes = data.records.as_ref().and_then(Blob::bytes).cloned().unwrap_or_default();
    let count = batch::batches(&bytes).filter(|found| !found.as_ref().unwrap().0.is_control()).count();
    (data, count)
}

async fn latest(client: &mut Client, isolation_level: i8) -> i64 {
    let topic = ListOffsetsTopic {
        name: "t".to_owned(),
        partitions: vec![ListOffsetsPartition {
            timestamp: -1,
            current_leader_epoch: -1,
            ..Default::default()
        }],
    };
    let request = ListOffsetsRequest { replica_id: -1, isolation_level, topics: vec![topic] };
    client.call(6, &request).await.topics[0].partitions[0].offset
}

#[tokio::test]
async fn a_transaction_is_read_once_it_is_committed_and_an_aborted_one_is_named() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let find = FindCoordinatorRequest { key: "tx".to_owned(), key_type: 1, ..Default::default() };
    let found = client.call(2, &find).await;
    assert_eq!((found.error_code, found.port), (0, i32::from(broker.addr.port())));
    let producer = init(&mut client).await;
    assert_eq!(add(&mut client, 3, producer, "t", &[0]).await, [ErrorCode::None]);
    assert_eq!(error_of(&produce(&mut client, 9, of_tx(producer, 0, "a")).await), ErrorCode::None);
    assert_eq!(fetch_committed(&mut client, 0).await.1, 0);
    assert_eq!((latest(&mut client, 0).await, latest(&mut client, 1).await), (1, 0));
    let (uncommitted, _) = client.fetch("t", 0).await;
    assert_eq!((uncommitted.high_watermark, uncommitted.last_stable_offset), (1, 0));
    assert_eq!(uncommitted.aborted_transactions, None);
    assert_eq!(end(&mut client, 3, producer, true).await, ErrorCode::None);
    let (data, count) = fetch_committed(&mut client, 0).await;
    assert_eq!((count, data.last_stable_offset, data.aborted_transactions), (1, 2, Some(Vec::new())));

    assert_eq!(add(&mut client, 3, producer, "t", &[0]).await, [ErrorCode::None]);
    assert_eq!(error_of(&produce(&mut client, 9, of_tx(producer, 1, "b")).await), ErrorCode::None);
    assert_eq!(end(&mut client, 3, producer, false).await, ErrorCode::None);
    let (data, _) = fetch_committed(&mut client, 0).await;
    let aborted = data.aborted_transactions.unwrap();
    assert_eq!((aborted.len(), aborted[0].producer_id, aborted[0].first_offset), (1, producer.id, 2));
    assert_eq!(latest(&mut client, 1).await, 4);
    let metadata = client.call(1, &MetadataRequest { topics: None, ..Default::default() }).await;
    let internal: Vec<_> =
        metadata.topics.iter().filter(|topic| topic.is_internal).map(|t| t.name.clone()).collect();
    assert!(internal.contains(&Some("__transaction_state".to_owned())), "{internal:?}");
}

#[tokio::test]
async fn a_consumer_that_waits_is_woken_by_the_commit() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let producer = init(&mut client).await;
    add(&mut client, 3, producer, "t", &[0]).await;
    produce(&mut client, 9, of_tx(producer, 0, "a")).await;
    let mut consumer = broker.client().await;
    let request = FetchRequest { isolation_level: 1, max_wait_ms: 60_000, ..fetch_request("t", 0) };
    consumer.send(12, &request).await;
    assert_eq!(end(&mut client, 3, producer, true).await, ErrorCode::None);
    let (_, response) = consumer.receive::<FetchRequest>(12).await;
    let records = response.responses[0].partitions[0].records.as_ref().unwrap();
    assert!(!records.is_empty());
}

/// KIP-890 as 3.9 serves it, in words that the client's version knows.
#[tokio::test]
async fn what_was_not_added_to_the_transaction_is_refused() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let stranger = Tx { id: 99, epoch: 0 };
    let response = produce(&mut client, 9, of_tx(stranger, 0, "a")).await;
    assert_eq!(error_of(&response), ErrorCode::InvalidProducerIdMapping);
    let nameless = client.try_produce("t", -1, of_tx(stranger, 0, "a")).await;
    assert_eq!(error_of(&nameless), ErrorCode::TransactionalIdAuthorizationFailed);
    let producer = init(&mut client).await;
    for (version, error) in [(9, ErrorCode::InvalidTxnState), (11, ErrorCode::TransactionAbortable)] {
        let response = produce(&mut client, version, of_tx(producer, 0, "a")).await;
        assert_eq!(error_of(&response), error, "version {version}");
    }
    let fenced = Tx { epoch: producer.epoch - 1, ..producer };
    let next = init(&mut client).await;
    assert_eq!(next.epoch, producer.epoch + 1);
    let response = produce(&mut client, 9, of_tx(producer, 0, "a")).await;
    assert_eq!(error_of(&response), ErrorCode::InvalidProducerEpoch);
    for (version, error) in [(0, ErrorCode::InvalidProducerEpoch), (2, ErrorCode::ProducerFenced)] {
        assert_eq!(add(&mut client, version, fenced, "t", &[0]).await, [error], "version {version}");
        assert_eq!(end(&mut client, version, fenced, true).await, error, "version {version}");
    }
    assert!(client.consume("t").await.is_empty());
}

#[tokio::test]
async fn partitions_are_added_all_or_none() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 2).await;
    let producer = init(&mut client).await;
    let refused = add(&mut client, 3, producer, "t", &[0, 7]).await;
    assert_eq!(refused, [ErrorCode::OperationNotAttempted, ErrorCode::UnknownTopicOrPartition]);
    let internal = add(&mut client, 3, producer, "__consumer_offsets", &[0]).await;
    assert_eq!(internal, [ErrorCode::TopicAuthorizationFailed]);
    assert_eq!(end(&mut client, 3, producer, true).await, ErrorCode::InvalidTxnState, "nothing was begun");
    let transaction = |verify_only, partitions: &[i32]| AddPartitionsToTxnRequest {
        transactions: vec![AddPartitionsToTxnTransaction {
            transactional_id: "tx".to_owned(),
            producer_id: producer.id,
            producer_epoch: producer.epoch,
            verify_only,
            topics: vec![AddPartitionsToTxnTopic { name: "t".to_owned(), partitions: partitions.to_vec() }],
        }],
        ..Default::default()
    };
    for (request, wanted) in [
        (transaction(false, &[1]), vec![ErrorCode::None]),
        (transaction(true, &[0, 1]), vec![ErrorCode::TransactionAbortable, ErrorCode::None]),
    ] {
        let response = client.call(5, &request).await;
        let results = &response.results_by_transaction[0].topic_results[0].results_by_partition;
        let results: Vec<ErrorCode> =
            results.iter().map(|result| code(result.partition_error_code)).collect();
        assert_eq!(results, wanted);
    }
}

#[tokio::test]
async fn offsets_of_a_group_are_committed_with_the_transaction() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let producer = init(&mut client).await;
    let partition = TxnOffsetCommitRequestPartition { committed_offset: 42, ..Default::default() };
    let commit = TxnOffsetCommitRequest {
        transactional_id: "tx".to_owned(),
        group_id: "g".to_owned(),
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        topics: vec![TxnOffsetCommitRequestTopic { name: "t".to_owned(), partitions: vec![partition] }],
        ..Default::default()
    };
    for (version, error) in [(3, ErrorCode::InvalidTxnState), (4, ErrorCode::TransactionAbortable)] {
        let response = client.call(version, &commit).await;
        assert_eq!(code(response.topics[0].partitions[0].error_code), error, "not added yet");
    }
    let add = AddOffsetsToTxnRequest {
        transactional_id: "tx".to_owned(),
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        group_id: "g".to_owned(),
    };
    assert_eq!(client.call(3, &add).await.error_code, 0);
    assert_eq!(client.call(3, &commit).await.topics[0].partitions[0].error_code, 0);
    let topics = Some(vec![OffsetFetchRequestTopic { name: "t".to_owned(), partition_indexes: vec![0] }]);
    let fetch =
        OffsetFetchRequest { group_id: "g".to_owned(), topics, require_stable: true, ..Default::default() };
    let pending = client.call(7, &fetch).await.topics.remove(0).partitions.remove(0);
    assert_eq!((pending.committed_offset, code(pending.error_code)), (-1, ErrorCode::UnstableOffsetCommit));
    // the offsets survive a stop, and so does the transaction
    let dir = broker.stop().await;
    let broker = TestBroker::start_in(dir, &[], std::sync::Arc::new(broker::log::RealDisk)).await;
    let mut client = broker.client().await;
    assert_eq!(end(&mut client, 3, producer, true).await, ErrorCode::None);
    let settled = client.call(7, &fetch).await.topics.remove(0).partitions.remove(0);
    assert_eq!((settled.committed_offset, settled.error_code), (42, 0));
}

#[tokio::test]
async fn administrators_list_describe_and_end_transactions() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.create("t", 1).await;
    let producer = init(&mut client).await;
    add(&mut client, 3, producer, "t", &[0]).await;
    produce(&mut client, 9, of_tx(producer, 0, "a")).await;
    let list = ListTransactionsRequest { state_filters: vec!["Ongoing".to_owned()], ..Default::default() };
    let listed = client.call(1, &list).await.transaction_states;
    assert_eq!((listed.len(), listed[0].transactional_id.as_str()), (1, "tx"));
    let describe = DescribeTransactionsRequest { transactional_ids: vec!["tx".to_owned(), "no".to_owned()] };
    let described = client.call(0, &describe).await.transaction_states;
    assert_eq!((described[0].producer_id, described[0].topics[0].topic.as_str()), (producer.id, "t"));
    assert_eq!(code(described[1].error_code), ErrorCode::TransactionalIdNotFound);
    assert_eq!(begins_at(&mut client, producer).await, (0, -1));

    let marker = |producer_id, partition| WriteTxnMarkersRequest {
        markers: vec![WritableTxnMarker {
            producer_id,
            producer_epoch: producer.epoch,
            transaction_result: false,
            topics: vec![WritableTxnMarkerTopic { name: "t".to_owned(), partition_indexes: vec![partition] }],
            coordinator_epoch: 0,
        }],
    };
    for (producer_id, partition, error) in [
        (producer.id, 5, ErrorCode::UnknownTopicOrPartition),
        (-1, 0, ErrorCode::InvalidRequest),
        (producer.id, 0, ErrorCode::None),
    ] {
        assert_eq!(fetch_committed(&mut client, 0).await.0.last_stable_offset, 0);
        let response = client.call(1, &marker(producer_id, partition)).await;
        assert_eq!(code(response.markers[0].topics[0].partitions[0].error_code), error);
    }
    assert_eq!(fetch_committed(&mut client, 0).await.0.last_stable_offset, 2);
    assert_eq!(begins_at(&mut client, producer).await, (-1, 0));
}

/// Where a producer's transaction begins, and the epoch of its coordinator: what tells that one hangs.
async fn begins_at(client: &mut Client, producer: Tx) -> (i64, i32) {
    let topic = TopicRequest { name: "t".to_owned(), partition_indexes: vec![0] };
    let request = DescribeProducersRequest { topics: vec![topic] };
    let partition = client.call(0, &request).await.topics.remove(0).partitions.remove(0);
    let told = partition.active_producers.iter().find(|told| told.producer_id == producer.id).unwrap();
    (told.current_txn_start_offset, told.coordinator_epoch)
}

/// Only the broker writes to its own topics.
#[tokio::test]
async fn the_topic_of_transactions_is_the_broker_s() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    init(&mut client).await;
    let refused = client.try_produce("__transaction_state", -1, super::support::batch_of(&["x"])).await;
    assert_eq!(error_of(&refused), ErrorCode::InvalidTopicException);
    let topic = wire::message::delete_topics::DeleteTopicsRequest {
        topic_names: vec!["__transaction_state".to_owned()],
        ..Default::default()
    };
    let deleted = client.call(1, &topic).await;
    assert_eq!(code(deleted.responses[0].error_code), ErrorCode::InvalidTopicException);
    // an id is kept in the partition that its name and their number give
    let grown =
        CreatePartitionsTopic { name: "__transaction_state".to_owned(), count: 9, ..Default::default() };
    let grown = client.call(3, &CreatePartitionsRequest { topics: vec![grown], ..Default::default() }).await;
    assert_eq!(code(grown.results[0].error_code), ErrorCode::InvalidTopicException);
    let records = DeleteRecordsTopic {
        name: "__transaction_state".to_owned(),
        partitions: vec![DeleteRecordsPartition { partition_index: 0, offset: -1 }],
    };
    let emptied = client.call(2, &DeleteRecordsRequest { topics: vec![records], ..Default::default() }).await;
    assert_eq!(code(emptied.topics[0].partitions[0].error_code), ErrorCode::InvalidTopicException);
    let resource = AlterConfigsResource {
        resource_type: 2,
        resource_name: "__transaction_state".to_owned(),
        configs: vec![AlterableConfig {
            name: "cleanup.policy".to_owned(),
            config_operation: 0,
            value: Some("delete".to_owned()),
        }],
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    let altered = client.call(1, &request).await;
    assert_eq!(code(altered.responses[0].error_code), ErrorCode::InvalidConfig);
    let request = DescribeTopicPartitionsRequest {
        topics: vec![describe_topic_partitions::TopicRequest { name: "__transaction_state".to_owned() }],
        response_partition_limit: 1,
        cursor: None,
    };
    assert!(client.call(0, &request).await.topics[0].is_internal);
}

/// Made by whoever asks for it by name, it would have the settings of any topic.
#[tokio::test]
async fn the_topic_of_transactions_is_always_compacted() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    let topic = wire::message::create_topics::CreatableTopic {
        name: "__transaction_state".to_owned(),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let request =
        wire::message::create_topics::CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let refused = client.call(7, &request).await;
    assert_eq!(code(refused.topics[0].error_code), ErrorCode::InvalidTopicException);
    let name = Some("__transaction_state".to_owned());
    let topics = Some(vec![wire::message::metadata::MetadataRequestTopic { name, ..Default::default() }]);
    let found = client.call(9, &MetadataRequest { topics, ..Default::default() }).await.topics.remove(0);
    assert_eq!((found.error_code, found.is_internal, found.partitions.len()), (0, true, 4));
}
