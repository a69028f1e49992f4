#!/usr/bin/env python3
"""Where our broker's CPU time goes: the ten functions with the largest share of their own while it takes and gives messages.

`perf` samples user and kernel code of the broker by its CPU clock. Where perf is missing or not allowed, callgrind counts the
instructions of user code instead, on a hundredth of the messages: no times, and nothing of the kernel. BENCH_MESSAGES (2,000,000)
of 200 bytes are produced (acks=1, then acks=all) and consumed; BENCH_CODEC (none) compresses them.
"""

import os
import re
import select
import shutil
import signal
import subprocess

import peers
from lib import World, grouped, say, table, wait_for
from load import load, same

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000000"))
CODEC = os.environ.get("BENCH_CODEC", "none")
SIZE, TOP = 200, 10


def work(broker, count):
    """What is looked at, by name, in this order."""
    sent = {}

    def produce(acks):
        sent[acks] = load("produce", broker.address, topic=f"acks-{acks}", count=count, size=SIZE, acks=acks,
                          compression_codec=CODEC)
    for acks in ("1", "all"):
        load("create", broker.address, topic=f"acks-{acks}")
    return {"produce, acks=1": lambda: produce("1"), "produce, acks=all": lambda: produce("all"),
            "consume": lambda: same("consume", sent["1"], load("consume", broker.address, topic="acks-1", count=count))}


def perf_works(world):
    """None, or why perf cannot be used."""
    if not shutil.which("perf"):
        return "perf is missing (Debian's linux-perf)"
    tried = subprocess.run(["perf", "record", "-e", "cpu-clock", "-o", world.dir / "try.data", "--", "true"],
                           capture_output=True, text=True, check=False)
    return tried.stderr.strip()[-300:] if tried.returncode else None


def by_perf(world):
    with peers.Ours(world) as broker:
        for what, act in work(broker, MESSAGES).items():
            data = world.dir / "perf.data"
            record = recorder(world, data, broker.process.pid)
            before = broker.cpu_s()
            act()
            cpu = (broker.cpu_s() - before) / MESSAGES * 1e6
            record.stop(signal.SIGINT)
            samples, kernel, rows = functions(data)
            yield f"{what}: {cpu:.3f} CPU s per million, {kernel:.0%} in the kernel, {grouped(samples)} samples", rows


def recorder(world, data, pid):
    """A perf that is looking already: it takes a while to get there."""
    control, answer = world.dir / "perf.control", world.dir / "perf.answer"
    for path in (control, answer):
        if not path.exists():
            os.mkfifo(path)
    process = world.start("perf", ["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-o", data, "-p", pid,
                                   "-D", "-1", "--control", f"fifo:{control},{answer}"])
    ask, hear = (os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in (control, answer))
    try:
        os.write(ask, b"enable\n")
        wait_for("perf", lambda: process.must_run() and select.select([hear], [], [], 0.1)[0], 60)
        os.read(hear, 100)
    finally:
        os.close(ask)
        os.close(hear)
    return process


def functions(data):
    """How many samples there are, the kernel's share, and the first rows."""
    report = ["perf", "report", "-i", data, "--stdio", "-q", "--no-children", "-F", "overhead,sample,dso,symbol", "-t", "\t"]
    shown = subprocess.run(report, capture_output=True, text=True, check=True).stdout
    # 12.34% <tab> samples <tab> file <tab> [.] function
    lines = [[cell.strip() for cell in line.split("\t")] for line in shown.splitlines() if line.count("\t") == 3]
    samples = sum(int(line[1]) for line in lines)
    kernel = sum(int(line[1]) for line in lines if line[2].startswith("[k"))
    rows = [[line[0], "kernel" if line[2].startswith("[k") else line[2], short(line[3][4:])] for line in lines[:TOP]]
    return samples, kernel / max(samples, 1), rows


def by_callgrind(world):
    if not shutil.which("valgrind"):
        raise SystemExit("bench: neither perf nor valgrind can be used: install Debian's linux-perf or valgrind")
    count = max(MESSAGES // 100, 1000)

    class Slow(peers.Ours):
        def command(self):
            return ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={world.dir}/callgrind",
                    *super().command()]
    with Slow(world) as broker:
        for what, act in work(broker, count).items():
            control(broker, "--instr=on", "--zero")
            act()
            control(broker, "--instr=off", f"--dump={what}")
            newest = max(world.dir.glob("callgrind.*"), key=lambda path: path.stat().st_mtime)
            annotate = ["callgrind_annotate", "--threshold=100", newest]
            shown = subprocess.run(annotate, capture_output=True, text=True, check=True).stdout
            # 1,234 (12.34%)  file:function [object]; the percentages of a dump are of nothing
            found = re.findall(r"^\s*([\d,]+) \(.*?%\)\s+(?:.*?:)?(\S.*?) \[(.*)\]$", shown, re.M)
            counts = [int(number.replace(",", "")) for number, _, _ in found]
            yield (f"{what}: {grouped(sum(counts) / count)} instructions of user code per message",
                   [[f"{number / sum(counts):.2%}", os.path.basename(where), short(name)]
                    for number, (_, name, where) in zip(counts[:TOP], found)])


def control(broker, *requests):
    for request in requests:
        subprocess.run(["callgrind_control", request, str(broker.process.pid)], check=True, capture_output=True)


def short(name):
    """Without the hash at the end, and without | for the table."""
    return "`" + re.sub(r"::h[0-9a-f]{16}$", "", name).replace("|", "/") + "`"


def main():
    peers.allow_files()
    with World() as world:
        why = perf_works(world)
        if why:
            say(f"{why}: callgrind instead")
        for title, rows in (by_callgrind if why else by_perf)(world):
            table(title, ["share", "in", "function"], rows)


if __name__ == "__main__":
    main()
