"""librdkafka's own tests, each in a process of its own: those that need a broker, and nothing but one broker."""

import functools
import os
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

import harness

HERE = Path(__file__).resolve().parent


def own_test(run, name):
    """The runner takes a part of the name, and has to say of this one that it passed."""
    home = Path(os.environ["LIBRDKAFKA"])
    with tempfile.TemporaryDirectory(prefix="logagent-librdkafka-") as directory:
        conf = Path(directory) / "test.conf"
        conf.write_text(f"bootstrap.servers={run.bootstrap}\n")
        # some tests make their topics by the script that comes with Kafka
        script = Path(directory) / "bin/kafka-topics.sh"
        script.parent.mkdir()
        script.write_text(f"#!/bin/sh\nexec java -cp '{os.environ['KAFKA_JARS']}/*' org.apache.kafka.tools.TopicCommand \"$@\"\n")
        script.chmod(0o755)
        env = {**os.environ, "KAFKA_PATH": directory, "BROKERS": run.bootstrap, "TESTS": name, "TESTS_SKIP": "mock", "RDKAFKA_TEST_CONF": str(conf), "TEST_KAFKA_VERSION": "3.9.1.0", "TEST_LEVEL": "1", "LD_LIBRARY_PATH": f"{home}/src:{home}/src-cpp"}
        done = subprocess.run([home / "tests/test-runner", "-p1", "-L"], env=env, cwd=directory, capture_output=True, text=True, timeout=175, check=False)
    printed = re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)
    if done.returncode or not re.search(rf"{name} +\| +PASSED", printed):
        said = [line for line in printed.splitlines() if "failed at" in line or line.startswith("Expected")]
        raise AssertionError(" / ".join(said[:2] or printed.splitlines()[-3:])[:600])


for test in tomllib.loads((HERE.parent / "cases.toml").read_text())["librdkafka"]:
    harness.CASES[test] = functools.partial(own_test, name=test)
