"""Numbers are as round as another column says, where it does."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthwright.core.schema import Field, Kind, Table
from synthwright.kit.constraints.grains import Grain, learn_grains

RNG = np.random.default_rng(3)
ROWS = 600
SPEC = Table(fields={"x": Field(kind=Kind.NUMBER), "by": Field(kind=Kind.CATEGORY), "other": Field(kind=Kind.CATEGORY)})
BY = RNG.choice(["EUR", "JPY", "KWD"], ROWS)
VALUES = np.array([round(float(v), {"EUR": 2, "JPY": 0, "KWD": 3}[b]) for v, b in zip(RNG.gamma(4, 90, ROWS), BY,
                                                                                     strict=True)])  # fmt: skip


def table(values: object, by: object) -> pa.Table:
    """Return a table of a number, the label that may decide, and one that does not."""
    return pa.table({"x": pa.array(values, pa.float64()), "by": pa.array(by).cast(pa.large_string()),
                     "other": pa.array(RNG.choice(["u", "v"], len(values))).cast(pa.large_string())})  # type: ignore[arg-type]  # fmt: skip


def test_labels_that_decide_are_found_and_kept() -> None:
    """The places of each label are learned, saved and read, and new values have them."""
    (found,) = learn_grains(table(VALUES, BY), ["x"], ["x", "by", "other"], SPEC)
    assert found.by == "by"
    assert dict(zip(found.labels, found.places, strict=True)) == {"EUR": 2, "JPY": 0}
    again = Grain.of_json(found.to_json())
    held = table([1.2345, 1.2345, 1.2345, None], ["EUR", "JPY", "KWD", "EUR"])
    assert again.rounded(held, SPEC, np.ones(4, dtype=bool)).to_pylist() == [1.23, 1.0, 1.2345, None]
    assert again.rounded(held, SPEC, np.zeros(4, dtype=bool)).to_pylist() == [1.2345, 1.2345, 1.2345, None]


def test_decimals_are_as_round_as_their_label_says() -> None:
    """Floats hold few of them exactly."""
    held = table(VALUES, BY)
    held = held.set_column(0, "x", held.column("x").cast(pa.decimal128(12, 2), safe=False))
    (found,) = learn_grains(held, ["x"], ["by"], SPEC)
    assert dict(zip(found.labels, found.places, strict=True))["JPY"] == 0


def test_what_chance_explains_is_not_learned() -> None:
    """Where precision has nothing to do with labels, or all values have one, or a label has few rows."""
    mixed = RNG.permutation(VALUES)
    assert learn_grains(table(mixed, BY), ["x"], ["by", "other"], SPEC) == ()
    assert learn_grains(table(np.round(VALUES), BY), ["x"], ["by"], SPEC) == ()
    rare = np.where(np.arange(ROWS) < 10, "JPY", "EUR")
    few = np.where(rare == "JPY", np.round(VALUES), np.round(RNG.gamma(4, 90, ROWS), 3))
    assert learn_grains(table(few, rare), ["x"], ["by"], SPEC) == ()
