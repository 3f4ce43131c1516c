"""CSV: every value as text, spelled so that it can be read back."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.errors import InputError
from synthwright.core.schema import ORDERED, Kind
from synthwright.kit.files import created
from synthwright.sinks.parts import Part, PartSink
from synthwright.sinks.spelling import flat, is_text, spelled

_BATCH = 65_536
_FORMULA = "^[=+\\-@\\x00-\\x1f\\x7f＝＋－＠]"
"""How text begins that a spreadsheet may take for a formula, full-width signs included."""


class Csv(PartSink):
    """Write CSV files: UTF-8, commas, line feeds; empty cells are nulls, `""` is empty text.

    Dates and instants are ISO 8601, durations `PT90.5S`, truth values `true` and `false`, bytes base64; where the
    schema has a form (`%d/%m/%Y`, `TRUE|FALSE`, `+1.5`), they are spelled by it, as in the real file.
    """

    name: ClassVar[str] = "csv"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")
    spells: ClassVar[frozenset[Kind]] = frozenset(Kind)
    profile: Literal["plain", "spreadsheet"] = "plain"
    """spreadsheet: text that begins with `=`, `+`, `-`, `@` or a control character gets an apostrophe before it, so
    that no spreadsheet runs it as a formula; numbers and dates stay as they are."""

    def notes(self) -> tuple[str, ...]:
        """Say that cells were defused, where they were."""
        if self.profile != "spreadsheet":
            return ()
        return ("text cells that begin like a formula have an apostrophe before them (profile: spreadsheet)",)

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        self._write(table, path, frozenset())

    def write_part(self, part: Part, path: Path, metadata: dict[str, str]) -> None:
        fields = part.spec.fields.items()
        self._write(part.rows, path, frozenset(c for c, f in fields if f.kind in ORDERED or f.kind is Kind.BOOLEAN))

    def _write(self, table: pa.Table, path: Path, safe: frozenset[str]) -> None:
        """Write a table; text of the columns in `safe` spells numbers, dates or truth values, and stays as it is."""
        import polars as pl

        separator = "\t" if ".tsv" in path.suffixes else ","
        columns = [self._column(table.column(c), c, path, defuse=c not in safe) for c in table.column_names]
        held = pa.table(columns, names=[str(i) for i in range(len(columns))])
        with created(path) as file:
            file.write(self._header(table.column_names, separator, path))
            for start in range(0, held.num_rows, _BATCH):
                frame = pl.DataFrame(pl.from_arrow(held.slice(start, _BATCH)))
                text = frame.write_csv(include_header=False, separator=separator, quote_style="necessary")
                file.write(text.encode())

    def _column(self, column: pa.ChunkedArray, name: str, path: Path, *, defuse: bool) -> pa.ChunkedArray:
        held = flat(column)
        plain = pa.types.is_integer(held.type) or pa.types.is_floating(held.type) or pa.types.is_boolean(held.type)
        if plain:
            return held
        text = spelled(held)
        if pc.any(pc.match_substring(text, "\0")).as_py():
            raise InputError(path.name, f"column {name!r}", wanted="text without NUL characters", got="some with",
                             remedy="write Parquet or JSONL, which can hold them")  # fmt: skip
        if self.profile == "spreadsheet" and defuse and is_text(held.type):
            return _defused(text)
        return text

    def _header(self, names: list[str], separator: str, path: Path) -> bytes:
        """Return the header; names are quoted wherever a reader might look for a separator in them."""
        if any("\0" in n for n in names):
            raise InputError(path.name, "a column's name", wanted="one without NUL characters", got="one with")
        if self.profile == "spreadsheet":
            names = _defused(pa.chunked_array([pa.array(names, pa.large_string())])).to_pylist()
        said = (n if n.replace("_", "").replace(" ", "").isalnum() and n == n.strip() else _quoted(n) for n in names)
        return (separator.join(said) + "\n").encode()


def _defused(text: pa.ChunkedArray) -> pa.ChunkedArray:
    risky = pc.match_substring_regex(text, _FORMULA)
    marked = pc.binary_join_element_wise(pa.scalar("'", pa.large_string()), text.cast(pa.large_string()),
                                         pa.scalar("", pa.large_string()))  # fmt: skip
    return pc.if_else(risky, marked, text.cast(pa.large_string()))


def _quoted(name: str) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="").writerow([name])
    return text.getvalue()
