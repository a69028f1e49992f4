"""What the benchmarks share: processes whose CPU time and memory are measured, nginx lines, tables with ratios.

CPU seconds are user + system of the process (with all its threads) by its CPU clock, memory is the highest resident set (VmHWM),
both as the kernel counts them. Rates depend on what else the machine does; judge by the ratio within one run.
"""

import contextlib
import datetime
import http.client
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "logagent/servers"
CACHE = Path(os.environ.get("LOGAGENT_CACHE", HOME_CACHE if os.getuid() else "/var/cache/logagent"))
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
LOGAGENT = Path(os.environ.get("LOGAGENT", TARGET / "release/logagent"))
KAFKA = CACHE / "kafka-3.9.1"


def say(text):
    """Progress, on stderr: stdout holds the results alone."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def free_port():
    """None of those that the kernel gives to outgoing connections: one of them could have it by the time that a server binds it."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def wait_for(what, ready, limit=600, pause=0.05):
    end = time.monotonic() + limit
    while not (value := ready()):
        if time.monotonic() > end:
            raise SystemExit(f"bench: waited {limit} s for {what}")
        time.sleep(pause)
    return value


def get(address, path, method="GET", body=None, headers=None):
    """Status and body, or None when nothing answers."""
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return None
    finally:
        connection.close()


class Process:
    """A server or a client under measurement; its output goes to a file."""

    def __init__(self, name, args, directory, env=None, stdin=None):
        self.name, self.log = name, Path(directory) / f"{name}.log"
        self.peak_kib, self.cpu_s, self.begin = 0, 0.0, time.monotonic()
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                [str(a) for a in args], stdout=log, stderr=log, stdin=stdin or subprocess.DEVNULL,
                env={**os.environ, **(env or {})})
        self.pid = self.child.pid

    def sample(self, pid=None):
        """CPU seconds so far; notes the memory."""
        pid = pid or self.pid
        try:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    self.peak_kib = int(line.split()[1])
            # clock_getcpuclockid(3); /proc counts in hundredths of a second, which is most of what a million messages cost.
            self.cpu_s = time.clock_gettime(~pid << 3 | 2)
        except OSError:
            pass
        return self.cpu_s

    def must_run(self):
        if self.child.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"bench: {self.name} ended with {self.child.returncode}:\n{tail}")
        return True

    def stop(self, how=signal.SIGTERM, limit=30):
        if self.child.poll() is None:
            self.sample()
            self.child.send_signal(how)
            try:
                self.child.wait(limit)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class World:
    """A temporary directory and the processes in it, all gone at the end, also when that comes as SIGTERM or SIGINT."""

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            # not SystemExit, which says that one of several servers failed, and the others still run
            signal.signal(number, signal.default_int_handler)
        self.dir = Path(tempfile.mkdtemp(prefix="logagent-bench-"))
        self.dir.chmod(0o755)
        self.processes = []
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, name, args, **more):
        process = Process(name, args, self.dir, **more)
        self.processes.append(process)
        return process


class Daemon:
    """One of our parts, with its metrics."""

    def __init__(self, world, role, args, name=None):
        if not LOGAGENT.exists():
            raise SystemExit(f"bench: {LOGAGENT} is missing: make build")
        self.admin = f"127.0.0.1:{free_port()}"
        self.process = world.start(name or role, [LOGAGENT, role, *args, "--admin", self.admin])
        wait_for(f"{role} to be ready", lambda: self.process.must_run() and self.answers("/readyz"), 60)

    def answers(self, path):
        answer = get(self.admin, path)
        return answer and answer[0] == 200

    def metric(self, name):
        """The sum over all labels."""
        answer = get(self.admin, "/metrics")
        text = answer[1].decode() if answer else ""
        values = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{")))
        return sum(float(value) for _, value in values)


def our_broker(world, *more):
    """Our broker and its address."""
    address = f"127.0.0.1:{free_port()}"
    args = ["--listen", address, "--data-dir", world.dir / "our-broker", *more]
    return Daemon(world, "broker", args), address


# A single node, which keeps its own internal topics.
KAFKA_NODE = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
log.dirs={data}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
"""


def kafka_node(conf, address, data, java, *settings):
    """Writes the properties of a single Apache Kafka node, those of `settings` too, and formats its directory."""
    conf.write_text("\n".join([KAFKA_NODE.format(address=address, control=free_port(), data=data), *settings, ""]))
    subprocess.run([*java, "kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", conf], check=True,
                   stdout=subprocess.DEVNULL)


def elasticsearch(world, heap="1g"):
    """A single Elasticsearch and its address."""
    port = free_port()
    env = {"LOGAGENT_CACHE": str(CACHE), "HEAP": heap, "JVM": "-XX:+UseG1GC"}
    data = world.dir / "elasticsearch"
    process = world.start("elasticsearch", [ROOT / "tests/servers/elasticsearch", port, data], env=env)
    address = f"127.0.0.1:{port}"
    healthy = "/_cluster/health?wait_for_status=yellow&timeout=1s"
    wait_for("Elasticsearch", lambda: process.must_run() and (a := get(address, healthy)) and a[0] == 200, 300, 0.5)
    process.server_pid = int((data / "es.pid").read_text())
    return process, address


def nginx_lines(seed, count, begin=datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc)):
    """Lines in nginx's combined format, about 200 bytes each, the same for the same seed."""
    dice = random.Random(seed)
    agents = [
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "curl/8.5.0"]
    paths = ["/", "/login", "/api/orders/{}", "/images/{}.png", "/search?q=term{}&page=2", "/static/app.{}.js"]
    lines = []
    for n in range(count):
        at = begin + datetime.timedelta(milliseconds=n * 7)
        ip = f"{dice.randrange(1, 224)}.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(1, 255)}"
        path = dice.choice(paths).format(dice.randrange(100000))
        status = dice.choice([200] * 16 + [301, 304, 404, 500])
        referrer = "-" if dice.random() < 0.5 else f"https://www.example.org{path}"
        lines.append(
            f'{ip} - - [{at:%d/%b/%Y:%H:%M:%S %z}] "{dice.choice(["GET"] * 9 + ["POST"])} {path} HTTP/1.1" '
            f'{status} {dice.randrange(100, 90000)} "{referrer}" "{dice.choice(agents)}"\n')
    return lines


def nginx_log(path, size):
    """Writes at least `size` bytes of nginx lines (a block of different ones, again and again); returns lines, bytes."""
    block = nginx_lines(1, 150_000)
    data = "".join(block).encode()
    lines = written = 0
    with open(path, "wb") as log:
        while written < size:
            log.write(data)
            lines, written = lines + len(block), written + len(data)
    return lines, written


def table(title, header, rows):
    """Prints a Markdown table."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def grouped(number):
    return f"{number:,.0f}"


def mib(kib):
    return f"{kib / 1024:.0f} MiB"
