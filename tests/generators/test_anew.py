"""Columns made anew: nothing of what was said comes back, and keys hold tables together."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, SampleError
from synthwright.core.infer import infer
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.generators.anew import Anew, AnewModel
from synthwright.testing import toys

ROWS = 200
TEXT = Field(kind=Kind.TEXT)


def _some(said: Callable[[int], str], rows: int) -> list[str | None]:
    return [None if i % 5 == 0 else said(i) for i in range(rows)]


def _mark(word: str, **more: Any) -> Field:
    return TEXT.model_copy(update={"sensitive": word, **more})


def _people(rows: int = ROWS) -> Dataset:
    """Return people with personal data of every sort, some of it missing."""
    return toys.dataset({"person": {
        "id": (Field(kind=Kind.KEY, type="int32", nulls=False, unique=True), list(range(1, rows + 1))),
        "email": (_mark("email", unique=True), [f"private{i}@mail.com" for i in range(rows)]),
        "name": (_mark("name"), _some(lambda i: f"Secretname{i} Hidden{i}", rows)),
        "phone": (_mark("phone", type="int64"), [str(6_175_550_000 + i * 7) for i in range(rows)]),
        "note": (TEXT, _some(lambda i: f"word{i} " * (1 + i % 9), rows)),
        "code": (TEXT.model_copy(update={"unique": True}), [f"{chr(65 + i % 26)}{i * 37_037:07}" for i in range(rows)]),
        "blob": (Field(kind=Kind.BYTES), [bytes([i % 256]) * (i % 4) for i in range(rows)]),
        "born": (Field(kind=Kind.DATE, sensitive="birth-date"), np.arange(rows) * 37),
        "ward": (Field(kind=Kind.CATEGORY, sensitive="ward"), [f"ward-{i % 4}-secret" for i in range(rows)]),
        "ill": (Field(kind=Kind.BOOLEAN, sensitive="health"), [i % 9 == 0 for i in range(rows)]),
        "same": (TEXT, ["said by all"] * rows),
    }}, keys={"person": "id"})  # fmt: skip


def _sampled(data: Dataset, rows: int = 1_000, recipe: Anew | None = None, place: str = "here") -> Dataset:
    table = data.schema.only
    model = (recipe or Anew()).fit(data, Part(data.schema.columns), Context(seed=1))
    return model.sample(Dataset.blank(data.schema, {table: rows}), Context(seed=2).at(place)).data


def test_nothing_real_comes_back(tmp_path: Path) -> None:
    """No value of personal data or free text is in the model's files or in what is made."""
    data = _people()
    model = Anew().fit(data, Part(data.schema.columns), Context(seed=1))
    model.save(tmp_path)
    said = "".join(p.read_bytes().decode("latin-1") for p in tmp_path.iterdir())
    made = _sampled(data)
    for name in ("email", "name", "phone", "note", "code", "ward"):
        real = set(data.column(f"person.{name}").to_pylist()) - {None}
        assert not real & set(made.column(f"person.{name}").to_pylist()), name
        assert not any(r in said for r in real), name
    again = AnewModel.load(tmp_path).sample(Dataset.blank(data.schema, {"person": 50}), Context(seed=3)).data
    assert again.tables["person"].equals(
        model.sample(Dataset.blank(data.schema, {"person": 50}), Context(seed=3)).data.tables["person"]
    )


def test_columns_keep_their_look() -> None:
    """Missing values, uniqueness, number of labels, types and what all rows share are as they were."""
    made = _sampled(_people())
    held = made.tables["person"]
    assert held.column("id").to_pylist() == list(range(1, 1_001))
    for name in ("email", "code"):
        assert len(held.column(name).unique()) == 1_000, name
    assert held.column("name").null_count == pytest.approx(200, abs=50)
    assert held.column("email").null_count == 0
    assert 2 <= len(held.column("ward").unique()) <= 4
    assert set(held.column("same").to_pylist()) == {"said by all"}
    assert all(len(p) == 10 and p.isdigit() for p in held.column("phone").to_pylist())
    born = held.column("born").cast(pa.int32()).to_numpy()
    assert born.min() >= 0
    assert born.max() <= 37 * ROWS
    made.to_arrow()


def test_shards_do_not_count() -> None:
    """Keys are unique over shards, and a row has the same key wherever it is made."""
    data = _people()
    model = Anew().fit(data, Part(("person.id", "person.email", "person.code")), Context(seed=1))
    starts = [Dataset.blank(data.schema, {"person": 500}, {"person": first}) for first in (0, 500)]
    shards = [model.sample(s, Context(seed=2).at(i)).data.tables["person"] for i, s in enumerate(starts)]
    for name in ("id", "email", "code"):
        assert len(set(shards[0].column(name).to_pylist()) | set(shards[1].column(name).to_pylist())) == 1_000, name
    moved = model.sample(starts[1], Context(seed=2).at("elsewhere")).data.tables["person"]
    assert moved.column("code").equals(shards[1].column("code"))


def _shop() -> Dataset:
    """Return customers with text keys and their orders."""
    key = Field(kind=Kind.KEY, nulls=False, unique=True)
    link = Field(kind=Kind.REFERENCE, to="customer.id", nulls=True)
    rng = np.random.default_rng(1)
    ids = [f"C{v}" for v in rng.choice(90_000, 40, replace=False) + 10_000]
    return toys.dataset({
        "customer": {"id": (key, ids)},
        "order": {"id": (Field(kind=Kind.KEY, type="int64", nulls=False), np.arange(200)),
                  "customer": (link, [None if i % 10 == 0 else ids[i % 40] for i in range(200)])},
    }, keys={"customer": "id", "order": "id"})  # fmt: skip


def test_references_are_drawn_from_the_parents() -> None:
    """Every reference is a key that the parent table got, or missing as often as before."""
    data = _shop()
    parents = Anew().fit(data, Part(("customer.id",)), Context(seed=1)).sample(
        Dataset.blank(data.schema, {"customer": 60}), Context(seed=2)).data.tables["customer"]  # fmt: skip
    start = Dataset.blank(data.schema, {"order": 5_000})
    given = Dataset(data.schema, {**start.tables, "customer": parents})
    model = Anew().fit(data, Part(("order.id", "order.customer")), Context(seed=1))
    made = model.sample(given, Context(seed=2)).data.column("order.customer")
    assert set(made.to_pylist()) - {None} == set(parents.column("id").to_pylist())
    assert made.null_count == pytest.approx(500, abs=90)
    alone = model.sample(start.select("order", []), Context(seed=2)).data.column("order.customer")
    first = Anew().fit(data, Part(("customer.id",)), Context(seed=1)).sample(
        Dataset.blank(data.schema, {"customer": 40}), Context(seed=2)).data.column("customer.id")  # fmt: skip
    assert set(alone.to_pylist()) - {None} <= set(first.to_pylist())


def test_no_parents_to_draw_from() -> None:
    """A reference to a table without rows is refused."""
    data = _shop()
    model = Anew().fit(data, Part(("order.customer",)), Context())
    empty = Dataset(
        data.schema, {**Dataset.blank(data.schema, {"order": 5}).tables, "customer": data.tables["customer"][:0]}
    )
    with pytest.raises(SampleError, match=r"customer\.id.*table without rows"):
        model.sample(empty, Context())


def test_pseudonyms_agree() -> None:
    """The same input gets the same fake in every row, table and shard; another seed gives another."""
    shop = _shop()
    recipe, ctx = Anew(consistent=True), Context(seed=1)
    swapped = {}
    for table, column in (("customer", "id"), ("order", "customer")):
        part = Part((f"{table}.{column}",), (), "replace")
        made = recipe.fit(shop, part, ctx).sample(shop, ctx.at(table)).data.column(f"{table}.{column}")
        swapped[table] = dict(zip(shop.column(f"{table}.{column}").to_pylist(), made.to_pylist(), strict=True))
    assert swapped["order"][None] is None
    assert all(swapped["customer"][k] == v for k, v in swapped["order"].items() if k is not None)
    assert len(set(swapped["customer"].values())) == 40
    mail = {"email": (_mark("email"), [f"private{i}@mail.com" for i in range(40)])}
    both = toys.dataset({"one": mail, "two": {"contact": mail["email"]}})
    fakes = [
        recipe.fit(both, Part((c,), (), "replace"), ctx).sample(both, ctx).data.column(c) for c in both.schema.columns
    ]
    assert fakes[0].equals(fakes[1])
    people = _people()
    twice = people.joined(people)
    part = Part(people.schema.columns, (), "replace")
    made = recipe.fit(people, part, ctx).sample(twice, Context(seed=9)).data.tables["person"]
    assert made.slice(0, ROWS).equals(made.slice(ROWS, ROWS))
    for name in ("id", "email", "code", "name"):
        assert made.column(name).null_count == twice.column(f"person.{name}").null_count, name
        assert not made.column(name).equals(twice.column(f"person.{name}")), name
    other = recipe.fit(people, part, Context(seed=2)).sample(twice, Context(seed=9)).data.tables["person"]
    assert not other.column("email").equals(made.column("email"))


def test_replace_keeps_what_is_missing() -> None:
    """In mode replace, a value that was missing stays so, with pseudonyms or without."""
    data = _people()
    for recipe in (Anew(), Anew(consistent=True)):
        model = recipe.fit(data, Part(("person.name", "person.note"), (), "replace"), Context())
        made = model.sample(data, Context()).data
        for column in ("person.name", "person.note"):
            assert made.column(column).is_null().equals(data.column(column).is_null())


def test_consistent_needs_an_input() -> None:
    """Pseudonyms are refused where nothing is replaced."""
    with pytest.raises(FitError, match="mode 'replace'"):
        Anew(consistent=True).fit(_people(), Part(("person.name",)), Context())


def test_locale() -> None:
    """An unknown locale is refused with the nearest one; a known one gives its names."""
    with pytest.raises(ValidationError, match="did you mean 'de_DE'"):
        Anew(locale="de_DF")
    names = _sampled(_people(), recipe=Anew(locale="ja_JP")).column("person.name").to_pylist()
    assert any(ord(c) > 0x3000 for c in "".join(n for n in names if n))


def test_models_are_plain(tmp_path: Path) -> None:
    """A saved model is JSON that anybody can read, beside empty arrays and hashes."""
    Anew().fit(_people(), Part(_people().schema.columns), Context()).save(tmp_path)
    assert sorted(json.loads((tmp_path / "model.json").read_text())["columns"]) == sorted(
        c.removeprefix("person.") for c in _people().schema.columns
    )


def test_text_that_stands_for_numbers() -> None:
    """A marked column of whole numbers gets numbers of its type."""
    schema = Schema(tables={"t": Table(fields={"tel": Field(kind=Kind.INTEGER, type="int32", sensitive="phone")})})
    data = Dataset(schema, {"t": pa.table({"tel": np.arange(30) + 6_175_550})})
    made = _sampled(data, 100).to_arrow()
    assert made.column("tel").type == pa.int32()


def _orders(rows: int = 1_500, people: int = 396) -> pa.Table:
    """Return orders of people who order unequally often, with what they are known by."""
    rng = np.random.default_rng(3)
    share = rng.gamma(1, 1, people)
    who = np.append(np.arange(people), rng.choice(people, rows - people, p=share / share.sum()))
    known = (rng.permutation(9_000)[:people] + 1_000)[who]
    return pa.table({
        "Kundennr": [f"K-{v}" for v in known], "CustomerID": pa.array(known + 11_000, pa.int32()),
        "patient_no": [None if i % 7 == 0 else float(v) for i, v in enumerate(known)],
        "e_mail": [f"p{v}@firm.test" for v in known], "Ort": np.array(["Ulm", "Bonn", "Kiel", "Hof"])[who % 4],
    })  # fmt: skip


def test_identifiers_repeat_as_they_did(tmp_path: Path) -> None:
    """None of the real ones comes back; there are as many others, as unevenly repeated, of the same look and type."""
    held = _orders()
    schema = infer({"t": held}).schema
    assert [f.sensitive for f in schema.tables["t"].fields.values()] == [*["identifier"] * 3, "email", None]
    assert schema.tables["t"].rules == ()
    data = Dataset.of({"t": held}, schema)
    model = Anew().fit(data, Part(schema.columns[:4]), Context(seed=1))
    model.save(tmp_path)
    said = (tmp_path / "model.json").read_text()
    whole = model.sample(Dataset.blank(schema, {"t": 1_500}), Context(seed=2)).data
    for name in held.column_names[:4]:
        real, made = held.column(name).drop_null(), whole.to_arrow_tables()["t"].column(name)
        assert made.type == real.type
        made = made.drop_null()
        assert not set(real.to_pylist()) & set(made.to_pylist()), name
        assert not any(f'"{v}"' in said for v in data.column(f"t.{name}").drop_null().to_pylist())
        assert len(made.unique()) == pytest.approx(len(real.unique()), rel=0.05)
        often, before = (np.sort(np.asarray(c.value_counts().field(1)))[::-1] for c in map(_joined, (made, real)))
        assert often[:40].sum() == pytest.approx(before[:40].sum(), rel=0.1)
    assert all(re.fullmatch("K-[1-9][0-9]{3}", v) for v in whole.column("t.Kundennr").to_pylist())
    assert {len(v) for v in whole.column("t.CustomerID").to_pylist()} == {5}
    starts = [Dataset.blank(schema, {"t": 750}, {"t": first}) for first in (0, 750)]
    parts = [AnewModel.load(tmp_path).sample(s, Context(seed=2)).data.tables["t"] for s in starts]
    assert pa.concat_tables(parts).column("Kundennr").equals(whole.column("t.Kundennr"))


def _joined(values: pa.ChunkedArray) -> pa.Array:
    return values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)


def test_identifiers_keep_apart_where_they_are_swapped() -> None:
    """As pseudonyms of an input, equal identifiers get equal ones and others get others."""
    held = _orders()
    data = Dataset.of({"t": held}, infer({"t": held}).schema)
    part = Part(data.schema.columns[:3], mode="replace")
    model = Anew(consistent=True).fit(data, part, Context(seed=1))
    made = model.sample(data, Context(seed=2)).data.to_arrow_tables()["t"]
    for name in held.column_names[:3]:
        pairs = set(zip(held.column(name).to_pylist(), made.column(name).to_pylist(), strict=True))
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
