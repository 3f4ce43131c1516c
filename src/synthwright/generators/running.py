"""Running totals: balances that add up, stocks that do not fall below nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities, Place, Scope
from synthwright.core.errors import SampleError
from synthwright.core.rule_nodes import Name
from synthwright.core.schema import ORDERED, Kind, Schema
from synthwright.core.values import labels, numbers
from synthwright.kit.constraints.units import LARGEST, Units, decimal, decimals
from synthwright.kit.formula.amounts import Amount, named
from synthwright.kit.formula.formulas import numbers as reckoned
from synthwright.kit.formula.formulas import read, value
from synthwright.kit.formula.stated import lattice, lost, wrong_amount
from synthwright.kit.ruled import Ask, Column, Ruled, hops


class Running(Ruled):
    """Adds amounts up row by row: balances after each entry, stock after each movement, how many so far.

    ::

        - make: [entry.balance]
          change: [entry.amount]
          use: running
          with: {of: amount, per: account, from: account.opening, order: at, floor: 0}

    The balance after a row is what its account opened with and the amounts of all its rows so far, this one included,
    in the order of a column (rows that are equal there in the order of the table). It is exact: whole numbers, decimals
    and numbers with a `step` are added as whole units of their last digit. A row without an amount moves nothing, and
    one of no account has no balance.

    With `floor` no balance is below it: an amount that would take more than there is is cut, refused, or waits until
    there is more (`lack`). Amounts that are cut or refused are changed where they stand: the part names their column
    under `change`.

    The part makes one column for the balance, and as many of those that `before` and `refilled` name.
    """

    name: ClassVar[str] = "running"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.INTEGER, Kind.NUMBER}), given="declared", learns=False, random=False, changes=True
    )

    of: Amount = 1.0
    """What comes in each row, or goes where it is below 0: a column, or a formula such as `credit - debit`. Nothing is
    said: rows are counted."""
    per: str | None = Setting(default=None, examples=["a"])
    """The column, or path, whose rows with equal values are one account. Nothing: the whole table is one."""
    opening: Amount = Setting(default=0.0, alias="from", examples=[100.0])
    """What is there before an account's first row: a number or a formula, such as `account.opening`."""
    order: str | None = Setting(default=None, examples=["a"])
    """The column, or path, by which an account's rows follow each other: a number, date or instant; those without a
    value come last. Nothing: as they stand in the table."""
    floor: Amount | None = Setting(default=None, examples=[0.0])
    """The least balance: a number, or a formula that is computed for an account's first row (`-account.overdraft`)."""
    lack: Literal["cut", "refuse", "refill"] = "cut"
    """What becomes of an amount that would lead below `floor`. `cut`: it becomes what there is to take. `refuse`: it
    becomes 0. `refill`: before it, the balance is filled up to `to`, or as far as the amount needs."""
    to: Amount | None = Setting(default=None, examples=[100.0])
    """With `lack: refill`: up to what the balance is filled; a number, or a formula as for `floor`."""
    before: str | None = Setting(default=None, examples=["a"])
    """The column of the part that gets the balance before the row."""
    refilled: str | None = Setting(default=None, examples=["a"])
    """With `lack: refill`: the column of the part that gets how much was filled up before the row's amount: balance
    before + refilled + amount = balance."""

    def paths(self) -> Sequence[str]:
        said = named([self.of, self.opening, self.floor, self.to])
        return tuple(dict.fromkeys((*said, *(p for p in (self.per, self.order) if p is not None))))

    def scope(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Scope:
        """Rows of an account may stand anywhere."""
        return "table"

    def entity(self, schema: Schema, table: str, produce: tuple[str, ...]) -> str | None:
        """Return the reference whose rows are enough to be made together, in place of the whole table."""
        return self.per

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        roles = self._roles(produce)
        found = self._misused_paths(schema, table, produce, roles)
        for word in ("before", "refilled"):
            column = getattr(self, word)
            if column is not None and column not in produce:
                found.append(((word,), f"the part makes no column {column!r}: name it in `make` as '{table}.{column}'"))
            if column is not None and column in (*roles.changed, *([self.before] if word == "refilled" else [])):
                found.append(((word,), f"{column!r} has another part to play already"))
        if len(roles.balance) != 1:
            said = ", ".join(map(repr, roles.balance)) or "none"
            found.append(((), f"wanted one column for the balance, got {said}: `before` and `refilled` name others"))
        if self.nulls != 0:
            found.append((("nulls",), "a balance is in every row"))
        found += self._misused_floor(table, roles) if self.floor is not None else self._misused_free(roles)
        return [*found, *self._misused_steps(schema, table, roles)]

    def _misused_paths(
        self, schema: Schema, table: str, produce: tuple[str, ...], roles: _Roles
    ) -> list[tuple[Place, str]]:
        """Return which parameters name no column that can be looked at, or no numbers."""
        made = [c for c in produce if c not in roles.changed]
        found: list[tuple[Place, str]] = [(("of",), said) for said in wrong_amount(self.of, schema, table, made)]
        for word, amount in (("from", self.opening), ("floor", self.floor), ("to", self.to)):
            if amount is not None:
                found += [((word,), said) for said in wrong_amount(amount, schema, table, produce)]
        for word, path in (("per", self.per), ("order", self.order)):
            wrong = [] if path is None else lost(path, schema, table, produce)
            found += [((word,), said) for said in wrong]
            if word == "order" and path is not None and not wrong:
                last = hops(schema, table, path)[-1]
                kind = schema.tables[last.table].fields[last.column].kind
                if kind not in ORDERED:
                    found.append(((word,), f"{path!r} is of kind {kind.value!r}: wanted numbers, dates or instants"))
        return found

    def _misused_free(self, roles: _Roles) -> list[tuple[Place, str]]:
        """Return what goes with a floor, where there is none."""
        told = [word for word in ("lack", "to", "refilled") if word in self.model_fields_set]
        found: list[tuple[Place, str]] = [((word,), "it goes with `floor`") for word in told]
        return found + [(("of",), f"without `floor` no amount is changed: leave {c!r} out") for c in roles.changed]

    def _misused_floor(self, table: str, roles: _Roles) -> list[tuple[Place, str]]:
        """Return what is wrong with the floor and what goes with it."""
        found: list[tuple[Place, str]] = []
        words = ("to", "refilled")
        if self.lack == "refill":
            found += [((w,), "`lack: refill` needs it") for w in words if getattr(self, w) is None]
            found += [
                (("of",), f"with `lack: refill` amounts stay as they are: leave {c!r} out") for c in roles.changed
            ]
        else:
            found += [((w,), "it goes with `lack: refill`") for w in words if w in self.model_fields_set]
            if len(roles.changed) != 1:
                example = _column(self.of) or "amount"
                said = f"`change: [{table}.{example}]`"
                found.append(
                    (("floor",), f"where there is too little it changes amounts: name their column, as {said}")
                )
        for word, most in (("from", self.opening), ("to", self.to)):
            if isinstance(self.floor, float) and isinstance(most, float) and most < self.floor:
                found.append((("floor",), f"{self.floor:g} is more than `{word}: {most:g}`"))
        return found

    def _misused_steps(self, schema: Schema, table: str, roles: _Roles) -> list[tuple[Place, str]]:
        """Return whether the balance is too coarse for the amounts."""
        fields, own = schema.tables[table].fields, _column(self.of)
        fine = None if own not in fields else lattice(fields[own])
        found: list[tuple[Place, str]] = []
        for name in (*roles.balance, *(c for c in (self.before,) if c in fields)):
            coarse = lattice(fields[name])
            if fine is not None and coarse is not None and decimal(fine) % decimal(coarse):
                found.append(
                    (("of",), f"{own!r} holds multiples of {fine:g}, {name!r} of {coarse:g}: they cannot add up")
                )
        return found

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        from synthwright.kit.events import balances  # late: its loop is compiled

        roles = self._roles(ask.produce)
        said = self._asked(ask, roles)
        units = Units.fit([*(lattice(ask.field(c)) for c in ask.produce), self._step(ask)], said)
        amounts = units.count(said)
        levels = [units.count(self._amounts(ask, one or 0.0)) for one in (self.opening, self.floor, self.to)]
        most = max(float(np.abs(v).max(initial=0)) for v in levels)
        if units.digits is not None and np.abs(amounts.astype(np.float64)).sum() + most >= LARGEST:
            raise self._wrong(roles.balance[0], "sums of at most 18 digits", "more", "see what is summed up")
        whose, order = self._ordered(ask)
        begins = np.diff(whose[order], prepend=-1) != 0
        walk = balances.Walk(amounts[order], begins, *(v[order] for v in levels))
        if self.floor is not None and (low := np.count_nonzero((walk.opening < walk.floor)[begins])):
            raise self._wrong(roles.balance[0], "accounts that open with at least the floor", f"{low:,} with less",
                              "lower `floor`, or raise `from`")  # fmt: skip
        steps = [lattice(ask.field(c)) for c in (*roles.changed, self.refilled) if c in ask.produce]
        lack = 0 if self.floor is None else balances.LACK[self.lack]
        found = balances.walked(walk, lack, units.grain(steps[0]) if steps else 0)
        named = {self.before: found.before, self.refilled: found.filled} | dict.fromkeys(roles.balance, found.after)
        made: dict[str, Column] = {
            c: units.column(_placed(v, order, ask.rows), whose < 0, ask.field(c))
            for c, v in named.items()
            if c in ask.produce
        }
        taken = amounts.copy()
        taken[order] = found.amount
        return made | {c: self._changed(ask, c, units, amounts, taken) for c in roles.changed}

    def _asked(self, ask: Ask, roles: _Roles) -> pa.Array:
        """Return the amounts that are asked for."""
        for name in roles.changed:
            if name not in ask.given.columns(ask.table):
                raise self._wrong(name, "it under `change`, and another part that makes it", "it under `make`")
        return self._amounts(ask, self.of)

    def _amounts(self, ask: Ask, said: float | str) -> pa.Array:
        """Return what a parameter says for every row: whole numbers and decimals as they are, or floats."""
        if not isinstance(said, str):
            return pa.array(np.full(ask.rows, float(said)))
        found = value(read(said), ask)
        if pa.types.is_decimal(found.type) or found.type == pa.int64():
            return found
        return pa.array(reckoned(read(said), ask))

    def _step(self, ask: Ask) -> float | None:
        """Return the step that amounts keep to, where they are a column."""
        if not isinstance(self.of, str):
            return 10.0 ** -decimals(self.of)
        path = _column(self.of)
        if path is None:
            return None
        last = hops(ask.given.schema, ask.table, path)[-1]
        return lattice(ask.given.schema.tables[last.table].fields[last.column])

    def _ordered(self, ask: Ask) -> tuple[np.ndarray, np.ndarray]:
        """Return whose each row is, -1 for nobody's, and the rows of accounts in their order."""
        whose = np.zeros(ask.rows, np.int64) if self.per is None else labels(ask.column(self.per))[0]
        rows = np.flatnonzero(whose >= 0)
        at = np.zeros(len(rows)) if self.order is None else _sortable(ask.column(self.order))[rows]
        step = np.diff(whose[rows])
        if ((step > 0) | ((step == 0) & (at[1:] >= at[:-1]))).all():
            return whose, rows
        return whose, rows[np.lexsort((at, whose[rows]))]

    def _changed(self, ask: Ask, name: str, units: Units, amounts: np.ndarray, taken: np.ndarray) -> pa.Array:
        """Return the column of amounts, less where there was too little."""
        held = ask.column(name).combine_chunks()
        less = amounts != taken
        there = units.count(held)
        if (np.abs(there) != np.abs(amounts))[less].any():
            raise self._wrong(name, f"`of: {self.of}` to be it, or the negative of it", "another number in some rows",
                              "let `of` be a column, or have another part make one")  # fmt: skip
        now = units.column(np.sign(there) * np.abs(taken), np.zeros(ask.rows, dtype=bool), ask.field(name))
        return pc.if_else(pa.array(less), now, held)

    def _roles(self, produce: tuple[str, ...]) -> _Roles:
        of = read(self.of).paths if isinstance(self.of, str) else ()
        changed = tuple(c for c in produce if c in of)
        return _Roles(tuple(c for c in produce if c not in (*changed, self.before, self.refilled)), changed)

    def _wrong(self, column: str, wanted: str, got: str, remedy: str = "") -> SampleError:
        return SampleError(self.name, f"column {column!r}", wanted=wanted, got=got, remedy=remedy)


class _Roles(NamedTuple):
    """What the columns of the part are, besides those that parameters name."""

    balance: tuple[str, ...]
    changed: tuple[str, ...]


def _column(said: float | str) -> str | None:
    """Return the column or path that a parameter is; None for numbers and other formulas."""
    tree = read(said).tree if isinstance(said, str) else None
    return tree.name if isinstance(tree, Name) else None


def _placed(values: np.ndarray, order: np.ndarray, rows: int) -> np.ndarray:
    found = np.zeros(rows, values.dtype)
    found[order] = values
    return found


def _sortable(column: pa.ChunkedArray) -> np.ndarray:
    """Return an ordered column as numbers by which rows are sorted exactly; those without a value are last."""
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or kind == pa.uint64():
        return numbers(column)
    whole = (column.cast(pa.int32()) if pa.types.is_date32(kind) else column).cast(pa.int64())
    return pc.fill_null(whole, np.iinfo(np.int64).max).to_numpy()
