"""How many messages a second a broker takes and gives, and the CPU time that it needs for a million of them.

Sizes of 100 B, 200 B and 1 KiB, uncompressed and by lz4; 4 partitions, one librdkafka producer or consumer with its
defaults (linger 5 ms) but for fetch.wait.max.ms: it has one request under way, which would wait half a second when the partitions of
the moment are at their end and the others not yet asked for again. For each size and codec each broker is started with empty
directories and warmed up: BENCH_WARM_UP seconds (30) of small requests, then as much as is measured. The time of producing ends with
the last acknowledgement; a consumer must get every message, by count and checksum. BENCH_MESSAGES are sent by each workload
(2,000,000; half of it with 1 KiB), BENCH_RUNS times (1), of which the medians are printed. A JVM that is still compiling flatters
ours: take no ratio from a run with a short warm-up.

What was written before is on the disk when a workload begins (sync). And before each twice as much memory as it moves is touched and
given back: a virtual machine that reports free memory to its host pays for a page there when it is used again, up to 0.6 s of CPU for
a GiB, whichever broker it is that writes.
"""

import mmap
import os
import statistics
import time

import floor
import peers
from lib import grouped, say, table
from load import load, same
from targets import Row, at_most, compare, compare_pairs, mebibytes, ratio, share, times, three_places, two_places

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000000"))
WARM_UP = float(os.environ.get("BENCH_WARM_UP", "30"))
RUNS = int(os.environ.get("BENCH_RUNS", "1"))
SIZES = {"100 B": 100, "200 B": 200, "1 KiB": 1024}
WORK = ("produce, acks=1", "produce, acks=all", "consume")
# What a table says of the client: where it is found, how it is printed.
CLIENT = {"CPU s per million": ("client", three_places), "busiest thread": ("thread", "{:.0%}".format),
          "cores busy": ("cores", two_places)}
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


def settle(size):
    """Has everything on the disk, and uses twice the memory that a workload moves for a moment, at most half of what is free."""
    os.sync()
    much = min(2 * messages(size) * size, os.sysconf("SC_AVPHYS_PAGES") * mmap.PAGESIZE // 2)
    with mmap.mmap(-1, much, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        for at in range(0, much, mmap.PAGESIZE):
            memory[at] = 1


def warm_up(broker, size, codec):
    """A JVM compiles what is used often: first many requests with little in each, then as many messages as are measured."""
    def all_work(topic, count, **more):
        load("create", broker.address, topic=topic)
        for acks in ("1", "all"):
            load("produce", broker.address, topic=topic, count=count, size=size, acks=acks, compression_codec=codec, **more)
        load("consume", broker.address, topic=topic, count=2 * count, fetch_wait_max_ms=5)
    end, rounds = time.monotonic() + WARM_UP, 0
    while time.monotonic() < end:
        rounds += 1
        all_work(f"requests-{rounds}", 50_000, batch_num_messages=50)
    all_work("warm", max(messages(size) // 2, 1000))


def measure(world, kind, size, codec):
    """Rate and CPU s per million of each workload, and the peak memory."""
    results = {}
    with kind(world) as broker:
        warm_up(broker, size, codec)
        for topic in ("acks-1", "acks-all"):
            load("create", broker.address, topic=topic)
        for what, act in workloads(broker, size, codec).items():
            settle(size)
            before = broker.cpu_s()
            done = act()
            rate, used = done["messages"] / done["seconds"], broker.cpu_s() - before
            results[what, "rate"], results[what, "cpu"] = rate, used / done["messages"] * 1e6
            results[what, "client"] = done["cpu_s"] / done["messages"] * 1e6
            results[what, "thread"] = min(done["busiest_thread_s"] / done["seconds"], 1)
            results[what, "cores"] = (used + done["cpu_s"]) / done["seconds"]
            say(f"{kind.name}, {size} B, {codec}: {what}: {grouped(rate)} messages/s, {results[what, 'cpu']:.3f} CPU s per million")
        # Only one of the two topics was read.
        held = load("count", broker.address, topic="acks-all")["messages"]
        if held != messages(size):
            raise SystemExit(f"bench: {held} messages are held of {messages(size)} acknowledged")
    results["peak"] = broker.peak_kib
    return results


def alone(world, size):
    """CPU s per million messages of receiving and writing what the workloads that produce send, by workload."""
    result, count = {}, messages(size)
    for what, synced in ((WORK[0], False), (WORK[1], True)):
        settle(size)
        result[what] = floor.cpu_s(world, count * size, synced) / count * 1e6
    return result


def against_kernel(label, ours, kernel):
    for what in kernel[0]:
        least = statistics.median(run[what] for run in kernel)
        yield [f"{what}, {label}", three_places(least), three_places(ours[what, "cpu"]), ratio(ours[what, "cpu"], least)]


def client_limits(label, results, codec):
    """How much of the machine the client leaves: the rate cannot rise where one of its threads is always busy, or no core is idle."""
    for what in WORK:
        each = [results[name] for name in peers.NAMES if name in results]
        yield [f"{what}, {label}{codec}", *("/".join(form(one[what, key]) for one in each) for key, form in CLIENT.values())]


def medians(runs):
    brokers = {name: [run[name] for run in runs if name in run] for name in peers.NAMES}
    return {name: {key: statistics.median(run[key] for run in of) for key in of[0]} for name, of in brokers.items() if of}


def run(world):
    peak, least, limits = {}, [], []
    for codec in ("none", "lz4"):
        pairs = []
        for label, size in SIZES.items():
            peers.room_for(world, 4 * MESSAGES * size / 2**30)
            runs, kernel = [], []
            for _ in range(RUNS):
                runs.append(peers.each(lambda kind: measure(world, kind, size, codec)))
                if codec == "none":
                    kernel.append(alone(world, size))
            results = medians(runs)
            for what in WORK:
                rate, cpu = MUST[what][label]
                pairs.append((f"{what}, {label}", Row("", grouped, results, (what, "rate"), rate),
                              Row("", three_places, results, (what, "cpu"), cpu)))
            for name, figures in results.items():
                peak[name] = {"peak": max(peak.get(name, figures)["peak"], figures["peak"])}
            limits += client_limits(label, results, ", lz4" if codec == "lz4" else "")
            if kernel and "logagent" in results:
                least += against_kernel(label, results["logagent"], kernel)
        title = f"throughput, {'uncompressed' if codec == 'none' else codec}: {grouped(MESSAGES)} messages, 4 partitions, librdkafka"
        compare_pairs(title, "messages/s", "CPU s per million", pairs)
    table(f"the client beside them ({'/'.join(peers.NAMES)}): a thread that is always busy, or no idle core, is the limit of the rate",
          ["", *CLIENT], limits)
    table("uncompressed, beside what the kernel alone takes to receive and write as much (with acks=all and to sync each MiB)",
          ["", "kernel: CPU s per million", "ours", "ratio"], least)
    compare("memory during throughput", [Row("peak (resident)", mebibytes, peak, "peak", at_most(64, "MiB", 1024))])
