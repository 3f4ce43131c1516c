"""The contract of generators bites: a generator with one thing wrong fails the check of that name."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from orchard.histogram import Histogram, HistogramModel
from pydantic import ConfigDict

from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SynthwrightError
from synthwright.core.schema import Kind
from synthwright.core.values import labels, numbers
from synthwright.testing import ContractError, check_generator


class Wrong(Histogram):
    """A histogram with a model of another class."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> HistogramModel:
        right = super().fit(data, part, ctx)
        made: type[Any] = type(self).model
        return made(right.columns, right.mode)


def with_model(kind: type[HistogramModel]) -> type[Generator]:
    """Return a generator whose models are of a class."""

    class Built(Wrong):
        """A histogram with a wrong model."""

        model: ClassVar[type[Model]] = kind

    return Built


class FewerRows(HistogramModel):
    """Leaves the last row out."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        right = super().sample(given, ctx).data
        return Sample(Dataset(right.schema, {t: h.slice(0, max(h.num_rows - 1, 0)) for t, h in right.tables.items()}))


class WrongType(HistogramModel):
    """Makes integers where numbers are wanted."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        data = super().sample(given, ctx).data
        tables = {}
        for name, held in data.tables.items():
            small = {c: held.column(c).cast(pa.float32()) if held.column(c).type == pa.float64() else held.column(c)
                     for c in held.column_names}  # fmt: skip
            tables[name] = pa.table(small)
        return Sample(Dataset(data.schema, tables))


class Unseeded(HistogramModel):
    """Draws from the operating system."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        return super().sample(given, Context(seed=int.from_bytes(os.urandom(4))))


class AlwaysTheSame(HistogramModel):
    """Draws from one seed whatever it is told."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        return super().sample(given, Context(seed=1))


class CountsChunks(HistogramModel):
    """Draws otherwise where the given columns are in several chunks."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        chunks = [c.num_chunks for t in given.tables.values() for c in t.columns]
        return super().sample(given, ctx.at(max(chunks, default=0)))


class Forgets(HistogramModel):
    """Loses the last column on the way to the file and back."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        right = super().load(folder)
        return cls(dict(list(right.columns.items())[:-1]), right.mode)


class Stamped(HistogramModel):
    """Saves other bytes each time."""

    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "stamp.json").write_text(str(int.from_bytes(os.urandom(4))))


class Pickled(HistogramModel):
    """Saves objects."""

    def save(self, folder: Path) -> None:
        super().save(folder)
        np.save(folder / "extra.npy", np.array([{}], dtype=object), allow_pickle=True)


class OtherEnding(HistogramModel):
    """Saves a file of a sort that nobody knows."""

    def save(self, folder: Path) -> None:
        super().save(folder)
        (folder / "model.bin").write_bytes(b"")


class NeedsRows(HistogramModel):
    """Cannot make nothing."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        if not given.rows():
            raise ValueError("no rows")
        return super().sample(given, ctx)


class Overwrites(HistogramModel):
    """Fills what is there too."""

    def __init__(self, columns: dict[str, dict[str, Any]], mode: str) -> None:
        super().__init__(columns, "make" if mode == "fill" else mode)


class Returns(HistogramModel):
    """Leaves every value as it is where it should replace it."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        return Sample(given) if self.mode == "replace" else super().sample(given, ctx)


class WritesGiven(HistogramModel):
    """Changes the numbers of the rows."""

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        data = super().sample(given, ctx).data
        table = next(iter(data.tables))
        turned = pa.array(data.row_numbers(table)[::-1])
        return Sample(data.with_columns(table, {"#row": turned}))


class StoresLabels(Wrong):
    """Keeps every label, however rare."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> HistogramModel:
        right = super().fit(data, part, ctx)
        for column in part.produce:
            if data.schema.field(column).kind is Kind.CATEGORY:
                codes, distinct = labels(data.column(column))
                right.columns[column]["labels"] = distinct.to_pylist()
                right.columns[column]["counts"] = np.bincount(codes[codes >= 0], minlength=len(distinct)).tolist()
        return right


class StoresEnds(Wrong):
    """Keeps the least and the greatest value as they are."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> HistogramModel:
        right = super().fit(data, part, ctx)
        for column, learned in right.columns.items():
            if data.schema.field(column).kind is Kind.NUMBER and len(learned["edges"]):
                learned["edges"][0] = float(np.nanmin(numbers(data.column(column))))
        return right


class NoNulls(Wrong):
    """Cannot learn from columns without values."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> HistogramModel:
        if any(data.column(c).null_count == len(data.column(c)) for c in part.produce):
            raise ZeroDivisionError
        return super().fit(data, part, ctx)


class TakesFew(Wrong):
    """Learns from nine rows."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> HistogramModel:
        twice = {t: pa.concat_tables([h] * 20) if 0 < h.num_rows < 10 else h for t, h in data.tables.items()}
        return super().fit(Dataset(data.schema, twice), part, ctx)


class Independent(Wrong):
    """Says that it can be given columns, and looks at none."""

    abilities = replace(Histogram.abilities, given="any")


class SaysItLooksAway(Wrong):
    """Says that it learns nothing."""

    abilities = replace(Histogram.abilities, learns=False)


class SaysItMakesDates(Wrong):
    """Says that it makes dates, which it does not."""

    abilities = replace(Histogram.abilities, kinds=Histogram.abilities.kinds | {Kind.TEXT}, learns=False)


class MakesNothing(Wrong):
    """Says that it makes no kind of field."""

    abilities = replace(Histogram.abilities, kinds=frozenset())


class OtherModel(Histogram):
    """Says that its models are of another class."""

    model: ClassVar[type[Model]] = FewerRows


class ChangesData(Wrong):
    """Writes into what it learns from."""

    def fit(self, data: Dataset, part: Part, ctx: Context) -> HistogramModel:
        right = super().fit(data, part, ctx)
        tables: Any = data.tables
        for name, held in data.tables.items():
            tables[name] = held.take(pc.sort_indices(held, [(held.column_names[0], "descending")]))
        return right


class Nameless(Wrong):
    """Has no proper name."""

    name: ClassVar[str] = "Not Kebab"


class Undocumented(Wrong):
    """Has a parameter that nobody explains."""

    mystery: int = 3


class Required(Wrong):
    """Has a parameter without a default."""

    needed: int
    """Something that is needed."""


class Unread(Wrong):
    """Has a parameter that nobody reads."""

    dropped_silently: float = 0.5
    """What this does is not known."""


class Thawed(Wrong):
    """Can be changed."""

    model_config = ConfigDict(frozen=False)


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        (with_model(FewerRows), "completes"),
        (with_model(WrongType), "completes"),
        (with_model(WritesGiven), "completes"),
        (with_model(Unseeded), "deterministic"),
        (with_model(AlwaysTheSame), "seeded"),
        (with_model(CountsChunks), "chunks-do-not-count"),
        (with_model(Forgets), "travels"),
        (with_model(Stamped), "travels"),
        (with_model(Pickled), "plain-files"),
        (with_model(OtherEnding), "plain-files"),
        (with_model(NeedsRows), "nothing-asked"),
        (with_model(Overwrites), "fills"),
        (with_model(Returns), "replaces"),
        (StoresLabels, "keeps-no-rare-value"),
        (StoresEnds, "keeps-no-rare-value"),
        (NoNulls, "awkward-tables"),
        (TakesFew, "few-rows-refused"),
        (Independent, "follows-given"),
        (SaysItLooksAway, "looks-away"),
        (SaysItMakesDates, "completes"),
        (MakesNothing, "abilities"),
        (OtherModel, "pure-fit"),
        (ChangesData, "pure-fit"),
        (Nameless, "named"),
        (Undocumented, "documented"),
        (Required, "defaults"),
        (Unread, "parameters-count"),
        (Thawed, "frozen"),
    ],
    ids=lambda v: v if isinstance(v, str) else v.__doc__,
)
def test_wrong_generator(kind: type[Generator], check: str) -> None:
    """A generator with one thing wrong fails the check that is about it, and the error names the check."""
    with pytest.raises(ContractError) as caught:
        check_generator(kind)
    assert caught.value.thing == check
    assert caught.value.wanted
    assert caught.value.got
    assert isinstance(caught.value, SynthwrightError)


def test_right_generator() -> None:
    """A generator that keeps the contract passes every check, made with its defaults or with other parameters."""
    assert check_generator(Histogram) == check_generator(Histogram(bins=3))
