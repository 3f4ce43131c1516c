"""References: which row of another table each row points to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import model_validator

from synthwright.core.contracts import Abilities, Place, Scope
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known, Rows
from synthwright.core.schema import Kind, Schema, canonical
from synthwright.core.values import labels
from synthwright.kit.foreseen import valued
from synthwright.kit.formula.amounts import Amount, Readable, amount, named
from synthwright.kit.formula.formulas import condition, read
from synthwright.kit.formula.stated import lost, wrong_amount, wrong_condition
from synthwright.kit.lookups import flat
from synthwright.kit.measuring.pairs import agreeing, crowded, differing, in_groups
from synthwright.kit.ruled import Ask, Column, Ruled, hops, reached
from synthwright.kit.sampling.degrees import EXPONENTS, Targets, law_weights
from synthwright.kit.sampling.dice import permuted, secret


class Reference(Ruled):
    """Points every row to a row of another table, some more often than others.

    The keys are those that the other table got, so that no reference leads nowhere. How often each parent is pointed
    to: `uniform`, every parent alike; `zipf`, the parent of rank r in proportion to r to the power of minus `exponent`
    (ranks are dealt at random, once for a run); `preferential`, those more often that have been pointed to before;
    `once`, every parent at most once, in an order of chance. With `weight`, in proportion to a formula of the parent's
    columns. Exact counts belong into `start: {children: …}`. `where` says which parents there are to choose from, and
    `match` which of them for each row::

        - make: [order.branch]
          use: reference
          with: {where: "closed is null", match: {region: customer.region}, weight: size}

    In a table that links two others, `distinct_per` keeps pairs from coming twice. Several references of one part are
    drawn one by one.
    """

    name: ClassVar[str] = "reference"
    version: ClassVar[int] = 2
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset({Kind.REFERENCE}), given="declared", learns=False)

    degrees: Literal["uniform", "zipf", "preferential", "once"] = "uniform"
    """How often parents are pointed to. `preferential`: each in proportion to one more than how often it was pointed to
    before (Pólya's urn), and older parents have had more time for it (Yule 1925, Simon 1955): in effect each parent has
    a weight E / U^exponent, E exponential and U uniform, dealt once for the run, and shards agree."""
    exponent: float | None = Setting(default=None, ge=0.0, le=10.0, examples=[0.8])
    """Of `zipf` and `preferential`: the larger, the more go to few. Of `zipf` 0 is uniform, and 1 what is meant where
    nothing is said; of `preferential` with 0 all parents are equally old, and 0.5 is meant: the share of parents with k
    rows then falls with the third power of k, as in networks that grow this way."""
    weight: Amount | None = Setting(default=None, examples=[2.0])
    """In proportion to what parents are pointed to, in place of `degrees`: a formula of the parent's own columns
    (`income / 1000`); less than 0 counts as 0."""
    where: Readable | None = Setting(default=None, examples=["a > 0"])
    """A condition on the parent: only where it holds may a parent be pointed to (`closed is null`)."""
    match: dict[str, str] = Setting(default={}, examples=[{"a": "b"}])
    """What the parent must have in common with the row: columns of the parent, and beside each the column of the row
    that it must be equal to, or a path from the row: `{region: customer.region}`. A row without such a value gets no
    reference."""
    distinct_per: str | None = Setting(default=None, examples=["a"])
    """The column, or path, whose rows with equal values all point to different parents: in `enrolment`, which links
    students and courses, `course` is made with `distinct_per: student`. For each student courses are drawn one after
    the other, by their weights, among those that the student does not have."""
    other_than: str | None = Setting(default=None, examples=["a"])
    """Another reference of the row to the same table: the row points to another parent than that (`transfer.target`
    is made with `other_than: source`). With `distinct_per` to none that any row of the owner has there."""

    @model_validator(mode="after")
    def _together(self) -> Reference:
        if self.weight is not None and self.degrees != "uniform":
            raise ValueError("say 'weight' or 'degrees', not both")
        told = [word for word in ("match", "distinct_per", "other_than") if getattr(self, word)]
        if self.degrees == "once" and told:
            raise ValueError(f"'degrees: once' does not go with {told[0]!r}: every parent comes at most once already")
        return self

    def paths(self) -> Sequence[str]:
        return tuple(dict.fromkeys(p for p in (*self.match.values(), self.distinct_per, self.other_than) if p))

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        found = list(super().looks_at(schema, table))
        for parent in _parents(schema, table):
            found += [str(h) for path in self._of_parent() for h in reached(schema, parent, path)]
        return tuple(dict.fromkeys(found))

    def scope(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Scope:
        """Rows with one owner may stand anywhere."""
        return "row" if self.distinct_per is None else "table"

    def entity(self, schema: Schema, table: str, produce: tuple[str, ...]) -> str | None:
        """Return the reference whose rows are enough to be made together, in place of the whole table."""
        return self.distinct_per

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        wrong = [f for f in super().misused(schema, table, produce) if f[0]]  # paths are told with their places
        told: dict[Place, str] = {("match", k): v for k, v in self.match.items()}
        told |= {(word,): p for word in ("distinct_per", "other_than") if (p := getattr(self, word)) is not None}
        wrong += [(place, said) for place, path in told.items() for said in lost(path, schema, table, produce)]
        if self.exponent is not None and self.degrees not in EXPONENTS:
            wrong.append((("exponent",), "it goes with `degrees: zipf` or `degrees: preferential`"))
        if wrong:
            return wrong
        for name in produce:
            parent, key = schema.split(cast(str, schema.tables[table].fields[name].to))
            if parent == table:
                wrong.append(((), f"{name!r} points to its own table, whose rows are not there yet: use `tree`"))
                continue
            wrong += self._misused_parent(schema, table, parent)
            if self.other_than is not None:
                last = hops(schema, table, self.other_than)[-1]
                if schema.tables[last.table].fields[last.column].to not in (None, f"{parent}.{key}"):
                    wrong.append((("other_than",), f"{self.other_than!r} points elsewhere than {name!r}"))
        return wrong

    def _misused_parent(self, schema: Schema, table: str, parent: str) -> Iterator[tuple[Place, str]]:
        """Yield what is wrong with parameters that name columns of the parent."""
        if self.weight is not None:
            yield from ((("weight",), said) for said in wrong_amount(self.weight, schema, parent, ()))
        if self.where is not None:
            yield from ((("where",), said) for said in wrong_condition(self.where, schema, parent, ()))
        for there, here in self.match.items():
            found = lost(there, schema, parent, ())
            yield from ((("match", there), said) for said in found)
            if found:
                continue
            ends = [hops(schema, parent, there)[-1], hops(schema, table, here)[-1]]
            kinds = [str(canonical(schema.tables[e.table].fields[e.column])) for e in ends]
            if kinds[0] != kinds[1]:
                yield ("match", there), f"`{parent}.{there}` holds {kinds[0]}, {here!r} holds {kinds[1]}: never equal"

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        found = super().foreseen(schema, table, produce, known)
        for name in produce:
            parent, _ = schema.split(cast(str, schema.tables[table].fields[name].to))
            most, rows = known.rows.get(parent, Rows()).most, known.rows.get(table, Rows()).least
            if self.degrees == "once" and most is not None and most < rows:
                said = f"{rows:,} rows of {table!r} cannot each have a row of {parent!r}, of which there are {most:,}"
                found.append(Foreseen(("degrees",), f"{said}: make fewer, or more of {parent!r}"))
            for there, here in self.match.items():
                one, other = valued(there, known, schema, parent), valued(here, known, schema, table)
                if one is not None and other is not None and not {*one} & {*other} - {None}:
                    said = f"no row of {parent!r} has in `{there}` what rows of {table!r} have in `{here}`"
                    found.append(Foreseen(("match", there), said, sure=not schema.tables[table].fields[name].nulls))
        return found

    def concerns(self, place: Place, schema: Schema, table: str, produce: tuple[str, ...]) -> str:
        return schema.split(cast(str, schema.tables[table].fields[produce[0]].to))[0] if place != ("nulls",) else table

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        return {name: self._drawn(ask, name) for name in ask.produce}

    def _of_parent(self) -> tuple[str, ...]:
        """Return the columns and paths of the parent that are named."""
        return tuple(dict.fromkeys((*named([self.weight, self.where]), *self.match)))

    def _drawn(self, ask: Ask, name: str) -> Column:
        parent, key = ask.given.schema.split(cast(str, ask.field(name).to))
        there = ask.given.tables.get(parent)
        if there is None or key not in there.column_names or not there.num_rows:
            raise self._lacking(name, f"rows of {parent!r} to point to", "none",
                                f"say how many rows of {parent!r} to make")  # fmt: skip
        keys = flat(there.column(key))
        choice = self._choice(Ask(ask.given, parent, (), ask.ctx), ask, name)
        if self.degrees == "once":
            if int(ask.numbers.max(initial=0)) >= choice.targets.size:
                raise self._lacking(name, f"a row of {parent!r} for each row", f"{choice.targets.size:,} for more rows",
                                    "make fewer rows, or more parents")  # fmt: skip
            turn = secret("once", ask.ctx.seed, ask.table, name)
            found = permuted(ask.numbers.astype(np.uint64), choice.targets.size, turn)
        else:
            found = self._targets(ask, name, choice, keys)
        missing = None if choice.group is None or choice.group.min(initial=0) >= 0 else choice.group < 0
        if choice.places is not None and len(choice.places):
            found = choice.places[found]
        return keys.take(pa.array(found, mask=missing))

    def _choice(self, own: Ask, ask: Ask, name: str) -> _Choice:
        """Return which parents may be pointed to, how often, and by which rows."""
        places, group = None, None
        if self.where is not None:
            places = np.flatnonzero(condition(read(self.where), own))
            if not len(places):
                raise self._lacking(name, f"rows of {own.table!r} where `{self.where}` holds", "none")
        weights = self._weights(own, places, ask, name)
        begins = np.array([0, own.rows if places is None else len(places)])
        if self.match:
            theirs, group = self._grouped(own, places, ask)
            order = in_groups(theirs)
            begins = np.searchsorted(theirs[order], np.arange(int(theirs.max(initial=-1)) + 2))
            weights = None if weights is None else weights[order]
            places = order if places is None else places[order]
        choice = _Choice(places, Targets.of(begins, weights), group)
        if group is not None:
            self._check_match(own, ask, name, choice, group)
        return choice

    def _check_match(self, own: Ask, ask: Ask, name: str, choice: _Choice, group: np.ndarray) -> None:
        """Raise a SampleError where a row has no parent to point to."""
        able = np.append(choice.targets.able(), [0, 0])  # the last two are for -2 and -1
        absent = np.count_nonzero(group == -1) if not ask.field(name).nulls else 0
        lacking = int(np.count_nonzero((able[group] == 0) & (group != -1)) + absent)
        if lacking:
            alike = ", ".join(f"`{there}` equal to `{here}`" for there, here in self.match.items())
            raise self._lacking(name, f"for each row a row of {own.table!r} with {alike}", f"none for {lacking:,} rows",
                                f"make such rows of {own.table!r}, or match fewer columns")  # fmt: skip

    def _weights(self, own: Ask, places: np.ndarray | None, ask: Ask, name: str) -> np.ndarray | None:
        many = own.rows if places is None else len(places)
        if self.degrees in ("zipf", "preferential"):
            exponent = EXPONENTS[self.degrees] if self.exponent is None else self.exponent
            return law_weights(self.degrees, many, exponent, secret(self.degrees, ask.ctx.seed, ask.table, name))
        if self.weight is None:
            return None
        said = np.broadcast_to(np.nan_to_num(np.maximum(amount(own, self.weight), 0.0), posinf=np.inf), own.rows)
        weights = said if places is None else said[places]
        total = weights.sum()
        if not 0 < total < np.inf:
            raise self._lacking(name, "a weight above 0 for some parent", f"a sum of {total:g}",
                                "see what the formula gives")  # fmt: skip
        return weights

    def _grouped(self, own: Ask, places: np.ndarray | None, ask: Ask) -> tuple[np.ndarray, np.ndarray]:
        """Return to which group each parent belongs, and from which each row wants one; see `agreeing`."""
        theirs, mine = agreeing([own.column(c) for c in self.match], [ask.column(c) for c in self.match.values()])
        return theirs if places is None else theirs[places], mine

    def _targets(self, ask: Ask, name: str, choice: _Choice, keys: pa.Array) -> np.ndarray:
        """Return which of the parents to choose from each row points to; 0 for rows without a value to match."""
        rng, targets, group = ask.ctx.at(name).rng, choice.targets, choice.group
        alone = self.distinct_per is None and self.other_than is None
        if group is None and alone:
            return targets.draw(rng, 0, ask.rows)
        rows = np.arange(ask.rows) if group is None else np.flatnonzero(group >= 0)
        mine = np.zeros(len(rows), np.int64) if group is None else group[rows]
        if not len(rows):
            return np.zeros(ask.rows, np.int64)
        if alone:
            drawn = targets.draw(rng, mine, len(rows))
        else:
            owner, taken = self._owners(ask, choice, keys)
            owner, taken = owner[rows], taken[np.isin(taken // targets.size, owner[rows])]
            lacking = int(np.count_nonzero(crowded(owner, mine, targets, taken)))
            if lacking:
                raise self._lacking(name, "as many rows to point to as rows of an owner, or more",
                                    f"too few for {lacking:,} rows", "make more of them, or fewer rows")  # fmt: skip
            drawn = differing(rng, owner, mine, targets, taken)
        found = np.zeros(ask.rows, np.int64)
        found[rows] = drawn
        return found

    def _owners(self, ask: Ask, choice: _Choice, keys: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Return whose each row is, and the pairs of owner and target that are out of the question."""
        owner = np.arange(ask.rows)
        if self.distinct_per is not None:
            codes, distinct = labels(ask.column(self.distinct_per))
            owner = np.where(codes < 0, len(distinct) + owner, codes)  # a row of nobody is by itself
        if self.other_than is None:
            return owner, np.zeros(0, np.int64)
        at = pc.index_in(flat(ask.column(self.other_than)).cast(keys.type), value_set=keys)
        at = pc.fill_null(at, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        if choice.places is not None:
            found = np.full(len(keys) + 1, -1)  # the last one is for -1
            found[choice.places] = np.arange(len(choice.places))
            at = found[at]
        return owner, (owner * choice.targets.size + at)[at >= 0]

    def _lacking(self, name: str, wanted: str, got: str, remedy: str = "") -> SampleError:
        return SampleError(self.name, f"column {name!r}", wanted=wanted, got=got, remedy=remedy)


class _Choice(NamedTuple):
    """Which parents may be pointed to."""

    places: np.ndarray | None
    """Where each of them stands among all parents; None: they are all."""
    targets: Targets
    group: np.ndarray | None
    """From which group of targets each row wants one; -1: it has no value to match. None: there is one group."""


def _parents(schema: Schema, table: str) -> Sequence[str]:
    """Return the other tables that a table refers to."""
    links = [f.to for f in schema.tables[table].fields.values() if f.to is not None]
    return [p for p in dict.fromkeys(schema.split(link)[0] for link in links) if p != table]
