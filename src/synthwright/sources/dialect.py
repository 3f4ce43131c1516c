"""How a CSV file is laid out: which character separates, where the header ends; and which of its lines are ragged."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS
from synthwright.sources.columns import unique_names
from synthwright.sources.encodings import Encoding, Utf8

SEPARATORS = (",", ";", "\t", "|")
"""What may separate cells, where nothing is stated; in the order of preference."""
_SAMPLE = 2**18
_HEADER = 2**24
"""The longest header, in bytes."""
_RECORDS = 200
_SHOWN = 5
_PROBE = b'"'
"""A last line that is a record of its own, unless it closes a quote that was left open."""


class Dialect(NamedTuple):
    """How a CSV file is laid out."""

    encoding: Encoding
    separator: str
    names: list[str]
    """The columns."""
    before: int
    """Bytes of the UTF-8 text that come before the first row: the header and what precedes it."""
    lines: int
    """Lines of the text that come before the first row."""


class Asked(NamedTuple):
    """What the reader states about the layout."""

    separator: str | None = None
    header: bool = True


class Ragged(NamedTuple):
    """The lines of a file that have too few or too many cells."""

    total: int
    first: list[tuple[int, int]]
    """The first of them: (line, cells)."""
    unclosed: int | None
    """The line where a record begins that never ends, because a quote in it is left open."""


def dialect_of(path: Path, encoding: Encoding, asked: Asked) -> Dialect:
    """Return how a file is laid out.

    Raises:
        InputError: it is empty, has no header, or the header names two columns alike.
    """
    with Utf8(path, encoding) as stream:
        raw = stream.read(_SAMPLE)
        while (more := stream.read(_SAMPLE)) and (len(raw) < _SAMPLE or not _header_ends(raw)) and len(raw) < _HEADER:
            raw += more
    if not raw:
        raise InputError(path.name, "the file", wanted="a header and rows", got="an empty file")
    text = raw.decode("utf-8", "ignore")
    separator, said = asked.separator, 0
    first = text.split("\n", 1)[0].strip("\r ")
    if separator is None and first.lower().startswith("sep=") and len(first) == len("sep=") + 1:
        separator, said = first[-1], 1
    rest = text.split("\n", 1)[1] if said and "\n" in text else text
    separator = separator or _sniffed(rest, whole=not more)
    cells, lines, used = _first_record(rest, separator, path.name)
    if not asked.header:
        return Dialect(encoding, separator, [f"column_{i + 1}" for i in range(len(cells))], 0, 0)
    unique_names(cells, path.name)
    skipped = text[: len(text) - len(rest)] + used
    return Dialect(encoding, separator, cells, len(skipped.encode()), said + lines)


def ragged_lines(path: Path, dialect: Dialect) -> Ragged:
    """Return which lines do not have as many cells as the header: slow, for the message only."""
    first, count = [], 0
    last: tuple[int, int] | None = None
    start = dialect.lines + 1
    with Utf8(path, dialect.encoding, dialect.before, end=_PROBE) as stream:
        text = io.TextIOWrapper(io.BufferedReader(stream, 2**20), encoding="utf-8", errors="replace", newline="")
        rows = csv.reader(text, delimiter=dialect.separator)
        before = csv.field_size_limit(LIMITS.record)
        try:
            for cells in rows:
                if last is not None and last[1] not in (0, len(dialect.names)):
                    count += 1
                    first += [last] if count <= _SHOWN else []
                last, begun = (start, len(cells)), start
                start = dialect.lines + rows.line_num + 1
        except csv.Error:  # a cell too long for any table, which an open quote makes
            return Ragged(count, first, start)
        finally:
            csv.field_size_limit(before)
    return Ragged(count, first, begun if start - begun > 1 else None)


def _header_ends(raw: bytes) -> bool:
    return b"\n" in raw or b"\r" in raw


def _sniffed(text: str, *, whole: bool) -> str:
    """Return the separator under which the header has several cells and the most rows have as many.

    The header decides: a single column of free text is full of commas that separate nothing.
    """
    best, score = SEPARATORS[0], (0.0, 0)
    for candidate in SEPARATORS:
        widths = [len(cells) for cells in _records(text, candidate, whole=whole) if cells]
        if len(widths) == 0 or widths[0] < 2:
            continue
        fitting = sum(w == widths[0] for w in widths) / len(widths)
        if (fitting, widths[0]) > score:
            best, score = candidate, (fitting, widths[0])
    return best


def _records(text: str, separator: str, *, whole: bool) -> Iterator[list[str]]:
    """Yield the first records of a sample, without the last where the sample may cut it."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    held: list[str] | None = None
    try:
        for _, cells in zip(range(_RECORDS), rows, strict=False):
            if held is not None:
                yield held
            held = cells
    except csv.Error:
        return
    if held is not None and whole:
        yield held


def _first_record(text: str, separator: str, owner: str) -> tuple[list[str], int, str]:
    """Return the first record that is no blank line, how many lines it ends at, and the text up to there."""
    every = list(io.StringIO(text, newline=""))
    used: list[str] = []

    def lines() -> Iterator[str]:
        for line in (*every, _PROBE.decode()):
            used.append(line)
            yield line

    rows = csv.reader(lines(), delimiter=separator)
    with contextlib.suppress(csv.Error):
        for cells in rows:
            blank = len(cells) == 0 or (len(cells) == 1 and not cells[0].strip() and '"' not in used[-1])
            if len(used) > len(every):  # it took the probe too
                break
            if not blank:
                return cells, rows.line_num, "".join(used)
    raise InputError(owner, "the header", wanted="a line of column names", got="none",
                     remedy="is a quote left open, or the file no CSV?")  # fmt: skip
