"""What an attack on synthetic rows came to: how much oftener it succeeds on training rows than on rows nobody used.

Much of what an attacker guesses right about a person is true of people in general, and would be guessed as well had
that person's row never been trained on. So every attack is made on training rows and, in the same way, on held-out
rows, and only the gain counts: `risk = (trained - control) / (1 - control)`, the share of what could not be known from
people in general that the synthetic rows gave away. Reference: Giomi, Boenisch, Wehmeyer and Tasnadi, A unified
framework for quantifying privacy risk in synthetic data, PoPETs 2023.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.contracts import Case
from synthwright.core.schema import Field
from synthwright.kit.measuring.chance import LEVEL, allowance
from synthwright.kit.measuring.neighbours import Points, points
from synthwright.kit.measuring.stats import Estimate, wilson

FEWEST = 50
"""Synthetic, training and held-out rows below which no attack is made."""
SIDES = ("synthetic", "training", "held-out")
"""Whose rows three tables are, wherever three are together."""
_AT_LEAST = 2_000
"""Real rows that are attacked however large the table is; as many synthetic rows as work allows are then looked at."""
_TAIL = 4
"""By how much a weighted sum of signs may exceed a normal distribution's tail: 3.18 at most, rounded up."""


class Outcome(NamedTuple):
    """How often one attack succeeded."""

    about: str
    trained: int
    """Attacks on training rows that succeeded."""
    attacks: int
    """Attacks on training rows; at least 1."""
    control: int
    """Attacks on held-out rows that succeeded."""
    outside: int
    """Attacks on held-out rows; at least 1."""
    guessed: float
    """The share that would succeed by guessing."""
    deviation: float | None = None
    """Standard deviation of `trained - control` if it were random which rows were trained on; None: each attack is on a
    row of its own, and the test is exact."""
    share: float = 1.0
    """The share of the training rows that were looked at, where what comes from the others cannot succeed."""


class Risk(NamedTuple):
    """What an outcome says; the reference is 0."""

    outcome: Outcome
    estimate: Estimate
    chance: float
    """What the risk may be by chance alone, where nothing was trained on."""

    @property
    def badness(self) -> tuple[bool, float]:
        """Whether it says anything at all, and by how much the risk exceeds chance."""
        return self.chance > 0.0 or self.estimate.value > 0.0, self.estimate.value - self.chance

    def note(self, sentence: str) -> str:
        """Return a sentence with `{trained}`, `{control}` and `{guessed}` filled in as shares, for people."""
        o = self.outcome
        shares = (o.trained / o.attacks, o.control / o.outside, o.guessed)
        trained, control, guessed = (f"{round(100 * s, 4):.3g} %" for s in shares)
        return f"{o.about}: " + sentence.format(trained=trained, control=control, guessed=guessed)


def lacking(case: Case) -> str:
    """Return what real rows are missing for any attack; nothing where they are there."""
    if case.train is None:
        return "there are no real rows to attack"
    if case.holdout is None or not case.holdout.rows():
        return "it needs held-out rows: real rows that were not trained on"
    return ""


def attackable(case: Case, produced: Callable[[Case, str], tuple[str, ...]], fewest: int
               ) -> Iterator[tuple[str, list[pa.Table]]]:  # fmt: skip
    """Yield every table that has rows and columns enough, as synthetic, training and held-out rows.

    Args:
        case: with training and held-out rows.
        produced: gives the columns of a table to attack by.
        fewest: how many columns an attack needs.
    """
    for table in case.schema.tables:
        held = [d.tables[table] for d in (case.synthetic, case.train, case.holdout) if d is not None]
        types = [{f.name: f.type for f in t.schema} for t in held]
        columns = [c for c in produced(case, table) if len({t.get(c) for t in types}) == 1]
        if len(columns) >= fewest and min(t.num_rows for t in held) >= FEWEST:
            yield table, [t.select(columns) for t in held]


def too_small(fewest: int) -> str:
    """Return why no table was attacked, where an attack needs so many columns."""
    columns = "a produced column" if fewest == 1 else f"{fewest} produced columns"
    return f"no table has {columns} that is modelled, and {FEWEST} rows of each: {', '.join(SIDES)}"


def sizes(held: Sequence[pa.Table], pairs: int, synthetic: int, real: int) -> tuple[int, int, int]:
    """Return how many synthetic, training and held-out rows to look at: half of the real ones held out, or all.

    Args:
        held: the three tables.
        pairs: of a synthetic and a real row, at most.
        synthetic: synthetic rows, at most.
        real: training and held-out rows together, at most.
    """
    made, _, unseen = (t.num_rows for t in held)
    most = max(_AT_LEAST, min(real, pairs // min(made, synthetic)))
    control = min(unseen, most // 2)
    return min(made, synthetic, max(_AT_LEAST // 2, pairs // most)), most - control, control


def sampled(held: Sequence[pa.Table], cut: Sequence[pa.Table]) -> list[str]:
    """Return a sentence on what was sampled, for people; none where all rows were looked at."""
    said = [f"{c.num_rows:,} of {h.num_rows:,} {side} rows" for side, h, c in zip(SIDES, held, cut, strict=True)
            if c.num_rows < h.num_rows]  # fmt: skip
    return [f"measured on a random sample: {', '.join(said)}"] if said else []


def risks(outcomes: Sequence[Outcome]) -> list[Risk]:
    """Return what every outcome says; chance is what the worst of them does by chance."""
    return [Risk(o, estimate(o), by_chance(o, len(outcomes))) for o in outcomes]


def estimate(outcome: Outcome) -> Estimate:
    """Return the risk with its 95 % interval, from those that Wilson gives both shares.

    Reference: Zou and Donner, Construction of confidence limits about effect measures, Statistics in Medicine 27
    (2008). The risk is below 0 where an attack fares worse on training rows.
    """
    trained, control = wilson(outcome.trained, outcome.attacks), wilson(outcome.control, outcome.outside)
    left = (1.0 - control.value) * outcome.share
    if left <= 0.0:  # everybody is guessed right: nothing is left to give away
        return Estimate(0.0, 0.0, 0.0)
    risk, slope = (trained.value - control.value) / left, (1.0 - trained.value) * outcome.share / left**2
    below = math.hypot((trained.value - trained.low) / left, (control.high - control.value) * slope)
    above = math.hypot((trained.high - trained.value) / left, (control.value - control.low) * slope)
    return Estimate(risk, risk - below, risk + above)


def by_chance(outcome: Outcome, parts: int) -> float:
    """Return what the risk may be by chance alone, where it is the worst of some parts.

    Attacks that share rows succeed together: then the gain is a weighted sum of random signs, of which no tail is
    heavier than 3.18 times a normal one (Bentkus and Dzindzalieta, Bernoulli 21, 2015).
    """
    left = (1.0 - outcome.control / outcome.outside) * outcome.share
    if left <= 0.0:
        return 0.0
    if outcome.deviation is None:
        most = most_hits(outcome.control, outcome.outside, outcome.attacks, parts)
        gain = most / outcome.attacks - outcome.control / outcome.outside
    else:
        gain = allowance(outcome.deviation, _TAIL * parts) / outcome.attacks
    return min(max(gain, 0.0) / left, 1.0)


def most_hits(hits: int, trials: int, among: int, parts: int) -> int:
    """Return how many of `among` rows may be hit by chance alone where `hits` of `trials` others are: Fisher's test."""
    least, beyond = hits * among // trials, among + 1  # the first is not too many; the second is, or there is none
    while beyond - least > 1:
        middle = (least + beyond) // 2
        if _at_least(middle, hits + middle, among, trials) <= LEVEL / max(parts, 1):
            beyond = middle
        else:
            least = middle
    return least


def _at_least(count: int, hits: int, among: int, others: int) -> float:
    """Return how likely `among` of all rows have so many of the hits: a hypergeometric tail, without `scipy.stats`."""
    from scipy.special import betaln  # of the two modules, the one that is quick to load

    def ways(rows: int, some: np.ndarray) -> np.ndarray:
        return np.asarray(-betaln(rows - some + 1, some + 1) - math.log(rows + 1))

    some = np.arange(count, min(hits, among) + 1)
    some = some[hits - some <= others]
    return float(np.exp(ways(among, some) + ways(others, hits - some) - ways(among + others, np.array(hits))).sum())


def by_rows(about: str, right: np.ndarray, trained: int, guessed: float) -> Outcome:
    """Return the outcome of an attack that is made once on every row.

    Args:
        about: what it is about.
        right: booleans, whether it succeeds on each row: training rows first, then held-out rows.
        trained: how many of them are training rows.
        guessed: the share that would succeed by guessing.
    """
    return Outcome(
        about, int(right[:trained].sum()), trained, int(right[trained:].sum()), len(right) - trained, guessed
    )


def attacked(tables: Sequence[pa.Table], fields: dict[str, Field]) -> tuple[Points, Points]:
    """Return synthetic rows, and training with held-out rows, as points.

    Ranks count the rows of all three, so that nothing about a row depends on which sample it is in.
    """
    synthetic, *real = tables
    of_synthetic, of_real = points([synthetic, pa.concat_tables(real)], fields, among=(0, 1))
    return of_synthetic, of_real


def chosen(rows: Points, wanted: np.ndarray) -> Points:
    """Return some rows, by position."""
    return Points(rows.ordered[:, wanted], rows.discrete[:, wanted], rows.gaps)


def seen(rows: Points, columns: np.ndarray) -> Points:
    """Return rows with some of their columns, by position: ordered columns come first."""
    ordered = len(rows.ordered)
    numbers, labels = np.sort(columns[columns < ordered]), np.sort(columns[columns >= ordered]) - ordered
    return Points(rows.ordered[numbers], rows.discrete[labels], rows.gaps[numbers])
