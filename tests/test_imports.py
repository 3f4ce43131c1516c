"""Importing is quick, and heavy libraries wait until they are needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAVY = ("torch", "ray", "pandas", "polars", "sklearn", "lightgbm", "altair", "scipy", "faker", "openpyxl", "narwhals",
         "aiohttp", "jsonschema")  # fmt: skip
"""Top packages that `import synthwright` must not load."""
COMMAND = Path(sys.executable).with_name("synthwright")


def heavy(code: str) -> list[str]:
    """Return the heavy packages that are loaded after some code has run in a new process."""
    said = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{m.partition('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    return sorted(set(HEAVY) & set(json.loads(done.stdout)))


def quickest(command: list[str], tries: int = 5) -> float:
    """Return the processor seconds of the quickest of a few runs: what else the machine does is left out."""
    found = []
    for _ in range(tries):
        before = os.times()
        subprocess.run(command, capture_output=True, check=True)
        after = os.times()
        found.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(found)


def test_import_loads_nothing_heavy() -> None:
    """`import synthwright` loads none of the heavy libraries."""
    assert heavy("import synthwright") == []


@pytest.mark.parametrize("group", ["generators", "processes", "curators", "metrics", "sources", "sinks", "providers"])
def test_recipes_load_nothing_heavy(group: str) -> None:
    """Importing every recipe, as `list`, `explain` and `check` do, loads none of the heavy libraries."""
    code = f"from synthwright.core import registry\nfor n in registry.names({group!r}): registry.find({group!r}, n)"
    assert heavy(code) == []


def test_import_is_quick() -> None:
    """`import synthwright` takes under half a second."""
    assert quickest([sys.executable, "-c", "import synthwright"]) < 0.5


def test_public_names_are_quick_to_reach() -> None:
    """Every public name can be reached, and listing them loads nothing heavy."""
    assert heavy("import synthwright; dir(synthwright)") == []
    subprocess.run([sys.executable, "-c", "from synthwright import *"], check=True)


def test_help_is_quick() -> None:
    """`synthwright --help` takes under 0.7 seconds and loads nothing heavy."""
    assert quickest([str(COMMAND), "--help"]) < 0.7
    code = (
        "import contextlib, io, sys\n"
        "sys.argv = ['synthwright', '--help']\n"
        "from synthwright.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main()\n"
    )
    assert heavy(code) == []


def test_runs_as_a_module() -> None:
    """`python -m synthwright` is the same command line."""
    said = subprocess.run(
        [sys.executable, "-m", "synthwright", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("synthwright ")


def test_import_speaks_to_nobody() -> None:
    """Importing opens no connection, starts no process and no thread, and prints nothing."""
    code = (
        "import sys, threading\n"
        "seen = []\n"
        "watched = ('socket.', 'subprocess.')\n"
        "sys.addaudithook(lambda event, _: seen.append(event) if event.startswith(watched) else None)\n"
        "import synthwright\n"
        "assert not seen, seen\n"
        "assert threading.active_count() == 1\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_import_time_is_wall_time_too() -> None:
    """No import waits: wall time and processor time agree on an idle machine, so this only guards against seconds."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import synthwright"], check=True)
    assert time.perf_counter() - begun < 5
