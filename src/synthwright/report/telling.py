"""What a report comes to, for people who know no metric: a sentence, a line for each question, what to try next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Literal, NamedTuple

from synthwright.core import registry
from synthwright.core.contracts import Case, Metric
from synthwright.core.gates import parse
from synthwright.report.counts import spelled
from synthwright.report.document import Ours
from synthwright.report.report import GateRow, Report, ScoreRow, gates_by_score
from synthwright.report.verdict import said, standing
from synthwright.report.words import ATTACKS, MENDING, RISKS, UNMEASURED, words

Answer = Literal["yes", "doubt", "no", "unknown"]
SAID: dict[Answer, str] = {"yes": "Yes", "doubt": "Yes, with a warning", "no": "No", "unknown": "Not measured"}
"""How an answer is spelled."""
_FELT = 0.02
"""How much worse a score must be where nothing is known of its error."""
_MOST = 3
"""Reasons that a sentence names."""
_NO_HOLDOUT = ("There were no held-out rows: a part of the training rows stood in for them, which is weaker evidence, "
               "above all of privacy.")  # fmt: skip
_NO_REAL = "There were no real rows to compare with: only rules, keys and the number of rows could be looked at."
_SHARES = {
    "exact-copies": ("value", "{} of its rows repeat real ones"),
    "rules": ("rest", "{} of its rows break rules that hold in real rows"),
    "keys": ("rest", "{} of its rows have keys that repeat, references that lead nowhere, or values missing"),
}
"""Failures that are told with the share of rows: the value of the score, or the rest of it."""
_TOLD = 0.0005
"""The share of real rows from which it is told beside that of synthetic rows."""
_CLOSER = "it is closer to real rows than other real rows are: look for copies"


class Question(NamedTuple):
    """One thing people ask of synthetic rows, and the groups of metrics that answer."""

    name: str
    asks: str
    groups: tuple[str, ...]


QUESTIONS = (
    Question("Faithful", "Like other real rows?", ("fidelity", "diversity")),
    Question("Useful", "As good to learn from as real rows?", ("utility",)),
    Question("Private", "Nothing given away of the real rows?", ("privacy",)),
    Question("Fair", "Groups treated as in real rows?", ("bias",)),
    Question("Complete", "Rules and keys kept, no row missing?", ("integrity",)),
)
_FIRST = ("Private", "Useful", "Faithful", "Fair", "Complete")
"""Whose failures the verdict names first."""


class Line(NamedTuple):
    """The answer to one question."""

    question: Question
    answer: Answer
    because: str
    """A clause."""


class Try(NamedTuple):
    """What to try next about one metric whose gate is not met."""

    metric: str
    title: str
    gates: tuple[GateRow, ...]
    note: str
    """What the metric says of its score; empty where it says nothing."""
    parts: tuple[ScoreRow, ...]
    """The columns, pairs, rules … that are worst, if any is beyond chance."""
    tries: tuple[Ours, ...]
    """What to do; names of parameters stand between backticks."""


class Aside(NamedTuple):
    """What a report does not hold, and its case does."""

    target: str = ""
    sensitive: tuple[str, ...] = ()
    train: bool = True
    holdout: bool = True

    @staticmethod
    def of(case: Case) -> Aside:
        """Return what the case knows."""
        known = [d is not None and d.rows() > 0 for d in (case.train, case.holdout)]
        return Aside(case.target or "", case.sensitive, *known)


class Told(NamedTuple):
    """A report in plain words."""

    sentence: str
    lines: tuple[Line, ...]
    tries: tuple[Try, ...]
    caveat: str
    """What makes all of it weaker evidence; empty where nothing does."""


def tell(report: Report, aside: Aside | None = None) -> Told:
    """Return what a report comes to."""
    aside = aside or Aside()
    lines = tuple(_line(report, q, aside) for q in QUESTIONS if _asked(report, q, aside))
    caveat = "" if aside.holdout else _NO_HOLDOUT if aside.train else _NO_REAL
    return Told(_sentence(report, lines, aside), lines, _tries(report), caveat)


@cache
def group_of(metric: str) -> str:
    """Return the group of a metric; nothing where it is unknown here."""
    if metric not in registry.names("metrics"):
        return ""
    found = registry.find("metrics", metric)
    return found.group if issubclass(found, Metric) else ""


def short_name(report: Report, about: str) -> str:
    """Return what a score is about as people say it: without the table where there is one, pairs with "and"."""
    only = f"{next(iter(report.rows))}." if len(report.rows) == 1 else ""
    if only:
        about = re.sub(rf"(?:^|(?<=\s)){re.escape(only)}", "", about)
    *first, last = about.split(" ~ ")
    return spelled(f"{', '.join(first)} and {last}" if first else last, 80)


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


def worst_named(report: Report, metric: str) -> str:
    """Return what the worst score of a metric is about, for people; nothing where there are no parts."""
    abouts = {s.about for s in report.scores if s.metric == metric and s.about not in ("", "worst")}
    worst = next((s for s in report.scores if s.metric == metric and s.about == "worst" and s.problem), None)
    if worst is not None:
        named = [a for a in abouts if worst.problem == a or (worst.problem or "").startswith(f"{a}; ")]
        if named:
            return short_name(report, max(named, key=len))
    found = worst_parts(report, metric, 1)
    return short_name(report, found[0].about) if found else ""


def _asked(report: Report, question: Question, aside: Aside) -> bool:
    """Return whether a question is to be answered: that of fairness only where there are groups to compare."""
    if question.name != "Fair":
        return True
    return bool(aside.sensitive) or any(group_of(s.metric) == "bias" and s.status != "not-applicable"
                                        for s in report.scores)  # fmt: skip


def _line(report: Report, question: Question, aside: Aside) -> Line:
    gates = [g for g in report.gates if group_of(parse(g.gate).metric) in question.groups]
    missed = [g for g in gates if _missed(g)]
    doubts = _doubts(report, question, aside)
    if missed:
        return Line(question, "no", "; ".join(_few([*_failures(report, missed, aside), *doubts])))
    blind = [g for g in gates if not g.passed]
    scores = [s for s in report.scores if group_of(s.metric) in question.groups]
    found = [s for s in scores if s.value is not None]
    if blind or not found:
        return Line(question, "unknown", _unmeasured(blind, scores))
    if doubts:
        return Line(question, "doubt", "; ".join(_few(doubts)))
    return Line(question, "yes", _holding(report, question, found, aside))


def _missed(gate: GateRow) -> bool:
    """Return whether a gate was measured and is not met."""
    return not gate.passed and gate.value is not None and gate.bound is not None


def _failures(report: Report, missed: Sequence[GateRow], aside: Aside) -> list[str]:
    """Return a clause for every metric that fails, the weightiest first."""
    metrics = dict.fromkeys(parse(g.gate).metric for g in missed)
    return [_fails(report, m, aside) for m in sorted(metrics, key=lambda m: words(m).rank)]


def _fails(report: Report, metric: str, aside: Aside) -> str:
    clause = words(metric).fails
    if metric == "tstr" and aside.target:
        predicted = short_name(report, aside.target)
        clause = f"a model trained on it predicts {predicted} worse than one trained on real rows"
    elif metric in _SHARES:
        clause = _share_failing(report, metric) or clause
    worst = worst_parts(report, metric, 1)
    # an attack's parts are kinds of attack, which say nothing in a sentence
    if not worst or not (metric == "rules" or worst[0].about.startswith(tuple(f"{t}." for t in report.rows))):
        return clause
    return f"{clause}, most of all {short_name(report, worst[0].about)}"


def _share_failing(report: Report, metric: str) -> str:
    """Say how many rows fail, and how many real ones do; nothing where that is not known, or none does."""
    whole = next((s for s in report.scores if s.metric == metric and not s.about and s.value is not None), None)
    if whole is None or whole.value is None:
        return ""
    which, clause = _SHARES[metric]
    share, real = (None if v is None else v if which == "value" else 1 - v for v in (whole.value, whole.reference))
    if not share:
        return ""
    beside = f" (of other real rows {100 * real:.2g} %)" if real and real >= _TOLD else ""
    return clause.format(f"{100 * share:.2g} %") + beside


def _doubts(report: Report, question: Question, aside: Aside) -> list[str]:
    """Return what no gate refuses and the reader must know: what is waived, falls short, or is too close."""
    gates = gates_by_score(report)
    out = [f"{_fails(report, parse(w.gate).metric, aside)} (waived: {spelled(w.because, 200)})"
           for w in report.waived if w.missed and group_of(parse(w.gate).metric) in question.groups]  # fmt: skip
    waived = {parse(w.gate).metric for w in report.waived}
    stands = [(s, standing(s.score(), s.goal)) for s in report.scores]
    out += [_fails(report, s.metric, aside) for s, how in stands if how == "short" and s.name not in gates
            and s.metric not in waived and group_of(s.metric) in question.groups]  # fmt: skip
    if question.name == "Private" and any(how == "close" for _, how in stands):
        out.append(_CLOSER)
    return out


def _holding(report: Report, question: Question, found: Sequence[ScoreRow], aside: Aside) -> str:
    """Say what holds, and where it is weakest."""
    metrics = sorted(dict.fromkeys(s.metric for s in found), key=lambda m: words(m).rank)
    said_of = [_holds(report, m, aside) for m in metrics][:_MOST]
    if question.name == "Faithful":
        worst = next((w for m in ("shape", *metrics) if (w := worst_named(report, m))), "")
        said_of += [f"farthest off is {worst}"] if worst else []
    if question.name == "Private":
        guaranteed = "no formal guarantee"
        if report.spend.epsilon is not None:
            guaranteed = f"guaranteed is epsilon {said(report.spend.epsilon)} per {report.spend.unit}"
        said_of.append(guaranteed)
        unseen = [risk.lower() for risk in RISKS if risk not in _risks(metrics)]
        said_of += [f"not looked at: {', '.join(unseen)}"] if unseen else []
    return "; ".join(said_of)


def _risks(metrics: Iterable[str]) -> set[str]:
    """Return the risks that these metrics look at."""
    return {ATTACKS[m].risk for m in metrics if m in ATTACKS}


def _holds(report: Report, metric: str, aside: Aside) -> str:
    if metric == "tstr" and aside.target:
        return f"models learn from them to predict {short_name(report, aside.target)} as from real rows"
    return words(metric).holds


def _few(clauses: Sequence[str]) -> list[str]:
    """Return the first clauses, and how many more there are."""
    more = len(clauses) - _MOST
    return [*clauses[:_MOST], *([f"and {more} more"] if more > 0 else [])]


def _unmeasured(blind: Sequence[GateRow], scores: Sequence[ScoreRow]) -> str:
    """Say why a question has no answer."""
    if blind:
        return spelled(blind[0].why, 300)
    problem = next((s.problem for s in scores if s.problem and not s.about), None)
    return spelled(problem, 300) if problem else "nothing was run that could say so"


def _sentence(report: Report, lines: Sequence[Line], aside: Aside) -> str:
    """Return the verdict."""
    count = sum(report.rows.values())
    rows = f"{count:,} synthetic row{'' if count == 1 else 's'}"
    rows = f"{'This' if count == 1 else 'These'} {rows}" + (f" in {len(report.rows)} tables" if len(report.rows) > 1
                                                             else "")  # fmt: skip
    if not report.passed:
        return _refusal(report, lines, aside)
    if not count:
        return "There are no synthetic rows."
    if not report.gates:
        return f"No gate was set, so nothing was asked of {rows[0].lower()}{rows[1:]}: what they are good for is open."
    doubts = [line.because for line in lines if line.answer == "doubt"]
    if doubts:
        return f"{rows} may be used with care: {'; '.join(_few(doubts))}."
    telling = [line for line in lines if line.question.name != "Complete"]
    claims = [_claim(line, aside, report) for line in telling if line.answer == "yes"]
    unknown = [line.question.name.lower() for line in telling if line.answer == "unknown"]
    if unknown:
        claims.append(f"whether they are {' and '.join(unknown)} was not measured")
    if not claims:
        return f"{rows} may be used as far as rules, keys and number go: nothing else was measured."
    return f"{rows} may be used: {_listed(claims)}."


def _refusal(report: Report, lines: Sequence[Line], aside: Aside) -> str:
    by_name = {line.question.name: line for line in lines}
    missed = [g for g in report.gates if _missed(g)]
    clauses: list[str] = []
    for name in _FIRST:
        groups = by_name[name].question.groups if name in by_name else ()
        mine = [g for g in missed if group_of(parse(g.gate).metric) in groups]
        clauses += _failures(report, mine, aside)[:1]  # one of each question: the page says the rest
    known = {g for line in lines for g in line.question.groups}
    clauses += _failures(report, [g for g in missed if group_of(parse(g.gate).metric) not in known], aside)
    if clauses:
        return f"Do not use this data: {'; '.join(_few(clauses))}."
    titles = dict.fromkeys(words(parse(g.gate).metric).title.lower() for g in report.gates if not g.passed)
    return f"Do not use this data yet: it is not proven. Not measured: {', '.join(_few(list(titles)))}."


def _claim(line: Line, aside: Aside, report: Report) -> str:
    match line.question.name:
        case "Faithful":
            return "they look like other real rows"
        case "Useful" if aside.target:
            return f"models learn from them to predict {short_name(report, aside.target)} as from real rows"
        case "Useful":
            return "models learn from them as from real rows"
        case "Private":
            tried = {s.metric for s in report.scores if s.value is not None and group_of(s.metric) == "privacy"}
            if _risks(tried) <= {"Copies"}:
                return "they copy real rows no more than chance does"
            return "no attack that was tried finds more of the real rows in them than chance does"
        case _:
            return "they treat groups as real rows do"


def _listed(clauses: Sequence[str]) -> str:
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, and {clauses[-1]}"


def _tries(report: Report) -> tuple[Try, ...]:
    """Return what to try about each metric whose gate is not met, in the order of the verdict."""
    failing: dict[str, list[GateRow]] = {}
    for gate in report.gates:
        if not gate.passed:
            failing.setdefault(parse(gate.gate).metric, []).append(gate)
    order = {g: i for i, name in enumerate(_FIRST) for q in QUESTIONS if q.name == name for g in q.groups}
    ranked = sorted(failing, key=lambda m: (order.get(group_of(m), len(order)), words(m).rank))
    return tuple(_try(report, m, failing[m]) for m in ranked)


def _try(report: Report, metric: str, gates: Sequence[GateRow]) -> Try:
    named = {parse(g.gate).about for g in gates} - {"", "worst"}
    asked = tuple(s for s in report.scores if s.metric == metric and s.about in named)
    parts = (asked + tuple(s for s in worst_parts(report, metric, 5) if s not in asked))[: max(5, len(asked))]
    advice = words(metric).tries
    if not any(_missed(g) for g in gates):
        advice = (UNMEASURED.get(metric, MENDING),)
    note = next((s.problem for s in report.scores if s.metric == metric and not s.about and s.status == "ok"), None)
    return Try(metric, words(metric).title, tuple(gates), spelled(note, 400) if note else "", parts,
               tuple(map(Ours, advice)))  # fmt: skip
