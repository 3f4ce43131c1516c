"""Pandas frames come back as they went in: types, Python objects, what stands for nothing, labels that no row has."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthwright as sw

ROWS = 120
NUMBERS = np.random.default_rng(5).integers(0, 90, ROWS).tolist()


def _objects(values: list[Any], nothing: Any = ...) -> pd.Series:
    if nothing is not ...:
        values = [nothing if i % 6 == 0 else v for i, v in enumerate(values)]
    out = np.empty(ROWS, dtype=object)
    out[:] = values
    return pd.Series(out, dtype=object)


def _backed(kind: pa.DataType, values: list[Any]) -> pd.Series:
    return pd.Series(pd.arrays.ArrowExtensionArray(pa.array(values, kind)))


def _restored(columns: dict[str, Any], tmp_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a frame and what a model of it, saved and loaded, makes."""
    real = pd.DataFrame(columns)
    sw.fit(real, "marginals", seed=1).save(tmp_path / "m")
    return real, sw.load(tmp_path / "m").sample(ROWS, seed=2)


def test_sparse_columns_and_texts_of_python_stay_so(tmp_path: Path) -> None:
    """Whatever fills a sparse column, and whoever holds the texts of a column, it comes back as it was."""
    few = np.array([v if v < 30 else 0 for v in NUMBERS])
    words = pd.Series([None if v < 9 else "ab"[v % 2] for v in NUMBERS])
    real, made = _restored(
        {
            "whole": pd.arrays.SparseArray(few),
            "real": pd.arrays.SparseArray(few / 4, fill_value=0.0),
            "gone": pd.arrays.SparseArray(np.where(few > 0, few / 4, np.nan)),
            "flag": pd.arrays.SparseArray(few > 0),
            "python": words.astype(pd.StringDtype("python")),
            "nan": words.astype(pd.StringDtype("python", na_value=np.nan)),
            "arrow": words.astype(pd.StringDtype("pyarrow")),
        },
        tmp_path,
    )
    assert list(made.dtypes) == list(real.dtypes)
    assert made["gone"].isna().mean() == pytest.approx(real["gone"].isna().mean(), abs=0.2)
    assert 0 < made["python"].isna().sum() < ROWS


def test_columns_of_python_objects_stay_so(tmp_path: Path) -> None:
    """Text, numbers, truth, instants: the same Python types, and the same sign where there is no value."""
    day = dt.datetime(2020, 1, 1)
    real, made = _restored(
        {
            "text": _objects(["yx"[n % 2] for n in NUMBERS], None),
            "word": _objects(["yx"[n % 2] for n in NUMBERS], np.nan),
            "truth": _objects([n % 2 == 0 for n in NUMBERS]),
            "maybe": _objects([n % 2 == 0 for n in NUMBERS], np.nan),
            "whole": _objects(NUMBERS, None),
            "count": _objects(NUMBERS),
            "real": _objects([n / 7 for n in NUMBERS], pd.NA),
            "price": _objects([Decimal(n) / 4 for n in NUMBERS], None),
            "instant": _objects([day + dt.timedelta(hours=n) for n in NUMBERS], pd.NaT),
            "stamp": _objects([pd.Timestamp(day) + pd.Timedelta(hours=n) for n in NUMBERS]),
            "length": _objects([dt.timedelta(minutes=n) for n in NUMBERS]),
            "day": _objects([(day + dt.timedelta(n)).date() for n in NUMBERS]),
            "bytes": _objects([bytes([n, n]) for n in NUMBERS]),
        },
        tmp_path,
    )
    assert dict(made.dtypes) == dict(real.dtypes)
    for name in real.columns:
        assert {type(v) for v in made[name]} == {type(v) for v in real[name]}, name


def test_columns_that_arrow_backs_stay_so(tmp_path: Path) -> None:
    """Types that pandas has no words for come back too: decimals of 128 and 256 bits, dictionaries of long text."""
    words = pa.array(["yx"[n % 2] for n in NUMBERS], pa.large_string()).dictionary_encode()
    real, made = _restored(
        {
            "n": NUMBERS,
            "price": _backed(pa.decimal128(12, 2), [None if n % 7 == 0 else Decimal(n) / 4 for n in NUMBERS]),
            "wide": _backed(pa.decimal256(50, 1), [Decimal(n) / 2 for n in NUMBERS]),
            "label": pd.Series(pd.arrays.ArrowExtensionArray(words)),
            "word": _backed(pa.string(), ["yx"[n % 2] for n in NUMBERS]),
            "day": _backed(pa.date32(), [dt.date(2020, 1, 1) + dt.timedelta(n) for n in NUMBERS]),
        },
        tmp_path,
    )
    assert dict(made.dtypes) == dict(real.dtypes)
    assert list(made.columns) == list(real.columns)
    assert made["price"].isna().any()
    only = real[["label", "word"]]
    assert dict(sw.fit(only, "marginals", seed=1).sample(20, seed=2).dtypes) == dict(only.dtypes)


@pytest.mark.parametrize("labels", [["z", "y", "x"], [3, 2, 1], [2.5, 1.5, 0.5]])
def test_labels_keep_their_order_and_those_that_no_row_has(labels: list[Any], tmp_path: Path) -> None:
    """A label is text or a number; one that is never used is still one that there may be."""
    values = pd.Categorical([labels[1 + n % 2] for n in NUMBERS], categories=labels, ordered=True)
    real, made = _restored({"label": values, "n": NUMBERS}, tmp_path)
    assert made["label"].dtype == real["label"].dtype
