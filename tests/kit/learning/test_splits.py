"""Splits: groups of tokens, the best of all cuts, and how far it must stand out from chance."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from synthwright.kit.learning.splits import MOST, Features, Growth, Target, best_split, draw, grouped
from synthwright.kit.learning.trees import grown, logs_for

ANY = Growth(leaf=2, evidence=-1e9, groups=32, per_group=1.0, share=1.0, most=20_000, tries=0)
"""Every split that gains anything is taken."""


def _grouped(tokens: np.ndarray, size: int, growth: Growth, *, ordered: bool) -> np.ndarray:
    """Return the group of every row."""
    group = np.zeros(size + 1, np.int16)
    target = Target(tokens.astype(np.uint16), size, ordered)
    found = grouped(target, np.arange(len(tokens), dtype=np.int32), growth, np.zeros(size + 1, np.int64), group)
    mine: np.ndarray = group[tokens].astype(np.int64)
    assert sorted(set(mine.tolist())) == list(range(found))
    return mine


def _best(
    bins: np.ndarray, nominal: list[bool], groups: np.ndarray, growth: Growth, least: float = 1.0,
    seed: int = 7,
) -> tuple[int, int, float, set[int]]:  # fmt: skip
    """Return feature, cut, gain, and the bins of the mask."""
    mask, rows = np.zeros(4, np.uint64), np.arange(bins.shape[1], dtype=np.int32)
    found = best_split(
        Features(bins, np.array(nominal)), rows, groups.astype(np.uint8), np.bincount(groups), growth, least,
        logs_for(len(rows)), np.array([seed], np.uint64), np.arange(len(bins)), mask,
    )  # fmt: skip
    left = {b for b in range(256) if int(mask[b >> 6]) >> (b & 63) & 1}
    return int(found.feature), int(found.cut), float(found.gain), left


def _gain(groups: np.ndarray, left: np.ndarray) -> float:
    """Return by how much the entropy of groups falls, in nats over all rows: the slow twin."""

    def entropy(some: np.ndarray) -> float:
        shares = np.bincount(some) / max(len(some), 1)
        return -len(some) * float((shares[shares > 0] * np.log(shares[shares > 0])).sum())

    return entropy(groups) - entropy(groups[left]) - entropy(groups[~left])


def _every_side(column: np.ndarray, *, nominal: bool) -> list[set[int]]:
    """Return every set of bins that could go left."""
    used = np.unique(column).tolist()
    if not nominal:
        return [set(used[:i]) for i in range(1, len(used))]
    return [set(c) for k in range(1, len(used)) for c in combinations(used, k)]


def _by_hand(bins: np.ndarray, nominal: list[bool], groups: np.ndarray, least: float) -> float:
    """Return the gain of the best split of all."""
    best = 0.0
    for column, unordered in zip(bins, nominal, strict=True):
        for side in _every_side(column, nominal=unordered):
            left = np.isin(column, list(side))
            if least <= left.sum() <= len(left) - least:
                best = max(best, _gain(groups, left))
    return best


def test_random_numbers() -> None:
    """Numbers lie evenly between 0 and 1, and the same state gives the same."""
    state, again = np.array([3], np.uint64), np.array([3], np.uint64)
    found = np.array([draw(state) for _ in range(20_000)])
    assert found[:50].tolist() == [draw(again) for _ in range(50)]
    assert found.min() >= 0
    assert found.max() < 1
    assert np.abs(np.bincount((found * 10).astype(int)) / 2_000 - 1).max() < 0.1
    assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.03


def test_groups_of_ordered_tokens() -> None:
    """Neighbours share a group of about a fair share of rows, a heavy token is alone, no value is apart from all."""
    rng = np.random.default_rng(1)
    growth = ANY._replace(groups=8, per_group=20.0)
    for rows in (60, 400, 3_000):
        tokens = np.where(rng.random(rows) < 0.4, 33, rng.integers(0, 80, rows))
        tokens[: rows // 10] = 80  # no value
        mine = _grouped(tokens, 80, growth, ordered=True)
        least = rows / min(8, rows / 20)
        assert len(set(mine[tokens == 80]) | set(mine[tokens != 80])) == len(set(mine[tokens != 80])) + 1
        held = tokens[tokens < 80]
        ends = [(held[mine[tokens < 80] == g].min(), held[mine[tokens < 80] == g].max()) for g in range(mine.max())]
        assert all(one[1] < two[0] for one, two in pairwise(ends))
        if (tokens == 33).sum() >= 2 * least:
            assert set(tokens[mine == mine[tokens == 33][0]]) == {33}
        sizes = np.bincount(mine[(tokens != 33) & (tokens < 80)])
        assert sizes.max() < 2 * least


def test_few_rows_make_few_groups() -> None:
    """A node of a dozen rows tells two halves apart, one of many rows as many groups as it may."""
    tokens = np.arange(12)
    assert len(set(_grouped(tokens, 12, ANY._replace(per_group=12.0), ordered=True))) == 2
    tokens = np.arange(3_000) % 100
    assert 28 <= len(set(_grouped(tokens, 100, ANY._replace(per_group=12.0), ordered=True))) <= 36


def test_groups_of_labels() -> None:
    """Frequent labels have groups of their own, the others share one, and no value has one."""
    tokens = np.repeat(np.arange(7), [200, 150, 100, 3, 2, 1, 44])  # 6 is no value
    mine = _grouped(tokens, 6, ANY._replace(groups=8, per_group=10.0), ordered=False)
    assert len({*mine[tokens < 3]}) == 3
    assert len({*mine[(tokens > 2) & (tokens < 6)]}) == 1
    assert len({*mine}) == 5


def test_more_labels_than_groups() -> None:
    """A thousand labels of one node fit into the groups that a byte counts, and no value still is one of them."""
    tokens = np.repeat(np.arange(1_001), 4)
    mine = _grouped(tokens, 1_000, ANY._replace(groups=30_000, per_group=1.0), ordered=False)
    assert mine.max() == MOST + 1
    assert (mine[tokens == 1_000] == MOST + 1).all()
    assert not (mine[tokens < 1_000] == MOST + 1).any()


@pytest.mark.parametrize("nominal", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_the_best_of_all_splits(seed: int, *, nominal: bool) -> None:
    """The split that is found gains as much as the best that there is: of all cuts, and of all subsets of bins."""
    rng = np.random.default_rng(seed)
    kinds = 2 if nominal else int(rng.integers(2, 6))
    groups = np.append(np.arange(kinds), rng.integers(0, kinds, 60))
    bins = rng.integers(0, 7, (3, len(groups))).astype(np.uint8) * np.uint8(36)
    bins[1] = np.where(rng.random(len(groups)) < 0.6, groups * 50 % 250, bins[1])
    labels = [nominal, nominal, not nominal and kinds == 2]
    for least in (1.0, 9.0, 20.5):
        feature, cut, gain, left = _best(bins, labels, groups, ANY, least)
        assert gain == pytest.approx(_by_hand(bins, labels, groups, least))
        side = np.isin(bins[feature], list(left)) if labels[feature] else bins[feature] <= cut
        assert _gain(groups, side) == pytest.approx(gain)
        assert least <= side.sum() <= len(side) - least


def test_labels_that_tell_labels_apart() -> None:
    """Of labels that stand for labels, an order is found that parts them; of more orders tried the best is better."""
    rng = np.random.default_rng(5)
    groups = rng.integers(0, 8, 500)
    bins = np.array([(groups * 3 + 1) % 8, rng.integers(0, 8, 500)]).astype(np.uint8)
    gains = {}
    for tries in (1, 8):
        found = [_best(bins, [True, True], groups, ANY._replace(tries=tries), seed=s) for s in range(20)]
        assert all(f[0] == 0 for f in found)
        assert all(_gain(groups, np.isin(bins[0], list(f[3]))) == pytest.approx(f[2]) for f in found)
        gains[tries] = np.mean([f[2] for f in found])
    assert gains[8] > gains[1]


def test_evidence() -> None:
    """A split must gain so many standard deviations more than chance; a higher dial refuses it."""
    rng = np.random.default_rng(2)
    groups = rng.integers(0, 2, 300)
    bins = np.where(rng.random(300) < 0.25, groups, rng.integers(0, 2, 300)).astype(np.uint8)[None]
    gain = _best(bins, [False], groups, ANY)[2]
    stands_out = (gain - 0.5) / np.sqrt(0.5)  # one degree of freedom: half a nat, and its deviation
    assert _best(bins, [False], groups, ANY._replace(evidence=stands_out * 0.99))[0] == 0
    assert _best(bins, [False], groups, ANY._replace(evidence=stands_out * 1.01))[0] == -1


def test_nothing_to_split() -> None:
    """A feature of one bin, or sides that would be too small, give no split."""
    groups = np.arange(40) % 2
    assert _best(np.zeros((1, 40), np.uint8), [False], groups, ANY)[0] == -1
    assert _best((groups * 9).astype(np.uint8)[None], [False], groups, ANY, 20.0)[0] == 0
    assert _best((groups * 9).astype(np.uint8)[None], [False], groups, ANY, 20.5)[0] == -1


def test_a_share_of_the_features() -> None:
    """Of ten features a node looks at three: the one that tells is found three times in ten."""
    groups = np.arange(200) % 2
    bins = np.zeros((10, 200), np.uint8)
    bins[4] = groups
    rows, found = np.arange(200, dtype=np.int32), 0
    for seed in range(400):
        split = best_split(
            Features(bins, np.zeros(10, bool)), rows, groups.astype(np.uint8), np.bincount(groups),
            ANY._replace(share=0.3), 1.0, logs_for(200), np.array([seed], np.uint64), np.arange(10),
            np.zeros(4, np.uint64),
        )  # fmt: skip
        found += int(split.feature) == 4
    assert found / 400 == pytest.approx(0.3, abs=0.07)


def _leaves_of_noise(seed: int, *, nominal: bool, labels: int, ordered: bool, kinds: int) -> int:
    """Return how many leaves a tree has that is grown on features that say nothing."""
    rng = np.random.default_rng(seed)
    bins, tokens = rng.integers(0, labels, (6, 2_000)), rng.integers(0, kinds, 2_000)
    growth = Growth(15, 4.0, 32, 12.0, 1.0, 20_000, 2)
    features = Features(bins.astype(np.uint8), np.full(6, nominal))
    rows = np.arange(2_000, dtype=np.int32)
    tree = grown(features, Target(tokens.astype(np.uint16), kinds, ordered), growth, rows, seed)
    return (len(tree.feature) + 1) // 2


@pytest.mark.parametrize(("ordered", "kinds"), [(True, 200), (False, 2), (False, 12)])
@pytest.mark.parametrize(("nominal", "labels"), [(False, 250), (True, 5), (True, 200)])
def test_noise_is_not_split_on(*, nominal: bool, labels: int, ordered: bool, kinds: int) -> None:
    """Where nothing tells there are next to no splits, however many bins or labels there are to choose from."""
    found = [_leaves_of_noise(seed, nominal=nominal, labels=labels, ordered=ordered, kinds=kinds) for seed in range(8)]
    assert np.mean(found) <= 6  # of 133 that there could be
