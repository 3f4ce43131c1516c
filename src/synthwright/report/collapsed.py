"""Generations that learned from each other: what each kept of the real rows, and when that is no chance any more.

`collapse.json` is this. Every measure is better the higher it is, and is told as a share of what a second real sample
of as many rows has. One rule for every regime flags a generation: in some measure it is below a second real sample, and
below the first generation too, both by more than chance allows (`kit.measuring.chance`). What the first generation
lacks is the generator's own loss; what is lost from then on is the collapse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field as Setting

from synthwright.core.schema import Frozen
from synthwright.kit.measuring.chance import allowance
from synthwright.report.released import write_forms

TAILS, CELLS, ENTROPY, DISTINCT, SPREAD, DEPENDENCE, SHAPE, LIKENESS, UTILITY = (
    "tails", "rare cells", "entropy", "distinct rows", "spread", "dependence", "shape", "likeness", "utility",
)  # fmt: skip
TAIL_MASS, RARE_WORDS, VOCABULARY, PAIRS, UNLIKE, TEXTS = (
    "tail mass", "rare words", "vocabulary", "distinct-2", "unlike others", "distinct texts")  # fmt: skip
MEANINGS = {
    TAILS: "Share of the rows of rare labels and outer 5 % that is kept, cell by cell, the mean over columns.",
    CELLS: "Share of the rare combinations of two columns that occur at all.",
    ENTROPY: "How evenly rows are spread over labels, ranges, and pairs of them; more than real rows is disorder.",
    DISTINCT: "Share of rows that differ, with values in a few ranges; more than real rows is disorder.",
    SPREAD: "Mean distance between two rows, column by column.",
    DEPENDENCE: "Mutual information of two columns, the mean over pairs.",
    SHAPE: "Share of rows that lie as real ones do, column by column.",
    LIKENESS: "How badly trees (of texts: a classifier of words) tell rows from real ones: 1 not at all, 0 always.",
    UTILITY: "How well models that learned from the rows predict the target of real ones.",
    TAIL_MASS: "Share of running text that is rare words of real texts, whichever: one stands for another.",
    RARE_WORDS: "Share of the rare words of real texts that is kept, word by word: none stands for another.",
    VOCABULARY: "Share of the rare words of real texts that occur at all.",
    PAIRS: "Share of pairs of words that differ.",
    UNLIKE: "1 less the mean BLEU of a text beside others (self-BLEU).",
    TEXTS: "Share of texts that differ.",
}
"""What each measure is."""
TOLD = frozenset({UTILITY})
"""Measures that are told but flag nothing: their chance is known from a few models only."""
REPLACE, ACCUMULATE, FRESH = "replace", "accumulate", "fresh"
KEEPS = 0.9
"""The share of tail mass below which the advice calls it lost."""


class Chance(Frozen):
    """What a second real sample measures."""

    reference: float
    error: float
    """The standard deviation of the difference between two real samples."""

    def room(self, parts: int) -> float:
        """Return how far a sample strays from another by chance, where so many measures are looked at."""
        return allowance(self.error, parts)


class Step(Frozen):
    """One generation."""

    generation: int
    learned: int
    """How many rows it learned from."""
    real: float
    """The share of them that were real."""
    values: dict[str, float]
    fallen: tuple[str, ...] = ()
    """The measures that flag it."""


class Regime(Frozen):
    """What each generation learned from, and what became of it."""

    name: str
    share: float | None = None
    """The share of fresh real rows."""
    steps: tuple[Step, ...] = ()

    @property
    def flagged(self) -> int | None:
        """The first generation that is flagged."""
        return next((s.generation for s in self.steps if s.fallen), None)

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.name} {100 * self.share:g} %" if self.share is not None else self.name


class Collapse(Frozen):
    """Generations by regime: `regimes`, `because`; `show()` prints them."""

    synthwright: str
    data: str
    """What the data is called."""
    use: str
    """The generator."""
    real: int
    """Real rows there are."""
    rows: int
    """Rows of a generation."""
    generations: int
    target: str | None = None
    seed: int = 0
    chance: dict[str, Chance] = Setting(default_factory=dict)
    """By measure, in the order in which they are told."""
    regimes: tuple[Regime, ...] = ()
    because: str = ""
    """What to do, in a few sentences."""
    notes: tuple[str, ...] = ()

    def kept(self, measure: str, step: Step) -> float | None:
        """Return what a generation has of a measure, as a share of what a second real sample has."""
        if measure not in step.values or not self.chance[measure].reference:
            return None
        return step.values[measure] / self.chance[measure].reference

    @property
    def table(self) -> Any:
        """A row for each regime, generation and measure, as an Arrow table: `.to_pandas()` gives a frame."""
        import pyarrow as pa

        rows = [{"regime": r.title, "generation": s.generation, "measure": m, "value": s.values[m],
                 "kept": self.kept(m, s), "flagged": m in s.fallen, "learned": s.learned, "real": s.real}
                for r in self.regimes for s in r.steps for m in self.chance if m in s.values]  # fmt: skip
        kinds = [("regime", "string"), ("generation", "int64"), ("measure", "string"), ("value", "float64"),
                 ("kept", "float64"), ("flagged", "bool"), ("learned", "int64"), ("real", "float64")]  # fmt: skip
        return pa.Table.from_pylist(rows, schema=pa.schema(kinds))

    def show(self, console: Any = None) -> None:
        """Print the generations; to a rich console if given."""
        from synthwright.report.collapsed_shown import print_collapse

        print_collapse(self, console)

    def to_json(self) -> dict[str, Any]:
        """Return the contents of `collapse.json`."""
        said = self.model_dump(mode="json")
        return said | {"flagged": {r.title: r.flagged for r in self.regimes}}

    def write(self, folder: Path) -> list[Path]:
        """Write `collapse.json`, `collapse.md` and `collapse.html` into a folder; return them."""
        from synthwright.report.collapsed_shown import collapse_html, collapse_markdown

        return write_forms(folder, "collapse", self.to_json(), collapse_markdown(self), collapse_html(self))

    def _repr_html_(self) -> str:
        from synthwright.report.collapsed_shown import collapse_part

        return collapse_part(self)


def judged(steps: Sequence[Step], chance: Mapping[str, Chance]) -> tuple[Step, ...]:
    """Return generations with what flags them; the first one is what the others are held against."""
    ruling = [m for m in chance if m not in TOLD]
    out = []
    for step in steps:
        first = steps[0].values
        fallen = [m for m in ruling if m in step.values and m in first
                  and _below(step.values[m], min(chance[m].reference, first[m]), chance[m], len(ruling))]  # fmt: skip
        out.append(step.model_copy(update={"fallen": tuple(fallen)}))
    return tuple(out)


def _below(value: float, other: float, chance: Chance, parts: int) -> bool:
    return other - value > chance.room(parts) + 1e-12


def advise(regimes: Sequence[Regime], chance: Mapping[str, Chance]) -> str:
    """Return what to do, in a few sentences."""
    by = {r.name: r for r in regimes if r.name != FRESH}
    said = []
    replaced, gathered = by.get(REPLACE), by.get(ACCUMULATE)
    if replaced is not None:
        said.append(_replaced(replaced, chance))
    if gathered is not None:
        said.append(_gathered(gathered, chance, sooner=replaced is not None and replaced.flagged is not None))
    mixed = [r for r in regimes if r.name == FRESH]
    if mixed:
        said.append(_mixed(mixed, needed=replaced is None or replaced.flagged is not None))
    return " ".join(said)


def _replaced(regime: Regime, chance: Mapping[str, Chance]) -> str:
    last = len(regime.steps)
    if regime.flagged is None:
        return (f"Even where each generation learned from the last alone, none of {last} lost more since the first "
                "than chance may take: with more rows, or more generations, more would show.")  # fmt: skip
    step = regime.steps[regime.flagged - 1]
    return (f"Keep the real rows: where each generation learned from the last alone, generation {regime.flagged} is "
            f"flagged ({', '.join(step.fallen[:3])}){_tail(regime, chance)}.")  # fmt: skip


def _tail(regime: Regime, chance: Mapping[str, Chance]) -> str:
    """Return what the last generation kept of the tails."""
    name = next((m for m in (TAILS, RARE_WORDS) if m in chance and chance[m].reference), None)
    if name is None or name not in regime.steps[-1].values:
        return ""
    kept = regime.steps[-1].values[name] / chance[name].reference
    what = "the tails" if name == TAILS else "rare words"
    return f", and generation {len(regime.steps)} keeps {100 * kept:.0f} % of {what}"


def _gathered(regime: Regime, chance: Mapping[str, Chance], *, sooner: bool) -> str:
    """Say what accumulating does; `sooner`: whether learning from the last generation alone is flagged."""
    tail = _tail(regime, chance)
    if regime.flagged is None:
        return f"Learning from the real rows and all generations together lost no more than chance does{tail}."
    how = "slower, but flagged too," if sooner else "flagged"
    return f"Learning from the real rows and all generations together is {how} at generation {regime.flagged}{tail}."


def _mixed(regimes: Sequence[Regime], *, needed: bool) -> str:
    """Say which share of fresh rows was enough; `needed`: whether none at all was not."""
    enough = [r for r in regimes if r.flagged is None]
    shares = sorted(r.share or 0.0 for r in (enough or regimes))
    if enough and not needed:
        return f"With {100 * shares[0]:g} % fresh real rows no generation is flagged either."
    if enough:
        return f"Of fresh real rows a share of {100 * shares[0]:g} % was enough: no generation is flagged."
    first = max(r.flagged or 0 for r in regimes)
    return (f"A share of {100 * shares[-1]:g} % fresh real rows was not enough: generation {first} is flagged; mix in "
            "more, or go back to the real rows.")  # fmt: skip
