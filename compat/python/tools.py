"""Kafka's console tools 3.9.1, by the classes that its scripts start."""

import glob
import json
import os
import re
import subprocess
import tempfile
import time

from confluent_kafka import Producer
from harness import case, equal, holds

JAVA = ["java", "-Xmx256m", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp",
        os.environ.get("KAFKA_JARS", "") + "/*"]
ADMIN = "org.apache.kafka.tools."


def start(name, *args):
    name = name if name.startswith(("kafka.", "org.")) else ADMIN + name
    return subprocess.Popen([*JAVA, name, *map(str, args)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def tool(name, *args, data="", fails=False):
    """What a tool prints."""
    child = start(name, *args)
    printed, _ = child.communicate(data, timeout=100)
    holds((child.returncode != 0) == fails, f"{name} {args} ended with {child.returncode}: {printed[-600:]}")
    return printed


def has(printed, *patterns):
    for pattern in patterns:
        holds(re.search(pattern, printed), f"there is no {pattern} in: {printed[-800:]}")


def at(run):
    return "--bootstrap-server", run.bootstrap


def topics(run, *args, **how):
    return tool("TopicCommand", *at(run), *args, **how)


def produce(run, topic, values, *kcat):
    command = ["kcat", "-b", run.bootstrap, "-P", "-t", topic, *kcat]
    subprocess.run(command, input="\n".join(values), text=True, check=True, capture_output=True, timeout=30)


def file_with(value):
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump(value, file)
    return file.name


@case("kafka-topics")
def kafka_topics(run):
    name = run.name()
    has(topics(run, "--create", "--topic", name, "--partitions", 2, "--config", "retention.ms=60000"), f"Created topic {name}")
    has(topics(run, "--create", "--topic", name, fails=True), "TopicExistsException")
    has(topics(run, "--list", "--exclude-internal"), name)
    topics(run, "--alter", "--topic", name, "--partitions", 3)
    has(topics(run, "--describe", "--topic", name), "PartitionCount: 3", "retention.ms=60000", r"Partition: 2\s+Leader: 1\s+Replicas: 1\s+Isr: 1")
    equal(topics(run, "--describe", "--under-replicated-partitions").strip(), "", "the partitions without all replicas")
    topics(run, "--delete", "--topic", name)
    has(topics(run, "--describe", "--topic", name, fails=True), "does not exist")


@case("kafka-configs")
def kafka_configs(run):
    name, broker = run.name(), ("--entity-type", "brokers", "--entity-name", "1")
    topics(run, "--create", "--topic", name)
    topic = ("--entity-type", "topics", "--entity-name", name)
    tool(CONFIGS, *at(run), "--alter", *topic, "--add-config", "retention.ms=70000,cleanup.policy=[compact,delete]")
    has(tool(CONFIGS, *at(run), "--describe", *topic), "retention.ms=70000", "cleanup.policy=compact,delete")
    tool(CONFIGS, *at(run), "--alter", *topic, "--delete-config", "retention.ms")
    holds("retention.ms" not in tool(CONFIGS, *at(run), "--describe", *topic), "retention.ms is there after its removal")
    tool(CONFIGS, *at(run), "--alter", *broker, "--add-config", "log.retention.ms=80000000")
    has(tool(CONFIGS, *at(run), "--describe", *broker), "log.retention.ms=80000000")
    has(tool(CONFIGS, *at(run), "--describe", *broker, "--all"), "num.partitions=", "message.max.bytes=1048588")
    tool(CONFIGS, *at(run), "--alter", *broker, "--delete-config", "log.retention.ms")
    has(tool(CONFIGS, *at(run), "--alter", *topic, "--add-config", "retention.ms=soon", fails=True), "InvalidConfigurationException|Invalid value")


CONFIGS = "kafka.admin.ConfigCommand"
GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


@case("kafka-consumer-groups")
def kafka_consumer_groups(run):
    topic, group = run.name(), run.name("group")
    topics(run, "--create", "--topic", topic, "--partitions", 1)
    produce(run, topic, "abcdef")
    reader = start("org.apache.kafka.tools.consumer.ConsoleConsumer", *at(run), "--topic", topic, "--group", group, "--from-beginning")
    try:
        for letter in "abcdef":
            equal(reader.stdout.readline().strip(), letter, "what was consumed")
        time.sleep(6)  # commits every five seconds
        has(tool(GROUPS, *at(run), "--describe", "--group", group), rf"{group}\s+{topic}\s+0\s+6\s+6\s+0\s+console-consumer")
        has(tool(GROUPS, *at(run), "--describe", "--group", group, "--members", "--verbose"), r"console-consumer.*\s1\s+.*\(0\)")
        has(tool(GROUPS, *at(run), "--describe", "--group", group, "--state"), r"range\s+Stable\s+1")
        reset = ("--reset-offsets", "--group", group, "--topic", topic, "--shift-by", "-2")
        has(tool(GROUPS, *at(run), *reset, "--execute"), "only be reset if the group .* is inactive")
    finally:
        reader.terminate()
        reader.wait(20)
    has(tool(GROUPS, *at(run), "--list", "--state"), rf"{group}\s+Empty")
    has(tool(GROUPS, *at(run), *reset, "--execute"), rf"{topic}\s+0\s+4")
    has(tool(GROUPS, *at(run), "--describe", "--group", group), rf"{topic}\s+0\s+4\s+6\s+2")
    has(tool(GROUPS, *at(run), "--delete-offsets", "--group", group, "--topic", topic), rf"{topic}\s+0\s+Successful")
    tool(GROUPS, *at(run), "--reset-offsets", "--group", group, "--topic", topic, "--to-earliest", "--execute")
    has(tool(GROUPS, *at(run), "--delete", "--group", group), "(was|were) successful")


@case("kafka-get-offsets")
def kafka_get_offsets(run):
    topic = run.name()
    topics(run, "--create", "--topic", topic, "--partitions", 2)
    produce(run, topic, "abc", "-p", "0")
    for asked, expected in (("latest", "3"), ("earliest", "0"), ("max-timestamp", "[0-2]"), ("1", "0"), ("earliest-local", "0")):
        has(tool("GetOffsetShell", *at(run), "--topic", topic, "--time", asked), rf"{topic}:0:{expected}\n")


@case("kafka-delete-records")
def kafka_delete_records(run):
    topic = run.name()
    topics(run, "--create", "--topic", topic)
    produce(run, topic, "abcdef")
    wish = file_with({"partitions": [{"topic": topic, "partition": 0, "offset": 4}], "version": 1})
    has(tool("DeleteRecordsCommand", *at(run), "--offset-json-file", wish), r"low_watermark: 4")
    has(tool("GetOffsetShell", *at(run), "--topic", topic, "--time", "earliest"), f"{topic}:0:4")


@case("kafka-console-producer-consumer")
def console(run):
    topic = run.name()
    written = ["a:1,b:2\tkey\tvalue", "c:3\tNONE\tNONE"]
    tool("kafka.tools.ConsoleProducer", *at(run), "--topic", topic, "--property", "parse.key=true", "--property", "parse.headers=true",
         "--property", "null.marker=NONE", "--compression-codec", "zstd", data="\n".join(written) + "\n")
    show = [word for name in ("headers", "key", "timestamp", "partition", "offset") for word in ("--property", f"print.{name}=true")]
    printed = tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *at(run), "--topic", topic, "--from-beginning", "--max-messages", 2, *show)
    has(printed, r"CreateTime:\d{13}\tPartition:0\tOffset:0\ta:1,b:2\tkey\tvalue", r"Offset:1\tc:3\tnull\tnull")
    printed = tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *at(run), "--topic", topic, "--partition", 0, "--offset", 1,
                   "--max-messages", 1, "--isolation-level", "read_committed")
    has(printed, "null")


@case("kafka-verifiable-producer-consumer")
def verifiable(run):
    topic = run.name()
    topics(run, "--create", "--topic", topic, "--partitions", 2)
    printed = tool("VerifiableProducer", *at(run), "--topic", topic, "--max-messages", 1000, "--acks", -1)
    has(printed, '"acked":1000')
    printed = tool("VerifiableConsumer", *at(run), "--topic", topic, "--group-id", run.name("group"), "--max-messages", 1000, "--verbose")
    equal(printed.count('"name":"record_data"'), 1000, "the number of records")
    has(printed, '"name":"offsets_committed".*"success":true')


@case("kafka-producer-perf-test")
def producer_perf(run):
    perf = ("ProducerPerformance", "--topic", run.name(), "--num-records", 20000, "--record-size", 200, "--throughput", -1)
    has(tool(*perf, "--producer-props", f"bootstrap.servers={run.bootstrap}", "acks=all"), "20000 records sent")
    has(tool(*perf, "--transactional-id", run.name("txn"), "--transaction-duration-ms", 100, "--producer-props",
             f"bootstrap.servers={run.bootstrap}"), "20000 records sent")


@case("kafka-consumer-perf-test")
def consumer_perf(run):
    produce(run, run.name(), [f"{n} {'x' * 100}" for n in range(20000)])
    printed = tool("ConsumerPerformance", *at(run), "--topic", run.name(), "--messages", 20000, "--timeout", 20000)
    equal(printed.strip().splitlines()[-1].split(", ")[4], "20000", "the number of messages")


def segments(directory, kind="log"):
    files = sorted(glob.glob(f"{os.environ['DATA_DIR']}/{directory}/*.{kind}"))
    holds(files, f"there is no {kind} in {directory}")
    return ",".join(files)


@case("kafka-dump-log")
def dump_log(run):
    dump = ("kafka.tools.DumpLogSegments", "--deep-iteration")
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        produce(run, run.name(), [f"{codec} {n}" for n in range(100)], "-z", codec, "-X", f"transactional.id={run.name(codec)}")
    group = ["kcat", "-b", run.bootstrap, "-G", run.name("group"), "-X", "auto.offset.reset=earliest", "-q", "-c", "100", run.name()]
    subprocess.run(group, check=True, capture_output=True, timeout=30)
    printed = tool(*dump, "--print-data-log", "--files", segments(run.name() + "-0"))
    equal((printed.count("payload: "), printed.count("endTxnMarker: COMMIT")), (500, 5), "the records and the markers")
    holds("isvalid: false" not in printed and "Found" not in printed, printed[-500:])
    for kind in ("index", "timeindex"):
        files = segments(run.name() + "-0", kind)
        # Kafka's are preallocated while they are written to, and then it does not like its own
        if os.path.getsize(files) < 1_000_000:
            printed = tool(*dump[:1], "--index-sanity-check", "--files", files)
            holds("Found" not in printed, printed[-500:])
    for name, decoder, expected in (("__consumer_offsets", "--offsets-decoder", run.name("group")),
                                    ("__transaction_state", "--transaction-log-decoder", run.name("zstd"))):
        printed = "".join(tool(*dump, decoder, "--files", segments(f"{name}-{n}")) for n in range(4))
        has(printed, re.escape(expected))
        holds("isvalid: false" not in printed and "Found" not in printed, printed[-500:])


@case("kafka-transactions")
def kafka_transactions(run):
    topic, identity = run.name(), run.name("txn")
    topics(run, "--create", "--topic", topic)
    producer = Producer({"bootstrap.servers": run.bootstrap, "transactional.id": identity, "linger.ms": 100})
    producer.init_transactions(20)
    producer.begin_transaction()
    for _ in range(10):
        producer.produce(topic, b"open")
    producer.flush(20)
    command = ("TransactionsCommand", *at(run))
    has(tool(*command, "list"), rf"{identity}\s+\d+\s+\d+\s+Ongoing")
    has(tool(*command, "describe", "--transactional-id", identity), rf"Ongoing\s.*{topic}-0")
    has(tool(*command, "describe-producers", "--topic", topic, "--partition", 0), r"\d+\s+0\s+-?\d+\s+9\s+\d+\s+0\s")
    equal(len(tool(*command, "find-hanging", "--broker-id", 1).strip().splitlines()), 1, "the lines of hanging transactions, with the header")
    tool(*command, "abort", "--topic", topic, "--partition", 0, "--start-offset", 0)
    has(tool(*command, "describe-producers", "--topic", topic, "--partition", 0), r"None")


@case("kafka-broker-api-versions")
def api_versions(run):
    has(tool("kafka.admin.BrokerApiVersionsCommand", *at(run)), f"{run.bootstrap}.*id: 1", r"Produce\(0\): 0 to 11 \[usable: 11\]", r"Fetch\(1\): 0 to 17")


@case("kafka-log-dirs")
def log_dirs(run):
    produce(run, run.name(), "abc")
    printed = tool("LogDirsCommand", *at(run), "--describe", "--topic-list", run.name())
    found = json.loads(printed.strip().splitlines()[-1])
    equal([(p["partition"], p["size"] > 0) for d in found["brokers"][0]["logDirs"] for p in d["partitions"]], [(f"{run.name()}-0", True)], "the sizes")


@case("kafka-cluster")
def cluster(run):
    has(tool("ClusterTool", "cluster-id", *at(run)), r"Cluster ID: [\w-]{22}")


@case("kafka-features")
def features(run):
    has(tool("FeatureCommand", *at(run), "describe"), "Feature: metadata.version")


@case("kafka-leader-election")
def leader_election(run):
    topics(run, "--create", "--topic", run.name())
    printed = tool("LeaderElectionCommand", *at(run), "--election-type", "preferred", "--topic", run.name(), "--partition", 0)
    has(printed, "already the preferred|Valid replica already elected|already elected")


@case("kafka-reassign-partitions")
def reassign_partitions(run):
    has(tool("reassign.ReassignPartitionsCommand", *at(run), "--list"), "No partition reassignments found")


@case("kafka-metadata-quorum")
def metadata_quorum(run):
    has(tool("MetadataQuorumCommand", *at(run), "describe", "--status"), "LeaderId")
