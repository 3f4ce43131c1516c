"""Keep files and functions small: what is longer than the limits is split, not waived.

    python tools/check_size.py [FOLDER]

A waiver is a comment on the first line of the file, or on the line of the `def`, with the date it ends and a reason:
`# size: waived until 2030-01-31: why`. Complexity and parameters are ruff's
business (C901, PLR0913).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

FOLDERS = ("src", "tests", "tools", "bench")
FILE_LINES, FUNCTION_LINES = 400, 60
WAIVER = re.compile(r"#\s*size: waived until (\d{4}-\d{2}-\d{2}): \S+")


def waived(line: str, today: date) -> bool:
    """Return whether a line carries a waiver that has not run out."""
    found = WAIVER.search(line)
    return found is not None and date.fromisoformat(found[1]) >= today


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def faults(path: Path, shown: str, today: date) -> Iterator[str]:
    """Yield what is too large in a file, as `file:line: what`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > FILE_LINES and not waived(lines[0], today):
        yield f"{shown}:1: the file has {len(lines)} lines, at most {FILE_LINES} are wanted"
    for function in functions(ast.parse("\n".join(lines))):
        if waived(lines[function.lineno - 1], today):
            continue
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES:
            yield f"{shown}:{function.lineno}: {function.name} has {length} lines, at most {FUNCTION_LINES} are wanted"


def main(root: Path) -> int:
    """Print every fault below a folder; 1 if there is one."""
    today = datetime.now(UTC).date()
    found = [
        fault
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*.py"))
        for fault in faults(path, str(path.relative_to(root)), today)
    ]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
