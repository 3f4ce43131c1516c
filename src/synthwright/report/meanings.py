"""What every number of a report means: each metric by its class, the other numbers here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from synthwright.core import registry
from synthwright.core.contracts import Metric
from synthwright.report.document import Ours
from synthwright.report.report import Report
from synthwright.report.words import words


def _ours(text: str) -> Ours:
    return Ours(" ".join(text.split()))


class Meaning(NamedTuple):
    """What one metric measures."""

    metric: str
    anchor: str
    title: str
    group: str
    shows: Ours
    how: Ours
    """The formula, and what it was compared with; empty where nothing is known."""
    better: str
    unseen: Ours
    """What it does not show."""


class Term(NamedTuple):
    """What a number that is no score means."""

    anchor: str
    title: str
    says: Ours


_SAYS = {
    "value": """What the synthetic rows score. Each metric says below what that is.""",
    "reference": """What a second real sample of the training size scores against the same rows: what good synthetic
        rows can be expected to reach. Better than that is no merit, and may mean copies.""",
    "interval": """The 95 % interval: where the value would lie in 95 of 100 cases if other rows of the same sort had
        been looked at.""",
    "bound": """What the gate asks of the value: a number, or the reference with a tolerance. `chance` in a gate is how
        much worse than its reference a second real sample scores by luck alone, in one of 20,000 cases.""",
    "rows": """How many synthetic rows there are, after those that were dropped.""",
    "dropped rows": """How many rows were made and taken away again, by reason.""",
    "seconds": """How long each step of the run took.""",
    "missing values": """The share of rows without a value in that column.""",
    "share": """The share of rows with that label, or in that range; ranges that only one or two real rows share are
        not told.""",
    "dependence": """How strongly two columns depend on each other (Cramér's V, corrected for its bias): 0 not at all,
        1 where one decides the other. The difference is synthetic less real.""",
    "false alarms": """The share of people who were not in the real data, and whom an attack takes for people who
        were. An attack that finds some people while it raises hardly a false alarm is sure of those.""",
    "epsilon and delta": """How much a single row of the source may at most change what is released (differential
        privacy): less is more private. Where it is not given there is no such guarantee.""",
}
TERMS = tuple(Term(f"term-{title.partition(' ')[0]}", title, _ours(says)) for title, says in _SAYS.items())
"""Every number that is no score. The anchor is the first word."""
_UNKNOWN = Ours("A metric that is not installed here: whoever made it says what it measures.")


def anchors(metrics: Iterable[str]) -> dict[str, str]:
    """Return where each metric is explained: names that a page may have, no two alike."""
    out: dict[str, str] = {}
    for metric in dict.fromkeys(metrics):
        safe = "meaning-" + (re.sub(r"[^a-z0-9]+", "-", metric.lower()).strip("-") or "metric")
        taken = set(out.values())
        out[metric] = next(n for n in (safe, *(f"{safe}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)
    return out


def meanings(report: Report) -> tuple[Meaning, ...]:
    """Return what each metric of a report measures, and what it does not show, in the order of the report."""
    found = anchors(s.metric for s in report.scores)
    return tuple(_meaning(metric, anchor) for metric, anchor in found.items())


def _meaning(metric: str, anchor: str) -> Meaning:
    cls = registry.find("metrics", metric) if metric in registry.names("metrics") else None
    if cls is None or not issubclass(cls, Metric):
        return Meaning(metric, anchor, words(metric).title, "", _UNKNOWN, Ours(), "", Ours())
    shows, _, how = (cls.__doc__ or "").strip().partition("\n\n")
    low, high = cls.bounds
    return Meaning(metric, anchor, words(metric).title, cls.group, _ours(shows), _ours(how),
                   f"{cls.goal.capitalize()} is better; from {low:g} to {high:g}.", Ours(cls.not_shown))  # fmt: skip


@cache
def reasons() -> dict[str, str]:
    """Return every reason that a curator or a generator gives for dropping a row, and what it means."""
    found: dict[str, str] = {}
    groups: tuple[registry.Group, ...] = ("generators", "curators")
    for group in groups:
        for name in registry.names(group):
            found |= getattr(registry.find(group, name), "reasons", {})
    return found
