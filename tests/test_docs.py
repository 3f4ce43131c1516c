"""What the documentation shows is what runs: every block, every command, every word."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

import synthwright
from synthwright.commands.asking import check_spec
from synthwright.commands.saying import Say
from synthwright.core import registry

CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [CHECKOUT / "README.md", *(CHECKOUT / "docs").glob("*.md"), *(CHECKOUT / "examples").glob("*/README.md")]
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMAND = Path(sys.executable).with_name("synthwright")
ROWS = 2_500
"""Rows of the census table that documentation is run on."""

RUNNER = """
import json
from pathlib import Path
for block in json.loads(Path("blocks.json").read_bytes()):
    code = "\\n" * (block["line"] - 1) + block["text"]
    exec(compile(code, "page", "exec", dont_inherit=True))
"""
"""Runs blocks one after another, as one would type them; a traceback counts the page's lines."""


class Block(NamedTuple):
    """A fenced block: where it begins, its language, its text."""

    line: int
    language: str
    text: str


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the fenced blocks of a page in some languages."""
    text = page.read_text(encoding="utf-8")
    found = (Block(text.count("\n", 0, m.start()) + 2, m[1], m[2]) for m in FENCE.finditer(text))
    return [b for b in found if b.language in languages]


def having(*languages: str) -> list[Path]:
    """Return the pages that have blocks in some languages."""
    return [p for p in PAGES if blocks(p, *languages)]


def named(page: Path) -> str:
    """Return a page's path, for the name of a test."""
    return page.relative_to(CHECKOUT).as_posix()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder with what the documentation's commands work on: a small part of the census table."""
    example = CHECKOUT / "examples" / "adult"
    table = pq.read_table(example / "adult.parquet").slice(0, ROWS)
    pq.write_table(table, tmp_path / "adult.parquet")
    pa_csv.write_csv(table, tmp_path / "people.csv")
    text = (example / "adult.yaml").read_text(encoding="utf-8")
    small = text.replace("39073", str(ROWS // 2))
    assert small != text
    (tmp_path / "adult.yaml").write_text(small, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("page", having("python"), ids=named)
def test_python_runs(page: Path, desk: Path) -> None:
    """The Python blocks of a page run, one after another, in a fresh interpreter that turns warnings into errors."""
    (desk / "blocks.json").write_text(json.dumps([b._asdict() for b in blocks(page, "python")]), encoding="utf-8")
    (desk / "page.py").write_text(RUNNER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"], cwd=desk, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def commands(page: Path) -> list[list[str]]:
    """Return the commands that a page shows, in order: lines of console blocks that begin with a dollar sign."""
    lines = (line for b in blocks(page, "console") for line in b.text.splitlines())
    return [shlex.split(line[2:], comments=True) for line in lines if line.startswith("$ ")]


@pytest.mark.slow
@pytest.mark.parametrize("page", having("console"), ids=named)
def test_commands_run(page: Path, desk: Path) -> None:
    """The commands of a page do what they say; a run may also end in a refusal, which is an answer."""
    for command in commands(page):
        assert command[0] == "synthwright", command
        done = subprocess.run([COMMAND, *command[1:]], cwd=desk, capture_output=True, text=True, check=False)
        allowed = {0, 3} if command[1] in ("run", "evaluate") else {0}
        assert done.returncode in allowed, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", having("yaml"), ids=named)
def test_specifications_are_valid(page: Path, desk: Path) -> None:
    """Every specification that a page shows is one."""
    for block in blocks(page, "yaml"):
        if "synthwright: 1" not in block.text:
            continue
        (desk / "shown.yaml").write_text(block.text, encoding="utf-8")
        check_spec(desk / "shown.yaml", None, Say(json=False, quiet=True))  # raises what the command would say


def test_make_targets_exist() -> None:
    """Every `make` target that a page names is in the Makefile."""
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        for target in re.findall(r"`make (\w+)`|^make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            name = target[0] or target[1]
            assert re.search(rf"^{name}:", makefile, re.MULTILINE), f"{named(page)}: make {name}"


def test_links_lead_somewhere() -> None:
    """Every relative link of a page leads to a file or folder."""
    for page in [*PAGES, CHECKOUT / "GLOSSARY.md", *(CHECKOUT / "design").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{named(page)}: {link}"


def test_shown_files_are_the_files() -> None:
    """A file that a page shows is shown as it is."""
    done = subprocess.run([sys.executable, CHECKOUT / "tools" / "embed.py", "--check", CHECKOUT],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout


def glossary() -> list[tuple[str, str]]:
    """Return words and meanings."""
    lines = (CHECKOUT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines()
    return [
        (m[1], m[2]) for m in (re.fullmatch(r"\| (.+?) \| (.+) \|", line) for line in lines) if m and m[1] != "word"
    ]


def test_glossary_is_in_order() -> None:
    """Words are sorted, and each has one meaning."""
    words = [word.lower() for word, _ in glossary()]
    assert words == sorted(set(words))


def test_glossary_knows_public_names() -> None:
    """Every public name of the package is in the glossary."""
    shown = {name for _, meaning in glossary() for name in re.findall(r"`(?:synthwright\.)?(\w+)`", meaning)}
    shown |= {word for word, _ in glossary()}
    assert sorted(set(synthwright.__all__) - shown) == []


def test_changes_are_short() -> None:
    """A change is one sentence of at most 25 words."""
    for path in (CHECKOUT / "changes").glob("*.md"):
        if path.name != "README.md":
            text = path.read_text(encoding="utf-8").strip()
            assert len(text.split()) <= 25, path.name
            assert text.endswith("."), path.name


@pytest.mark.parametrize("group", ["generators", "curators", "metrics"])
def test_readme_names_every_plugin(group: registry.Group) -> None:
    """The readme names every generator, curator and metric of this distribution."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    ours = [name for name, at in registry.places(group).items() if at.startswith("synthwright.")]
    assert [name for name in ours if f"`{name}`" not in text] == []
