"""Codes by a pattern."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field as Setting
from pydantic import ValidationInfo, field_validator

from synthwright.core.contracts import Abilities, Place
from synthwright.core.errors import SampleError
from synthwright.core.foresight import Foreseen, Known, Rows
from synthwright.core.schema import Field, Kind, Schema, canonical
from synthwright.kit.entities.code_parser import overlap, parse
from synthwright.kit.entities.codes import codes
from synthwright.kit.ruled import Ask, Column, Ruled
from synthwright.kit.sampling.dice import permuted, secret

_ROOM = 2**62


class Pattern(Ruled):
    r"""Makes codes by a pattern: `[A-Z]{3}-[0-9]{4}`, with check digits where asked, each a different one where asked.

    ::

        {make: [card.number], use: pattern, with: {pattern: "4[0-9]{14}", check: luhn, unique: true}}

    Patterns are the part of regular expressions that has an end: characters, classes (`[A-Z0-9]`), `\d`, `\w`,
    groups, alternatives (`(A|B)`), bounded repetition (`{4}`, `{1,3}`, `?`). Each alternative is as likely as the next,
    each length, each character of a class. `{check}` is where the check digit stands, if not at the end.
    """

    name: ClassVar[str] = "pattern"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.KEY, Kind.TEXT, Kind.CATEGORY, Kind.INTEGER}), given="declared", learns=False
    )

    pattern: str = Setting(default="[1-9][0-9]{7}", min_length=1, max_length=1000, examples=["[0-9]{4}"])
    """What the codes look like."""
    unique: bool = False
    """Whether no code comes twice in a run: the codes are then taken in an order of chance, every one as likely."""
    check: Literal["luhn", "ean13", "isbn13", "verhoeff", "mod97"] | None = Setting(default=None, validate_default=True)
    """How a check digit is computed (two for `mod97`) and put behind the rest, or where the pattern has `{check}`.
    Dashes, blanks and other marks do not count."""

    @field_validator("pattern")
    @classmethod
    def _can_be_drawn(cls, said: str) -> str:
        parse(said)
        return said

    @field_validator("unique")
    @classmethod
    def _in_one_way(cls, said: bool, info: ValidationInfo) -> bool:  # noqa: FBT001
        pattern = info.data.get("pattern")
        if said and pattern is not None and overlap(parse(pattern)):
            raise ValueError("two alternatives or lengths of the pattern give the same codes: they would come twice")
        return said

    @field_validator("check")
    @classmethod
    def _can_be_computed(cls, said: str | None, info: ValidationInfo) -> str | None:
        pattern = info.data.get("pattern")
        if pattern is not None:
            codes(pattern, said)
        return said

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = super().misused(schema, table, produce)
        for c in produce:
            field = schema.tables[table].fields[c]
            if (field.unique or field.kind is Kind.KEY) and not self.unique:
                found.append((("unique",), f"column {c!r} must differ in every row: say `unique: true`"))
            if _whole(field) and not codes(self.pattern, self.check).digits:
                found.append(
                    (("pattern",), f"column {c!r} holds whole numbers: wanted at most 18 digits, and nothing else")
                )
        return found

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        found = super().foreseen(schema, table, produce, known)
        size, rows = codes(self.pattern, self.check).size, known.rows.get(table, Rows())
        most = max(rows.least, rows.most or 0)
        if self.unique and size < most:
            many = "" if rows.least > size else "up to "
            said = f"it gives {size:,} different codes, for {many}{most:,} rows of {table!r}: lengthen it"
            found.append(Foreseen(("pattern",), said, sure=rows.least > size))
        return found

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        found = codes(self.pattern, self.check)
        if not self.unique:
            return {c: found.draw(ask.ctx.at(c).rng, ask.rows) for c in ask.produce}
        size, most = min(found.size, _ROOM), int(ask.numbers.max()) + 1
        if most > size:
            remedy = "lengthen the pattern, ask for fewer rows, or leave `unique` out"
            raise SampleError(self.name, f"pattern {self.pattern!r}", wanted=f"at least {most:,} different codes",
                              got=f"{size:,}", remedy=remedy)  # fmt: skip
        return {c: found.number(permuted(ask.numbers, size, secret("pattern", ask.ctx.seed, ask.table, c)),
                                ask.ctx.at(c).rng) for c in ask.produce}  # fmt: skip


def _whole(field: Field) -> bool:
    return "int" in str(canonical(field))
