"""A network trained by noisy gradients: what it costs, what a row may count, what it learns, and what audits find."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.generators.private_for_tests import BUDGET, DOMAIN, PART, SCHEMA, follows, people

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, StoreError
from synthwright.core.schema import Schema
from synthwright.core.spend import Release, Spend
from synthwright.generators.dp_network import DpNetwork
from synthwright.kit.learning.releases import packed, unpacked
from synthwright.kit.private import secret
from synthwright.kit.private.told import ToldModel
from synthwright.testing.audit import Audited, epsilon_of
from synthwright.testing.audit_known import Attack, audit_known

EXTRA = ("opacus", "dp_accounting", "opendp", "torch")
missing = [p for p in EXTRA if find_spec(p) is None]
needs = pytest.mark.skipif(bool(missing), reason="needs the extra: pip install 'synthwright[neural-private]'")
FAST: dict[str, Any] = {"domain": DOMAIN, "steps": 20, "width": 8, "portion": 0.1}


def test_normals_are_normal() -> None:
    """Numbers of the operating system have the mean, spread and tails of normal ones, and never an infinite one."""
    from scipy.stats import kstest

    found = secret.normals(40_000)
    assert np.isfinite(found).all()
    assert kstest(found, "norm").pvalue > 1e-6
    assert np.abs(np.corrcoef(found[:-1], found[1:])[0, 1]) < 0.03


def test_no_seed_brings_noise_back() -> None:
    """Seeds decide neither noise nor which rows are drawn."""
    found = []
    for _ in range(2):
        np.random.seed(1)  # noqa: NPY002  the seed that must not count
        found.append((secret.normals(5).tolist(), secret.drawn(1_000, 0.5).tolist(), secret.lot()))
    assert all(one != two for one, two in zip(*found, strict=True))


def test_rows_are_drawn_alone() -> None:
    """Each row is drawn with the chance that was said: how many are drawn is chance too."""
    many = np.array([len(secret.drawn(1_000, 0.1)) for _ in range(400)])
    assert abs(many.mean() - 100) < 5 * np.sqrt(90 / 400)
    assert 60 < many.var() < 130
    assert len(secret.drawn(50, 1.0)) == 50


def test_sums_are_blurred_in_steps() -> None:
    """Noise has the spread that was said, and leaves no digits finer than its steps."""
    found = secret.blurred(np.full(20_000, 3.7), 2.0)
    assert abs(found.mean() - 3.7) < 0.08
    assert abs(found.std() - 2.0) < 0.06
    assert (found * 2**11 == np.rint(found * 2**11)).all()


@needs
def test_one_step_costs_what_gaussian_noise_costs() -> None:
    """A single step on all rows is the Gaussian mechanism, whose cost is known exactly."""
    from synthwright.kit.private.stepwise import Steps, noise_for
    from synthwright.kit.private.stepwise import epsilon_of as costs

    for noise in (1.0, 4.0):
        exact = epsilon_of(1 / noise, 1e-6)
        assert exact <= costs(noise=noise, delta=1e-6, steps=Steps(1.0, 1)) < 1.01 * exact
    least = noise_for(epsilon=1.0, delta=1e-6, steps=Steps(1.0, 1), owner="x")
    assert 0.98 < epsilon_of(1 / least, 1e-6) <= 1.0


@needs
def test_steps_cost_less_than_opacus_says() -> None:
    """Many steps cost no more than by Rényi's divergences, which Opacus adds up, and hardly less."""
    from opacus.accountants.analysis.rdp import compute_rdp, get_privacy_spent

    from synthwright.kit.private.stepwise import Steps
    from synthwright.kit.private.stepwise import epsilon_of as costs

    orders = [1 + x / 10 for x in range(1, 100)] + list(range(12, 200))
    for steps, noise in ((Steps(0.02, 500), 2.0), (Steps(0.1, 100), 3.0)):
        rdp = compute_rdp(q=steps.share, noise_multiplier=noise, steps=steps.many, orders=orders)
        bound, _ = get_privacy_spent(orders=orders, rdp=rdp, delta=1e-6)
        assert 0.85 * bound < costs(noise=noise, delta=1e-6, steps=steps) < bound


@needs
def test_no_row_counts_more_than_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    """What noise is added to is the sum of the gradients of single rows, each cut to the clip."""
    import torch

    from synthwright.generators.nets import masked
    from synthwright.kit.private.stepwise import Steps

    sums: list[np.ndarray] = []
    steps_seen: list[int] = []

    def kept(found: np.ndarray, _: float) -> np.ndarray:
        sums.append(found.copy())
        return np.zeros_like(found)

    def first(shape: tuple[int, int], _: Any) -> Any:
        return torch.tensor([[True, False]]).expand(shape)

    monkeypatch.setattr(secret, "blurred", kept)
    monkeypatch.setattr(masked, "_hidden", first)
    monkeypatch.setattr(masked, "PIECE", 3)  # batches in pieces give the same sum
    net = masked.Masked((3, 2), 4, np.full(5, 0.4))
    torch.nn.init.normal_(net.leave.weight, generator=torch.Generator().manual_seed(1))
    cells = np.array([[0, 1], [2, 0], [1, 1], [0, 0]])
    wanted = [np.zeros(tuple(p.shape)) for p in net.parameters()]
    norms = []
    for row in cells:
        told, hidden = torch.from_numpy(row[None]), torch.tensor([[True, False]])
        wrong = net.surprise(net(net.told(told, hidden)), told, hidden).sum()
        slopes = [g.numpy() for g in torch.autograd.grad(wrong, list(net.parameters()))]
        norms.append(np.sqrt(sum((g**2).sum() for g in slopes)))
        wanted = [w + g * min(1, 2.0 / norms[-1]) for w, g in zip(wanted, slopes, strict=True)]
    masked.trained(net, cells, masked.Course(Steps(1.0, 1), 1.0, 2.0, 0.01, 4.0), steps_seen.append)
    assert steps_seen == [0]
    assert min(norms) < 2.0 < max(norms)
    assert all(np.allclose(s, w, atol=1e-5) for s, w in zip(sums, wanted, strict=True))


@needs
def test_the_budget_is_kept_and_noise_is_new() -> None:
    """A release costs what was said, its noise is another one every time, and the model follows from it alone."""
    maker = DpNetwork(**FAST)
    one, two = (maker.measure(people(500), PART, budget=BUDGET, ctx=Context(seed=1)) for _ in range(2))
    assert one.spend.epsilon <= BUDGET.epsilon
    assert one.spend.delta <= BUDGET.delta
    assert not any(np.array_equal(a, two.arrays[n]) for n, a in one.arrays.items() if n.startswith("weights-"))
    again = unpacked(packed(one), "x")
    models = [maker.learned(r, PART, SCHEMA, Context(seed=3)) for r in (one, again)]
    assert np.array_equal(models[0].lifts, models[1].lifts)


@needs
def test_a_table_without_a_row_is_measured() -> None:
    """Empty batches are steps like others: that a batch is empty must not show."""
    nobody = Dataset(SCHEMA, {"people": people(10).tables["people"].slice(0, 0)})
    release = DpNetwork(**FAST).measure(nobody, PART, budget=BUDGET, ctx=Context())
    assert all(np.isfinite(a).all() for a in release.arrays.values())


@needs
def test_models_come_back(tmp_path: Path) -> None:
    """A saved model makes the same rows; one that was altered is refused."""
    maker = DpNetwork(**FAST)
    model = maker.learned(maker.measure(people(300), PART, budget=BUDGET, ctx=Context()), PART, SCHEMA, Context())
    model.save(tmp_path)
    given = Dataset.blank(SCHEMA, {"people": 50})
    one, two = (m.sample(given, Context(seed=2)).data.fingerprint() for m in (model, ToldModel.load(tmp_path)))
    assert one == two
    (tmp_path / "model.json").write_text("{}\n")
    with pytest.raises(StoreError):
        ToldModel.load(tmp_path)


@needs
def test_columns_that_are_set_steer_the_others() -> None:
    """With much budget, jobs follow towns, whether towns are made or set."""
    maker = DpNetwork(domain=DOMAIN, steps=120, width=16, portion=0.05, rate=0.03)
    release = maker.measure(people(), PART, budget=Spend(50.0, 1e-6), ctx=Context())
    model = maker.learned(release, PART, SCHEMA, Context())
    made = model.sample(Dataset.blank(SCHEMA, {"people": 2_000}), Context(seed=1)).data.tables["people"]
    assert follows(made) > 0.75
    given = Dataset.blank(SCHEMA, {"people": 2_000}).with_columns(
        "people", {"town": pa.array(["south"] * 2_000, pa.large_string())}
    )
    rows = model.sample(given, Context(seed=1)).data.tables["people"]
    assert np.mean([job == "clerk" for job in rows["job"].to_pylist()]) > 0.75


@needs
def test_impossible_budgets_are_refused_before_rows() -> None:
    """A budget that no noise keeps, and units that are no rows, are refused without rows."""
    maker = DpNetwork(domain=DOMAIN, portion=1.0, steps=1_000_000)
    with pytest.raises(FitError, match="steps"):
        maker.rehearse(SCHEMA, PART, budget=Spend(1e-3, 1e-6), ctx=Context())
    with pytest.raises(FitError, match="unit"):
        DpNetwork(**FAST).rehearse(SCHEMA, PART, budget=Spend(1.0, 1e-6, "people.town"), ctx=Context())


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the message names it, before any row is looked at."""
    monkeypatch.setitem(sys.modules, "dp_accounting", None)
    with pytest.raises(FitError, match=r"synthwright\[neural-private\]"):
        DpNetwork().rehearse(SCHEMA, PART, budget=BUDGET, ctx=Context())


# ------------------------------------------------------------------------------------------------------------- audits
LONE = Schema.model_validate({"tables": {"t": {"fields": {"x": {"kind": "boolean", "nulls": False}}}}})


def _rows(*values: bool) -> Dataset:
    return Dataset(LONE, {"t": pa.table({"x": pa.array(values)})})


@contextmanager
def _less_noise() -> Iterator[None]:
    usual = secret.blurred
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret, "blurred", lambda sums, sigma: usual(sums, sigma / 4))
        yield


@contextmanager
def _no_clip() -> Iterator[None]:
    import torch
    from opacus.grad_sample import GradSampleModuleFastGradientClipping as Wrapped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wrapped, "get_clipping_coef", lambda self: torch.ones_like(self.get_norm_sample()))
        yield


CLIP, ROWS, SHRUNK = 0.001, 400, 1.035
"""`SHRUNK`: how much longer a gradient of this network is than its part that moves the last biases."""


def _clipped(slope: float, share: float) -> float:
    """Weigh what a row more adds to gradients that are cut to one length, and cancel out."""
    return -slope - CLIP / 2**0.5 / SHRUNK


def _whole(slope: float, share: float) -> float:
    """Weigh what a row more adds to gradients that are not: what the others add follows from the noisy counts."""
    return ROWS * (2 * share - 1) - slope + (share - 1)


def _audited(weighed: Callable[[float, float], float], times: int = 100) -> Audited:
    """Audit one step on all rows, all of it Gaussian noise, with one row more; as many of the others have either value.

    It sees the noisy gradient itself: what Adam makes of a single one is little but its sign.
    """
    import torch

    maker = DpNetwork(steps=1, portion=1.0, width=1, clip=CLIP, rate=1.0)
    rows = [True, False] * (ROWS // 2)

    def evidence(release: Release) -> float:
        false, true = (-release.arrays["weights-leave.bias"] * release.head["rows"]).tolist()
        counts = release.arrays["column-0-counts"]
        return weighed(true - false, float(counts[1] / counts.sum()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", torch.optim.SGD)
        return audit_known(maker, (_rows(*rows), _rows(*rows, True)), Part(("t.x",)), budget=Spend(3.0, 1e-9),
                           times=times, attack=Attack(evidence, "gaussian"))  # fmt: skip


@needs
@pytest.mark.slow
@pytest.mark.parametrize("weighed", [_clipped, _whole])
def test_audit_stays_below_the_claim(weighed: Callable[[float, float], float]) -> None:
    """An audit of neighbours finds no more than was claimed."""
    assert not _audited(weighed).caught


@needs
@pytest.mark.slow
def test_audit_catches_less_noise() -> None:
    """A quarter of the noise is caught."""
    with _less_noise():
        assert _audited(_clipped).caught


@needs
@pytest.mark.slow
def test_audit_catches_a_clip_that_is_forgotten() -> None:
    """Gradients that nobody cuts are caught."""
    with _no_clip():
        assert _audited(_whole).caught
