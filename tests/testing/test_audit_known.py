"""Audits by whoever knows all rows but one: what error rates prove, and what noisy counts tell."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import norm

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.core.spend import Spend
from synthwright.generators.aim import Aim
from synthwright.generators.mst import Mst
from synthwright.kit.private.domains import Known
from synthwright.kit.private.release import Sheet
from synthwright.testing.audit import rates
from synthwright.testing.audit_known import Attack, Currency, audit_known, evidence_of_counts, rho_of

SCHEMA = Schema.model_validate(
    {"tables": {"t": {"fields": {n: {"kind": "category", "nulls": False} for n in ("x", "y")}}}}
)
DOMAIN = {n: Known(values=("a", "b")) for n in ("x", "y")}


def _rows(*values: str) -> Dataset:
    column = pa.array(values, pa.large_string())
    return Dataset(SCHEMA, {"t": pa.table({"x": column, "y": column})})


@pytest.mark.parametrize("mu", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("at", [-1.0, 0.0, 0.5, 2.0])
def test_error_rates_never_prove_more_than_there_is(mu: float, at: float) -> None:
    """Gaussian noise has a rho of half of mu squared: no threshold proves more, and the middle one most of it."""
    hit, false = float(norm.sf(at - mu / 2)), float(norm.sf(at + mu / 2))
    found = rho_of(hit, false)
    assert found <= mu**2 / 2 * (1 + 1e-9)
    assert at or found > 0.5 * mu**2 / 2


def test_coins_prove_the_divergence() -> None:
    """Against the definition, order by order, and the same with the sides changed; chance proves nothing."""
    hit, false, found = 0.4, 0.1, 0.0
    for alpha in np.linspace(1.001, 60, 4_000):
        for p, q in ((hit, false), (false, hit)):
            whole = p**alpha * q ** (1 - alpha) + (1 - p) ** alpha * (1 - q) ** (1 - alpha)
            found = max(found, float(np.log(whole) / (alpha - 1) / alpha))
    assert rho_of(hit, false) == pytest.approx(found, rel=1e-2)
    assert rho_of(1 - false, 1 - hit) == pytest.approx(found, rel=1e-2)
    assert rho_of(0.3, 0.3) == rho_of(0.2, 0.3) == 0.0


def test_rates_leave_room_for_chance() -> None:
    """Rates are bounded from either side, to the very ends."""
    false, hit = rates(30, 70, (100, 100))
    assert 0.3 < false < 0.42
    assert 0.58 < hit < 0.7
    assert rates(100, 0, (100, 100)) == (1.0, 0.0)


@pytest.mark.parametrize(("maker", "part", "currency"), [
    (Mst(domain={"x": DOMAIN["x"]}), Part(("t.x",)), "gaussian"),
    (Aim(domain=DOMAIN), Part(("t.x", "t.y")), "concentrated"),
])  # fmt: skip
def test_noisy_counts_tell_what_they_may(maker: Mst | Aim, part: Part, currency: Currency) -> None:
    """Few measurements with little noise already prove a quarter of what is claimed, and not more than that."""
    pytest.importorskip("opendp", reason="needs the extra: pip install 'synthwright[privacy]'")
    neighbours = _rows(*["a"] * 10), _rows(*["a"] * 10, "b")
    attack = Attack(evidence_of_counts(*neighbours, "t"), currency)
    found = audit_known(maker, neighbours, part, budget=Spend(30.0, 1e-9), times=60, attack=attack)
    assert 0.25 * found.claim < found.lower <= found.claim


class Blocks(Mst):
    """Measures two columns in blocks of cells."""

    def method(self, sheet: Sheet) -> None:
        sheet.measure_columns(rho=sheet.purse.left / 2)
        sheet.measure((0, 1), rho=sheet.purse.left, coarse=(sheet.blocks(0, 8), sheet.blocks(1, 8)))


def test_blocks_of_cells_tell_too() -> None:
    """Counts of joined cells are held against those of the same cells: little noise tells a row that is there."""
    pytest.importorskip("opendp", reason="needs the extra: pip install 'synthwright[privacy]'")
    labels = [f"{i:02d}" for i in range(30)]
    known, having = _rows(*labels * 14), _rows(*labels * 14, labels[-1])
    maker = Blocks(domain={n: Known(values=tuple(labels)) for n in ("x", "y")})
    evidence = evidence_of_counts(known, having, "t")
    for data, there in ((known, False), (having, True)):
        release = maker.measure(data, Part(("t.x", "t.y")), budget=Spend(100.0, 1e-9), ctx=Context())
        assert (evidence(release) > 0) is there
