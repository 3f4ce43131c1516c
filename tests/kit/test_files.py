"""Files, safely: bombs are refused while they unpack, nothing half-written is left, names are safe anywhere."""

from __future__ import annotations

import errno
import gzip
import os
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv

from synthwright.core.errors import InputError, StoreError
from synthwright.kit.files import UNFINISHED, Unpacked, created, folder_names, replacing, seekable, split_name, sweep

TEXT = b"one,two\n" * 5_000


def held(folder: Path) -> list[str]:
    """Return the names of what a folder holds."""
    return sorted(p.name for p in folder.iterdir())


def unpack(path: Path) -> bytes:
    """Return everything that a file unpacks into."""
    with Unpacked(path) as stream:
        return stream.read()


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst"])
def test_written_files_come_back(tmp_path: Path, name: str) -> None:
    """What is written packed is read unpacked, told by its bytes and not by its name; the bytes repeat."""
    for _ in range(2):
        with created(tmp_path / name) as file:
            file.write(TEXT)
        assert unpack(tmp_path / name) == TEXT
    first = (tmp_path / name).read_bytes()
    with created(tmp_path / "again" / name) as file:
        file.write(TEXT)
    assert (tmp_path / "again" / name).read_bytes() == first
    (tmp_path / "unnamed").write_bytes(first)
    with seekable(tmp_path / "unnamed") as stream:
        assert stream.read() == TEXT


def test_members_of_gzip_are_joined(tmp_path: Path) -> None:
    """Gzip files that were put one behind the other are one file."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT) * 2)
    assert unpack(tmp_path / "a.gz") == TEXT * 2


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_bombs_are_refused_while_they_unpack(tmp_path: Path, ending: str) -> None:
    """A small file that unpacks into very much is refused before it fills the memory."""
    bomb = tmp_path / f"bomb.csv{ending}"
    with created(bomb) as file:
        for _ in range(300):
            file.write(bytes(2**20))
    assert bomb.stat().st_size < 2**20
    read: list[int] = []
    with Unpacked(bomb) as stream, pytest.raises(InputError, match="only a bomb has"):
        read.extend(map(len, iter(lambda: stream.read(2**20), b"")))
    assert 50_000_000 < sum(read) < 150_000_000


@pytest.mark.parametrize("damage", ["half", "tail", "garbage"])
@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_damaged_packing_is_refused(tmp_path: Path, ending: str, damage: str) -> None:
    """Packed data that ends early, or is followed by something else, is refused."""
    path = tmp_path / f"a.csv{ending}"
    with created(path) as file:
        file.write(os.urandom(10_000))
    whole = path.read_bytes()
    path.write_bytes({"half": whole[: len(whole) // 2], "tail": whole[:-3], "garbage": whole + b"garbage"}[damage])
    with pytest.raises(InputError, match="damaged or ends early"):
        unpack(path)


def test_a_packed_name_for_plain_data_is_refused(tmp_path: Path) -> None:
    """A file that is called .gz and is none is refused."""
    (tmp_path / "a.csv.gz").write_bytes(TEXT)
    with pytest.raises(InputError, match="gzip data"):
        unpack(tmp_path / "a.csv.gz")


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    """A folder, a pipe and a file that is not there are refused, and nothing waits for them."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("", "pipe", "none"):
        with pytest.raises(InputError):
            unpack(tmp_path / name)


def test_endings_count_without_case_and_packing() -> None:
    """A name splits into stem and ending; a packing's ending belongs to neither."""
    assert split_name(Path("x/My.Data.CSV.GZ")) == ("My.Data", ".csv")
    assert split_name(Path("data")) == ("data", "")
    assert split_name(Path("a.zst")) == ("a", "")


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    """When writing fails, the old file stays and no new one is left."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), created(path) as file:
        file.write(bytes(1 // 0))
    assert path.read_text() == "old"
    assert held(tmp_path) == ["a.txt"]


def test_a_full_disk_is_a_store_error(tmp_path: Path) -> None:
    """A file that cannot grow is a StoreError that says why, and leaves nothing."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StoreError, match="a file larger than is allowed"), created(tmp_path / "a.bin") as file:
            file.write(bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not held(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO, None])
def test_errors_of_the_file_system_are_store_errors(tmp_path: Path, number: int | None) -> None:
    """Every error of the file system while writing becomes a StoreError with a cause."""
    error = OSError(number, "secret words") if number else OSError("secret words")
    with pytest.raises(StoreError) as caught, replacing(tmp_path / "a"):
        raise error
    assert "secret" not in str(caught.value)
    assert not held(tmp_path)


def test_an_unwritable_place_is_a_store_error(tmp_path: Path) -> None:
    """A folder that is a file, or belongs to the system, cannot be written."""
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a.csv", Path("/proc/nothing/a.csv"), tmp_path / ("x" * 300)):
        with pytest.raises(StoreError), created(path) as file:
            file.write(b"x")
    assert held(tmp_path) == ["file"]


def test_sweep_removes_what_dead_processes_left(tmp_path: Path) -> None:
    """Files that a killed process was writing go; those of a living one stay."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "t").mkdir()
    names = [f"{UNFINISHED}{dead.pid}-aa", f"{UNFINISHED}{os.getpid()}-bb", "t/kept.csv"]
    for name in names:
        (tmp_path / name).write_text("")
    sweep(tmp_path)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == names[1:]


def test_names_are_safe_and_unlike() -> None:
    """Names that leave a folder, hide, or differ in case only become names that do not; safe ones stay."""
    names = ["person", "größe 日本", "../up", "/etc/passwd", ".hidden", "..", "", "a\0b", "a\nb", "x" * 300, "A", "a",
             "con", "ﬁ", "fi", "a/b", "a_b", "trailing ", "\ud800"]  # fmt: skip
    safe = folder_names(names)
    assert safe["person"] == "person"
    assert safe["größe 日本"] == "größe 日本"
    assert safe["a_b"] == "a_b"
    assert len({s.casefold() for s in safe.values()}) == len(names)
    for name in safe.values():
        assert name
        assert name == name.strip(" .")
        assert not set(name) & set('/\\\0\n:*?"<>|')
        assert len(name.encode()) <= 200
    assert folder_names(names) == safe


def test_folders_of_safe_names_can_be_made(tmp_path: Path) -> None:
    """Every safe name is a folder of its own on this machine."""
    for name in folder_names(["../up", "x" * 300, "日本" * 100, "a/b", "", "a\0b"]).values():
        (tmp_path / name).mkdir()
    assert len(held(tmp_path)) == 6


def test_arrow_reads_from_an_unpacked_stream(tmp_path: Path) -> None:
    """An error of ours passes through Arrow's readers as it is."""
    (tmp_path / "a.gz").write_bytes(gzip.compress(TEXT)[:-20])
    with Unpacked(tmp_path / "a.gz") as stream, pytest.raises(InputError):
        csv.read_csv(pa.PythonFile(stream, mode="r"))
