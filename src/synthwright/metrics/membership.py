"""Whether an attacker who has the synthetic rows can tell which real rows were trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SynthwrightError
from synthwright.core.values import labels
from synthwright.kit.measuring.attacks import Told, area, caught, scaled
from synthwright.kit.measuring.neighbours import Points
from synthwright.kit.measuring.stats import decimals
from synthwright.metrics.comparing import MOST_CELLS, draw, produced, unmade, without

ATTACKS = ("distance", "calibrated-distance", "neighbours", "density-ratio", "shadow-models")
"""The attacks by name, as scores are about them."""
RATES = {"tpr at 1 % fpr": 0.01, "tpr at 0.1 % fpr": 0.001}
"""What the shares of caught members are called, by the share of other rows that may be taken for members."""
ISOLATED = "isolated"
"""What scores about the most isolated rows begin with."""
_TELLING = 100
"""Rows, as many of others, below which not a single other may be taken for a member: that is no share to speak of."""
_FEWEST = 20
"""Members below which nothing is measured: luck alone would tell half of them."""
_ALONE = 0.05
"""Share of the rows that count as isolated."""
_NEAREST = 5
"""Nearest rows that are looked at."""
_REACH = 2.8
"""How far a row adds to a density, in median distances from a row to its nearest."""
_WORK = 25_000_000_000
"""Column distances that are computed: of a table of more columns or rows, fewer members are looked at."""
_MOST_SYNTHETIC = 100_000
"""Synthetic rows that are looked at; members go before them, for each synthetic row may be a copy."""
_NOTHING = 1e-7
"""Added to distances, so that they have logarithms: less than any that is not 0 differs from another."""
_FAINT = 1e-4
"""Added to densities, for the same reason."""


Lacking = tuple[Literal["not-applicable", "failed"], str]
"""A status and its reason."""


class Membership(Metric):
    """How well an attacker who has the synthetic rows tells training rows from held-out rows: 0.5 is a blind guess.

    Members are training rows, the others as many held-out rows; all are candidates. Each attack gives every candidate
    a number, from distances to synthetic rows (Gower's, in standard deviations, over the modelled columns produced):
    `distance` to the nearest synthetic row (Chen et al. 2020); `calibrated-distance`, this over the mean distance to
    the five nearest candidates; `neighbours`, distances to the five nearest synthetic rows over those to the five
    nearest candidates, rank by rank (a nearest-neighbour density ratio); `density-ratio`, the density of synthetic
    rows over that of candidates, both counted with a kernel (DOMIAS, van Breugel et al. 2023); `shadow-models`, where
    the parts can be fitted again: the mean distance to the nearest row of models fitted on random halves of the
    candidates, over that to the nearest synthetic row (Watson et al. 2022). No row is its own neighbour, and no
    attack is told who is a member.

    The score is the area under the ROC curve of the strongest attack (the share of pairs of a member and another row
    in which the member looks more like one, ties half); each attack has one of its own. `tpr at 1 % fpr` and `tpr at
    0.1 % fpr` are the largest shares of members that an attack catches while at most so many others are taken for
    members (Carlini et al. 2022): few copied rows show here, not in the area. `isolated` and what begins with it are
    the same for the twentieth of the candidates that lies farthest from its nearest candidates. Of several tables,
    each score is about the table that is farthest beyond luck, and each table has one of its own. Of a table whose
    rows have parents, one row of each parent is looked at.

    The reference is what a blind attack reaches: 0.5, or one row more than the share of others that is allowed.
    Intervals hold for the strongest of all attacks at once (Bonferroni); that of an area rests on DeLong et al. 1988,
    that of a share is Wilson's. Chance is what the labels of members, dealt anew, would give the strongest attack.
    """

    name: ClassVar[str] = "membership"
    group: ClassVar[Literal["privacy"]] = "privacy"
    goal: ClassVar[Literal["lower"]] = "lower"
    bounds: ClassVar[tuple[float, float]] = (0.0, 1.0)
    not_shown: ClassVar[str] = (
        "An attacker may know more than these attacks use, and held-out rows of another time, or further rows of the "
        "persons who were trained on, are told apart for other reasons."
    )

    parts: ClassVar[tuple[str, ...] | None] = (*ATTACKS, *RATES, ISOLATED, *(f"{ISOLATED} {rate}" for rate in RATES))

    rows: int = Setting(default=10_000, ge=_FEWEST, le=50_000)
    """Members that are looked at, at most; and as many held-out rows."""
    shadows: int = Setting(default=4, ge=2, le=64, multiple_of=2)
    """Shadow models that are fitted, where the parts can be fitted again."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if case.train is None:
            return without(self, "there are no real rows to compare with")
        if case.holdout is None or not case.holdout.rows():
            return without(self, "it needs held-out rows: real rows that were not trained on")
        if failed := unmade(self, case):
            return failed
        attacked: dict[str, _Attacked] = {}
        for table in case.schema.tables:
            columns = len(produced(case, table))
            if columns:
                sides = [d.tables[table] for d in (case.train, case.holdout)]
                most = min(self.rows, _affordable(case, table, columns))
                candidates = _candidates(sides, _link(case, table), most, ctx.at(table, "candidates"))
                if candidates.num_rows >= 2 * _FEWEST:
                    attacked[table] = _attacked(self, case, table, candidates, ctx.at(table))
        if not attacked:
            return without(self, f"too few rows: no table has {_FEWEST} training rows, as many held-out rows and a "
                                 f"column that was produced from them")  # fmt: skip
        return _scores(self, attacked)


class _Attacked(NamedTuple):
    """What attackers make of the candidates of one table."""

    members: np.ndarray
    """Booleans, one per candidate."""
    said: dict[str, np.ndarray]
    """By attack: numbers that are larger for what looks like a member."""
    isolated: np.ndarray
    """Booleans: the candidates that lie farthest from the others."""
    note: str
    lacking: Lacking
    """Why there are no shadow models."""


# ------------------------------------------------------------------------------------------------------ the candidates
def _most_synthetic(columns: int) -> int:
    return min(_MOST_SYNTHETIC, max(1_000, MOST_CELLS // columns))


def _affordable(case: Case, table: str, columns: int) -> int:
    """Return how many members can be looked at: n where 2n × (synthetic rows + 2n) × columns is the work."""
    fake = min(case.synthetic.rows(table), _most_synthetic(columns))
    return max(_FEWEST, int(math.sqrt(fake**2 + 4 * _WORK / columns) - fake) // 4)


def _link(case: Case, table: str) -> str | None:
    """Return the first column that refers to another table: rows are held out with their parents."""
    fields = case.schema.tables[table].fields
    return next((c for c, f in fields.items() if f.to and case.schema.split(f.to)[0] != table), None)


def _candidates(sides: Sequence[pa.Table], link: str | None, most: int, ctx: Context) -> pa.Table:
    """Return some training rows, and after them as many held-out rows."""
    chosen = [_one_each(held, link, ctx.at(i)) for i, held in enumerate(sides)]
    same = min(most, *map(len, chosen))
    names = sides[0].column_names
    taken = [t.select(names).take(pa.array(np.sort(c[:same]))) for t, c in zip(sides, chosen, strict=True)]
    return pa.concat_tables(taken)


def _one_each(held: pa.Table, link: str | None, ctx: Context) -> np.ndarray:
    """Return positions of rows in random order: all, or one of each parent, for those of one parent may be alike."""
    order: np.ndarray = ctx.rng.permutation(held.num_rows)
    if link is None or link not in held.column_names:
        return order
    parents = labels(held.column(link))[0]
    parents = np.where(parents < 0, len(parents) + np.arange(len(parents)), parents)  # no parent: nobody's sibling
    return order[np.sort(np.unique(parents[order], return_index=True)[1])]


def _attacked(metric: Membership, case: Case, table: str, candidates: pa.Table, ctx: Context) -> _Attacked:
    """Return what every attack says about the candidates: members, and after them as many others."""
    columns, rows = produced(case, table), candidates.num_rows
    fields = {c: case.schema.tables[table].fields[c] for c in columns}
    # shuffled, so that nothing that depends on the order of rows can tell members from others
    order = ctx.at("order").rng.permutation(rows)
    candidates = candidates.take(pa.array(order))
    fake = draw(case.synthetic.tables[table].select(columns), _most_synthetic(len(columns)), ctx.at("synthetic"))
    shadows, lacking = _shadows(metric, case, candidates, ctx.at("shadows"))
    mine, *others = scaled([candidates.select(columns), fake, *shadows], fields)
    said, isolated = _said(mine, others, ctx.at("reach"))
    note = f"{rows // 2:,} training rows, as many held-out rows and {fake.num_rows:,} synthetic rows"
    return _Attacked(order < rows // 2, said, isolated, note, lacking)


def _shadows(metric: Membership, case: Case, candidates: pa.Table, ctx: Context) -> tuple[list[pa.Table], Lacking]:
    """Return what models make that were fitted on random halves of the candidates, or why there are none."""
    if case.refit is None:
        return [], ("not-applicable", "the parts cannot be fitted again here")
    if len(case.schema.tables) > 1:
        return [], ("not-applicable", "shadow models are made of one table, not of several")
    table, made = case.schema.only, []
    columns, rows = produced(case, table), min(case.synthetic.rows(table), _MOST_SYNTHETIC)
    for i in range(metric.shadows // 2):
        for half in np.array_split(ctx.at(i).rng.permutation(candidates.num_rows), 2):
            learned = Dataset(case.schema, {table: candidates.take(pa.array(np.sort(half)))})
            try:
                fake = case.refit(learned, rows)
            except SynthwrightError as error:
                return [], ("failed", f"a shadow model could not be made ({type(error).__name__})")
            if not fake.rows(table) or produced(case._replace(synthetic=fake), table) != columns:
                return [], ("failed", "a shadow model made no rows, or other columns")
            made.append(fake.tables[table].select(columns))
    return made, ("not-applicable", "")


# --------------------------------------------------------------------------------------------------------- the attacks
def _said(mine: Points, others: Sequence[Points], ctx: Context) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return what each attack says about the candidates, and which of them are isolated.

    Args:
        mine: the candidates.
        others: the synthetic rows, and the rows of shadow models.
        ctx: draws the candidates that tell how far densities reach.
    """
    from synthwright.kit.measuring.around import near  # compiles: only where it is needed

    fake, *shadows = others
    count, reach = min(_NEAREST, fake.rows), _reach(mine, ctx)
    here, there = near(mine, mine, _NEAREST, reach, itself=True), near(mine, fake, count, reach)
    home, away, alone = _logs(here.nearest), _logs(there.nearest), here.nearest.mean(axis=1)
    said = [
        -away[:, 0],
        _logs(alone) - away[:, 0],
        (home[:, :count] - away).mean(axis=1),
        np.log(there.density + _FAINT) - np.log(here.density + _FAINT),
    ]
    if shadows:
        said.append(np.mean([_logs(near(mine, s, 1, reach).nearest[:, 0]) for s in shadows], axis=0) - away[:, 0])
    # rounded, so that equal rows tie although their densities were summed in another order
    return {a: np.round(s, 4) for a, s in zip(ATTACKS, said, strict=False)}, alone >= np.quantile(alone, 1 - _ALONE)


def _reach(mine: Points, ctx: Context) -> float:
    """Return how far rows add to densities, told from the distances of some candidates to their nearest."""
    from synthwright.kit.measuring.around import near  # compiles: only where it is needed

    some = np.sort(ctx.rng.permutation(mine.rows)[:1_000])
    few = Points(np.ascontiguousarray(mine.ordered[:, some]), np.ascontiguousarray(mine.discrete[:, some]), mine.gaps)
    nearest = near(few, mine, 2, 1.0).nearest  # the first is the row itself
    return _REACH * (float(np.median(nearest[:, 1])) or float(nearest.mean())) or 1.0


def _logs(distances: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(distances.astype(np.float64) + _NOTHING))


# ---------------------------------------------------------------------------------------------------------- the scores
Measure = Callable[[np.ndarray, np.ndarray, int], Told]
"""Says how well an attack (its numbers, who is a member) does as the strongest of so many."""


def _scores(metric: Membership, attacked: Mapping[str, _Attacked]) -> list[Score]:
    """Return the scores about the whole, each table where there are several, each attack, few and isolated rows."""
    tables = list(attacked.values())
    everyone = [t._replace(isolated=np.ones(len(t.members), dtype=bool)) for t in tables]
    few = [t for t in tables if _fewest(t) >= _FEWEST]
    made = list(tables[0].said)
    notes = "; ".join(t.note if len(tables) == 1 else f"{name}: {t.note}" for name, t in attacked.items())
    scores = [_strongest("", everyone, area, notes)]
    if len(tables) > 1:
        names = [(name, t) for name, t in zip(attacked, everyone, strict=True) if name not in (*ATTACKS, ISOLATED)]
        scores += [_strongest(name, [t], area) for name, t in names]
    scores += [_strongest(a, [t._replace(said={a: t.said[a]}) for t in everyone], area) for a in made]
    enough = [t for t in everyone if _fewest(t) >= _TELLING]
    for what, rate in RATES.items():
        scores.append(
            _strongest(what, enough, partial(caught, rate))
            if enough
            else Score(metric.name, what, status="not-applicable", problem=f"too few rows: {_TELLING} are needed")
        )
    if few:
        scores.append(_strongest(ISOLATED, few, area))
        scores += [_strongest(f"{ISOLATED} {what}", few, partial(caught, rate)) for what, rate in RATES.items()]
    else:
        scores.append(Score(metric.name, ISOLATED, status="not-applicable", problem="too few rows are isolated"))
    if ATTACKS[-1] not in made:
        status, why = tables[0].lacking
        scores.append(Score(metric.name, ATTACKS[-1], status=status, problem=why))
        if status == "failed":
            scores[0] = without(metric, f"incomplete: {why}", "failed")[0]
    return scores


def _fewest(table: _Attacked) -> int:
    """Return how many members, or others where they are fewer, are isolated."""
    return min(int((table.members & table.isolated).sum()), int((~table.members & table.isolated).sum()))


def _strongest(about: str, tables: Sequence[_Attacked], measure: Measure, note: str = "") -> Score:
    """Return how well the strongest attack does on the isolated rows of a table: that which is farthest beyond luck.

    Numbers are rounded to what so many members tell; what luck may reach is never rounded down.
    """
    among = sum(len(t.said) for t in tables)
    told = [(measure(said[t.isolated], t.members[t.isolated], among), a) for t in tables for a, said in t.said.items()]
    best, attack = max(told, key=lambda one: one[0].estimate.value - one[0].reference - one[0].chance)
    digits = decimals(min(map(_fewest, tables)), share="tpr" in about)
    value, low, high = best.estimate.within(Membership.bounds).rounded(digits)
    most = math.ceil((best.reference + best.chance) * 10**digits - 1e-6) / 10**digits
    reference = round(best.reference, digits)
    notes = (note, f"strongest: {attack}" if among > 1 else "")
    return Score(Membership.name, about, value, reference, low, high, problem="; ".join(n for n in notes if n) or None,
                 chance=round(most - reference, digits))  # fmt: skip
