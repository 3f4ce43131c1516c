"""What is merely unusual works, and what cannot work is refused with a typed error."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import synthwright as sw
from unusual import REFUSED, WORKS
from unusual_rows import MORE

EVERY = WORKS | MORE


def _arrow(frame: Any) -> pa.Table:
    if isinstance(frame, pd.DataFrame):
        for column in [c for c in frame.columns if str(frame[c].dtype).startswith("Sparse")]:
            frame = frame.assign(**{column: np.asarray(frame[column])})
        return pa.Table.from_pandas(frame, preserve_index=False)
    return frame.to_arrow() if isinstance(frame, pl.DataFrame) else frame


def _same_frame(real: Any, made: Any) -> None:
    """Library, names and types are those that went in."""
    assert type(made) is type(real)
    if isinstance(real, pd.DataFrame):
        assert list(made.columns) == list(real.columns)
        for name in real.columns:
            assert made[name].dtype == real[name].dtype, (name, made[name].dtype, real[name].dtype)
    elif isinstance(real, pl.DataFrame):
        assert made.schema == real.schema
    else:
        assert made.column_names == real.column_names
        assert [f.nullable for f in made.schema] == [f.nullable for f in real.schema]


@pytest.mark.parametrize("generator", ["marginals", "default"])
@pytest.mark.parametrize("name", list(EVERY))
def test_what_is_unusual_works(name: str, generator: str) -> None:
    """Types come back as they went in, and each column keeps what makes it what it is."""
    frame, checks = EVERY[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = sw.fit(frame, generator, seed=1).sample(250, seed=2)
    _same_frame(frame, made)
    real, fake = _arrow(frame), _arrow(made)
    assert fake.num_rows == 250
    for column, wanted in checks.items():
        for check in wanted:
            whole = column == "" and column not in fake.column_names  # a check of rows
            one, other = (real, fake) if whole else (real[column], fake[column])
            assert check(one, other), (check.__doc__, other.slice(0, 8).to_pylist())


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_cannot_work_is_refused(name: str) -> None:
    """A typed error says what was wanted and what was got."""
    with pytest.raises(sw.SynthwrightError) as caught:
        sw.fit(REFUSED[name], seed=1)
    assert str(caught.value)
