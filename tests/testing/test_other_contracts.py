"""The contracts of curators, metrics, sources and sinks bite: one thing wrong fails the check of that name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from orchard.null_gap import NullGap
from orchard.sparse import Sparse, SparseJudge

from synthwright.core.context import Context
from synthwright.core.contracts import NONE, Case, Curator, Judge, Metric, Score, Sink, Source, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.testing import ContractError, check_curator, check_metric, check_sink, check_source, toys


# ------------------------------------------------------------------------------------------------------- curators
class Saying(SparseJudge):
    """Says what `rule` makes of each table."""

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        return [self.rule(t, data, ctx) for t in data.tables]

    def rule(self, table: str, data: Dataset, ctx: Context) -> Verdict:
        """Return the ruling on one table."""
        return Verdict.of(table, np.zeros(data.rows(table), dtype=bool), "too-sparse")


def with_judge(kind: type[SparseJudge]) -> type[Curator]:
    """Return a curator whose judges are of a class."""

    class Built(Sparse):
        """A curator with a wrong judge."""

        def fit(
            self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
        ) -> SparseJudge:
            return kind(self.most)

    return Built


class TooShort(Saying):
    """Rules on all rows but one."""

    def rule(self, table: str, data: Dataset, ctx: Context) -> Verdict:
        return Verdict.of(table, np.zeros(max(data.rows(table) - 1, 0), dtype=bool), "too-sparse")


class NoReason(Saying):
    """Drops rows and does not say why."""

    def rule(self, table: str, data: Dataset, ctx: Context) -> Verdict:
        rows = data.rows(table)
        return Verdict(table, np.arange(rows) > 0, pa.nulls(rows, pa.string()))


class OtherReason(Saying):
    """Gives a reason that it did not declare."""

    def rule(self, table: str, data: Dataset, ctx: Context) -> Verdict:
        return Verdict.of(table, np.arange(data.rows(table)) == 0, "bad-luck")


class Dice(Saying):
    """Rules by chance, by how many rows it sees."""

    def rule(self, table: str, data: Dataset, ctx: Context) -> Verdict:
        return Verdict.of(table, ctx.rng.random(data.rows(table)) < 0.3, "too-sparse")


class Moody(Saying):
    """Rules by chance."""

    def rule(self, table: str, data: Dataset, ctx: Context) -> Verdict:
        return Verdict.of(table, np.random.default_rng().random(data.rows(table)) < 0.5, "too-sparse")


class Harsh(Saying):
    """Drops every row."""

    def rule(self, table: str, data: Dataset, ctx: Context) -> Verdict:
        return Verdict.of(table, np.ones(data.rows(table), dtype=bool), "too-sparse")


class Twice(Saying):
    """Says everything twice."""

    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        return super().judge(data, ctx) * 2


class WantsEvidence(Sparse):
    """Reads real rows, and does not say so."""

    def fit(
        self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE
    ) -> SparseJudge:
        if evidence is None:
            raise ValueError("no real rows")
        return super().fit(data, evidence, ctx, settled)


class OneWave(Sparse):
    """Has never heard of rows that stay from earlier waves."""

    def fit(  # type: ignore[override]  # that is what is wrong
        self, data: Dataset, evidence: Dataset | None, ctx: Context
    ) -> SparseJudge:
        return SparseJudge(self.most)


class Unexplained(Sparse):
    """Has reasons without a sentence."""

    reasons: ClassVar[dict[str, str]] = {"too-sparse": ""}


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (with_judge(TooShort), "pure"),
        (with_judge(NoReason), "pure"),
        (with_judge(OtherReason), "pure"),
        (with_judge(Twice), "pure"),
        (with_judge(Moody), "deterministic"),
        (with_judge(Dice), "shards-do-not-count"),
        (with_judge(Harsh), "keeps-good-rows"),
        (WantsEvidence, "pure"),
        (OneWave, "later-waves"),
        (Unexplained, "reasons"),
    ],
)
def test_wrong_curator(kind: type[Curator], check: str) -> None:
    """A curator with one thing wrong fails the check that is about it."""
    with pytest.raises(ContractError) as caught:
        check_curator(kind)
    assert caught.value.thing == check


def test_right_curator() -> None:
    """A curator that keeps the contract passes every check."""
    assert isinstance(Sparse().fit(toys.plain(), None, Context()), Judge)
    assert "reasons" in check_curator(Sparse(most=0.5))


# -------------------------------------------------------------------------------------------------------- metrics
class Constant(NullGap):
    """Gives the same score whatever it is shown."""

    score: ClassVar[Score] = Score("null-gap", value=0.5)

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return [self.score] if case.train is not None else super().measure(case, ctx)


class OtherName(Constant):
    """Gives scores under another name."""

    score: ClassVar[Score] = Score("gap", value=0.5)


class Missing(Constant):
    """Gives a score that is no number."""

    score: ClassVar[Score] = Score("null-gap", value=float("nan"))


class Beyond(Constant):
    """Gives a score beyond its bounds."""

    score: ClassVar[Score] = Score("null-gap", value=1.5)


class Silent(Constant):
    """Has no value, and does not say why."""

    score: ClassVar[Score] = Score("null-gap", status="failed")


class PartsOnly(Constant):
    """Says nothing about the whole."""

    score: ClassVar[Score] = Score("null-gap", "thing.size", 0.5)


class NotAround(Constant):
    """Gives an interval that its value is not in."""

    score: ClassVar[Score] = Score("null-gap", value=0.5, low=0.6, high=0.7)


class Shrugs(Constant):
    """Never has a value."""

    score: ClassVar[Score] = Score("null-gap", status="not-applicable", problem="not today")


class OutOfNothing(NullGap):
    """Has a value where there are no real rows."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        return [Score(self.name, value=0.0)]


class Raises(NullGap):
    """Raises where there are no rows."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        if not case.synthetic.rows():
            raise ValueError("no rows")
        return super().measure(case, ctx)


class Chatty(NullGap):
    """Shows a value of a real row."""

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        scores = super().measure(case, ctx)
        if case.train is None or "rare" not in case.train.tables:
            return scores
        words = case.train.column("rare.note").to_pylist()
        return [s._replace(problem=f"for example {words}") for s in scores]


class Backwards(NullGap):
    """Rewards rows whose columns do not know each other."""

    goal: ClassVar[Literal["lower", "higher"]] = "higher"  # type: ignore[assignment]  # that is what is wrong

    def measure(self, case: Case, ctx: Context) -> list[Score]:
        scores = super().measure(case, ctx)
        if not case.synthetic.has("thing.size") or case.synthetic.rows() < 12:
            return scores
        size, price = (case.synthetic.column(f"thing.{c}").to_numpy() for c in ("size", "price"))
        return [
            s._replace(value=float(1 - abs(np.corrcoef(size, price)[0, 1]))) if s.value is not None else s
            for s in scores
        ]


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (OtherName, "pure"),
        (Missing, "pure"),
        (Beyond, "pure"),
        (Silent, "pure"),
        (PartsOnly, "pure"),
        (NotAround, "pure"),
        (Shrugs, "works-at-all"),
        (Backwards, "right-way-round"),
        (OutOfNothing, "without-real-rows"),
        (Raises, "few-rows"),
        (Chatty, "says-no-value"),
    ],
)
def test_wrong_metric(kind: type[Metric], check: str) -> None:
    """A metric with one thing wrong fails the check that is about it."""
    with pytest.raises(ContractError) as caught:
        check_metric(kind)
    assert caught.value.thing == check


# ---------------------------------------------------------------------------------------------- sources and sinks
class Feed(Source):
    """Read Parquet, for tests."""

    name: ClassVar[str] = "feed"
    suffixes: ClassVar[tuple[str, ...]] = (".feed",)

    def files(self, ctx: Context) -> list[Path]:
        return [ctx.open_path(self.path)]

    def tables(self, ctx: Context) -> dict[str, pa.Table]:
        path = self.files(ctx)[0]
        try:
            return {"data": pq.read_table(path)}
        except (OSError, pa.ArrowException):
            raise InputError(self.path, "the file", wanted="Parquet", got="something else") from None


class Follows(Feed):
    """Opens whatever it is told."""

    def files(self, ctx: Context) -> list[Path]:
        return [ctx.root / self.path]


class Untyped(Feed):
    """Lets other people's exceptions out."""

    def tables(self, ctx: Context) -> dict[str, pa.Table]:
        return {"data": pq.read_table(self.files(ctx)[0])}


class Loses(Feed):
    """Loses a row."""

    def tables(self, ctx: Context) -> dict[str, pa.Table]:
        return {t: h.slice(1) for t, h in super().tables(ctx).items()}


class Silo(Sink):
    """Write Parquet, for tests."""

    name: ClassVar[str] = "silo"
    suffixes: ClassVar[tuple[str, ...]] = (".feed",)

    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        written = []
        for name, table in data.to_arrow_tables().items():
            (folder / name).mkdir()
            written.append(folder / name / "part-00000.feed")
            self.write_file(table, written[-1], metadata)
        return written

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        pq.write_table(table.replace_schema_metadata(metadata), path)


class Unlisted(Silo):
    """Writes more than it says."""

    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        return super().write(data, folder, metadata)[1:]


class Halves(Silo):
    """Writes half of the rows."""

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        super().write_file(table.slice(0, table.num_rows // 2), path, metadata)


def put(table: pa.Table, folder: Path) -> str:
    """Write a table where `Feed` finds it."""
    pq.write_table(table, folder / "data.feed")
    return "data.feed"


@pytest.mark.parametrize(("kind", "check"), [(Follows, "stays-inside"), (Untyped, "refuses-rubbish"), (Loses, "reads")])
def test_wrong_source(kind: type[Source], check: str) -> None:
    """A source with one thing wrong fails the check that is about it."""
    with pytest.raises(ContractError) as caught:
        check_source(kind, put)
    assert caught.value.thing == check


@pytest.mark.parametrize(("kind", "check"), [(Unlisted, "writes"), (Halves, "comes-back")])
def test_wrong_sink(kind: type[Sink], check: str) -> None:
    """A sink with one thing wrong fails the check that is about it."""
    with pytest.raises(ContractError) as caught:
        check_sink(kind, pq.read_table)
    assert caught.value.thing == check


def test_right_source_and_sink() -> None:
    """A source and a sink that keep their contracts pass every check."""
    assert "reads" in check_source(Feed, put)
    assert "writes" in check_sink(Silo, pq.read_table)
