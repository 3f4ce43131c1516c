"""What is installed is pinned by hash, complete, and under licences that may be shipped."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

LOCKS = ("requirements.lock", "requirements-dev.lock")
SERVER = "requirements-server.lock"
"""What the test against a real inference server needs, in an environment of its own."""
REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")
ALLOWED = ("Apache", "MIT", "BSD", "PSF", "Python Software Foundation", "MPL-2.0", "Mozilla Public License 2.0", "ISC",
           "Unlicense", "Public Domain", "CC0", "HPND", "0BSD", "Zlib", "BSL-1.0")  # fmt: skip
"""How licences that may be shipped are called."""
FORBIDDEN = re.compile(r"(?<!L)\bA?GPL|\bBUSL|Business Source|\bSSPL|Commons Clause|non-?commercial", re.IGNORECASE)
"""How licences that may not be shipped are called; the LGPL may, where the library is used as it is."""
LESSER = frozenset({"python-stdnum"})
"""Distributions under the LGPL: used unchanged, imported, replaceable."""


def said(lock: Path) -> dict[str, list[str]]:
    """Return the lines of each requirement of a lock, by name and version."""
    found: dict[str, list[str]] = {}
    now = ""
    for line in lock.read_text().splitlines():
        if at := REQUIREMENT.match(line):
            now = f"{normal(at['name'])}=={at['version']}"
            found[now] = []
        elif line.strip():
            assert line.startswith("    --hash=sha256:"), line
            found[now].append(line)
    return found


def normal(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", [*LOCKS, SERVER])
def test_lock_has_hashes(checkout: Path, lock: str) -> None:
    """Every requirement of a lock is one version, with the hashes of its files."""
    held = said(checkout / lock)
    assert len(held) > 30
    assert all(held.values())


@pytest.mark.parametrize("lock", [*LOCKS, SERVER])
def test_lock_names_no_place(checkout: Path, lock: str) -> None:
    """A lock says what to install, and leaves where from to the machine."""
    assert not re.search(r"://|--index|--find-links|@ ", (checkout / lock).read_text())


def test_locks_agree(checkout: Path) -> None:
    """What tests run on is what the demo runs on."""
    runtime, tests = (set(said(checkout / lock)) for lock in LOCKS)
    assert runtime <= tests


def test_lock_is_complete(checkout: Path) -> None:
    """Every dependency that the project declares is in the lock that belongs to it, in a version that it allows."""
    from packaging.requirements import Requirement

    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"]
    tests = project["project"]["optional-dependencies"]["dev"]
    for lock, wanted in zip(LOCKS, (runtime, [*runtime, *tests]), strict=True):
        held = dict(r.split("==") for r in said(checkout / lock))
        for requirement in map(Requirement, [*wanted, *project["dependency-groups"]["build"]]):
            assert requirement.specifier.contains(held[normal(requirement.name)]), requirement


def test_bounds_are_stated(checkout: Path) -> None:
    """Every runtime dependency has a lowest version."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    assert all(">=" in d for d in project["project"]["dependencies"])


MODULES = {"google-re2": "re2", "pyyaml": "yaml", "python-stdnum": "stdnum"}
"""Modules that are called otherwise than their distribution."""
BROUGHT = {"pydantic_core": "pydantic", "markupsafe": "jinja2", "yarl": "aiohttp"}
"""Modules that come with a declared dependency, and belong to its interface."""
OPTIONAL = {
    "dp_accounting",
    "hypothesis",
    "opacus",
    "opendp",
    "pandas",
    "pypdf",
    "sqlglot",
    "litellm",
    "torch",
    "safetensors",
    "tokenizers",
    "transformers",
    "usearch",
}
"""Modules that are imported only where the user has them: frames that users bring, strategies for tests, and extras."""


def test_declared_is_used(checkout: Path) -> None:
    """Every runtime dependency is imported somewhere, and everything that is imported is one."""
    project = tomllib.loads((checkout / "pyproject.toml").read_text())
    names = [re.split(r"[<>=]", d)[0] for d in project["project"]["dependencies"]]
    declared = {MODULES.get(name, name.replace("-", "_").removesuffix("_python")) for name in names}
    imported = set()
    for path in (checkout / "src").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        imported |= {a.name.partition(".")[0] for n in nodes if isinstance(n, ast.Import) for a in n.names}
        imported |= {(n.module or "").partition(".")[0] for n in nodes if isinstance(n, ast.ImportFrom)}
    used = {BROUGHT.get(name, name) for name in imported - OPTIONAL - set(sys.stdlib_module_names) - {"synthwright"}}
    assert used == declared


def test_installed_fits() -> None:
    """What is installed fits together."""
    done = subprocess.run([sys.executable, "-m", "pip", "check", "--disable-pip-version-check"],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout


def licence(installed: Distribution) -> str:
    """Return what a distribution says about its licence: the expression, or classifiers, or the free words."""
    held = installed.metadata
    expression = "; ".join(held.get_all("License-Expression", []))
    classifiers = [c[9:].strip(": ") for c in held.get_all("Classifier", []) if c.startswith("License :")]
    words = "".join(held.get_all("License", [])).strip().partition("\n")[0]
    return expression or "; ".join(c for c in classifiers if c != "OSI Approved") or words


def runtime_distributions(checkout: Path) -> list[Distribution]:
    """Return the installed distributions of the runtime lock."""
    wanted = {name.partition("==")[0] for name in said(checkout / "requirements.lock")}
    return [d for d in distributions() if normal(d.name) in wanted]


def test_licences_allowed(checkout: Path) -> None:
    """Every runtime dependency is under a licence that may be shipped with an Apache-2.0 program."""
    held = runtime_distributions(checkout)
    assert len(held) > 30
    wrong = []
    for installed in held:
        words = licence(installed)
        lesser = installed.name in LESSER and "LGPL" in words.replace("Lesser General Public License", "LGPL")
        if not lesser and (FORBIDDEN.search(words) or not any(a in words for a in ALLOWED)):
            wrong.append(f"{installed.name}: {words!r}")
    assert not wrong


@pytest.mark.parametrize("words", ["GPL-3.0-only", "AGPL-3.0", "GNU GPLv2", "BUSL-1.1", "Business Source License 1.1"])
def test_forbidden_licences_found(words: str) -> None:
    """Licences that may not be shipped are recognised."""
    assert FORBIDDEN.search(words)


def test_lesser_is_not_forbidden() -> None:
    """The LGPL is told from the GPL."""
    assert not FORBIDDEN.search("LGPL-2.1-or-later")


def test_notice_and_licence(checkout: Path) -> None:
    """The licence is the Apache License 2.0, and the data that travels with the program is credited."""
    assert "Apache License" in (checkout / "LICENSE").read_text()
    for page in ("NOTICE", "examples/adult/README.md"):
        text = (checkout / page).read_text()
        assert "10.24432/C5XW20" in text
        assert re.search(r"CC BY 4\.0|Creative Commons Attribution 4\.0", text)
