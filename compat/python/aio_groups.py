"""aiokafka: groups, their administration, transactions."""

from aio import Admin, case, consume, consumer, create, produce, refused, round_trip, until
from aiokafka import AIOKafkaProducer, TopicPartition
from harness import equal, holds


def held(reader):
    return sorted(p.partition for p in reader.assignment())


async def settle(readers, *sizes):
    async def settled():
        for reader in readers:
            await reader.getmany(timeout_ms=20)
        parts = [held(reader) for reader in readers]
        return sorted(map(len, parts)) == sorted(sizes) and sorted(sum(parts, [])) == [0, 1, 2, 3]
    await until(settled, f"members with {sizes} partitions", 40)


@case("group-eager")
async def group_eager(run):
    topic = await create(run, partitions=4)
    async with consumer(run, topic, group="g") as first:
        await settle([first], 4)
        async with consumer(run, topic, group="g") as second:
            await settle([first, second], 2, 2)
            await produce(run, topic, [{"value": b"v", "partition": n % 4} for n in range(40)])
            seen = set()

            async def all_seen():
                for reader in (first, second):
                    for messages in (await reader.getmany(timeout_ms=20)).values():
                        seen.update((m.partition, m.offset) for m in messages)
                return len(seen) == 40
            await until(all_seen, "all messages")
        await settle([first], 4)


@case("manual-commit")
async def manual_commit(run):
    partition = TopicPartition(await create(run), 0)
    async with consumer(run, group="g") as reader:
        reader.assign([partition])
        await reader.commit({partition: (7, "by hand")})
        equal(await reader.committed(partition), 7, "what was committed")


@case("groups-list")
async def groups_list(run):
    await manual_commit(run)
    async with Admin(run) as admin:
        holds(run.name("g") in [group[0] for group in await admin.list_consumer_groups()], "the group is not listed")
        offsets = await admin.list_consumer_group_offsets(run.name("g"))
    equal([(p.topic, at.offset, at.metadata) for p, at in offsets.items()], [(run.name(), 7, "by hand")], "its offsets")


@case("groups-describe")
async def groups_describe(run):
    topic = await create(run, partitions=4)
    async with consumer(run, topic, group="g", client_id="the-client") as reader, Admin(run) as admin:
        await settle([reader], 4)
        error, group, state, kind, protocol, members, *_ = (await admin.describe_consumer_groups([run.name("g")]))[0].groups[0]
        equal((error, group, state, kind), (0, run.name("g"), "Stable", "consumer"), "the group")
        equal(["the-client" in member for member in members], [True], "whether the member is the client")
        holds(protocol, "it has no assignor")


def transactional(run):
    return AIOKafkaProducer(bootstrap_servers=run.bootstrap, transactional_id=run.name("txn"), transaction_timeout_ms=20000)


async def read(run, topic, count, level):
    return [m.value for m in await consume(run, topic, count, isolation_level=level)]


@case("txn-commit")
async def txn_commit(run):
    one, two = await create(run, "one"), await create(run, "two")
    async with transactional(run) as producer:
        await producer.begin_transaction()
        for topic in (one, two):
            await producer.send_and_wait(topic, b"in")
        equal(await read(run, one, 0, "read_committed"), [], "what is committed before the commit")
        equal(await read(run, one, 1, "read_uncommitted"), [b"in"], "what is there before the commit")
        await producer.commit_transaction()
    for topic in (one, two):
        equal(await read(run, topic, 1, "read_committed"), [b"in"], "what was read after it")


@case("txn-abort")
async def txn_abort(run):
    topic = await create(run)
    async with transactional(run) as producer:
        for value, end in (b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction):
            await producer.begin_transaction()
            await producer.send_and_wait(topic, value)
            await end()
    equal(await read(run, topic, 1, "read_committed"), [b"committed"], "what is committed")
    equal(await read(run, topic, 2, "read_uncommitted"), [b"aborted", b"committed"], "what is not")


@case("txn-offsets")
async def txn_offsets(run):
    partition = TopicPartition(await create(run), 0)
    await round_trip(run, partition.topic, [b"%d" % n for n in range(10)])
    async with transactional(run) as producer:
        for offset, end, committed in (4, producer.commit_transaction, 4), (8, producer.abort_transaction, 4):
            await producer.begin_transaction()
            await producer.send_offsets_to_transaction({partition: offset}, run.name("g"))
            await end()
            async with consumer(run, group="g") as reader:
                reader.assign([partition])
                equal(await reader.committed(partition), committed, "the committed offset")


@case("txn-fencing")
async def txn_fencing(run):
    topic = await create(run)
    zombie = transactional(run)
    await zombie.start()
    await zombie.begin_transaction()
    await zombie.send_and_wait(topic, b"zombie")
    async with transactional(run) as heir:
        await refused(zombie.commit_transaction(), "ProducerFenced", "InvalidProducerEpoch")
        await heir.begin_transaction()
        await heir.send_and_wait(topic, b"heir")
        await heir.commit_transaction()
    await zombie.stop()
    equal(await read(run, topic, 1, "read_committed"), [b"heir"], "what is committed")


@case("describe-cluster")
async def describe_cluster(run):
    async with Admin(run) as admin:
        found = await admin.describe_cluster()
    equal([f"{node['host']}:{node['port']}" for node in found["brokers"]], [run.bootstrap], "the nodes")
    holds(found["cluster_id"], "the cluster has no id")
