"""What a figure must be, and the tables that say whether it is: ours beside Kafka's, their ratio, the target, met or not."""

from lib import table


class Must:
    """A target, as text and as a test of ours and Kafka's value."""

    def __init__(self, text, holds):
        self.text, self.holds = text, holds

    def met(self, ours, kafka):
        """None where Kafka did not run and is needed."""
        try:
            return self.holds(ours, kafka)
        except TypeError:
            return None


def times(least):
    return Must(f"≥ {least:g}x", lambda ours, kafka: ours >= least * kafka)


def share(parts):
    return Must(f"≤ 1/{parts}", lambda ours, kafka: ours * parts <= kafka)


def at_most(most, unit, scale=1):
    """`scale` is how many of what was measured make one of the unit."""
    return Must(f"≤ {most:g} {unit}", lambda ours, _: ours <= most * scale)


def verdict(met):
    return {None: "", True: "yes", False: "**no**"}[met]


def ratio(ours, kafka):
    return f"{ours / kafka:.2f}x" if kafka else ""


class Row:
    """One figure of both brokers, printed by `form`; either may be missing (None)."""

    def __init__(self, label, form, results, key, must=None):
        self.label, self.form, self.must = label, form, must
        self.kafka, self.ours = (results.get(name, {}).get(key) for name in ("kafka", "logagent"))

    def figures(self):
        shown = ["" if value is None else self.form(value) for value in (self.kafka, self.ours)]
        both = self.kafka is not None and self.ours is not None
        return [*shown, ratio(self.ours, self.kafka) if both else ""]

    def target(self):
        return self.must.text if self.must else ""

    def met(self):
        return self.must.met(self.ours, self.kafka) if self.must else None


def compare(title, rows):
    table(title, ["", "Kafka", "ours", "ratio", "must be", "met"],
          [[row.label, *row.figures(), row.target(), verdict(row.met())] for row in rows])


def compare_untargeted(title, results, rows):
    """Figures that nothing is demanded of: the label of each, its form and its key in the results."""
    compare(title, [Row(label, form, results, key) for label, form, key in rows])


def compare_pairs(title, first, second, pairs):
    """Two figures of each workload in one line."""
    lines = []
    for label, left, right in pairs:
        targets = ", ".join(filter(None, (left.target(), right.target())))
        missed = [what for what, row in ((first, left), (second, right)) if row.met() is False]
        known = [row.met() for row in (left, right) if row.must]
        met = f"**no** ({', '.join(missed)})" if missed else verdict(True if known and all(known) else None)
        lines.append([label, *left.figures(), *right.figures(), targets, met])
    table(title, ["", f"Kafka: {first}", "ours", "ratio", f"Kafka: {second}", "ours", "ratio", "must be", "met"], lines)


def milliseconds(value):
    return f"{value:,.1f} ms"


def seconds(value):
    return f"{value:.3f} s" if value < 10 else f"{value:.1f} s"


def two_places(value):
    return f"{value:.2f}"


def three_places(value):
    return f"{value:.3f}"


def mebibytes(kib):
    return f"{kib / 1024:,.0f} MiB"
