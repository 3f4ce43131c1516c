"""Whether held-out rows are training rows: then nothing that they are to prove is proven.

Every reference is what rows get that were never trained on. Where held-out rows are training rows, an honest generator
looks worse than they do in likeness, and one that copies looks no worse than they do in privacy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.kit.measuring.natural import judged, repeated
from synthwright.kit.measuring.repeats import TELLS_NOTHING, modelled, share_by_chance, share_met_again
from synthwright.kit.rows import in_set, mix, row_hashes, value_hashes

PLAIN = 0.02
"""The share of held-out rows, beyond what nature explains, from which on they are refused. Tables that were freed of
repeats have less than this that nothing explains."""


class Overlap(NamedTuple):
    """How many held-out rows of a table equal a training row."""

    table: str
    share: float
    natural: float
    """The share that another real sample would have."""
    plain: bool
    """Whether it is more than chance and more than a little."""


def overlaps(train: Dataset, holdout: Dataset) -> list[Overlap]:
    """Return how many held-out rows equal a training row, for each table in which that tells something.

    Rows are compared by the columns that are modelled: keys are counted anew in every file. What is natural is told by
    the training rows that have a twin among the others, and by held-out rows whose columns were shuffled, each on its
    own: where few values are possible, rows meet. Training rows without a twin may have been freed of repeats: then
    rows that differ from held-out ones in one column alone tell too. A single column tells nothing of rows.
    """
    found = []
    for table, spec in train.schema.tables.items():
        columns = [c for c in modelled(train, table) if holdout.has(f"{table}.{c}")]
        sides = [d.tables[table] for d in (train, holdout)]
        if len(spec.fields) < 2 or not columns or not all(s.num_rows for s in sides):
            continue
        known, mine = (row_hashes(s, columns) for s in sides)
        chance = share_by_chance(sides[1], columns, known, Context().at("overlap", table).rng)
        natural, hits, same = max(share_met_again(known), chance), in_set(mine, known), _same(known, mine)
        more = hits.mean() > natural + PLAIN and hits.sum() > judged(0, len(mine), repeated(known), least=chance).most
        if more and not same and natural == chance:
            natural = max(natural, _by_one_column(sides, columns))
            more = bool(hits.mean() > natural + PLAIN)
        if same or natural < TELLS_NOTHING:
            found.append(Overlap(table, float(hits.mean()), natural, bool(more or same)))
    return found


def _by_one_column(sides: Sequence[pa.Table], columns: Sequence[str]) -> float:
    """Return the share of held-out rows that would meet a training row, if these were not freed of repeats.

    A training row that differs in one column alone could as well be the same in it, by the odds that two training rows
    are; of the columns, the one that says most counts. A training row that is the same in every column does not.
    """
    terms = [[mix(value_hashes(s.column(c)) ^ mix(np.array([i], np.uint64))) for i, c in enumerate(columns)]
             for s in sides]  # fmt: skip
    known, mine = (np.asarray(np.sum(t, axis=0, dtype=np.uint64)) for t in terms)
    alike = _counted(mine, known)
    likely = np.zeros(len(mine))
    for values, own in zip(*terms, strict=True):
        counts = np.unique(values, return_counts=True)[1] / len(values)
        same = float(np.sum(counts**2))
        if same < 1:
            but_one = _counted(mine - own, known - values) - alike
            likely = np.maximum(likely, but_one * same / (1 - same))
    return float(np.minimum(likely, 1.0).mean())


def _counted(mine: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return how many of `known` each of `mine` equals."""
    ranked = np.sort(known)
    return np.asarray(np.searchsorted(ranked, mine, side="right") - np.searchsorted(ranked, mine, side="left"))


def _same(known: np.ndarray, mine: np.ndarray) -> bool:
    """Return whether both are the same rows in the same order, and not all alike."""
    return len(known) == len(mine) and bool((known == mine).all()) and bool((known != known[0]).any())


def refuse_overlap(train: Dataset, holdout: Dataset, owner: str) -> None:
    """Refuse held-out rows that are training rows.

    A table that others refer to (products, countries) may be the same on both sides, as long as what refers to it is
    not.

    Raises:
        InputError: it names the share of held-out rows that equal a training row, and the share that would by nature.
    """
    found = {o.table: o for o in overlaps(train, holdout)}
    for o in found.values():
        if o.plain and not _excused(train, o.table, found):
            where = f"the held-out rows of {o.table!r}" if len(train.schema.tables) > 1 else "the held-out rows"
            raise InputError(
                owner,
                where,
                wanted="real rows that were not trained on",
                got=f"{o.share:.1%} of them equal to a training row, where {o.natural:.1%} would by nature",
                remedy="hold out other rows: against these nothing is proven, and copies would pass",
            )


def _excused(train: Dataset, table: str, found: Mapping[str, Overlap]) -> bool:
    """Return whether rows of other tables refer to this one, and these are not training rows too."""
    seen, waiting = {table}, [table]
    while waiting:
        parent = waiting.pop()
        for child, spec in train.schema.tables.items():
            refers = any(f.to and train.schema.split(f.to)[0] == parent for f in spec.fields.values())
            if refers and child not in seen:
                seen.add(child)
                waiting.append(child)
                if child in found and not found[child].plain:
                    return True
    return False
