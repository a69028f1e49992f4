"""The two brokers that the clients talk to: ours, and Apache Kafka 3.9.1 as a single node. Both with fresh data."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
from lib import KAFKA, LOGAGENT, World, free_port, get, kafka_node, our_broker, wait_for  # noqa: E402, F401: the others take them from here

JAVA = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{KAFKA}/*"]

# The same number of partitions of internal topics as ours has. The last line switches the newer groups on, which 3.9.1 has as
# a preview.
SETTINGS = ("offsets.topic.num.partitions=4", "transaction.state.log.num.partitions=4",
            "group.coordinator.rebalance.protocols=classic,consumer")


def rebalance_delay_ms(partitions):
    """librdkafka's own tests, which want several partitions, start one consumer right after the other and count rebalances: the
    broker must wait a moment for the second, as brokers do by default. Ours take what they get."""
    return 0 if partitions == 1 else 500


class Ours:
    name = "ours"

    def __init__(self, world, partitions):
        self.data = world.dir / "our-broker"
        broker, self.address = our_broker(world, "--set", f"group_initial_rebalance_delay_ms={rebalance_delay_ms(partitions)}",
                                          "--set", f"num_partitions={partitions}")
        self.process = broker.process


class Kafka:
    name = "kafka"

    def __init__(self, world, partitions):
        self.address, self.data = f"127.0.0.1:{free_port()}", world.dir / "kafka"
        conf = world.dir / "kafka.properties"
        kafka_node(conf, self.address, self.data, JAVA, *SETTINGS, f"num.partitions={partitions}",
                   f"group.initial.rebalance.delay.ms={rebalance_delay_ms(partitions)}")
        self.process = world.start("kafka-server", [JAVA[0], "-Xms512m", "-Xmx1g", *JAVA[1:], "kafka.Kafka", conf])
        wait_for("Kafka", lambda: self.process.must_run() and get(self.address, "/") is None and self.listens(), 120, 0.5)

    def listens(self):
        listed = subprocess.run(["kcat", "-b", self.address, "-L", "-m", "5"], capture_output=True, check=False)
        return listed.returncode == 0


BROKERS = {broker.name: broker for broker in (Ours, Kafka)}
