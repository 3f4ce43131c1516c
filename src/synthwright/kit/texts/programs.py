"""Whether programs pass their tests: each is run in a process of its own that can do nothing else (`program_child`).

What a program reads, writes and says is not looked at: only whether it passed leaves its process.
"""

from __future__ import annotations

import ast
import os
import re
import secrets
import subprocess
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from synthwright.core.errors import InputError
from synthwright.kit.texts.text_formats import is_python

Outcome = Literal["passed", "failed", "stopped", "untested"]
"""What became of a program: `stopped` took too long; `untested` has no test that could fail."""
_CHILD = Path(__file__).with_name("program_child.py")
_PATIENCE = 4
"""How many times the seconds of the processor may pass by the clock: other work may be under way, too."""
_KEY = 32
_WORD = _KEY + 16
_FUTURE = re.compile(r"^from __future__ import .*$", re.MULTILINE)


class Limits(NamedTuple):
    """What a program may use."""

    seconds: int
    """Of the processor."""
    megabytes: int
    """Of memory."""


def run_each(programs: Sequence[tuple[str, str]], limits: Limits, owner: str) -> list[Outcome]:
    """Return what became of each program with its tests, several at once; equal ones are run once.

    Args:
        programs: programs, each with its tests.
        limits: what each may use.
        owner: who asks, for errors.

    Raises:
        InputError: this machine cannot hold programs back, so none is run.
    """
    every = list(dict.fromkeys(programs))
    with TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count() or 1) as crew:
        work = partial(_run, limits=limits, owner=owner)
        paths = [Path(folder) / f"{i}.py" for i in range(len(every))]
        found = dict(zip(every, crew.map(work, every, paths), strict=True))
    return [found[one] for one in programs]


def _run(said: tuple[str, str], path: Path, *, limits: Limits, owner: str) -> Outcome:
    program, tests = said
    if not is_python(program):
        return "failed"
    if not _can_fail(tests):
        return "untested"
    if sys.platform != "linux":
        raise _unguarded(owner)
    path.write_text(_joined(program, tests), encoding="utf-8", errors="replace")
    memory, asserts = str(limits.megabytes * 2**20), "asserts" if _asserts(tests) else "none"
    key = secrets.token_hex(_KEY // 2).encode()
    with subprocess.Popen(  # noqa: S603  held back by the child before it reads the program
        [sys.executable, "-I", "-S", "-B", str(_CHILD), str(path), str(limits.seconds), memory, asserts],
        env={"PYTHONHASHSEED": "0"}, cwd=path.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stdin is not None  # noqa: S101  it was begun with pipes
        assert child.stdout is not None  # noqa: S101
        child.stdin.write(key)
        child.stdin.close()
        try:
            child.wait(limits.seconds * _PATIENCE)
        except subprocess.TimeoutExpired:
            child.kill()
            return "stopped"
        word = child.stdout.read(_WORD)
    path.unlink()
    word = word.removeprefix(key) if word.startswith(key) else b""
    if word == b"unguarded":
        raise _unguarded(owner)
    found: dict[bytes, Outcome] = {b"passed": "passed", b"failed": "failed", b"idle": "untested"}
    return found.get(word, "failed" if child.returncode >= 0 else "stopped")


def _joined(program: str, tests: str) -> str:
    """Return both as one file: what must stand at its top stands there."""
    top = dict.fromkeys(line for said in (program, tests) for line in _FUTURE.findall(said))
    return "\n".join([*top, _FUTURE.sub("", program), "", _FUTURE.sub("", tests), ""])


def _can_fail(tests: str) -> bool:
    """Return whether tests are Python that asserts something."""
    return is_python(tests) and any(map(_checks, ast.walk(_tree(tests))))


def _asserts(tests: str) -> bool:
    """Return whether tests assert something as they are read, outside of functions and of what is run as a program."""
    left: list[ast.AST] = [_tree(tests)]
    while left:
        node = left.pop()
        if _checks(node):
            return True
        main = isinstance(node, ast.If) and "__name__" in ast.dump(node.test)
        if not main and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            left += ast.iter_child_nodes(node)
    return False


def _checks(node: ast.AST) -> bool:
    told = isinstance(node, ast.Attribute) and node.attr.startswith(("assert", "fail"))
    return told or isinstance(node, ast.Assert | ast.Raise)


def _tree(tests: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the text, such as invalid escapes
        return ast.parse(tests)


def _unguarded(owner: str) -> InputError:
    return InputError(owner, "programs", wanted="a machine that can keep them from network, files and other processes",
                      got="one that cannot", remedy="run it on Linux (x86-64 or ARM, with seccomp), or check programs "
                      "by `format`, which runs nothing")  # fmt: skip
