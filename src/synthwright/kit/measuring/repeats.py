"""How often rows repeat by nature, and which of those that repeat too often are to go."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Kind
from synthwright.kit.rows import in_set, mix, row_hashes

TELLS_NOTHING = 0.9
"""Where this share of fresh real rows would be copies, being a copy tells nothing."""


def modelled(data: Dataset, table: str) -> tuple[str, ...]:
    """Return the columns of a table that rows are compared by: present, and neither made anew nor references."""
    fields = data.schema.tables[table].fields
    return tuple(c for c in data.columns(table) if not fields[c].anew and fields[c].kind is not Kind.REFERENCE)


@dataclass(frozen=True)
class Gone(Judge):
    """Knows the numbers of the rows that go, and for what reason; holds nothing of the real rows."""

    reason: str
    numbers: Mapping[str, np.ndarray]

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for each table that was compared."""
        return [Verdict.of(t, np.isin(data.row_numbers(t), gone), self.reason) for t, gone in self.numbers.items()]


class Compared(NamedTuple):
    """One table's rows beside the real ones, by the columns that are modelled."""

    table: str
    columns: tuple[str, ...]
    rows: np.ndarray
    """The rows' numbers."""
    hashes: np.ndarray
    real: np.ndarray
    """The row hashes of the real rows."""


def compared(data: Dataset, evidence: Dataset | None) -> Iterator[Compared]:
    """Yield every table that has modelled columns to be compared by; none without real rows."""
    if evidence is None:
        return
    for table, held in data.tables.items():
        columns = tuple(c for c in modelled(data, table) if evidence.has(f"{table}.{c}"))
        if columns and len(data.schema.tables[table].fields) > 1:  # values of a lone column say nothing of rows
            real = row_hashes(evidence.tables[table], columns)
            yield Compared(table, columns, data.row_numbers(table), row_hashes(held, columns), real)


def expected_repeats(hashes: np.ndarray, rows: int) -> float:
    """Return how many of `rows` real rows would repeat another of them, told from real rows (their hashes).

    For as many rows or fewer this is exact, over all samples without replacement; beyond, new rows are taken to turn up
    as often as rows that were seen once say (Good, The population frequencies of species, Biometrika 40, 1953).
    """
    total = len(hashes)
    if not total or not rows:
        return 0.0
    sizes, groups = np.unique(np.unique(hashes, return_counts=True)[1], return_counts=True)
    if rows >= total:
        once = int(groups[sizes == 1].sum())
        return max(0.0, rows - (float(groups.sum()) + (rows - total) * once / total))
    absent = [_absent(total, int(size), rows) for size in sizes]
    return max(0.0, rows - float(np.sum(groups * (1 - np.array(absent)))))


def _absent(total: int, size: int, rows: int) -> float:
    """Return the chance that none of `size` rows is among `rows` drawn from `total`."""
    left = total - rows
    if left < size:
        return 0.0
    said = math.lgamma(left + 1) - math.lgamma(left - size + 1) - math.lgamma(total + 1) + math.lgamma(total - size + 1)
    return math.exp(min(0.0, said))


def share_met_again(hashes: np.ndarray) -> float:
    """Return the chance that a fresh real row equals one of these real rows: the share of them that have a twin."""
    if not len(hashes):
        return 0.0
    counts = np.unique(hashes, return_counts=True)[1]
    return float(counts[counts > 1].sum() / len(hashes))


def share_by_chance(held: pa.Table, columns: Sequence[str], real: np.ndarray, rng: np.random.Generator) -> float:
    """Return the share of rows that equal a real one although every column was shuffled on its own.

    Where few values are possible rows meet by chance: rows that know nothing of each other's columns cannot copy. A
    single column tells nothing so, and gets 0.

    Args:
        held: the rows.
        columns: by which they are compared.
        real: the row hashes of the real rows.
        rng: the randomness.
    """
    if not held.num_rows or len(columns) < 2:
        return 0.0
    mixed = {c: held.column(c).take(pa.array(rng.permutation(held.num_rows))) for c in columns}
    return float(in_set(row_hashes(pa.table(mixed), columns), real).mean())


def allowed_copies(share: float, rows: int, fresh: int) -> float:
    """Return how many copies may stand beside `fresh` rows that are none, so that their share is no more than nature's.

    Args:
        share: of the real rows that have a twin, which is nature's share as far as it is known.
        rows: how many real rows told it: its standard error, `sqrt(share * (1 - share) / rows)`, is granted 1.64 times.
        fresh: synthetic rows that are no copies.
    """
    granted = share + 1.64 * math.sqrt(share * (1 - share) / max(rows, 1))
    return math.inf if share >= TELLS_NOTHING or granted >= 1 else granted / (1 - granted) * fresh


def excess(rows: np.ndarray, hashes: np.ndarray, real: np.ndarray, allowed: float, seed: int) -> np.ndarray:
    """Return the numbers of the rows that go, sorted, such that no more than `allowed` stay.

    Rows that are rarest among the real rows go first, for nature repeats what is common; among equals a hash of the
    row's number decides, so that the choice does not depend on how rows are split into shards.

    Args:
        rows: the numbers of the rows in question.
        hashes: their row hashes.
        real: the row hashes of the real rows.
        allowed: how many of them nature would have made.
        seed: shuffles the choice.
    """
    go = 0 if math.isinf(allowed) else len(rows) - max(0, math.ceil(allowed))
    if go <= 0:
        return np.zeros(0, dtype=np.int64)
    known, counts = np.unique(real, return_counts=True)
    at = np.minimum(np.searchsorted(known, hashes), max(len(known) - 1, 0))
    common = np.where(known[at] == hashes, counts[at], 0) if len(known) else np.zeros(len(hashes), dtype=np.int64)
    luck = mix(rows.astype(np.int64).view(np.uint64) ^ np.uint64(seed))
    order = np.lexsort((luck, common))
    return np.sort(rows[order[:go]])
