"""Runs `load.c`, the client of the brokers' benchmarks, which is compiled when it is missing or older than its source or this."""

import json
import pathlib
import subprocess

from lib import ROOT, TARGET

SOURCE, PROGRAM = ROOT / "bench/load.c", TARGET / "bench/load"


def program():
    changed = max(path.stat().st_mtime for path in (SOURCE, pathlib.Path(__file__)))
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < changed:
        PROGRAM.parent.mkdir(parents=True, exist_ok=True)
        # with the C library's heap half of the time goes into its locks, and no broker can be told from the other
        libraries = ["-Wl,--no-as-needed", "-lmimalloc", "-lrdkafka", "-lpthread"]
        compiler = ["cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-o", PROGRAM, SOURCE, *libraries]
        built = subprocess.run(compiler, check=False)
        if built.returncode:
            raise SystemExit("bench: load.c does not compile: tests/setup bench installs librdkafka's headers and mimalloc")
    return PROGRAM


def arguments(mode, address, settings):
    """Settings of librdkafka are written with _ for each dot: linger_ms=5."""
    named = (f"{key.replace('_', '.')}={value}" for key, value in settings.items())
    return [program(), mode, f"brokers={address}", *named]


def load(mode, address, **settings):
    """Runs it to its end; its result."""
    run = subprocess.run([*map(str, arguments(mode, address, settings))], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(f"bench: load {mode} {settings}: {run.stdout[-500:]}{run.stderr[-2000:]}")
    return json.loads(run.stdout.splitlines()[-1])


def begin(world, name, mode, address, **settings):
    """Starts it as a process of its own; `latest` has its result, or how far it is."""
    return world.start(name, arguments(mode, address, settings))


def latest(process):
    """What it said last: every fifth of a second how far it is, at the end its result."""
    lines = process.log.read_text(errors="replace").splitlines()
    results = [line for line in lines if line.startswith("{") and line.endswith("}")]
    return json.loads(results[-1]) if results else {"messages": 0}


def finish(process, limit=120):
    """Asks it to end; its result."""
    process.child.terminate()
    if process.child.wait(limit):
        process.must_run()
    return latest(process)


def same(what, wanted, got):
    """Count and checksum of what was sent and what was read."""
    for key in ("messages", "checksum"):
        if wanted[key] != got[key]:
            raise SystemExit(f"bench: {what}: {key} is {got[key]}, must be {wanted[key]}")
