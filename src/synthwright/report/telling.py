"""What a report comes to, for people who know no metric: a sentence, a line for each question, what to try next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from synthwright.core.contracts import Case
from synthwright.core.gates import GUESSED_GATES, parse
from synthwright.core.jobs import VARIED
from synthwright.report.advice import Try, advise, missed
from synthwright.report.counts import spelled
from synthwright.report.report import GateRow, Report, ScoreRow, gates_by_score
from synthwright.report.verdict import nearly, said, standing
from synthwright.report.words import ATTACKS, RISKS, words
from synthwright.report.worst import group_of, how_much, named, per_cent, short_name, worst_of, worst_parts

Answer = Literal["yes", "doubt", "no", "unknown", "none"]
SAID: dict[Answer, str] = {"yes": "Yes", "doubt": "Yes, with a warning", "no": "No", "unknown": "Not measured",
                           "none": "Does not apply"}  # fmt: skip
"""How an answer is spelled."""
_MOST, _SOME = 3, 2
"""Reasons that a sentence names, and a line."""
_NO_HOLDOUT = ("There were no held-out rows: a part of the training rows stood in for them, which is weaker evidence, "
               "above all of privacy.")  # fmt: skip
_NAME_HOLDOUT = " Keep some real rows back from the generator, and name them (--holdout)."
_NO_REAL = "There were no real rows to compare with: only rules, keys and the number of rows could be looked at."
_GUESSED = " The rules and keys were guessed from these very rows, so that to keep them proves little."
_SHARES = {
    "exact-copies": ("value", "{} of its rows repeat real ones"),
    "near-copies": ("value", "{} of its rows are real ones with small changes"),
    "rare-copies": ("value", "{} of its rows repeat what only few real rows hold"),
    "value-copies": ("value", "{} of its values in one column are those of single real people"),
    "holdout-copies": ("value", "{} of its rows were kept back for this proof, so nothing is proven"),
    "rules": ("rest", "{} of its rows break rules that hold in real rows"),
    "keys": ("rest", "{} of its rows have keys that repeat, references that lead nowhere, or values missing"),
    "rows": ("rest", "{} of the rows that were asked for are missing"),
}
"""Failures that are told with the share of rows: the value of the score, or the rest of it."""
_TOLD = 0.0005
"""The share of real rows from which it is told beside that of synthetic rows."""
_FEW = (
    ("Faithful", "shape", 0.1, "with so few rows, single columns could be {} farther off without being noticed"),
    ("Useful", "tstr", 0.2, "with so few rows, models could predict worse by {} without it being noticed"),
    ("Private", "exact-copies", 0.05, "with so few rows, {} of them could be copies without being noticed"),
)
"""What chance may hide before it is told: of which question, by which score, from how much on, in which words."""
_CLOSER = "it is closer to real rows than other real rows are: look for copies"


class Question(NamedTuple):
    """One thing people ask of synthetic rows, and the groups of metrics that answer."""

    name: str
    asks: str
    groups: tuple[str, ...]


QUESTIONS = (
    Question("Faithful", "Like other real rows?", ("fidelity", "diversity")),
    Question("Useful", "As good to learn from as real rows?", ("utility",)),
    Question("Private", "Withstood every attack that was tried?", ("privacy",)),
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

    @property
    def real(self) -> bool:
        """Whether there are real rows at all."""
        return self.train or self.holdout


class Told(NamedTuple):
    """A report in plain words."""

    sentence: str
    lines: tuple[Line, ...]
    tries: tuple[Try, ...]
    caveat: str
    """What makes all of it weaker evidence; empty where nothing does."""
    asked: str
    """How much was asked, and how much of it is met."""


def tell(report: Report, aside: Aside | None = None) -> Told:
    """Return what a report comes to."""
    aside = aside or Aside()
    lines = tuple(_line(report, q, aside) for q in QUESTIONS if _asked(report, q, aside))
    return Told(_sentence(report, lines, aside), lines, _tries(report), _caveat(report, aside), _count(report))


def _caveat(report: Report, aside: Aside) -> str:
    if aside.holdout:
        return ""
    if aside.train:
        return _NO_HOLDOUT + (_NAME_HOLDOUT if report.judged else "")
    guessed = any(g.gate in GUESSED_GATES.values() for g in report.gates)
    return _NO_REAL + (_GUESSED if guessed else "")


def _count(report: Report) -> str:
    """Say how many gates are met, are not met, do not apply."""
    if not report.gates:
        return "No gate was set, so nothing was asked."
    void = sum(g.passed and g.value is None for g in report.gates)
    lost = sum(not g.passed for g in report.gates)
    met = len(report.gates) - lost - void
    counts = [f"{n} {'is' if n == 1 else 'are'} {word}" for n, word in ((lost, "not met"), (met, "met")) if n]
    counts += [f"{void} {'does' if void == 1 else 'do'} not apply"] if void else []
    many = len(report.gates)
    return f"Of {many} requirement{'' if many == 1 else 's'} (gates) {_listed(counts)}."


def _asked(report: Report, question: Question, aside: Aside) -> bool:
    """Return whether a question is to be answered: that of fairness only where there are groups to compare."""
    if question.name != "Fair":
        return True
    return bool(aside.sensitive) or any(group_of(s.metric) == "bias" and s.status != "not-applicable"
                                        for s in report.scores)  # fmt: skip


def _line(report: Report, question: Question, aside: Aside) -> Line:
    gates = [g for g in report.gates if group_of(parse(g.gate).metric) in question.groups]
    by = ""
    if question.name == "Fair" and aside.sensitive:
        by = f"by {' and '.join(short_name(report, c) for c in aside.sensitive[:_MOST])}: "
    lost = [g for g in gates if missed(g)]
    doubts = _doubts(report, question, aside)
    if lost:
        return Line(question, "no", by + "; ".join(_few([*_failures(report, lost, aside), *doubts], _SOME)))
    if question.name == "Private" and not gates and (real := _varied(report)):
        return Line(question, "unknown", f"not asked: {real}")
    blind = [g for g in gates if not g.passed]
    scores = [s for s in report.scores if group_of(s.metric) in question.groups]
    found = [s for s in scores if s.value is not None and (question.name == "Complete" or _compares(s, aside))]
    if not blind and not found and not aside.real and not report.judged and question.name != "Complete":
        return Line(question, "none", "the rows were made without real ones")
    if blind or not found:
        return Line(question, "unknown", _unmeasured(blind, scores))
    if doubts:
        guarantee = [_guaranteed(report)] if question.name == "Private" else []
        return Line(question, "doubt", by + "; ".join([*_few(doubts, _SOME), *guarantee]))
    return Line(question, "yes", by + _holding(report, question, found, aside))


def _compares(score: ScoreRow, aside: Aside) -> bool:
    """Return whether a score says anything of likeness: without real rows, and so without a reference, it does not."""
    return aside.real or score.reference is not None


def _failures(report: Report, lost: Sequence[GateRow], aside: Aside) -> list[str]:
    """Return a clause for every metric that fails, the weightiest first."""
    failing: dict[str, str] = {}
    for gate in lost:
        failing.setdefault(parse(gate.gate).metric, parse(gate.gate).name)
    return [_fails(report, m, aside, failing[m]) for m in sorted(failing, key=lambda m: words(m).rank)]


def _fails(report: Report, metric: str, aside: Aside, score: str = "") -> str:
    """Say how a metric fails, where most, and how much; by its score about the whole where no score is named."""
    clause = words(metric).fails
    if metric == "tstr" and aside.target:
        predicted = short_name(report, aside.target)
        clause = f"a model trained on it predicts {predicted} worse than one trained on real rows"
    share = _share_failing(report, metric) if metric in _SHARES else ""
    worst = next(iter(worst_parts(report, metric, 1)), None)
    # an attack's parts are kinds of attack, which say nothing in a sentence
    if worst and (metric == "rules" or worst.about.startswith(tuple(f"{t}." for t in report.rows))):
        much = "" if share else f" ({how_much(worst)})"
        return f"{share or clause}, most of all {named(report, worst)}{much}"
    if share:
        return share
    whole = next((s for s in report.scores if s.name == (score or metric) and s.value is not None), None)
    return clause if whole is None else f"{clause} ({how_much(whole)})"


def _share_failing(report: Report, metric: str) -> str:
    """Say how many rows fail, and how many real ones do; nothing where that is not known, or none does."""
    whole = next((s for s in report.scores if s.metric == metric and not s.about and s.value is not None), None)
    if whole is None or whole.value is None:
        return ""
    which, clause = _SHARES[metric]
    share, real = (None if v is None else v if which == "value" else 1 - v for v in (whole.value, whole.reference))
    if not share:
        return ""
    beside = f" (of other real rows {per_cent(real)})" if real and real >= _TOLD else ""
    return clause.format(per_cent(share)) + beside


def _doubts(report: Report, question: Question, aside: Aside) -> list[str]:
    """Return what no gate refuses and the reader must know: what is waived, falls short, is too close, or unseen."""
    gates = gates_by_score(report)
    missed = [w for w in report.waived if w.missed and group_of(parse(w.gate).metric) in question.groups]
    why = [w.because for w in missed]
    out = [f"{_fails(report, parse(w.gate).metric, aside)} "
           + ("(waived too)" if w.because in why[:i] else f"(waived: {spelled(w.because, 200)})")
           for i, w in enumerate(missed)]  # fmt: skip
    waived = {parse(w.gate).metric for w in report.waived}
    stands = [(s, standing(s.score(), s.goal)) for s in report.scores]
    out += [_fails(report, s.metric, aside) for s, how in stands if how == "short" and s.name not in gates
            and s.metric not in waived and group_of(s.metric) in question.groups]  # fmt: skip
    out += [f"{_nearly(report, s, aside)}, which chance allows, but seldom" for s in report.scores
            if nearly(s.score()) and group_of(s.metric) in question.groups]  # fmt: skip
    out += _hidden(report, question)
    if question.name == "Private":
        out += [_CLOSER] if any(how == "close" for _, how in stands) else []
        looked = risks(report)
        unseen = [risk.lower() for risk in RISKS if risk not in looked]
        if unseen and looked:
            out.append(f"{_and(unseen)} {'was' if len(unseen) == 1 else 'were'} not looked at")
    return out


def _nearly(report: Report, score: ScoreRow, aside: Aside) -> str:
    """Say what chance barely allows."""
    if score.about:  # of values only those far out
        where = f", most of all in {short_name(report, score.problem)}" if score.problem else ""
        return f"{per_cent(score.value or 0.0)} of its rows have numbers far beyond those of real rows{where}"
    return _fails(report, score.metric, aside)


def _hidden(report: Report, question: Question) -> list[str]:
    """Say how much could be wrong that so few rows do not show: what is not found is no proof then."""
    found = {s.metric: s for s in report.scores if not s.about and s.value is not None and s.chance is not None}
    out = []
    for name, metric, most, clause in _FEW:
        chance = found[metric].chance if name == question.name and metric in found else None
        if chance is not None and chance > most:
            out.append(clause.format(said(round(chance, 2)) if metric == "tstr" else per_cent(chance)))
    return out


def _holding(report: Report, question: Question, found: Sequence[ScoreRow], aside: Aside) -> str:
    """Say what holds, and where it is weakest."""
    if question.name == "Private":
        tried = _and([risk.lower() for risk in RISKS if risk in risks(report)]) or "the attacks"
        return f"by {tried} no more is found of the real rows than chance allows; {_guaranteed(report)}"
    metrics = sorted(dict.fromkeys(s.metric for s in found), key=lambda m: words(m).rank)
    holding = [_holds(report, m, aside) for m in metrics][:_MOST]
    if question.name == "Faithful":
        worst = next((w for m in ("shape", *metrics) if (w := worst_of(report, m))), None)
        holding += [f"farthest off is {named(report, worst)} ({how_much(worst)})"] if worst else []
    return "; ".join(holding)


def _varied(report: Report) -> str:
    """Return why rows were not asked to be private, where they are real ones that were varied; else nothing."""
    return next((w.because for w in report.waived if w.because == VARIED), "")


def _guaranteed(report: Report) -> str:
    if report.spend.epsilon is None:
        return "no formal guarantee"
    return f"guaranteed is epsilon {said(report.spend.epsilon)} per {report.spend.unit}"


def risks(report: Report) -> set[str]:
    """Return the risks to privacy that were measured."""
    return {ATTACKS[s.metric].risk for s in report.scores if s.metric in ATTACKS and s.value is not None}


def _holds(report: Report, metric: str, aside: Aside) -> str:
    if metric == "tstr" and aside.target:
        return f"models learn from them to predict {short_name(report, aside.target)} as from real rows"
    return words(metric).holds


def _few(clauses: Sequence[str], most: int = _MOST) -> list[str]:
    """Return the first reasons, and how many more there are."""
    more = len(clauses) - most
    rest = [f"and {more} more reason{'' if more == 1 else 's'}"] if more > 0 else []
    return [*clauses[:most], *rest]


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
    telling = [line for line in lines if line.question.name != "Complete"]
    unknown = [line.question.name.lower() for line in telling if line.answer == "unknown"]
    doubts = [d for line in lines if line.answer == "doubt" for d in _doubts(report, line.question, aside)]
    if real := _varied(report):
        doubts, unknown = [real, *doubts], [name for name in unknown if name != "private"]
    if doubts:
        doubts += [f"whether they are {_and(unknown)} was not measured"] if unknown else []
        return f"{rows} may be used with care: {'; '.join(_few(doubts))}."
    claims = [_claim(line, aside, report) for line in telling if line.answer == "yes"]
    if not claims:
        why = "nothing else was measured" if aside.real else "without real rows nothing else can be measured"
        return f"{rows} may be used as far as rules, keys and number go: {why}."
    if unknown:
        claims.append(f"whether they are {_and(unknown)} was not measured")
    return f"{rows} may be used: {_listed(claims)}."


def _refusal(report: Report, lines: Sequence[Line], aside: Aside) -> str:
    by_name = {line.question.name: line for line in lines}
    lost = [g for g in report.gates if missed(g)]
    clauses: list[str] = []
    for name in _FIRST:
        groups = by_name[name].question.groups if name in by_name else ()
        mine = [g for g in lost if group_of(parse(g.gate).metric) in groups]
        clauses += _failures(report, mine, aside)[:1]  # one of each question: the page says the rest
    known = {g for line in lines for g in line.question.groups}
    clauses += _failures(report, [g for g in lost if group_of(parse(g.gate).metric) not in known], aside)
    if clauses:
        return f"Do not use this data: {'; '.join(_few(clauses))}."
    titles = list(dict.fromkeys(words(parse(g.gate).metric).title.lower() for g in report.gates if not g.passed))
    rest = [f"and {len(titles) - _MOST} more"] if len(titles) > _MOST else []
    return f"Do not use this data yet: it is not proven. Not measured: {'; '.join([*titles[:_MOST], *rest])}."


def _claim(line: Line, aside: Aside, report: Report) -> str:
    match line.question.name:
        case "Faithful":
            return "they look like other real rows"
        case "Useful" if aside.target:
            return f"models learn from them to predict {short_name(report, aside.target)} as from real rows"
        case "Useful":
            return "models learn from them as from real rows"
        case "Private":
            return "no attack that was tried finds more of the real rows in them than chance does"
        case _:
            return "they treat groups as real rows do"


def _listed(clauses: Sequence[str]) -> str:
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, and {clauses[-1]}"


def _and(names: Sequence[str]) -> str:
    """Return names as a sentence lists them."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _tries(report: Report) -> tuple[Try, ...]:
    """Return what to try about each metric whose gate is not met, in the order of the verdict."""
    failing: dict[str, list[GateRow]] = {}
    for gate in report.gates:
        if not gate.passed:
            failing.setdefault(parse(gate.gate).metric, []).append(gate)
    order = {g: i for i, name in enumerate(_FIRST) for q in QUESTIONS if q.name == name for g in q.groups}
    ranked = sorted(failing, key=lambda m: (order.get(group_of(m), len(order)), words(m).rank))
    return tuple(advise(report, m, failing[m]) for m in ranked)
