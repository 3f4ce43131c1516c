"""What a schema is guessed from data: kinds, keys, references, lattices, and nothing of any row."""

from __future__ import annotations

import datetime as dt
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.infer import Inferred, infer
from synthwright.core.schema import Field, Kind, Schema

ROWS = 60
RNG = np.random.default_rng(3)


def _field(values: Any, name: str = "c", *, text: bool = False) -> Field:
    column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    return infer({"t": pa.table({name: column})}, text=text).schema.tables["t"].fields[name]


def _why(found: Inferred, column: str) -> str:
    return next((f"{n.guess}; {n.why}" for n in found.notes if n.column == column), "")


NUMBERS = RNG.permutation(ROWS * 10)[:ROWS]
FRAMES: list[tuple[str, str, Any, Kind, dict[str, Any]]] = [
    ("whole numbers", "x", NUMBERS, Kind.INTEGER, {"step": None, "nulls": False}),
    ("multiples of fifty", "x", NUMBERS * 50, Kind.INTEGER, {"step": 50}),
    ("two flags", "x", [0, 1] * 30, Kind.INTEGER, {"step": None}),
    ("years", "year", np.arange(1960, 2020), Kind.INTEGER, {}),
    ("cents", "x", np.round(RNG.gamma(2, 20, ROWS), 2), Kind.NUMBER, {"step": 0.01}),
    ("halves", "x", NUMBERS / 2, Kind.NUMBER, {"step": 0.5}),
    ("float32 tenths", "x", np.round(RNG.random(ROWS), 1).astype("f4"), Kind.NUMBER, {"step": 0.1, "type": "float"}),
    ("floats", "x", RNG.normal(size=ROWS), Kind.NUMBER, {"step": None, "unique": False}),
    ("fourths in decimals", "x", [Decimal(int(v)) / 4 for v in NUMBERS], Kind.NUMBER, {"step": 0.25}),
    ("an absurd outlier", "x", [*np.round(RNG.normal(size=ROWS), 2), 1e300], Kind.NUMBER, {"step": 0.01}),
    ("infinities", "x", [np.inf, -np.inf, *RNG.normal(size=ROWS)], Kind.NUMBER, {"step": None}),
    ("denormals", "x", [5e-324, 1e-310, 0.0] * 20, Kind.NUMBER, {"step": None}),
    ("constant", "x", [1.5] * ROWS, Kind.NUMBER, {"step": None}),
    ("hours", "x", pa.array(NUMBERS * 3_600, pa.timestamp("s")), Kind.DATETIME, {"step": 3_600e6}),
    (
        "days in nanoseconds",
        "x",
        pa.array(NUMBERS * 86_400 * 10**9, pa.timestamp("ns")),
        Kind.DATETIME,
        {"step": 86_400e9},
    ),
    ("every seventh day", "x", pa.array(NUMBERS * 7, pa.int32()).cast(pa.date32()), Kind.DATE, {"step": 7}),
    ("minutes", "x", pa.array(NUMBERS * 60, pa.duration("s")), Kind.DURATION, {"step": 60e6}),
    ("months as numbers", "x", [202001 + v % 12 for v in range(ROWS)], Kind.DATE, {"form": "%Y%m", "type": "int64"}),
    ("amounts that end like months", "x", [202001 + v % 14 for v in range(ROWS)], Kind.INTEGER, {"form": None}),
    ("days as numbers", "x", [20200101 + v % 28 for v in range(ROWS)], Kind.DATE, {"form": "%Y%m%d", "type": "int64"}),
    ("labels", "x", ["a", "b", "c"] * 20, Kind.CATEGORY, {}),
    ("the label NA", "x", ["NA", "EU"] * 30, Kind.CATEGORY, {"nulls": False}),
    ("a constant label", "x", ["a"] * ROWS, Kind.CATEGORY, {}),
    ("codes with zeros", "x", ["01234", "00001"] * 30, Kind.CATEGORY, {}),
    ("words", "x", [f"{v} lines of some text" for v in NUMBERS], Kind.TEXT, {"unique": False}),
    ("zip codes", "zip", [f"{v:05d}" for v in NUMBERS], Kind.TEXT, {}),
    ("money", "x", [f"${v * 10.25:,.2f}" for v in NUMBERS], Kind.NUMBER, {"form": "$1,234.50", "step": 10.25}),
    ("iso days in text", "x", [f"2020-01-{v % 28 + 1:02d}" for v in NUMBERS], Kind.DATE, {"form": "%Y-%m-%d"}),
    ("yes and no", "x", ["yes", "no", None] * 20, Kind.BOOLEAN, {"form": "yes|no", "nulls": True}),
    ("numbers in text", "x", [str(v) for v in NUMBERS], Kind.INTEGER, {"form": "1234", "type": "string"}),
    ("few digits in text", "x", [str(v % 4) for v in NUMBERS], Kind.CATEGORY, {"form": None}),
    ("bytes", "x", [bytes([v]) for v in range(ROWS)], Kind.BYTES, {}),
    ("nulls", "x", pa.nulls(ROWS), Kind.CATEGORY, {"type": "null", "nulls": True}),
    ("typed nulls", "x", pa.nulls(ROWS, pa.int16()), Kind.INTEGER, {"type": "int16", "nulls": True}),
    ("a dictionary", "x", pa.array(["a", "b", "b"] * 20).dictionary_encode(), Kind.CATEGORY, {}),
    ("medical codes", "diagnosis_code", [185345009, 185349003, 10509002] * 20, Kind.CATEGORY, {"type": "int64"}),
    ("an id", "id", NUMBERS, Kind.KEY, {"unique": True, "nulls": False}),
    ("a count", "x1", np.arange(ROWS) + 1, Kind.INTEGER, {}),
    ("an index", "column", np.arange(ROWS), Kind.KEY, {"unique": True}),
    ("no name", "", np.arange(ROWS), Kind.KEY, {}),
    ("codes of one build", "x", [f"INV-{v:05d}" for v in NUMBERS], Kind.KEY, {"unique": True}),
    ("an id in floats", "record_id", NUMBERS.astype(float), Kind.KEY, {"type": "double"}),
    ("a measure called id", "acid", RNG.normal(size=ROWS), Kind.NUMBER, {}),
    ("a unique measure", "height", RNG.normal(size=ROWS), Kind.NUMBER, {}),
    ("an id that repeats", "customer_id", [1, 2, 3] * 20, Kind.INTEGER, {}),
]


@pytest.mark.parametrize(("name", "values", "kind", "more"), [f[1:] for f in FRAMES], ids=[f[0] for f in FRAMES])
def test_kinds_of_columns_in_frames(name: str, values: Any, kind: Kind, more: dict[str, Any]) -> None:
    """A column of a frame is what a careful reader would say it is."""
    field = _field(values, name)
    assert field.kind is kind
    assert {k: getattr(field, k) for k in more} == more


CELLS: list[tuple[list[Any], Kind, dict[str, Any]]] = [
    (["1", "NA", "3", "-"] * 15, Kind.INTEGER, {"type": "int64", "form": None, "nulls": True}),
    (["1.50", "2.25", "n/a", "3.00"] * 15, Kind.NUMBER, {"type": "double", "form": "1234.50"}),
    (["1.5", "2.25", "3"] * 20, Kind.NUMBER, {"type": "double", "form": None}),
    (["1e5", "2.5E-3", "7"] * 20, Kind.NUMBER, {"type": "double", "form": None}),
    (["18446744073709551615", "1"] * 30, Kind.INTEGER, {"type": "uint64"}),
    (["inf", "-inf", "1.5"] * 20, Kind.NUMBER, {"type": "double"}),
    (["true", "false", "?"] * 20, Kind.BOOLEAN, {"type": "bool", "form": None}),
    (["True", "False"] * 30, Kind.BOOLEAN, {"type": "bool", "form": "True|False"}),
    (["0", "1"] * 30, Kind.INTEGER, {"type": "int64"}),
    (["yes", "no"] * 30, Kind.BOOLEAN, {"type": "string", "form": "yes|no"}),
    (["2020-01-01", "1999-12-31", "null"] * 20, Kind.DATE, {"type": "date32[day]", "form": None}),
    (["2020-01-01 10:00:00"] * 30, Kind.DATETIME, {"type": "timestamp[s]", "form": None}),
    (["2020-01-01T10:00:00Z"] * 30, Kind.DATETIME, {"type": "timestamp[s, tz=UTC]", "form": "%Y-%m-%dT%H:%M:%SZ"}),
    (
        ["2020-07-01 02:00:00+02:00", "2020-01-01 01:00:00+01:00"] * 9,
        Kind.DATETIME,
        {"type": "timestamp[us, tz=Europe/Berlin]"},
    ),
    (["31/12/2020", "01/02/2020"] * 30, Kind.DATE, {"type": "string", "form": "%d/%m/%Y"}),
    (["20200131", "20211231", "19990101"] * 9, Kind.DATE, {"type": "int64", "form": "%Y%m%d"}),
    (["PT90.5S", "PT1.0S"] * 9, Kind.DURATION, {"type": "duration[us]"}),
    (["NA", "EU", None] * 20, Kind.CATEGORY, {"type": "string", "nulls": True}),
    (["NA"] * 30, Kind.CATEGORY, {"nulls": False}),
    (["007", "010"] * 30, Kind.CATEGORY, {"type": "string"}),
    (["+1", "-2"] * 30, Kind.INTEGER, {"type": "int64"}),
    (["1", "2", "three"] * 30, Kind.CATEGORY, {}),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "kind", "more"), CELLS, ids=lambda v: str(v)[:40])
def test_cells_of_files_get_types_of_their_own(cells: list[Any], kind: Kind, more: dict[str, Any]) -> None:
    """Plain numbers, booleans and ISO dates in a text file become types; a few words there mean null."""
    field = _field(cells, text=True)
    assert field.kind is kind
    assert {k: getattr(field, k) for k in more} == more
    Dataset.of(
        {"t": pa.table({"c": cells})}, Schema.model_validate({"tables": {"t": {"fields": {"c": field}}}}), text=True
    )


SPELLINGS = st.sampled_from(
    ["1", "2.5", "2020-01-01", "12:30", "NA", "", "yes", "no", "1,234", "$5.00", "5%", "(5)", "+5"]
) | st.text(st.sampled_from("0123456789.,-/:+ $%aAPM"), max_size=9)


@settings(max_examples=200, deadline=None)
@given(
    cells=st.lists(st.none() | SPELLINGS, min_size=1, max_size=12),
    name=st.sampled_from(["c", "id", "phone", "zip code", "date", "ssn", "card"]),
)
def test_whatever_strings_a_frame_holds_come_back(cells: list[str | None], name: str) -> None:
    """Strings of a frame survive inference and the door, and cells of a file at least go through."""
    table = pa.table({name: pa.array(cells * 3, pa.string())})
    assert Dataset.of(table).to_arrow() == table
    assert Dataset.of(table, text=True).to_arrow().num_rows == len(cells) * 3


def test_high_cardinality_labels_are_categories() -> None:
    """Thousands of labels that repeat are a category; names that hardly repeat are not."""
    labels = [f"city {v}" for v in RNG.integers(0, 3_000, 20_000)]
    assert _field(labels).kind is Kind.CATEGORY
    assert _field([f"place {v}" for v in RNG.permutation(30_000)[:20_000]]).kind is Kind.TEXT


def test_the_likeliest_key_is_chosen() -> None:
    """Of two columns that name rows, the key is the one that is called after the table."""
    table = pa.table({"index": np.arange(ROWS), "order_id": NUMBERS, "amount": RNG.normal(size=ROWS)})
    spec = infer({"orders": table}).schema.tables["orders"]
    assert spec.key == "order_id"
    assert spec.where(Kind.KEY) == ("index", "order_id")


def test_references_are_found_by_name_and_values() -> None:
    """A column points to another table where it is called so and all its values occur there, nulls apart."""
    people = pa.table({"id": NUMBERS, "height": RNG.normal(size=ROWS)})
    shops = pa.table({"shop_id": [f"S{i:03d}" for i in range(ROWS)], "area": RNG.normal(size=ROWS)})
    orders = pa.table(
        {
            "order_id": np.arange(ROWS) + 500,
            "person_id": pa.array([*map(float, NUMBERS[:-1]), None]),
            "shop_id": [f"S{i % 7:03d}" for i in range(ROWS)],
            "peoples": NUMBERS + 10_000,
            "count": NUMBERS,
        }
    )
    found = infer({"people": people, "shops": shops, "orders": orders})
    fields = found.schema.tables["orders"].fields
    assert fields["person_id"].to == "people.id"
    assert fields["shop_id"].to == "shops.shop_id"
    assert fields["peoples"].kind is fields["count"].kind is Kind.INTEGER
    assert any(n.table == "orders" and "every value occurs there" in n.why for n in found.notes)
    data = Dataset.of({"people": people, "shops": shops, "orders": orders})
    assert data.column("orders.person_id").type == data.column("people.id").type


def test_references_go_round_in_no_circle() -> None:
    """Tables that point to each other keep the clearer reference only."""
    left = pa.table({"left_id": np.arange(ROWS), "right_id": np.arange(ROWS)[::-1]})
    right = pa.table({"right_id": np.arange(ROWS), "left_id": np.arange(ROWS)[::-1]})
    tables = infer({"left": left, "right": right}).schema.tables
    assert sum(len(t.where(Kind.REFERENCE)) for t in tables.values()) == 1


def test_the_schema_holds_nothing_of_a_row() -> None:
    """No value of the data is in the schema or the notes, which may be released."""
    words = [f"canary{v}" for v in range(20)]
    table = pa.table({
        "label": [words[v % 7] for v in NUMBERS],
        "constant": ["canaryconstant"] * ROWS,
        "text": [f"canary text {v} of somebody" for v in NUMBERS],
        "number": NUMBERS + 7_777_000,
        "first_name": [f"Canary{chr(97 + v % 26)}" for v in NUMBERS],
        "email": [f"canary{v}@example.org" for v in NUMBERS],
        "rank": pa.array(["canaryrare", *["low", "high"] * 30][:ROWS]).dictionary_encode().cast(
            pa.dictionary(pa.int8(), pa.string(), ordered=True)
        ),
    })  # fmt: skip
    found = infer({"t": table})
    said = found.schema.model_dump_json() + json.dumps(found.notes)
    assert "canary" not in said.lower().replace("canary_", "")
    assert "7777" not in said


def test_what_was_guessed_is_told() -> None:
    """Every guess that goes beyond the type has a note with its reason."""
    table = pa.table({
        "id": NUMBERS,
        "when": ["03/02/2020", "01/03/2020"] * 30,
        "zip": ["01234", "00001"] * 30,
        "price": np.round(RNG.gamma(2, 20, ROWS), 2),
        "plain": RNG.normal(size=ROWS),
    })  # fmt: skip
    found = infer({"t": table})
    assert "key" in _why(found, "id")
    assert "month before day" in _why(found, "when")
    assert "leading zeros" in _why(found, "zip")
    assert "0.01" in _why(found, "price")
    assert _why(found, "plain") == ""


def test_words_for_nothing_are_counted() -> None:
    """A note says how many cells of a file were taken for nulls."""
    found = infer({"t": pa.table({"c": ["1", "NA", "3", "NA"] * 5})}, text=True)
    assert "10 cells" in _why(found, "c")


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (pa.table({}), "column"),
        (pa.table({"a": pa.array([], pa.int64())}), "rows"),
        (pa.table({"#row": [1]}), "#row"),
        (pa.table({"a": [[1]]}), "list"),
        (pa.Table.from_pandas(pd.DataFrame({"p": pd.period_range("2020", periods=3, freq="M")})), "period"),
    ],
    ids=["no columns", "no rows", "#row", "nested", "periods"],
)
def test_what_cannot_be_used_is_refused(table: pa.Table, word: str) -> None:
    """An unusable table is refused with what was found."""
    with pytest.raises(InputError, match=word):
        infer({"t": table})


def test_an_empty_table_beside_others_is_kept() -> None:
    """A table without rows among others is described by its types alone."""
    tables = infer({"a": pa.table({"x": [1, 2]}), "b": pa.table({"y": pa.array([], pa.date32())})}).schema.tables
    assert tables["b"].fields["y"].kind is Kind.DATE


def test_unusual_names_work() -> None:
    """Dots, quotes, spaces, other scripts and no name at all are names like others."""
    names = ["a.b", 'say "x"', "ü ñ", "名前", "x\ny", "", " ", "#", "None"]
    data = Dataset.of(pa.table({n: RNG.normal(size=ROWS) for n in names}))
    assert list(data.schema.tables["data"].fields) == names
    assert data.column("data.a.b").type == pa.float64()
    assert data.to_arrow().column_names == names


def test_two_thousand_columns_end_in_seconds() -> None:
    """A wide table of every sort of column is described in well under a minute."""
    makers = (RNG.normal, lambda size: RNG.integers(0, 50, size), lambda size: RNG.choice(["a", "b"], size))
    table = pa.table({f"c{i}": makers[i % 3](size=50) for i in range(2_000)})
    start = time.process_time()
    assert len(infer({"t": table}).schema.tables["t"].fields) == 2_000
    assert time.process_time() - start < 30


def test_real_tables_are_read_as_people_read_them(real_tables: Path) -> None:
    """Lattices, categories and booleans of well-known tables are found, and no column is taken for personal data."""
    wanted: dict[str, dict[str, tuple[Kind, float | None]]] = {
        "tabular/wine_quality/data": {"ph": (Kind.NUMBER, 0.01), "free_sulfur_dioxide": (Kind.NUMBER, 0.5)},
        "tabular/penguins/data": {"body_mass_g": (Kind.NUMBER, 25.0), "species": (Kind.CATEGORY, None)},
        "tabular/titanic/data": {"alive": (Kind.BOOLEAN, None), "sibsp": (Kind.INTEGER, None)},
        "tabular/abalone/data": {"whole_weight": (Kind.NUMBER, 0.0005)},
        "healthcare/heart_cleveland/data": {"oldpeak": (Kind.NUMBER, 0.1), "chol": (Kind.INTEGER, None)},
        "benchmark/adult/train": {"fnlwgt": (Kind.INTEGER, None), "native_country": (Kind.CATEGORY, None)},
    }
    for place, columns in wanted.items():
        fields = infer({"t": pq.read_table(real_tables / f"{place}.parquet")}).schema.tables["t"].fields
        assert {c: (fields[c].kind, fields[c].step) for c in columns} == columns
        assert not [c for c, f in fields.items() if f.sensitive]
        assert not [c for c, f in fields.items() if f.kind in (Kind.KEY, Kind.TEXT)]


def test_real_references_are_found(real_tables: Path) -> None:
    """The references that the makers of a relational set name are found, and none that leads elsewhere."""
    folder = real_tables / "relational" / "berka"
    card = json.loads((folder / "card.json").read_text())
    told = {(k["child"], k["parent"]) for k in card["foreign_keys"]}
    tables = {p.stem: _cells(p) for p in sorted(folder.glob("*.csv"))}
    schema = infer(tables, text=True).schema
    found = {(f"{t}.{c}", f.to) for t, spec in schema.tables.items() for c, f in spec.fields.items() if f.to}
    assert found == told


def _cells(path: Path) -> pa.Table:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    return pa.Table.from_pandas(frame, preserve_index=False)


def test_dates_outside_what_pandas_holds() -> None:
    """Days of years 1 and 9999 are days like others."""
    field = _field([dt.date(1, 1, 1), dt.date(9999, 12, 31)] * 10)
    assert field.kind is Kind.DATE
