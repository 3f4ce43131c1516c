"""Generations that learn from each other: what is lost is seen, what chance does is not, by one rule for all."""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright import cli
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, UnknownNameError
from synthwright.kit.files import SYNTHETIC
from synthwright.report.collapsed import LIKENESS, RARE_WORDS, TAIL_MASS, TAILS, UTILITY, Collapse
from synthwright.studies import collapse_ruler
from synthwright.studies.collapse import Wish, collapse
from synthwright.studies.collapse_makers import maker_of
from synthwright.studies.collapse_table import TableRuler
from synthwright.studies.collapse_text import TextRuler

ROWS = 400
WISH = Wish(generations=3, target="label", rows=ROWS)


def people(rows: int = 3 * ROWS, seed: int = 3) -> pa.Table:
    """Return rows with tails, rare labels, and columns that hang together."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=rows)
    place = rng.choice([f"p{i}" for i in range(12)], rows, p=np.array([0.3, 0.3, *[0.04] * 10]))
    weight = size + rng.normal(size=rows) / 3
    return pa.table({"size": size, "weight": weight, "place": place, "label": np.where(weight > 0, "high", "low")})


def again(rows: Dataset, many: int, ctx: Context) -> Dataset:
    """Make rows as the world does: they lose nothing, whatever they are made from."""
    made = people(many, int(ctx.rng.integers(2**31)))
    return Dataset.of({rows.schema.only: made}, rows.schema)


def shrinking(rows: Dataset, many: int, ctx: Context) -> Dataset:
    """Draw rows from the middle of what is there: every generation loses the outermost."""
    table = rows.tables[rows.schema.only]
    size = table.column("size").to_numpy()
    middle = np.flatnonzero(np.abs(size - np.median(size)) <= np.quantile(np.abs(size - np.median(size)), 0.85))
    return Dataset(rows.schema, {rows.schema.only: table.take(pa.array(ctx.rng.choice(middle, many)))})


def regimes(found: Collapse) -> dict[str, int | None]:
    """Return when each regime is flagged."""
    return {r.title: r.flagged for r in found.regimes}


def test_what_is_lost_is_flagged_by_generation_two() -> None:
    """Where each generation replaces the last, the tails go, and that is flagged; beside real rows they stay longer."""
    found = collapse(people(), WISH, make=shrinking)
    assert regimes(found)["replace"] == 2
    replaced, gathered, _ = found.regimes
    assert set(replaced.steps[-1].fallen) >= {"spread", "shape", LIKENESS}
    kept = [found.kept(TAILS, s) or 0.0 for s in replaced.steps]
    assert kept == sorted(kept, reverse=True)
    assert gathered.flagged is None
    assert gathered.steps[-1].values["spread"] > replaced.steps[-1].values["spread"] + 0.01
    assert found.because.startswith("Keep the real rows: ")
    assert not replaced.steps[0].fallen, "what the first generation lacks is the generator's own loss"


def test_chance_is_not_flagged() -> None:
    """Rows that are as good as real ones are flagged in no regime; their measures lie about those of a real sample."""
    found = collapse(people(), WISH._replace(share_fresh=(0.2, 0.5)), make=again)
    assert set(regimes(found)) == {"replace", "accumulate", "fresh 20 %", "fresh 50 %"}
    assert not any(regimes(found).values())
    for measure, chance in found.chance.items():
        for step in found.regimes[0].steps:
            if measure != UTILITY:
                assert abs(step.values[measure] - chance.reference) <= chance.room(9), measure
    assert found.regimes[0].steps[-1].values[LIKENESS] > 0.8


def test_what_generations_learn_from() -> None:
    """The last alone; the real rows and all so far; the last with fresh real rows, which are never those of before."""
    seen: list[list[float]] = []

    def noted(rows: Dataset, many: int, _: Context) -> Dataset:
        table = rows.tables[rows.schema.only]
        seen.append(table.column("size").to_pylist())
        new = np.full(many, -9.0) - len(seen)
        return Dataset(rows.schema, {rows.schema.only: table.slice(0, many).set_column(0, "size", pa.array(new))})

    real = people()
    found = collapse(real, WISH._replace(share_fresh=(0.25,)), make=noted)
    sizes = set(real.column("size").to_pylist())
    first, *rest = seen
    replaced, gathered, mixed = rest[:2], rest[2:4], rest[4:]
    assert set(first) <= sizes
    assert all(not sizes & set(rows) and len(rows) == ROWS for rows in replaced)
    assert [len(rows) for rows in gathered] == [2 * ROWS, 3 * ROWS]
    assert all(set(first) <= set(rows) for rows in gathered)
    fresh = [sizes & set(rows) for rows in mixed]
    assert [len(rows) for rows in mixed] == [ROWS, ROWS]
    assert [len(f) for f in fresh] == [ROWS // 4] * 2
    assert not fresh[0] & fresh[1]
    assert not (fresh[0] | fresh[1]) & set(first)
    said = [[(s.learned, round(s.real, 3)) for s in r.steps] for r in found.regimes]
    assert said == [[(400, 1.0), (400, 0.0), (400, 0.0)], [(400, 1.0), (800, 0.5), (1200, 0.333)],
                    [(400, 1.0), (400, 0.25), (400, 0.25)]]  # fmt: skip


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell chance from fewer halves, and likeness from fewer trees."""
    for name, value in (("_HALVES", 15), ("_MODELS", 2), ("_ROUNDS", 8)):
        monkeypatch.setattr(collapse_ruler, name, value)


@pytest.mark.usefixtures("quick")
def test_the_same_seed_gives_the_same_page(tmp_path: Path) -> None:
    """Registered generators make the generations; what is written repeats byte for byte, and another seed differs."""
    real = people(240)
    for name in ("one", "two"):
        found = sw.collapse(real, "marginals", generations=2, target="label", out=tmp_path / name, seed=5)
    for name in ("collapse.html", "collapse.md", "collapse.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    said = json.loads((tmp_path / "one" / "collapse.json").read_bytes())
    assert said["use"] == "marginals"
    assert said["flagged"] == regimes(found)
    assert found.table.num_rows == 3 * 2 * len(found.chance)
    other = sw.collapse(real, "marginals", generations=2, target="label", seed=6)
    assert other.regimes[0].steps[1].values != found.regimes[0].steps[1].values


@pytest.mark.usefixtures("quick")
def test_texts() -> None:
    """Texts are varied where no generator is named, and measured; one for tables leaves them out, and says so."""
    rng = np.random.default_rng(1)
    words = [f"{a}{b}" for a in ("ka", "lo", "mi", "ne", "ru") for b in ("lan", "ken", "mor", "nit", "pis", "rad")]
    intents = rng.choice(["ask", "tell"], 240)
    texts = [" ".join(["please" if i == "ask" else "well", *rng.choice(words, 8)]) for i in intents]
    fields = {"text": {"kind": "text", "nulls": False}, "intent": {"kind": "category", "nulls": False}}
    schema = sw.Schema.model_validate({"tables": {"data": {"fields": fields}}})
    real = pa.table({"text": texts, "intent": intents})
    found = sw.collapse(real, generations=2, schema=schema, target="intent")
    assert found.use == "text-augmentation"
    assert {RARE_WORDS, "distinct-2", LIKENESS, UTILITY} <= set(found.chance)
    assert found.chance[UTILITY].reference > 0.9, "a classifier of words tells the two intents apart"
    schema = sw.Schema.model_validate({"tables": {"data": {"fields": fields | {"size": {"kind": "number"}}}}})
    more = real.append_column("size", pa.array(rng.normal(size=240)))
    tabular = sw.collapse(more, "marginals", generations=2, schema=schema, target="intent")
    assert RARE_WORDS not in tabular.chance
    assert tabular.notes == ("text: left out, for marginals learns no texts",)


def test_texts_are_varied_in_turn() -> None:
    """Each text is varied as often as any other, or once more: none is lost by the luck of the draw."""
    often = varied([f"please play number {i} once again for me" for i in range(40)], 100, 4)
    assert set(often.tolist()) == {2, 3}
    assert often.sum() == 100


def varied(texts: list[str], many: int, seed: int) -> np.ndarray:
    """Return how often each text was varied where so many are made."""
    fields = {"text": {"kind": "text", "nulls": False}, "number": {"kind": "integer", "nulls": False}}
    schema = sw.Schema.model_validate({"tables": {"data": {"fields": fields}}})
    rows = Dataset.of({"data": pa.table({"text": texts, "number": range(len(texts))})}, schema)
    made = maker_of("text-augmentation", schema)(rows, many, Context(seed=seed))
    return np.bincount(made.tables["data"].column("number").to_numpy(), minlength=len(texts))


def test_texts_that_share_rare_words_stand_for_each_other() -> None:
    """Of five generations of the same texts one of each text is varied, by whatever else they say; none is favoured."""
    said = ["please play {} for me", "do {} now", "{}", "well then {} again", "sing {} sing to me"]
    for rare in ("song{}", "{0}k {0}m"):  # one rare word, or two
        texts = [how.format(rare.format(i)) for how in said for i in range(60)]
        often = varied(texts, 60, 5)
        assert set(often.reshape(5, 60).sum(axis=0).tolist()) == {1}
    every = sum(varied(["so it is", "", "it was", "one", "was it so", "two two"], 2, seed) for seed in range(90))
    assert np.abs(every - 30).max() < 4 * np.sqrt(90 * 2 / 9)


def test_tails_are_counted_cell_by_cell() -> None:
    """The share kept is what a slow count gives: the least of both shares in each rare cell, over columns."""
    real, other = people(500), people(300, 9)
    fields = Dataset.of(real).schema.tables["data"].fields
    ruler = TableRuler(real, fields, Context(seed=1))
    found = ruler.measure(ruler.read(other))
    here, there = (t.column("place").to_pylist() for t in (real, other))
    rare = [p for p in sorted(set(here)) if here.count(p) / 500 <= 0.05]
    places = sum(min(here.count(p) / 500, there.count(p) / 300) for p in rare) / sum(here.count(p) / 500 for p in rare)
    kept = [places, *(_tail(real.column(c).to_pylist(), other.column(c).to_pylist()) for c in ("size", "weight"))]
    assert found[TAILS] == pytest.approx(np.mean(kept))
    assert ruler.measure(ruler.read(real))[TAILS] == pytest.approx(1.0)


def _tail(here: list[float], there: list[float]) -> float:
    edges = [sorted(here)[int(np.ceil(q * len(here))) - 1] for q in (0.005, 0.01, 0.02, 0.05, 0.95, 0.98, 0.99, 0.995)]
    ranges = [(-np.inf, edges[0]), *pairwise(edges[:4]), *pairwise(edges[4:]), (edges[7], np.inf)]
    shares = [[sum(a < v <= b for v in values) / len(values) for a, b in ranges] for values in (here, there)]
    return sum(map(min, *shares)) / sum(shares[0])


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (WISH._replace(generations=1), "generations: wanted from 2 to 100"),
        (WISH._replace(share_fresh=(1.0,)), "above 0 and below 1, got 1"),
        (WISH._replace(rows=401), "at least 1,203 rows"),
        (WISH._replace(target="lable"), "target 'lable'"),
        (WISH._replace(use="text-augmentation"), "a table with a column of text"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, wish: Wish, said: str) -> None:
    """With the reason, and what would do; no folder is left that was not there before."""
    for out in (None, tmp_path / "out" / "collapse"):
        with pytest.raises(InputError, match=re.escape(said)):
            collapse(people(), wish, out)
    assert not list(tmp_path.iterdir())


def test_synthetic_rows_and_several_tables_are_refused(tmp_path: Path) -> None:
    """Generations are made here, of one table; generators that cannot learn it are named as such."""
    marked = people().replace_schema_metadata({SYNTHETIC: "true"})
    pq.write_table(marked, tmp_path / "made.parquet")
    for data in (marked, tmp_path / "made.parquet", sw.read(tmp_path / "made.parquet")):
        with pytest.raises(InputError, match="rows that say they are synthetic"):
            collapse(data, WISH)
    with pytest.raises(InputError, match="one table"):
        collapse({"a": people(), "b": people()}, WISH)
    for use in ("counter", "mst"):  # the last spends a privacy budget, of which there is none here
        with pytest.raises(UnknownNameError, match="learns whole tables"):
            collapse(people(), WISH._replace(use=use))


@pytest.mark.usefixtures("quick")
def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what to do and where the page is, or prints JSON."""
    pq.write_table(people(180), tmp_path / "people.parquet")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    words = ["synthwright", "collapse", "--data", "people.parquet", "--generations", "2", "--use", "marginals"]
    said = []
    for more in ([], ["--json"], ["people.parquet"]):
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit) as left:
            cli.main()
        said.append((left.value.code or 0, capsys.readouterr()))
    assert said[0][0] == 0
    assert "accumulate: " in said[0][1].out
    assert "collapse.html" in said[0][1].out
    assert json.loads(said[1][1].out)["rows"] == 60
    assert said[2][0] == 2
    assert "say the data, once" in said[2][1].err


def test_rare_words_are_counted_word_by_word() -> None:
    """A rare word that is repeated stands for no other; what real texts say often does not count."""
    judge = pa.table({"text": ["often often often often one", "often two", "three"]})
    ruler = TextRuler(judge, ["text"], Context(seed=1))
    assert ruler.measure(ruler.read(judge))[RARE_WORDS] == pytest.approx(1.0)
    found = ruler.measure(ruler.read(pa.table({"text": ["one one one often", "often four one one"]})))
    assert found[RARE_WORDS] == pytest.approx(1 / 3)
    assert found["vocabulary"] == pytest.approx(1 / 3)
    assert found[TAIL_MASS] == pytest.approx(5 / 3), "five of eight words are rare ones, where three of eight were"
    assert found["distinct texts"] == 1.0


def test_tail_mass_is_how_much_of_a_text_is_rare_words() -> None:
    """Who says rare words half as often has half of it; who says half of them twice as often has all of it."""
    texts = [f"play the song rare{i} for me" for i in range(60)]
    ruler = TextRuler(pa.table({"text": texts}), ["text"], Context(seed=1))
    found = {}
    for name, word in (("as often", "rare{}"), ("half", "other{}"), ("twice", "rare{}")):
        made = [f"play the song {(word if i % 2 else 'rare{}').format(i - (name == 'twice' and i % 2))} for me"
                for i in range(60)]  # fmt: skip
        found[name] = ruler.measure(ruler.read(pa.table({"text": made})))
    assert [found[n][TAIL_MASS] for n in found] == pytest.approx([1.0, 0.5, 1.0])
    assert [found[n][RARE_WORDS] for n in found] == pytest.approx([1.0, 0.5, 0.5])


@pytest.mark.usefixtures("quick")
def test_texts_that_grow_drab_lose_tail_mass() -> None:
    """Who leaves rare words out, more in each generation, is flagged by it where each generation replaces the last."""
    fields = {"text": {"kind": "text", "nulls": False}}
    schema = sw.Schema.model_validate({"tables": {"data": {"fields": fields}}})
    rng = np.random.default_rng(2)
    rare = rng.integers(0, 400, (720, 2))
    real = pa.table({"text": [f"play the song w{a} of w{b}" for a, b in rare]})

    def drab(rows: Dataset, many: int, ctx: Context) -> Dataset:
        texts = rows.tables["data"].column("text").to_pylist()
        picked = [texts[i] for i in ctx.rng.integers(0, len(texts), many)]
        dull = [re.sub(r"w\d+", "it", text) if i % 2 else text for i, text in enumerate(picked)]
        return Dataset(rows.schema, {"data": pa.table({"text": dull}).cast(rows.tables["data"].schema)})

    found = collapse(real, Wish(generations=3, schema=schema), make=drab)
    replaced = found.regimes[0]
    assert TAIL_MASS in replaced.steps[1].fallen
    kept = [found.kept(TAIL_MASS, step) or 0.0 for step in replaced.steps]
    assert kept == sorted(kept, reverse=True)
