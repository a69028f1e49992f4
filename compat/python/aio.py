"""aiokafka. Each case runs in an event loop of its own."""

import asyncio
import time

import harness
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from harness import CODECS, START_MS, equal, holds, values


def case(name, **fixed):
    def add(function):
        harness.CASES[name] = lambda run: asyncio.run(function(run, **fixed))
        return function
    return add


async def refused(awaitable, *names):
    try:
        await awaitable
    except Exception as error:  # noqa: BLE001: every error is looked into
        said = f"{type(error).__name__} {error}"
        holds(any(name in said for name in names), f"refused with {said}, not {names}")
        return
    raise AssertionError("it was not refused")


async def until(ready, what, seconds=30):
    end = time.monotonic() + seconds
    while not (value := await ready()):
        holds(time.monotonic() < end, f"waited {seconds} s for {what}")
        await asyncio.sleep(0.05)
    return value


class Admin:
    """`async with Admin(run) as admin`; an error in an answer is raised."""

    def __init__(self, run):
        self.client = AIOKafkaAdminClient(bootstrap_servers=run.bootstrap)

    async def __aenter__(self):
        await self.client.start()
        return self.client

    async def __aexit__(self, *_):
        await self.client.close()


def check(response):
    """Raises the error of the first topic in an answer."""
    from aiokafka.errors import for_code
    for entry in getattr(response, "topic_errors", None) or getattr(response, "topic_error_codes", []):
        if entry[1]:
            raise for_code(entry[1])(entry)


async def create(run, what="t", partitions=1, **config):
    name = run.name(what)
    config = {key.replace("_", "."): str(value) for key, value in config.items()}
    async with Admin(run) as admin:
        check(await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)]))
    return name


async def produce(run, topic, records, **config):
    producer = AIOKafkaProducer(bootstrap_servers=run.bootstrap, **config)
    await producer.start()
    try:
        sent = [await producer.send(topic, **record) for record in records]
        return [await answer for answer in sent]
    finally:
        await producer.stop()


def consumer(run, *topics, group=None, **config):
    timing = {"session_timeout_ms": 6000, "heartbeat_interval_ms": 300, "metadata_max_age_ms": 2000}
    settings = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "request_timeout_ms": 20000, **config}
    return AIOKafkaConsumer(*topics, bootstrap_servers=run.bootstrap, group_id=group and run.name(group), **timing, **settings)


async def take(reader, count, seconds=20):
    messages, end = [], time.monotonic() + seconds
    while len(messages) < count:
        for batch in (await reader.getmany(timeout_ms=300, max_records=count - len(messages))).values():
            messages += batch
        holds(time.monotonic() < end, f"read {len(messages)} of {count} messages in {seconds} s")
    return messages


async def consume(run, topic, count, **config):
    reader = consumer(run, **config)
    await reader.start()
    try:
        reader.assign([TopicPartition(topic, 0)])
        await reader.seek_to_beginning()
        messages = await take(reader, count)
        holds(not await reader.getmany(timeout_ms=300 if count else 1500), "there is more than was sent")
        return messages
    finally:
        await reader.stop()


async def round_trip(run, topic, expected, **config):
    await produce(run, topic, [{"value": value} for value in expected], **config)
    equal([m.value for m in await consume(run, topic, len(expected))], expected, "what was read")


@case("metadata")
async def metadata(run):
    topic = await create(run, partitions=3)
    async with Admin(run) as admin:
        found = (await admin.describe_topics([topic]))[0]
    equal(sorted(p["partition"] for p in found["partitions"]), [0, 1, 2], "the partitions")
    holds(all(p["leader"] >= 0 for p in found["partitions"]), "a partition has no leader")


@case("create-topic")
async def create_topic(run):
    await create(run, retention_ms=60000)
    await refused(create(run), "TopicAlreadyExists")
    await refused(create(run, "bad", retention_ms="soon"), "InvalidConfig", "[Error 40]")


@case("delete-topic")
async def delete_topic(run):
    topic = await create(run)
    async with Admin(run) as admin:
        check(await admin.delete_topics([topic]))
        await until(lambda: gone(admin, topic), "the topic to go")


async def gone(admin, topic):
    return topic not in await admin.list_topics()


@case("create-partitions")
async def create_partitions(run):
    topic = await create(run)
    async with Admin(run) as admin:
        await admin.create_partitions({topic: NewPartitions(3)})

        async def three():
            return len((await admin.describe_topics([topic]))[0]["partitions"]) == 3
        await until(three, "three partitions")


async def configs(admin, topic):
    answer = (await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))[0]
    code, message, _, _, entries = answer.resources[0][:5]
    holds(code == 0, f"describing is refused: {code} {message}")
    return {entry[0]: entry[1] for entry in entries}


@case("describe-configs")
async def describe_configs(run):
    topic = await create(run, retention_ms=60000)
    async with Admin(run) as admin:
        found = await configs(admin, topic)
    equal((found["retention.ms"], found["cleanup.policy"]), ("60000", "delete"), "the settings")


@case("alter-configs")
async def alter_configs(run):
    topic = await create(run, retention_ms=60000)
    async with Admin(run) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs={"segment.bytes": "1048576"})])

        async def altered():
            found = await configs(admin, topic)
            return found["segment.bytes"], found["retention.ms"]

        async def as_asked():
            return await altered() == ("1048576", "604800000")
        await until(as_asked, "both settings to be altered", 10)


@case("delete-records")
async def delete_records(run):
    topic = await create(run)
    await round_trip(run, topic, [b"%d" % n for n in range(10)])
    async with Admin(run) as admin:
        deleted = await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=6)})
    equal(list(deleted.values()), [6], "the low watermark")
    equal([m.value for m in await consume(run, topic, 4)], [b"6", b"7", b"8", b"9"], "what remains")


async def codec(run, codec):
    topic = await create(run)
    await round_trip(run, topic, values(), compression_type=None if codec == "none" else codec, linger_ms=20)


for name in CODECS:
    case(f"codec-{name}", codec=name)(codec)


@case("record-fields")
async def record_fields(run):
    topic, headers = await create(run), [("a", b"1"), ("a", b"2"), ("empty", b"")]
    await produce(run, topic, [{"key": b"k", "value": b"v", "headers": headers, "timestamp_ms": START_MS}])
    message = (await consume(run, topic, 1))[0]
    equal((message.key, message.value, list(message.headers), message.timestamp), (b"k", b"v", headers, START_MS), "the record")


@case("tombstones")
async def tombstones(run):
    topic = await create(run, cleanup_policy="compact")
    await produce(run, topic, [{"key": b"k", "value": None}, {"key": b"k", "value": b""}])
    equal([m.value for m in await consume(run, topic, 2)], [None, b""], "the values")


@case("acks-0", acks=0)
@case("acks-1", acks=1)
@case("acks-all", acks="all")
async def acks(run, acks):
    await round_trip(run, await create(run), [b"%d" % n for n in range(50)], acks=acks)


@case("idempotent")
async def idempotent(run):
    await round_trip(run, await create(run), [b"%d" % n for n in range(500)], enable_idempotence=True, max_batch_size=200)


@case("big-message")
async def big_message(run):
    await round_trip(run, await create(run), [bytes(range(256)) * 3516], max_request_size=1_000_000)


@case("too-large")
async def too_large(run):
    topic = await create(run, max_message_bytes=10000)
    await refused(produce(run, topic, [{"value": b"x" * 20000}]), "MessageSizeTooLarge")
    await round_trip(run, topic, [b"small"])


@case("compacted-without-key")
async def compacted_without_key(run):
    topic = await create(run, cleanup_policy="compact")
    await refused(produce(run, topic, [{"value": b"v"}]), "InvalidRecord", "[Error 87]", "UnknownError")


@case("offsets-for-times")
async def offsets_for_times(run):
    topic, partition = await create(run), TopicPartition(run.name(), 0)
    await produce(run, topic, [{"value": b"v", "timestamp_ms": START_MS + n * 1000} for n in range(10)])
    async with consumer(run) as reader:
        found = [(await reader.offsets_for_times({partition: START_MS + ms}))[partition] for ms in (0, 4001, 9000, 9001)]
        equal([at and at.offset for at in found], [0, 5, 9, None], "the offsets")


@case("list-offsets")
async def list_offsets(run):
    topic, partition = await create(run), TopicPartition(run.name(), 0)
    await round_trip(run, topic, [b"%d" % n for n in range(3)])
    async with consumer(run) as reader:
        ends = (await reader.beginning_offsets([partition]))[partition], (await reader.end_offsets([partition]))[partition]
        equal(ends, (0, 3), "the earliest and the latest")


@case("seek")
async def seek(run):
    topic, partition = await create(run), TopicPartition(run.name(), 0)
    await round_trip(run, topic, [b"%d" % n for n in range(10)])
    async with consumer(run) as reader:
        reader.assign([partition])
        for offset in (4, 0, 9, 3):
            reader.seek(partition, offset)
            equal((await take(reader, 1))[0].offset, offset, "the offset after a seek")


@case("offset-reset")
async def offset_reset(run):
    topic, partition = await create(run), TopicPartition(run.name(), 0)
    await round_trip(run, topic, [b"old"])
    async with consumer(run, group="e") as earliest, consumer(run, group="l", auto_offset_reset="latest") as latest:
        async with consumer(run, group="n", auto_offset_reset="none") as none:
            for reader in (earliest, latest, none):
                reader.assign([partition])
            equal((await take(earliest, 1))[0].value, b"old", "the earliest")
            await refused(take(none, 1), "NoOffsetForPartition")
            holds(not await latest.getmany(timeout_ms=1000), "the latest is not read from the beginning")
            await produce(run, topic, [{"value": b"new"}])
            equal((await take(latest, 1))[0].value, b"new", "the latest")


@case("commit-resume")
async def commit_resume(run):
    topic = await create(run)
    await produce(run, topic, [{"value": b"%d" % n} for n in range(10)])
    for expected in [b"0", b"1"], [b"2", b"3"]:
        async with consumer(run, topic, group="g") as reader:
            equal([m.value for m in await take(reader, 2)], expected, "what was read")
            await reader.commit()
