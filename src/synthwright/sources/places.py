"""What a path stands for: one file, a folder of tables, or a pattern whose files are one table.

* A **file** is one table, named by its stem.
* A **folder**: every file with a known ending is a table of its own, named by its stem; files called `part-*` together
  are one table, named by the folder. Where the folder itself holds none, every folder in it with `part-*` files is a
  table: what the sinks write.
* A **pattern** (`logs/2024-*.csv`, with `*`, `?`, `[…]`, `**`): the files have the same columns, and are one table, in
  the order of their paths; it is named by what stands before the first wildcard, else by the folder.

Endings count without case and without `.gz` or `.zst`. Names that begin with a dot are passed over.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import Source
from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS, split_name
from synthwright.sources.columns import joined

_WILD = re.compile(r"[*?\[]")


class PathSource(Source):
    """A source that reads what a path stands for."""

    path: str = Setting(default="")
    """What to read, relative to the project folder: a file; a folder, in which every file is a table, and files called
    `part-*` are one; or a pattern (`logs/2024-*.csv`), whose files have the same columns and are one table."""

    def files(self, ctx: Context) -> list[Path]:
        return sorted(p for paths in table_files(self.path, self.suffixes, ctx).values() for p in paths)

    def remarks(self, ctx: Context) -> list[str]:
        """Return what reading had to guess about the files and a person should look at, a sentence each."""
        del ctx
        return []


class FileSource(PathSource):
    """A source whose files hold one table each."""

    def tables(self, ctx: Context) -> dict[str, pa.Table]:
        return {
            name: joined({path: self.table(path) for path in paths})
            for name, paths in table_files(self.path, self.suffixes, ctx).items()
        }

    @abstractmethod
    def table(self, path: Path) -> pa.Table:
        """Return the table that a file holds; an InputError where it holds none."""


def table_files(path: str, suffixes: tuple[str, ...], ctx: Context) -> dict[str, list[Path]]:
    """Return the tables that a path stands for, by name, each with its files.

    Raises:
        InputError: nothing is there, or it is no file of these endings.
        PathError: it leaves the project folder.
    """
    if not path:
        raise InputError("source", "path", wanted="a file, a folder or a pattern", got="nothing", remedy="give path:")
    try:
        where = ctx.open_path(path)
        if where.is_dir():
            return _in_folder(where, suffixes, ctx)
        if where.is_file():
            return {split_name(where)[0] or where.name: [where]}
        if where.exists():
            raise InputError(path, "the path", wanted="a file, a folder or a pattern", got="something else")
        if _WILD.search(path):
            return _by_pattern(path, suffixes, ctx)
    except (OSError, ValueError, RuntimeError) as error:  # a name that is too long, links in a circle
        raise InputError(path, "the path", wanted="a path that can be read", got=type(error).__name__) from None
    raise InputError(path, "the path", wanted="a file, a folder or a pattern", got="nothing there",
                     remedy=_nearest(where))  # fmt: skip


def plain_files(folder: Path, ctx: Context) -> list[Path]:
    """Return the files of a folder, sorted, without those whose names begin with a dot."""
    found = sorted(p for p in folder.iterdir() if not p.name.startswith(".") and p.is_file())
    _few(found, folder.name)
    return [ctx.open_path(p) for p in found]


def pattern_files(pattern: str, ctx: Context) -> list[Path]:
    """Return the files that a pattern finds, sorted by path, without hidden ones."""
    parts = Path(pattern).parts
    first = next(i for i, part in enumerate(parts) if _WILD.search(part))
    folder = ctx.open_path(Path(*parts[:first]) if first else ".")
    if not folder.is_dir() or ".." in parts[first:]:
        return []
    found = sorted(p for p in folder.glob("/".join(parts[first:])) if not p.name.startswith(".") and p.is_file())
    _few(found, pattern)
    return [ctx.open_path(p) for p in found]


def _in_folder(folder: Path, suffixes: tuple[str, ...], ctx: Context) -> dict[str, list[Path]]:
    """Return the tables of a folder: of its own files, or else of the folders in it that hold parts."""
    tables = _of_files(folder.name, [p for p in plain_files(folder, ctx) if split_name(p)[1] in suffixes])
    if tables:
        return tables
    for inner in sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")):
        files = plain_files(ctx.open_path(inner), ctx)
        parts = [p for p in files if _is_part(p) and split_name(p)[1] in suffixes]
        if parts:
            tables[inner.name] = parts
    if tables:
        return tables
    raise InputError(f"{folder.name}/", "the folder", wanted=f"files that end in {', '.join(suffixes)}", got="none",
                     remedy="name the files' folder, or say by use: what they are")  # fmt: skip


def _of_files(folder: str, files: list[Path]) -> dict[str, list[Path]]:
    parts = [p for p in files if _is_part(p)]
    tables = {folder: parts} if parts else {}
    for path in files:
        if _is_part(path):
            continue
        name = split_name(path)[0]
        if name in tables:
            raise InputError(f"{folder}/", f"table {name!r}", wanted="one file of that name", got="two",
                             remedy="remove or rename one, or name a single file")  # fmt: skip
        tables[name] = [path]
    return tables


def _is_part(path: Path) -> bool:
    return path.name.startswith("part-")


def _by_pattern(pattern: str, suffixes: tuple[str, ...], ctx: Context) -> dict[str, list[Path]]:
    found = pattern_files(pattern, ctx)
    fitting = [p for p in found if split_name(p)[1] in suffixes] or found
    if not fitting:
        raise InputError(pattern, "the pattern", wanted="files that it finds", got="none")
    said = Path(pattern)
    before = _WILD.split(said.name)[0].strip("-_. ")
    if before in ("", "part"):
        before = fitting[0].parent.name
    return {before or "data": fitting}


def _few(found: list[Path], owner: str) -> None:
    if len(found) > LIMITS.files:
        raise InputError(owner, "the files", wanted=f"at most {LIMITS.files:,}", got=f"{len(found):,}",
                         remedy="join them into larger ones")  # fmt: skip


def _nearest(where: Path) -> str:
    if not where.parent.is_dir():
        return f"there is no folder {where.parent.name!r} either"
    near = get_close_matches(where.name, [p.name for p in where.parent.iterdir()], n=1)
    return f"did you mean {near[0]!r}?" if near else ""
