"""Which files outside a project folder its owner has named, so that a specification may read them.

A specification cannot grant itself anything: the list is in the user's own state folder, written when a command line
names the file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path


def _list() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "synthwright" / "allowed.json"


def allowed_for(project: Path) -> tuple[Path, ...]:
    """Return the files and folders outside a project folder that its owner has named."""
    return tuple(Path(p) for p in _read().get(str(project.resolve()), ()))


def allow(project: Path, path: Path) -> bool:
    """Remember that a command line named a path for a project; return whether it could be remembered."""
    held = _read()
    mine = held.setdefault(str(project.resolve()), [])
    if str(path.resolve()) not in mine:
        mine.append(str(path.resolve()))
    at = _list()
    try:
        at.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = at.with_suffix(".new")
        unfinished.write_text(json.dumps(held, indent=1), encoding="utf-8")
        unfinished.replace(at)
    except OSError:
        return False
    return True


def _read() -> dict[str, list[str]]:
    try:
        held = json.loads(_list().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}
