"""The curator `program-tests`: programs are run, and can do nothing but pass or fail."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.program_tests import ProgramTests
from synthwright.kit.texts import programs
from synthwright.testing import check_curator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="programs are only run on Linux")
SCHEMA = Schema(tables={"t": Table(fields={w: Field(kind=Kind.TEXT) for w in ("solution", "tests")})})
CURATOR = ProgramTests(program="t.solution", tests="t.tests", seconds=1, megabytes=128)
TWICE = "def twice(x):\n    return 2 * x"


def reasons(rows: Sequence[tuple[str | None, str | None]]) -> list[str | None]:
    """Return why programs with their tests go."""
    program, tests = zip(*rows, strict=True)
    columns = {"solution": program, "tests": tests}
    held = {c: pa.array(v, pa.large_string()) for c, v in columns.items()} | {ROW: pa.array(range(len(rows)))}
    data = Dataset(SCHEMA, {"t": pa.table(held)})
    found = CURATOR.fit(data, None, Context()).judge(data, Context())[0].reason.to_pylist()
    assert len(found) == len(rows)
    return found


def test_it_keeps_the_contract() -> None:
    """The contract suite passes."""
    assert check_curator(ProgramTests())


def test_programs_that_pass_stay() -> None:
    """Asserts, test functions and test cases are run; what asserts nothing is no test."""
    case = (
        "import unittest\nclass A(unittest.TestCase):\n    def test_it(self):\n        self.assertEqual(twice(2), {})"
    )
    found = reasons([
        (TWICE, "assert twice(2) == 4"),
        (TWICE, "assert twice(2) == 5"),
        (TWICE, "def test_it():\n    assert twice(2) == 4"),
        (TWICE, "def test_it():\n    assert twice(2) == 5"),
        (TWICE, case.format(4)),
        (TWICE, case.format(5)),
        (TWICE, "twice(2)"),
        (TWICE, None),
        (None, "assert True"),
        ("def twice(x)\n    return 2", "assert twice(2) == 4"),
        (f"from __future__ import annotations\nimport math, json, re, collections\n{TWICE}", "assert twice(2) == 4"),
    ])  # fmt: skip
    bad, none = "tests-failed", "no-tests"
    assert found == [None, bad, None, bad, None, bad, none, none, None, bad, None]


def test_what_did_not_run_is_no_test() -> None:
    """Asserts that nothing reaches say nothing; methods of plain test classes are reached."""
    late = "def f():\n    {}\n    assert twice(2) == 5"
    found = reasons([(TWICE, said) for said in (
        "def check(candidate):\n    assert candidate(2) == 5",
        "async def test_it():\n    assert twice(2) == 5",
        late.format("yield").replace("def f", "def test_it"),
        "if __name__ == '__main__':\n    assert twice(2) == 5",
        "import unittest\n@unittest.skip('')\nclass A(unittest.TestCase):\n    def test_it(self):\n        assert 0",
        "class TestIt:\n    def test_it(self):\n        assert twice(2) == 5",
        "class TestIt:\n    def test_it(self):\n        assert twice(2) == 4",
        "from __future__ import annotations\nassert twice(2) == 4",
    )])  # fmt: skip
    assert found == ["no-tests"] * 5 + ["tests-failed", None, None]


def test_programs_do_not_speak_for_the_guard() -> None:
    """What a program writes itself is no word: it neither passes so, nor stops the run for others."""
    forged = """\
import os
for place in range(3, 20):
    try:
        os.write(place, b'{}')
    except OSError:
        pass
os._exit(0)
"""
    found = reasons([(forged.format(word), "assert False") for word in ("passed", "unguarded")])
    assert found == ["tests-failed"] * 2


def test_programs_that_end_themselves_did_not_pass() -> None:
    """Neither an early end nor a great need of time or memory is a test that was passed."""
    found = reasons([(said, "assert True") for said in (
        "import os\nos._exit(0)",
        "import sys\nsys.exit(0)",
        "raise KeyboardInterrupt",
        "while True: pass",
        "x = 'a' * 10**9",
        "x = [0]\nwhile True: x += x",
        "import time\ntime.sleep(60)",
    )])  # fmt: skip
    bad, slow = "tests-failed", "tests-too-slow"
    assert found == [bad, bad, bad, slow, bad, bad, slow]


def test_programs_reach_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, process, thread, signal or file that is written; no environment; what they say is not heard."""
    monkeypatch.setenv("CANARY_KEY", "canary")
    mine = tmp_path / "mine.txt"
    mine.write_text("as it was")
    tries = [
        "import socket\nsocket.socket()",
        "import socket\nsocket.create_connection(('127.0.0.1', 80))",
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1')",
        "import subprocess\nsubprocess.run(['true'])",
        "import os\nos.fork()",
        "import os\nos.execv('/bin/true', ['true'])",
        "import os\nos.system('true') == 0 or 1 / 0",
        "import os\nos.kill(os.getppid(), 0)",
        "import threading\nthreading.Thread(target=print).start()",
        f"open({str(mine)!r}, 'w')",
        f"open({str(mine)!r}, 'a')",
        f"open({str(mine)!r}, 'r+')",
        f"open({str(tmp_path / 'new')!r}, 'x')",
        f"import os\nos.truncate({str(mine)!r}, 0)",
        f"import os\nos.remove({str(mine)!r})",
        f"import os\nos.rename({str(mine)!r}, {str(tmp_path / 'other')!r})",
        f"import os\nos.mkdir({str(tmp_path / 'folder')!r})",
        f"import os\nos.chmod({str(mine)!r}, 0)",
        f"import os\nos.symlink('/', {str(tmp_path / 'link')!r})",
        "import ctypes\nassert ctypes.CDLL(None).socket(2, 1, 0) >= 0",
        "import ctypes\nassert ctypes.CDLL(None).prctl(22, 2, 0, 0, 0) == 0",
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
        "import os\nos.environ['CANARY_KEY']",
        "import synthwright",
        "input()",
    ]
    found = reasons([(said, "assert True") for said in tries])
    assert [t for t, r in zip(tries, found, strict=True) if r != "tests-failed"] == []
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
    assert mine.read_text() == "as it was"
    assert reasons([("print('x' * 10**6)", "assert True")]) == [None]


def test_nothing_runs_where_it_cannot_be_held_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the filter does not hold, or the system is another, the run stops and says so."""
    child = tmp_path / "child.py"
    said = Path(programs.__file__).with_name("program_child.py").read_text()
    child.write_text(said.replace("platform.machine()", "'other'"))
    monkeypatch.setattr(programs, "_CHILD", child)
    with pytest.raises(InputError, match="Linux"):
        reasons([(TWICE, "assert twice(2) == 4")])
    child.write_text(said.replace("libc.prctl(_SECCOMP", "(lambda *_: 0)(_SECCOMP"))
    with pytest.raises(InputError, match="Linux"):
        reasons([(TWICE, "assert twice(2) == 4")])
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(InputError, match="Linux"):
        reasons([(TWICE, "assert twice(2) == 4")])


def test_what_parameters_cannot_mean() -> None:
    """Both columns must be said, exist, and be of one table."""
    assert len(ProgramTests().faults(SCHEMA)) == 2
    assert "there is no column" in ProgramTests(program="t.solutio", tests="t.tests").faults(SCHEMA)[0]
    assert CURATOR.faults(SCHEMA) == []
