"""The columns of a table as relations are searched in them: a sample of the rows first, all of them to be sure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from synthwright.core.schema import DISCRETE, ORDERED, Kind, Table, canonical
from synthwright.core.values import labels, numbers

SAMPLE = 4_096
"""Rows that a relation is first tried on."""
_CACHED = 256 * 2**20
"""Bytes of arrays that are kept at once."""
_EXACT = 2.0**53
"""Whole numbers from here on are not told apart by floats."""
_STEPS = 200
"""Different whole numbers that may stand for bands."""
DAY = {"us": 86_400_000_000, "ns": 86_400_000_000_000}
"""How long a day is, in the units that canonical instants have."""
_GOLDEN = 0.6180339887498949


@dataclass
class Columns:
    """One table, column by column, each as numbers or codes when asked for."""

    held: pa.Table
    spec: Table
    at: np.ndarray
    """Positions of the sampled rows."""
    _cache: OrderedDict[tuple[str, str], np.ndarray] = field(default_factory=OrderedDict)
    _size: int = 0

    @staticmethod
    def of(held: pa.Table, spec: Table) -> Columns:
        """Return the columns of a table, with a sample of its rows that follows no period of theirs."""
        rows = held.num_rows
        spread = np.modf(np.arange(1, min(rows, SAMPLE) + 1) * _GOLDEN)[0] * rows
        return Columns(held, spec, np.arange(rows) if rows <= SAMPLE else np.unique(spread.astype(np.int64)))

    @property
    def rows(self) -> int:
        """The number of rows."""
        return self.held.num_rows

    def ordered(self) -> list[str]:
        """Return the columns that have an order and are modelled."""
        present = set(self.held.column_names)
        return [c for c, f in self.spec.fields.items() if f.kind in ORDERED and not f.anew and c in present]

    def truths(self) -> list[str]:
        """Return the columns of truth values that are modelled."""
        present = set(self.held.column_names)
        return [c for c, f in self.spec.fields.items() if f.kind is Kind.BOOLEAN and not f.anew and c in present]

    def discrete(self) -> list[str]:
        """Return the columns that may determine one another: labels, truth values, ordered ones with few values."""
        out, present = [], set(self.held.column_names)
        for name, spec in self.spec.fields.items():
            if name not in present or spec.anew or spec.kind is Kind.REFERENCE or name == self.spec.key:
                continue
            few = spec.kind in ORDERED and len(np.unique(self.sampled_codes(name))) <= min(200, len(self.at) // 10)
            if spec.kind in DISCRETE or few:
                out.append(name)
        return out

    def stepped(self) -> list[str]:
        """Return the columns of whole numbers that repeat so often that each may stand for a band of another column."""
        most = min(_STEPS, len(self.at) // 4)
        whole = (c for c in self.ordered() if self.spec.fields[c].kind is Kind.INTEGER)
        return [c for c in whole if len(np.unique(self.sampled_codes(c))) <= most]

    def numbers(self, name: str) -> np.ndarray:
        """Return a whole ordered column as floats, NaN where there is no value."""
        return self._cached("numbers", name, lambda: numbers(self.held.column(name)))

    def codes(self, name: str) -> np.ndarray:
        """Return a whole column as codes of its distinct values, -1 where there is none."""
        return self._cached("codes", name, lambda: _codes(self.held.column(name)))

    def numbers_at(self, name: str, at: np.ndarray) -> np.ndarray:
        """Return some rows of an ordered column as floats."""
        return numbers(self.held.column(name).take(pa.array(at)))

    def sampled(self, name: str) -> np.ndarray:
        """Return the sampled rows of an ordered column as floats."""
        return self._cached("sampled", name, lambda: self.numbers_at(name, self.at))

    def sampled_codes(self, name: str) -> np.ndarray:
        """Return the sampled rows of a column as codes."""
        return self._cached("sampled codes", name, lambda: _codes(self.held.column(name).take(pa.array(self.at))))

    def family(self, name: str) -> str:
        """Return what a column can be compared with: columns of the same family."""
        kind = self.spec.fields[name].kind
        if kind in (Kind.INTEGER, Kind.NUMBER, Kind.BOOLEAN):
            return "number"
        return f"{kind.value}:{canonical(self.spec.fields[name])}"

    def rounding(self, name: str) -> float:
        """Return how far a computed value may be from the column's, as rules see it; 0: floats' own error alone."""
        spec = self.spec.fields[name]
        kind = canonical(spec)
        if spec.kind is not Kind.NUMBER:
            return 0.0
        if pa.types.is_decimal(kind):
            return 0.5 * 10.0**-kind.scale
        return 0.5 * spec.step if spec.step is not None else 0.0

    def varies(self, name: str) -> bool:
        """Return whether an ordered column has different values."""
        values = self.numbers(name)
        return bool(np.nanmax(values, initial=-np.inf) > np.nanmin(values, initial=np.inf))

    def exact(self, name: str) -> bool:
        """Return whether floats hold the sampled values exactly: no infinities, no whole numbers beyond 2**53."""
        values = self.sampled(name)
        present = np.abs(values[~np.isnan(values)])
        whole = self.spec.fields[name].kind is not Kind.NUMBER
        return bool(np.all(present < (_EXACT if whole else np.inf)))

    def _cached(self, what: str, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        key = (what, name)
        if key not in self._cache:
            self._cache[key] = made = make()
            self._size += made.nbytes
            while len(self._cache) > 1 and self._size > _CACHED:
                self._size -= self._cache.popitem(last=False)[1].nbytes
        self._cache.move_to_end(key)
        return self._cache[key]


def _codes(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_floating(column.type):
        values = numbers(column)
        distinct, codes = np.unique(values + 0.0, return_inverse=True)
        return np.where(np.isnan(values), -1, codes) if len(distinct) else codes
    return labels(column)[0]


def counted(rows: int, of: int) -> str:
    """Return why a relation is believed, for people."""
    return f"holds in all {rows:,} rows" + ("" if rows == of else " that have these values")


def unlike(codes: np.ndarray) -> float:
    """Return the share of pairs of rows that differ, of all there are: how often two would if chance alone said so."""
    counts = np.unique(codes, return_counts=True)[1] if codes.dtype.kind == "f" else np.bincount(codes)
    return 1 - float(np.sum((counts / max(len(codes), 1)) ** 2))


def round_lines(x: np.ndarray, y: np.ndarray, slopes: Iterable[float], digits: int) -> Iterator[tuple[float, float]]:
    """Yield factors and constants of lines near points, those of fewest digits first, each up to so many."""
    for precision in range(digits):
        for slope in dict.fromkeys(slopes):
            factor = float(f"{slope:.{precision}e}")
            left = float(np.median(y - factor * x))
            if factor:
                yield from (
                    (factor, c) for c in dict.fromkeys((0.0, float(round(left)), float(f"{left:.{precision}e}")))
                )


def turned(values: np.ndarray) -> np.ndarray:
    """Return values against other rows than their own: turned by a share that no period of rows has."""
    return np.roll(values, int(len(values) * (1 - _GOLDEN)) or 1)
