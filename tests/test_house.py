"""The rules of the house hold, and the tools that say so can tell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def said(checkout: Path, tool: str, folder: Path) -> tuple[int, str]:
    """Return exit code and output of a tool."""
    done = subprocess.run(
        [sys.executable, checkout / "tools" / tool, folder], capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize("tool", ["check_size.py", "check_house.py"])
def test_house_in_order(checkout: Path, tool: str) -> None:
    """Every file of the project keeps the rules."""
    assert said(checkout, tool, checkout) == (0, "")


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("import pickle\n", "imports pickle"),
        ("def load():\n    from joblib import load\n", "imports joblib"),
        ("from concurrent.futures import ProcessPoolExecutor\n", "sends by pickle"),
        ("import random\n", "not seeded"),
        ("eval('1')\n", "eval() runs text"),
        ("import numpy as np\nnp.load('a.npy')\n", "without allow_pickle=False"),
        ("import numpy as np\nnp.save('a.npy', a, allow_pickle=True)\n", "allow_pickle=True"),
        ("import torch\ntorch.load('a.pt')\n", "weights_only"),
        ("import importlib\nimportlib.import_module('os')\n", "belongs to the registry"),
        ("import numpy as np\nnp.random.default_rng(1)\n", "ctx.rng"),
        ("hash('text')\n", "process to process"),
        ("class BaseThing:\n    pass\n", "no Base"),
        ("class ThingManager:\n    pass\n", "no Base"),
        ("PATH = '/wo" + "rk/data'\n", "somebody's machine"),
        ("INDEX = 'https://py" + "pi.org/simple'\n", "a registry"),
        ("DONE = '" + chr(0x1F389) + "'\n", "an emoji"),
    ],
)
def test_forbidden_found(checkout: Path, tmp_path: Path, code: str, fault: str) -> None:
    """Each thing that the house forbids is found, with file and line."""
    file = tmp_path / "src" / "synthwright" / "kit" / "thing.py"
    file.parent.mkdir(parents=True)
    file.write_text(code)
    exit_code, output = said(checkout, "check_house.py", tmp_path)
    assert exit_code == 1
    assert output.startswith("src/synthwright/kit/thing.py:")
    assert fault in output


def test_allowed_passes(checkout: Path, tmp_path: Path) -> None:
    """What only looks forbidden is let through."""
    file = tmp_path / "src" / "thing.py"
    file.parent.mkdir(parents=True)
    file.write_text("import re\nimport numpy as np\nre.compile('x')\nnp.load('a.npy', allow_pickle=False)\n")
    assert said(checkout, "check_house.py", tmp_path) == (0, "")


def test_vague_name_found(checkout: Path, tmp_path: Path) -> None:
    """A file whose name says nothing is found."""
    (tmp_path / "utils.py").write_text("")
    assert "utils.py says nothing" in said(checkout, "check_house.py", tmp_path)[1]


LONG_FUNCTION = "def long():\n" + "    x = 1\n" * 60
WAIVER = "  # size: waived until {}: a reason\n"


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("x = 1\n" * 401, "the file has 401 lines"),
        (LONG_FUNCTION, "long has 61 lines"),
        (LONG_FUNCTION.replace("\n", WAIVER.format("2001-01-01"), 1), "long has 61 lines"),
    ],
)
def test_size_found(checkout: Path, tmp_path: Path, code: str, fault: str) -> None:
    """Files and functions over the limit are found, and those whose waiver has run out."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "thing.py").write_text(code)
    exit_code, output = said(checkout, "check_size.py", tmp_path)
    assert exit_code == 1
    assert fault in output


@pytest.mark.parametrize(
    "code",
    [
        LONG_FUNCTION.replace("\n", WAIVER.format("2999-01-01"), 1),
        LONG_FUNCTION.removesuffix("    x = 1\n"),
        "x = 1\n" * 400,
    ],
)
def test_size_passes(checkout: Path, tmp_path: Path, code: str) -> None:
    """What keeps the limits, and a dated waiver, are let through."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "thing.py").write_text(code)
    assert said(checkout, "check_size.py", tmp_path) == (0, "")
