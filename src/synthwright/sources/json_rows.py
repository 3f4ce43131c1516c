"""JSON objects as rows, one by one: the slow reader, which knows the line of every fault."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthwright.core.errors import InputError
from synthwright.core.forms import NULLS
from synthwright.kit.files import LIMITS
from synthwright.sources.columns import nested
from synthwright.sources.encodings import Encoding, Utf8


class _TwiceError(ValueError):
    """An object names a field twice."""


def read_lines(path: Path, encoding: Encoding) -> pa.Table:
    """Return the table of a file with one object per line; blank lines are passed over.

    Raises:
        InputError: a line that is no object, with its number; a nested value, with its column.
    """
    with Utf8(path, encoding) as stream, io.BufferedReader(stream, 2**20) as lines:
        return _table(_objects(lines, path.name), path.name)


def read_array(path: Path, encoding: Encoding) -> pa.Table:
    """Return the table of a file that is one JSON array of objects.

    Raises:
        InputError: no JSON, an element that is no object, or a nested value.
    """
    with Utf8(path, encoding) as stream:
        text = stream.read()
    try:
        rows = _parse(text)
    except json.JSONDecodeError as error:
        raise _no_json(path.name, f"line {error.lineno:,}") from None
    except _TwiceError:
        raise _twice(path.name, "the array") from None
    except (ValueError, RecursionError):
        raise _no_json(path.name, "the array") from None
    wrong = next((i for i, row in enumerate(rows) if not isinstance(row, dict)), None)
    if wrong is not None:
        raise InputError(path.name, f"element {wrong + 1:,}", wanted="an object", got=_word(rows[wrong]))
    return _table(iter(rows), path.name)


def _objects(lines: Iterable[bytes], owner: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(line) > LIMITS.record:
            raise InputError(owner, f"line {number:,}", wanted=f"at most {LIMITS.record:,} bytes", got="more")
        try:
            row = _parse(line)
        except _TwiceError:
            raise _twice(owner, f"line {number:,}") from None
        except (ValueError, RecursionError):
            raise _no_json(owner, f"line {number:,}") from None
        if not isinstance(row, dict):
            raise InputError(owner, f"line {number:,}", wanted="an object", got=_word(row),
                             remedy='write every row as {"column": value, …}')  # fmt: skip
        yield row


def _table(rows: Iterator[dict[str, Any]], owner: str) -> pa.Table:
    columns: dict[str, list[Any]] = {}
    count = 0
    for row in rows:
        for name, value in row.items():
            held = columns.setdefault(name, [])
            if len(held) < count:  # the rows before lacked it
                held.extend([None] * (count - len(held)))
            held.append(value)
        count += 1
    for held in columns.values():
        held.extend([None] * (count - len(held)))
    if count == 0:
        raise InputError(owner, "the file", wanted="an object per line", got="none")
    try:
        return pa.table({name: _column(held, name, owner) for name, held in columns.items()})
    except UnicodeError:  # half of a surrogate pair
        raise InputError(owner, "the text", wanted="characters", got="half of one (a lone surrogate)") from None


def _column(values: list[Any], name: str, owner: str) -> pa.Array:
    kinds = {type(v) for v in values} - {type(None)}
    if kinds & {dict, list}:
        raise nested(owner, name)
    if kinds <= {int} and kinds:
        return _integers(values)
    if kinds <= {int, float} and kinds:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if str in kinds and all(v.strip().lower() in NULLS for v in values if isinstance(v, str)) and len(kinds) > 1:
        return _column([None if isinstance(v, str) else v for v in values], name, owner)
    if len(kinds) <= 1:
        return pa.array(values, {bool: pa.bool_(), str: pa.string()}.get(*kinds) if kinds else pa.null())
    return pa.array([v if v is None or isinstance(v, str) else json.dumps(v) for v in values], pa.string())


def _integers(values: list[int | None]) -> pa.Array:
    held = [v for v in values if v is not None]
    if min(held) >= -(2**63) and max(held) < 2**63:
        return pa.array(values, pa.int64())
    if min(held) >= 0 and max(held) < 2**64:
        return pa.array(values, pa.uint64())
    return pa.array([None if v is None else str(v) for v in values], pa.string())


def _parse(text: bytes) -> Any:
    """Parse JSON; NaN, which is none but occurs, is a null."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=lambda word: _CONSTANTS[word])


_CONSTANTS = {"NaN": None, "Infinity": float("inf"), "-Infinity": float("-inf")}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise _TwiceError
    return row


def _word(value: Any) -> str:
    words = {list: "an array", dict: "an object", str: "text", bool: "a truth value", type(None): "null"}
    return words.get(type(value), "a number")


def _twice(owner: str, where: str) -> InputError:
    return InputError(owner, where, wanted="every field once in an object", got="one twice")


def _no_json(owner: str, where: str) -> InputError:
    return InputError(owner, where, wanted="JSON", got="what is none", remedy="mend or remove it")
