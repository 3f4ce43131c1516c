"""What sinks of examples for fine-tuning share: which columns play which role, and how rows become lines of JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, cast

import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.files import created, folder_names
from synthwright.kit.prompting.turns import TurnError
from synthwright.sinks.jsonl import Jsonl
from synthwright.sinks.spelling import flat, is_text, spelled

BATCH = 16_384
"""Rows that become lines together."""
SPEECH = frozenset({Kind.TEXT, Kind.CATEGORY})
"""Kinds of columns that play a role without being named."""
MUTE = frozenset({Kind.KEY, Kind.REFERENCE, Kind.BYTES})
"""Kinds of columns that play no role at all."""
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_REMEDY = "drop such rows by a rule (`answer is not null`) or a curator (`format`), or name other columns"

Row = dict[str, Any]
"""What plays each role in one row: text, or turns under `conversation`."""


class Held(NamedTuple):
    """Rows that become examples."""

    table: str
    rows: int
    cast: Mapping[str, str]
    """The column that plays each role."""
    columns: Mapping[str, pa.ChunkedArray]
    """What plays each role, as text."""
    turns: Any = None
    """Where the turns of each row come from, where no column holds them."""


class Training(Jsonl):
    """A sink of examples for fine-tuning; tables without the columns for one are written as JSON Lines."""

    ways: ClassVar[tuple[tuple[str, ...], ...]]
    """The roles that make an example; the first whose columns a table has, counts."""
    beside: ClassVar[tuple[str, ...]] = ()
    """Roles that an example can do without."""
    usual: ClassVar[dict[str, tuple[str, ...]]]
    """What columns that play a role are often called, the likeliest first."""
    json_roles: ClassVar[frozenset[str]] = frozenset()
    """Roles whose columns hold JSON, and so must be text."""

    def example(self, row: Row) -> dict[str, Any]:
        """Return one example; a TurnError where a row makes none."""
        raise NotImplementedError

    def notes(self) -> tuple[str, ...]:
        """Say what whoever trains on the files must know."""
        return ("a table of examples for fine-tuning has one example for each row; other columns are not written",)

    # ------------------------------------------------------------------------------------------------ who plays what
    def said(self) -> dict[str, str]:
        """Return the parameters that name a column, by role; those that name none are empty."""
        raise NotImplementedError

    def named(self) -> dict[str, str]:
        """Return the columns that the parameters name, by role."""
        return {role: column for role, column in self.said().items() if column}

    def played(self) -> dict[str, str]:
        """Return the roles that something else plays than a column of the table."""
        return {}

    def instead(self) -> dict[str, str]:
        """Return the parameters by which something else plays a role."""
        return {}

    def cast(self, speaks: Mapping[str, bool]) -> dict[str, str] | None:
        """Return which column plays which role; nothing where a table's rows make no examples.

        Args:
            speaks: the table's columns, and whether each holds text.
        """
        named, played = self.named(), self.played()
        for way in self.ways:
            roles = (*way, *self.beside)
            if not {*named, *played} <= set(roles):
                continue
            cast = played | {r: c for r, c in named.items() if c in speaks}
            for role in roles:
                if role not in cast and role not in named:
                    free = [c for c in self.usual[role] if speaks.get(c) and c not in cast.values()]
                    cast |= {role: free[0]} if free else {}
            if {*way, *named} <= set(cast):
                return {r: cast[r] for r in roles if r in cast}
        return None

    def cast_of(self, schema: Schema, table: str) -> dict[str, str] | None:
        """Return which column of a table plays which role."""
        return self.cast({c: f.kind in SPEECH for c, f in schema.tables[table].fields.items()})

    def faults(self, schema: Schema) -> list[str]:
        named = self.named()
        said = named | self.played()
        if not any(set(said) <= {*way, *self.beside} for way in self.ways):
            ways = " or ".join(" and ".join(f"`{r}`" for r in way) for way in self.ways)
            words = [self.instead().get(role, role) for role in said]
            return [f"{self.name}: {_listed(words)} do not go together: say {ways}"]
        found = [f for role, column in named.items() for f in self._misnamed(role, column, schema)]
        if found or any(self.cast_of(schema, table) for table in schema.tables):
            return found
        if named:
            return [f"{self.name}: no table has all columns of an example: {self._wanted()}"]
        return [f"{self.name}: no table has columns that make an example: say which they are, {self._wanted()}"]

    def _wanted(self) -> str:
        """Return the settings that would name an example's columns, one way or another."""
        named, played = self.named(), self.played()
        shown = []
        for way in self.ways:
            if {*named, *played} <= {*way, *self.beside}:
                roles = [r for r in dict.fromkeys((*way, *named)) if r not in played]
                settings = ", ".join(f"{r}: {named.get(r, '…')}" for r in roles)
                shown.append(f"`with: {{{settings}}}`")
        return " or ".join(shown)

    def _misnamed(self, role: str, column: str, schema: Schema) -> list[str]:
        """Return what is wrong with the column that a parameter names."""
        fields = {t: spec.fields[column] for t, spec in schema.tables.items() if column in spec.fields}
        if not fields:
            every = list(dict.fromkeys(c for spec in schema.tables.values() for c in spec.fields))
            return [f"{self.name}: {role}: no table has a column {column!r}: {near(column, every)}"]
        if any(self.plays(role, field) for field in fields.values()):
            return []
        wanted = "text" if role in self.json_roles else "what can be written as text"
        kind = next(iter(fields.values())).kind.value
        return [f"{self.name}: {role}: {column!r} is of kind {kind!r}, wanted {wanted}"]

    def plays(self, role: str, field: Field) -> bool:
        """Return whether a column can play a role."""
        return field.kind in SPEECH if role in self.json_roles else field.kind not in MUTE

    # ------------------------------------------------------------------------------------------------------- writing
    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        tables = data.to_arrow_tables()
        places = folder_names(tables)
        written: list[Path] = []
        for name, table in tables.items():
            size = self.rows or max(table.num_rows, 1)
            paths = [folder / places[name] / f"part-{i:05d}.jsonl" for i in range(max(1, -(-table.num_rows // size)))]
            held = self.held(data, tables, name)
            if held is None:
                for i, path in enumerate(paths):
                    super().write_file(table.slice(i * size, size), path, metadata)
            else:
                self._write_examples(held, paths, size)
            written += paths
        return written

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        cast = self.cast({f.name: _textual(f.type) for f in table.schema})
        if cast is None:
            super().write_file(table, path, metadata)
        else:
            self._write_examples(_held(path.name, table, cast), [path], max(table.num_rows, 1))

    def held(self, data: Dataset, tables: Mapping[str, pa.Table], name: str) -> Held | None:
        """Return the rows of a table that become examples; nothing where they make none.

        Args:
            data: the tables.
            tables: how they look outside.
            name: the table.
        """
        cast = self.cast_of(data.schema, name)
        return None if cast is None else _held(name, tables[name], cast)

    def values(self, held: Held, low: int, high: int) -> Iterator[Row | TurnError]:
        """Yield what plays each role in each of some rows; what is wrong with a row in its place."""
        roles = list(held.columns)
        wanted = [r for r in roles if r not in self.beside]
        columns = [_filled(held.columns[r].slice(low, high - low)) for r in roles]
        for said in zip(*columns, strict=True) if columns else ((),) * (high - low):
            row = dict(zip(roles, said, strict=True))
            absent = [held.cast[r] for r in wanted if row[r] is None]
            yield TurnError(f"without {absent[0]!r}") if absent else row

    def _write_examples(self, held: Held, paths: list[Path], size: int) -> None:
        """Write rows as examples; none is left out, so that a row that makes none is an error once all were looked at.

        Raises:
            InputError: some rows make no example.
        """
        wrong: Counter[str] = Counter()
        first = held.rows
        try:
            for number, path in enumerate(paths):
                with created(path) as file:
                    for low in range(number * size, min((number + 1) * size, held.rows), BATCH):
                        high = min(low + BATCH, (number + 1) * size, held.rows)
                        lines = [self._line(row) for row in self.values(held, low, high)]
                        bad = [i for i, line in enumerate(lines) if isinstance(line, TurnError)]
                        wrong.update(str(lines[i]) for i in bad)
                        first = min([first, *(low + i for i in bad[:1])])
                        file.write("".join(line for line in lines if isinstance(line, str)).encode())
                    if wrong and path == paths[-1]:
                        raise self._lost(held, wrong, first)
        except InputError:
            for path in paths:
                path.unlink(missing_ok=True)
            raise

    def _line(self, row: Row | TurnError) -> str | TurnError:
        if isinstance(row, TurnError):
            return row
        try:
            return _ENCODE(self.example(row)) + "\n"
        except TurnError as error:
            return error

    def _lost(self, held: Held, wrong: Counter[str], first: int) -> InputError:
        said = ", ".join(f"{n:,} {why}" for why, n in sorted(wrong.items(), key=lambda one: (-one[1], one[0])))
        many = sum(wrong.values())
        thing = f"column{'s' * (len(held.cast) > 1)} {_listed(held.cast.values())}" if held.cast else "the turns"
        got = f"none from {many:,} of {held.rows:,} rows: {said} (the first is row {first + 1:,})"
        return InputError(held.table, f"{thing} for {self.name}", wanted="an example from every row", got=got,
                          remedy=_REMEDY)  # fmt: skip


def near(name: str, known: list[str]) -> str:
    """Return a hint at the name that was meant."""
    found = get_close_matches(name.rpartition(".")[2], known, n=1)
    return f"did you mean {found[0]!r}?" if found else f"there are {', '.join(map(repr, known[:20]))}"


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column as text."""
    return spelled(flat(column))


def _held(name: str, table: pa.Table, cast: Mapping[str, str]) -> Held:
    columns = {r: c for r, c in cast.items() if c}
    return Held(name, table.num_rows, columns, {r: texts(table.column(c)) for r, c in columns.items()})


def _filled(column: pa.ChunkedArray) -> list[str | None]:
    """Return texts, those of blanks only as nothing."""
    blank = pc.equal(pc.utf8_trim_whitespace(column), "")
    return cast(list[str | None], pc.if_else(blank, pa.scalar(None, column.type), column).to_pylist())


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _textual(kind: pa.DataType) -> bool:
    return is_text(kind.value_type if pa.types.is_dictionary(kind) else kind)
