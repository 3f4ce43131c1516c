"""Events come as often as was said, when the rhythm has them, and keep to each other as their process does."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from scipy import stats

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError, SpecError
from synthwright.core.schema import ROW, Schema
from synthwright.kit.events import points
from synthwright.kit.events.points import ascending, in_order, offspring, renewals
from synthwright.kit.ruled import as_field
from synthwright.processes.arrivals import Arrivals
from synthwright.testing import check_process

LEVEL = 1e-6
"""The false-alarm rate of each statistical test; seeds are fixed."""
DAY = 86_400 * 10**6
HOUR = DAY // 24
KEY = {"kind": "key", "type": "int64", "nulls": False}
SCHEMA = Schema.model_validate({"tables": {
    "bank": {"key": "id", "fields": {"id": KEY, "founded": {"kind": "date"}}},
    "card": {"key": "id", "fields": {
        "id": KEY, "bank": {"kind": "reference", "to": "bank.id", "type": "int64"}, "rate": {"kind": "number"},
        "opened": {"kind": "date"}, "closed": {"kind": "date"}, "word": {"kind": "category"}}},
    "payment": {"key": "id", "fields": {
        "id": KEY, "card": {"kind": "reference", "to": "card.id", "type": "int64"}, "at": {"kind": "datetime"},
        "day": {"kind": "date"}, "zoned": {"kind": "datetime", "type": "timestamp[ns, tz=Europe/Paris]"},
        "number": {"kind": "integer"}, "amount": {"kind": "number"}}},
}})  # fmt: skip
KINDS: list[dict[str, Any]] = [
    {"kind": "poisson"},
    {"kind": "hawkes", "excites": 0.4, "decay": "20min"},
    {"kind": "renewal", "regularity": 6},
    {"kind": "renewal", "regularity": 0.3},
]
OPEN = {"opening": {"mon-fri": "09:00-18:00", "sat": "10:30-14:00"}, "hours": {"12-14": 3}, "holidays": "DE"}


def cards(rows: int, **columns: Any) -> Dataset:
    """Return cards of two banks with these columns."""
    held = {ROW: pa.array(np.arange(rows)), "id": pa.array(np.arange(rows)), "bank": pa.array(np.arange(rows) % 2 + 1),
            **{c: pa.array(v) for c, v in columns.items()}}  # fmt: skip
    banks = {"id": pa.array([1, 2]), "founded": pa.array([19_800, None], pa.int32()).cast(pa.date32())}
    return Dataset(SCHEMA, {**Dataset.empty(SCHEMA).tables, "card": pa.table(held), "bank": pa.table(banks)})


def found(given: Dataset, *, seed: int = 1, **said: Any) -> tuple[np.ndarray, np.ndarray, pa.Table]:
    """Return whose events come to be and when, and their columns; what is wrong with the process fails the test."""
    process = Arrivals.model_validate({"at": "at", **said})
    assert process.misused(SCHEMA, "payment", "card") == []
    whose, columns = process.unfold(given, "payment", "card", Context(seed=seed).at("shard", 0))
    fields = SCHEMA.tables["payment"].fields
    table = pa.table({c: as_field(v, fields[c], "arrivals", c) for c, v in columns.items()})
    width = pa.int32() if process.at == "day" else pa.int64()
    at = np.asarray(table.column(str(process.at)).combine_chunks().cast(width)).astype(np.int64)
    assert (np.diff(whose) >= 0).all()
    assert (np.diff(at)[np.diff(whose) == 0] >= 0).all()
    return whose, at, table


def counted(whose: np.ndarray, rows: int) -> np.ndarray:
    """Return how many events each parent has."""
    return np.bincount(whose, minlength=rows)


def inside(whose: np.ndarray, at: np.ndarray, first: np.ndarray, last: np.ndarray) -> bool:
    """Return whether all events are between two days of their parents."""
    return bool(((at // DAY >= first[whose]) & (at // DAY <= last[whose])).all())


def near(got: float, wanted: float, spread: float) -> bool:
    """Return whether a sum of many is as near to what was expected as chance lets it be."""
    return bool(abs(got - wanted) < stats.norm.isf(LEVEL / 2) * spread)


@pytest.mark.parametrize("said", KINDS)
def test_contract(said: dict[str, Any]) -> None:
    """All that holds for every process holds."""
    check_process(Arrivals(at="at", position="position", per_day=0.3, between=("opened_at", "closed_at"),
                           rhythm={"hours": {"9-17": 3}}, least=1, most=9, **said))  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_poisson(seed: int) -> None:
    """Counts have the mean that was said, and as much variance; instants are even between the ends."""
    rows, rate, days = 3_000, 0.4, 30
    whose, at, _ = found(cards(rows), seed=seed, per_day=rate, between=("2024-04-01", "2024-04-30"))
    counts = counted(whose, rows)
    assert near(counts.sum(), rows * rate * days, np.sqrt(rows * rate * days))
    dispersion = ((counts - rate * days) ** 2).sum() / (rate * days)
    assert LEVEL < stats.chi2.sf(dispersion, rows) < 1 - LEVEL
    least = np.datetime64("2024-04-01", "us").astype(int)
    assert stats.kstest((at - least) / (days * DAY), "uniform").pvalue > LEVEL


@pytest.mark.parametrize("said", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_rhythm(said: dict[str, Any], seed: int) -> None:
    """Whatever the kind, nothing happens while it is closed; events that come by themselves have the hours' shares."""
    rows = 400
    _, at, _ = found(cards(rows), seed=seed, per_day=0.5, rhythm=OPEN, between=("2024-01-01", "2024-12-29"), **said)
    weekday, minute = (at // DAY + 3) % 7, at % DAY // (HOUR // 60)
    shop = (weekday < 5) & (minute >= 540) & (minute < 1080)
    assert (shop | ((weekday == 5) & (minute >= 630) & (minute < 840))).all()
    weights = np.zeros((7, 24))
    weights[:5, 9:18] = 1
    weights[5, 10:14] = [0.5, 1, 1, 1]
    weights[:, 12:14] *= 3
    if said["kind"] == "hawkes":
        return  # what events set off comes somewhat later than they do
    free = np.array(["2024-01-01", "2024-03-29", "2024-04-01", "2024-05-01", "2024-05-09", "2024-05-20", "2024-10-03",
                     "2024-12-25", "2024-12-26"], dtype="datetime64[D]").astype(int)  # fmt: skip
    days = np.full(7, 52.0) - 0.8 * np.bincount((free + 3) % 7, minlength=7)
    wanted = (weights * days[:, None]).ravel()
    counts = np.bincount(weekday * 24 + minute // 60, minlength=168)
    kept = wanted > 0
    mean = rows * 0.5 * wanted.sum() / (weights.sum() / 7)
    assert near(counts.sum(), mean, np.sqrt(mean) * max(1, said.get("regularity", 1) ** -0.5))
    if said["kind"] == "poisson":
        expected = counts.sum() * wanted[kept] / wanted.sum()
        assert stats.chisquare(counts[kept], expected).pvalue > LEVEL
    else:
        hours = counts.reshape(7, 24).sum(axis=0)[9:18] / counts.sum()
        np.testing.assert_allclose(hours, wanted.reshape(7, 24).sum(axis=0)[9:18] / wanted.sum(), atol=0.02)


@pytest.mark.parametrize("shape", [0.3, 1.0, 6.0])
def test_renewal(shape: float) -> None:
    """Gaps are gamma, the first is the rest of one that was met by chance; as many come as by chance, more evenly."""
    rows, days = 3_000, 100
    first = np.datetime64("2024-01-01", "us").astype(int)
    whose, at, _ = found(cards(rows), per_day=1, kind="renewal", regularity=shape, between=("2024-01-01", "2024-04-09"))
    counts = counted(whose, rows)
    assert near(counts.sum(), rows * days, np.sqrt(rows * days / shape))
    assert counts.var() == pytest.approx(days / shape, rel=0.15)
    begins = np.cumsum(counts) - counts
    law = stats.gamma(shape, scale=1 / shape)
    longer = stats.gamma(shape + 1, scale=1 / shape)
    one = begins[counts > 6]
    assert stats.kstest((at[one] - first) / DAY, lambda x: x * law.sf(x) + longer.cdf(x)).pvalue > LEVEL
    gaps = np.concatenate([at[one + i + 1] - at[one + i] for i in range(5)]) / DAY
    assert stats.kstest(gaps, law.cdf).pvalue > LEVEL
    if shape != 1:
        assert stats.kstest(gaps, "expon").pvalue < 1e-9


def test_renewal_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the gaps that were drawn at once do not reach the end, others follow."""
    plain = renewals(Context(seed=1).rng, np.full(4_000, 30.0), 4)[0]
    monkeypatch.setattr(points, "MARGIN", -1.0)
    whose, at = renewals(Context(seed=1).rng, np.full(4_000, 30.0), 4)
    assert (np.diff(whose) >= 0).all()
    assert (np.diff(at)[np.diff(whose) == 0] >= 0).all()
    for counts in (counted(plain, 4_000), counted(whose, 4_000)):
        assert near(counts.sum(), 120_000, np.sqrt(120_000 / 4))


def test_hawkes() -> None:
    """As many come in all as clusters have, they come in clumps, and far more often soon after each other."""
    rows, rate, days, excites = 2_000, 1.0, 60, 0.5
    whose, at, _ = found(cards(rows), per_day=rate, kind="hawkes", excites=excites, decay="10min",
                         between=("2024-01-01", "2024-02-29"))  # fmt: skip
    counts, wanted = counted(whose, rows), rate * days / (1 - excites)
    spread = np.sqrt(rate * days / (1 - excites) ** 3)
    assert near(counts.sum(), rows * wanted, np.sqrt(rows) * spread)
    assert counts.var() == pytest.approx(spread**2, rel=0.15)
    near_by = (np.diff(at)[np.diff(whose) == 0] < HOUR // 6).mean()
    assert near_by > 20 * (1 - np.exp(-wanted / days / 144))
    plain, _, _ = found(cards(rows), per_day=rate, kind="hawkes", excites=0, between=("2024-01-01", "2024-02-29"))
    assert near(len(plain), rows * days * rate, np.sqrt(rows * days * rate))


def test_what_an_event_sets_off() -> None:
    """Clusters have the size and the delays of a branching process; who does not stay sets nothing off."""
    rows = 40_000
    begin = np.zeros(rows, dtype=np.int64)
    last = 2**62

    def stays(_whose: np.ndarray, at: np.ndarray) -> np.ndarray:
        return at < last

    whose, at = offspring(Context(seed=1).rng, np.arange(rows), begin, branching=0.6, delay=10.0**9, stays=stays)
    sizes = counted(whose, rows)
    assert near(sizes.sum(), rows * 2.5, np.sqrt(rows * 0.6 / 0.4**3))
    for size in (1, 2, 3):  # Borel
        share = np.exp(-0.6 * size) * (0.6 * size) ** (size - 1) / [1, 2, 6][size - 1]
        assert stats.binomtest(int((sizes == size).sum()), rows, share).pvalue > LEVEL
    pairs = at[np.flatnonzero(np.isin(whose, np.flatnonzero(sizes == 2)))][1::2]
    assert stats.kstest(pairs / 10.0**9, "expon").pvalue > LEVEL
    last = 10**8
    early = offspring(Context(seed=1).rng, np.arange(rows), begin, branching=0.6, delay=10.0**9, stays=stays)[1]
    assert early.max() < last


def test_each_parent_has_its_own_rate_and_span() -> None:
    """Rates and ends may be formulas and paths; a parent without one, or with an empty span, gets no event."""
    rows = 2_000
    rng = Context(seed=5).rng
    rate = rng.pareto(1.5, rows) * 0.05
    opened = rng.integers(19_700, 19_800, rows).astype(np.int32)
    length = rng.integers(-5, 200, rows).astype(np.int32)
    none = np.arange(rows) % 10 == 0
    given = cards(rows, rate=pa.array(rate, mask=np.arange(rows) % 7 == 0), opened=pa.array(opened).cast(pa.date32()),
                  closed=pa.array(opened + length, mask=none).cast(pa.date32()))  # fmt: skip
    process = Arrivals(per_day="min(rate, 3)", between=("opened", "closed"))
    assert process.looks_at(SCHEMA, "card") == ("card.opened", "card.closed", "card.rate")
    for said in KINDS[:1], KINDS[2:3]:
        whose, at, _ = found(given, per_day="min(rate, 3)", between=("opened", "closed"), **said[0])
        counts = counted(whose, rows)
        mean = np.where(none | (np.arange(rows) % 7 == 0), 0, np.minimum(rate, 3) * np.maximum(length + 1, 0))
        assert (counts[mean == 0] == 0).all()
        assert near(counts.sum(), mean.sum(), np.sqrt(mean.sum()))
        busy = mean > 20
        assert near((counts / np.maximum(mean, 1))[busy].sum(), busy.sum(), np.sqrt((1 / mean[busy]).sum()))
        assert inside(whose, at, opened, opened + length)
    burst: dict[str, Any] = {"kind": "hawkes", "excites": 0.8, "decay": "5d"}
    assert inside(*found(given, per_day=0.2, between=("opened", "closed"), **burst)[:2], opened, opened + length)
    whose, at, _ = found(given, per_day=2, between=("bank.founded", "2024-12-31"))
    assert (whose % 2 == 0).all()  # the other bank was founded nobody knows when
    assert at.min() >= 19_800 * DAY


def test_least_most_and_position() -> None:
    """Nobody has fewer or more than was said, the first ones stay, and they are counted from 1."""
    rows = 2_000
    rate = np.where(np.arange(rows) % 2, 0.01, 1.0)
    for said in KINDS:
        free = found(cards(rows, rate=rate), per_day="rate", between=("2024-01-01", "2024-01-20"), **said)
        whose, at, table = found(cards(rows, rate=rate), per_day="rate", between=("2024-01-01", "2024-01-20"),
                                 least=2, most=6, position="number", **said)  # fmt: skip
        counts = counted(whose, rows)
        assert (counts == np.clip(counted(free[0], rows), 2, 6)).all()
        assert np.asarray(table.column("number")).tolist() == [i + 1 for c in counts for i in range(c)]
        for parent in np.flatnonzero(counted(free[0], rows) >= 2)[:50]:
            assert at[whose == parent].tolist() == free[1][free[0] == parent][:6].tolist()


def test_columns() -> None:
    """Days, instants with a zone and rounded ones; without a column there are only rows."""
    given = cards(50)
    span = ("2024-05-06", "2024-05-12")
    _, day, _ = found(given, at="day", per_day=5, between=span, rhythm={"weekdays": {"sun": 0}})
    assert set((day + 3) % 7) == set(range(6))
    _, at, table = found(
        given, at="zoned", per_day=5, between=span, every="30min", rhythm={"hours": {"9-17": 1, "else": 0}}
    )
    local = np.asarray(pa.compute.local_timestamp(table.column("zoned").combine_chunks()).cast(pa.int64())) // 1000
    assert set(local % DAY // (HOUR // 2)) == set(range(18, 34))
    assert (at % (1000 * HOUR // 2) == 0).all()
    bare = Arrivals(per_day=5, between=span).unfold(given, "payment", "card", Context(seed=1))
    assert bare.columns == {}
    assert len(bare.whose) > 50


def test_growth_needs_a_beginning() -> None:
    """Rates hold at the beginning of the span; where spans begin at different times, a day must be said."""
    span = ("2021-01-01", "2024-12-31")
    _, at, _ = found(cards(500), per_day=0.02, between=span, rhythm={"growth": 1})
    years = at.astype("datetime64[us]").astype("datetime64[Y]").astype(int) - 51
    wanted = 500 * 0.02 * 365.25 / np.log(2) * 2.0 ** np.arange(4)
    assert stats.chisquare(np.bincount(years), wanted * len(at) / wanted.sum()).pvalue > LEVEL
    assert near(len(at), wanted.sum(), np.sqrt(wanted.sum()) + wanted.sum() * 0.001)
    rule = Arrivals(between=("opened", "2024-12-31"), rhythm={"growth": 1})
    assert rule.misused(SCHEMA, "payment", "card")[0][0] == ("rhythm", "growth")
    since = Arrivals(between=("opened", "2024-12-31"), rhythm={"growth": 1, "since": "2024-01-01"})
    assert since.misused(SCHEMA, "payment", "card") == []


def test_in_order() -> None:
    """Events are put in the order of parents and time, whether both fit one number or not."""
    rng = Context(seed=4).rng
    assert (np.diff(ascending(rng, np.array([5])))).min() > 0
    for wide in (10**6, 10**15, 2**62):
        whose, at = rng.integers(0, 60_000, 3_000), rng.integers(-wide, wide, 3_000)
        order = np.lexsort((at, whose))
        one, two = in_order(whose, at)
        assert np.array_equal(one, whose[order])
        assert np.array_equal(two, at[order])
    shares = ascending(rng, np.array([3, 0, 40_000, 0]))
    assert len(shares) == 40_003
    assert stats.kstest(shares[3:], "uniform").pvalue > LEVEL


@pytest.mark.parametrize(
    ("said", "where", "wrong"),
    [
        ({"at": "amount"}, ("at",), "is of kind 'number', wanted 'date' or 'datetime'"),
        ({"position": "at"}, ("position",), "wanted 'integer'"),
        ({"per_day": "rates"}, ("per_day",), "did you mean 'rate'"),
        ({"per_day": "word"}, ("per_day",), "gives text, wanted a number"),
        ({"between": ("open", "2024-12-31")}, ("between", 0), "did you mean 'opened'"),
        ({"between": ("opened", "rate")}, ("between", 1), "gives a number, wanted a date or an instant"),
        ({"between": ("09:00", "2024-12-31")}, ("between", 0), "is a time of day"),
        ({"excites": 0.9}, ("excites",), "it is for 'hawkes'"),
        ({"regularity": 2}, ("regularity",), "it is for 'renewal'"),
        ({"rhythm": {"holidays": "DE"}, "between": ("1980-01-01", "2024-12-31")}, ("rhythm", "holidays"), "are known"),
        ({"rhythm": {"opening": {"sun": "9-12"}}, "between": ("2024-05-06", "2024-05-11")}, ("rhythm",), "nothing can"),
    ],
)
def test_misused(said: dict[str, Any], where: tuple[str | int, ...], wrong: str) -> None:
    """What makes no sense for the tables is told with its place."""
    place, message = Arrivals.model_validate(said).misused(SCHEMA, "payment", "card")[0]
    assert place == where
    assert wrong in message


@pytest.mark.parametrize("said", [{"per_day": -1}, {"per_day": float("nan")}, {"per_day": "1 +"}, {"kind": "cox"},
                                  {"excites": 1}, {"decay": "soon"}, {"regularity": 0}, {"least": 5, "most": 4},
                                  {"at": "at", "position": "at"}, {"least": -1}])  # fmt: skip
def test_refused(said: dict[str, Any]) -> None:
    """What is no process is refused."""
    with pytest.raises(ValidationError):
        Arrivals.model_validate(said)


def test_too_many() -> None:
    """More events than can be held are refused, not tried."""
    with pytest.raises(SampleError, match="at most 536,870,912 rows for 100 parents"):
        found(cards(100), per_day=10**6, between=("2020-01-01", "2024-12-31"))


SHOP = """
synthwright: 1
name: shop
schema:
  tables:
    card:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        rate: {kind: number, nulls: false}
        opened: {kind: date, nulls: false}
    payment:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        card: {kind: reference, to: card.id, type: int64, nulls: false}
        at: {kind: datetime, nulls: false}
        number: {kind: integer, nulls: false}
start:
  rows: {card: 300}
  children:
    payment:
      of: payment.card
      use: arrivals
      with: {at: at, position: number, per_day: rate, between: [opened, 2024-12-31], rhythm: RHYTHM, every: 1s}
parts:
  - {make: [card.id, payment.id], use: counter}
  - {make: [card.rate], use: distribution, with: {gamma: {shape: 2, scale: 0.02}}}
  - {make: [card.opened], use: instant, with: {between: [2024-01-01, 2024-06-30]}}
evaluate: {metrics: [integrity]}
curate: []
"""


def test_in_a_specification(tmp_path: Path) -> None:
    """A run has the events of every card after it was opened; faults are told with file, line and column."""
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP.replace("RHYTHM", "{opening: {mon-fri: 09:00-18:00}}"), encoding="utf-8")
    assert sw.run(path, tmp_path / "out").passed
    cards_, payments = (pq.read_table(tmp_path / "out" / "data" / t).to_pylist() for t in ("card", "payment"))
    opened = {c["id"]: c["opened"] for c in cards_}
    assert len(payments) > 300
    assert all(p["at"].date() >= opened[p["card"]] and p["at"].weekday() < 5 for p in payments)
    assert all(p["number"] == 1 or p["at"] >= before["at"] for before, p in pairwise(payments))
    path.write_text(SHOP.replace("RHYTHM", "{opening: {mon-fri: 09-25}}"), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        sw.check(path)
    assert [f.line for f in caught.value.faults if "'09-25' are no opening hours" in f.message] == [25]
