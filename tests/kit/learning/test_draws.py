"""Draws: spread evenly over leaves, chosen in proportion to weights, weighed by counting."""

from __future__ import annotations

from typing import Any

import lightgbm
import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.kit.learning.additive import FOREVER, Additive, flattened, settings
from synthwright.kit.learning.draws import (
    GAP,
    REACH,
    STEEPEST,
    Line,
    Looks,
    corrected,
    drawn,
    likelihoods,
    matrix,
    picked,
    strata,
)
from synthwright.kit.learning.splits import Features
from synthwright.kit.learning.trees import Forest, Tree, joined

SEED = np.uint64(9)
UNORDERED = Line(np.empty(0), np.empty(0))
"""Codes without an order: only what leaves hold is drawn."""


def _stump(codes: list[list[int]]) -> tuple[Tree, np.ndarray]:
    """Return a tree that sends bins to 9 left, and what its two leaves hold."""
    ends = np.cumsum([0, len(codes[0]), len(codes[1])])
    tree = Tree(
        np.array([0, -1, -1], np.int16), np.array([9, 0, 0], np.uint8), np.zeros((3, 4), np.uint64),
        np.array([1, 0, 0], np.int32), np.array([0, 0, ends[1]], np.int64), ends[[2, 1, 2]].astype(np.int64),
    )  # fmt: skip
    return tree, np.array(codes[0] + codes[1], np.uint16)


def _features(left: int, right: int) -> Features:
    bins = np.repeat([[3, 200]], [left, right], axis=1).astype(np.uint8)
    return Features(bins, np.zeros(1, bool))


def _looks(codes: int, others: np.ndarray | None = None, rows: int = 0) -> Looks:
    rank = np.arange(codes, dtype=np.float32)
    return Looks(rank, rank * 10 - 20, np.zeros((0, rows), np.float32) if others is None else others)


def _scored(matrix: np.ndarray, target: Any) -> Additive:
    """Return trees that add up to the target for rows like these; values that differ must be far apart."""
    how = settings(len(matrix), Context(), objective="regression", learning_rate=1.0, num_leaves=200,
                   min_sum_hessian_in_leaf=0, min_data_in_bin=1)  # fmt: skip
    how["min_data_in_leaf"] = 1
    return flattened(lightgbm.train(how, lightgbm.Dataset(matrix, target, params=how), num_boost_round=3), 3)


def _scores(values: list[float]) -> Additive:
    """Return trees that add up to `values[code]`, the rank of the code being the second feature."""
    rank = np.arange(len(values), dtype=np.float32)
    return _scored(np.column_stack([np.zeros_like(rank), rank]), np.array(values))


def test_strata_are_even() -> None:
    """The rows of a leaf divide the line among them evenly; who comes first in the order gets the lowest number."""
    rng = np.random.default_rng(1)
    leaf = rng.integers(0, 5, 300).astype(np.int32)
    order = rng.permutation(300)
    found = strata(leaf, 5, order, np.array([SEED]))
    for node in range(5):
        mine = found[order][leaf[order] == node]
        assert np.floor(mine * len(mine)).tolist() == list(range(len(mine)))
    within = found * np.bincount(leaf)[leaf] % 1
    assert 0.4 < within.mean() < 0.6
    assert within.std() > 0.2


def test_draws_come_from_leaves() -> None:
    """As many draws as a leaf holds codes are these codes, and more are each of them as often as any other."""
    forest = joined([_stump([[1, 1, 5], [7, 8, 9, 9]])])
    order = np.random.default_rng(0).permutation(7)[None]
    one = drawn(_features(3, 4), forest, UNORDERED, np.zeros(7, np.int8), order, SEED)
    assert sorted(one[:3].tolist()) == [1, 1, 5]
    assert sorted(one[3:].tolist()) == [7, 8, 9, 9]
    many = drawn(_features(3_000, 400), forest, UNORDERED, np.zeros(3_400, np.int8), np.arange(3_400)[None], SEED)
    assert np.bincount(many[:3_000])[[1, 5]].tolist() == [2_000, 1_000]
    assert np.bincount(many[3_000:])[[7, 8, 9]].tolist() == [100, 100, 200]


def test_the_chosen_tree_draws() -> None:
    """A row's code comes from the tree that is chosen for it; the order decides who gets which code."""
    forest = joined([_stump([[1, 2], [3]]), _stump([[11, 12], [13]])])
    which = np.arange(400) % 2
    features, order = _features(400, 0), np.random.default_rng(2).permutation(400)
    found = drawn(features, forest, UNORDERED, which.astype(np.int8), order[None], SEED)
    assert set(found[which == 0].tolist()) == {1, 2}
    assert set(found[which == 1].tolist()) == {11, 12}
    first = found[order][which[order] == 0]
    assert (np.diff(first.astype(int)) >= 0).all()
    assert np.array_equal(found, drawn(features, forest, UNORDERED, which.astype(np.int8), order[None], SEED))


def _near(held: list[int], line: Line, at: float) -> int:
    """Return the code at a place of a leaf: the slow twin of `picked`."""
    place = at * len(held)
    values = [c for c in held if c < len(line.middle)]
    if place >= len(values) or len(values) == 1:
        return held[int(place)]
    share = np.diff(line.ends, prepend=0.0)
    usual = (line.middle[values[-1]] - line.middle[values[0]]) / (len(values) - 1)
    first, part = divmod(place - 0.5, 1)
    before = values[int(first)] if first >= 0 else None
    after = values[int(first) + 1] if first + 1 < len(values) else None
    if before is not None and before == after:
        return before
    low = 0.0 if before is None else line.ends[before] - share[before] / (held.count(before) + REACH)
    high = 1.0 if after is None else line.ends[after] - share[after] * (1 - 1 / (held.count(after) + REACH))
    if before is not None and after is not None and line.middle[after] - line.middle[before] <= GAP * usual:
        place = low + part * (high - low)
    elif after is None or (before is not None and part < 0.5):
        place = low + part * usual
    else:
        place = high - (1 - part) * usual
    place = min(abs(place), 2 - place)
    return min(int((line.ends < place).sum()), len(line.ends) - 1)


def test_values_between_neighbours() -> None:
    """Around the ordered codes of a leaf lie others that are drawn too, but not across a wide gap, and no nulls."""
    rng = np.random.default_rng(7)
    shares = rng.dirichlet(np.ones(60))
    line = Line(np.cumsum(shares) - shares / 2, np.cumsum(shares))
    more = 0
    for size in (1, 2, 5, 30):
        held = [*np.sort(rng.integers(0, 60, size)).tolist(), *[60] * (size // 5)]
        forest = joined([_stump([held, [9]])])
        for at in rng.random(300):
            found = int(picked(forest, line, np.int32(1), at))
            assert found == _near(held, line, at)
            more += found not in held
    assert more > 100
    line = Line((np.arange(600) + 0.5) / 600, (np.arange(600) + 1) / 600)
    wide = joined([_stump([[*range(0, 60, 2), 500], [9]])])
    codes = {int(picked(wide, line, np.int32(1), at)) for at in rng.random(2_000)}
    assert not codes & {*range(70, 490), *range(510, 600)}
    assert {499, 500, 501} < codes, "who stands apart comes back only as a neighbour might"


def test_a_leaf_keeps_its_mean() -> None:
    """What is drawn around the codes of a leaf is neither higher nor lower than these on average."""
    rng = np.random.default_rng(11)
    line = Line((np.arange(1_000) + 0.5) / 1_000, (np.arange(1_000) + 1) / 1_000)
    off = []
    for _ in range(100):
        held = np.sort(rng.integers(0, 1_000, 12)).tolist()
        forest = joined([_stump([held, [9]])])
        found = [int(picked(forest, line, np.int32(1), at)) for at in (np.arange(240) + 0.5) / 240]
        off.append(np.mean(found) - np.mean(held))
    assert abs(np.mean(off)) < 3


def test_heavy_codes_are_drawn_as_often_as_they_are() -> None:
    """Leaves that are samples of a column give its few heavy codes, and the many light ones between, their shares."""
    rng = np.random.default_rng(8)
    shares = np.where(np.arange(200) % 20 == 0, 10.0, 1.0)
    shares /= shares.sum()
    line = Line(np.cumsum(shares) - shares / 2, np.cumsum(shares))
    heavy = 0
    for _ in range(300):
        held = np.sort(rng.choice(200, 24, p=shares)).tolist()
        forest = joined([_stump([held, [9]])])
        heavy += sum(int(picked(forest, line, np.int32(1), at)) % 20 == 0 for at in (np.arange(48) + 0.5) / 48)
    assert heavy / (300 * 48) == pytest.approx(shares[::20].sum(), abs=0.02)


def test_what_a_correction_looks_at() -> None:
    """It is the features, the rank, and for each other column the difference and the ratio, by the plain formulas."""
    rng = np.random.default_rng(3)
    base = rng.random((40, 3)).astype(np.float32)
    others = rng.normal(size=(2, 40)).astype(np.float32)
    others[0, :8] = 0
    looks = _looks(6, others)
    rows, codes = rng.integers(0, 40, 200).astype(np.int32), rng.integers(0, 6, 200).astype(np.uint16)
    rows[:6], codes[:6] = 3, np.arange(6)
    found = matrix(base, looks, rows, codes)
    assert found.shape == (200, 8)
    for i, (row, code) in enumerate(zip(rows.tolist(), codes.tolist(), strict=True)):
        value, plain = np.float32(code * 10 - 20), [*base[row].tolist(), float(code)]
        for other in others[:, row]:
            ratio = value / other if other else FOREVER if value else 0.0
            plain += [float(value - other), float(ratio)]
        assert found[i].tolist() == pytest.approx(plain, rel=1e-6), i
    assert np.isfinite(found).all()


def _corrected(rows: int, forest: Forest, values: list[float], size: int = 64, **more: Any) -> np.ndarray:
    features, order = _features(rows, 0), np.random.default_rng(4).permutation(rows)[None]
    base = np.zeros((rows, 1), np.float32)
    return corrected(
        features, forest, UNORDERED, order, SEED, base, _looks(20, rows=rows), _scores(values), size, **more
    )


def test_draws_in_proportion_to_the_weights() -> None:
    """Codes come in proportion to how often leaves hold them times how real they look, the mean over all trees."""
    forest = joined([_stump([[0] * 5 + [1] * 5, [9]]), _stump([[1] * 5 + [2] * 5, [9]])])
    scores = [0.0, -1.0, 1.5, *[0.0] * 7]
    found = np.bincount(_corrected(20_000, forest, scores), minlength=3) / 20_000
    wanted = np.array([0.25, 0.5, 0.25]) * np.exp(scores[:3])
    assert found[:3] == pytest.approx(wanted / wanted.sum(), abs=0.015)
    assert found[3:].sum() == 0


def test_scores_that_say_nothing() -> None:
    """Where all looks alike, draws are those of the leaves."""
    forest = joined([_stump([[0, 0, 0, 4], [9]]), _stump([[4, 7], [9]]), _stump([[4, 7], [9]])])
    found = np.bincount(_corrected(12_000, forest, [0.7] * 10, 5), minlength=8) / 12_000
    assert found[[0, 4, 7]] == pytest.approx([0.25, 5 / 12, 1 / 3], abs=0.015)


@pytest.mark.parametrize("correct", [False, True])
def test_who_has_no_value_is_left_to_chance(*, correct: bool) -> None:
    """Of two orders the first says how values are shared out, and the second which rows have none."""
    rows, codes = 4_000, [0, 1, 2, 3, 4, 5, 10, 10, 10, 10]  # 10: no value
    forest, features = joined([_stump([codes, [9]])]), _features(rows, 0)
    line = Line((np.arange(10) + 0.5) / 10, (np.arange(10) + 1) / 10)
    order = np.stack([np.arange(rows), np.random.default_rng(3).permutation(rows)])
    if correct:
        base, alike = np.zeros((rows, 1), np.float32), _scores([0.5] * 11)
        found = corrected(features, forest, line, order, SEED, base, _looks(11, rows=rows), alike, 64)
    else:
        found = drawn(features, forest, line, np.zeros(rows, np.int8), order, SEED)
    missing = found == 10
    assert abs(missing.mean() - 0.4) < 0.02
    assert abs(np.corrcoef(np.arange(rows), missing)[0, 1]) < 0.05
    assert np.corrcoef(np.arange(rows)[~missing], found[~missing])[0, 1] > 0.9


def test_no_draw_counts_for_too_much() -> None:
    """A score beyond the steepest counts no more than that."""
    forest = joined([_stump([[0] * 99 + [1], [9]])])
    found = float((_corrected(20_000, forest, [0.0, 50.0, *[0.0] * 8]) == 1).mean())
    most = np.exp(STEEPEST) / (np.exp(STEEPEST) + 99)
    assert 0.5 * most < found < 1.05 * most


def test_a_correction_looks_at_each_row() -> None:
    """A correction that wants the value of another column finds it for every row."""
    forest = joined([_stump([list(range(10)), [9]])])
    rows = 4_000
    other = (np.random.default_rng(5).integers(0, 10, rows) * 10 - 20).astype(np.float32)
    apart = np.arange(-90, 91, 10, dtype=np.float32)
    trees = _scored(np.column_stack([apart * 0, apart * 0, apart, apart * 0]), np.where(apart == 0, 4.0, -9.0))
    base, order = np.zeros((rows, 1), np.float32), np.arange(rows)[None]
    found = corrected(_features(rows, 0), forest, UNORDERED, order, SEED, base, _looks(10, other[None]), trees, 40)
    assert (found * 10.0 - 20 == other).mean() > 0.95


def test_likelihoods_by_counting() -> None:
    """How likely a group is: how often leaves hold it, with a prior; unknown values are as likely as any."""
    rng = np.random.default_rng(6)
    leaves = [[sorted(rng.integers(0, 12, n).tolist()) for n in pair] for pair in ((7, 30), (20, 4))]
    forest = joined([_stump(pair) for pair in leaves])
    groups, shares = (np.arange(12) // 3).astype(np.int32), np.array([0.1, 0.2, 0.3, 0.4])
    group = rng.integers(-1, 4, 50).astype(np.int16)
    found = likelihoods(_features(25, 25), forest, groups, shares, group, 5.0)
    for i, mine in enumerate(group.tolist()):
        if mine < 0:
            assert found[i] == 1
            continue
        held = [[c // 3 for c in pair[i >= 25]] for pair in leaves]
        plain = np.mean([(h.count(mine) + 5 * shares[mine]) / (len(h) + 5) for h in held])
        assert found[i] == pytest.approx(plain)
