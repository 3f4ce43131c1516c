"""Put files into the documentation that shows them, so that what is shown is what is run.

    python tools/embed.py [--check] [FOLDER]

A comment `<!-- file: path -->` stands before a fenced block; the block becomes the file's text. With `--check` nothing
is written, and the exit code is 1 where something would be.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"(<!-- file: (?P<path>\S+) -->\n```(?P<kind>\w*)\n).*?(?<=\n)(```\n)", re.DOTALL)


def embedded(page: str, root: Path) -> str:
    """Return a page with its blocks filled in."""
    return BLOCK.sub(lambda found: f"{found[1]}{(root / found['path']).read_text(encoding='utf-8')}{found[4]}", page)


def main(root: Path, *, check: bool) -> int:
    """Fill in, or check, every page under docs; 1 where a checked page would change."""
    stale = []
    for path in sorted((root / "docs").glob("*.md")):
        page = path.read_text(encoding="utf-8")
        filled = embedded(page, root)
        if filled != page:
            stale.append(path)
            if not check:
                path.write_text(filled, encoding="utf-8")
    if check:
        print(
            *(f"{p.relative_to(root)}: run `python tools/embed.py`" for p in stale), sep="\n", end="\n" if stale else ""
        )
    return 1 if stale and check else 0


if __name__ == "__main__":
    folders = [a for a in sys.argv[1:] if not a.startswith("--")]
    sys.exit(main(Path(folders[0] if folders else "."), check="--check" in sys.argv))
