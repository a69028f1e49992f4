#!/usr/bin/env python3
"""A backlog that nobody reads, then two groups that read it all while producing goes on; our broker alone.

BENCH_GIB GiB (2) of 1 KiB messages are produced, acks=all, then each group has one consumer that reads from the beginning while a
producer goes on with 5,000 messages a second until both have read as many as the backlog had. Then it ends, and they read the rest.

The invariants: the broker's resident memory (memory.py says what that is) is under 300 MB all the time; each group has read
exactly what was produced, by count and checksum, and committed it. If one is broken this exits with 1.
"""

import json
import os
import subprocess
import sys
import time

import peers
from lib import LOGAGENT, World, grouped, say, table
from load import begin, finish, latest, load
from memory import FIELDS, Watch

GIB = float(os.environ.get("BENCH_GIB", "2"))
SIZE, RATE, TOPIC = 1024, 5_000, "backlog"
COUNT = int(GIB * 2**30 / SIZE)
MEMORY_MAX = 300_000_000
GROUPS = ("first", "second")


def until(what, processes, reached, limit=60):
    """Waits while there is progress; ends the run when there is none for a minute."""
    seen, since = None, time.monotonic()
    while not reached():
        now = [latest(process)["messages"] for process in processes]
        if now != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - since > limit:
            raise SystemExit(f"bench: {what}: no progress for {limit} s at {now}")
        for process in processes:
            process.must_run()
        time.sleep(0.2)


def consume(world, broker):
    """What was produced beside the groups, what each group has read, and the seconds until each had read the backlog's number."""
    live = begin(world, "live", "produce", broker.address, topic=TOPIC, size=SIZE, acks="all", rate=RATE, first=COUNT)
    started = time.monotonic()
    groups = {name: begin(world, name, "consume", broker.address, topic=TOPIC, group=name) for name in GROUPS}
    times = {}

    def caught_up():
        for name, process in groups.items():
            if latest(process)["messages"] >= COUNT:
                times.setdefault(name, time.monotonic() - started)
        live.must_run()
        return len(times) == len(groups)
    until("the groups read the backlog", list(groups.values()), caught_up)
    produced = finish(live)
    total = COUNT + produced["messages"]
    until("the groups read the rest", list(groups.values()), lambda: all(latest(p)["messages"] >= total for p in groups.values()))
    # Whatever comes twice comes now.
    time.sleep(3)
    return produced, {name: finish(process) for name, process in groups.items()}, times


def lag(broker, group):
    """How many records the group has not committed."""
    shown = subprocess.run([LOGAGENT, "groups", "lag", group, "--bootstrap", broker.address, "-o", "json"],
                           capture_output=True, text=True, check=False)
    if shown.returncode:
        raise SystemExit(f"bench: groups lag {group}: {shown.stderr}")
    return json.loads(shown.stdout)["lag"]


def measure(world):
    """What was sent and read, and at what cost."""
    peers.room_for(world, GIB * 1.2)
    with peers.Ours(world) as broker, Watch(broker.process.pid) as watch:
        load("create", broker.address, topic=TOPIC)
        cpu = [broker.cpu_s()]
        backlog = load("produce", broker.address, topic=TOPIC, count=COUNT, size=SIZE, acks="all")
        cpu.append(broker.cpu_s())
        peaks = [dict(watch.peaks)]
        say(f"{grouped(COUNT)} messages produced in {backlog['seconds']:.0f} s")
        live, read, times = consume(world, broker)
        cpu.append(broker.cpu_s())
        held = load("count", broker.address, topic=TOPIC)["messages"]
        for group, got in read.items():
            got.update(lag=lag(broker, group), caught_up=times[group])
        peaks.append(watch.end())
    spent = [after - before for before, after in zip(cpu, cpu[1:])]
    return {"backlog": backlog, "live": live, "read": read, "held": held, "peaks": peaks, "cpu": spent, "looks": watch.looks}


def broken(found, total, checksum):
    """The invariants that do not hold."""
    peak = found["peaks"][-1]["VmHWM"] * 1024
    if peak >= MEMORY_MAX:
        yield f"resident memory reached {peak / 1e6:.0f} MB"
    if found["held"] != total:
        yield f"{total} messages were acknowledged, {found['held']} are held"
    for group, got in found["read"].items():
        if (got["messages"], got["checksum"]) != (total, checksum):
            yield f"group {group} read something else than was produced"
        if got["lag"]:
            yield f"group {group} has not committed {got['lag']} messages"


def main():
    with World() as world:
        peers.allow_files()
        found = measure(world)
    backlog, live = found["backlog"], found["live"]
    total, checksum = backlog["messages"] + live["messages"], (int(backlog["checksum"], 16) + int(live["checksum"], 16)) % 2**64
    checksum = f"{checksum:016x}"
    rows = [["produced before", grouped(backlog["messages"]), backlog["checksum"], f"{backlog['seconds']:.1f} s"],
            ["produced meanwhile", grouped(live["messages"]), live["checksum"], f"{live['seconds']:.1f} s"],
            ["held by the broker", grouped(found["held"]), "", ""],
            ["each group must read", grouped(total), checksum, ""]]
    rows += [[f"group {group} read", grouped(got["messages"]), got["checksum"], f"{got['caught_up']:.1f} s for the backlog"]
             for group, got in found["read"].items()]
    table(f"backlog of {GIB:g} GiB, {SIZE} B each, acks=all", ["", "messages", "checksum", "time"], rows)
    table(f"memory of the broker, the highest of {grouped(found['looks'])} looks; must be under {MEMORY_MAX // 10**6} MB",
          ["", *FIELDS, "CPU s"],
          [[step, *(f"{peaks[key] * 1024 / 1e6:.1f} MB" for key in FIELDS), f"{spent:.1f}"]
           for step, peaks, spent in zip(("when all was produced", "when all was read"), found["peaks"], found["cpu"])])
    failures = list(broken(found, total, checksum))
    print("\n" + ("\n".join(f"BROKEN: {what}" for what in failures) or "Every invariant held."))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
