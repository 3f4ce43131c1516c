"""Ways of mixing synthetic with real rows: what each gained, what is recommended, and why; `mix.json` is this."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field as Setting

from synthwright.core.schema import Frozen
from synthwright.report.released import write_forms

REAL, DUPLICATE, WEIGHTS = "real", "duplicate", "weights"
SIMPLE = (DUPLICATE, WEIGHTS)
"""Ways that need no generator."""
SCORES = {
    "two classes": "average precision",
    "many classes": "average precision, the mean over classes",
    "number": "share of variance explained",
}
"""What models are judged by."""
Dosed = Literal["positives", "rows", "nothing"]
_NUMBER = Setting(default=None, allow_inf_nan=False)


class Interval(Frozen):
    """A number with its 95 % interval."""

    value: float = Setting(allow_inf_nan=False)
    low: float = Setting(allow_inf_nan=False)
    high: float = Setting(allow_inf_nan=False)

    @property
    def above(self) -> bool:
        """Whether all of it is above zero."""
        return self.low > 0


class Way(Frozen):
    """One way of mixing: a method and how much of it."""

    name: str
    """A generator, `duplicate`, `weights`, or `real`: nothing is added."""
    of: Dosed = "nothing"
    """What `share` is the share of: `positives`, rows of the class to be found; `rows`, synthetic rows."""
    share: float | None = _NUMBER
    """Their share of all rows that are learned from."""

    @property
    def label(self) -> str:
        """What people call it."""
        if self.name == REAL:
            return "real rows alone"
        if self.share is None:
            return self.name
        beside = " positives" if self.of == "positives" else ""
        return f"{self.name} {100 * self.share:.3g} %{beside}"

    @property
    def simple(self) -> bool:
        """Whether it needs no generator."""
        return self.name in SIMPLE


class Candidate(Way):
    """What a way of mixing gained on the folds of the training rows."""

    outcome: Literal["measured", "failed", "stopped"] = "measured"
    reason: str = ""
    """Why it failed or was stopped."""
    rows: int = 0
    """Rows that it adds to all training rows."""
    score: float | None = _NUMBER
    gain: Interval | None = None
    """How much its score is above that of real rows alone."""
    matched: float | None = _NUMBER
    """Recall at the precision of real rows alone."""
    matched_gain: Interval | None = None
    seconds: float | None = _NUMBER
    """How long all ways of its method took on the folds."""


class Confirmed(Way):
    """What a way of mixing came to on rows that nothing was chosen on."""

    tuned: bool = True
    """Whether its threshold was tuned on the folds; else it is a half."""
    rows: int = 0
    score: Interval
    gain: Interval | None = None
    """How much its score is above that of real rows alone."""
    over: Interval | None = None
    """How much its score is above that of the best simple way."""
    matched: Interval | None = None
    """Recall at the precision of real rows alone."""
    threshold: float | None = _NUMBER
    recall: Interval | None = None
    """The share of positive rows above the threshold."""
    precision: Interval | None = None
    """The share of rows above the threshold that are positive."""


class Mixed(Frozen):
    """What a study of mixing found: `candidates`, `confirmed`, `recommended`, `because`; `show()` prints it."""

    synthwright: str
    data: str
    """What the data is called."""
    target: str
    """The column that models predict, as `table.column`."""
    task: Literal["two classes", "many classes", "number"]
    positive: str | None = None
    """Of two classes, the one to be found."""
    score: str
    """What models are judged by."""
    train: int
    """Real rows that were learned from and chosen on."""
    test: int
    """Real rows that confirmed."""
    positives: tuple[int, int] | None = None
    """How many of each are positive."""
    folds: int
    repeats: int
    """Models, with rows of their own, on each fold."""
    confirming: int
    """Models, with rows of their own, on all training rows."""
    seed: int = 0
    budget: float | None = _NUMBER
    """Seconds that a method could take on the folds, and again on all training rows."""
    alone: float | None = _NUMBER
    """The score of real rows alone on the folds."""
    precision: float | None = _NUMBER
    """The precision of real rows alone on the folds, at which recall is compared there."""
    matched: float | None = _NUMBER
    """Their recall at that precision."""
    candidates: tuple[Candidate, ...] = ()
    confirmed: tuple[Confirmed, ...] = ()
    """Real rows alone, and what was best on the folds; at most one way that needs a generator."""
    recommended: Way | None = None
    """None: real rows alone."""
    because: str = ""
    """The recommendation and its reason."""
    threshold: str = ""
    """Of two classes: what moving the threshold does without any other row."""
    recipe: str = ""
    """The specification that makes the rows, beside this file."""
    notes: tuple[str, ...] = ()

    @property
    def table(self) -> Any:
        """A row for each candidate, as an Arrow table: `.to_pandas()` gives a frame."""
        import pyarrow as pa

        return pa.Table.from_pylist([_flat(c) for c in self.candidates], schema=pa.schema(_COLUMNS))

    def show(self, console: Any = None) -> None:
        """Print the study; to a rich console if given."""
        from synthwright.report.mixed_shown import print_mixed

        print_mixed(self, console)

    def to_json(self) -> dict[str, Any]:
        """Return the contents of `mix.json`."""
        return self.model_dump(mode="json")

    def write(self, folder: Path) -> list[Path]:
        """Write `mix.json`, `mix.md` and `mix.html` into a folder; return them."""
        from synthwright.report.mixed_shown import mixed_html, mixed_markdown

        return write_forms(folder, "mix", self.to_json(), mixed_markdown(self), mixed_html(self))

    def _repr_html_(self) -> str:
        from synthwright.report.mixed_shown import mixed_part

        return mixed_part(self)


_COLUMNS = [("method", "string"), ("of", "string"), ("share", "float64"), ("rows", "int64"), ("outcome", "string"),
            ("reason", "string"), ("score", "float64"), ("gain", "float64"), ("low", "float64"), ("high", "float64"),
            ("matched", "float64"), ("seconds", "float64")]  # fmt: skip


def _flat(one: Candidate) -> dict[str, Any]:
    gain = one.gain.model_dump() if one.gain else {"value": None, "low": None, "high": None}
    return {"method": one.name, "of": one.of, "share": one.share, "rows": one.rows, "outcome": one.outcome,
            "reason": one.reason, "score": one.score, "gain": gain["value"], "low": gain["low"], "high": gain["high"],
            "matched": one.matched, "seconds": one.seconds}  # fmt: skip


def finalists(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return what is worth confirming: what gained most on the folds, and of the simple ways the best, if it gained."""
    gained = [c for c in candidates if c.gain is not None and c.gain.value > 0]
    if not gained:
        return ()
    best = max(gained, key=_gain)
    simple = [c for c in gained if c.simple]
    return (best,) if best.simple or not simple else (best, max(simple, key=_gain))


def _gain(one: Candidate) -> float:
    assert one.gain is not None  # noqa: S101  its callers looked
    return one.gain.value


class Verdict(Frozen):
    """Which way to take, and why."""

    recommended: Way | None = None
    because: str


def advise(candidates: Sequence[Candidate], confirmed: Sequence[Confirmed], score: str, test: int) -> Verdict:
    """Recommend what gains on held-out rows beyond chance: of two that do, the simple one, unless the other gains more.

    Args:
        candidates: what was tried on the folds.
        confirmed: what was confirmed, real rows alone first.
        score: what models are judged by.
        test: how many rows confirmed.
    """
    ways = finalists(candidates)
    if not any(c.outcome == "measured" for c in candidates):
        return Verdict(because="Nothing that was tried finished, so real rows alone stand: the table says what went "
                       "wrong.")  # fmt: skip
    if not ways:
        return Verdict(because=f"Real rows alone are best: on the folds nothing that was added raised {score}.")
    found = [c for c in confirmed if c.gain is not None]
    best = next((c for c in found if c.label == ways[0].label), None)
    if best is None or best.gain is None:
        return Verdict(because=f"Real rows alone stand: {ways[0].label} was best on the folds, but did not finish on "
                       "all training rows.")  # fmt: skip
    simple = next((c for c in found if c.simple and c is not best), None)
    if simple is not None and simple.gain is not None and simple.gain.above and not (best.over and best.over.above):
        more = f" {best.label} is no better than that, but for chance: {_said(best.over)}." if best.over else ""
        return Verdict(recommended=_way(simple), because=_praise(simple, score, test) + more)
    if best.gain.above:
        over = f" Against {simple.label} it is {_said(best.over)}." if simple is not None and best.over else ""
        return Verdict(recommended=_way(best), because=_praise(best, score, test) + over)
    how = "loses" if best.gain.high < 0 else "is not shown to gain"
    return Verdict(because=f"Real rows alone are best: {best.label}, the best of {len(candidates)} on the folds, {how} "
                   f"on {test:,} held-out rows: {score} {_said(best.gain)}.")  # fmt: skip


def _way(one: Way) -> Way:
    return Way(name=one.name, of=one.of, share=one.share)


def _praise(one: Confirmed, score: str, test: int) -> str:
    what = {DUPLICATE: "Repeat positive rows", WEIGHTS: "Weigh classes"}.get(one.name, f"Add {one.rows:,} rows")
    return (f"{what} ({one.label}): on {test:,} held-out rows {score} is {one.score.value:.3f}, against real rows "
            f"alone {_said(one.gain)}.")  # fmt: skip


def _said(one: Interval | None) -> str:
    return "" if one is None else f"{one.value:+.3f} (95 % interval {one.low:+.3f} to {one.high:+.3f})"


def threshold_told(confirmed: Sequence[Confirmed]) -> str:
    """Return what moving the threshold does without any other row; empty where there is none."""
    real = {c.tuned: c for c in confirmed if c.name == REAL}
    if len(real) < 2:
        return ""
    old, new = real[False], real[True]
    return (f"Without any other row, a threshold of {new.threshold or 0:.3g} in place of {old.threshold or 0:.3g} "
            f"finds {_found(new)}, not {_found(old)}.")  # fmt: skip


def _found(one: Confirmed) -> str:
    if one.recall is None or one.precision is None:
        return "nothing that was counted"
    return f"{100 * one.recall.value:.0f} % of the positive rows at precision {one.precision.value:.2f}"
