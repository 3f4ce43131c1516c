"""The report: what was measured, what was asked of it, and the verdict; `report.json` is this, word for word."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, Unpack

from pydantic import Field as Setting
from pydantic import ValidationError, model_validator

from synthwright.core import registry
from synthwright.core.contracts import Score
from synthwright.core.errors import StoreError
from synthwright.core.gates import parse, score_name
from synthwright.core.ruling import Waived
from synthwright.core.schema import Frozen
from synthwright.core.spend import Spend
from synthwright.report.diversity import DiversityRow, warned
from synthwright.report.effort import CellRow, CostRow
from synthwright.report.released import write_whole
from synthwright.report.verdict import GateResult, Outcome, said, settle, verdict, warnings

_NUMBER = Setting(default=None, allow_inf_nan=False)


class ScoreRow(Frozen):
    """One score as the report keeps it."""

    metric: str
    about: str = ""
    value: float | None = _NUMBER
    reference: float | None = _NUMBER
    low: float | None = _NUMBER
    high: float | None = _NUMBER
    goal: Literal["lower", "higher"] | None = None
    """Which way is better; nothing where the metric is unknown here."""
    status: Literal["ok", "not-applicable", "failed"] = "ok"
    problem: str | None = None
    chance: float | None = _NUMBER
    """How much worse than its reference a second real sample scores by chance in one of 20,000 cases."""

    @property
    def name(self) -> str:
        """The score as a gate names it."""
        return score_name(self.metric, self.about)

    def score(self) -> Score:
        """Return the score as a metric gave it."""
        return Score(**self.model_dump(exclude={"goal"}))


class GateRow(Frozen):
    """One gate as the report keeps it."""

    gate: str
    value: float | None = _NUMBER
    bound: float | None = _NUMBER
    passed: bool
    why: str = ""
    """Which score, and by how much it is off."""


class WaivedRow(Frozen):
    """One default gate that does not rule on the release."""

    gate: str
    because: str
    missed: str = ""
    """What it would have said, where the data does not meet it."""


class WentRow(Frozen):
    """Rows of one table that went for one reason."""

    table: str
    reason: str
    """The reason code."""
    about: str = ""
    """Which rule was broken, or which column had no value."""
    rows: int

    @property
    def sentence(self) -> str:
        """What went, and why: `order: 12 rows dropped, rule "paid >= 0"`."""
        return f"{self.table}: {self.rows:,} row{'s' if self.rows != 1 else ''} dropped, {self.about or self.reason}"


class SpendRow(Frozen):
    """What the run cost in privacy."""

    epsilon: float | None = _NUMBER
    """Nothing: there is no formal guarantee."""
    delta: float = Setting(default=0.0, allow_inf_nan=False)
    unit: str = "row"


class Told(TypedDict):
    """What a report is told beside scores and gates."""

    rows: Mapping[str, int]
    """Synthetic rows of each table."""
    fingerprint: str
    """The identity of the run."""
    dropped: NotRequired[Mapping[str, int]]
    """How many rows went, by reason code."""
    went: NotRequired[Sequence[WentRow]]
    """The same by table, rule and column."""
    costs: NotRequired[Sequence[CostRow]]
    """What language models cost."""
    cells: NotRequired[Sequence[CellRow]]
    """How the cells that were asked for were filled."""
    diversity: NotRequired[Sequence[DiversityRow]]
    """How varied written texts were, wave by wave."""
    seconds: NotRequired[Mapping[str, float]]
    """How long each step took."""
    spend: NotRequired[Spend | None]
    """What the run cost in privacy; nothing: no formal guarantee."""
    notes: NotRequired[Sequence[str]]
    """What was guessed or left out."""
    waived: NotRequired[Sequence[Waived]]
    """Default gates that do not rule."""
    generation: NotRequired[int]
    """How many generations of made rows lie between these and real ones, these included."""
    judged: NotRequired[bool]
    """Whether the data was made elsewhere and only judged here."""


class Report(Frozen):
    """What was measured and what came of it."""

    synthwright: str
    """The version that wrote it."""
    verdict: Outcome
    rows: dict[str, int]
    """Synthetic rows of each table."""
    scores: tuple[ScoreRow, ...]
    gates: tuple[GateRow, ...]
    waived: tuple[WaivedRow, ...] = ()
    """Default gates that do not rule, and why."""
    warnings: tuple[str, ...] = ()
    """What no gate rules on and the reader should know, a sentence each."""
    notes: tuple[str, ...] = ()
    """What was guessed or left out, a sentence each."""
    dropped: dict[str, int] = Setting(default_factory=dict)
    """How many rows went, by reason code."""
    went: tuple[WentRow, ...] = ()
    """The same by table, and by the rule or column that the reason is about."""
    costs: tuple[CostRow, ...] = ()
    """What language models cost, a row for each part and model."""
    cells: tuple[CellRow, ...] = ()
    """How the cells that were asked for were filled."""
    diversity: tuple[DiversityRow, ...] = ()
    """How varied written texts were, wave by wave."""
    seconds: dict[str, float] = Setting(default_factory=dict)
    """How long each step took."""
    spend: SpendRow = SpendRow()
    generation: int = 1
    """1: made from real rows, or by rules; 2: from rows that were made from those; and so on."""
    judged: bool = False
    """Whether the data was made elsewhere and only judged here: then nothing is released."""
    fingerprint: str = ""
    """The identity of the run: specification, seed and inputs."""

    @model_validator(mode="after")
    def _verdict_follows_gates(self) -> Report:
        if (self.verdict == "released") != all(g.passed for g in self.gates):
            raise ValueError(f"the verdict {self.verdict!r} does not follow from the gates")
        return self

    @staticmethod
    def of(scores: Sequence[Score], gates: Sequence[GateResult], *, goals: Mapping[str, str] | None = None,
           **told: Unpack[Told]) -> Report:  # fmt: skip
        """Return the report of these scores and settled gates; verdict and warnings follow from them.

        Args:
            scores: what the metrics gave.
            gates: what `settle` made of them.
            goals: "lower" or "higher" by metric; nothing: what the registered metrics say.
            told: what else is known of the run, see `Told`.
        """
        from synthwright import __version__

        if goals is None:
            goals = _goals({s.metric for s in scores})
        spend = told.get("spend") or Spend()
        return Report(
            synthwright=__version__,
            verdict=verdict(gates),
            rows=dict(told["rows"]),
            scores=tuple(_row(s, goals.get(s.metric)) for s in scores),
            gates=tuple(GateRow(**g._asdict()) for g in gates),
            waived=tuple(_waived(scores, w) for w in told.get("waived", ())),
            warnings=(
                *descended(told.get("generation", 1)),
                *warned(told.get("diversity", ())),
                *warnings(scores, [g.gate for g in gates], goals),
            ),
            notes=tuple(told.get("notes", ())),
            dropped={k: n for k, n in sorted(told.get("dropped", {}).items()) if n},
            went=tuple(told.get("went", ())),
            costs=tuple(told.get("costs", ())),
            cells=tuple(told.get("cells", ())),
            diversity=tuple(told.get("diversity", ())),
            seconds={k: round(v, 3) for k, v in told.get("seconds", {}).items()},
            spend=SpendRow(epsilon=_finite(spend.epsilon), delta=spend.delta, unit=spend.unit),
            generation=told.get("generation", 1),
            judged=told.get("judged", False),
            fingerprint=told["fingerprint"],
        )

    @property
    def passed(self) -> bool:
        """Whether every gate passed."""
        return self.verdict == "released"

    @property
    def summary(self) -> str:
        """The verdict in one sentence: which gates failed and by how much, or that all are met."""
        count = sum(self.rows.values())
        data = f"{count:,} row{'s' if count != 1 else ''}"
        if len(self.rows) > 1:
            data += f" in {len(self.rows)} tables"
        done = "Passed" if self.judged else "Released"
        missed = [g.why for g in self.gates if not g.passed]
        if missed:
            more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
            return f"{'Failed' if self.judged else 'Refused'}: {missed[0]}{more}."
        if not self.gates:
            return f"{done}: {data}; no gate was set, so nothing was asked of them."
        ruling = sum(g.value is not None for g in self.gates)
        if ruling == len(self.gates):
            return f"{done}: {data}; {'the gate is' if ruling == 1 else f'all {ruling} gates are'} met."
        return f"{done}: {data}; {ruling} of {len(self.gates)} gates apply, and all of these are met."

    def to_json(self) -> dict[str, Any]:
        """Return the contents of `report.json`."""
        return self.model_dump(mode="json")

    def write(self, path: Path) -> None:
        """Write `report.json`, whole or not at all."""
        write_whole(path, json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    @staticmethod
    def read(path: Path) -> Report:
        """Read what `write` wrote; a StoreError where it is missing, altered or of another form."""
        try:
            return Report.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise StoreError(str(path), "the report", wanted="a report.json", got="no such file") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise StoreError(str(path), f"the report, at {where}", wanted="what Synthwright wrote", got=first["msg"],
                             remedy="run the command again to write it anew") from None  # fmt: skip

    def show(self, console: Any = None) -> None:
        """Print the verdict, the scores about the whole, the gates and the warnings; to a rich console if given."""
        from synthwright.report.show import print_report

        print_report(self, console)

    def _repr_html_(self) -> str:
        whole = [s for s in self.scores if s.about in ("", "worst")]
        cells = [(s.name, said(s.value), said(s.reference), s.problem or s.status) for s in whole]
        rows = ["<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in cells]
        gates = [f"<li>{'met' if g.passed else '<b>not met</b>'}: <code>{escape(g.gate)}</code> ({escape(g.why)})</li>"
                 for g in self.gates]  # fmt: skip
        head = "<tr><th>score</th><th>value</th><th>reference</th><th></th></tr>"
        lines = "".join(f"<li>{escape(w)}</li>" for w in self.warnings)
        return (f"<p><b>{escape(self.summary)}</b></p><table>{head}{''.join(rows)}</table>"
                f"<ul>{''.join(gates)}</ul><ul>{lines}</ul>")  # fmt: skip


def descended(generation: int) -> tuple[str, ...]:
    """Return what readers must know of rows that were made from made rows; nothing of those made from real ones."""
    if generation < 2:
        return ()
    said = (f"These rows are generation {generation}: they were made from rows that are synthetic themselves "
            f"(generation {generation - 1}), and scores compare them with those, not with real rows. Each generation "
            "loses some of what is rare: `synthwright collapse` shows how much on your real rows.")  # fmt: skip
    return (said,)


def gates_by_score(report: Report) -> dict[str, GateRow]:
    """Return the gate that rules on each score, by the score's name; of several, one that is not met."""
    first_met = sorted(report.gates, key=lambda g: not g.passed)
    return {parse(g.gate).name: g for g in first_met}


def _row(score: Score, goal: str | None) -> ScoreRow:
    """Keep a score; one that claims to be ok and has no number is a failure."""
    value, status, problem = _finite(score.value), score.status, score.problem
    if status == "ok" and value is None:
        status, problem = "failed", problem or "the metric gave no number"
    known: dict[str, Any] = {"goal": goal} if goal in ("lower", "higher") else {}
    numbers = {"reference": _finite(score.reference), "low": _finite(score.low), "high": _finite(score.high),
               "chance": _finite(score.chance)}  # fmt: skip
    return ScoreRow(metric=score.metric, about=score.about, value=value, status=status, problem=problem, **numbers,
                    **known)  # fmt: skip


def _waived(scores: Sequence[Score], waived: Waived) -> WaivedRow:
    result = settle(scores, [waived.gate])[0]
    return WaivedRow(gate=waived.gate, because=waived.because, missed="" if result.passed else result.why)


def _goals(metrics: set[str]) -> dict[str, str]:
    from synthwright.core.contracts import Metric

    known = set(registry.names("metrics"))
    found = {m: registry.find("metrics", m) for m in sorted(metrics & known)}
    return {m: cls.goal for m, cls in found.items() if issubclass(cls, Metric)}


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
