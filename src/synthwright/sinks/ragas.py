"""Questions with the passages that answer them, for measuring retrieval, in JSON Lines as Ragas reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.lookups import flat, gathered
from synthwright.kit.prompting.turns import TurnError
from synthwright.sinks.conversational import ANSWERS, QUESTIONS
from synthwright.sinks.training import MUTE, SPEECH, Held, Row, Training, near, texts

CONTEXTS = ("context", "contexts", "passage", "passages", "text")
"""What columns of passages are often called."""


class Ragas(Training):
    """Write `{"user_input":…,"reference_contexts":[…],"reference":…}` for each row; other tables as JSON Lines.

    The passages are those that the question was written from: what a search for it ought to find. They stand in columns
    of the question's table, or in rows of another one that it refers to; those without a value are left out.
    """

    name: ClassVar[str] = "ragas"
    suffixes: ClassVar[tuple[str, ...]] = (".ragas.jsonl",)
    ways: ClassVar[tuple[tuple[str, ...], ...]] = (("question", "answer"),)
    usual: ClassVar[dict[str, tuple[str, ...]]] = {
        "question": ("question", "user_input", *(q for q in QUESTIONS if q != "question")),
        "answer": ("ground_truth", "reference", *ANSWERS),
    }

    question: str = ""
    """The column of the question; nothing: one with a usual name, such as `question`."""
    answer: str = ""
    """The column of the right answer; nothing: one with a usual name, such as `ground_truth` or `answer`."""
    contexts: tuple[str, ...] = Setting(default=(), examples=[["passage.text", "other.text"]])
    """Where the passages are: columns of the question's table, or of one that a reference leads to (`passage.text`);
    nothing: columns with usual names, such as `context`, and `text` of every table that a reference leads to."""

    def said(self) -> dict[str, str]:
        return {"question": self.question, "answer": self.answer}

    def faults(self, schema: Schema) -> list[str]:
        found = super().faults(schema)
        mine = [t for t in schema.tables if self.cast_of(schema, t)]
        for path in self.contexts if not found else ():
            if not any(_led(schema, table, path) for table in mine):
                known = [p for table in mine for p in _usual(schema, table)]
                hint = near(path, known) if known else "no column of text can be reached from the questions"
                found.append(f"{self.name}: contexts: {path!r} is no column of text: {hint}")
        return found

    def held(self, data: Dataset, tables: Mapping[str, pa.Table], name: str) -> Held | None:
        held = super().held(data, tables, name)
        if held is None:
            return None
        taken, schema = set(held.cast.values()), data.schema
        paths = self.contexts or tuple(p for p in _usual(schema, name) if p not in taken)
        led = [_led(schema, name, path) for path in paths]
        return held._replace(turns=[_passages(schema, tables, name, *way) for way in led if way])

    def values(self, held: Held, low: int, high: int) -> Iterator[Row | TurnError]:
        columns = [column.slice(low, high - low).to_pylist() for column in held.turns or ()]
        for at, row in enumerate(super().values(held, low, high)):
            passages = [c[at] for c in columns if c[at] and c[at].strip()]
            yield row if isinstance(row, TurnError) else row | {"contexts": list(dict.fromkeys(passages))}

    def example(self, row: Row) -> dict[str, Any]:
        return {"user_input": row["question"], "reference_contexts": row["contexts"], "reference": row["answer"]}


def _led(schema: Schema, table: str, path: str) -> tuple[str, str] | None:
    """Return the reference and the column that a path means; an empty reference: a column of the table itself."""
    fields = schema.tables[table].fields
    reference, _, column = path.rpartition(".")
    if not reference:
        return ("", column) if column in fields and _speaks(fields[column]) else None
    to = fields[reference].to if reference in fields else None
    if to is None:
        return None
    target = schema.tables[schema.split(to)[0]].fields
    return (reference, column) if column in target and _speaks(target[column]) else None


def _speaks(field: Field) -> bool:
    return field.kind in SPEECH and field.kind not in MUTE


def _usual(schema: Schema, table: str) -> list[str]:
    """Return the paths to passages with usual names, those of the table first."""
    fields = schema.tables[table].fields
    mine = [c for c in CONTEXTS if c in fields and _speaks(fields[c])]
    return [*mine, *(f"{name}.{c}" for name, field in fields.items() if field.kind is Kind.REFERENCE
                     for c in CONTEXTS if _led(schema, table, f"{name}.{c}"))]  # fmt: skip


def _passages(
    schema: Schema, tables: Mapping[str, pa.Table], name: str, reference: str, column: str
) -> pa.ChunkedArray:  # fmt: skip
    """Return the passages of every row of a table, as text."""
    table = tables[name]
    if not reference:
        return texts(table.column(column))
    target, key = schema.split(schema.tables[name].fields[reference].to or "")
    wanted = flat(texts(table.column(reference)))
    return pa.chunked_array([gathered(texts(tables[target].column(key)), texts(tables[target].column(column)), wanted)])
