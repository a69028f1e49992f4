"""How many messages a second a broker takes and gives, and the CPU time that it needs for a million of them.

Sizes of 100 B, 200 B and 1 KiB, uncompressed and by lz4; 4 partitions, one librdkafka producer or consumer with its defaults
(linger 5 ms) but for fetch.wait.max.ms: it has one request under way, which would wait half a second when the partitions of the
moment are at their end and the others not yet asked for again. For each size and codec each broker is started with empty
directories and warmed up. The time of producing ends with the last acknowledgement; a consumer must get every message, by count
and checksum. BENCH_MESSAGES are sent by each workload (2,000,000; half of it with 1 KiB), BENCH_RUNS times (1), of which the
medians are printed. With much less than a million a JVM is still compiling, which flatters ours.
"""

import os
import statistics

import peers
from lib import grouped, say
from load import load, same
from targets import Row, at_most, compare, compare_pairs, mebibytes, share, times, three_places

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000000"))
RUNS = int(os.environ.get("BENCH_RUNS", "1"))
SIZES = {"100 B": 100, "200 B": 200, "1 KiB": 1024}
WORK = ("produce, acks=1", "produce, acks=all", "consume")
# What produce must reach by size (throughput, CPU); with an fsync before the answer to acks=all less is asked at 200 bytes.
PRODUCE = {"100 B": (times(1.2), share(3)), "200 B": (times(1.2), share(3)), "1 KiB": (times(1.3), share(3))}
PRODUCE_ALL = {**PRODUCE, "200 B": (times(1), share(2))}
MUST = {"produce, acks=1": PRODUCE, "produce, acks=all": PRODUCE_ALL, "consume": dict.fromkeys(SIZES, (times(1), share(2)))}


def messages(size):
    return max(MESSAGES // (2 if size > 1000 else 1), 1000)


def workloads(broker, size, codec):
    """What is measured, by name; each gives its load's result."""
    count, sent = messages(size), {}

    def produce(acks):
        sent[acks] = load("produce", broker.address, topic=f"acks-{acks}", count=count, size=size, acks=acks, compression_codec=codec)
        return sent[acks]

    def consume():
        got = load("consume", broker.address, topic="acks-1", count=count, fetch_wait_max_ms=5)
        same(f"{broker.name}, consume", sent["1"], got)
        return got
    return {"produce, acks=1": lambda: produce("1"), "produce, acks=all": lambda: produce("all"), "consume": consume}


def warm_up(broker, size, codec):
    """As much again as is measured: a JVM compiles what is used often."""
    count = max(messages(size) // 2, 1000)
    load("create", broker.address, topic="warm")
    for acks in ("1", "all"):
        load("produce", broker.address, topic="warm", count=count, size=size, acks=acks, compression_codec=codec)
    load("consume", broker.address, topic="warm", count=2 * count)


def measure(world, kind, size, codec):
    """Rate and CPU s per million of each workload, and the peak memory."""
    results = {}
    with kind(world) as broker:
        warm_up(broker, size, codec)
        for topic in ("acks-1", "acks-all"):
            load("create", broker.address, topic=topic)
        for what, act in workloads(broker, size, codec).items():
            before = broker.cpu_s()
            done = act()
            rate = done["messages"] / done["seconds"]
            results[what, "rate"], results[what, "cpu"] = rate, (broker.cpu_s() - before) / done["messages"] * 1e6
            say(f"{kind.name}, {size} B, {codec}: {what}: {grouped(rate)} messages/s, {results[what, 'cpu']:.3f} CPU s per million")
        # Only one of the two topics was read.
        held = load("count", broker.address, topic="acks-all")["messages"]
        if held != messages(size):
            raise SystemExit(f"bench: {held} messages are held of {messages(size)} acknowledged")
    results["peak"] = broker.peak_kib
    return results


def medians(runs):
    return {name: {key: statistics.median(run[name][key] for run in runs) for key in runs[0][name]} for name in runs[0]}


def run(world):
    peak = {name: {"peak": 0} for name in peers.NAMES}
    for codec in ("none", "lz4"):
        pairs = []
        for label, size in SIZES.items():
            peers.room_for(world, 4 * MESSAGES * size / 2**30)
            results = medians([peers.each(lambda kind: measure(world, kind, size, codec)) for _ in range(RUNS)])
            for what in WORK:
                rate, cpu = MUST[what][label]
                pairs.append((f"{what}, {label}", Row("", grouped, results, (what, "rate"), rate),
                              Row("", three_places, results, (what, "cpu"), cpu)))
            for name, figures in results.items():
                peak[name]["peak"] = max(peak[name]["peak"], figures["peak"])
        title = f"throughput, {'uncompressed' if codec == 'none' else codec}: {grouped(MESSAGES)} messages, 4 partitions, librdkafka"
        compare_pairs(title, "messages/s", "CPU s per million", pairs)
    compare("memory during throughput", [Row("peak (resident)", mebibytes, peak, "peak", at_most(64, "MiB", 1024))])
