"""References of a table to itself without circles: managers, parent categories, who referred whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal, cast

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities, Place, Scope
from synthwright.core.errors import SampleError
from synthwright.core.schema import Kind, Schema, canonical
from synthwright.kit.ruled import Ask, Column, Ruled
from synthwright.kit.sampling.dice import Dice, secret

Up = Callable[[np.ndarray], np.ndarray]
"""Which row each of some rows points to, by its number; -1: it is a root."""
_ALMOST = 1e-9


class Tree(Ruled):
    """Points rows to earlier rows of their own table, so that they form trees: no row is above itself.

    ::

        - {make: [employee.manager], use: tree, with: {law: branching, children: 6, depth: 5}}

    Roots have no reference; where the column must have a value (`nulls: false`) they point to themselves. The first row
    is a root, and every row that is none points to one before it, by a `law`:

    - `uniform`: each alike (random recursive trees, Smythe and Mahmoud 1995);
    - `preferential`: in proportion to 1 + its children (of a root, one more), so that few have many: the share of rows
      with k children falls with the third power of k (plane-oriented trees, Szymański 1987);
    - `balanced`: row by row each gets `children` children;
    - `branching`: row by row each gets 1 + Poisson children, `children` on average, until there are no more rows.

    The more rows there are, the deeper the tree, but `depth` is never passed.
    """

    name: ClassVar[str] = "tree"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset({Kind.REFERENCE}), given="declared", learns=False)

    law: Literal["uniform", "preferential", "balanced", "branching"] = "uniform"
    """Which row each points to."""
    roots: int | float = Setting(default=1, gt=0, le=10**12, examples=[3])
    """How many rows are roots: a number, they come first; or a share of the rows (below 1), spread evenly over the
    table."""
    depth: int | None = Setting(default=None, ge=1, le=10_000, examples=[4])
    """How many references there are at most from a row up to its root. A row that would lie deeper points to the row
    above it that is one less deep than that."""
    children: float = Setting(default=4.0, ge=2.0, le=10**6)
    """Of `balanced` and `branching`: how many rows point to each row that any point to."""
    counted_from: int | None = Setting(default=None, examples=[1])
    """Where the key is made by `counter` and counts 1 by 1: its first number. Keys of other rows are then known without
    looking at them, and the table is made piece by piece; else the whole of it is made at once."""

    @field_validator("roots")
    @classmethod
    def _number_or_share(cls, said: float) -> float:
        if said >= 1 and said != int(said):
            raise ValueError("wanted a number of rows, or a share of them below 1")
        return int(said) if said >= 1 else said

    def scope(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Scope:
        """Rows lie above each other wherever they stand."""
        return "table" if self.counted_from is None else "row"

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        links = [f.to for f in schema.tables[table].fields.values() if f.to is not None]
        own = [to for to in links if schema.split(to)[0] == table]
        return tuple(dict.fromkeys((*super().looks_at(schema, table), *own)))

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found: list[tuple[Place, str]] = []
        if self.nulls != 0:
            found.append((("nulls",), "rows without a reference are roots: say how many by `roots`"))
        if "children" in self.model_fields_set and self.law not in ("balanced", "branching"):
            found.append(
                (("children",), f"it goes with `law: balanced` or `branching`: `{self.law}` is left to chance")
            )
        if self.law == "balanced" and self.children != int(self.children):
            found.append((("children",), f"with `law: balanced` wanted a whole number, got {self.children:g}"))
        for name in produce:
            to = cast(str, schema.tables[table].fields[name].to)
            parent, key = schema.split(to)
            if parent != table:
                found.append(((), f"{name!r} points to another table, {parent!r}: use `reference`"))
            elif key in produce:
                found.append(((), f"{key!r} is what it points to: another part makes it"))
            elif self.counted_from is not None and canonical(schema.field(to)) != pa.int64():
                found.append((("counted_from",), f"key {to!r} is of type {canonical(schema.field(to))}: wanted int64"))
        return found

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        return {name: self._drawn(ask, name) for name in ask.produce}

    def _drawn(self, ask: Ask, name: str) -> Column:
        parent, key = ask.given.schema.split(cast(str, ask.field(name).to))
        there = ask.given.tables.get(parent)
        if there is None or key not in there.column_names:
            raise SampleError(self.name, f"column {name!r}", wanted=f"the keys {parent!r}.{key!r}", got="none yet",
                              remedy="have another part make them")  # fmt: skip
        keys = there.column(key).combine_chunks()
        if self.counted_from is None:
            rows = np.arange(ask.rows)
            turn = secret(self.name, ask.ctx.seed, *ask.ctx.place, ask.table, name)
            every = self._law(turn, ask.rows)(rows)
            found = self._raised(every.take, rows)
        else:
            rows = ask.numbers
            self._check_counted(keys, rows, name)
            turn = secret(self.name, ask.ctx.seed, ask.table, name)
            found = self._raised(self._law(turn, int(rows.max()) + 1), rows)
        alone = found < 0
        missing = alone if ask.field(name).nulls else None
        found = np.where(alone, rows, found)
        if self.counted_from is not None:
            return pa.array(found + self.counted_from, mask=missing)
        return keys.take(pa.array(found % max(len(keys), 1), mask=missing))

    def _check_counted(self, keys: pa.Array, rows: np.ndarray, name: str) -> None:
        wanted = pa.array(rows + cast(int, self.counted_from))
        if not keys.equals(wanted):
            raise SampleError(
                self.name, f"column {name!r}", got="others",
                wanted=f"keys that count 1 by 1 from {self.counted_from}, as `counted_from` says",
                remedy="leave `counted_from` out, or make the key by `counter`",
            )  # fmt: skip

    def _law(self, turn: int, rows: int) -> Up:
        """Return which row each row points to by the law, whatever its depth."""
        if self.law in ("uniform", "preferential"):
            return lambda numbers: self._grown(numbers, turn)
        if self.law == "balanced":
            return lambda numbers: self._hung(numbers, lambda place: place // int(self.children))
        ends = _ends(turn, rows, self.children)
        return lambda numbers: self._hung(numbers, lambda place: np.searchsorted(ends, place, side="right"))

    def _hung(self, numbers: np.ndarray, under: Up) -> np.ndarray:
        """Return the row that each hangs under by its place among those that are no roots; -1 for roots."""
        return np.where(self._rooted(numbers), -1, under(numbers - self._roots_before(numbers)))

    def _grown(self, numbers: np.ndarray, turn: int) -> np.ndarray:
        """Return an earlier row for each: any, or for `preferential` half of the time the one that it points to.

        Whoever takes what another row points to comes to a row as often as rows point there; so a row is found in
        proportion to 1 + its children (Kumar et al. 2000, Stochastic models for the web graph). A root stands for what
        it points to itself.
        """
        dice = Dice(numbers.astype(np.uint64), turn)
        found = np.minimum((dice.uniform() * numbers).astype(np.int64), numbers - 1)
        rooted = self._rooted(numbers)
        if self.law == "preferential":
            onward = np.flatnonzero((dice.uniform() < 0.5) & ~rooted)
            while len(onward):
                at = found[onward]
                onward, at = (some[~self._rooted(at)] for some in (onward, at))
                dice = Dice(at.astype(np.uint64), turn)
                found[onward] = np.minimum((dice.uniform() * at).astype(np.int64), at - 1)
                onward = onward[dice.uniform() < 0.5]
        return np.where(rooted, -1, found)

    def _rooted(self, numbers: np.ndarray) -> np.ndarray:
        """Return which rows are roots."""
        return self._roots_before(numbers + 1) > self._roots_before(numbers)

    def _roots_before(self, numbers: np.ndarray) -> np.ndarray:
        """Return how many roots there are before each row."""
        if self.roots >= 1:
            return np.minimum(numbers, int(self.roots))
        return np.ceil(numbers * self.roots - _ALMOST).astype(np.int64)

    def _raised(self, up: Up, rows: np.ndarray) -> np.ndarray:
        """Return which row each points to, no row deeper than is allowed.

        Where each row that lies too deep hangs at its forebear of the last depth but one, so do those below it: every
        depth is the lesser of what it was and what is allowed.
        """
        found = up(rows)
        if self.depth is None:
            return found
        deep, at, todo = np.zeros(len(rows), np.int64), found.copy(), np.flatnonzero(found >= 0)
        while len(todo):
            deep[todo] += 1
            at[todo] = up(at[todo])
            todo = todo[at[todo] >= 0]
        todo = np.flatnonzero(deep > self.depth)
        steps = deep[todo] - self.depth
        while len(todo):
            found[todo] = up(found[todo])
            steps -= 1
            todo, steps = todo[steps > 0], steps[steps > 0]
        return found


def _ends(turn: int, rows: int, children: float) -> np.ndarray:
    """Return how many children the rows from the first up to each have together, as far as some rows need it."""
    from scipy.stats import poisson  # late: half a second

    most = int(poisson.ppf(1 - 1e-15, children - 1)) + 1
    law = poisson.cdf(np.arange(most), children - 1)
    ends = np.zeros(0, np.int64)
    while not len(ends) or ends[-1] < rows:
        many = len(ends) + int(max(rows - (ends[-1] if len(ends) else 0), 0) / children) + 16
        dice = Dice(np.arange(many, dtype=np.uint64), turn)
        ends = np.cumsum(1 + np.searchsorted(law, dice.uniform(), side="right"))
    return ends
