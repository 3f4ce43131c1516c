"""Which sink writes a file: told by the ending of its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from synthwright.core.contracts import Sink
from synthwright.core.errors import InputError
from synthwright.core.registry import find, names
from synthwright.kit.files import PACKED, split_name

_TEXT = ("csv", "jsonl")


def for_path(path: str | Path, **settings: Any) -> Sink:
    """Return the sink for a file's name, with these settings.

    Raises:
        InputError: its ending is unknown, or a setting does not fit.
    """
    known = endings()
    at = Path(path)
    name = known.get(split_name(at)[1])
    if name is None:
        raise InputError(at.name or str(path), "the file's name", wanted=f"an ending of {', '.join(sorted(known))}",
                         got="another")  # fmt: skip
    if at.suffix.lower() in PACKED and name not in _TEXT:
        raise InputError(at.name, "the file's name", wanted=f"no ending {at.suffix!r}", got="one",
                         remedy=f"{name} files are compressed inside")  # fmt: skip
    kind = find("sinks", name)
    try:
        return kind.model_validate(settings)  # type: ignore[return-value]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"sink {name!r}", f"setting {where!r}", got=first["msg"].lower(),
                         wanted=f"one of {', '.join(kind.model_fields) or 'none'}") from None  # fmt: skip


def endings() -> dict[str, str]:
    """Return the endings of file names, and which sink writes each."""
    kinds = {name: find("sinks", name) for name in names("sinks")}
    return {e: name for name, kind in kinds.items() if issubclass(kind, Sink) for e in kind.suffixes}
