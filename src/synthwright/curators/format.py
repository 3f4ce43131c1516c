"""The curator that drops texts which are not what they should be: JSON, Python, SQL, a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Schema
from synthwright.core.values import Column
from synthwright.kit.texts.text_formats import is_json, is_number, is_python, is_sql, schema_faults, sql_library
from synthwright.kit.texts.text_rulings import ByText, Ruling

NO_JSON, OTHER, NO_PYTHON, NO_SQL, NO_NUMBER = "not-json", "not-by-schema", "not-python", "not-sql", "not-number"


class Format(ByText):
    """Drops rows with a text that is not what it should be: JSON (by a schema), Python, SQL, or a number.

    Texts are parsed, never run, and must be it as a whole: a fence of backticks or a sentence before it is none of it.
    SQL is that of a dialect, by the library sqlglot (an extra: `pip install 'synthwright[text]'`); statements that are
    no queries, changes or definitions (`EXPLAIN`, `SHOW`) are none. Scores are 1 for texts that go, else 0.
    """

    name: ClassVar[str] = "format"
    reasons: ClassVar[dict[str, str]] = {
        NO_JSON: "A text of the row is no JSON.",
        OTHER: "A text of the row is JSON that does not meet the schema.",
        NO_PYTHON: "A text of the row is no Python.",
        NO_SQL: "A text of the row is no SQL.",
        NO_NUMBER: "A text of the row is no number.",
    }

    as_: Literal["json", "python", "sql", "number"] | None = Setting(default=None, alias="as", examples=["json"])
    """What texts must be."""
    schema_: dict[str, Any] = Setting(default={}, alias="schema", examples=[{"type": "object", "required": ["name"]}])
    """The JSON Schema that JSON must meet; nothing: any JSON."""
    dialect: str = Setting(default="", examples=["postgres"])
    """The dialect of SQL, such as `postgres`, `mysql`, `sqlite`, `tsql`; nothing: what most share."""

    @field_validator("schema_")
    @classmethod
    def _can_be_met(cls, schema: dict[str, Any]) -> dict[str, Any]:
        if schema and (found := schema_faults(schema)):
            raise ValueError(found[0])
        return schema

    def faults(self, schema: Schema) -> list[str]:
        found = super().faults(schema)
        if self.schema_ and self.as_ != "json":
            found.append("schema: only JSON meets a schema: say 'as: json'")
        if self.dialect and self.as_ != "sql":
            found.append("dialect: only SQL has one: say 'as: sql'")
        return found

    def idle(self) -> bool:
        return self.as_ is None

    def rule(self, texts: Column, data: Dataset, table: str) -> Ruling:
        told = self._teller()
        known: dict[str, str] = {}
        names = list(type(self).reasons)
        code = np.zeros(len(texts), dtype=np.int8)
        for i, text in enumerate(texts.to_pylist()):
            if text is None:
                continue
            if text not in known:
                known[text] = told(text)
            code[i] = names.index(known[text]) + 1 if known[text] else 0
        return Ruling(code, (code > 0).astype(np.float64))

    def _teller(self) -> Callable[[str], str]:
        """Return what tells why a text goes; an empty text where it stays."""
        if self.as_ == "json":
            return _by_schema(self.schema_)
        if self.as_ == "sql":
            library = sql_library()
            if self.dialect and self.dialect not in library.Dialect.classes:
                raise unknown(self.dialect, sorted(library.Dialect.classes))
            return lambda text: "" if is_sql(text, library, self.dialect) else NO_SQL
        if self.as_ == "python":
            return lambda text: "" if is_python(text) else NO_PYTHON
        return lambda text: "" if is_number(text) else NO_NUMBER


def _by_schema(schema: Mapping[str, Any]) -> Callable[[str], str]:
    from synthwright.kit.prompting.answer_schemas import validator

    by = validator(schema) if schema else None

    def told(text: str) -> str:
        json, meets = is_json(text, by)
        return "" if json and meets else OTHER if json else NO_JSON

    return told


def unknown(dialect: str, known: list[str]) -> InputError:
    """Return the error that there is no such dialect."""
    near = get_close_matches(dialect, known, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(filter(None, known))}"
    return InputError("curator 'format'", f"dialect {dialect!r}", wanted="a dialect of SQL", got="none that is known",
                      remedy=remedy)  # fmt: skip
