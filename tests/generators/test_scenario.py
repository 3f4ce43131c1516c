"""Scenarios: rates, lengths and places of episodes, what is changed and what is not, labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from tests.generators.scenario_for_tests import LEVEL, column, far, made, one, payments, sizes

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.errors import SampleError
from synthwright.kit.ruled import followed

# ------------------------------------------------------------------------------------------------------------- rates
MIX: dict[str, Any] = {
    "label": "fraud", "by": "card", "episode": "episode",
    "patterns": {
        "testing": {"rate": 0.02, "rows": {"between": [3, 9]}, "set": {"amount": "-1"}},
        "takeover": {"rate": 0.01, "rows": {"poisson": {"mean": 4}}, "where": "card.active", "set": {"amount": -2}},
        "single": {"rate": 0.005, "where": "amount > 20", "set": {"amount": -3}},
        "long": {"rate": 0.01, "rows": 30, "least": 5, "set": {"amount": "-4"}},
    },
}  # fmt: skip


def test_each_pattern_has_its_share_of_rows() -> None:
    """Over many runs every pattern takes as many rows as was said, whatever its lengths, conditions and collisions."""
    data = payments(sizes(250, 12))
    rows = data.rows("payment")
    counts = []
    for seed in range(40):
        table = made(MIX, "fraud amount episode", data, seed)
        label, amount = table.column("fraud").to_pylist(), column(table, "amount")
        counts.append([label.count(name) for name in MIX["patterns"]])
        for i, name in enumerate(MIX["patterns"], 1):
            assert ((amount == -i) == (np.array(label) == name)).all()
    for i, (name, pattern) in enumerate(MIX["patterns"].items()):
        values = np.array(counts, dtype=float)[:, i]
        assert far(values, pattern["rate"] * rows) > LEVEL, (name, values.mean(), pattern["rate"] * rows)
        assert values.std() < 30  # the rest of one episode, not the chance of each row


def test_lengths_follow_their_distribution() -> None:
    """Lengths are those that were declared, also where many episodes are laid at once."""
    data = payments(np.full(400, 40))
    said = one({"rate": 0.1, "rows": {"geometric": {"probability": 0.25}, "between": [1, 8]}}, by="card",
               label="fraud", episode="episode")  # fmt: skip
    lengths: list[int] = []
    for seed in range(4):
        numbers = made(said, "fraud episode", data, seed).column("episode").drop_null()
        lengths += np.unique(numbers.to_numpy(), return_counts=True)[1].tolist()
    chance = 0.75 ** np.arange(8)
    seen = np.bincount(lengths, minlength=9)[1:]
    assert stats.chisquare(seen, chance / chance.sum() * len(lengths)).pvalue > LEVEL


@pytest.mark.parametrize(("rows", "wanted"), [
    ({"between": [3, 5]}, {3: 1, 4: 1, 5: 1}), (4, {4: 1}), ({"poisson": {"mean": 1}, "between": [1, 2]}, {1: 2, 2: 1}),
    ({"uniform": {"low": 0, "high": 2}}, {1: 1, 2: 1}), ({"normal": {"mean": 2, "sd": 1e-3}}, {2: 1}),
])  # fmt: skip
def test_lengths_as_they_are_written(rows: Any, wanted: dict[int, float]) -> None:
    """Both ends count, what lies below 1 does not, and the rest is rounded."""
    said = one({"rate": 0.2, "rows": rows}, by="card", label="fraud", episode="episode")
    numbers = made(said, "fraud episode", payments(np.full(300, 30))).column("episode").drop_null()
    lengths = np.unique(numbers.to_numpy(), return_counts=True)[1]
    seen = np.unique(lengths, return_counts=True)
    assert seen[0].tolist() == list(wanted)
    chance = np.array(list(wanted.values()))
    assert len(wanted) == 1 or stats.chisquare(seen[1], chance / chance.sum() * len(lengths)).pvalue > LEVEL


def test_conditions_hold_where_episodes_begin() -> None:
    """A rare condition is met by all first rows, and the share of rows is met too."""
    data = payments(np.full(2500, 9), chunks=3)
    said = one({"rate": 0.02, "rows": 3, "where": 'card.bank.land == "PL" and count == 7'}, by="card", label="fraud",
               episode="episode")  # fmt: skip
    table = made(said, "fraud episode", data)
    assert abs(table.num_rows - table.column("fraud").null_count - 0.02 * table.num_rows) < 3
    first = np.unique(table.column("episode").drop_null().to_numpy()) - 1000
    lands = np.array(followed(data, "payment", "card.bank.land").to_pylist())
    assert (lands[first] == "PL").all()
    assert (column(data.tables["payment"], "count")[first] == 7).all()
    none = made(one({"rate": 0.02, "where": "count > 100", "set": {"count": 1}}), "fraud count", data)
    assert none.column("fraud").null_count == none.num_rows


def test_entities_with_few_rows() -> None:
    """Full lengths where there is room for these, else shorter ones as far as `least` allows, else fewer rows."""
    data = payments(np.array([*[5] * 300, *[12] * 10]))
    rows = data.rows("payment")

    def lengths(pattern: Mapping[str, Any], seed: int) -> np.ndarray:
        table = made(one(pattern, by="card", label="fraud", episode="episode"), "fraud episode", data, seed)
        return np.unique(table.column("episode").drop_null().to_numpy(), return_counts=True)[1]

    whole = [lengths({"rate": 0.02, "rows": 8}, seed) for seed in range(40)]
    assert {*np.concatenate(whole)} == {8}
    assert far(np.array([w.sum() for w in whole], dtype=float), 0.02 * rows) > LEVEL
    cut = [lengths({"rate": 0.02, "rows": 8, "least": 3}, seed) for seed in range(40)]
    assert {*np.concatenate(cut)} == set(range(3, 9))
    assert far(np.array([c.sum() for c in cut], dtype=float), 0.02 * rows) > LEVEL
    assert {*lengths({"rate": 0.5, "rows": {"between": [4, 8]}}, 0)} >= {4, 5}  # short ones take what long ones leave
    assert lengths({"rate": 0.02, "rows": 13}, 0).sum() == 0
    assert 0 < lengths({"rate": 0.9, "rows": 12}, 0).sum() <= 120  # as many as there is room for


def test_every_row_may_belong_to_a_pattern() -> None:
    """Rates of 1 in all fill a table, one pattern or several."""
    data = payments(np.full(10, 20))
    said = {"label": "fraud", "patterns": {"a": {"rate": 0.5}, "b": {"rate": 0.25}, "c": {"rate": 0.25}}}
    labels = made(said, "fraud", data).column("fraud").to_pylist()
    assert [labels.count(x) for x in "abc"] == [100, 50, 50]
    whole = made(one({"rate": 1.0, "rows": 5, "least": 1}, by="card", label="fraud"), "fraud", data)
    assert whole.column("fraud").null_count <= 20


# --------------------------------------------------------------------------------------------- where, in what order
def test_an_episode_is_consecutive_rows_of_one_entity() -> None:
    """Steps count along the order of the entity's rows, whether these stand together or apart."""
    data = payments(sizes(120, 15))
    rng = Context(seed=3).at("shuffle").rng
    apart = data.take("payment", rng.permutation(data.rows("payment")))
    backwards = data.take("payment", np.arange(data.rows("payment"))[::-1])
    said = one({"rate": 0.2, "rows": {"between": [2, 6]}, "set": {"count": "episode.step", "day": "episode.start"}},
               by="card", order="at", label="fraud", episode="episode")  # fmt: skip
    for given in (data, apart, backwards):
        table = made(said, "fraud count day episode", given)
        taken = np.flatnonzero(table.column("episode").is_valid().to_numpy())
        assert abs(len(taken) - 0.2 * table.num_rows) <= 6
        held = given.tables["payment"]
        at, card, ident = (column(held, c) for c in ("at", "card", "#row"))
        place = np.empty(len(at), dtype=int)
        place[np.lexsort((at, card))] = np.arange(len(at))
        for number in np.unique(column(table, "episode")[taken]):
            mine = taken[column(table, "episode")[taken] == number]
            mine = mine[np.argsort(place[mine])]
            assert len({*card[mine]}) == 1
            assert (np.diff(place[mine]) == 1).all()
            assert column(table, "count")[mine].tolist() == list(range(len(mine)))
            assert ident[mine[0]] == number
            assert {*column(table, "day")[mine]} == {at[mine[0]].astype("datetime64[D]")}


def test_rows_of_no_entity_belong_to_no_pattern() -> None:
    """Where the reference has no value, there is no entity."""
    data = payments(np.full(30, 10))
    cards = pa.array(column(data.tables["payment"], "card"), mask=np.arange(300) % 10 >= 5)
    table = made(one({"rate": 0.3, "rows": 2, "set": {"count": -1}}, by="card"), "fraud count",
                 data.with_columns("payment", {"card": cards}))  # fmt: skip
    at = np.flatnonzero(column(table, "count") == -1)
    assert len(at)
    assert (at % 10 < 5).all()


# --------------------------------------------------------------------------------------------------- what is changed
def test_other_rows_keep_their_values_bit_for_bit() -> None:
    """Columns of every kind are changed in labelled rows, and in no other."""
    data = payments(sizes(60, 10))
    values = {"amount": 1e9, "money": 0.07, "shop": "episode.first.shop", "to": '"nobody"', "count": 77,
              "day": "day + 1", "chip": "not chip", "at": "at + seconds(1)", "raw": '"x"'}  # fmt: skip
    table = made(one({"rate": 0.1, "rows": {"between": [2, 5]}, "set": values}, by="card", order="at", label="fraud"),
                 " ".join(["fraud", *values]), data)  # fmt: skip
    here = table.column("fraud").is_valid()
    other = pa.compute.invert(here)
    assert 0 < sum(here.to_pylist()) < table.num_rows
    for name in values:
        before, after = data.tables["payment"].column(name), table.column(name)
        assert after.type == before.type
        assert after.filter(other).equals(before.filter(other))
        if name != "shop":
            assert not pa.compute.equal(after.filter(here), before.filter(here)).to_pylist().count(True), name
    some = here.to_pylist().index(True)
    assert table.slice(some, 1).select(["amount", "count", "to"]).to_pylist() == [
        {"amount": 1e9, "count": 77, "to": "nobody"}]  # fmt: skip
    assert str(table.column("money")[some]) == "0.07"


def test_formulas_see_what_rows_had_before() -> None:
    """Two columns can change places: whatever order they are written in, none sees the other changed."""
    data = payments(np.full(20, 10))
    table = made(one({"rate": 0.5, "set": {"amount": "count", "count": "amount"}}), "fraud amount count", data)
    here = table.column("fraud").is_valid().to_numpy()
    held = data.tables["payment"]
    assert (column(table, "amount")[here] == column(held, "count")[here]).all()
    rounded = np.floor(column(held, "amount")[here] + 0.5)
    assert np.array_equal(column(table, "count")[here].astype(float), rounded, equal_nan=True)


def test_random_words() -> None:
    """Numbers of rows and of episodes are even from 0 to 1, and differ from word to word and pattern to pattern."""
    data = payments(np.full(200, 20))
    words = ["row.u", "row.v", "row.w", "episode.u", "episode.v", "episode.w"]
    found = {}
    for word in words:
        table = made({"by": "card", "label": "fraud", "episode": "episode", "patterns": {
            name: {"rate": 0.25, "rows": 4, "set": {"amount": word}} for name in "ab"}},
            "fraud amount episode", data)  # fmt: skip
        here = table.column("fraud").is_valid().to_numpy()
        found[word] = column(table, "amount")[here]
        first = np.unique(column(table, "episode")[here], return_index=True)[1]
        alone = found[word] if word.startswith("row") else found[word][first]
        assert stats.kstest(alone, "uniform").pvalue > LEVEL
        assert len({*alone}) == len(alone)
        assert len({*found[word]}) == (len(here[here]) if word.startswith("row") else len(here[here]) // 4)
    for i, a in enumerate(words):
        for b in words[i + 1 :]:
            assert abs(np.corrcoef(found[a], found[b])[0, 1]) < 0.25


def test_generators_make_columns_of_a_pattern() -> None:
    """Any rule makes a column, for every row or once for an episode; it sees the row, its entity and the episode."""
    data = payments(np.full(100, 20))
    said = one({"rate": 0.2, "rows": 5, "set": {
        "shop": {"use": "reference", "with": {"weight": "if(online, 1, 0)"}, "once": True},
        "count": {"use": "choice", "with": {"values": {7: 1, 8: 1}}},
        "amount": {"use": "distribution", "with": {"uniform": {"low": "episode.step", "high": "episode.step + 0.5"}}},
        "to": {"use": "mask", "with": {"keep_last": 2}},
        "money": {"formula": "100 * row.u", "once": True},
        "raw": {"use": "formula", "with": {"formula": "card.mule"}},
    }}, by="card", label="fraud", episode="episode")  # fmt: skip
    table = made(said, "fraud episode shop count amount to money raw", data)
    here = table.filter(table.column("fraud").is_valid())
    number, shop, money = (here.column(c).to_numpy() for c in ("episode", "shop", "money"))
    assert (shop < 5).all()
    assert len({*zip(number, shop, strict=True)}) == len({*zip(number, money, strict=True)}) == len({*number})
    assert len({*shop}) == 5
    assert {*column(here, "count")} == {7, 8}
    step = np.tile(np.arange(5), len(number) // 5)
    assert ((column(here, "amount") - step >= 0) & (column(here, "amount") - step <= 0.5)).all()
    assert {t[:3] for t in here.column("to").drop_null().to_pylist()} == {"***"}
    whose = (number - 1000) // 20
    assert here.column("raw").to_pylist() == [f"mule {i}".encode() for i in whose]


def test_a_chain_whose_other_end_is_the_parents() -> None:
    """Mules: money goes on to whom the card's own column names, in falling amounts, minutes apart."""
    data = payments(sizes(80, 12), chunks=2)
    said = one({"rate": 0.1, "rows": {"between": [3, 5]}, "where": "card.active", "set": {
        "to": "card.mule", "money": "episode.first.money * 0.9 ^ episode.step",
        "at": "episode.start + minutes(3 * episode.step)"}},
        by="card", order="at", label="fraud", episode="episode")  # fmt: skip
    table = made(said, "fraud episode to money at", data)
    here = np.flatnonzero(table.column("fraud").is_valid().to_numpy())
    assert len(here) > 50
    wanted = followed(data, "payment", "card.mule").to_pylist()
    assert [table.column("to")[i].as_py() for i in here] == [wanted[i] for i in here]
    first = column(table, "episode")[here].astype(int) - 1000
    money, at = column(data.tables["payment"], "money").astype(float), column(data.tables["payment"], "at")
    assert np.allclose(column(table, "money")[here].astype(float), money[first] * 0.9 ** (here - first), atol=0.00501)
    assert (column(table, "at")[here] == at[first] + (here - first) * np.timedelta64(180, "s")).all()


def test_sensors_drift_stick_and_drop_out() -> None:
    """Faults of a device are patterns: readings that drift, stick at a value, are lost, or stand out once."""
    data = payments(np.full(50, 60))
    said = {"by": "card", "order": "at", "label": "fraud", "none": "fine", "episode": "episode", "patterns": {
        "drift": {"rate": 0.05, "rows": 10, "set": {"amount": "amount + 0.3 * episode.step"}},
        "stuck": {"rate": 0.05, "rows": {"between": [5, 15]}, "set": {"amount": "episode.first.amount"}},
        "drop-out": {"rate": 0.03, "rows": {"geometric": {"probability": 0.2}}, "set": {"amount": None}},
        "spike": {"rate": 0.01, "set": {"amount": "amount * (5 + 5 * row.u)"}},
    }}  # fmt: skip
    table = made(said, "fraud amount episode", data)
    label, number, value = (
        np.array(table.column("fraud").to_pylist()),
        column(table, "episode"),
        column(table, "amount"),
    )
    was = column(data.tables["payment"], "amount")
    at = np.arange(len(label))
    drift, stuck, lost, spike = (label == name for name in ("drift", "stuck", "drop-out", "spike"))
    assert np.allclose(value[drift], (was + 0.3 * (at - (number - 1000)))[drift], equal_nan=True)
    assert np.array_equal(value[stuck], was[(number[stuck] - 1000).astype(int)], equal_nan=True)
    assert np.isnan(value[lost]).all()
    assert ((value[spike] >= 5 * was[spike]) | np.isnan(was[spike])).all()
    assert np.array_equal(value[label == "fine"], was[label == "fine"], equal_nan=True)
    assert min(drift.sum(), stuck.sum(), lost.sum(), spike.sum()) > 20


# ------------------------------------------------------------------------------------------------------------ labels
def test_labels_of_every_kind() -> None:
    """A label is the pattern's name, true, or 1; other rows have what `none` says."""
    data = payments(np.full(10, 10))
    patterns = {"a": {"rate": 0.1}, "b": {"rate": 0.1}}
    names = made({"patterns": patterns, "none": "fine"}, "fraud", data).column("fraud").to_pylist()
    assert {x: names.count(x) for x in names} == {"a": 10, "b": 10, "fine": 80}
    truth = made({"patterns": patterns}, "is_fraud", data).column("is_fraud")
    assert truth.to_pylist().count(True) == 20
    assert truth.null_count == 0
    ones = made({"patterns": patterns}, "flag", data).column("flag")
    assert np.bincount(ones.to_numpy()).tolist() == [80, 20]


def test_new_columns_have_values_in_patterns_only() -> None:
    """A column that was not there before is empty elsewhere; where it must not be, that is said."""
    data = payments(np.full(10, 10))
    table = made(one({"rate": 0.2, "set": {"refunded": "day + 30"}}), "fraud refunded", data)
    assert table.column("refunded").is_valid().to_pylist() == table.column("fraud").is_valid().to_pylist()
    with pytest.raises(SampleError, match="`change`"):
        made(one({"rate": 0.2, "set": {"full": 1}}), "fraud full", data)


def test_a_second_scenario_adds_to_the_label_of_the_first() -> None:
    """A label that is there is changed in the rows of the new patterns alone."""
    data = payments(np.full(30, 10))
    before = pa.array(np.where(np.arange(300) % 3 == 0, "early", "none"), pa.large_string())
    table = made(one({"rate": 0.2}), "fraud", data.with_columns("payment", {"fraud": before}))
    labels, old = np.array(table.column("fraud").to_pylist()), np.array(before.to_pylist())
    assert (labels == "odd").sum() == 60
    assert (labels[labels != "odd"] == old[labels != "odd"]).all()


def test_the_same_rows_whatever_order_is_written() -> None:
    """The order of patterns and of what they set does not count: a saved recipe is the same recipe."""
    data = payments(sizes(40, 12))
    said = {"by": "card", "patterns": {name: {"rate": 0.3, "rows": 3} for name in "ab"}}
    turned = {**said, "patterns": {name: {"rate": 0.3, "rows": 3} for name in "ba"}}
    assert made(said, "fraud", data).equals(made(turned, "fraud", data))


# -------------------------------------------------------------------------------------------------------- whole runs
SPEC = """
synthwright: 1
name: pay
schema:
  tables:
    card: {key: id, fields: {id: {kind: key, type: int64, nulls: false}, active: {kind: boolean}}}
    payment:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        card: {kind: reference, to: card.id, type: int64, nulls: false}
        amount: {kind: number}
        tax: {kind: number}
        fraud: {kind: boolean}
start:
  rows: {card: 3300}
  children: {payment: {of: payment.card, count: 20}}
parts:
  - {make: [card.id, payment.id], use: counter}
  - {make: [card.active], use: bernoulli, with: {probability: 0.2}}
  - {make: [payment.amount], use: distribution, with: {lognormal: {median: 20, sigma: 1}}}
  - {make: [payment.tax], use: formula, with: {formula: payment_tax}}
  - make: [payment.fraud]
    change: [payment.amount]
    use: scenario
    with:
      by: card
      patterns:
        burst: {rate: 0.003, rows: {between: [6, 12]}, where: card.active, set: {amount: 0.5 + row.u}}
evaluate: {metrics: [integrity]}
curate: []
"""


def test_a_run_of_several_shards(tmp_path: Any) -> None:
    """In a run the share of rows is met, conditions on the parent hold, and others see what was changed."""
    (tmp_path / "pay.yaml").write_text(SPEC.replace("payment_tax", "amount * 2"), encoding="utf-8")
    assert sw.run(tmp_path / "pay.yaml", tmp_path / "out").passed
    table, cards = (pq.read_table(tmp_path / "out" / "data" / t) for t in ("payment", "card"))
    fraud = column(table, "fraud")
    assert abs(fraud.sum() - 0.003 * 66_000) <= 24
    assert (column(table, "tax") == 2 * column(table, "amount")).all()
    assert (column(table, "amount")[fraud] < 1.5).all()
    active = dict(zip(cards["id"].to_pylist(), cards["active"].to_pylist(), strict=True))
    assert all(active[c] for c in {*column(table, "card")[fraud]})
