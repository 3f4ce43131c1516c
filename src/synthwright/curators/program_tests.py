"""The curator that drops rows whose program does not pass its tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Curator, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.kit.texts.text_rulings import Ruling, column_faults, place, together

FAILED, SLOW, NO_TESTS = "tests-failed", "tests-too-slow", "no-tests"
_CODES = {"passed": 0, "failed": 1, "stopped": 2, "untested": 3}


class ProgramTests(Curator):
    """Drops rows whose program, in Python, does not pass its tests.

    Program and tests are two columns of one table, run one after the other: asserts, functions `test…` that take
    nothing, and test cases of `unittest`. Each runs in a process of its own on Linux, with little time and memory, the
    standard library and no environment; system calls that reach network, other processes, or files to write are
    refused. Where the machine cannot do that, nothing is run, and the run stops. That a program passes says as much as
    its tests do: one that was written to deceive them can. Scores are 1 for rows that go, else 0.
    """

    name: ClassVar[str] = "program-tests"
    reasons: ClassVar[dict[str, str]] = {
        FAILED: "The row's program is no Python, ends with an error, or does not pass its tests.",
        SLOW: "The row's program took longer than it may to pass its tests, or ended itself.",
        NO_TESTS: "The row's program has no test that could fail.",
    }

    program: str = Setting(default="", examples=["task.solution"])
    """The column of the program, as `table.column`. Rows without one stay."""
    tests: str = Setting(default="", examples=["task.tests"])
    """The column of its tests, of the same table."""
    seconds: int = Setting(default=5, ge=1, le=600)
    """Seconds of the processor that each may use; four times as many by the clock."""
    megabytes: int = Setting(default=512, ge=64, le=65_536)
    """Memory that each may use."""

    def faults(self, schema: Schema) -> list[str]:
        columns = {"program": self.program, "tests": self.tests}
        found = [f"{word}: say which column it is" for word, c in columns.items() if not c]
        found += [f for word, c in columns.items() if c for f in column_faults(word, c, schema)]
        if not found and place(self.program, schema)[0] != place(self.tests, schema)[0]:
            found.append(f"tests: {self.tests!r} is in another table than {self.program!r}")
        return found

    def fit(self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE) -> Judge:
        return ProgramJudge(self)


@dataclass(frozen=True)
class ProgramJudge(Judge):
    """Runs the programs of rows."""

    curator: ProgramTests

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return one ruling for the table that has programs."""
        from synthwright.kit.texts.programs import Limits, run_each

        asked = self.curator
        if not (asked.program and asked.tests):
            return []
        (table, program), (_, tests) = (place(c, data.schema) for c in (asked.program, asked.tests))
        held = [data.tables[table].column(c).cast(pa.large_string()) for c in (program, tests)]
        at = np.flatnonzero(held[0].is_valid().to_numpy())
        said = [(p, t or "") for p, t in zip(*(c.take(pa.array(at)).to_pylist() for c in held), strict=True)]
        code = np.zeros(data.rows(table), dtype=np.int8)
        limits = Limits(asked.seconds, asked.megabytes)
        code[at] = [_CODES[one] for one in run_each(said, limits, "curator 'program-tests'")]
        return [together(table, [Ruling(code, (code > 0).astype(np.float64))], tuple(type(asked).reasons))]
