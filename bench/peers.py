"""The two brokers that are compared: ours and Apache Kafka 3.9.1 (KRaft, one node, a heap of 1 GiB), with their defaults
but for the number of partitions and no delay before a group's first generation.

Each run gives a broker an empty directory; it can be stopped or killed and started over the same one. BENCH_BROKERS=logagent
leaves Kafka out (the ratios are then missing).
"""

import os
import resource
import shutil
import signal
import time

import frames
from lib import KAFKA, LOGAGENT, free_port, kafka_node, say, wait_for

NAMES = os.environ.get("BENCH_BROKERS", "kafka,logagent").split(",")
# What Kafka's own start script passes.
JVM = ["-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
       "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true"]
JAVA = ["java", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", f"{KAFKA}/*"]


class Broker:
    """A server process and its directory."""
    runs = 0

    def __init__(self, world):
        Broker.runs += 1
        self.world, self.label = world, f"{self.name.split()[-1]}-{Broker.runs}".lower()
        self.address, self.data = f"127.0.0.1:{free_port()}", world.dir / self.label
        self.process, self.peak_kib = None, 0
        self.prepare()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        # After a failure everything stays until the world ends.
        if kind is None:
            shutil.rmtree(self.data, ignore_errors=True)

    def start(self):
        """Seconds until it says to a client that it is there."""
        begin = self.launch()
        wait_for(self.name, lambda: self.process.must_run() and frames.brokers_known(self.address), 300, 0.005)
        return time.monotonic() - begin

    def launch(self):
        begin = time.monotonic()
        self.process = self.world.start(self.label, self.command())
        return begin

    def restart(self, how, topic):
        """Ends it by a signal and starts it over its data; seconds from the start to the first record taken, by `topic`."""
        self.stop(how)
        begin = self.launch()
        wait_for(self.name, lambda: self.process.must_run() and frames.produced(self.address, topic), 3600, 0.002)
        return time.monotonic() - begin

    def cpu_s(self):
        return self.process.sample()

    def stop(self, how=signal.SIGTERM):
        """Kafka with many partitions takes its time."""
        self.process.stop(how, 300)
        self.peak_kib = max(self.peak_kib, self.process.peak_kib)


class Ours(Broker):
    name = "logagent"

    def prepare(self):
        if not LOGAGENT.exists():
            raise SystemExit(f"bench: {LOGAGENT} is missing: make build")

    def command(self):
        return [LOGAGENT, "broker", "--listen", self.address, "--data-dir", self.data,
                "--set", "num_partitions=4", "--set", "max_partitions=20000", "--set", "group_initial_rebalance_delay_ms=0"]


class Kafka(Broker):
    name = "Kafka"

    def prepare(self):
        if not KAFKA.exists():
            raise SystemExit(f"bench: {KAFKA} is missing: tests/setup test")
        self.conf = self.world.dir / f"{self.label}.properties"
        kafka_node(self.conf, self.address, self.data, JAVA, "num.partitions=4", "group.initial.rebalance.delay.ms=0")

    def command(self):
        return [JAVA[0], "-Xms1g", "-Xmx1g", *JVM, *JAVA[1:], "kafka.Kafka", self.conf]


# What went wrong so far; the other broker and the other parts are measured nevertheless.
failures = []


def each(measure):
    """The results of `measure(kind)` by broker, one broker after the other; without those of a broker that failed."""
    allow_files()
    results = {}
    for key, kind in (("kafka", Kafka), ("logagent", Ours)):
        if key in NAMES:
            say(f"{kind.name} …")
            try:
                results[key] = measure(kind)
            except SystemExit as why:
                failures.append(f"{kind.name}: {why}")
                say(failures[-1])
    return results


def allow_files(wanted=1 << 17):
    """Ten thousand partitions and two thousand connections are many files; a plain user has what the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in ((max(wanted, soft), max(wanted, hard)), (hard, hard)):
        try:
            return resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        except (ValueError, OSError):
            continue
    return None


def room_for(world, gib):
    """Ends the run when the disk has not so much room, and two GiB."""
    free = shutil.disk_usage(world.dir).free / 2**30
    if free < gib + 2:
        raise SystemExit(f"bench: {gib + 2:.1f} GiB are needed in {world.dir.parent} (or where TMPDIR says), {free:.1f} are free")
