#!/usr/bin/env python3
"""File to broker: our agent beside rsyslog and syslog-ng, one after the other, into the same broker of ours.

Each reads the same log from its start into a topic of its own with four partitions, acks=all; it has done its work when the
topic holds as many records as the log has lines. BENCH_MIB sets the log's size (1024), BENCH_AGENTS who takes part.
"""

import os
import subprocess
import time

from lib import CACHE, LOGAGENT, Daemon, World, grouped, mib, nginx_log, our_broker, say, table, wait_for

SIZE = int(os.environ.get("BENCH_MIB", "1024")) << 20


def ours(compression):
    def start(world, address, log, topic):
        collect = world.dir / f"{topic}.yaml"
        collect.write_text(f"- {{path: {log}, topic: {topic}}}\n")
        args = ["--bootstrap", address, "--collect", collect, "--data-dir", world.dir / topic, "--host-id", "bench",
                "--set", f"ship.compression={compression}"]
        return Daemon(world, "agent", args, name=topic).process
    return start


def rsyslog(compression):
    def start(world, address, log, topic):
        work = world.dir / f"{topic}-work"
        work.mkdir()
        conf = world.dir / f"{topic}.conf"
        conf.write_text(f"""
global(workDirectory="{work}" maxMessageSize="1m")
module(load="imfile" mode="inotify")
module(load="omkafka")
template(name="line" type="string" string="%msg%")
main_queue(queue.size="200000" queue.dequeueBatchSize="1024")
input(type="imfile" File="{log}" Tag="nginx" ruleset="kafka" freshStartTail="off")
ruleset(name="kafka") {{
  action(type="omkafka" broker=["{address}"] topic="{topic}" template="line" partitions.auto="on" resubmitOnFailure="on"
    confParam=["compression.codec={compression}", "acks=all", "queue.buffering.max.messages=200000", "linger.ms=5"])
}}
""")
        libraries = next((CACHE / "rsyslog/usr/lib").glob("*-linux-gnu"))
        return world.start(topic, [CACHE / "rsyslog/usr/sbin/rsyslogd", "-n", "-f", conf, "-i", work / "pid", "-M",
                                   libraries / "rsyslog"], env={"LD_LIBRARY_PATH": str(libraries)})
    return start


def syslog_ng(compression):
    def start(world, address, log, topic):
        version = subprocess.run(["syslog-ng", "--version"], capture_output=True, text=True, check=True).stdout
        version = next(line.split(":")[1].strip() for line in version.splitlines() if line.startswith("Config version"))
        conf = world.dir / f"{topic}.conf"
        conf.write_text(f"""
@version: {version}
options {{ keep-hostname(yes); stats-freq(0); log-msg-size(1048576); }};
source s {{ file("{log}" flags(no-parse) follow-freq(0.1) log-fetch-limit(1000) log-iw-size(100000)); }};
destination d {{ kafka-c(bootstrap-servers("{address}") topic("{topic}") message("$MSG")
  config(compression.codec("{compression}") acks("all") queue.buffering.max.messages("200000") linger.ms("5"))); }};
log {{ source(s); destination(d); flags(flow-control); }};
""")
        files = [f"--{name}={world.dir / topic}.{name}" for name in ("persist-file", "pidfile", "control")]
        return world.start(topic, ["syslog-ng", "-F", "-f", conf, *files])
    return start


AGENTS = {
    "logagent, uncompressed": ours("none"), "logagent, lz4": ours("lz4"),
    "syslog-ng, lz4": syslog_ng("lz4"), "rsyslog, lz4": rsyslog("lz4"),
}


def measure(world, broker, address, log, lines, name, start):
    topic = name.replace(", ", "_")
    subprocess.run([LOGAGENT, "topics", "create", topic, "--partitions", "4", "--bootstrap", address], check=True,
                   stdout=subprocess.DEVNULL)
    stored = "logagent_broker_appended_records_total"
    before, broker_cpu, begin = broker.metric(stored), broker.process.sample(), time.monotonic()
    process = start(world, address, log, topic)

    def arrived():
        process.must_run()
        process.sample()
        return broker.metric(stored) - before >= lines
    wait_for(f"{name} to ship {grouped(lines)} lines", arrived, 3600, 0.1)
    seconds = time.monotonic() - begin
    result = {"name": name, "rate": lines / seconds, "cpu": process.sample(), "peak": process.peak_kib,
              "broker": broker.process.sample() - broker_cpu, "records": broker.metric(stored) - before}
    process.stop()
    subprocess.run([LOGAGENT, "topics", "delete", topic, "--bootstrap", address], check=True,
                   stdout=subprocess.DEVNULL)
    return result


def main():
    wanted = os.environ.get("BENCH_AGENTS")
    with World() as world:
        log = world.dir / "access.log"
        lines, size = nginx_log(log, SIZE)
        say(f"the log: {grouped(lines)} lines, {size / 2**20:.0f} MiB")
        broker, address = our_broker(world)
        results = []
        for name, start in AGENTS.items():
            if wanted and not any(name.startswith(agent) for agent in wanted.split(",")):
                continue
            results.append(measure(world, broker, address, log, lines, name, start))
            say(f"{name}: {grouped(results[-1]['rate'])} lines/s")
        best = max((r["rate"] for r in results if not r["name"].startswith("logagent")), default=None)
        gib = size / 2**30
        table(f"agent: {grouped(lines)} lines ({size / 2**20:.0f} MiB) from a file to a topic, acks=all",
              ["agent", "lines/s", "to the best peer", "CPU s per GiB", "peak memory", "broker's CPU s", "records"],
              [[r["name"], grouped(r["rate"]), f"{r['rate'] / best:.1f}x" if best else "-", f"{r['cpu'] / gib:.1f}",
                mib(r["peak"]), f"{r['broker']:.1f}", grouped(r["records"])] for r in results])


if __name__ == "__main__":
    main()
