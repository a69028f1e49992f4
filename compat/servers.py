"""The two brokers that the clients talk to: ours, and Apache Kafka 3.9.1 as a single node. Both with fresh data."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
from lib import KAFKA, LOGAGENT, World, free_port, get, our_broker, wait_for  # noqa: E402, F401: the others take them from here

JAVA = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{KAFKA}/*"]

# What differs from Kafka's defaults: a single node holds its own internal topics, few partitions of those (the same number as
# ours has), and no waiting for more members. The last line switches the newer groups on, which 3.9.1 has as a preview.
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
log.dirs={data}
num.partitions={partitions}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
group.coordinator.rebalance.protocols=classic,consumer
"""


class Ours:
    name = "ours"

    def __init__(self, world, partitions):
        self.data = world.dir / "our-broker"
        broker, self.address = our_broker(world, "--set", "group_initial_rebalance_delay_ms=0", "--set", f"num_partitions={partitions}")
        self.process = broker.process


class Kafka:
    name = "kafka"

    def __init__(self, world, partitions):
        client, control = free_port(), free_port()
        self.address, self.data = f"127.0.0.1:{client}", world.dir / "kafka"
        conf = world.dir / "kafka.properties"
        conf.write_text(PROPERTIES.format(address=self.address, control=control, data=self.data, partitions=partitions))
        storage = ["kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", conf]
        subprocess.run([*JAVA, *storage], check=True, stdout=subprocess.DEVNULL)
        self.process = world.start("kafka-server", [JAVA[0], "-Xms512m", "-Xmx1g", *JAVA[1:], "kafka.Kafka", conf])
        wait_for("Kafka", lambda: self.process.must_run() and get(self.address, "/") is None and self.listens(), 120, 0.5)

    def listens(self):
        listed = subprocess.run(["kcat", "-b", self.address, "-L", "-m", "5"], capture_output=True, check=False)
        return listed.returncode == 0


BROKERS = {broker.name: broker for broker in (Ours, Kafka)}
