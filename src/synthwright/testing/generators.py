"""What every generator keeps to."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

from synthwright.core.contracts import Abilities, Generator, Model, Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError
from synthwright.core.private import PrivateGenerator
from synthwright.core.schema import Kind
from synthwright.core.spend import Spend
from synthwright.core.values import numbers
from synthwright.kit.learning.releases import packed, unpacked
from synthwright.testing import toys
from synthwright.testing.contract import RECIPE, Check, broken, made, on, run, same, want
from synthwright.testing.making import (
    BUDGET,
    Subjects,
    check_sample,
    fitted,
    makes,
    measured,
    ordinary,
    sampled,
    saved,
    start,
    whole,
)
from synthwright.testing.stored import stored_numbers, stored_texts

FEWEST = 10
"""Rows below which a generator that learns must refuse."""
AGREEMENT = 0.8
"""Share of rows in which a produced column must follow a given one that decides it."""

Mode = Literal["make", "fill", "replace"]


def check_generator(generator: Generator | type[Generator]) -> tuple[str, ...]:
    """Hold a generator to its contract; return the names of the checks it passed.

    Raises:
        ContractError: naming the check, what was wanted and what was got.
    """
    return run((*RECIPE, *CHECKS), made(generator))


# --------------------------------------------------------------------------------------------------------- checks
def abilities(subject: Subjects) -> None:
    """Fail unless the abilities are declared, and the model's class with them."""
    able = subject.kind.abilities
    want(isinstance(able, Abilities), "abilities", type(able).__name__)
    want(able.kinds and all(isinstance(k, Kind) for k in able.kinds), "kinds of field it can make", able.kinds)
    want(issubclass(subject.kind.model, Model), "the class of its models", subject.kind.model)


def pure_fit(subject: Subjects) -> None:
    """Fail if fitting changes recipe or data, or returns another class than `model`."""
    data, _, produce = ordinary(subject)
    before = data.fingerprint(), subject.recipe.fingerprint()
    model = fitted(subject, data, Part(produce))
    want((data.fingerprint(), subject.recipe.fingerprint()) == before, "recipe and data as they were", "changes")
    want(type(model) is subject.kind.model, f"a {subject.kind.model.__name__}", type(model).__name__)
    private = subject.recipe.abilities.private
    want(private or model.spend == Spend(), "no spend where there is no private ability", model.spend)
    want(not private or np.isfinite(model.spend.epsilon), "a finite spend of a private generator", model.spend)


def noisy(subject: Subjects) -> None:
    """Fail if the noise of a private generator follows from the seed, or a release is not all that its model knows."""
    maker = subject.recipe
    want(isinstance(maker, PrivateGenerator) == maker.abilities.private,
         "a PrivateGenerator, exactly where the abilities say private", type(maker).__name__)  # fmt: skip
    if not isinstance(maker, PrivateGenerator):
        return
    data, _, produce = ordinary(subject)
    part = Part(produce, budget=BUDGET)
    one, two = (measured(maker, data, part, subject.ctx("fit")) for _ in range(2))
    want(packed(one) != packed(two), "other noise when the same is measured again", "the same release")
    again = unpacked(packed(one), maker.name)
    with tempfile.TemporaryDirectory() as temporary:
        files = [saved(maker.learned(r, part, data.schema, subject.ctx("fit")), Path(temporary, str(i)))
                 for i, r in enumerate((one, again))]  # fmt: skip
    want(files[0] == files[1], "the same model from a release that was packed and unpacked", "another")


def completes(subject: Subjects) -> None:
    """Fail unless sampling returns every row with every produced column in its canonical type."""
    for data in (toys.plain(), toys.every_kind(), toys.two_tables()):
        for table in data.tables:
            whole(subject, data, table, rows=37)


def deterministic(subject: Subjects) -> None:
    """Fail unless the same context gives the same model and the same rows."""
    data, table, produce = ordinary(subject)
    given = start(data, table)
    one, two = (fitted(subject, data, Part(produce)) for _ in range(2))
    first, again = sampled(subject, one, given).data, sampled(subject, one, given).data
    want(same(first, again), "the same rows from the same context", "other rows")
    want(same(first, sampled(subject, two, given).data), "the same rows from a model fitted again", "other rows")


def seeded(subject: Subjects) -> None:
    """Fail if another seed gives the same rows, or another place does."""
    data, table, produce = ordinary(subject)
    given = start(data, table)
    model = fitted(subject, data, Part(produce))
    first = sampled(subject, model, given).data
    if not subject.recipe.abilities.random or all(data.schema.field(c).kind is Kind.KEY for c in produce):
        return  # keys may count upwards from the row number, whatever the seed
    want(not same(first, sampled(subject, model, given, seed=1).data), "other rows from another seed", "the same")
    elsewhere = model.sample(given, subject.ctx("elsewhere")).data
    want(not same(first, elsewhere), "other rows at another place of the same run", "the same")


def chunks_do_not_count(subject: Subjects) -> None:
    """Fail if what was given, or learned from, counts by how Arrow cut it."""
    data, table, produce = ordinary(subject)
    cut = {t: pa.concat_tables([h.slice(0, 1), h.slice(1, 50), h.slice(51)]) for t, h in data.tables.items()}
    given = start(data, table)
    begun = {t: pa.concat_tables([h.slice(0, 7), h.slice(7)]) for t, h in given.tables.items()}
    one = sampled(subject, fitted(subject, data, Part(produce)), given).data
    two = sampled(subject, fitted(subject, Dataset(data.schema, cut), Part(produce)), Dataset(given.schema, begun)).data
    want(same(one, two), "the same rows however Arrow cuts the columns", "other rows")


def travels(subject: Subjects) -> None:
    """Fail unless a model saved and loaded samples the same, and is saved as the same bytes twice."""
    for data in (toys.plain(), toys.every_kind(), toys.unicode_names()):
        table = data.schema.only
        produce = makes(subject.recipe, data, table)
        if not produce:
            continue
        model, given = fitted(subject, data, Part(produce)), start(data, table)
        with tempfile.TemporaryDirectory() as temporary:
            one, two = Path(temporary, "one"), Path(temporary, "two")
            files = saved(model, one)
            want(files, "files", "none")
            loaded = subject.kind.model.load(one)
            want(saved(model, two) == files, "the same bytes when saved twice", "others")
            want(
                saved(loaded, Path(temporary, "three")) == files,
                "the same bytes when saved, loaded and saved",
                "others",
            )
        want(same(sampled(subject, model, given).data, sampled(subject, loaded, given).data),
             "the same rows from the model that was loaded", "other rows")  # fmt: skip
        want(loaded.spend == model.spend, "the same spend from the model that was loaded", loaded.spend)


def plain_files(subject: Subjects) -> None:
    """Fail unless models are JSON, npz, npy or safetensors that hold no objects."""
    data, _, produce = ordinary(subject)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "model")
        saved(fitted(subject, data, Part(produce)), folder)
        stored_texts(folder)  # opens every file the safe way


def keeps_no_rare_value(subject: Subjects) -> None:
    """Fail if a model holds, or a sample shows, a value that fewer than three real rows share."""
    if subject.recipe.abilities.keeps_rows:
        return
    data = toys.canaries()
    produce = makes(subject.recipe, data, "rare")
    if not produce:
        return
    model = fitted(subject, data, Part(produce))
    weights = numbers(data.column("rare.weight"))
    secrets = np.append(weights, [toys.CANARY_WHOLE, toys.CANARY_DAY, float(np.float32(toys.CANARY_NUMBER))])
    words = {*toys.CANARY_LABELS, toys.CANARY_TEXT}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "model")
        saved(model, folder)
        want(not np.isin(secrets, stored_numbers(folder)).any(), "no number of one real row in the model",
             f"{int(np.isin(secrets, stored_numbers(folder)).sum())} such numbers")  # fmt: skip
        texts = stored_texts(folder)
        want(
            not any(w in t for w in words for t in texts), "no text of one or two real rows in the model", "such a text"
        )
    given = start(data, "rare", keep=())
    shown = sampled(subject, model, given).data.tables["rare"]
    for name in [c.removeprefix("rare.") for c in produce]:
        values = shown.column(name)
        if pa.types.is_large_string(values.type):
            want(
                not words & set(values.to_pylist()),
                f"no text of one or two real rows in column {name!r}",
                "such a text",
            )
        else:
            want(
                not np.isin(numbers(values), secrets).any(),
                f"no number of one real row in column {name!r}",
                "such a number",
            )


def awkward_tables(subject: Subjects) -> None:
    """Fail unless every toy with ten rows or more is learned from and made anew."""
    for name, toy in toys.TOYS.items():
        data = toy()
        for table in data.tables:
            if data.rows(table) < FEWEST:
                continue
            with on(f"the toy {name!r}, table {table!r}"):
                out = whole(subject, data, table)
                able = subject.recipe.abilities
                if out is not None and able.learns and not able.private and not subject.recipe.asks():
                    _check_plain_columns(data, out, table)


def _check_plain_columns(data: Dataset, out: Dataset, table: str) -> None:
    """Fail unless columns of one value stay so, and columns without values stay without."""
    for name in set(out.columns(table)) & set(data.columns(table)):
        real, shown = data.tables[table].column(name), out.tables[table].column(name)
        distinct = real.drop_null().unique()
        if len(distinct) == 0:
            want(shown.null_count == len(shown), f"column {name!r} without values", "values")
        elif len(distinct) == 1 and real.null_count == 0:
            want(shown.unique().equals(distinct), f"the one value of column {name!r}", "others")


def nothing_asked(subject: Subjects) -> None:
    """Fail unless no rows give no rows."""
    for data in (toys.plain(), toys.every_kind()):
        whole(subject, data, data.schema.only, rows=0)


def every_kind_alone(subject: Subjects) -> None:
    """Fail unless each kind that the abilities declare can be made by itself."""
    data = toys.every_kind()
    for column in makes(subject.recipe, data, "mixed"):
        part, given = Part((column,)), start(data, "mixed", 25)
        only = data.select("mixed", [column.removeprefix("mixed.")])
        check_sample(sampled(subject, fitted(subject, only, part), given), given, part, "mixed")


def few_rows_refused(subject: Subjects) -> None:
    """Fail unless fewer than ten rows are refused, with a FitError, by whoever learns from values.

    How many rows there are is private where there is a budget: nobody counts them for free.
    """
    if not subject.recipe.abilities.learns or subject.recipe.abilities.private:
        return
    data, table, produce = ordinary(subject)
    for rows in (0, 1, FEWEST - 1):
        few = Dataset(data.schema, {**data.tables, table: data.tables[table].slice(0, rows)})
        try:
            fitted(subject, few, Part(produce))
        except FitError:
            continue
        broken(f"a FitError for {rows} rows", "a model")


def looks_away(subject: Subjects) -> None:
    """Fail if a generator that declares not to learn gives another model for other values."""
    if subject.recipe.abilities.learns:
        return
    data, table, produce = ordinary(subject)
    turned = data.take(table, np.arange(data.rows(table)) // 3)
    with tempfile.TemporaryDirectory() as temporary:
        files = [
            saved(fitted(subject, d, Part(produce)), Path(temporary, str(i))) for i, d in enumerate((data, turned))
        ]
    want(files[0] == files[1], "the same model from other values", "another")


def follows_given(subject: Subjects) -> None:
    """Fail unless produced columns depend on given ones, where the abilities say that they can."""
    able = subject.recipe.abilities
    needs = {Kind.CATEGORY, Kind.INTEGER}
    if able.given == "none" or not able.learns or not needs <= able.kinds or subject.recipe.asks():
        return  # a language model that tests make up follows nothing
    data = toys.plain(300)
    part = Part(("thing.size",), ("thing.colour",))
    given = start(toys.plain(300, "other"), "thing", keep=("colour",))
    sample = sampled(subject, fitted(subject, data, part), given)
    check_sample(sample, given, part, "thing")
    size = numbers(sample.data.column("thing.size"))
    colour = np.array(given.column("thing.colour").to_pylist())
    expected = np.select([colour == "amber", colour == "blue"], [30, 50], 70)
    agree = float((np.abs(size - expected) < 10).mean())
    want(
        agree >= AGREEMENT, f"a produced column that follows a given one in {AGREEMENT:.0%} of the rows", f"{agree:.0%}"
    )


def fills(subject: Subjects) -> None:
    """Fail if mode `fill` touches a value that is there, or fills nothing; what has a budget makes new rows only."""
    if (
        subject.recipe.abilities.private
        or not {Kind.CATEGORY, Kind.INTEGER} <= subject.recipe.abilities.kinds
        or not subject.recipe.abilities.learns
    ):
        return
    data = toys.plain()
    produce = ("thing.colour", "thing.size")
    gaps = np.arange(data.rows("thing")) % 4 == 0
    holed = data.with_columns("thing", {c: pa.compute.if_else(pa.array(gaps), None, data.column(f"thing.{c}"))
                                        for c in ("colour", "size")})  # fmt: skip
    part = Part(produce, (), "fill")
    given = start(holed, "thing", keep=produce)
    out = sampled(subject, fitted(subject, holed, part), given).data
    for column in produce:
        kept = out.column(column).filter(pa.array(~gaps))
        want(
            kept.equals(data.column(column).filter(pa.array(~gaps))),
            f"present values of {column!r} as they were",
            "others",
        )
        want(out.column(column).null_count < gaps.sum(), f"values where {column!r} was null", "nulls only")


def replaces(subject: Subjects) -> None:
    """Fail if mode `replace` leaves every value as it was, or another number of rows; private ones make new rows."""
    if subject.recipe.abilities.private:
        return
    data, table, produce = ordinary(subject)
    part = Part(produce, (), "replace")
    given = start(data, table, keep=produce)
    sample = sampled(subject, fitted(subject, data, part), given)
    check_sample(sample, given, part, table)
    want(not same(sample.data, given), "other values in the replaced columns", "the same")


CHECKS: tuple[Check[Generator], ...] = (
    abilities, pure_fit, noisy, completes, deterministic, seeded, chunks_do_not_count, travels, plain_files,
    keeps_no_rare_value, awkward_tables, nothing_asked, every_kind_alone, few_rows_refused, looks_away, follows_given,
    fills, replaces,
)  # fmt: skip
"""What holds for every generator, in this order."""
