"""Patterns as a specification writes them: how often, where they begin, how long they are, and what they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from typing import Annotated, Any, cast

import numpy as np
from pydantic import BeforeValidator, ValidationError, model_validator
from pydantic import Field as Setting

from synthwright.core import registry
from synthwright.core.contracts import Place
from synthwright.core.errors import UnknownNameError
from synthwright.core.phrases import sentence
from synthwright.core.rule_nodes import Nothing
from synthwright.core.schema import Field, Frozen, Kind, Schema
from synthwright.kit.events.episode_rows import START, WORDS
from synthwright.kit.events.episodes import Draw
from synthwright.kit.formula.amounts import Readable
from synthwright.kit.formula.formulas import Formula, faults, read
from synthwright.kit.ruled import Ask, Ruled, reached
from synthwright.kit.sampling.distributions import Shape

Wrong = list[tuple[Place, str]]
"""What makes no sense: where among parameters, and a sentence."""
_WHOLE = Field(kind=Kind.INTEGER, nulls=False)
_LONGEST = 2.0**31


class Lengths(Shape):
    """How many rows an episode has: any distribution, rounded, of what lies from 1 on."""

    @model_validator(mode="after")
    def _numbers(self) -> Lengths:
        if any(isinstance(said, str) for said in self.quantities):
            raise ValueError("wanted numbers: rows are counted before any column is looked at")
        if self.between is not None and self.between[0] is not None and cast(float, self.between[0]) < 1:
            raise ValueError(f"an episode has at least 1 row, got {self.between[0]:g}")
        if self.empty:
            raise ValueError("wanted a number of rows, `between: [6, 20]`, or a distribution such as "
                             "`poisson: {mean: 8}`")  # fmt: skip
        return self

    @property
    def _bounded(self) -> Lengths:
        """The distribution of what lies from 1 on."""
        low, high = self.between or (None, None)
        return self.model_copy(update={"between": (1 if low is None else low, high)})

    @property
    def even(self) -> tuple[int, int] | None:
        """The ends of whole numbers that are all as likely; None for any other distribution."""
        if self.uniform is None or self.between is not None:
            return None
        low, high = cast(float, self.uniform.low), cast(float, self.uniform.high)
        return (int(low), int(high)) if low == int(low) and high == int(high) and 1 <= low <= high < _LONGEST else None

    def wrong(self, schema: Schema, table: str) -> Iterator[tuple[Place, str]]:
        """Yield what makes no length: where among its parameters, and a sentence."""
        yield from self._bounded.misfits(_WHOLE, schema, table, ())

    def draws(self, ask: Ask) -> Draw:
        """Return what draws lengths."""
        if self.even is not None:
            low, high = self.even
            return lambda rng, many: rng.integers(low, high + 1, many)
        law = self._bounded.law(ask, _WHOLE)

        def draw(rng: np.random.Generator, many: int) -> np.ndarray:
            return np.clip(np.rint(law.draw(rng, many)), 1, _LONGEST).astype(np.int64)

        return draw


def _shaped(said: Any) -> Any:
    """Read `8` and `between: [6, 20]`: all whole numbers from end to end, each as likely."""
    if isinstance(said, int) and not isinstance(said, bool):
        said = {"between": [said, said]}
    if isinstance(said, Mapping) and set(said) == {"between"} and isinstance(said["between"], list | tuple) and \
            len(said["between"]) == 2 and all(isinstance(end, int | float) for end in said["between"]):  # fmt: skip
        low, high = said["between"]
        if low < 1:
            raise ValueError(f"an episode has at least 1 row, got {low:g}")
        return {"uniform": {"low": low, "high": high}} if low <= high else said
    return said


def _described(said: Any) -> Any:
    """Read a formula, or a constant that YAML has read already, as a change by a formula."""
    if isinstance(said, Mapping | Change):
        return said
    if said is None or isinstance(said, bool):
        return {"formula": "null" if said is None else str(said).lower()}
    return {"formula": repr(said) if isinstance(said, int | float) else said}


class Change(Frozen):
    """What the rows of a pattern have in a column: by a formula, or made by a generator."""

    formula: Readable | None = None
    """What it is computed by."""
    use: str | None = None
    """The generator that makes it: any that follows a rule."""
    settings: dict[str, Any] = Setting(default_factory=dict, alias="with")
    """The parameters of the generator."""
    once: bool = False
    """Whether all rows of an episode have what its first row gets."""

    @model_validator(mode="after")
    def _one_way(self) -> Change:
        if (self.formula is None) == (self.use is None):
            raise ValueError("wanted a formula, or a generator: {use: choice, with: {values: [a, b]}}")
        if self.settings and self.use is None:
            raise ValueError("'with' goes with 'use'")
        return self

    @cached_property
    def rule(self) -> Ruled:
        """The generator.

        Raises:
            UnknownNameError, ValidationError, TypeError: there is none of that name, with these parameters, or it
                follows no rule: `wrong` says so.
        """
        found = registry.find("generators", str(self.use)).model_validate(self.settings)
        if not isinstance(found, Ruled) or found.abilities.changes:
            raise TypeError(f"{self.use} makes no single column by a rule")
        return found

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns, paths and words that it names; none where there is no such generator."""
        if self.formula is not None:
            return read(self.formula).paths
        try:
            nulls = self.rule.nulls
            return (*self.rule.paths(), *(read(nulls).paths if isinstance(nulls, str) else ()))
        except (UnknownNameError, ValidationError, TypeError):
            return ()

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        """Return what its generator looks at, as `table.column`; words are columns of the schema here."""
        try:
            return () if self.use is None else self.rule.looks_at(schema, table)
        except (UnknownNameError, ValidationError, TypeError):
            return ()

    def wrong(self, schema: Schema, table: str, column: str) -> Wrong:
        """Return what it cannot mean for a column; words are columns of the schema here."""
        field = schema.tables[table].fields[column]
        if self.formula is not None:
            formula = read(self.formula)
            if isinstance(formula.tree, Nothing) and not field.nulls:
                return [((), f"column {column!r} must have a value in every row (`nulls: false` in the schema)")]
            return [((), said) for said in unsaid(formula, schema, table) or faults(formula, schema, table, field)]
        try:
            return self._wrong_rule(self.rule, schema, table, column)
        except UnknownNameError as error:
            return [(("use",), str(error))]
        except ValidationError as error:
            return [(("with", *one["loc"]), f"{'.'.join(map(str, (self.use, *one['loc'])))}: {_said(one)}")
                    for one in error.errors(include_url=False)]  # fmt: skip
        except TypeError:
            return [(("use",), f"{self.use} cannot make a column of some rows alone: it learns, or changes others")]

    def _wrong_rule(self, rule: Ruled, schema: Schema, table: str, column: str) -> Wrong:
        kind = schema.tables[table].fields[column].kind
        if kind not in rule.abilities.kinds:
            able = ", ".join(sorted(rule.abilities.kinds))
            return [
                (("use",), f"{self.use} cannot make {column!r}, which is of kind {kind.value!r}; it can make {able}")
            ]
        found: Wrong = [(("with", *where), f"{self.use}: {said}")
                        for where, said in rule.misused(schema, table, (column,))]  # fmt: skip
        if not found and rule.scope(schema, table, (column,)) != "row":
            found.append((("use",), f"{self.use} makes rows together: it cannot make those of a pattern alone"))
        return found


def _said(one: Any) -> str:
    return "it has no such parameter" if one["type"] == "extra_forbidden" else sentence(one)


def unsaid(formula: Formula, schema: Schema, table: str) -> list[str]:
    """Return why a formula of a pattern cannot say this: it needs rows that are not there, or a word has no column."""
    if formula.aggregates:
        return [f"formula {formula.text!r} sums up rows: make a column of it with `use: formula`, and name that"]
    if START in formula.paths and START not in schema.tables[table].fields:
        return [f"`{START}` is the value of the column that rows are ordered by: say `order:`"]
    words = [c for c in schema.tables[table].fields if c.startswith(WORDS)]
    for path in formula.paths:
        column = path.partition(".")[2]
        if path.startswith("episode.") and not reached(schema, table, path) and reached(schema, table, column):
            return [f"formula {formula.text!r}: what the first row has in `{column}` is `episode.first.{column}`"]
        near = (
            get_close_matches(path, words, n=1) if path.startswith(WORDS) and not reached(schema, table, path) else []
        )
        if near:
            return [f"formula {formula.text!r}: nothing is called `{path}`: did you mean `{near[0]}`?"]
    back = [p for p in formula.paths if any(hop.table == table for hop in reached(schema, table, p)[1:])]
    return [f"`{p}` leads to other rows of {table!r} itself, of which only some are there" for p in back]


Changed = Annotated[Change, BeforeValidator(_described, json_schema_input_type=str | float | bool | None | Change)]
"""A formula, a constant, or a generator."""


class Pattern(Frozen):
    """One kind of episode: how many rows take part, where one begins, how long it is, and what it changes."""

    rate: float = Setting(gt=0, le=1)
    """The share of the table's rows that belong to it."""
    where: Readable | None = None
    """A condition on the row at which an episode begins; nothing: any row."""
    rows: Annotated[Lengths, BeforeValidator(_shaped, json_schema_input_type=int | Lengths)] = Setting(
        default=Lengths.model_validate({"uniform": {"low": 1, "high": 1}})
    )
    """How many rows of an entity an episode takes, one behind the other."""
    least: int | None = Setting(default=None, ge=1)
    """How many rows remain at least of an episode that the end of its entity cuts short."""
    set_: dict[str, Changed] = Setting(default_factory=dict, alias="set")
    """What its rows have in which column, computed from what they had before."""

    @property
    def single(self) -> bool:
        """Whether every episode is one row."""
        return self.rows.even == (1, 1)

    def wrong(self, schema: Schema, table: str) -> Wrong:
        """Return what its rows and its condition cannot mean for a table."""
        found: Wrong = [(("rows", *place), said) for place, said in self.rows.wrong(schema, table)]
        if self.where is not None:
            formula = read(self.where)
            said = unsaid(formula, schema, table) or faults(formula, schema, table, wanted="boolean")
            found += [(("where",), one) for one in said]
        return found
