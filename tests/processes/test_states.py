"""State machines do what they say: transitions, delays, conditions, races, ends, and the rows that are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.processes.states_for_tests import LEVEL, found, machine, walked

from synthwright.core.errors import SampleError

ROWS = 20_000


def alike(counts: Any, shares: Any) -> bool:
    """Return whether counts are what shares let one expect."""
    wanted = np.asarray(shares, dtype=float)
    assert len(wanted) == len(counts)
    return len(counts) == 1 or bool(stats.chisquare(counts, wanted / wanted.sum() * np.sum(counts)).pvalue > LEVEL)


# ------------------------------------------------------------------------------------------------------- transitions
def test_transitions_are_as_frequent_as_declared() -> None:
    """From every state each other one follows in the share of its weight, and the first state is drawn so too."""
    names, matrix = ["a", "b", "c"], np.array([[0, 3, 1], [0.5, 0.2, 0.3], [0.05, 0.95, 0]])
    states = {n: {"then": dict(zip(names, row, strict=True)), "after": 1} for n, row in zip(names, matrix.tolist(),
                                                                                         strict=True)}  # fmt: skip
    who, state, _ = walked(states, ROWS, first={"a": 0.7, "b": 0, "c": 0.3}, most=5)
    code = np.searchsorted(names, state).reshape(ROWS, 5)
    counts = np.bincount(code[:, 0], minlength=3)
    assert counts[1] == 0
    assert alike(counts[[0, 2]], [0.7, 0.3])
    for i, row in enumerate(matrix):
        followed = np.bincount(code[:, 1:][code[:, :-1] == i], minlength=3)
        assert (followed[row == 0] == 0).all()
        assert alike(followed[row > 0], row[row > 0])
    assert (np.bincount(who) == 5).all()


def test_weights_follow_formulas() -> None:
    """A weight may depend on the parent and on what its references lead to; without a value it counts as 0."""
    ways = {"b": "if(sex == 'F', 0.8, 0.4)", "c": "0.2 * clinic.pace",
            "d": {"weight": "0.01 * age", "when": "age >= 30"}}  # fmt: skip
    states = {"a": {"then": ways, "after": 3}, "b": {}, "c": {}, "d": {}}
    who, state, _ = walked(states, ROWS)
    second = np.searchsorted(["a", "b", "c", "d"], state[1::2])
    who = who[1::2]
    assert (np.bincount(who, minlength=ROWS) == 1).all()
    for sex in (0, 1):
        for clinic in (0, 1, 2):
            for old in (False, True):
                mine = (who % 2 == sex) & (who % 3 == clinic) & ((who % 90 >= 30) == old)
                age = (who % 90)[mine]
                weights = np.stack([np.full(mine.sum(), (0.8, 0.4)[sex]), np.full(mine.sum(), (0.2, 0.4, 0)[clinic]),
                                    0.01 * age * (age >= 30)])  # fmt: skip
                shares = (weights / weights.sum(axis=0)).sum(axis=1)
                counts = np.bincount(second[mine], minlength=4)[1:]
                assert (counts[shares == 0] == 0).all()
                assert alike(counts[shares > 0], shares[shares > 0])


def test_weights_follow_the_moment() -> None:
    """A weight may depend on what the machine knows: 1 in 2 at the first visit, 1 in 3 at the second, and so on."""
    states = {"a": {"then": {"a": "visits", "b": 1, "c": "10 - since"}, "after": 20}, "b": {}, "c": {}}
    who, state, _ = walked(states, ROWS, first={"a": 1}, until="2024-04-01")
    nth = np.arange(len(who)) - np.searchsorted(who, who)
    for visit in (1, 2, 3):
        left = np.flatnonzero((state[:-1] == "a") & (nth[:-1] == visit - 1))
        assert (np.diff(who)[left] == 0).all()
        counts = [int((state[left + 1] == s).sum()) for s in "abc"]
        weights = [visit, 1, max(10 - 20 * (visit - 1), 0)]
        assert alike(counts[: 3 if weights[2] else 2], weights[: 3 if weights[2] else 2])
        assert weights[2] or not counts[2]


def test_no_open_way_is_an_end() -> None:
    """Where conditions close every way, or weights leave none, the machine ends."""
    states = {"a": {"then": [{"to": "b", "when": "age < 10"}, {"to": "c", "weight": "10 - age"}], "after": 1},
              "b": {}, "c": {}}  # fmt: skip
    who, state, _ = walked(states, 900)
    young = np.arange(900) % 90 < 10
    assert np.bincount(who, minlength=900).tolist() == np.where(young, 2, 1).tolist()
    assert set(state.tolist()) == {"a", "b", "c"}


def test_what_the_machine_knows() -> None:
    """Conditions see how often a state was entered, how many there were, since when, and the instant."""
    ways = [{"to": "a", "when": "visits < 3 and at < '2024-03-01'"}, {"to": "b", "when": "visits == 3"}]
    states = {"a": {"then": ways, "after": 10}, "b": {"then": "a", "after": "if(visits == 1, 5, 7)"}}
    _, state, at = walked(states, 4)
    assert state.tolist() == ["a", "a", "a", "b", "a"] * 4
    assert at.tolist() == [0, 10, 20, 30, 35] * 4
    since = {"a": {"then": [{"to": "a", "when": "since < 25"}], "after": 10}}
    _, _, at = walked(since, 4)
    assert at.tolist() == [0, 10, 20, 30] * 4
    entered = {"a": {"then": {"b": "entered < 6"}}, "b": {"then": {"a": "entered < 6"}, "after": 0.5}}
    _, state, at = walked(entered, 2)
    assert state.tolist() == ["a", "b"] * 6
    assert at.tolist() == [0, 0, 0.5, 0.5, 1, 1] * 2


# ------------------------------------------------------------------------------------------------------------ delays
@pytest.mark.parametrize(
    ("after", "law"),
    [
        ({"exponential": 30}, stats.expon(scale=30)),
        ({"uniform": [1, 14]}, stats.uniform(1, 13)),
        ({"normal": [5, 10]}, stats.truncnorm(-0.5, np.inf, 5, 10)),
        ({"lognormal": [20, 0.5]}, stats.lognorm(0.5, scale=20)),
        ({"weibull": [1.5, 10]}, stats.weibull_min(1.5, scale=10)),
        ({"gamma": {"shape": 3, "scale": 2}}, stats.gamma(3, scale=2)),
        ({"uniform": [6, 48], "unit": "hours"}, stats.uniform(0.25, 1.75)),
        ({"uniform": ["PT6H", "P2D"]}, stats.uniform(0.25, 1.75)),
        ({"exponential": 90, "unit": "minutes", "between": [60, None]}, stats.expon(1 / 24, 1 / 16)),
        ({"mixture": [{"weight": 1, "uniform": {"low": 0, "high": 1}}, {"weight": 3, "uniform": {"low": 1, "high": 2}}],
          "unit": "weeks"}, stats.rv_histogram((np.array([1, 3]), np.array([0, 7, 14])))),
    ],
)  # fmt: skip
def test_delays_are_distributed_as_declared(after: Any, law: Any) -> None:
    """Kolmogorov and Smirnov see no difference between the time in a state and its distribution."""
    _, _, at = walked({"a": {"then": "b", "after": after}, "b": {}}, ROWS)
    took = np.diff(at)[::2]
    assert took.min() >= 0
    assert stats.kstest(took, law.cdf).pvalue > LEVEL


def test_delays_follow_formulas_and_ways() -> None:
    """A mean may be a formula of the parent or of the moment, and each way may have a delay of its own."""
    ways = {"b": {"after": {"exponential": "if(sex == 'F', 5, 50)"}}, "c": 1}
    states = {
        "a": {"then": ways, "after": "2 + visits"},
        "b": {},
        "c": {"then": "b", "after": {"exponential": "since"}},
    }
    who, state, at = walked(states, ROWS)
    took, second = np.diff(at), state[1:]
    via = np.flatnonzero((state[:-1] == "a") & (second == "b"))
    mean = np.where(who[via] % 2 == 0, 5, 50)
    assert stats.kstest(took[via] / mean, stats.expon.cdf).pvalue > LEVEL
    assert (took[(state[:-1] == "a") & (second == "c")] == 3).all()
    later = took[(state[:-1] == "c") & (second == "b")]
    assert stats.kstest(later / 3, stats.expon.cdf).pvalue > LEVEL
    assert len(later) > ROWS / 3


def test_a_delay_without_a_value_never_ends() -> None:
    """Where a formula has no value the next state is not entered; below 0 it is entered at once."""
    who, state, at = walked({"a": {"then": "b", "after": "died - at"}, "b": {}}, 400, begins="2024-04-01")
    assert np.bincount(who).tolist() == [2, 1, 1, 1] * 100
    assert (at == at[0]).all()
    who, state, _ = walked({"a": {"then": "b", "after": {"exponential": "10 * clinic.pace"}}, "b": {}}, 300)
    assert np.array_equal(np.unique(who[state == "b"] % 3), [0, 1])


def test_whole_days() -> None:
    """A delay may be rounded."""
    _, _, at = walked({"a": {"then": "b", "after": {"uniform": [1, 3], "round": 1}}, "b": {}}, 3000)
    assert set(np.diff(at)[::2].tolist()) == {1, 2, 3}


def test_shares_and_delays_over_many_seeds() -> None:
    """Over 40 seeds the p-values of transitions and delays are as even as those of what was declared itself."""
    shares, p = np.array([0.5, 0.3, 0.2]), np.zeros((40, 2))
    ways = dict(zip("bcd", (5 * shares).tolist(), strict=True))
    states = {"a": {"then": ways, "after": {"gamma": [2, 15]}}, "b": {}, "c": {}, "d": {}}
    for seed in range(len(p)):
        _, state, at = walked(states, 2000, seed=seed)
        counts = [int((state == s).sum()) for s in "bcd"]
        p[seed] = (stats.chisquare(counts, shares * 2000).pvalue,
                   stats.kstest(np.diff(at)[::2], stats.gamma(2, scale=15).cdf).pvalue)  # fmt: skip
    assert (p > LEVEL).all()
    for one in p.T:
        assert stats.kstest(one, "uniform").pvalue > LEVEL


# -------------------------------------------------------------------------------------------------------------- race
def test_races() -> None:
    """The first of competing delays wins: by rate among exponential ones, and never where its way is closed."""
    race = {"race": True, "then": {"b": {"after": {"exponential": 30}}, "c": {"after": {"exponential": 10}},
                                   "d": {"after": {"exponential": 20}, "when": "sex == 'F'"}}}  # fmt: skip
    who, state, at = walked({"a": race, "b": {}, "c": {}, "d": {}}, ROWS)
    who, second, took = who[1::2], state[1::2], np.diff(at)[::2]
    for sex, rates in ((0, [1 / 30, 1 / 10, 1 / 20]), (1, [1 / 30, 1 / 10, 0])):
        mine = who % 2 == sex
        counts = [int((second[mine] == s).sum()) for s in "bcd"]
        assert alike(counts[: 3 - sex], rates[: 3 - sex])
        assert counts[2] > 0 or sex == 1
        assert stats.kstest(took[mine], stats.expon(scale=1 / sum(rates)).cdf).pvalue > LEVEL


def test_a_race_nobody_wins() -> None:
    """Where every way is closed, or no delay ever ends, the machine ends."""
    race = {"race": True, "then": {"b": {"after": "died - at"}, "c": {"after": 5, "when": "age == 8"}}}
    who, state, at = walked({"a": race, "b": {}, "c": {}}, 90)
    one = np.arange(90)
    assert np.array_equal(np.unique(who[state == "c"]), [8])
    assert np.array_equal(np.unique(who[state == "b"]), one[(one % 4 == 0) & (one != 8)])
    assert set(at[state == "b"].tolist()) == {60}


# -------------------------------------------------------------------------------------------------------- long run
def test_stationary_distribution() -> None:
    """After long, the share of those in a state is its share of visits times its mean time (a semi-Markov chain)."""
    matrix, means = np.array([[0, 0.5, 0.5], [0.2, 0, 0.8], [1, 0, 0]]), np.array([4.0, 10.0, 7.0])
    delays: list[Any] = [{"exponential": 4}, {"uniform": [5, 15]}, {"gamma": [7, 1]}]
    names = ["a", "b", "c"]
    states = {n: {"then": dict(zip(names, matrix[i].tolist(), strict=True)), "after": delays[i]}
              for i, n in enumerate(names)}  # fmt: skip
    values, vectors = np.linalg.eig(matrix.T)
    visits = np.real(vectors[:, np.argmin(np.abs(values - 1))])
    who, state, at = walked(states, ROWS, until="2024-09-01")
    last = np.flatnonzero(np.append(who[1:] != who[:-1], True))
    assert len(last) == ROWS
    assert at.max() <= 244
    assert alike([int((state[last] == n).sum()) for n in names], visits * means)


# --------------------------------------------------------------------------------------------------------- the end
def test_until_is_exact() -> None:
    """What comes later does not happen; what comes at the very end does; of several ends the earliest counts."""
    every = {"a": {"then": "a", "after": 10}}
    who, _, at = walked(every, 8, until="2024-03-01")
    assert at.tolist() == [0, 10, 20, 30, 40, 50, 60] * 8
    who, _, at = walked(every, 8, until=["2024-04-20", "died", "coalesce(born, died) + 20000"])
    assert np.bincount(who).tolist() == [7, 12, 12, 12, 7, 12, 12, 12]
    who, _, _ = walked(every, 8, until="2024-02-29T23:59:59")
    assert np.bincount(who).tolist() == [6] * 8
    who, _, _ = walked(every, 8, until="died", begins="if(age < 4, date('2024-03-01'), date('2024-03-02'))", most=3)
    assert np.bincount(who, minlength=8).tolist() == [1, 3, 3, 3, 0, 3, 3, 3]


def test_most() -> None:
    """`most` cuts off what would come later; without it a machine that goes on for ever stops the run."""
    every = {"a": {"then": "a", "after": 1}}
    who, _, _ = walked(every, 5, most=12)
    assert np.bincount(who).tolist() == [12] * 5
    who, _, _ = walked(every, 4, until="2026-09-26")
    assert np.bincount(who).tolist() == [1000] * 4
    with pytest.raises(SampleError, match="3 of 4 that go on"):
        walked(every, 4, until="died")
    who, _, _ = walked({"a": {"then": {"a": 1, "b": 1e-12}}, "b": {}}, 4, most=2)
    assert np.bincount(who).tolist() == [2] * 4


def test_who_runs_at_all() -> None:
    """A condition that does not hold, a beginning without a value, and one after the end make no row."""
    states = {"a": {"then": "b", "after": 1}, "b": {}}
    who, _, _ = walked(states, 90, when="age < 5 and sex == 'F'")
    assert np.unique(who).tolist() == [0, 2, 4]
    who, _, at = walked(states, 40, begins="died + 2")
    assert np.unique(who).tolist() == list(range(0, 40, 4))
    assert at[:2].tolist() == [62, 63]
    who, _, _ = walked(states, 40, until="2023-12-31", begins="if(age < 3, date('2024-01-01'), date('2023-12-31'))")
    assert np.bincount(who, minlength=40).tolist() == [0] * 3 + [1] * 37
    table = found({"machines": {"m": machine(states)}}, 0)
    assert table.num_rows == 0
