#!/usr/bin/env python3
"""Topic to Elasticsearch 8.19: our transfer beside a bare `_bulk` loop that sends the very same documents.

The agent brings nginx lines into a topic. The transfer first writes them as files (its own speed without an index), then
indexes them. The bare loop sends the documents of those files, bodies built beforehand, two requests at a time, into the same
index emptied. BENCH_DOCUMENTS sets how many (500,000).
"""

import http.client
import json
import os
import subprocess
import threading
import time

from lib import Daemon, LOGAGENT, Process, World, elasticsearch, get, grouped, mib, nginx_lines, our_broker, say, table, \
    wait_for

DOCUMENTS = int(os.environ.get("BENCH_DOCUMENTS", "500000"))
BODY = 5 << 20
TOPIC = "nginx_log"
INDEX = f"{TOPIC}-2026.11.21"
JSON = {"Content-Type": "application/x-ndjson"}


def call(address, method, path, body=None):
    status, text = get(address, path, method, body, {"Content-Type": "application/json"})
    if status >= 300 and status != 404:
        raise SystemExit(f"bench: {method} {path}: {status} {text[:500]}")
    return json.loads(text)


def count(address):
    call(address, "POST", f"/{TOPIC}-*/_refresh")
    return call(address, "GET", f"/{TOPIC}-*/_count")["count"]


def fill(world, address):
    """The lines, through our agent."""
    log, collect = world.dir / "access.log", world.dir / "collect.yaml"
    log.write_text("".join(nginx_lines(2, DOCUMENTS)))
    collect.write_text(f"- {{path: {log}, topic: {TOPIC}}}\n")
    subprocess.run([LOGAGENT, "topics", "create", TOPIC, "--partitions", "4", "--bootstrap", address], check=True,
                   stdout=subprocess.DEVNULL)
    agent = Daemon(world, "agent", ["--bootstrap", address, "--collect", collect, "--data-dir", world.dir / "agent",
                                    "--host-id", "bench"])
    wait_for("the lines", lambda: agent.metric("logagent_agent_shipped_lines_total") >= DOCUMENTS, 600)
    agent.process.stop()


def transfer(world, address, name, *more):
    """Runs a transfer until it has answered for every line; seconds, CPU seconds, memory."""
    begin = time.monotonic()
    part = Daemon(world, "transfer", ["--bootstrap", address, "--topics", TOPIC, "--group", name, "--data-dir",
                                      world.dir / name, *more], name=name)

    def done():
        part.process.must_run()
        part.process.sample()
        return part.metric("logagent_transfer_indexed_documents_total") >= DOCUMENTS
    wait_for(f"{name} of {grouped(DOCUMENTS)} documents", done, 1800)
    seconds = time.monotonic() - begin
    part.process.stop()
    return seconds, part.process.cpu_s, part.process.peak_kib


def bodies(directory):
    """The documents as `_bulk` bodies."""
    action = '{{"create":{{"_index":"{}","_id":{}}}}}\n'
    body, all_bodies, size = [], [], 0
    for file in sorted(directory.glob("*.ndjson")):
        for line in file.open():
            identity, rest = line[len('{"_id":'):].split(",", 1)
            body.append(action.format(file.stem, identity) + "{" + rest)
            size += len(body[-1])
            if size >= BODY:
                all_bodies.append("".join(body).encode())
                body, size = [], 0
    return all_bodies + (["".join(body).encode()] if body else [])


def bare(address, queue):
    """Two connections send all bodies; seconds and CPU seconds of the loop."""
    failed, lock = [], threading.Lock()

    def work():
        connection = http.client.HTTPConnection(address, timeout=600)
        while True:
            with lock:
                if not queue or failed:
                    return
                body = queue.pop()
            try:
                connection.request("POST", "/_bulk", body, JSON)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException) as error:
                failed.append(error)
                return
            if answer.status != 200 or b'"errors":true' in text[:200]:
                failed.append((answer.status, text[:500]))
    threads = [threading.Thread(target=work) for _ in range(2)]
    begin, cpu = time.monotonic(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"bench: a bulk request failed: {failed[0]}")
    return time.monotonic() - begin, time.process_time() - cpu


def main():
    with World() as world:
        server, es = elasticsearch(world)
        broker, address = our_broker(world, "--set", "group_initial_rebalance_delay_ms=0")
        fill(world, address)
        say("to files")
        files = transfer(world, address, "files")
        queue = bodies(world.dir / "files")
        say("to Elasticsearch, first time (warm-up)")
        transfer(world, address, "warm", "--elasticsearch", f"http://{es}")
        rows = [["ours, to files", grouped(DOCUMENTS / files[0]), "-", f"{files[1] / DOCUMENTS * 1e6:.1f}", "-",
                 mib(files[2]), "-"]]
        rates = {}
        for name in ("bare _bulk loop", "ours, to Elasticsearch"):
            call(es, "DELETE", f"/{INDEX}")
            before = Process.sample(server, server.server_pid)
            if name.startswith("bare"):
                seconds, cpu = bare(es, queue)
                peak = "-"
            else:
                seconds, cpu, peak = transfer(world, address, "index", "--elasticsearch", f"http://{es}")
                peak = mib(peak)
            server_cpu = server.sample(server.server_pid) - before
            documents, rates[name] = count(es), DOCUMENTS / seconds
            say(f"{name}: {grouped(rates[name])} documents/s, {grouped(documents)} in the index")
            rows.append([name, grouped(rates[name]), f"{rates[name] / rates['bare _bulk loop']:.2f}x",
                         f"{cpu / DOCUMENTS * 1e6:.1f}", f"{server_cpu / DOCUMENTS * 1e6:.0f}", peak, grouped(documents)])
        table(f"transfer: {grouped(DOCUMENTS)} nginx lines from a topic, parsed",
              ["sender", "documents/s", "to the bare loop", "sender's CPU s per million",
               "Elasticsearch's CPU s per million", "sender's peak memory", "documents in the index"], rows)


if __name__ == "__main__":
    main()
