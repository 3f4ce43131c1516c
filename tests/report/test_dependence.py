"""The strength of dependence between columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.report.dependence import MOST_COLUMNS, depend
from synthwright.testing.toys import TOYS, dataset

RNG = np.random.default_rng(0)


def table(**columns: np.ndarray) -> Dataset:
    """Return a table with these columns, numbers or labels."""
    kinds = {c: Kind.NUMBER if v.dtype.kind == "f" else Kind.CATEGORY for c, v in columns.items()}
    return dataset({"t": {c: (Field(kind=kinds[c]), v) for c, v in columns.items()}})


def bergsma(left: np.ndarray, right: np.ndarray) -> float:
    """Return Cramér's V corrected for bias, as its paper writes it, with loops."""
    rows, many = sorted(set(left)), sorted(set(right))
    n = len(left)
    phi = 0.0
    for a in rows:
        for b in many:
            expected = (left == a).sum() * (right == b).sum() / n
            phi += (((left == a) & (right == b)).sum() - expected) ** 2 / expected / n
    r, c = len(rows), len(many)
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, (phi / least) ** 0.5))


def test_agrees_with_the_formula() -> None:
    """The strengths of labels are those of the plain formula."""
    a = RNG.choice(list("abc"), 500)
    b = np.where(RNG.random(500) < 0.6, a, RNG.choice(list("abcd"), 500))
    c = RNG.choice(list("xy"), 500)
    data = table(a=a, b=b, c=c)
    found = depend("t", ["a", "b", "c"], data, data)
    assert found is not None
    assert found.real is not None
    assert found.real[0, 1] == pytest.approx(bergsma(a, b))
    assert found.real[0, 2] == pytest.approx(bergsma(a, c))
    assert np.array_equal(found.real, found.synthetic)


def test_sees_what_depends_and_what_does_not() -> None:
    """A column and a function of it, straight or not, score near 1; independent ones near 0; kinds may be mixed."""
    x = RNG.normal(size=4000)
    data = table(x=x, square=x**2, sign=np.where(x > 0, "plus", "minus"), noise=RNG.normal(size=4000))
    found = depend("t", ["x", "square", "sign", "noise"], data, data)
    assert found is not None
    assert found.synthetic[0, 1] > 0.5
    assert found.synthetic[0, 2] > 0.9
    assert found.synthetic[0, 3] < 0.1
    assert np.allclose(np.diag(found.synthetic), 1)
    assert np.array_equal(found.synthetic, found.synthetic.T)


def test_shuffled_columns_lose_their_dependence() -> None:
    """Real and synthetic rows are measured in the same groups, so that a loss shows."""
    x = RNG.normal(size=3000)
    found = depend("t", ["x", "y"], table(x=x, y=x), table(x=x, y=RNG.permutation(x)))
    assert found is not None
    assert found.real is not None
    assert found.real[0, 1] > 0.95
    assert found.synthetic[0, 1] < 0.1


def test_real_rows_set_the_groups() -> None:
    """Synthetic rows that are all alike do not blur what real rows show."""
    x = RNG.normal(size=1000)
    found = depend("t", ["x", "y"], table(x=x, y=x), table(x=np.full(1000, -9.0), y=np.full(1000, -9.0)))
    assert found is not None
    assert found.real is not None
    assert found.real[0, 1] > 0.95
    assert found.synthetic[0, 1] == 0


def test_missingness_is_a_group() -> None:
    """Nulls that depend on another column are dependence."""
    flag = RNG.choice(list("yn"), 1000)
    amount = np.where(flag == "y", np.nan, RNG.normal(size=1000))
    found = depend("t", ["flag", "amount"], None, table(flag=flag, amount=amount))
    assert found is not None
    assert found.real is None
    assert found.synthetic[0, 1] > 0.9


def test_wide_tables_show_the_first_columns_in_the_order_of_the_schema() -> None:
    """At most so many columns are compared: the first ones named, in the schema's order."""
    data = table(**{f"c{i:03}": RNG.normal(size=50) for i in range(60)})
    named = [f"c{i:03}" for i in reversed(range(60))]
    found = depend("t", named, data, data)
    assert found is not None
    assert found.columns == tuple(f"c{i:03}" for i in range(60 - MOST_COLUMNS, 60))


@pytest.mark.parametrize("toy", sorted(TOYS))
def test_every_toy_has_strengths_or_none(toy: str) -> None:
    """Awkward tables give numbers from 0 to 1, or nothing where there is nothing to compare."""
    data = TOYS[toy]()
    for name in data.schema.tables:
        for real in (data, None):
            found = depend(name, data.columns(name), real, data)
            if found is not None:
                assert ((found.synthetic >= 0) & (found.synthetic <= 1)).all()


def test_nothing_to_compare() -> None:
    """One column, or no rows on a side, gives nothing."""
    one = table(x=RNG.normal(size=9))
    assert depend("t", ["x"], one, one) is None
    two = table(x=RNG.normal(size=9), y=RNG.normal(size=9))
    empty = Dataset(two.schema, {"t": pa.Table.from_batches([], schema=two.tables["t"].schema)})
    assert depend("t", ["x", "y"], two, empty) is None
    assert depend("t", ["x", "y"], empty, two) is None
