"""CSV and its kin: text cells between separators, whatever the encoding, the separator and the line ends."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS
from synthwright.sources.dialect import Asked, Dialect, dialect_of, ragged_lines
from synthwright.sources.encodings import (
    Utf8,
    WrongEncodingError,
    encoding_of,
    first_fault,
    for_arrow,
    guessed_encoding,
    wrong_encoding,
)
from synthwright.sources.places import FileSource

_END = "\x1fsynthwright-end\x1f"
"""The cells of a row put below the last one: a quote that is left open would swallow it."""
_BLOCKS = (2**24, LIMITS.record)
"""Bytes that are parsed at once; a record may be no longer."""


class Csv(FileSource):
    """Read CSV files: every cell as text, empty cells without quotes as nulls; types are recognised afterwards.

    Separators (comma, semicolon, tab, bar) and encodings are recognised unless they are stated. Lines with too few or
    too many cells are refused, with their numbers. Blank lines are passed over, except in files of one column, where
    they are nulls.
    """

    name: ClassVar[str] = "csv"
    text: ClassVar[bool] = True
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv", ".tab", ".psv", ".txt")
    separator: str | None = Setting(default=None, min_length=1, max_length=1)
    """The character between cells; nothing: recognised in the header."""
    encoding: str | None = Setting(default=None, examples=["cp1252"])
    """How the text is encoded (`utf-8`, `cp1252`, `utf-16`, …); nothing: told by its byte order mark, else UTF-8, else
    recognised."""
    header: bool = True
    """Whether the first line names the columns; if not they are called column_1, column_2, …"""

    @field_validator("encoding")
    @classmethod
    def _is_one(cls, encoding: str | None) -> str | None:
        try:
            "a".encode(encoding or "utf-8")
        except (LookupError, ValueError):
            raise ValueError(f"{encoding!r} is no encoding of text: utf-8, cp1252, utf-16, …") from None
        return encoding

    @field_validator("separator")
    @classmethod
    def _separates(cls, separator: str | None) -> str | None:
        if separator is not None and (separator in '"\r\n\0' or not separator.isascii()):
            raise ValueError("a separator is one ASCII character, no quote and no line end")
        return separator

    def remarks(self, ctx: Context) -> list[str]:
        """Say which files are in an encoding that had to be guessed, and as what they are read."""
        out = []
        for path in self.files(ctx):
            encoding = encoding_of(path, self.encoding)
            at = None if encoding.sure else first_fault(path, encoding)
            if at is not None:
                guess = guessed_encoding(path, at).name
                out.append(f"{path.name} is not UTF-8 and does not say what it is: its text is read as {guess}, which "
                           f"is a guess; if letters with accents look wrong, say encoding: (cp1250, cp1252, …) under "
                           f"source: with:")  # fmt: skip
        return out

    def table(self, path: Path) -> pa.Table:
        encoding = encoding_of(path, self.encoding)
        asked = Asked(self.separator, self.header)
        try:
            return _read(path, dialect_of(path, encoding, asked))
        except WrongEncodingError as fault:
            if encoding.sure:
                raise wrong_encoding(path, encoding.name, "bytes that are none", None) from None
            guess = guessed_encoding(path, fault.at)
        try:
            return _read(path, dialect_of(path, guess, asked))
        except WrongEncodingError:
            raise wrong_encoding(path, f"UTF-8 or {guess.name}", "bytes of neither", None) from None


def _read(path: Path, dialect: Dialect) -> pa.Table:
    """Parse a file; where that fails, find the lines that are at fault: Arrow's messages hold cells."""
    from pyarrow import csv

    width = len(dialect.names)
    places = [str(i) for i in range(width)]
    parse = csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=True, ignore_empty_lines=width > 1)
    convert = csv.ConvertOptions(column_types=dict.fromkeys(places, pa.string()), null_values=[""],
                                 strings_can_be_null=True, quoted_strings_can_be_null=False)  # fmt: skip
    # Arrow passes over a byte order mark: it gets one, and leaves alone a first cell that begins with that character
    end = dialect.separator.join([_END] * width).encode()
    for block in _BLOCKS:
        options = csv.ReadOptions(column_names=places, block_size=block)
        with Utf8(path, dialect.encoding, dialect.before, start=codecs.BOM_UTF8, end=end) as stream:
            try:
                table = csv.read_csv(for_arrow(stream), options, parse, convert)
            except pa.ArrowInvalid as error:
                if "straddling" in str(error) and block != _BLOCKS[-1]:
                    continue
                break
        rows = table.num_rows - 1
        if all(table.column(i)[rows].as_py() == _END for i in (0, width - 1)):
            return table.slice(0, rows).rename_columns(dialect.names)
        break
    raise _faulty(path, dialect)


def _faulty(path: Path, dialect: Dialect) -> InputError:
    """Return the error that names the lines which cannot be read."""
    found = ragged_lines(path, dialect)
    width = len(dialect.names)
    if found.total:
        shown = ", ".join(f"{cells} at line {line:,}" for line, cells in found.first)
        rest = f" and {found.total - len(found.first):,} more" if found.total > len(found.first) else ""
        lines = "1 line" if found.total == 1 else f"{found.total:,} lines"
        return InputError(path.name, f"{lines} of another length than the header", got=f"{shown}{rest}",
                          wanted=f"{width} cell{'s' if width > 1 else ''}",
                          remedy="mend the lines, or say separator: if it is another")  # fmt: skip
    if found.unclosed:
        return InputError(path.name, f"line {found.unclosed:,}", wanted="a quote that ends", got="one left open",
                          remedy="close it, or double it where it is meant as a character")  # fmt: skip
    return InputError(path.name, "the file", wanted="CSV", got="what cannot be parsed",
                      remedy="say separator: and encoding: if they are unusual")  # fmt: skip
