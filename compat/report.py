"""What was found, as a page of Markdown; and what of it has no reason in gaps.toml."""

import datetime
import itertools
import platform
import subprocess
from dataclasses import dataclass, field

from servers import LOGAGENT

# The cell of a client and a case, by what our broker and Kafka make of it.
CELLS = {(True, True): "✓", (True, False): "ours", (False, True): "**Kafka**", (False, False): "–"}


@dataclass
class Judged:
    gaps: list = field(default_factory=list)  # (client, case, whose, why)
    complaints: list = field(default_factory=list)


def sides(gap):
    """Where a gap is: on ours unless it says kafka or both."""
    where = gap.get("on", "ours")
    return ("ours", "kafka") if where == "both" else (where,)


def judge(results, gaps):
    """Each failure needs a reason, and each reason a failure."""
    judged = Judged()
    for (client, case, broker), result in results.items():
        if result["ok"]:
            continue
        found = [gap for gap in gaps if client in gap["clients"] and case in gap["cases"] and broker in sides(gap)]
        why = " ".join(gap.get("why", "") for gap in found).strip()
        judged.gaps.append((client, case, broker, why))
        if not why:
            judged.complaints.append(f"{client}: {case}: fails on {broker} without a reason in gaps.toml: {str(result['error'])[:200]}")
    for gap in gaps:
        for client, case, broker in itertools.product(gap["clients"], gap["cases"], sides(gap)):
            if results.get((client, case, broker), {"ok": False})["ok"]:
                judged.complaints.append(f"{client}: {case}: passes on {broker} now, take it out of gaps.toml")
    return judged


def counts(results, clients):
    """For each client and in all: how many cases, how many pass on each broker."""
    rows = []
    for client in clients:
        cases = {case for name, case, _ in results if name == client.name}
        passed = {broker: sum(result["ok"] for (name, _, where), result in results.items() if (name, where) == (client.name, broker))
                  for broker in ("ours", "kafka")}
        ran = {where for _, _, where in results}
        rows.append((client.name, client.version, len(cases), *(passed[b] if b in ran else "" for b in ("ours", "kafka"))))
    total = [sum(row[n] for row in rows if row[n] != "") if rows[0][n] != "" else "" for n in (2, 3, 4)]
    return [*rows, ("**all**", "", *total)]


def matrix(title, cases, clients, results):
    """A row for each case, a column for each client that has one of them."""
    columns = [c for c in clients if any((c.name, case, b) in results for case in cases for b in ("ours", "kafka"))]
    rows = [case for case in cases if any((c.name, case, b) in results for c in columns for b in ("ours", "kafka"))]
    if not rows:
        return []
    if not any(cases.values()):
        return [f"## {title}: its own tests", "", *by_name(rows, columns[0].name, results), ""]
    lines = [f"## {title}", "", f"| case | {' | '.join(c.name for c in columns)} |", "|---|" + ":-:|" * len(columns)]
    for case in rows:
        lines.append(f"| {case} | {' | '.join(cell(c.name, case, results) for c in columns)} |")
    explained = [f"- `{case}`: {cases[case]}" for case in rows]
    return [*lines, "", *explained, ""]


def by_name(cases, client, results):
    """Cases that nothing is said about but their names, gathered by what became of them."""
    gathered = {}
    for case in cases:
        gathered.setdefault(cell(client, case, results), []).append(f"`{case}`")
    return [f"- {found}: {', '.join(names)}" for found, names in gathered.items()]


def cell(client, case, results):
    found = [results.get((client, case, broker)) for broker in ("ours", "kafka")]
    if not any(found):
        return ""
    if not all(found):
        return "✓" if next(filter(None, found))["ok"] else "–"
    return CELLS[tuple(result["ok"] for result in found)]


def page(sections, clients, results, judged, seconds):
    version = subprocess.run([str(LOGAGENT), "--version"], capture_output=True, text=True, check=False).stdout.strip()
    rows = counts(results, clients)
    _, _, cases, ours, kafka = rows[-1]
    lines = [
        "# Compatibility", "",
        "Written by `make compat`, which runs the clients' own libraries against our broker and against Apache Kafka 3.9.1 (one node,",
        "KRaft), the same programs and the same cases on both. What a case sees to stands below each table.", "",
        f"{datetime.date.today():%Y-%m-%d}, {version or 'logagent'}, {platform.system()} {platform.machine()}, {seconds / 60:.0f} minutes. "
        f"**{cases} cases of {len(clients)} clients: {ours or 'none'} pass on our broker, {kafka or 'none'} on Kafka.**", "",
        "| client | version | cases | ours | Kafka |", "|---|---|--:|--:|--:|",
        *(f"| {' | '.join(map(str, row))} |" for row in rows), "",
        "✓ passes on both; **Kafka**: on Kafka only, a gap of ours; ours: on our broker only; –: on neither. Empty: the client's API does not",
        "have it.", ""]
    for title, cases in sections.items():
        lines += matrix(title.replace("-", " ").capitalize(), cases, clients, results)
    lines += ["## Gaps, and why", ""]
    if judged.gaps:
        lines += ["| client | case | fails on | why |", "|---|---|---|---|"]
        merged = {}
        for client, case, broker, why in judged.gaps:
            merged.setdefault((client, case, why), []).append({"kafka": "Kafka"}.get(broker, broker))
        lines += [f"| {client} | {case} | {', '.join(where)} | {why} |" for (client, case, why), where in merged.items()]
    else:
        lines += ["None."]
    return "\n".join([*lines, *NOT_RUN]) + "\n"


NOT_RUN = [
    "", "## Not run", "",
    "TLS and SASL (our broker has neither yet), quotas, ACLs and delegation tokens, clusters of several brokers, tiered storage.",
]
