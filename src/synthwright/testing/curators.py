"""What every curator keeps to."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from synthwright.core.contracts import Curator, Judge, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW
from synthwright.testing import toys
from synthwright.testing.contract import RECIPE, Check, Subject, broken, check_verdict, made, on, run, want

Subjects = Subject[Curator]


def check_curator(curator: Curator | type[Curator]) -> tuple[str, ...]:
    """Hold a curator to its contract; return the names of the checks it passed.

    Raises:
        ContractError: naming the check, what was wanted and what was got.
    """
    return run((*RECIPE, *CHECKS), made(curator))


# ------------------------------------------------------------------------------------------------ what checks share
def numbered(data: Dataset) -> Dataset:
    """Return data with row numbers, as a run hands it to curators."""
    held = {t: h.append_column(ROW, pa.array(np.arange(h.num_rows, dtype=np.int64))) for t, h in data.tables.items()}
    return Dataset(data.schema, held)


def repeating(rows: int = 90) -> tuple[Dataset, Dataset]:
    """Return synthetic rows, of which some repeat each other and some are real rows; and the real rows."""
    real, fresh = toys.plain(rows), toys.plain(rows, "fresh")
    tables = [real.tables["thing"].slice(0, 20), fresh.tables["thing"], fresh.tables["thing"].slice(0, 15)]
    return numbered(Dataset(real.schema, {"thing": pa.concat_tables(tables)})), real


def learned(subject: Subjects, data: Dataset, real: Dataset | None) -> Judge:
    """Return the judge that a curator learns; it sees real rows only where it says so."""
    return subject.recipe.fit(data, real if subject.kind.reads_real else None, subject.ctx("fit"))


def rulings(subject: Subjects, judge: Judge, data: Dataset) -> dict[str, Verdict]:
    """Return what a judge says of data, by table."""
    found: dict[str, Verdict] = {}
    for verdict in judge.judge(data, subject.ctx("judge")):
        check_verdict(verdict, data)
        want(verdict.table not in found, "one verdict for a table", f"two for {verdict.table!r}")
        unknown = set(verdict.reason.drop_null().to_pylist()) - set(subject.kind.reasons)
        want(not unknown, f"reasons among {sorted(subject.kind.reasons)}", sorted(unknown))
        found[verdict.table] = verdict
    return found


def said(verdicts: dict[str, Verdict], data: Dataset) -> dict[str, list[str | None]]:
    """Return the reason for each row that goes, by table; None for rows that stay."""
    none: dict[str, list[str | None]] = {t: [None] * data.rows(t) for t in data.tables}
    return none | {t: v.reason.to_pylist() for t, v in verdicts.items()}


# --------------------------------------------------------------------------------------------------------- checks
def reasons(subject: Subjects) -> None:
    """Fail unless every reason code is declared in kebab-case, with a sentence."""
    declared = subject.kind.reasons
    want(isinstance(declared, dict) and declared, "reason codes", declared)
    for code, meaning in declared.items():
        want(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code), "reason codes in kebab-case", repr(code))
        want(len(meaning) > len(code), f"a sentence that explains {code!r}", repr(meaning))
    want(isinstance(subject.kind.reads_real, bool), "true or false in reads_real", subject.kind.reads_real)


def pure(subject: Subjects) -> None:
    """Fail if learning or judging changes recipe or data."""
    data, real = repeating()
    before = data.fingerprint(), real.fingerprint(), subject.recipe.fingerprint()
    rulings(subject, learned(subject, data, real), data)
    want(
        (data.fingerprint(), real.fingerprint(), subject.recipe.fingerprint()) == before,
        "inputs as they were",
        "changes",
    )


def deterministic(subject: Subjects) -> None:
    """Fail unless the same context gives the same rulings."""
    data, real = repeating()
    one, two = (said(rulings(subject, learned(subject, data, real), data), data) for _ in range(2))
    want(one == two, "the same rulings from the same context", "others")


def shards_do_not_count(subject: Subjects) -> None:
    """Fail if a ruling depends on which rows are judged together."""
    data, real = repeating()
    judge = learned(subject, data, real)
    together = said(rulings(subject, judge, data), data)
    for size in (1, 17):
        apart: dict[str, list[str | None]] = {t: [] for t in data.tables}
        for shard in data.shards(size):
            for table, codes in said(rulings(subject, judge, shard), shard).items():
                apart[table] += codes
        want(apart == together, f"the same rulings in shards of {size}", "others")


def awkward_tables(subject: Subjects) -> None:
    """Fail unless every toy is judged, with real rows and without, and without rows at all."""
    for name, toy in toys.TOYS.items():
        data = numbered(toy())
        with on(f"the toy {name!r}"):
            for real in (toy(), None) if not subject.kind.reads_real else (toy(),):
                rulings(subject, learned(subject, data, real), data)
            none = _first(data, lambda _: 0)
            want(
                not rulings(subject, learned(subject, none, toy()), none).keys() - set(data.tables),
                "its tables",
                "others",
            )
            judge = learned(subject, data, toy())
            rulings(subject, judge, none)


def _first(data: Dataset, rows: Callable[[str], int]) -> Dataset:
    return Dataset(data.schema, {t: h.slice(0, rows(t)) for t, h in data.tables.items()})


def later_waves(subject: Subjects) -> None:
    """Fail unless a curator learns where rows of earlier waves stay, and rules on the later ones."""
    data, real = repeating()
    half = data.rows("thing") // 2
    evidence = real if subject.kind.reads_real else None
    judge = subject.recipe.fit(data, evidence, subject.ctx("fit"), {"thing": half})
    rulings(subject, judge, data.filter("thing", np.arange(data.rows("thing")) >= half))


def keeps_good_rows(subject: Subjects) -> None:
    """Fail if most rows of an ordinary second sample go."""
    data = numbered(toys.plain(200, "fresh"))
    verdicts = rulings(subject, learned(subject, data, toys.plain(200)), data)
    gone = sum(int((~v.keep).sum()) for v in verdicts.values())
    if gone > data.rows() // 2:
        broken("most rows of an ordinary second sample to stay", f"{gone} of {data.rows()} that go")


CHECKS: tuple[Check[Curator], ...] = (
    reasons, pure, deterministic, shards_do_not_count, awkward_tables, later_waves, keeps_good_rows,
)  # fmt: skip
"""What holds for every curator, in this order."""
