"""Which source reads a path: told by the endings of its files, or where there is none by their first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from synthwright.core.context import Context
from synthwright.core.contracts import Source
from synthwright.core.errors import InputError
from synthwright.core.registry import find, names
from synthwright.kit.files import PACKED, Unpacked, split_name
from synthwright.sources.arrow import MAGIC
from synthwright.sources.places import pattern_files, plain_files

_FIRST = {b"PAR1": "parquet", MAGIC: "arrow", b"\xff\xff\xff\xff": "arrow", b"SQLite format 3\0": "sqlite"}


def for_path(path: str, ctx: Context | None = None, **settings: Any) -> Source:
    """Return the source for a file, a folder or a pattern, with these settings.

    Raises:
        InputError: its ending is unknown, its files are of several kinds, or a setting does not fit.
        PathError: it leaves the project folder of `ctx` (nothing: any path may be read).
    """
    kind = find("sources", _kind(path, ctx or Context(root=Path.cwd(), allowed=(Path("/"),))))
    try:
        return kind.model_validate({"path": path, **settings})  # type: ignore[return-value]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"source {kind.name!r}", f"setting {where!r}", got=first["msg"].lower(),
                         wanted=f"one of {', '.join(kind.model_fields)}") from None  # fmt: skip


def endings() -> dict[str, str]:
    """Return the endings of file names, and which source reads each."""
    kinds = {name: find("sources", name) for name in names("sources")}
    return {e: name for name, kind in kinds.items() if issubclass(kind, Source) for e in kind.suffixes}


def _kind(path: str, ctx: Context) -> str:
    known = endings()
    if Path(path).name and (kind := known.get(split_name(Path(path))[1])) and not _is_folder(path, ctx):
        return kind
    found = _files(path, ctx)
    kinds = {known.get(split_name(p)[1]) for p in found} - {None}
    if len(kinds) == 1:
        return str(kinds.pop())
    if len(kinds) > 1:
        raise InputError(path, "the files", wanted="files of one kind", got=", ".join(sorted(map(str, kinds))),
                         remedy="say by use: which of them to read, or name a pattern such as *.csv")  # fmt: skip
    kind = next((k for p in found[:1] if (k := _by_first_bytes(p))), None)
    if kind is None:
        ends = ", ".join(sorted(known))
        wanted = f"a name that ends in one of {ends} (also with {' or '.join(PACKED)})"
        raise InputError(path, "the path", wanted=wanted, got="none of them" if found else "nothing there",
                         remedy="say by use: what it is" if found else "")  # fmt: skip
    return kind


def _is_folder(path: str, ctx: Context) -> bool:
    return ctx.open_path(path).is_dir()


def _files(path: str, ctx: Context) -> list[Path]:
    where = ctx.open_path(path)
    if where.is_dir():
        inner = sorted(p for p in where.iterdir() if p.is_dir() and not p.name.startswith("."))
        return plain_files(where, ctx) or [p for i in inner for p in plain_files(ctx.open_path(i), ctx)]
    if where.is_file():
        return [where]
    return pattern_files(path, ctx) if any(c in path for c in "*?[") else []


def _by_first_bytes(path: Path) -> str | None:
    with Unpacked(path) as stream:
        first = stream.read(2**12)
    if first.startswith(b"PK\x03\x04") and b"[Content_Types].xml" in first:
        return "excel"
    if first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return "jsonl"
    return next((kind for magic, kind in _FIRST.items() if first.startswith(magic)), None)


def folder_of(path: Path) -> Path:
    """Return the folder that holds a file, a folder, or everything that a pattern can mean."""
    return next(p for p in path.parents if not set("*?[") & set(str(p)))
