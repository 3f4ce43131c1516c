"""`manifest.json`: the hashes of everything a release holds, and the check that they still hold.

The manifest shows damage and careless edits. It is no signature: who can write the folder can write a new manifest.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any

from synthwright.core.errors import StoreError
from synthwright.core.hashes import sha256
from synthwright.report.released import DATA, write_whole
from synthwright.report.report import Report

NAME = "manifest.json"
BESIDE = ("README.md", "croissant.json", "spec.lock.yaml")
"""What a release holds beside its data and manifest."""
INTERNAL = ("internal/report.json", "internal/report.html", "internal/report.md", "internal/officer.html",
            "internal/officer.md")  # fmt: skip
"""What stays at home, and is vouched for where it is."""
QUARANTINE = "internal/quarantine"
"""Where rows that went are kept, a file for each table: they are named, but no hash of them leaves the house."""
BY_RUNS = (".store", ".run.json", ".lock", ".unfinished")
"""What runs keep in the folder of a release and is no part of it."""
_DECIDING = ("numpy", "pyarrow", "polars", "scipy", "lightgbm", "faker", "phonenumbers",
             "python-stdnum")  # fmt: skip
"""Libraries whose version may change the bytes."""
_WORDS = {"synthwright", "fingerprint", "seed", "inputs", "versions", "gates", "notes", "files", "quarantine",
          "digest"}  # fmt: skip


def write_manifest(
    folder: Path, report: Report, *, inputs: Mapping[str, str], seed: int, notes: Sequence[str] = ()
) -> None:
    """Write `manifest.json` into a folder that holds everything else of the release, `internal/` too.

    Args:
        folder: the release.
        report: gives version, fingerprint of the run and gates.
        inputs: the SHA-256 of every file that was read, by name.
        seed: of the run.
        notes: what whoever opens the files must know, such as spreadsheet cells that were defused.

    Raises:
        StoreError: something is missing, a link lies where a file should, or the file cannot be written.
    """
    data = _data_files(folder)
    wanted = [*data, *BESIDE, *INTERNAL]
    absent = [name for name in wanted if not (folder / name).is_file() or (folder / name).is_symlink()]
    if absent or not data:
        raise StoreError(str(folder), "the release", wanted="data, card, lock and report as plain files",
                         got=f"no {absent[0]}" if absent else "no data")  # fmt: skip
    said: dict[str, Any] = {
        **({"generation": report.generation} if report.generation > 1 else {}),
        "synthwright": report.synthwright,
        "fingerprint": report.fingerprint,
        "seed": seed,
        "inputs": dict(sorted(inputs.items())),
        "versions": installed(),
        "gates": [g.model_dump(mode="json") for g in report.gates],
        "notes": list(notes),
        "files": {name: _entry(folder / name) for name in wanted},
        "quarantine": _files(folder, QUARANTINE),
    }
    write_whole(folder / NAME, _rendered(said | {"digest": _digest(said)}))


def verify(folder: Path) -> list[str]:
    """Return how a release differs from its manifest, a sentence each; none: every file is what it says.

    A byte that changed, a file that is gone or became a link, a file that is not listed, and an edited manifest are
    differences. `internal/` may be absent as a whole, because it stays at home (see `unchecked`); where it is there,
    its report must be whole. What runs keep beside a release (`BY_RUNS`) is not looked at.
    """
    if (folder / NAME).is_symlink():
        return [f"{NAME} is a link"]
    try:
        raw = (folder / NAME).read_bytes()
    except FileNotFoundError:
        return [f"{NAME} is missing"]
    except OSError as error:
        return [f"{NAME} cannot be read: {(error.strerror or type(error).__name__).lower()}"]
    try:
        said = json.loads(raw)
    except (ValueError, RecursionError):
        return [f"{NAME} is no JSON"]
    if not _formed(said):
        return [f"{NAME} is not in the form of a manifest"]
    found = []
    if _edited(said, raw):
        found.append(f"{NAME} was edited")
    files: dict[str, Any] = said["files"]
    missing = [n for n in (*BESIDE, *INTERNAL) if n not in files]
    if all(n in (*BESIDE, *INTERNAL) for n in files):
        missing.append("any data")
    found += [f"{NAME} does not list {name}" for name in missing]
    found += [d for name, entry in files.items() if (d := _difference(folder, name, entry))]
    found += [f"{n} is a file that the manifest does not name" for n in _strange(folder, {*files, *said["quarantine"]})]
    return [_plain(difference) for difference in found]


def _plain(text: str) -> str:
    """Return a text that no terminal obeys: whoever made the folder chose the names in it."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def unchecked(folder: Path) -> list[str]:
    """Return what `verify` does not vouch for, a sentence each: an absent internal report, rows in quarantine."""
    if not (folder / "internal").exists():
        return ["internal/ is not here: the report that the manifest vouches for was not checked"]
    if _files(folder, QUARANTINE):
        return [f"{QUARANTINE}: no hash of the rows that went is in the manifest, so they were not checked"]
    return []


def installed() -> dict[str, str]:
    """Return the versions of Python and of the libraries that may change the bytes of a release."""
    found = {"python": platform.python_version()}
    for name in ("synthwright", *_DECIDING):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # a source tree that is not installed, or a library that this release does not need
    return found


def _data_files(folder: Path) -> list[str]:
    """Return everything under `data/` that is no folder, links too."""
    return _files(folder, DATA)


def _files(folder: Path, inside: str) -> list[str]:
    """Return everything at a place that is no folder, links too: a file is itself."""
    at = folder / inside
    if at.is_symlink() or not at.is_dir():
        return [inside] if at.is_symlink() or at.exists() else []
    return sorted(p.relative_to(folder).as_posix() for p in at.rglob("*") if p.is_symlink() or not p.is_dir())


def _strange(folder: Path, named: Collection[str]) -> list[str]:
    """Return every file that is not among those that are named, and that no run keeps beside a release."""
    places = [p.name for p in folder.iterdir() if p.name not in (*BY_RUNS, NAME)]
    found = [name for place in places for name in _files(folder, place)]
    return sorted(n for n in found if n not in named or (n.startswith(QUARANTINE) and (folder / n).is_symlink()))


def _entry(path: Path) -> dict[str, Any]:
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def _rendered(said: Any) -> str:
    return json.dumps(said, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _digest(said: Any) -> str:
    plain = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(plain.encode()).hexdigest()


def _edited(said: dict[str, Any], raw: bytes) -> bool:
    """Return whether a manifest is not, byte for byte, as it was written."""
    try:
        return bool(said["digest"] != _digest({k: v for k, v in said.items() if k != "digest"})
                    or raw != _rendered(said).encode())  # fmt: skip
    except ValueError:  # it holds NaN or an infinity, which is never written
        return True


def _formed(said: Any) -> bool:
    if not isinstance(said, dict) or {*said} - {"generation"} != _WORDS or not isinstance(said["files"], dict):
        return False
    gone = said["quarantine"]
    if not isinstance(gone, list) or not all(isinstance(n, str) and n.startswith(f"{QUARANTINE}/") for n in gone):
        return False
    return all(isinstance(e, dict) and set(e) == {"sha256", "bytes"} for e in said["files"].values())


def _difference(folder: Path, name: str, entry: Mapping[str, Any]) -> str | None:
    """Say how one file differs from its entry."""
    inside = PurePosixPath(name)
    if name not in (*BESIDE, *INTERNAL) and (inside.parts[:1] != (DATA,) or ".." in inside.parts):
        return f"{NAME} names {name!r}, which is no file of a release"
    path = folder / name
    if name in INTERNAL and not (folder / "internal").exists():
        return None
    try:
        if folder.resolve() / name != path.resolve():
            return f"{name} is a link, or lies behind one"
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != entry["bytes"] or sha256(path) != entry["sha256"]:
            return f"{name} changed"
    except OSError as error:
        return f"{name} cannot be read: {(error.strerror or type(error).__name__).lower()}"
    except ValueError:  # NUL, or half of a character
        return f"{NAME} names {name!r}, which no file can be called"
    return None
