"""kafka-python, 2.0.6 and the newest: producing, consuming, offsets. What only one of them has is asked of its version."""

import threading
import time

import kafka
from harness import START_MS, case, each_codec, equal, holds, refused, until, values
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import OffsetAndMetadata

NEW = int(kafka.__version__.split(".")[0]) >= 3
LEADER_EPOCH = [-1] if NEW else []


def admin(run, act):
    client = KafkaAdminClient(bootstrap_servers=run.bootstrap)
    try:
        return act(client)
    finally:
        client.close()


def create(run, what="t", partitions=1, **config):
    name = run.name(what)
    config = {key.replace("_", "."): str(value) for key, value in config.items()}
    topics = [NewTopic(name, partitions, 1, topic_configs=config)]
    admin(run, lambda client: client.create_topics(topics))
    return name


def produce(run, topic, records, **config):
    producer = KafkaProducer(bootstrap_servers=run.bootstrap, max_block_ms=20000, **config)
    try:
        sent = [producer.send(topic, **record) for record in records]
        producer.flush(30)
        return [answer.get(10) for answer in sent]
    finally:
        producer.close(5)


def consumer(run, *topics, group=None, **config):
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "session_timeout_ms": 6000, "heartbeat_interval_ms": 300,
                "fetch_max_wait_ms": 200, "max_poll_interval_ms": 20000, **config}
    return KafkaConsumer(*topics, bootstrap_servers=run.bootstrap, group_id=group and run.name(group), **settings)


def take(reader, count, seconds=20):
    messages, end = [], time.monotonic() + seconds
    while len(messages) < count:
        for batch in reader.poll(200, max_records=count - len(messages)).values():
            messages += batch
        holds(time.monotonic() < end, f"read {len(messages)} of {count} messages in {seconds} s")
    return messages


def consume(run, topic, count, **config):
    reader = consumer(run, **config)
    try:
        reader.assign([TopicPartition(topic, 0)])
        messages = take(reader, count)
        holds(not reader.poll(300 if count else 1500), "there is more than was sent")
        return messages
    finally:
        reader.close()


def round_trip(run, topic, expected, **config):
    produce(run, topic, [{"value": value} for value in expected], **config)
    equal([m.value for m in consume(run, topic, len(expected))], expected, "what was read")


@each_codec
def codec(run, codec):
    round_trip(run, create(run), values(), compression_type=None if codec == "none" else codec, linger_ms=20)


@case("record-fields")
def record_fields(run):
    topic, headers = create(run), [("a", b"1"), ("a", b"2"), ("empty", b"")]
    produce(run, topic, [{"key": b"k", "value": b"v", "headers": headers, "timestamp_ms": START_MS}])
    message = consume(run, topic, 1)[0]
    equal((message.key, message.value, [tuple(h) for h in message.headers], message.timestamp), (b"k", b"v", headers, START_MS), "the record")


@case("tombstones")
def tombstones(run):
    topic = create(run, cleanup_policy="compact")
    produce(run, topic, [{"key": b"k", "value": None}, {"key": b"k", "value": b""}])
    equal([m.value for m in consume(run, topic, 2)], [None, b""], "the values")


@case("acks-0", acks=0)
@case("acks-1", acks=1)
@case("acks-all", acks="all")
def acks(run, acks):
    # the newest is idempotent unless it is told otherwise
    round_trip(run, create(run), [b"%d" % n for n in range(50)], acks=acks, **({"enable_idempotence": False} if NEW else {}))


@case("big-message")
def big_message(run):
    round_trip(run, create(run), [bytes(range(256)) * 3516])


@case("too-large")
def too_large(run):
    topic = create(run, max_message_bytes=10000)
    refused(lambda: produce(run, topic, [{"value": b"x" * 20000}]), "MessageSizeTooLarge")
    round_trip(run, topic, [b"small"])


@case("compacted-without-key")
def compacted_without_key(run):
    topic = create(run, cleanup_policy="compact")
    refused(lambda: produce(run, topic, [{"value": b"v"}]), "InvalidRecord", "UnknownError", "InvalidMessage")


@case("offsets-for-times")
def offsets_for_times(run):
    partition = TopicPartition(create(run), 0)
    produce(run, partition.topic, [{"value": b"v", "timestamp_ms": START_MS + n * 1000} for n in range(10)])
    reader = consumer(run)
    found = [reader.offsets_for_times({partition: START_MS + ms})[partition] for ms in (0, 4001, 9000, 9001)]
    reader.close()
    equal([at and at.offset for at in found], [0, 5, 9, None], "the offsets")


@case("list-offsets")
def list_offsets(run):
    partition = TopicPartition(create(run), 0)
    round_trip(run, partition.topic, [b"%d" % n for n in range(3)])
    reader = consumer(run)
    ends = reader.beginning_offsets([partition])[partition], reader.end_offsets([partition])[partition]
    reader.close()
    equal(ends, (0, 3), "the earliest and the latest")


@case("seek")
def seek(run):
    partition = TopicPartition(create(run), 0)
    round_trip(run, partition.topic, [b"%d" % n for n in range(10)])
    reader = consumer(run)
    reader.assign([partition])
    for offset in (4, 0, 9, 3):
        reader.seek(partition, offset)
        equal(take(reader, 1)[0].offset, offset, "the offset after a seek")
    reader.close()


@case("offset-reset")
def offset_reset(run):
    partition = TopicPartition(create(run), 0)
    round_trip(run, partition.topic, [b"old"])
    earliest, latest = consumer(run), consumer(run, auto_offset_reset="latest")
    for reader in (earliest, latest):
        reader.assign([partition])
    equal(take(earliest, 1)[0].value, b"old", "the earliest")
    holds(not latest.poll(1500), "the latest is not read from the beginning")
    produce(run, partition.topic, [{"value": b"new"}])
    equal(take(latest, 1)[0].value, b"new", "the latest")
    earliest.close()
    latest.close()


class Member(threading.Thread):
    """A consumer on a thread of its own that notes what it holds and reads."""

    def __init__(self, run, topic, **config):
        super().__init__(daemon=True)
        self.make = lambda: consumer(run, topic, group="g", **config)
        self.running, self.held, self.seen = True, set(), set()
        self.start()

    def run(self):
        reader = self.make()
        # not much shorter: the newest forgets the answer to a SyncGroup that comes after the time limit of a poll
        while self.running:
            for messages in reader.poll(500).values():
                self.seen.update((m.partition, m.offset) for m in messages)
            self.held = {p.partition for p in reader.assignment()}
        reader.close()

    def stop(self):
        self.running = False
        self.join(20)


def settle(size, *members):
    """Waits until each holds so many of the four partitions and none is held twice."""
    until(lambda: all(len(m.held) == size for m in members) and len(set.union(*(m.held for m in members))) == size * len(members),
          f"members with {size} partitions", 30)


def two_members(run, **settings):
    topic = create(run, partitions=4)
    first = Member(run, topic, **settings)
    settle(4, first)
    second = Member(run, topic, **settings)
    settle(2, first, second)
    produce(run, topic, [{"value": b"v", "partition": n % 4} for n in range(40)])
    until(lambda: len(first.seen | second.seen) == 40, "all messages")
    second.stop()
    settle(4, first)
    first.stop()


@case("group-eager")
def group_eager(run):
    two_members(run)


@case("commit-resume")
def commit_resume(run):
    topic = create(run)
    produce(run, topic, [{"value": b"%d" % n} for n in range(10)])
    for expected in [b"0", b"1"], [b"2", b"3"]:
        reader = consumer(run, topic, group="g")
        equal([m.value for m in take(reader, 2)], expected, "what was read")
        reader.commit()
        reader.close()


@case("manual-commit")
def manual_commit(run):
    partition = TopicPartition(create(run), 0)
    reader = consumer(run, group="g")
    reader.assign([partition])
    reader.commit({partition: OffsetAndMetadata(7, "by hand", *LEADER_EPOCH)})
    found = reader.committed(partition, metadata=True)
    equal((found.offset, found.metadata), (7, "by hand"), "what was committed")
    reader.close()
