"""What the Python programs share: cases by name, run one after the other, one line of JSON for each."""

import functools
import json
import time

CASES = {}
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
# An hour ago: what is older than a week is deleted by retention.
START_MS = int(time.time()) * 1000 - 3_600_000


class Run:
    """Where the broker is and which names are free for this case."""

    def __init__(self, bootstrap, prefix, case):
        self.bootstrap, self.case, self.prefix = bootstrap, case, f"{prefix}-{case}"

    def name(self, what="t"):
        return f"{self.prefix}-{what}"


def case(name, **fixed):
    """The function below is the case of that name; `fixed` are arguments for it."""
    def add(function):
        CASES[name] = functools.partial(function, **fixed)
        return function
    return add


def each_codec(function):
    for codec in CODECS:
        CASES[f"codec-{codec}"] = functools.partial(function, codec=codec)
    return function


def values():
    """200 values of several sizes that compress well."""
    return [b"%d " % n + b"abcdefgh" * (n * n % 97) for n in range(200)]


def equal(found, expected, what="it"):
    if found != expected:
        raise AssertionError(f"{what} is {str(found)[:300]}, not {str(expected)[:300]}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(act, *names):
    """Runs what must fail, with an error that names one of those."""
    try:
        answer = act()
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001: every client has its own
        said = f"{type(error).__name__} {error!r} {error}"
        holds(any(name in said for name in names), f"refused with {said[:300]}, not {names}")
        return error
    raise AssertionError(f"it was not refused: {str(answer)[:200]}")


def until(ready, what, seconds=30):
    end = time.monotonic() + seconds
    while not (value := ready()):
        holds(time.monotonic() < end, f"waited {seconds} s for {what}")
        time.sleep(0.02)
    return value


def main(arguments):
    if arguments == ["--list"]:
        print("\n".join(CASES))
        return
    bootstrap, prefix, *names = arguments
    for name in names or CASES:
        begin, error = time.monotonic(), None
        try:
            CASES[name](Run(bootstrap, prefix, name))
        except Exception as failure:  # noqa: BLE001: whatever it is, the other cases go on
            error = f"{type(failure).__name__}: {failure}"
        seconds = round(time.monotonic() - begin, 2)
        print(json.dumps({"case": name, "ok": error is None, "error": error, "seconds": seconds}), flush=True)
