"""The page for the data protection officer: what was attacked and how, what came out, what is guaranteed, what is not.

It says nothing that is not in the report, for a reader who must judge whether the rows are still personal data. It
draws no conclusion of law: it names the guidance that its attacks follow, and where they measure less than it asks.
"""

from __future__ import annotations

from collections.abc import Sequence

from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.gates import parse
from synthwright.report.document import Block, Document, Facts, Items, Rows, Section
from synthwright.report.guidance import GUIDANCE, LAW, Basis, keeping, limits
from synthwright.report.meanings import Meaning, meanings
from synthwright.report.report import GateRow, Report, ScoreRow
from synthwright.report.telling import Aside, risks, tell
from synthwright.report.verdict import said
from synthwright.report.words import ATTACKS, GUIDED, RISKS, words
from synthwright.report.worst import beyond, group_of, per_cent, plain_note, short_name, worst_parts

TITLE = "For the data protection officer"
_MOST = 40
"""Columns that a list names."""
_PARTS = 10
"""Parts of an attack that are listed, the worst."""
_REPEATS = "exact-copies"
_CONTROL = (
    "Every result stands beside its control: what the same attack finds where nothing was learned from. "
    "An attack that finds no more than its control has found nothing of the rows that were learned from."
)


def officer(report: Report, case: Case) -> Document:
    """Return the page."""
    aside = Aside.of(case)
    basis = Basis(aside.real, aside.train, aside.holdout, report.judged)
    explained = {m.metric: m for m in meanings(report)}
    asked = [m for m in dict.fromkeys((*ATTACKS, *explained)) if m in explained and group_of(m) == "privacy"]
    attacks = [m for m in asked if _whole(report, m).value is not None]
    sections = [
        Section("In short", tuple(_short(report, aside))),
        Section("Whose rows were looked at", tuple(_data(report, case, basis))),
        Section("Which risks were looked at", (_risks(report, attacks), GUIDANCE)),
        Section("Attack by attack", _introduction(attacks)),
        *(_attack(report, explained[m]) for m in attacks),
        *_silent(report, asked, attacks),
        *([Section("Natural repeats", (repeats,))] if (repeats := _repeats(report, basis)) else []),
        Section("What is guaranteed", (_guarantee(report),)),
        Section("What is not guaranteed", (Items((*limits(basis), *_unseen(explained, attacks))),)),
        Section("What was waived", tuple(_waived(report))),
        Section("Keeping this page", (Items(keeping(basis)),)),
    ]
    return Document(TITLE, tuple(sections))


def finding(report: Report, aside: Aside) -> tuple[str, str]:
    """Return what the attacks found together, as an answer and in a sentence."""
    private = next(line for line in tell(report, aside).lines if line.question.name == "Private")
    found = [risk.lower() for risk in RISKS if _found(report, risk)]
    if private.answer == "none":
        return "none", "No attack applies: the rows were made without real ones."
    if not risks(report):
        return "unknown", f"No attack was carried out: {private.because}."
    if found or private.answer == "no":
        of = f", by {' and '.join([', '.join(found[:-1]), found[-1]] if len(found) > 1 else found)}" if found else ""
        return ("no" if private.answer == "no" else "doubt"), (
            f"Attacks found more of the real rows than chance allows{of}: {private.because}."
        )
    if private.answer == "unknown":
        return "unknown", f"Not all that was asked was measured: {private.because}."
    if private.answer == "doubt":
        return "doubt", f"No attack found more of the real rows than chance allows, but: {private.because}."
    return "yes", "No attack that was carried out found more of the real rows than chance allows."


def _short(report: Report, aside: Aside) -> list[Block]:
    told = tell(report, aside)
    out: list[Block] = [finding(report, aside)[1], LAW, f"The verdict of the whole report: {told.sentence}"]
    if told.caveat:
        out.append(told.caveat)
    return out


def _data(report: Report, case: Case, basis: Basis) -> list[Block]:
    """Say which rows and columns there were, and who says so."""

    def count(data: Dataset | None, table: str) -> str:
        return f"{data.rows(table):,}" if data is not None and table in data.tables else "none"

    rows = tuple((t, count(case.train, t), count(case.holdout, t), count(case.synthetic, t)) for t in report.rows)
    anew = [c for c in case.schema.columns if case.schema.field(c).anew]
    kept = [c for c in case.schema.columns if case.produced and c not in case.produced]
    facts = []
    if basis.train:
        whose = ", as whoever asked for this page says" if basis.judged else ""
        facts.append(("Training rows", f"the real rows that the generator learned from{whose}"))
    if basis.holdout:
        whose = ", as whoever asked says" if basis.judged else ""
        luck = "what an attack finds in them, it finds by luck, or because it is true of everybody"
        facts.append(("Held-out rows", f"real rows that the generator never saw{whose}; {luck}"))
    facts += [
        ("What a row is", "attacks look at single rows: where a person has several, more may be found of that person"),
        ("Columns made anew, without a look at their values", _columns(report, anew) or "none"),
        ("Columns that hold the real values of real rows",
         _columns(report, kept) or ("none is known of" if basis.judged else "none")),
        ("Columns whose groups were compared", _columns(report, case.sensitive) or "none was named"),
        ("Made by", "not made in this run: given as files, and judged" if basis.judged else
         f"Synthwright {report.synthwright}"),
        ("Measured by", f"Synthwright {report.synthwright}"),
        ("Identity of data and run", report.fingerprint or "unknown"),
    ]  # fmt: skip
    return [Rows(("table", "training rows", "held-out rows", "synthetic rows"), rows, (1, 2, 3)), Facts(tuple(facts))]


def _columns(report: Report, columns: Sequence[str]) -> str:
    more = f" and {len(columns) - _MOST} more" if len(columns) > _MOST else ""
    return ", ".join(short_name(report, c) for c in columns[:_MOST]) + more


def _whole(report: Report, metric: str) -> ScoreRow:
    """Return the score of a metric about the whole; one that failed where it has none."""
    found = next((s for s in report.scores if s.metric == metric and not s.about), None)
    return found or ScoreRow(metric=metric, status="failed", problem="it has no score about the whole")


def _ruling(report: Report, metric: str) -> list[GateRow]:
    return [g for g in report.gates if parse(g.gate).metric == metric]


def _tried(report: Report, risk: str) -> list[str]:
    """Return the attacks on a risk that were carried out."""
    return [m for m in ATTACKS if ATTACKS[m].risk == risk and _whole(report, m).value is not None]


def _found(report: Report, risk: str) -> list[str]:
    """Return the attacks on a risk that found more than chance allows."""
    return [m for m in _tried(report, risk)
            if beyond(_whole(report, m)) or any(not g.passed for g in _ruling(report, m))]  # fmt: skip


def _risks(report: Report, attacks: Sequence[str]) -> Rows:
    lines = []
    for risk, asks in RISKS.items():
        measured = [m for m in attacks if m in _tried(report, risk)]
        answer = "not looked at"
        if measured:
            answer = "more than chance allows" if _found(report, risk) else "no more than chance allows"
            answer += "" if any(_ruling(report, m) for m in measured) else "; no gate rules on it: it can only warn"
        lines.append((f"{risk} *" if risk in GUIDED else risk, asks,
                      ", ".join(words(m).title for m in measured) or "nothing", answer))  # fmt: skip
    return Rows(("risk", "question", "looked at by", "found"), tuple(lines))


def _introduction(attacks: Sequence[str]) -> tuple[Block, ...]:
    if not attacks:
        return ("No attack was carried out: nothing is known of how much these rows give away.",)
    return (_CONTROL,)


def _attack(report: Report, meaning: Meaning) -> Section:
    """Return what one attack assumed, did and found."""
    metric, score = meaning.metric, _whole(report, meaning.metric)
    attack = ATTACKS.get(metric)
    facts = []
    if attack is not None:
        facts += [("Risk", attack.risk), ("The attacker has", attack.knows), ("The attacker", attack.does)]
    facts += [("Measured", meaning.shows), ("Result", said(score.value))]
    if attack is not None:
        facts.append(("Scale", attack.scale))
    if score.low is not None and score.high is not None:
        facts.append(("95 % interval", f"{score.low:.3g} to {score.high:.3g}"))
    control = attack.control if attack is not None else "A second real sample."
    known = "not known (there are no rows to measure it on)" if score.reference is None else said(score.reference)
    facts += [("Control", known), ("The control is", control)]
    if score.problem:
        facts.append(("Note", plain_note(report, score.problem)))
    facts += [("Asked of it", "; ".join(_held(g) for g in _ruling(report, metric)) or
               "nothing: no gate rules on it"), ("Not seen by it", meaning.unseen or "unknown")]  # fmt: skip
    blocks = (Facts(tuple(facts)), *_parts(report, metric))
    return Section(f"{words(metric).title} ({metric})", blocks, 3, meaning.anchor)


def _held(gate: GateRow) -> str:
    """Say what became of a gate."""
    if gate.value is None:
        return f"{'does not apply' if gate.passed else 'NOT MET, for it could not be measured'}: {gate.gate}"
    return f"{'met' if gate.passed else 'NOT MET'}: {gate.gate} ({gate.why})"


def _parts(report: Report, metric: str) -> tuple[Block, ...]:
    """Return what an attack found in parts (kinds of attack, columns), the worst first."""
    worst = worst_parts(report, metric, _PARTS)
    rest = [s for s in report.scores if s.metric == metric and s.about not in ("", "worst") and s not in worst]
    listed = [*worst, *rest][:_PARTS]
    if not listed:
        return ()
    rows = tuple((short_name(report, s.about), s.status.replace("-", " ") if s.value is None else said(s.value),
                  "" if s.low is None or s.high is None else f"{s.low:.3g} to {s.high:.3g}",
                  "" if s.reference is None else said(s.reference)) for s in listed)  # fmt: skip
    return (Rows(("part", "result", "95 % interval", "control"), rows, (1, 3)),)


def _silent(report: Report, asked: Sequence[str], attacks: Sequence[str]) -> list[Section]:
    """Return which attacks were not carried out, and why."""
    rows = []
    for metric in dict.fromkeys((*asked, *ATTACKS)):
        if metric in attacks:
            continue
        score = _whole(report, metric)
        why = f"{score.status.replace('-', ' ')}: {plain_note(report, score.problem or 'no reason given')}"
        rows.append((words(metric).title, ATTACKS[metric].risk if metric in ATTACKS else "",
                     why if metric in asked else "it was not asked for"))  # fmt: skip
    return [Section("Attacks that were not carried out", (Rows(("attack", "risk", "why"), tuple(rows)),))
            ] if rows else []  # fmt: skip


def _repeats(report: Report, basis: Basis) -> str:
    score = _whole(report, _REPEATS)
    if score.value is None:
        return ""
    if score.reference is None:
        return "It was not measured how often real rows repeat by nature."
    others = "rows that the generator never saw" if basis.holdout else "some training rows, held against the others"
    real, made = per_cent(score.reference), per_cent(score.value)
    return (f"Real rows repeat too: of {others}, {real} equal a training row in all that was made. Of the synthetic "
            f"rows {made} do. Those that equal real ones are copies as far as they are more than that.")  # fmt: skip


def _guarantee(report: Report) -> str:
    spend = report.spend
    if spend.epsilon is None:
        how = (
            "no differential privacy budget is known of" if report.judged else "no differential privacy budget was kept"
        )
        return f"Nothing, formally: {how}. Attacks that find nothing are evidence, and no proof against other attacks."
    return (f"Differential privacy with epsilon {said(spend.epsilon)} and delta {said(spend.delta)} per {spend.unit}: "
            f"whatever an attacker knows, one {spend.unit} of the source changes the odds of any conclusion from "
            "the models by no more than that. Steps that compare with real rows, such as dropping copies, are not "
            "covered.")  # fmt: skip


def _unseen(explained: dict[str, Meaning], attacks: Sequence[str]) -> list[str]:
    return [f"{words(m).title}: {explained[m].unseen}" for m in attacks if explained[m].unseen]


def _waived(report: Report) -> list[Block]:
    """Say which default gates did not rule, those of privacy first."""
    if not report.waived:
        return ["Nothing: every gate that is asked by default was asked."]
    ranked = sorted(report.waived, key=lambda w: group_of(parse(w.gate).metric) != "privacy")
    rows = tuple((w.gate, group_of(parse(w.gate).metric) or "unknown", w.because, w.missed or "it would have been met")
                 for w in ranked)  # fmt: skip
    return [Rows(("gate", "about", "why it does not rule", "what it would have said"), rows)]
