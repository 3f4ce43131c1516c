"""An audit of what `mst` and `aim` release: below what they claim, and faults that are planted are caught."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.core.spend import Release, Spend
from synthwright.generators.aim import Aim
from synthwright.generators.mst import Mst
from synthwright.kit.private import noise
from synthwright.kit.private.domains import Known
from synthwright.testing.audit import audit

pytest.importorskip("opendp", reason="the extra `privacy` is not installed")
SCHEMA = Schema.model_validate({"tables": {"t": {"fields": {"x": {"kind": "category", "nulls": False}}}}})
PART, BUDGET = Part(("t.x",)), Spend(1.0, 1e-9)
DOMAIN = {"x": Known(values=("a", "b"))}


def rows(*values: str) -> Dataset:
    """Return a table of one column."""
    return Dataset(SCHEMA, {"t": pa.table({"x": pa.array(values, pa.large_string())})})


NEIGHBOURS = rows(*["a"] * 20), rows(*["a"] * 20, "b")
"""The worst there is: all of the budget goes into one column, and one row alone has its value."""


class Peeking(Mst):
    """Takes the domain from real rows."""

    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        seen = sorted(set(data.column("t.x").to_pylist()))
        honest = Mst(domain={"x": Known(values=tuple(seen))})
        return honest.measure(data, part, budget=budget, ctx=ctx)


@contextmanager
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Divide the noise by four; the price stays."""
    usual = noise._gaussian  # noqa: SLF001  where every noisy count comes from

    def fourth(*, rho: float) -> tuple[object, float]:
        measurement, sigma = usual(rho=rho)
        less = usual(rho=16 * rho)[0]

        class Cheaper:
            def map(self, steps: int) -> float:
                return float(measurement.map(steps))

            def __call__(self, counts: object) -> object:
                return less(counts)

        return Cheaper(), sigma

    with monkeypatch.context() as patch:
        patch.setattr(noise, "_gaussian", fourth)
        yield


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "times"), [(Mst, 500), (Aim, 100)])
def test_what_is_told_is_less_than_what_is_claimed(kind: type[Mst | Aim], times: int) -> None:
    """The bound is below epsilon; bench/private_audit.md has it near, with more measurements."""
    found = audit(kind(domain=DOMAIN), NEIGHBOURS, PART, budget=BUDGET, times=times, gaussian=True)
    assert 0.999 < found.claim <= 1.0
    assert not found.caught


@pytest.mark.slow
def test_a_quarter_of_the_noise_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spent is 4.6, claimed is 1."""
    with quiet(monkeypatch):
        assert audit(Mst(domain=DOMAIN), NEIGHBOURS, PART, budget=BUDGET, times=800, gaussian=True).caught


@pytest.mark.slow
def test_a_domain_that_was_read_off_the_rows_is_caught() -> None:
    """The row alone has its value, and the value is in the release."""
    assert audit(Peeking(), NEIGHBOURS, PART, budget=BUDGET, times=400).caught
