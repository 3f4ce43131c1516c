"""The forms that an answer may be asked for in: how it is asked, and what it gives the columns of a row."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from synthwright.core.schema import Field, Kind, canonical
from synthwright.core.types import parse_type
from synthwright.kit.prompting.answer_schemas import validator
from synthwright.kit.prompting.answers import (
    TURNS,
    choice_of,
    conversation_of,
    json_of,
    malformed,
    meeting,
    text_of,
    written,
)
from synthwright.kit.room import room_of

MAKES = frozenset({
    Kind.TEXT, Kind.CATEGORY, Kind.BOOLEAN, Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.TIME, Kind.DATETIME,
})  # fmt: skip
"""The kinds of column that an answer can fill."""
Values = dict[str, Any]
"""The values of one row, by column."""


class Form(ABC):
    """What an answer is to be."""

    @property
    def schema(self) -> Mapping[str, Any] | None:
        """The JSON Schema that it must meet, where there is one."""
        return None

    @property
    def asks(self) -> str:
        """The sentence that says so to the model."""
        return ""

    @abstractmethod
    def read(self, answer: str) -> Values:
        """Return the values of a row.

        Raises:
            AnswerError: the answer cannot be used.
        """


@dataclass(frozen=True)
class Text(Form):
    """One text."""

    column: str

    def read(self, answer: str) -> Values:
        return {self.column: text_of(answer)}


@dataclass(frozen=True)
class Choice(Form):
    """One of some labels."""

    column: str
    field: Field
    labels: tuple[str, ...]

    @property
    def schema(self) -> Mapping[str, Any]:
        return {"type": "string", "enum": list(self.labels)}

    @property
    def asks(self) -> str:
        return f"Answer with only one of these, and nothing else: {', '.join(self.labels)}"

    def read(self, answer: str) -> Values:
        return {self.column: fitting(choice_of(answer, self.labels), self.field, self.column)}


@dataclass(frozen=True)
class Conversation(Form):
    """The turns of a conversation, as a JSON list of `{role, content}` in one text."""

    column: str

    @property
    def schema(self) -> Mapping[str, Any]:
        return TURNS

    @property
    def asks(self) -> str:
        turns = '[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]'
        return f'Answer with only JSON, the turns of the conversation in order: {{"messages": {turns}}}'

    def read(self, answer: str) -> Values:
        return {self.column: json.dumps(conversation_of(answer), ensure_ascii=False)}


@dataclass(frozen=True)
class Json(Form):
    """JSON by a schema: its properties fill columns."""

    by: Mapping[str, Any]
    fields: Mapping[str, Field]
    """The columns."""
    properties: Mapping[str, str]
    """The property of each column; without any, the whole answer is the text of the only one."""
    loose: bool = True
    """Whether properties that the schema does not know are left out, in place of being a fault."""

    @property
    def schema(self) -> Mapping[str, Any]:
        return self.by

    @property
    def asks(self) -> str:
        return f"Answer with only JSON that meets this JSON Schema:\n{json.dumps(self.by, ensure_ascii=False)}"

    @cached_property
    def _validator(self) -> Any:
        return validator(self.by)

    def read(self, answer: str) -> Values:
        found = json_of(answer)
        if self.loose and isinstance(found, dict):
            known = self.by.get("properties", {})
            found = {name: value for name, value in found.items() if name in known}
        found = meeting(found, self.by, self._validator)
        if not self.properties:
            column = next(iter(self.fields))
            return {column: written(json.dumps(found, ensure_ascii=False))}
        if not isinstance(found, dict):
            raise malformed("it is no JSON object", "only a JSON object that meets the schema")
        blank = next(
            (p for p in self.properties.values() if found.get(p) is not None and not str(found[p]).strip()), None
        )
        if self.loose and blank is not None:
            raise malformed(f"{blank} is empty", f"a value for {blank}")
        return {c: fitting(found.get(p), self.fields[c], p) for c, p in self.properties.items()}


# ------------------------------------------------------------------------------------------------------------- values
def fitting(value: Any, field: Field, name: str) -> Any:
    """Return a value of an answer as a column holds it.

    Args:
        value: what JSON can hold.
        field: the column.
        name: what the model calls it.

    Raises:
        AnswerError: the column cannot hold it.
    """
    if value is None:
        if field.nulls:
            return None
        raise malformed(f"{name} is missing", f"a value for {name}")
    try:
        texts = field.kind not in (Kind.DATE, Kind.TIME, Kind.DATETIME) or isinstance(value, str)
        made = _CASTS[field.kind](value, field) if texts else None
    except (ValueError, TypeError, ArithmeticError):
        made = None
    if made is None or not _has_room(made, field):
        wanted = _SPELLED.get(field.kind, f"a value of kind {field.kind.value}")
        raise malformed(f"{name} is not {wanted}", f"{wanted} for {name}")
    return made


_SPELLED = {
    Kind.DATE: "a date such as 2024-02-29", Kind.TIME: "a time such as 13:05:00",
    Kind.DATETIME: "an instant such as 2024-02-29T13:05:00", Kind.INTEGER: "a whole number of fitting size",
    Kind.NUMBER: "a number of fitting size", Kind.BOOLEAN: "true or false",
}  # fmt: skip


def _text(value: Any, field: Field) -> str:
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return written(said.strip() if field.kind is Kind.CATEGORY else said)


def _boolean(value: Any, field: Field) -> bool | None:
    if isinstance(value, bool):
        return value
    said = str(value).strip().casefold()
    yes, _, no = (field.form or "true|false").casefold().partition("|")
    return {yes: True, no: False}.get(said)


def _integer(value: Any, _: Field) -> int | None:
    if isinstance(value, bool) or int(value) != Decimal(str(value)):
        return None
    return int(value)


def _number(value: Any, field: Field) -> Any:
    if isinstance(value, bool):
        return None
    kind = canonical(field)
    if not pa.types.is_decimal(kind):
        return float(value)
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale))


def _date(value: Any, _: Field) -> date | None:
    said = value.strip()
    return datetime.fromisoformat(said).date() if len(said) > 10 else date.fromisoformat(said)


def _time(value: Any, _: Field) -> time:
    return time.fromisoformat(value.strip()).replace(tzinfo=None)


def _datetime(value: Any, field: Field) -> datetime:
    """Return an instant: in the column's zone where it has one, else what the clock shows."""
    made, zone = datetime.fromisoformat(value.strip()), canonical(field).tz
    if zone is None:
        return made.replace(tzinfo=None)
    here = UTC if zone in ("UTC", "utc", "Z") else _zone(zone)
    return made.astimezone(UTC) if made.tzinfo else made.replace(tzinfo=here).astimezone(UTC)


def _zone(said: str) -> Any:
    return datetime.fromisoformat(f"2000-01-01T00:00:00{said}").tzinfo if said[0] in "+-" else ZoneInfo(said)


_CASTS = {
    Kind.TEXT: _text, Kind.CATEGORY: _text, Kind.BOOLEAN: _boolean, Kind.INTEGER: _integer, Kind.NUMBER: _number,
    Kind.DATE: _date, Kind.TIME: _time, Kind.DATETIME: _datetime,
}  # fmt: skip


def _has_room(value: Any, field: Field) -> bool:
    """Return whether the types of a column, inside and outside, have room for a value."""
    if isinstance(value, str | bool):
        return True
    kind = canonical(field)
    try:
        pa.scalar(value, kind)
    except (pa.ArrowException, OverflowError, ValueError):
        return False
    if not isinstance(value, int | float | Decimal):
        return True
    outside = parse_type(field.type) if field.type and not field.form else kind
    room = room_of(outside)
    return room is None or room[0] <= Decimal(str(value)) <= room[1]


def placeholder(field: Field) -> Any:
    """Return a value for rows that go: none where a column may have none, else an empty or the first one."""
    if field.nulls:
        return None
    nothing = {Kind.BOOLEAN: False, Kind.INTEGER: 0, Kind.NUMBER: 0.0, Kind.DATE: date(1970, 1, 1),
               Kind.TIME: time(0)}  # fmt: skip
    if field.kind is Kind.DATETIME:
        return datetime(1970, 1, 1, tzinfo=None if canonical(field).tz is None else UTC)
    if field.kind is Kind.NUMBER and pa.types.is_decimal(canonical(field)):
        return Decimal(0)
    return nothing.get(field.kind, "")


def column_of(values: Sequence[Any], field: Field) -> pa.Array | np.ndarray:
    """Return values that fit as a column; numbers that keep to a step as numbers, which are put on it."""
    if field.step is not None and field.kind in (Kind.INTEGER, Kind.NUMBER):
        return np.array([np.nan if v is None else float(v) for v in values])
    return pa.array(values, canonical(field))
