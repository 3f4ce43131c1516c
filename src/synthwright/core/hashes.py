"""What files hold, as SHA-256: one file, or every file of a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits; the file is read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_folder(folder: Path, *, apart: str) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder by its relative path, but of the file `apart` that holds them."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / apart)
    return {p.relative_to(folder).as_posix(): sha256(p) for p in files}
