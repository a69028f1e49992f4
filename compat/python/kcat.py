"""kcat: what a command line can tell."""

import json
import subprocess

from harness import START_MS, case, each_codec, equal, holds, values


def kcat(run, *args, data=b"", fails=False):
    done = subprocess.run(["kcat", "-b", run.bootstrap, *args], input=data, capture_output=True, timeout=40, check=False)
    holds((done.returncode != 0) == fails, f"kcat {args} ended with {done.returncode}: {done.stderr.decode()[-300:]}")
    return done.stderr if fails else done.stdout


def produce(run, data, *args, topic="t", fails=False):
    return kcat(run, "-P", "-t", run.name(topic), "-X", "linger.ms=20", *args, data=data, fails=fails)


def consume(run, *args, topic="t"):
    printed = kcat(run, "-C", "-t", run.name(topic), "-o", "beginning", "-e", "-q", "-J", *args)
    return [json.loads(line) for line in printed.splitlines()]


def payloads(run, *args):
    return [message["payload"] for message in consume(run, *args)]


def numbers(count):
    return "\n".join(map(str, range(count))).encode()


@case("metadata")
def metadata(run):
    produce(run, b"v")
    listed = json.loads(kcat(run, "-L", "-J"))
    topic = next(t for t in listed["topics"] if t["topic"] == run.name())
    equal(topic["partitions"][0]["leader"], listed["brokers"][0]["id"], "the leader")
    equal(listed["brokers"][0]["name"], run.bootstrap, "the broker")


@each_codec
def codec(run, codec):
    produce(run, b"\n".join(values()), "-z", codec)
    equal([p.encode() for p in payloads(run)], values(), "what was read")


@case("record-fields")
def record_fields(run):
    produce(run, b"k:v", "-K:", "-H", "a=1", "-H", "a=2", "-H", "empty=")
    message = consume(run)[0]
    equal((message["key"], message["payload"], message["headers"], message["tstype"]),
          ("k", "v", ["a", "1", "a", "2", "empty", ""], "create"), "the record")


@case("tombstones")
def tombstones(run):
    produce(run, b"k:\n", "-K:", "-Z")
    equal(consume(run)[0]["payload"], None, "the value")


@case("acks-0", acks="0")
@case("acks-1", acks="1")
@case("acks-all", acks="all")
def acks(run, acks):
    produce(run, numbers(50), "-X", f"acks={acks}")
    equal(payloads(run), [str(n) for n in range(50)], "what was read")


@case("idempotent")
def idempotent(run):
    produce(run, numbers(500), "-X", "enable.idempotence=true", "-X", "batch.num.messages=10")
    equal(payloads(run), [str(n) for n in range(500)], "what was read")


@case("big-message")
def big_message(run):
    value = b"0123456789" * 90000
    produce(run, value)
    equal(payloads(run)[0].encode() == value, True, "whether it is the same")


@case("too-large")
def too_large(run):
    said = produce(run, b"x" * 1_500_000, "-X", "message.max.bytes=5000000", fails=True)
    holds(b"too large" in said, f"it says {said}")
    produce(run, b"small")
    equal(payloads(run), ["small"], "what was read")


@case("unknown-topic")
def unknown_topic(run):
    said = kcat(run, "-C", "-t", run.name(), "-e", "-X", "allow.auto.create.topics=false", fails=True)
    holds(b"Unknown topic" in said, f"it says {said}")


@case("offsets-for-times")
def offsets_for_times(run):
    produce(run, numbers(3))
    found = kcat(run, "-Q", "-t", f"{run.name()}:0:{START_MS}").decode()
    holds("offset 0" in found, f"it prints {found}")
    equal(payloads(run, "-o", f"s@{START_MS}"), ["0", "1", "2"], "what was read from a time on")


@case("list-offsets")
def list_offsets(run):
    produce(run, numbers(3))
    found = [kcat(run, "-Q", "-t", f"{run.name()}:0:{at}").decode().split()[-1] for at in (-2, -1)]
    equal(found, ["0", "3"], "the earliest and the latest")


@case("seek")
def seek(run):
    produce(run, numbers(10))
    equal(payloads(run, "-o", "4", "-c", "2"), ["4", "5"], "what was read from 4 on")
    equal(payloads(run, "-o", "-3"), ["7", "8", "9"], "the last three")


@case("commit-resume")
def commit_resume(run):
    produce(run, numbers(4))
    group = ["-G", run.name("group"), "-X", "auto.offset.reset=earliest", "-q", "-c", "2", run.name()]
    equal([kcat(run, *group).split() for _ in range(2)], [[b"0", b"1"], [b"2", b"3"]], "what was read")


@case("txn-commit")
def txn_commit(run):
    produce(run, numbers(3), "-X", f"transactional.id={run.name('txn')}")
    equal(payloads(run, "-X", "isolation.level=read_committed"), ["0", "1", "2"], "what was read")
