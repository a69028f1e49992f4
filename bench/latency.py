"""How long a message takes at a fixed rate: 20,000 a second, 200 bytes, 4 partitions, one producer and one consumer.

Two times are taken of each message, both from the moment when it was due (so what waits in an overloaded client counts):
to its acknowledgement, and to its arrival at the consumer, end to end. The targets are about the latter. linger 5 ms lets
the client gather messages, linger 0 makes a request of each as long as the broker keeps up. The first second is left out, and
a run of half the length before it is the warm-up. The broker's CPU time is for the whole run, which is produced and
consumed. BENCH_SECONDS is its length (20).
"""

import os

import peers
from lib import grouped, say
from load import load
from targets import Row, at_most, compare, milliseconds, share, three_places

RATE = 20_000
SECONDS = int(os.environ.get("BENCH_SECONDS", "20"))
CASES = {f"linger {linger} ms, acks={acks}": (linger, acks) for linger in (5, 0) for acks in ("1", "all")}
PERCENTILES = ("p50", "p99", "p99.9")
# By linger: p99 end to end, CPU.
MUST = {5: (at_most(6.5, "ms"), share(4)), 0: (at_most(5, "ms"), None)}


def measure(world, kind, linger, acks):
    """Percentiles by what they are of, and CPU s per million."""
    with kind(world) as broker:
        settings = {"rate": RATE, "size": 200, "acks": acks, "linger_ms": linger}
        for topic, length in (("warm", max(SECONDS // 2, 2)), ("latency", SECONDS)):
            load("create", broker.address, topic=topic)
            before = broker.cpu_s()
            done = load("latency", broker.address, topic=topic, count=RATE * length, **settings)
        results = {(what, percentile): done[what][percentile] for what in ("acknowledged", "consumed") for percentile in PERCENTILES}
        results["cpu"] = (broker.cpu_s() - before) / done["messages"] * 1e6
        results["rate"] = done["rate"]
        say(f"{kind.name}, linger {linger} ms, acks={acks}: p50 {results['consumed', 'p50']} ms, p99 {results['consumed', 'p99']} ms")
    return results


def run(world):
    for label, (linger, acks) in CASES.items():
        results = peers.each(lambda kind: measure(world, kind, linger, acks))
        p99, cpu = MUST[linger]
        rows = [Row(f"due to {what}, {percentile}", milliseconds, results, (what, percentile),
                    p99 if (what, percentile) == ("consumed", "p99") else None)
                for what in ("consumed", "acknowledged") for percentile in PERCENTILES]
        rows.append(Row("broker CPU s per million", three_places, results, "cpu", cpu))
        rows.append(Row("messages/s handed to the client", grouped, results, "rate"))
        compare(f"latency, {label}: {grouped(RATE)} messages/s of 200 B for {SECONDS} s", rows)
