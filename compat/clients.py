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

    def __init__(self, name, version, command, env=None, part=None):
        self.name, self.version, self.command, self.env, self.part = name, version, command, env or {}, part

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
    return re.search(rf"^require {package} v(\S+)|^\t{package} v(\S+)", (HERE / module).read_text(), re.M).group(1, 2)


def clients():
    confluent, kafka_python, aiokafka = (f"{p}-{VERSIONS[v]}" for p, v in (
        ("confluent-kafka", "CONFLUENT_KAFKA"), ("kafka-python", "KAFKA_PYTHON"), ("aiokafka", "AIOKAFKA")))
    old = f"kafka-python-{VERSIONS['KAFKA_PYTHON_OLD']}"
    listed = [
        ("kcat", kcat_version(), *python("kcat"), "debian"),
        ("confluent-kafka", VERSIONS["CONFLUENT_KAFKA"], *python("confluent,confluent_groups,confluent_transactions", confluent), "python"),
        ("kafka-python", VERSIONS["KAFKA_PYTHON"], *python("kafka_python,kafka_python_new", kafka_python, "codecs"), "python"),
        ("kafka-python-2", VERSIONS["KAFKA_PYTHON_OLD"], *python("kafka_python,kafka_python_old", old, "codecs"), "python"),
        ("aiokafka", VERSIONS["AIOKAFKA"], *python("aio,aio_groups", aiokafka, "codecs"), "python"),
        ("kafkajs", VERSIONS["KAFKAJS"], ["node", HERE / "node/main.js"], {"NODE_PATH": INSTALLED / "node/node_modules"}, "node"),
        ("sarama", "".join(filter(None, pinned("sarama/go.mod", "github.com/IBM/sarama"))), [INSTALLED / "bin/sarama"], {}, "go"),
        ("sarama-1.19", "1.19.0", [INSTALLED / "bin/sarama-1.19"], {"PROTOCOL": "1.0.0"}, "go"),
        ("sarama-1.19-default", "1.19.0, as Kafka 0.8.2", [INSTALLED / "bin/sarama-1.19"], {"PROTOCOL": "0.8.2.0"}, "go"),
        ("franz-go", "".join(filter(None, pinned("franz/go.mod", "github.com/twmb/franz-go"))), [INSTALLED / "bin/franz"], {}, "go"),
        *(("java-" + v, v, java(v), {}, "java") for v in (VERSIONS["JAVA_OLDEST"], VERSIONS["JAVA_OLD"], VERSIONS["KAFKA"])),
        ("tools", VERSIONS["KAFKA"], python("tools")[0], {"KAFKA_JARS": KAFKA, **python("tools", confluent)[1]}, "java"),
    ]
    return {entry[0]: Client(*entry) for entry in listed}
