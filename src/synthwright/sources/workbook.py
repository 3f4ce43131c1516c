"""Workbooks before they are opened: an archive may unfold into more than any table, a sheet into more than memory."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS

CELLS = 100_000_000
"""Cells of the rectangle that a sheet's values span, empty ones included: the reader keeps room for all."""
_BLOCK = 2**22
_CELL = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br=[\"']([A-Za-z]{1,3})(\d{1,7})[\"'][^<>]*(?<!/)>")
_TAIL = 4096
"""Bytes of a block that are looked at again with the next one: a tag may lie across."""


def refuse_bomb(file: IO[bytes], path: Path) -> None:
    """Refuse a workbook that unfolds into too much: measured, for what an archive declares may be a lie.

    Raises:
        InputError: no archive, too many members, bytes or cells.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > LIMITS.members:
                raise _bomb(path, f"at most {LIMITS.members:,} members")
            size = file.seek(0, 2)
            total = 0
            for member in members:
                total += _measured(file, member, path, LIMITS.unpacked - total)
            if LIMITS.exceeded(size, total):
                raise _bomb(path, f"at most {LIMITS.unpacked:,} bytes and {LIMITS.ratio} times its size unpacked")
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, OSError, ValueError, EOFError):
        raise no_workbook(path) from None
    finally:
        file.seek(0)


def no_workbook(path: Path) -> InputError:
    """Return the error for a file that is no workbook."""
    return InputError(path.name, "the file", wanted="an Excel workbook (.xlsx)",
                      got="a damaged file, or one of another kind", remedy="save it again as .xlsx or CSV")  # fmt: skip


def _bomb(path: Path, wanted: str) -> InputError:
    return InputError(path.name, "the workbook", wanted=wanted, got="more", remedy="save the sheets as CSV files")


def _measured(file: IO[bytes], member: zipfile.ZipInfo, path: Path, room: int) -> int:
    """Return how many bytes a member unfolds into, and refuse a sheet whose values span too much."""
    size, rows, columns, tail = 0, 0, 0, b""
    sheet = "worksheets/" in member.filename.lower()
    for block in _unpacked(file, member):
        size += len(block)
        if size > room or LIMITS.exceeded(member.compress_size, size):
            raise _bomb(path, f"at most {LIMITS.unpacked:,} bytes and {LIMITS.ratio} times its size unpacked")
        if not sheet:
            continue
        found = _CELL.findall(tail + block)
        tail = block[-_TAIL:]
        if found:
            rows = max(rows, *map(int, {row for _, row in found}))
            columns = max(columns, *map(_number, {letters for letters, _ in found}))
    if rows * columns > CELLS:
        raise InputError(path.name, "a sheet", wanted=f"values that span at most {CELLS:,} cells",
                         got=f"{rows:,} × {columns:,}", remedy="clear the cells far from the table")  # fmt: skip
    return size


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def _unpacked(file: IO[bytes], member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a member holds, to the end of its data, whatever size it declares."""
    file.seek(member.header_offset)
    header = file.read(30)
    name, extra = struct.unpack("<HH", header[26:30])
    file.seek(name + extra, 1)
    left = member.compress_size
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile
    stream = zlib.decompressobj(-15) if member.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        packed = file.read(min(left, _BLOCK))
        if not packed:
            raise EOFError
        left -= len(packed)
        if stream is None:
            yield packed
            continue
        while packed:
            yield stream.decompress(packed, _BLOCK)
            packed = stream.unconsumed_tail
