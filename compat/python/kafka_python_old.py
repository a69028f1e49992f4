"""The admin client of kafka-python 2.0.6."""

from harness import case, equal, holds, refused, until
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions
from kafka_python import Member, admin, create, manual_commit, settle


@case("metadata")
def metadata(run):
    topic = create(run, partitions=3)
    found = admin(run, lambda client: client.describe_topics([topic]))[0]
    equal(sorted(p["partition"] for p in found["partitions"]), [0, 1, 2], "the partitions")
    holds(all(p["leader"] >= 0 for p in found["partitions"]), "a partition has no leader")


@case("create-topic")
def create_topic(run):
    create(run, partitions=2, retention_ms=60000)
    refused(lambda: create(run), "TopicAlreadyExists")
    refused(lambda: create(run, "bad", retention_ms="soon"), "InvalidConfiguration", "error_code=40")


@case("delete-topic")
def delete_topic(run):
    topic = create(run)
    admin(run, lambda client: client.delete_topics([topic]))
    until(lambda: topic not in admin(run, lambda client: client.list_topics()), "the topic to go")
    refused(lambda: admin(run, lambda client: client.delete_topics([topic])), "UnknownTopicOrPartition")


@case("create-partitions")
def create_partitions(run):
    topic = create(run)
    admin(run, lambda client: client.create_partitions({topic: NewPartitions(3)}))
    until(lambda: len(admin(run, lambda client: client.describe_topics([topic]))[0]["partitions"]) == 3, "three partitions")


def configs(run, topic):
    answer = admin(run, lambda client: client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]))[0]
    code, message, _, _, entries = answer.resources[0][:5]
    holds(code == 0, f"describing is refused: {code} {message}")
    return {entry[0]: entry[1] for entry in entries}


@case("describe-configs")
def describe_configs(run):
    found = configs(run, create(run, retention_ms=60000))
    equal((found["retention.ms"], found["cleanup.policy"]), ("60000", "delete"), "the settings")


@case("alter-configs")
def alter_configs(run):
    topic = create(run, retention_ms=60000)
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"segment.bytes": "1048576"})
    admin(run, lambda client: client.alter_configs([resource]))

    def altered():
        found = configs(run, topic)
        return (found["segment.bytes"], found["retention.ms"]) == ("1048576", "604800000")
    until(altered, "both settings to be altered", 10)


@case("groups-list")
def groups_list(run):
    manual_commit(run)
    holds(run.name("g") in [group[0] for group in admin(run, lambda client: client.list_consumer_groups())], "the group is not listed")
    offsets = admin(run, lambda client: client.list_consumer_group_offsets(run.name("g")))
    equal([(p.topic, at.offset, at.metadata) for p, at in offsets.items()], [(run.name(), 7, "by hand")], "its offsets")


@case("groups-describe")
def groups_describe(run):
    topic = create(run, partitions=4)
    member = Member(run, topic, client_id="the-client")
    settle(4, member)
    found = admin(run, lambda client: client.describe_consumer_groups([run.name("g")]))[0]
    equal((found.state, found.protocol, [m.client_id for m in found.members]), ("Stable", "range", ["the-client"]), "the group")
    equal(found.members[0].member_assignment.assignment, [(topic, [0, 1, 2, 3])], "the assignment")
    member.stop()


@case("groups-delete")
def groups_delete(run):
    manual_commit(run)
    for expected in ("NoError", "GroupIdNotFoundError"):
        deleted = admin(run, lambda client: client.delete_consumer_groups([run.name("g")]))
        equal([error.__name__ for _, error in deleted], [expected], "the error")


@case("describe-cluster")
def describe_cluster(run):
    found = admin(run, lambda client: client.describe_cluster())
    equal([f"{node['host']}:{node['port']}" for node in found["brokers"]], [run.bootstrap], "the nodes")
    holds(found["cluster_id"], "the cluster has no id")
    equal(found["controller_id"], found["brokers"][0]["node_id"], "the controller")
