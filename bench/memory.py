"""The memory of a process, looked at all the time.

Resident memory (VmRSS) is RssAnon, which the process allocated, + RssFile, what it has of mapped files (its program, indexes) +
RssShmem. The log in the kernel's page cache is not part of it. VmHWM is the highest VmRSS by the kernel's own count: what comes
and goes between two looks is in it.
"""

import threading
import time
from pathlib import Path

FIELDS = ("VmRSS", "VmHWM", "RssAnon", "RssFile")


def resident(pid):
    """KiB by the fields' names; empty when the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {key: int(rest.split()[0]) for key, _, rest in (line.partition(":") for line in lines) if key in FIELDS}


class Watch(threading.Thread):
    """The highest value of each field since the start, until `end`; looks every 50 ms."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peaks, self.looks, self.over = pid, dict.fromkeys(FIELDS, 0), 0, threading.Event()

    def run(self):
        while not self.over.wait(0.05):
            self.look()

    def look(self):
        for key, kib in resident(self.pid).items():
            self.peaks[key] = max(self.peaks[key], kib)
        self.looks += 1

    def end(self):
        self.look()
        self.over.set()
        self.join()
        return self.peaks

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()


def settled(pid, pause=2.0):
    """Resident KiB after a moment without work."""
    time.sleep(pause)
    return resident(pid).get("VmRSS", 0)
