"""confluent-kafka: groups of both protocols, and their administration."""

from confluent import admin, consumer, create, done, poll, produce
from confluent_kafka import ConsumerGroupState, ConsumerGroupTopicPartitions, TopicPartition
from harness import case, equal, refused, until


class Member:
    """A consumer of four partitions that notes what it gets and loses."""

    def __init__(self, run, topic, **config):
        self.reader, self.lost, self.rebalances = consumer(run, "group", **config), [], 0
        self.reader.subscribe([topic], on_assign=self.assigned, on_revoke=self.revoked)

    def assigned(self, _, partitions):
        self.rebalances += 1

    def revoked(self, _, partitions):
        self.lost += [p.partition for p in partitions]

    def has(self):
        self.reader.poll(0.05)
        return sorted(p.partition for p in self.reader.assignment())


def settle(members, *sizes):
    """Polls all until each has so many partitions and together they have all four."""
    def settled():
        parts = [member.has() for member in members]
        return sorted(map(len, parts)) == sorted(sizes) and sorted(sum(parts, [])) == [0, 1, 2, 3]
    until(settled, f"members with {sizes} partitions", 20)


@case("group-eager", strategy={"partition.assignment.strategy": "range"})
@case("group-cooperative", strategy={"partition.assignment.strategy": "cooperative-sticky"})
@case("group-consumer-protocol", strategy={"group.protocol": "consumer", "session.timeout.ms": None, "heartbeat.interval.ms": None})
def two_members(run, strategy):
    topic = create(run, partitions=4)
    first = Member(run, topic, **strategy)
    settle([first], 4)
    second = Member(run, topic, **strategy)
    settle([first, second], 2, 2)
    equal(len(first.lost), 4 if run.case == "group-eager" else 2, "the number of partitions that the first had to give up")
    produce(run, topic, [{"value": b"v", "partition": n % 4} for n in range(40)])
    seen = set()

    def all_seen():
        for each in (first, second):
            message = each.reader.poll(0.05)
            if message is not None and not message.error():
                seen.add((message.partition(), message.offset()))
        return len(seen) == 40
    until(all_seen, "all messages")
    second.reader.close()
    settle([first], 4)
    first.reader.close()


@case("group-static")
def static(run):
    topic = create(run, partitions=4)
    make = lambda n: Member(run, topic, **{"group.instance.id": f"static-{n}", "session.timeout.ms": 20000})  # noqa: E731
    first, second = make(1), make(2)
    settle([first, second], 2, 2)
    before, held = first.rebalances, second.has()
    second.reader.close()
    again = make(2)
    until(lambda: (first.has(), again.has())[1] == held, "its partitions to come back", 15)
    equal(first.rebalances, before, "the number of rebalances that the first saw")
    again.reader.close()
    first.reader.close()


@case("commit-resume")
def commit_resume(run):
    topic = create(run)
    produce(run, topic, [{"value": b"%d" % n} for n in range(10)])
    for expected in (b"0", b"1"), (b"2", b"3"):
        reader = consumer(run)
        reader.subscribe([topic])
        messages = poll(reader, 2)
        equal(tuple(m.value() for m in messages), expected, "what was read")
        reader.commit(messages[-1], asynchronous=False)
        reader.close()


@case("manual-commit")
def manual_commit(run):
    topic, reader = create(run), consumer(run)
    reader.commit(offsets=[TopicPartition(topic, 0, 7, metadata="by hand")], asynchronous=False)
    found = reader.committed([TopicPartition(topic, 0)], 10)[0]
    equal((found.offset, found.metadata), (7, "by hand"), "what was committed")
    reader.close()


def used_group(run):
    """A group with offsets in a topic, and no member."""
    topic = create(run)
    reader = consumer(run, "used")
    reader.commit(offsets=[TopicPartition(topic, 0, 3)], asynchronous=False)
    reader.close()
    return run.name("used"), topic


@case("groups-list")
def groups_list(run):
    group, _ = used_group(run)
    listed = admin(run).list_consumer_groups(request_timeout=10).result(10)
    equal(listed.errors, [], "errors")
    found = [g for g in listed.valid if g.group_id == group]
    equal([g.state for g in found], [ConsumerGroupState.EMPTY], "its state")


@case("groups-describe")
def groups_describe(run):
    topic = create(run, partitions=4)
    one = Member(run, topic, **{"client.id": "the-client"})
    settle([one], 4)
    described = next(iter(done(admin(run).describe_consumer_groups([run.name("group")])).values()))
    equal(described.state, ConsumerGroupState.STABLE, "the state")
    equal(described.partition_assignor, "range", "the assignor")
    equal([m.client_id for m in described.members], ["the-client"], "the members")
    equal(sorted(p.partition for p in described.members[0].assignment.topic_partitions), [0, 1, 2, 3], "the assignment")
    one.reader.close()


@case("groups-delete")
def groups_delete(run):
    group, topic = used_group(run)
    done(admin(run).delete_consumer_groups([group]))
    refused(lambda: done(admin(run).delete_consumer_groups([group])), "GROUP_ID_NOT_FOUND")
    one = Member(run, create(run, "other", partitions=4))
    settle([one], 4)
    refused(lambda: done(admin(run).delete_consumer_groups([run.name("group")])), "NON_EMPTY_GROUP")
    one.reader.close()


@case("groups-alter-offsets")
def groups_alter_offsets(run):
    group, topic = used_group(run)
    done(admin(run).alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 9)])]))
    listed = next(iter(done(admin(run).list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])).values()))
    equal([(p.topic, p.partition, p.offset) for p in listed.topic_partitions], [(topic, 0, 9)], "the offsets")
