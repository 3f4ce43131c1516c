"""The page for the data protection officer: what was attacked and how, what came out, what is guaranteed, what is not.

It says nothing that is not in the report, for a reader who must judge whether the data may be treated as anonymous.
"""

from __future__ import annotations

from collections.abc import Sequence

from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.gates import parse
from synthwright.report.document import Block, Document, Facts, Items, Rows, Section
from synthwright.report.meanings import Meaning, meanings
from synthwright.report.report import GateRow, Report, ScoreRow
from synthwright.report.telling import SAID, Aside, beyond, group_of, short_name, tell, worst_parts
from synthwright.report.verdict import said
from synthwright.report.words import ATTACKS, RISKS, words

TITLE = "For the data protection officer"
_MOST = 40
"""Columns that a list names."""
_PARTS = 10
"""Parts of an attack that are listed, the worst."""
_REPEATS = "exact-copies"
_NOT = (
    "An attacker with other knowledge, or a better attack, may find more than the attacks of this page did.",
    "What was measured holds for these rows. Other rows of the same generator have to be measured again.",
    "Whether the data is anonymous in the sense of the law is a judgement: this page gives the measurements for it.",
)
_KEEPING = (
    "This page is computed from real rows. It holds no row and no value of one, but it is internal: do not publish it.",
    "Keep it with the record of the processing it belongs to while the synthetic rows are in use; delete it with that.",
    "The report beside it shows counts of real rows, of three and more at a time. It is internal too.",
    "A folder called quarantine, where there is one, holds rows that were dropped, some for being too like real ones.",
)
_CONTROL = (
    "Every result stands beside its control: what the same attack finds where nothing was learned from. "
    "An attack that finds no more than its control has found nothing of the rows that were learned from."
)


def officer(report: Report, case: Case) -> Document:
    """Return the page."""
    aside = Aside.of(case)
    explained = {m.metric: m for m in meanings(report)}
    attacks = [m for m in (*ATTACKS, *explained) if m in explained and group_of(m) == "privacy"]
    attacks = list(dict.fromkeys(attacks))
    told = tell(report, aside)
    private = next(line for line in told.lines if line.question.name == "Private")
    first: list[Block] = [f"Is it private? {SAID[private.answer]}: {private.because}.", told.sentence]
    if told.caveat:
        first.append(told.caveat)
    sections = [
        Section("In short", tuple(first)),
        Section("What was looked at", tuple(_data(report, case))),
        Section("Which risks were looked at", (_risks(report, attacks),)),
        Section("Attack by attack", _introduction(attacks)),
        *(_attack(report, explained[m]) for m in attacks),
        Section("Natural repeats", (_repeats(report),)),
        Section("What is guaranteed", (_guarantee(report),)),
        Section("What is not", (Items((*_NOT, *_unseen(explained, attacks, aside))),)),
        Section("What was waived", tuple(_waived(report))),
        Section("Keeping this page", (Items(_KEEPING),)),
    ]
    return Document(TITLE, tuple(sections))


def _data(report: Report, case: Case) -> list[Block]:
    """Say which rows and columns there were."""

    def count(data: Dataset | None, table: str) -> str:
        return f"{data.rows(table):,}" if data is not None and table in data.tables else "none"

    rows = tuple((t, count(case.train, t), count(case.holdout, t), count(case.synthetic, t)) for t in report.rows)
    anew = [c for c in case.schema.columns if case.schema.field(c).anew]
    kept = [c for c in case.schema.columns if case.produced and c not in case.produced]
    facts = [
        ("Training rows", "the real rows that the generator learned from"),
        ("Held-out rows", "real rows that the generator never saw: what an attack finds in them, it finds by luck"),
        ("Columns made anew, without a look at their values", _columns(report, anew) or "none"),
        ("Columns that hold the real values of real rows", _columns(report, kept) or "none"),
        ("Columns whose groups were compared", _columns(report, case.sensitive) or "none was named"),
        ("Made by", "another tool, and judged here" if report.judged else f"Synthwright {report.synthwright}"),
        ("Measured by", f"Synthwright {report.synthwright}"),
        ("Identity of data and run", report.fingerprint or "unknown"),
    ]
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


def _risks(report: Report, attacks: Sequence[str]) -> Rows:
    lines = []
    for risk, asks in RISKS.items():
        tried = [m for m in attacks if m in ATTACKS and ATTACKS[m].risk == risk]
        measured = [m for m in tried if _whole(report, m).value is not None]
        found = [m for m in measured if beyond(_whole(report, m)) or any(not g.passed for g in _ruling(report, m))]
        answer = "not looked at" if not measured else "more than chance allows" if found else "no more than by chance"
        if measured and not any(_ruling(report, m) for m in measured):
            answer += "; no gate rules on it"
        lines.append((risk, asks, ", ".join(words(m).title for m in measured) or "nothing", answer))
    return Rows(("risk", "question", "looked at by", "found"), tuple(lines))


def _introduction(attacks: Sequence[str]) -> tuple[Block, ...]:
    if not attacks:
        return ("No attack was tried: nothing is known of how much these rows give away.",)
    return (_CONTROL,)


def _attack(report: Report, meaning: Meaning) -> Section:
    """Return what one attack assumed, did and found."""
    metric, score = meaning.metric, _whole(report, meaning.metric)
    attack = ATTACKS.get(metric)
    facts = []
    if attack is not None:
        facts += [("Risk", attack.risk), ("The attacker has", attack.knows), ("The attacker", attack.does)]
    facts.append(("Measured", meaning.shows))
    if score.value is None:
        facts.append(("Result", f"{score.status.replace('-', ' ')}: {score.problem or 'no reason given'}"))
    else:
        facts.append(("Result", said(score.value)))
        if score.low is not None and score.high is not None:
            facts.append(("95 % interval", f"{score.low:.3g} to {score.high:.3g}"))
        control = attack.control if attack is not None else "A second real sample."
        known = "not known: there are no rows to measure it on" if score.reference is None else said(score.reference)
        facts.append(("Control", f"{known}. {control}"))
        if score.problem:
            facts.append(("Note", score.problem))
    gates = [f"{'met' if g.passed else 'NOT MET'}: {g.gate} ({g.why})" for g in _ruling(report, metric)]
    facts.append(("Asked of it", "; ".join(gates) or "nothing: no gate rules on it"))
    facts.append(("Not seen by it", meaning.unseen or "unknown"))
    blocks = (Facts(tuple(facts)), *_parts(report, metric))
    return Section(f"{words(metric).title} ({metric})", blocks, 3, meaning.anchor)


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


def _repeats(report: Report) -> str:
    score = _whole(report, _REPEATS)
    if score.value is None or score.reference is None:
        return "It was not measured how often real rows repeat by nature."
    return (f"Real rows repeat too: of rows that the generator never saw, {_share(score.reference)} equal a training "
            f"row in all that was made. Of the synthetic rows {_share(score.value)} do. Synthetic rows that equal real "
            "ones are copies as far as they are more than that.")  # fmt: skip


def _share(share: float) -> str:
    return f"{100 * share:.3g} %"


def _guarantee(report: Report) -> str:
    spend = report.spend
    if spend.epsilon is None:
        return ("Nothing, formally: no differential privacy budget was kept. What this page says was measured, by the "
                "attacks above, and is no proof against others.")  # fmt: skip
    return (f"Differential privacy with epsilon {said(spend.epsilon)} and delta {said(spend.delta)} per {spend.unit}: "
            f"whatever an attacker knows, one {spend.unit} of the source changes the odds of any conclusion from "
            "the models by no more than that. Steps that compare with real rows, such as dropping copies, are not "
            "covered.")  # fmt: skip


def _unseen(explained: dict[str, Meaning], attacks: Sequence[str], aside: Aside) -> list[str]:
    out = [f"{words(m).title}: {explained[m].unseen}" for m in attacks if explained[m].unseen]
    missing = [words(m).title.lower() for m in ATTACKS if m not in attacks]
    if missing:
        out.append(f"Not tried: {', '.join(missing)}.")
    if not aside.holdout:
        out.append("Without held-out rows the controls are weaker: they come from a part of the training rows.")
    return out


def _waived(report: Report) -> list[Block]:
    """Say which default gates did not rule, those of privacy first."""
    if not report.waived:
        return ["Nothing: every gate that is asked by default was asked."]
    ranked = sorted(report.waived, key=lambda w: group_of(parse(w.gate).metric) != "privacy")
    rows = tuple((w.gate, group_of(parse(w.gate).metric) or "unknown", w.because, w.missed or "it would have been met")
                 for w in ranked)  # fmt: skip
    return [Rows(("gate", "about", "why it does not rule", "what it would have said"), rows)]
