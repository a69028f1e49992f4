"""1,000 topics with 10 partitions each: the time to create them and to write to every partition, the memory, the start over them.

They are created a hundred in a request (Kafka takes no more than 10,000 changes in one). Ours answers when the partitions are
on its disk, Kafka when the controller has noted them, and makes them afterwards: compare the sum with the first produce. The
start is timed to the first record taken, once after a clean stop and once after kill -9. BENCH_TOPICS makes it smaller. A broker
of ours keeps a file open for each partition, and two more while it is written to: the hard limit of open files must allow that
(ulimit -Hn).
"""

import os
import signal

import peers
from lib import grouped
from load import load, same
from memory import resident, settled
from targets import compare_untargeted, mebibytes, seconds, three_places

TOPICS = int(os.environ.get("BENCH_TOPICS", "1000"))
PARTITIONS = 10
EACH = 10


def measure(world, kind):
    results, all_topics = {}, {"topic": "many", "topics": TOPICS, "partitions": PARTITIONS}
    with kind(world) as broker:
        load("create", broker.address, topic="probe", partitions=1)
        results["empty"] = settled(broker.process.pid)
        before = broker.cpu_s()
        results["create"] = load("create", broker.address, **all_topics)["seconds"]
        results["created"] = settled(broker.process.pid)
        sent = load("produce", broker.address, count=TOPICS * PARTITIONS * EACH, acks="all", **all_topics)
        results["produce"], results["produced"] = sent["seconds"], settled(broker.process.pid)
        results["cpu"] = broker.cpu_s() - before
        results["both"] = results["create"] + results["produce"]
        results["clean"] = broker.restart(signal.SIGTERM, "probe")
        results["killed"] = broker.restart(signal.SIGKILL, "probe")
        results["restarted"] = resident(broker.process.pid)["VmRSS"]
        same(f"{broker.name}, many topics", sent, load("consume", broker.address, count=sent["messages"], **all_topics))
    results["peak"] = broker.peak_kib
    return results


def run(world):
    results = peers.each(lambda kind: measure(world, kind))
    rows = [("create all, answered", seconds, "create"),
            (f"then produce {EACH} messages to each partition, acks=all", seconds, "produce"),
            ("both", seconds, "both"),
            ("broker CPU s for both", three_places, "cpu"),
            ("memory before", mebibytes, "empty"),
            ("memory with the topics", mebibytes, "created"),
            ("memory after producing", mebibytes, "produced"),
            ("start after a clean stop", seconds, "clean"),
            ("start after kill -9", seconds, "killed"),
            ("memory at the first record taken", mebibytes, "restarted"),
            ("peak memory", mebibytes, "peak")]
    compare_untargeted(f"{grouped(TOPICS)} topics with {PARTITIONS} partitions", results, rows)
