"""confluent-kafka, that is librdkafka: topics, producing and consuming, offsets. Groups and transactions are beside it."""

import time

from confluent_kafka import OFFSET_END, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType
from harness import START_MS, case, each_codec, equal, holds, refused, until, values


def admin(run):
    """One for each case; the results of one that is gone are gone too."""
    if not hasattr(run, "admin"):
        run.admin = AdminClient({"bootstrap.servers": run.bootstrap})
    return run.admin


def done(futures):
    """The results of the admin client's futures, by key."""
    return {key: future.result(30) for key, future in futures.items()}


def create(run, what="t", partitions=1, **config):
    name = run.name(what)
    config = {key.replace("_", "."): str(value) for key, value in config.items()}
    done(admin(run).create_topics([NewTopic(name, partitions, 1, config=config)]))
    return name


def produce(run, topic, records, **config):
    """Sends records, each a dict of arguments, and waits for all; raises the first refusal."""
    producer, failures, acknowledged = Producer({"bootstrap.servers": run.bootstrap, **config}), [], []

    def answered(error, message):
        failures.append(KafkaException(error)) if error else acknowledged.append(message)

    for record in records:
        producer.produce(topic, on_delivery=answered, **record)
    equal(producer.flush(30), 0, "what was not answered")
    if failures:
        raise failures[0]
    return acknowledged


def consumer(run, group="reader", **config):
    """Settings of None are left out."""
    settings = {"bootstrap.servers": run.bootstrap, "group.id": run.name(group), "enable.auto.commit": False,
                "auto.offset.reset": "earliest", "session.timeout.ms": 6000, "heartbeat.interval.ms": 500, **config}
    return Consumer({key: value for key, value in settings.items() if value is not None})


def poll(reader, count, seconds=30):
    """The next so many messages."""
    messages, end = [], time.monotonic() + seconds
    while len(messages) < count:
        message = reader.poll(0.2)
        if message is not None:
            if message.error():
                raise KafkaException(message.error())
            messages.append(message)
        holds(time.monotonic() < end, f"read {len(messages)} of {count} messages in {seconds} s")
    return messages


def consume(run, topic, count, offset=0, **config):
    reader = consumer(run, **config)
    try:
        reader.assign([TopicPartition(topic, 0, offset)])
        messages = poll(reader, count)
        extra = reader.poll(0.3 if count else 2)
        holds(extra is None or extra.error(), "there is more than was sent")
        return messages
    finally:
        reader.close()


@case("metadata")
def metadata(run):
    topic = create(run, partitions=3)
    listed = admin(run).list_topics(timeout=10)
    equal(sorted(listed.topics[topic].partitions), [0, 1, 2], "the partitions")
    holds(all(p.leader in listed.brokers for p in listed.topics[topic].partitions.values()), "a partition has no leader")


@case("create-topic")
def create_topic(run):
    topic = create(run, partitions=2, retention_ms=60000)
    equal(len(admin(run).list_topics(topic, 10).topics[topic].partitions), 2, "the number of partitions")
    refused(lambda: create(run), "TOPIC_ALREADY_EXISTS")
    refused(lambda: create(run, "bad", retention_ms="soon"), "INVALID_CONFIG")
    refused(lambda: create(run, "b/d"), "TOPIC_EXCEPTION", "INVALID_TOPIC")


@case("delete-topic")
def delete_topic(run):
    topic = create(run)
    done(admin(run).delete_topics([topic]))
    until(lambda: topic not in admin(run).list_topics(timeout=10).topics, "the topic to go")
    refused(lambda: done(admin(run).delete_topics([topic])), "UNKNOWN_TOPIC_OR_PART")


@case("create-partitions")
def create_partitions(run):
    topic = create(run)
    done(admin(run).create_partitions([NewPartitions(topic, 3)]))
    until(lambda: len(admin(run).list_topics(topic, 10).topics[topic].partitions) == 3, "three partitions")
    refused(lambda: done(admin(run).create_partitions([NewPartitions(topic, 2)])), "INVALID_PARTITIONS")


def configs(run, topic):
    return next(iter(done(admin(run).describe_configs([ConfigResource(ResourceType.TOPIC, topic)])).values()))


@case("describe-configs")
def describe_configs(run):
    found = configs(run, create(run, retention_ms=60000))
    equal(found["retention.ms"].value, "60000", "retention.ms")
    equal(found["retention.ms"].is_default, False, "whether it is a default")
    equal(found["cleanup.policy"].value, "delete", "cleanup.policy")


@case("alter-configs")
def alter_configs(run):
    topic = create(run, retention_ms=60000)
    done(admin(run).alter_configs([ConfigResource(ResourceType.TOPIC, topic, set_config={"segment.bytes": "1048576"})]))
    until(lambda: configs(run, topic)["segment.bytes"].value == "1048576", "segment.bytes to be altered")
    equal(configs(run, topic)["retention.ms"].value, "604800000", "retention.ms, which was not repeated")


@case("incremental-alter-configs")
def incremental_alter_configs(run):
    topic = create(run, retention_ms=60000)

    def alter(name, value, operation):
        entry = ConfigEntry(name, value, incremental_operation=operation)
        done(admin(run).incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])]))

    alter("cleanup.policy", "compact", AlterConfigOpType.APPEND)
    until(lambda: set(configs(run, topic)["cleanup.policy"].value.split(",")) == {"delete", "compact"}, "both policies")
    equal(configs(run, topic)["retention.ms"].value, "60000", "retention.ms")
    alter("retention.ms", None, AlterConfigOpType.DELETE)
    until(lambda: configs(run, topic)["retention.ms"].value == "604800000", "retention.ms to be the default")
    refused(lambda: alter("retention.ms", "soon", AlterConfigOpType.SET), "INVALID_CONFIG")


@case("unknown-topic")
def unknown_topic(run):
    topic = run.name("nowhere")
    reader = consumer(run, **{"allow.auto.create.topics": False})
    reader.subscribe([topic])
    refused(lambda: poll(reader, 1, 10), "UNKNOWN_TOPIC_OR_PART")
    reader.close()
    refused(lambda: configs(run, topic), "UNKNOWN_TOPIC_OR_PART")


@case("delete-records")
def delete_records(run):
    topic = create(run)
    produce(run, topic, [{"value": b"%d" % n} for n in range(10)])
    deleted = done(admin(run).delete_records([TopicPartition(topic, 0, 6)]))
    equal([d.low_watermark for d in deleted.values()], [6], "the low watermark")
    equal([m.value() for m in consume(run, topic, 4)], [b"6", b"7", b"8", b"9"], "what remains")
    refused(lambda: done(admin(run).delete_records([TopicPartition(topic, 0, 11)])), "OFFSET_OUT_OF_RANGE")


@each_codec
def codec(run, codec):
    topic = create(run)
    produce(run, topic, [{"value": value} for value in values()], **{"compression.type": codec, "linger.ms": 50})
    equal([m.value() for m in consume(run, topic, 200)], values(), "what was read")


@case("record-fields")
def record_fields(run):
    topic, headers = create(run), [("a", b"1"), ("a", b"2"), ("none", None), ("empty", b"")]
    produce(run, topic, [{"key": b"k", "value": b"v", "headers": headers, "timestamp": START_MS}])
    message = consume(run, topic, 1)[0]
    equal((message.key(), message.value(), message.headers(), message.timestamp()[1]), (b"k", b"v", headers, START_MS), "the record")


@case("tombstones")
def tombstones(run):
    topic = create(run, cleanup_policy="compact")
    produce(run, topic, [{"key": b"k", "value": None}, {"key": b"k", "value": b""}])
    equal([m.value() for m in consume(run, topic, 2)], [None, b""], "the values")


@case("acks-0", acks="0")
@case("acks-1", acks="1")
@case("acks-all", acks="all")
def acks(run, acks):
    topic = create(run)
    produce(run, topic, [{"value": b"%d" % n} for n in range(50)], acks=acks)
    equal([m.value() for m in consume(run, topic, 50)], [b"%d" % n for n in range(50)], "what was read")


@case("idempotent")
def idempotent(run):
    topic, batches = create(run), {"enable.idempotence": True, "batch.num.messages": 10}
    produce(run, topic, [{"value": b"%d" % n} for n in range(500)], **batches)
    equal([m.value() for m in consume(run, topic, 500)], [b"%d" % n for n in range(500)], "what was read")


@case("big-message")
def big_message(run):
    topic, value = create(run), bytes(range(256)) * 3516
    produce(run, topic, [{"value": value}])
    equal(consume(run, topic, 1)[0].value() == value, True, "whether it is the same")


@case("too-large")
def too_large(run):
    topic = create(run, max_message_bytes=10000)
    refused(lambda: produce(run, topic, [{"value": b"x" * 20000}]), "MSG_SIZE_TOO_LARGE")
    produce(run, topic, [{"value": b"small"}])
    equal([m.value() for m in consume(run, topic, 1)], [b"small"], "what was read")


@case("compacted-without-key")
def compacted_without_key(run):
    topic = create(run, cleanup_policy="compact")
    refused(lambda: produce(run, topic, [{"value": b"v"}]), "INVALID_RECORD")


@case("offsets-for-times")
def offsets_for_times(run):
    topic = create(run)
    produce(run, topic, [{"value": b"v", "timestamp": START_MS + n * 1000} for n in range(10)])
    reader = consumer(run)
    found = [reader.offsets_for_times([TopicPartition(topic, 0, START_MS + ms)], 10)[0].offset for ms in (0, 4001, 9000, 9001)]
    reader.close()
    equal(found, [0, 5, 9, OFFSET_END], "the offsets")


@case("list-offsets")
def list_offsets(run):
    topic = create(run)
    produce(run, topic, [{"value": b"v", "timestamp": START_MS + n} for n in (1, 9, 5)])

    def ask(spec):
        return next(iter(done(admin(run).list_offsets({TopicPartition(topic, 0): spec})).values())).offset

    asked = (OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.max_timestamp(), OffsetSpec.for_timestamp(START_MS + 2))
    equal([ask(spec) for spec in asked], [0, 3, 1, 1], "the offsets")
    reader = consumer(run)
    equal(reader.get_watermark_offsets(TopicPartition(topic, 0), 10), (0, 3), "the watermarks")
    reader.close()


@case("seek")
def seek(run):
    topic = create(run)
    produce(run, topic, [{"value": b"%d" % n} for n in range(10)])
    reader = consumer(run)
    reader.assign([TopicPartition(topic, 0, 4)])
    equal(poll(reader, 2)[1].value(), b"5", "the second after 4")
    for offset in (0, 9, 3):
        reader.seek(TopicPartition(topic, 0, offset))
        equal(poll(reader, 1)[0].offset(), offset, "the offset after a seek")
    reader.close()


@case("offset-reset")
def offset_reset(run):
    topic = create(run)
    produce(run, topic, [{"value": b"old"}])
    readers = {reset: consumer(run, reset, **{"auto.offset.reset": reset}) for reset in ("earliest", "latest", "error")}
    for reader in readers.values():
        reader.assign([TopicPartition(topic, 0)])
    equal(poll(readers["earliest"], 1)[0].value(), b"old", "the earliest")
    refused(lambda: poll(readers["error"], 1, 10), "_AUTO_OFFSET_RESET")
    holds(readers["latest"].poll(1) is None, "the latest is not read from the beginning")
    produce(run, topic, [{"value": b"new"}])
    equal(poll(readers["latest"], 1)[0].value(), b"new", "the latest")
    for reader in readers.values():
        reader.close()

