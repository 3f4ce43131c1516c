"""Several methods on one table: what each came to, which is recommended, and why; `compare.json` is this."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field as Setting

from synthwright.core.gates import parse
from synthwright.core.schema import Frozen
from synthwright.report.released import write_forms
from synthwright.report.report import Report
from synthwright.report.worst import group_of

TOLD_APART, USED, RELATED = "detection", "tstr", "trend"
SHOWN = ("detection", "shape", "trend", "tstr", "membership", "near-copies")
"""The scores that methods are compared by."""
_PRIVATE = ("membership", "near-copies")
"""Of which the one that is farthest beyond its reference says how private a method's rows are."""
Outcome = Literal["passed", "refused", "failed", "stopped"]
_NUMBER = Setting(default=None, allow_inf_nan=False)
_NAMED = 3
"""Gates and methods that a sentence names."""


class Measured(Frozen):
    """One score of a method, with what a second real sample gets."""

    value: float | None = _NUMBER
    reference: float | None = _NUMBER
    chance: float | None = _NUMBER
    """How much worse than its reference a second real sample scores by luck alone."""
    better: Literal["lower", "higher"] = "lower"

    @property
    def beyond(self) -> float | None:
        """How much worse it is than its reference; below 0 where it is better."""
        if self.value is None or self.reference is None:
            return None
        return self.value - self.reference if self.better == "lower" else self.reference - self.value


class Method(Frozen):
    """What became of one method."""

    name: str
    outcome: Outcome
    """passed: every gate is met; refused: some are not; failed: it made nothing; stopped: it took too long."""
    reason: str = ""
    """Why it failed or was stopped."""
    lacking: bool = False
    """Whether it failed for want of a package that is not installed."""
    scores: dict[str, Measured] = Setting(default_factory=dict)
    gates: int = 0
    """How many gates it was held against."""
    missed: tuple[str, ...] = ()
    """The scores whose gates are not met."""
    rows: int = 0
    """How many rows it made."""
    fit: float | None = _NUMBER
    """Seconds of learning."""
    sample: float | None = _NUMBER
    """Seconds of making rows and of curating them."""
    memory: int | None = None
    """The most bytes that its process held before its rows were measured."""
    report: str = ""
    """Where its own report is, beside the comparison."""

    @staticmethod
    def of(name: str, report: Report, memory: int | None) -> Method:
        """Return what a report says of a method."""
        found = {
            s.metric: Measured(value=s.value, reference=s.reference, chance=s.chance, better=s.goal or "lower")
            for s in report.scores if not s.about and s.metric in SHOWN and s.status == "ok"
        }  # fmt: skip
        spent = report.seconds
        return Method(
            name=name, outcome="passed" if report.passed else "refused", scores=found, gates=len(report.gates),
            missed=tuple(parse(g.gate).name for g in report.gates if not g.passed), rows=sum(report.rows.values()),
            fit=spent.get("fit", 0.0), sample=spent.get("generate", 0.0) + spent.get("curate", 0.0), memory=memory,
        )  # fmt: skip

    @property
    def made(self) -> bool:
        """Whether there are rows that were measured."""
        return self.outcome in ("passed", "refused")

    @property
    def seconds(self) -> float | None:
        """How long learning and making took."""
        return None if self.fit is None or self.sample is None else self.fit + self.sample

    @property
    def pace(self) -> float | None:
        """Rows made in a second, once it has learned."""
        return self.rows / self.sample if self.sample else None

    @property
    def exposing(self) -> tuple[str, ...]:
        """The gates about privacy that it misses."""
        return tuple(name for name in self.missed if group_of(parse(f"{name} <= 0").metric) == "privacy")

    @property
    def utility(self) -> float | None:
        """What models that learned from its rows reach, as a share of what real rows reach; None: no target."""
        used = self.scores.get(USED)
        if used is None or used.value is None or not used.reference:
            return None
        return used.value / used.reference

    @property
    def privacy(self) -> tuple[float, str] | None:
        """How much more its rows give away than real rows nobody learned from, and by which of two attacks."""
        found = [(s.beyond, m) for m in _PRIVATE if (s := self.scores.get(m)) and s.beyond is not None]
        return max(found) if found else None


class Comparison(Frozen):
    """Methods side by side on one table: `methods`, `recommended`, `because`; `show()` prints it."""

    synthwright: str
    data: str
    """What the data is called."""
    real: int
    """Rows of it."""
    wanted: int
    """Rows that each method was asked for."""
    target: str | None = None
    """The column that models are trained to predict."""
    seed: int = 0
    budget: float | None = _NUMBER
    """Seconds that a method could take to learn and to make rows."""
    methods: tuple[Method, ...] = ()
    left_out: dict[str, str] = Setting(default_factory=dict)
    """Methods that were not asked for and cannot make the table, and why."""
    recommended: str | None = None
    """The method to take; None where none meets every gate."""
    nearest: str | None = None
    """Where none is recommended: the one that comes nearest."""
    because: str = ""
    """The recommendation and its reason, in a sentence or two."""
    notes: tuple[str, ...] = ()

    def reference(self, metric: str) -> float | None:
        """Return what a second real sample scores."""
        found = [m.scores[metric].reference for m in self.methods if metric in m.scores]
        return next((r for r in found if r is not None), None)

    @property
    def table(self) -> Any:
        """A row for each method, as an Arrow table: `.to_pandas()` gives a frame."""
        import pyarrow as pa

        return pa.Table.from_pylist([_flat(m) for m in self.methods], schema=pa.schema(_COLUMNS))

    def show(self, console: Any = None) -> None:
        """Print the comparison; to a rich console if given."""
        from synthwright.report.compared_shown import print_comparison

        print_comparison(self, console)

    def to_json(self) -> dict[str, Any]:
        """Return the contents of `compare.json`."""
        return self.model_dump(mode="json")

    def write(self, folder: Path) -> list[Path]:
        """Write `compare.json`, `compare.md` and `compare.html` into a folder; return them."""
        from synthwright.report.compared_shown import comparison_html, comparison_markdown

        return write_forms(folder, "compare", self.to_json(), comparison_markdown(self), comparison_html(self))

    def _repr_html_(self) -> str:
        from synthwright.report.compared_shown import comparison_part

        return comparison_part(self)


_COLUMNS = [("method", "string"), ("outcome", "string"), ("reason", "string"), ("gates", "int64"),
            ("missed", "int64"), *((m, "float64") for m in SHOWN), ("utility", "float64"), ("privacy", "float64"),
            ("seconds", "float64"), ("rows", "int64"), ("rows_per_second", "float64"), ("memory", "int64")]  # fmt: skip


def _flat(method: Method) -> dict[str, Any]:
    scores = {m: s.value for m, s in method.scores.items()}
    exposed = method.privacy
    return {"method": method.name, "outcome": method.outcome, "reason": method.reason, "gates": method.gates,
            "missed": len(method.missed), **scores, "utility": method.utility,
            "privacy": exposed[0] if exposed else None, "seconds": method.seconds, "rows": method.rows,
            "rows_per_second": method.pace, "memory": method.memory}  # fmt: skip


class Advice(Frozen):
    """Which method to take, or which comes nearest, and why."""

    recommended: str | None = None
    nearest: str | None = None
    because: str


def advise(methods: Sequence[Method]) -> Advice:
    """Recommend a method: of those that meet every gate the most useful.

    Of those that are as useful but for chance, it is the one that is hardest to tell from real rows; of those that are
    alike in that too, the quickest.
    """
    made = [m for m in methods if m.made]
    if not made:
        return Advice(because="No method finished, so none can be recommended: the table says what went wrong.")
    passed = [m for m in made if m.outcome == "passed"]
    if not passed:
        return _nearest(made)
    useful = _level(passed, USED)
    alike = _level(useful, TOLD_APART)
    best = min(alike, key=lambda m: (m.seconds or 0.0, m.name))
    return Advice(recommended=best.name, because=f"Take {best.name}: {_why(best, made, passed, useful, alike)}.")


def _level(methods: Sequence[Method], metric: str) -> list[Method]:
    """Return the methods that are no worse than the best by more than chance; all where it was not measured."""
    known = [m for m in methods if metric in m.scores and m.scores[metric].value is not None]
    if not known:
        return list(methods)
    best = min(known, key=lambda m: _cost(m.scores[metric])).scores[metric]
    room = best.chance or 0.0
    return [m for m in known if _cost(m.scores[metric]) <= _cost(best) + room]


def _cost(score: Measured) -> float:
    assert score.value is not None  # noqa: S101  its callers looked
    return score.value if score.better == "lower" else -score.value


def _why(
    best: Method, made: Sequence[Method], passed: Sequence[Method], useful: Sequence[Method], alike: Sequence[Method]
) -> str:  # fmt: skip
    if len(passed) == 1:
        return f"{'it' if len(made) == 1 else f'of {len(made)} methods it alone'} meets every gate"
    among = f"of the {len(passed)} methods that meet every gate"
    target = best.utility
    gain = "" if target is None else f" (models trained on it reach {share(target)} of what real rows reach)"
    if len(useful) == 1:
        return f"{among} it is the most useful{gain}"
    level = f"as useful as the best, but for chance{gain}" if target is not None else "no worse than another"
    apart = best.scores.get(TOLD_APART)
    if len(alike) == 1 and apart is not None and apart.value is not None:
        return f"{among} it is {level}, and the hardest to tell from real rows ({apart.value:.3f}; 0.5 is not at all)"
    hard = ", and as hard to tell from real rows" if apart is not None else ""
    return f"{among} it is {level}{hard}, and the quickest of those ({spent(best.seconds)})"


def _nearest(made: Sequence[Method]) -> Advice:
    """Return the method that misses the fewest gates, those about privacy first."""
    best = min(made, key=lambda m: (len(m.exposing), len(m.missed), -(m.utility or 0.0), m.seconds or 0.0, m.name))
    many, exposing = len(best.missed), len(best.exposing)
    private = "none of them about privacy" if not exposing else (
        "all of them about privacy" if exposing == many else f"{exposing} of them about privacy")  # fmt: skip
    if many == 1:
        private = "which is about privacy" if exposing else "which is not about privacy"
    return Advice(nearest=best.name, because=(
        f"No method meets every gate, so none is recommended. {best.name} comes nearest: of {best.gates} gates it "
        f"misses {many} ({few(best.missed)}), {private}."))  # fmt: skip


def few(names: Sequence[str], most: int = _NAMED) -> str:
    """Return names in a list, of many the first."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def share(number: float | None) -> str:
    """Return a share in per cent."""
    return "" if number is None else f"{100 * number:.1f} %"


def spent(seconds: float | None) -> str:
    """Return how long something took, as short as it can be said."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 600 else f"{seconds / 60:.0f} min"
