"""2,000 connections: each asks for the metadata and then stays; after a while 200 of them produce, in turn with their answers.

The requests are made by hand (a batch of 10 messages of 200 bytes, acks=1), so that 200 clients are one cheap process. While
all are connected a normal client must work, and at the end the topic must hold what was acknowledged. BENCH_CONNECTIONS and
BENCH_REQUESTS (of each producing connection, 200) make it smaller.
"""

import os
import selectors
import statistics
import struct
import time

import frames
import peers
from lib import grouped
from load import load, same
from memory import settled
from targets import compare_untargeted, mebibytes, milliseconds, seconds, three_places

CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "2000"))
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "200"))
BATCH, PARTITIONS = 10, 4
TOPIC = "connections"


class Client:
    """One connection that produces a number of times, a request after the answer to the last."""

    def __init__(self, connection, partition, records, requests):
        self.connection, self.left, self.sent_at, self.data = connection, requests, 0.0, b""
        self.request = frames.produce(TOPIC, partition, records)

    def send(self):
        self.sent_at = time.monotonic()
        self.connection.sendall(self.request)

    def receive(self):
        """Seconds that the answer took, when it is complete."""
        more = self.connection.recv(65536)
        if not more:
            raise SystemExit("bench: the broker closed a connection")
        self.data += more
        if len(self.data) < 4 or len(self.data) < 4 + struct.unpack_from(">i", self.data)[0]:
            return None
        error, self.data = frames.produce_error(self.data[4:], TOPIC), b""
        if error:
            raise SystemExit(f"bench: produce was answered with error {error}")
        self.left -= 1
        return time.monotonic() - self.sent_at


def produce(connections, requests):
    """All at once, `requests` each; the time of all, and of each answer."""
    records, waits = frames.batch([b"%0200d" % i for i in range(BATCH)]), []
    clients = [Client(connection, i % PARTITIONS, records, requests) for i, connection in enumerate(connections)]
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.connection, selectors.EVENT_READ, client)
        begin, busy = time.monotonic(), len(clients)
        for client in clients:
            client.send()
        while busy:
            for key, _ in selector.select(60) or fail("no answer for a minute"):
                client = key.data
                if (wait := client.receive()) is None:
                    continue
                waits.append(wait)
                if client.left:
                    client.send()
                else:
                    selector.unregister(client.connection)
                    busy -= 1
    return time.monotonic() - begin, waits


def fail(why):
    raise SystemExit(f"bench: {why}")


def measure(world, kind):
    results, connections = {}, []
    with kind(world) as broker:
        for topic in (TOPIC, "normal"):
            load("create", broker.address, topic=topic)
        frames.produced(broker.address, "normal")
        results["empty"], before, begin = settled(broker.process.pid), broker.cpu_s(), time.monotonic()
        for _ in range(CONNECTIONS):
            connections.append(frames.connect(broker.address))
            connections[-1].sendall(frames.metadata())
            frames.receive(connections[-1])
        results["connect"], results["connect cpu"] = time.monotonic() - begin, broker.cpu_s() - before
        results["idle"], before = settled(broker.process.pid), broker.cpu_s()
        time.sleep(10)
        results["idle cpu"] = broker.cpu_s() - before

        producing = connections[::max(CONNECTIONS // 200, 1)][:200]
        _, warm = produce(producing, max(REQUESTS // 4, 1))
        before = broker.cpu_s()
        took, waits = produce(producing, REQUESTS)
        measured = len(waits) * BATCH
        results["rate"], results["cpu"] = measured / took, (broker.cpu_s() - before) / measured * 1e6
        results["wait"], results["p99"] = statistics.median(waits) * 1e3, statistics.quantiles(waits, n=100)[98] * 1e3
        results["busy"] = settled(broker.process.pid)

        load("create", broker.address, topic="client")
        begin = time.monotonic()
        done = load("produce", broker.address, topic="client", count=10_000, acks="all")
        same(f"{broker.name}, a normal client", done, load("consume", broker.address, topic="client", count=10_000))
        results["client"] = time.monotonic() - begin
        sent, held = len(warm) * BATCH + measured, load("count", broker.address, topic=TOPIC)["messages"]
        if held != sent:
            fail(f"{broker.name} holds {held} messages of {sent} acknowledged")
        for connection in connections:
            connection.close()
    results["peak"] = broker.peak_kib
    return results


def run(world):
    results = peers.each(lambda kind: measure(world, kind))
    for figures in results.values():
        figures["each"] = (figures["idle"] - figures["empty"]) / CONNECTIONS
    rows = [("connect and ask for the metadata, one after the other", seconds, "connect"),
            ("broker CPU s for that", three_places, "connect cpu"),
            ("memory before", mebibytes, "empty"),
            ("memory with all idle", mebibytes, "idle"),
            ("of it for each connection", lambda kib: f"{kib:.1f} KiB", "each"),
            ("broker CPU s in 10 s idle", three_places, "idle cpu"),
            ("200 produce: messages/s", grouped, "rate"),
            ("broker CPU s per million of them", three_places, "cpu"),
            ("an answer to them, p50", milliseconds, "wait"),
            ("an answer to them, p99", milliseconds, "p99"),
            ("memory then", mebibytes, "busy"),
            ("a normal client writes and reads 10,000", seconds, "client"),
            ("peak memory", mebibytes, "peak")]
    compare_untargeted(f"{grouped(CONNECTIONS)} connections", results, rows)
