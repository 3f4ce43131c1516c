"""The complete specifications that travel with the package, some with their data."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from synthwright.core.errors import UnknownNameError


def _places() -> tuple[Path, ...]:
    """Return where examples may be: beside this file in an installed package, at the top of a checkout."""
    here = Path(__file__).resolve().parent
    return here, here.parents[2] / "examples"


def names() -> tuple[str, ...]:
    """Return the names of the examples, sorted."""
    found = {p.parent.name for place in _places() for p in place.glob("*/*.yaml") if p.stem == p.parent.name}
    return tuple(sorted(found))


def about(name: str) -> str:
    """Return what an example is, in a sentence or two: the remark that its specification begins with."""
    lines = (folder(name) / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    said = [line.removeprefix("#").strip() for line in lines]
    return " ".join(said[: said.index("")])


def files(name: str) -> dict[str, Path]:
    """Return the files of an example, by where they go in the folder of who takes it; the README is called after it."""
    at = folder(name)
    found = {p.relative_to(at).as_posix(): p for p in sorted(at.rglob("*")) if p.is_file()}
    return {f"{name}.md" if where == "README.md" else where: p for where, p in found.items()}


def folder(name: str) -> Path:
    """Return the folder of an example: it holds `NAME.yaml`, a `README.md`, and what the specification reads.

    Raises:
        UnknownNameError: no example has that name.
    """
    for place in _places():
        if name in names() and (place / name / f"{name}.yaml").is_file():
            return place / name
    near = get_close_matches(name, names(), n=1)
    raise UnknownNameError("example", repr(name), wanted=f"one of {', '.join(names())}", got="an unknown name",
                           remedy=f"did you mean {near[0]!r}?" if near else "choose one of them")  # fmt: skip
