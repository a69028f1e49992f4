"""The newest kafka-python: its admin client, idempotent and transactional producers, cooperative and static groups."""

from harness import START_MS, case, equal, holds, refused, until
from kafka import KafkaProducer, TopicPartition
from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType, OffsetSpec
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.structs import OffsetAndMetadata
from kafka_python import Member, admin, consume, consumer, create, manual_commit, produce, round_trip, settle, two_members


@case("metadata")
def metadata(run):
    topic = create(run, partitions=3)
    found = admin(run, lambda client: client.describe_topics([topic]))[0]
    equal(sorted(p["partition_index"] for p in found["partitions"]), [0, 1, 2], "the partitions")
    holds(all(p["leader_id"] >= 0 for p in found["partitions"]), "a partition has no leader")
    found = admin(run, lambda client: client.describe_topic_partitions([topic]))
    holds(topic in str(found), f"described by partitions: {found}")


@case("create-topic")
def create_topic(run):
    create(run, partitions=2, retention_ms=60000)
    refused(lambda: create(run), "TopicAlreadyExists")
    refused(lambda: create(run, "bad", retention_ms="soon"), "InvalidConfiguration")


@case("delete-topic")
def delete_topic(run):
    topic = create(run)
    admin(run, lambda client: client.delete_topics([topic]))
    until(lambda: topic not in admin(run, lambda client: client.list_topics()), "the topic to go")
    refused(lambda: admin(run, lambda client: client.delete_topics([topic])), "UnknownTopicOrPartition")


@case("create-partitions")
def create_partitions(run):
    topic = create(run)
    admin(run, lambda client: client.create_partitions({topic: 3}))
    until(lambda: len(admin(run, lambda client: client.describe_topics([topic]))[0]["partitions"]) == 3, "three partitions")


def configs(run, topic):
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    found = admin(run, lambda client: client.describe_configs([resource], config_filter="all"))["topic"][topic]
    return {name: entry["value"] for name, entry in found.items()}


@case("describe-configs")
def describe_configs(run):
    found = configs(run, create(run, retention_ms=60000))
    equal((str(found["retention.ms"]), found["cleanup.policy"]), ("60000", "delete"), "the settings")


def alter(run, topic, changes, **how):
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs=changes)
    return admin(run, lambda client: client.alter_configs([resource], **how))


def wait_for_settings(run, topic, size, retention):
    def altered():
        found = configs(run, topic)
        return (str(found["segment.bytes"]), str(found["retention.ms"])) == (size, retention)
    until(altered, "both settings to be altered", 10)


@case("alter-configs")
def alter_configs(run):
    topic = create(run, segment_ms=60000)
    alter(run, topic, {"segment.bytes": "1048576", "retention.ms": "70000"}, incremental=False)
    wait_for_settings(run, topic, "1048576", "70000")


@case("incremental-alter-configs")
def incremental_alter_configs(run):
    topic = create(run, retention_ms=60000)
    alter(run, topic, {"segment.bytes": (AlterConfigOp.SET, "1048576"), "retention.ms": (AlterConfigOp.DELETE, None)}, incremental=True)
    wait_for_settings(run, topic, "1048576", "604800000")


@case("unknown-topic")
def unknown_topic(run):
    refused(lambda: admin(run, lambda client: client.delete_topics([run.name("nowhere")])), "UnknownTopicOrPartition")


@case("delete-records")
def delete_records(run):
    topic = create(run)
    produce(run, topic, [{"value": b"%d" % n} for n in range(10)])
    admin(run, lambda client: client.delete_records({TopicPartition(topic, 0): 6}))
    equal([m.value for m in consume(run, topic, 4)], [b"6", b"7", b"8", b"9"], "what remains")


@case("list-offsets")
def list_offsets(run):
    partition = TopicPartition(create(run), 0)
    produce(run, partition.topic, [{"value": b"v", "timestamp_ms": START_MS + n} for n in (1, 9, 5)])
    asked = (OffsetSpec.EARLIEST, OffsetSpec.LATEST, OffsetSpec.MAX_TIMESTAMP, START_MS + 2)
    found = [admin(run, lambda client, spec=spec: client.list_partition_offsets({partition: spec}))[partition].offset for spec in asked]
    equal(found, [0, 3, 1, 1], "the offsets")


@case("idempotent")
def idempotent(run):
    round_trip(run, create(run), [b"%d" % n for n in range(500)], enable_idempotence=True, batch_size=200)


@case("group-cooperative")
def group_cooperative(run):
    two_members(run, partition_assignment_strategy=[CooperativeStickyAssignor])


@case("group-static")
def group_static(run):
    topic = create(run, partitions=4)
    first, second = (Member(run, topic, group_instance_id=f"static-{n}", session_timeout_ms=20000) for n in (1, 2))
    settle(2, first, second)
    held = second.held
    second.stop()
    again = Member(run, topic, group_instance_id="static-2", session_timeout_ms=20000)
    until(lambda: again.held == held, "its partitions to come back", 15)
    again.stop()
    first.stop()


@case("groups-list")
def groups_list(run):
    manual_commit(run)
    listed = admin(run, lambda client: client.list_groups(states_filter=["Empty"]))
    equal([g["group_state"] for g in listed if g["group_id"] == run.name("g")], ["Empty"], "its state")
    offsets = admin(run, lambda client: client.list_group_offsets({run.name("g"): None}))[run.name("g")]
    equal([(p.topic, at.offset, at.metadata) for p, at in offsets.items()], [(run.name(), 7, "by hand")], "its offsets")


@case("groups-describe")
def groups_describe(run):
    topic = create(run, partitions=4)
    member = Member(run, topic, client_id="the-client")
    settle(4, member)
    found = admin(run, lambda client: client.describe_groups([run.name("g")]))[run.name("g")]
    equal((found["group_state"], found["protocol_data"], [m["client_id"] for m in found["members"]]), ("Stable", "range", ["the-client"]), "the group")
    member.stop()


@case("groups-delete")
def groups_delete(run):
    manual_commit(run)
    for expected in ("OK", "GroupIdNotFoundError"):
        equal(admin(run, lambda client: client.delete_groups([run.name("g")])), {run.name("g"): expected}, "the answer")


def offset(run):
    found = admin(run, lambda client: client.list_group_offsets({run.name("g"): None}))[run.name("g")]
    return {p.topic: at.offset for p, at in found.items()}.get(run.name())


@case("groups-alter-offsets")
def groups_alter_offsets(run):
    manual_commit(run)
    admin(run, lambda client: client.alter_group_offsets(run.name("g"), {TopicPartition(run.name(), 0): OffsetAndMetadata(9, "", -1)}))
    equal(offset(run), 9, "the offset")


@case("groups-delete-offsets")
def groups_delete_offsets(run):
    manual_commit(run)
    other = TopicPartition(create(run, "other"), 0)
    admin(run, lambda client: client.alter_group_offsets(run.name("g"), {other: OffsetAndMetadata(1, "", -1)}))
    admin(run, lambda client: client.delete_group_offsets(run.name("g"), [TopicPartition(run.name(), 0)]))
    equal(offset(run), None, "the offset")


def transactional(run):
    producer = KafkaProducer(bootstrap_servers=run.bootstrap, transactional_id=run.name("txn"), transaction_timeout_ms=20000, max_block_ms=20000)
    producer.init_transactions()
    return producer


def send(producer, topic, value):
    producer.begin_transaction()
    producer.send(topic, value)
    producer.flush(20)


def read(run, topic, count, level):
    return [m.value for m in consume(run, topic, count, isolation_level=level)]


@case("txn-commit")
def txn_commit(run):
    topic, producer = create(run), transactional(run)
    send(producer, topic, b"in")
    equal((read(run, topic, 0, "read_committed"), read(run, topic, 1, "read_uncommitted")), ([], [b"in"]), "what is there before the commit")
    producer.commit_transaction()
    producer.close()
    equal(read(run, topic, 1, "read_committed"), [b"in"], "what was read after it")


@case("txn-abort")
def txn_abort(run):
    topic, producer = create(run), transactional(run)
    send(producer, topic, b"aborted")
    producer.abort_transaction()
    send(producer, topic, b"committed")
    producer.commit_transaction()
    producer.close()
    equal(read(run, topic, 1, "read_committed"), [b"committed"], "what is committed")
    equal(read(run, topic, 2, "read_uncommitted"), [b"aborted", b"committed"], "what is not")


@case("txn-offsets")
def txn_offsets(run):
    partition, producer, reader = TopicPartition(create(run), 0), transactional(run), consumer(run, group="g")
    for at, end in (4, producer.commit_transaction), (8, producer.abort_transaction):
        producer.begin_transaction()
        producer.send_offsets_to_transaction({partition: OffsetAndMetadata(at, "", -1)}, reader.group_metadata())
        end()
        equal(offset(run), 4, "the committed offset")
    reader.close()
    producer.close()


@case("txn-fencing")
def txn_fencing(run):
    topic, zombie = create(run), transactional(run)
    send(zombie, topic, b"zombie")
    heir = transactional(run)
    refused(zombie.commit_transaction, "ProducerFenced", "InvalidProducerEpoch")
    send(heir, topic, b"heir")
    heir.commit_transaction()
    heir.close()
    zombie.close(1)
    equal(read(run, topic, 1, "read_committed"), [b"heir"], "what is committed")


@case("describe-transactions")
def describe_transactions(run):
    topic, producer = create(run), transactional(run)
    send(producer, topic, b"open")
    found = admin(run, lambda client: client.describe_transactions([run.name("txn")]))[run.name("txn")]
    equal((found.state.value, found.topic_partitions), ("Ongoing", {TopicPartition(topic, 0)}), "the transaction")
    holds(run.name("txn") in str(admin(run, lambda client: client.list_transactions())), "it is not listed")
    producer.commit_transaction()
    producer.close()


@case("describe-producers")
def describe_producers(run):
    partition = TopicPartition(create(run), 0)
    produce(run, partition.topic, [{"value": b"%d" % n} for n in range(3)], enable_idempotence=True)
    found = admin(run, lambda client: client.describe_producers([partition]))[partition]
    equal([p.last_sequence for p in found.active_producers], [2], "the last sequences")


@case("describe-cluster")
def describe_cluster(run):
    found = admin(run, lambda client: client.describe_cluster())
    equal([f"{node['host']}:{node['port']}" for node in found["brokers"]], [run.bootstrap], "the nodes")
    holds(found["cluster_id"], "the cluster has no id")


@case("describe-log-dirs")
def describe_log_dirs(run):
    topic = create(run)
    produce(run, topic, [{"value": b"v"}])
    found = admin(run, lambda client: client.describe_log_dirs([topic]))
    sizes = [p["partition_size"] for node in found for d in node["log_dirs"] for t in d["topics"] for p in t["partitions"]]
    holds(sizes and sizes[0] > 0, f"the topic has no size: {found}")
