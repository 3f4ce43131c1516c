"""Which parts of a metric (columns, pairs, rules …) are worst, by how much, and what people call them."""

from __future__ import annotations

import re
from functools import cache

from synthwright.core import registry
from synthwright.core.contracts import Metric
from synthwright.report.counts import spelled
from synthwright.report.report import Report, ScoreRow
from synthwright.report.verdict import said

_FELT = 0.02
"""How much worse a score must be where nothing is known of its error."""
_DISTANCES = ("shape", "trend", "cardinality", "link-trend", "marginals", "missingness", "shares", "group-shares")
"""Metrics whose scores are shares of rows that lie elsewhere."""
_KEPT = ("rules", "dependencies", "keys")
"""Metrics whose scores are shares of rows that keep something."""
_ASKED = ("rows", "conditions")
"""Metrics whose scores are shares of what was asked."""
_BESIDE = {"privacy": "by chance", "utility": "from real rows", "bias": "from real rows"}
"""What a reference is, by the group of its metric."""
_CAUGHT = re.compile(r"\btpr at ([\d.]+ %) fpr")


@cache
def group_of(metric: str) -> str:
    """Return the group of a metric; nothing where it is unknown here."""
    if metric not in registry.names("metrics"):
        return ""
    found = registry.find("metrics", metric)
    return found.group if issubclass(found, Metric) else ""


def short_name(report: Report, about: str) -> str:
    """Return what a score is about as people say it: without the table where there is one, pairs with "and"."""
    *first, last = _bare(report, about).split(" ~ ")
    joined = f"{', '.join(first)} and {last}" if first else last
    return spelled(_CAUGHT.sub(r"at \1 false alarms", joined), 80)


def plain_note(report: Report, note: str) -> str:
    """Return what a metric says of its score, as people say it."""
    return spelled(_CAUGHT.sub(r"caught at \1 false alarms", _bare(report, note)), 400)


def _bare(report: Report, text: str) -> str:
    """Return a text without the name of the table before columns, where there is one table."""
    if len(report.rows) != 1:
        return text
    return re.sub(rf"(?:^|(?<=[\s(])){re.escape(next(iter(report.rows)))}(?:\.(?=\S)|: )", "", text)


def excess(score: ScoreRow, *, beyond_chance: bool = False) -> float:
    """Return by how much a score is worse than that of a second real sample; what failed is worst."""
    if score.value is None:
        return 1e300 if score.status == "failed" else -1e300
    if score.reference is None:
        worse = score.value - (1.0 if score.goal == "higher" else 0.0)
    else:
        worse = score.value - score.reference
    return (-worse if score.goal == "higher" else worse) - ((score.chance or 0.0) if beyond_chance else 0.0)


def beyond(score: ScoreRow) -> bool:
    """Return whether a score is worse than its reference by more than chance, as far as that is known.

    Where a metric does not say what chance does, twice the interval stands for it: value and reference both stray, and
    the worst of many parts is looked for.
    """
    if score.value is None or score.reference is None:
        return False
    if score.chance is not None:
        return excess(score, beyond_chance=True) > 0
    wide = _FELT if score.low is None or score.high is None else 2 * (score.high - score.low)
    return excess(score) > wide


def worst_parts(report: Report, metric: str, most: int) -> tuple[ScoreRow, ...]:
    """Return the parts of a metric that are worse than chance allows, the worst first."""
    parts = [s for s in report.scores if s.metric == metric and s.about not in ("", "worst", *report.rows)]
    return tuple(sorted(filter(beyond, parts), key=lambda s: -excess(s, beyond_chance=True))[:most])


def worst_of(report: Report, metric: str) -> ScoreRow | None:
    """Return the part that the worst score of a metric is about; nothing where there are no parts."""
    parts = {s.about: s for s in report.scores if s.metric == metric and s.about not in ("", "worst")}
    worst = next((s for s in report.scores if s.metric == metric and s.about == "worst" and s.problem), None)
    if worst is not None:
        named = [a for a in parts if worst.problem == a or (worst.problem or "").startswith(f"{a}; ")]
        if named:
            return parts[max(named, key=len)]
    found = worst_parts(report, metric, 1)
    return found[0] if found else None


def named(report: Report, score: ScoreRow) -> str:
    """Return what a part is about, as a sentence has it."""
    name = short_name(report, score.about)
    one, arrow, other = name.partition(" -> ")
    return f"that {one} decide{'' if ',' in one else 's'} {other}" if arrow and score.metric != "shape" else name


def how_much(score: ScoreRow) -> str:
    """Return a score beside that of real rows, for people: in per cent where it is a share; nothing without a value."""
    value, reference = score.value, score.reference
    if value is None:
        return ""
    if score.metric in _ASKED:
        return f"{per_cent(value)} of what was asked"
    if (rate := _CAUGHT.search(score.about)) is not None:
        parts = (f"{per_cent(value)} are found at {rate[1]} false alarms", ", by chance {}")
    elif score.metric in _DISTANCES:
        parts = (f"{per_cent(value)} off", ", other real rows {}")
    elif score.metric in _KEPT:
        parts = (f"kept in {per_cent(value)} of rows", ", in {} of real ones")
    else:
        beside = _BESIDE.get(group_of(score.metric), "other real rows")
        return said(value, reference) + ("" if reference is None else f", {beside} {said(reference, value)}")
    return parts[0] + ("" if reference is None else parts[1].format(per_cent(reference)))


def per_cent(share: float) -> str:
    """Return a share in per cent with two digits; what is nearly all, or nearly none, is not rounded to it."""
    for digits in range(2, 8):
        number = float(f"{100 * share:.{digits}g}")
        if share == 1 or number != 100:
            break
    return f"{number:.10g} %"
