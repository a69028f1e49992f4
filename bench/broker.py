#!/usr/bin/env python3
"""Our broker beside Apache Kafka 3.9.1, driven by Kafka's own ProducerPerformance and ConsumerPerformance.

For each workload both brokers run in turn, each alone, with fresh data, 4 partitions and a warm-up before the measurement.
BENCH_MESSAGES sets how many messages of 200 bytes are sent (2,000,000).
"""

import os
import re
import subprocess

from lib import KAFKA, World, free_port, get, grouped, mib, our_broker, say, table, wait_for

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000000"))
SIZE = 200
WARM_UP = MESSAGES // 10
JAVA = ["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{KAFKA}/*"]


class Ours:
    name = "logagent"

    def __init__(self, world, run):
        broker, self.address = our_broker(world, "--set", f"data_dir={world.dir}/ours-{run}", "--set", "num_partitions=4")
        self.process = broker.process


class Kafka:
    name = "Apache Kafka 3.9.1"

    def __init__(self, world, run):
        client, control = free_port(), free_port()
        self.address = f"127.0.0.1:{client}"
        conf, data = world.dir / f"kafka-{run}.properties", world.dir / f"kafka-{run}"
        conf.write_text(f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://{self.address}
controller.listener.names=CONTROLLER
log.dirs={data}
num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
""")
        subprocess.run([*JAVA, "kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", conf],
                       check=True, stdout=subprocess.DEVNULL)
        self.process = world.start(f"kafka-{run}", [JAVA[0], "-Xms1g", "-Xmx1g", *JAVA[1:], "kafka.Kafka", conf])
        wait_for("Kafka", lambda: self.process.must_run() and get(self.address, "/") is None and self.listens(), 120, 0.5)

    def listens(self):
        listed = subprocess.run(["kcat", "-b", self.address, "-L", "-m", "5"], capture_output=True, check=False)
        return listed.returncode == 0


def tool(*args):
    run = subprocess.run([*JAVA[:1], "-Xmx512m", *JAVA[1:], *map(str, args)], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"bench: {args}: {run.stdout}{run.stderr}")
    return run.stdout


def produce(address, topic, count, acks):
    out = tool("org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", count, "--record-size",
               SIZE, "--throughput", -1, "--producer-props", f"bootstrap.servers={address}", f"acks={acks}",
               "batch.size=65536", "linger.ms=5", "buffer.memory=67108864")
    total = out.strip().splitlines()[-1]
    return float(re.search(r"([\d.]+) records/sec", total)[1])


def consume(address, topic, count):
    out = tool("org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", address, "--topic", topic,
               "--messages", count, "--timeout", 60000)
    fields = out.strip().splitlines()[-1].split(", ")
    if int(fields[4]) < count:
        raise SystemExit(f"bench: consumed {fields[4]} of {count} messages")
    return float(fields[9])


def measure(world, kind, run):
    """Rates and CPU of the three workloads on one broker, and its peak memory."""
    broker, results = kind(world, run), {}
    produce(broker.address, "warm", WARM_UP, 1)
    consume(broker.address, "warm", WARM_UP)
    work = {
        "produce, acks=1": lambda: produce(broker.address, "one", MESSAGES, 1),
        "produce, acks=all": lambda: produce(broker.address, "all", MESSAGES, "all"),
        "consume": lambda: consume(broker.address, "one", MESSAGES),
    }
    for workload, act in work.items():
        before = broker.process.sample()
        rate = act()
        results[workload] = (rate, (broker.process.sample() - before) / MESSAGES * 1e6)
        say(f"{kind.name}: {workload}: {grouped(rate)} messages/s")
    broker.process.stop()
    return results, broker.process.peak_kib


def main():
    with World() as world:
        (kafka, kafka_peak), (ours, our_peak) = (measure(world, kind, 0) for kind in (Kafka, Ours))
        rows = [[workload, grouped(kafka[workload][0]), grouped(ours[workload][0]),
                 f"{ours[workload][0] / kafka[workload][0]:.2f}x", f"{kafka[workload][1]:.2f}",
                 f"{ours[workload][1]:.2f}", f"{ours[workload][1] / max(kafka[workload][1], 0.001):.2f}x"]
                for workload in ours]
        rows.append(["peak memory", mib(kafka_peak), mib(our_peak), f"{our_peak / kafka_peak:.2f}x", "", "", ""])
        table(f"broker: {grouped(MESSAGES)} messages of {SIZE} bytes, 4 partitions, beside Apache Kafka 3.9.1",
              ["workload", "Kafka: messages/s", "ours", "ratio", "Kafka: CPU s per million", "ours", "ratio"], rows)


if __name__ == "__main__":
    main()
