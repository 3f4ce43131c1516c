"""Columns made anew follow the columns beside them: where they are missing, how they are spelled, parts of texts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import StoreError
from synthwright.generators.anew import Anew, AnewModel
from synthwright.testing.stored import contents

ROWS = 600


def _rows(seed: int = 1) -> pd.DataFrame:
    """Return people of whom at most one address is missing, with telephone numbers and codes of their country."""
    rng = np.random.default_rng(seed)
    country = rng.choice(["DE", "FR"], ROWS, p=[0.6, 0.4])
    made = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 700, ROWS), "D")
    high = rng.normal(125, 12, ROWS).round().astype(int)
    phones = [f"+49 160 {n}" if c == "DE" else f"+33 6 {n % 90 + 10} {n % 89 + 10} {n % 88 + 10}"
              for c, n in zip(country, rng.integers(10**6, 10**7, ROWS), strict=True)]  # fmt: skip
    out = pd.DataFrame({
        "country": country, "made": made, "high": high,
        "email": [f"u{i}@ex.org" for i in range(ROWS)], "fax": rng.normal(10, 3, ROWS).round(1), "phone": phones,
        "order": [f"{c}-{d:%y%m}-{n:07d}" for c, d, n in zip(country, made, rng.permutation(10**7)[:ROWS],
                                                             strict=True)],
        "pressure": [f"{h}/{round(h * 0.6 + n)}" for h, n in zip(high, rng.normal(0, 6, ROWS), strict=True)],
        "tag": [f"UK{n} {n % 9973 + 10**4}" if c == "DE" else f"UK{n}/{n % 9973 + 10**4}"
                for c, n in zip(country, rng.integers(10**5, 10**6, ROWS), strict=True)],
    })  # fmt: skip
    which = rng.integers(0, 5, ROWS)
    for i, name in enumerate(("email", "fax", "phone")):
        out.loc[which == i, name] = None
    return out


@pytest.fixture(scope="module")
def both() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return real rows, and rows made after them by a generator that keeps nothing of how columns go together."""
    real = _rows()
    return real, sw.fit(real, "marginals", seed=1).sample(ROWS, seed=2)


Both = tuple[pd.DataFrame, pd.DataFrame]


def test_never_two_of_them_are_missing(both: Both) -> None:
    """Which columns are missing together is kept, made anew or not, and how often each is."""
    real, made = both
    missing = made[["email", "fax", "phone"]].isna()
    assert (missing.sum(axis=1) <= 1).mean() > 0.99
    for name in ("email", "phone"):
        assert missing[name].mean() == pytest.approx(real[name].isna().mean(), abs=0.07)


def test_telephone_numbers_are_of_their_country(both: Both) -> None:
    """How a number is spelled follows from the country, and no number is real."""
    real, made = both
    there = made[made.phone.notna()]
    begin = there.country.map({"DE": "+49", "FR": "+33"})
    assert np.mean([p.startswith(b) for p, b in zip(there.phone, begin, strict=True)]) > 0.97
    assert not set(real.phone.dropna()) & set(there.phone)


def test_the_layout_of_a_code_follows(both: Both) -> None:
    """Codes that are built in one of two ways, by a column, are so in rows that are made."""
    _, made = both
    assert (made.tag.str.contains("/") == (made.country == "FR")).mean() > 0.97


def test_parts_of_keys_are_what_other_columns_say(both: Both) -> None:
    """A country and a month within a key are the row's own, and keys stay unique and unreal."""
    real, made = both
    said = made.country + "-" + made.made.dt.strftime("%y%m") + "-"
    assert all(o.startswith(s) and re.fullmatch(r"\d{7}", o[8:]) for o, s in zip(made.order, said, strict=True))
    assert made.order.is_unique
    assert not set(real.order) & set(made.order)


def test_numbers_within_texts_go_together(both: Both) -> None:
    """Of `155/93` the first number is another column's, and the second goes with it."""
    _, made = both
    parts = made.pressure.str.extract(r"^(\d+)/(\d+)$").astype(float)
    assert (parts[0] == made.high).all()
    assert np.corrcoef(parts[0], parts[1])[0, 1] > 0.45


@pytest.fixture(scope="module")
def model() -> AnewModel:
    """Return what makes these columns anew."""
    return _model(Dataset.of(_rows()))


def _model(data: Dataset, seed: int = 1) -> AnewModel:
    table = data.schema.only
    anew = tuple(f"{table}.{n}" for n, f in data.schema.tables[table].fields.items() if f.anew)
    given = tuple(c for c in data.schema.columns if c not in anew)
    return Anew().fit(data, Part(anew, given), Context(seed=seed))


def test_a_saved_model_makes_the_same(model: AnewModel, tmp_path: Path) -> None:
    """Files hold all that hidden columns need, the same bytes each time, and none of what few rows share."""
    real = _rows()
    data = Dataset.of(real)
    folders = [tmp_path / n for n in ("one", "two")]
    for folder, learned in zip(folders, (model, _model(data)), strict=True):
        folder.mkdir()
        learned.save(folder)
    assert contents(folders[0]) == contents(folders[1])
    given = data.select(data.schema.only, ["country", "made", "high", "fax"])
    made = model.sample(given, Context(seed=3)).data
    assert AnewModel.load(folders[0]).sample(given, Context(seed=3)).data.tables == made.tables
    said = b"".join(contents(folders[0]).values()).decode("latin-1")
    for name in ("email", "phone", "order", "tag"):
        assert not any(v in said for v in real[name].dropna()), name


def test_a_damaged_model_is_refused(model: AnewModel, tmp_path: Path) -> None:
    """Trees that were altered are not walked."""
    from synthwright.kit.learning import artefacts

    model.save(tmp_path)
    head, arrays = artefacts.load(tmp_path)
    name = next(n for n in arrays if n.endswith("tree:left"))
    arrays[name] = arrays[name] - 10**6
    artefacts.save(tmp_path, head, arrays)
    with pytest.raises(StoreError, match="hidden columns"):
        AnewModel.load(tmp_path)


@pytest.mark.parametrize("absent", ["country", "high"])
def test_what_is_not_there_is_made_as_ever(model: AnewModel, absent: str) -> None:
    """Without a column that texts say, they are still built alike."""
    data = Dataset.of(_rows())
    given = data.select(data.schema.only, [c for c in ("country", "made", "high", "fax") if c != absent])
    made: dict[str, Any] = model.sample(given, Context(seed=3)).data.tables[data.schema.only].to_pydict()
    assert all(re.fullmatch(r"(DE|FR)-\d{4}-\d{7}", o) for o in made["order"])
    assert all(re.fullmatch(r"\d+/\d+", p) for p in made["pressure"])


def test_only_missing_values_are_filled() -> None:
    """In mode `fill` every value is there afterwards, and those that were there stay."""
    data = Dataset.of(_rows())
    table = data.schema.only
    part = Part((f"{table}.email", f"{table}.phone"), (f"{table}.country",), "fill")
    made = Anew().fit(data, part, Context(seed=1)).sample(data, Context(seed=2)).data
    phone, email = made.column(f"{table}.phone"), made.column(f"{table}.email")
    assert phone.null_count == 0
    assert email.null_count == 0
    before = data.column(f"{table}.phone").to_pylist()
    assert all(b in (None, p) for b, p in zip(before, phone.to_pylist(), strict=True))


def test_replaced_values_are_missing_where_they_were() -> None:
    """In mode `replace` nulls stay where they are, and layouts follow what is beside them."""
    data = Dataset.of(_rows())
    table = data.schema.only
    part = Part((f"{table}.phone", f"{table}.order"), (f"{table}.country", f"{table}.made"), "replace")
    made = Anew().fit(data, part, Context(seed=1)).sample(data, Context(seed=2)).data
    phone, real = made.column(f"{table}.phone").to_pylist(), data.column(f"{table}.phone").to_pylist()
    country = data.column(f"{table}.country").to_pylist()
    assert [p is None for p in phone] == [p is None for p in real]
    fits = [p.startswith("+49") == (c == "DE") for p, c in zip(phone, country, strict=True) if p is not None]
    assert np.mean(fits) > 0.97


def test_what_is_missing_follows_what_is_no_number() -> None:
    """NaN is a value of its own where a table holds nulls too: an address may be missing just there."""
    rng = np.random.default_rng(5)
    kind, half = rng.integers(0, 3, ROWS), rng.integers(0, 3, ROWS) / 2
    level = pa.array([(float("nan"), None, v)[k] for k, v in zip(kind, half, strict=True)])
    email = pa.array([None if k == 0 else f"u{i}@ex.org" for i, k in enumerate(kind)])
    made = sw.fit(pa.table({"level": level, "email": email}), "marginals", seed=1).sample(ROWS, seed=2)
    odd = [v is not None and np.isnan(v) for v in made["level"].to_pylist()]
    gone = [v is None for v in made["email"].to_pylist()]
    assert sum(odd) > ROWS / 5
    assert np.mean(np.equal(odd, gone)) > 0.97


@pytest.mark.parametrize("name", ["code", "tracking"])
def test_layouts_follow_the_columns_beside(name: str) -> None:
    """Numbers of two carriers that share no part each keep to their own layout, and those that name rows differ."""
    rng = np.random.default_rng(6)
    carrier = rng.choice(["UPS", "DHL"], ROWS)
    code = ["1Z" + "".join(rng.choice([*"0123456789ABCDEF"], 16)) if c == "UPS" else f"{n:012d}"
            for c, n in zip(carrier, rng.integers(10**11, 10**12, ROWS), strict=True)]  # fmt: skip
    made = sw.fit(pd.DataFrame({"carrier": carrier, name: code}), seed=1).sample(900, seed=2)
    assert {carrier for carrier, code in made.to_numpy() if code[:2] == "1Z" and len(code) == 18} == {"UPS"}
    assert {carrier for carrier, code in made.to_numpy() if re.fullmatch("[0-9]{12}", code)} == {"DHL"}
    assert not set(code) & {*made[name]}
    assert made[name].is_unique
