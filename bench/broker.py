#!/usr/bin/env python3
"""Our broker beside Apache Kafka 3.9.1, each alone in turn, driven by librdkafka: figures, ratios, targets.

BENCH_ONLY=throughput,latency,topics,connections,startup chooses what is measured, BENCH_BROKERS=logagent leaves Kafka out. The files
of these names say what is measured and which variables make it smaller.
"""

import os
import sys

import connections
import latency
import peers
import startup
import throughput
import topics
from lib import World, say

PARTS = {part.__name__: part for part in (throughput, latency, topics, connections, startup)}


def main():
    wanted = os.environ.get("BENCH_ONLY", ",".join(PARTS)).split(",")
    if unknown := set(wanted) - set(PARTS):
        raise SystemExit(f"bench: BENCH_ONLY has {', '.join(sorted(unknown))}, may have {', '.join(PARTS)}")
    for name in wanted:
        say(name)
        with World() as world:
            PARTS[name].run(world)
    print("".join(f"\nFAILED: {what}" for what in peers.failures))
    sys.exit(bool(peers.failures))


if __name__ == "__main__":
    main()
