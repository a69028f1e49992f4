"""The clients: what each is called, how its program is started. The versions are those that `compat/setup` installs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from servers import KAFKA

HERE = Path(__file__).resolve().parent
INSTALLED = KAFKA.parent / "compat"
VERSIONS = dict(re.findall(r"^(\w+)=(\S+)$", (HERE / "versions").read_text(), re.M))


class Client:
    """A program that prints a line of JSON for each case: `PROGRAM --list`, `PROGRAM ADDRESS PREFIX CASE…`."""

    def __init__(self, name, version, command, env, limit_s=60, partitions=1):
        self.name, self.version, self.command, self.env = name, version, command, env
        self.limit_s = limit_s  # for each case
        self.partitions = partitions  # that the topics should have which the broker makes

    def cases(self):
        listed = subprocess.run([*map(str, self.command), "--list"], env=self.environment(), capture_output=True, text=True, check=False)
        if listed.returncode:
            raise SystemExit(f"compat: {self.name}: {listed.stderr[-2000:]}")
        return listed.stdout.split()

    def environment(self):
        return {**os.environ, **{key: str(value) for key, value in self.env.items()}}


def python(modules, *packages):
    return [sys.executable, HERE / "python/main.py", modules], {"PYTHONPATH": ":".join(str(INSTALLED / p) for p in packages)}


def java(version):
    options = ["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
    return ["java", *options, "-cp", f"{INSTALLED}/java-{version}/classes:{INSTALLED}/java-{version}/lib/*", "Main"]


def kcat_version():
    if not shutil.which("kcat"):
        return "?"
    printed = subprocess.run(["kcat", "-V"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Version ([\d.]+).*librdkafka ([\d.]+\d)", printed)
    return f"{found[1]}, librdkafka {found[2]}" if found else "?"


def pinned(module, package):
    """The version of a Go package, from its go.mod."""
    return re.search(rf"{package} v(\S+)", (HERE / module).read_text())[1]


def clients():
    confluent, kafka_python, aiokafka = (f"{p}-{VERSIONS[v]}" for p, v in (
        ("confluent-kafka", "CONFLUENT_KAFKA"), ("kafka-python", "KAFKA_PYTHON"), ("aiokafka", "AIOKAFKA")))
    old = f"kafka-python-{VERSIONS['KAFKA_PYTHON_OLD']}"
    listed = [
        ("kcat", kcat_version(), *python("kcat")),
        ("confluent-kafka", VERSIONS["CONFLUENT_KAFKA"], *python("confluent,confluent_groups,confluent_transactions", confluent)),
        ("kafka-python", VERSIONS["KAFKA_PYTHON"], *python("kafka_python,kafka_python_new", kafka_python, "codecs")),
        ("kafka-python-2", VERSIONS["KAFKA_PYTHON_OLD"], *python("kafka_python,kafka_python_old", old, "codecs")),
        ("aiokafka", VERSIONS["AIOKAFKA"], *python("aio,aio_groups", aiokafka, "codecs")),
        ("kafkajs", VERSIONS["KAFKAJS"], ["node", HERE / "node/main.js"], {"NODE_PATH": INSTALLED / "node/node_modules"}),
        ("sarama", pinned("sarama/go.mod", "github.com/IBM/sarama"), [INSTALLED / "bin/sarama"], {}),
        ("sarama-1.19", "1.19.0", [INSTALLED / "bin/sarama-1.19"], {"PROTOCOL": "1.0.0"}),
        ("sarama-1.19-default", "1.19.0, as Kafka 0.8.2", [INSTALLED / "bin/sarama-1.19"], {"PROTOCOL": "0.8.2.0"}),
        ("franz-go", pinned("franz/go.mod", "github.com/twmb/franz-go"), [INSTALLED / "bin/franz"], {}),
        *(("java-" + v, v, java(v), {}) for v in (VERSIONS["JAVA_OLDEST"], VERSIONS["JAVA_OLD"], VERSIONS["KAFKA"])),
        ("tools", VERSIONS["KAFKA"], python("tools")[0], {"KAFKA_JARS": KAFKA, **python("tools", confluent)[1]}),
    ]
    if own := sorted(INSTALLED.glob("librdkafka-*")):
        version = own[-1].name.removeprefix("librdkafka-")
        listed.append(("librdkafka", f"{version}, its own tests", python("librdkafka")[0], {"LIBRDKAFKA": own[-1], "KAFKA_JARS": KAFKA}, 180, 4))
    return {entry[0]: Client(*entry) for entry in listed}
