"""What every source and every sink keeps to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Recipe, Sink, Source
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, PathError, SynthwrightError
from synthwright.testing import toys
from synthwright.testing.contract import RECIPE, Check, Subject, broken, made, on, run, want
from synthwright.testing.stored import contents

Write = Callable[[pa.Table, Path], str]
"""Writes a table into a folder, and returns the path under which a source finds it there."""
Read = Callable[[Path], pa.Table]
"""Reads one file of a release as a table."""
R = TypeVar("R", bound=Recipe)
METADATA = {"synthetic": "true"}


def check_source(source: Source | type[Source], write: Write | None = None) -> tuple[str, ...]:
    """Hold a source to its contract; return the names of the checks it passed.

    Args:
        source: the source.
        write: writes what it is to read; nothing: the registered sink that writes the same sort of file.

    Raises:
        ContractError: naming the check, what was wanted and what was got.
    """
    recipe = made(source)
    return run((*RECIPE, *_source_checks(write or _written(recipe))), recipe)


def check_sink(sink: Sink | type[Sink], read: Read | None = None) -> tuple[str, ...]:
    """Hold a sink to its contract; return the names of the checks it passed.

    Args:
        sink: the sink.
        read: reads what it wrote; nothing: the registered source that reads the same sort of file.

    Raises:
        ContractError: naming the check, what was wanted and what was got.
    """
    recipe = made(sink)
    return run((*RECIPE, *_sink_checks(read or _read_back(recipe))), recipe)


# ------------------------------------------------------------------------------------------------ what checks share
def _partner(group: registry.Group, suffixes: tuple[str, ...]) -> tuple[type[Recipe], str] | None:
    for name in registry.names(group):
        kind = registry.find(group, name)
        both = [s for s in getattr(kind, "suffixes", ()) if s in suffixes]
        if both:
            return kind, both[0]
    return None


def _written(source: Source) -> Write | None:
    found = _partner("sinks", type(source).suffixes)
    if found is None:
        return None
    kind, suffix = found

    def write(table: pa.Table, folder: Path) -> str:
        sink = kind()
        assert isinstance(sink, Sink)  # noqa: S101  the registry looked
        sink.write_file(table, folder / f"data{suffix}", METADATA)
        return f"data{suffix}"

    return write


def _read_back(sink: Sink) -> Read | None:
    found = _partner("sources", type(sink).suffixes)
    if found is None:
        return None
    kind, _ = found

    def read(path: Path) -> pa.Table:
        source = kind.model_validate({"path": path.name})
        assert isinstance(source, Source)  # noqa: S101  the registry looked
        return next(iter(source.tables(Context(root=path.parent)).values()))

    return read


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as temporary:
        yield Path(temporary).resolve()


def _aimed(source: Source, path: str) -> Source:
    return source.model_copy(update={"path": path})


def _refuses(source: Source, ctx: Context, kind: type[SynthwrightError], what: str) -> None:
    try:
        source.tables(ctx)
    except kind:
        return
    except SynthwrightError as error:
        broken(f"an {kind.__name__} for {what}", type(error).__name__)
    broken(f"an {kind.__name__} for {what}", "a table")


def _alike(one: pa.Table, other: pa.Table) -> bool:
    """Return whether two tables have the same columns and, spelled as text, the same values; nulls may be empty."""
    if one.column_names != other.column_names or one.num_rows != other.num_rows:
        return False
    said = [[["" if v is None else str(v) for v in c.to_pylist()] for c in t.columns] for t in (one, other)]
    return said[0] == said[1]


def _words() -> pa.Table:
    """Return a table of text that no format has an excuse to change."""
    labels = ["plain", "two words", "naïve", "日本", "a,b", 'quo"te', "semi;colon", "x", "y", "z", "0x", "tab\there"]
    return pa.table({"größe": pa.array(labels), "b c": pa.array([f"w{i}" for i in range(len(labels))])})


def _source_checks(write: Write | None) -> tuple[Check[Source], ...]:
    def reads(subject: Subject[Source]) -> None:
        """Fail unless what was written is read, twice alike, and the files that are read are named."""
        if write is None:
            return
        with _folder() as folder:
            source = _aimed(subject.recipe, write(_words(), folder))
            ctx = Context(root=folder)
            tables = source.tables(ctx)
            want(len(tables) == 1, "one table", len(tables))
            table = next(iter(tables.values()))
            want(
                _alike(table, _words()), "the table that was written", f"{table.num_rows} rows of {table.column_names}"
            )
            again = next(iter(source.tables(ctx).values()))
            want(table.equals(again), "the same table when read again", "another")
            files = source.files(ctx)
            want(files and files == sorted(files) and all(f.is_file() for f in files), "its files, sorted", files)
            want(source.read(ctx).rows() == _words().num_rows, "a dataset with every row", source.read(ctx).rows())

    def stays_inside(subject: Subject[Source]) -> None:
        """Fail if a path may leave the project folder, by dots, from the root, by a link, or as an address."""
        with _folder() as folder:
            inside = folder / "project"
            inside.mkdir()
            name = write(_words(), folder) if write else "data"
            (inside / "link").symlink_to(folder / name)
            for path in (f"../{name}", str(folder / name), "link", "file:///etc/hostname"):
                with on(f"the path {path!r}"):
                    _refuses(_aimed(subject.recipe, path), Context(root=inside), PathError, "a path that leaves")

    def refuses_rubbish(subject: Subject[Source]) -> None:
        """Fail unless a missing, an empty and a broken file are refused with an InputError."""
        for suffix in subject.kind.suffixes:
            with _folder() as folder, on(f"files that end in {suffix!r}"):
                ctx = Context(root=folder)
                source = _aimed(subject.recipe, f"data{suffix}")
                _refuses(source, ctx, InputError, "a file that is not there")
                (folder / f"data{suffix}").write_bytes(b"")
                _refuses(source, ctx, InputError, "an empty file")
                if not subject.kind.text:
                    (folder / f"data{suffix}").write_bytes(bytes(range(256)) * 8)
                    _refuses(source, ctx, InputError, "a file that is no such file")

    return (_suffixed, reads, stays_inside, refuses_rubbish)


def _suffixed(subject: Subject[R]) -> None:
    """Fail unless the endings of file names begin with a dot and are in small letters."""
    for suffix in getattr(subject.kind, "suffixes", ()):
        want(suffix.startswith(".") and suffix == suffix.lower(), "endings like '.csv'", repr(suffix))


def _sink_checks(read: Read | None) -> tuple[Check[Sink], ...]:
    def writes(subject: Subject[Sink]) -> None:
        """Fail unless each table has its own folder of parts, the same bytes twice, and every file is named."""
        for data in (toys.plain(), toys.every_kind(), toys.two_tables(), toys.unicode_names(), toys.plain(0)):
            with _folder() as folder, on(f"the tables {list(data.tables)}"):
                written = []
                for name in ("one", "two"):
                    (folder / name).mkdir()
                    files = subject.recipe.write(data, folder / name, METADATA)
                    held = {(folder / name / f).resolve() for f in contents(folder / name)}
                    want(
                        held == {f.resolve() for f in files},
                        "the list of every file it wrote",
                        sorted(f.name for f in files),
                    )
                    written.append(contents(folder / name))
                want(written[0] == written[1], "the same bytes for the same data", "others")
                _check_folders(data, written[0])

    def comes_back(subject: Subject[Sink]) -> None:
        """Fail unless what was written can be read again."""
        if read is None:
            return
        table = toys.plain().to_arrow()
        with _folder() as folder:
            path = folder / f"data{subject.kind.suffixes[0]}"
            subject.recipe.write_file(table, path, METADATA)
            want(sorted(contents(folder)) == [path.name], "one file, and nothing beside it", sorted(contents(folder)))
            got = read(path)
            want(got.column_names == table.column_names, table.column_names, got.column_names)
            want(got.num_rows == table.num_rows, f"{table.num_rows} rows", got.num_rows)

    return (_suffixed, writes, comes_back)


def _check_folders(data: Dataset, files: dict[str, bytes]) -> None:
    for table in data.tables:
        mine = [f for f in files if f.startswith(f"{table}/")]
        want(mine, f"files in a folder {table!r}", sorted(files)[:3])
        want(all(Path(f).name.startswith("part-") for f in mine), "files called part-00000, part-00001, …", mine[:3])
