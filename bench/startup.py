"""The start after kill -9 over a log of BENCH_GIB GiB (1): the time to the first record taken, the CPU and the memory until then.

The log is of 1 KiB messages in 4 partitions. It is as large in the kernel's page cache as memory allows, as after the crash of a
process. No acknowledged message may be missing then.
"""

import os
import signal

import peers
from lib import grouped, say
from load import load
from memory import resident
from targets import compare_untargeted, mebibytes, seconds, three_places

GIB = float(os.environ.get("BENCH_GIB", "1"))
SIZE = 1024
COUNT = int(GIB * 2**30 / SIZE)


def measure(world, kind):
    peers.room_for(world, GIB * 1.1)
    with kind(world) as broker:
        for topic, partitions in (("log", 4), ("probe", 1)):
            load("create", broker.address, topic=topic, partitions=partitions)
        load("produce", broker.address, topic="log", count=COUNT, size=SIZE, acks="1")
        results = {"ready": broker.restart(signal.SIGKILL, "probe"), "cpu": broker.cpu_s()}
        results["memory"] = resident(broker.process.pid)["VmHWM"]
        held = load("count", broker.address, topic="log")["messages"]
        say(f"{kind.name}: ready after {results['ready']:.2f} s, {grouped(held)} messages are there")
        if held < COUNT:
            raise SystemExit(f"bench: {broker.name} lost {COUNT - held} of {COUNT} acknowledged messages")
        results["clean"] = broker.restart(signal.SIGTERM, "probe")
    return results


def run(world):
    results = peers.each(lambda kind: measure(world, kind))
    rows = [("start after kill -9", seconds, "ready"), ("CPU s until then", three_places, "cpu"),
            ("memory until then (highest)", mebibytes, "memory"), ("start after a clean stop", seconds, "clean")]
    compare_untargeted(f"start over {GIB:g} GiB of log, to the first record taken", results, rows)
