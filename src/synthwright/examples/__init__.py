"""The complete specifications that travel with the package, with their data."""

from __future__ import annotations

from pathlib import Path

from synthwright.core.errors import UnknownNameError


def folder(name: str) -> Path:
    """Return the folder of an example: beside this file in an installed package, at the top of a checkout.

    Raises:
        UnknownNameError: no example has that name.
    """
    here = Path(__file__).resolve().parent
    for place in (here / name, here.parents[2] / "examples" / name):
        if (place / f"{name}.yaml").is_file():
            return place
    raise UnknownNameError("example", repr(name), wanted="'adult'", got="an unknown name")
