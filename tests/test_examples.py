"""The examples, those by rules made small: they pass, their keys hold, and what their texts promise is true."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import synthwright as sw
from synthwright.examples import folder

Tables = Mapping[str, pl.DataFrame]
Made = Callable[[str], Tables]

SIZES = {
    "shop": {"{category: 18, supplier: 30, product: 400, employee: 25, customer: 300,":
             "{category: 18, supplier: 8, product: 60, employee: 25, customer: 50,"},
    "support": {"{customer: 3000, product: 300,": "{customer: 1500, product: 60,"},
    "iot": {"{site: 10, device: 60}": "{site: 3, device: 12}"},
}  # fmt: skip
"""What is said smaller in each example."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return what runs an example once, small, and gives its tables."""
    held: dict[str, Tables] = {}

    def run(name: str) -> Tables:
        if name not in held:
            at = tmp_path_factory.mktemp(name)
            text = (folder(name) / f"{name}.yaml").read_text(encoding="utf-8")
            for full, small in SIZES[name].items():
                assert text.count(full) == 1
                text = text.replace(full, small)
            (at / f"{name}.yaml").write_text(text, encoding="utf-8")
            report = sw.run(at / f"{name}.yaml", at / "out")
            assert report.passed, report.summary
            tables = {p.name.removesuffix(".parquet"): p for p in (at / "out" / "data").iterdir()}
            held[name] = {t: pl.read_parquet(p / "*.parquet" if p.is_dir() else p) for t, p in tables.items()}
        return held[name]

    return run


@pytest.mark.parametrize("name", sorted(SIZES))
def test_full_size_is_a_sound_specification(name: str) -> None:
    """Nothing is wrong with it as it ships, and it has a short text for readers."""
    assert sw.check(folder(name) / f"{name}.yaml") is not None
    assert len((folder(name) / "README.md").read_text(encoding="utf-8").splitlines()) <= 60


@pytest.mark.parametrize("name", sorted(SIZES))
def test_keys_are_unique_and_references_lead_somewhere(name: str, made: Made) -> None:
    """Every key names one row; every reference names a key."""
    plan, tables = sw.check(folder(name) / f"{name}.yaml"), made(name)
    assert plan is not None
    assert set(tables) == set(plan.schema.tables)
    for table, spec in plan.schema.tables.items():
        assert len(tables[table]) > 0
        for column, field in spec.fields.items():
            values = tables[table][column]
            assert field.nulls or not values.null_count(), column
            if column == spec.key or field.unique:
                assert values.n_unique() == len(values), column
            if field.to is not None:
                parent, key = plan.schema.split(field.to)
                assert set(values.drop_nulls()) <= set(tables[parent][key]), column


# ---------------------------------------------------------------------------------------------------------------- shop
def test_totals_of_the_shop_add_up(made: Made) -> None:
    """What lines come to is the order's, what orders come to is the customer's; no product twice in an order."""
    shop = made("shop")
    lines, orders, customers = shop["order_line"], shop["order"], shop["customer"]
    sums = lines.group_by("order").agg(goods=pl.col("amount").sum(), many=pl.len(), kinds=pl.col("product").n_unique())
    joined = orders.join(sums, left_on="id", right_on="order", how="left", maintain_order="left")
    assert (joined["goods"] == joined["goods_right"]).all()
    assert (joined["lines"] == joined["many"]).all()
    assert (joined["many"] == joined["kinds"]).all()
    assert (orders["total"] == orders["goods"] + orders["freight"]).all()
    spent = orders.group_by("customer").agg(sum=pl.col("total").sum(), many=pl.len())
    theirs = customers.join(spent, left_on="id", right_on="customer", how="left", maintain_order="left")
    assert (theirs["spent"] == theirs["sum"].fill_null(0)).all()
    assert (theirs["orders"] == theirs["many"].fill_null(0)).all()


def test_stock_of_the_shop_never_falls_below_nothing(made: Made) -> None:
    """Each movement goes on from the stock that the one before left; deliveries are what was filled up."""
    shop = made("shop")
    moves = shop["movement"].sort("product", "at", maintain_order=True)
    assert (moves["stock"] >= 0).all()
    assert (moves["stock"] == moves["stock_before"] + moves["received"] - moves["issued"]).all()
    before = moves.select(pl.col("stock").shift(1).over("product")).to_series()
    first = before.is_null()
    assert (moves["stock_before"] == before).filter(~first).all()
    openings = moves.filter(first).join(shop["product"], left_on="product", right_on="id")
    assert (openings["stock_before"] == openings["opening"]).all()
    assert shop["delivery"]["quantity"].sum() == moves["received"].sum() > 0
    shipped = shop["order_line"].join(shop["order"], left_on="order", right_on="id")
    assert len(moves) == shipped["shipped_at"].count()


def test_times_of_the_shop_are_those_of_work(made: Made) -> None:
    """Parcels leave after the order and while the warehouse is open; most orders come on weekdays and by day."""
    orders = made("shop")["order"]
    sent = orders.filter(pl.col("shipped_at").is_not_null())
    assert (sent["shipped_at"] > sent["at"]).all()
    assert (sent["delivered_at"] > sent["shipped_at"]).all()
    assert (sent["shipped_at"].dt.weekday() <= 5).all()
    assert sent["shipped_at"].dt.hour().is_between(8, 17).all()
    assert not sent["shipped_at"].dt.strftime("%m-%d").is_in(["12-25", "12-26", "10-03", "05-01"]).any()
    days = np.bincount(orders["at"].dt.weekday(), minlength=8)[1:]
    assert days[0] > 4 * days[6]  # 1.3 to 0.15
    hours = orders["at"].dt.hour()
    assert hours.is_between(8, 16).sum() > 0.75 * len(hours)


def test_people_and_categories_of_the_shop_form_trees(made: Made) -> None:
    """Every employee ends at the managing director; every product is of a category below a department."""
    shop = made("shop")
    up = dict(zip(shop["employee"]["id"], shop["employee"]["manager"], strict=True))
    titles = dict(zip(shop["employee"]["id"], shop["employee"]["title"], strict=True))
    for one in up:
        at, steps = one, 0
        while up[at] is not None:
            at, steps = up[at], steps + 1
            assert steps <= 3
        assert titles[at] == "Managing director"
        assert (titles[one] == "Head of sales") == (steps == 1)
    found = shop["product"].join(shop["category"], left_on="category", right_on="id", suffix="_of")
    assert found["parent"].null_count() == 0
    codes = found.select(code=pl.col("sku").str.head(3), name=pl.col("name_of").str.head(3).str.to_uppercase())
    assert (codes["code"] == codes["name"]).all()  # article numbers begin with the letters of the category


# ------------------------------------------------------------------------------------------------------------- support
def test_spans_of_support_hold_what_their_labels_say(made: Made) -> None:
    """Every span of a number, product, code, address or name is what the ticket's order and customer have."""
    support = made("support")
    orders = support["order"].join(support["customer"], left_on="customer", right_on="id", maintain_order="left")
    orders = orders.join(support["product"].rename({"name": "product_name"}), left_on="product", right_on="id")
    tickets = support["ticket"].join(orders.rename({"id": "order_id"}), left_on="order", right_on="order_id")
    tickets = tickets.join(support["agent"], left_on="agent", right_on="id", suffix="_agent")
    known = {t["id"]: t for t in tickets.iter_rows(named=True)}
    seen: dict[str, int] = {}
    for message in support["message"].iter_rows(named=True):
        ticket = known[message["ticket"]]
        for span in json.loads(message["spans"]):
            held = message["text"][span["start"] : span["end"]]
            expected = {
                "ORDER": {ticket["number"]}, "TRACKING": {ticket["tracking"]}, "PRODUCT": {ticket["product_name"]},
                "EMAIL": {ticket["email"]},
                "PERSON": {f"{ticket['first_name']} {ticket['last_name']}", ticket["first_name_agent"]},
                "MONEY": {f"£{ticket['total']}", f"{ticket['total']} pounds", f"{ticket['total']} Euro"},
            }.get(span["label"])  # fmt: skip
            assert expected is None or held.casefold() in {e.casefold() for e in expected}, (held, span)
            seen[span["label"]] = seen.get(span["label"], 0) + 1
    assert set(seen) == {"ORDER", "TRACKING", "PRODUCT", "EMAIL", "PERSON", "MONEY", "DATE", "ADDRESS"}
    assert not support["message"]["text"].str.contains(r"[{}]").any()


def test_tickets_of_support_fit_their_orders(made: Made) -> None:
    """Who asks for a parcel asks while it is late; who complains has it; intents follow from what is wrong."""
    support = made("support")
    tickets = support["ticket"].join(support["order"], left_on="order", right_on="id", suffix="_order")
    late = tickets.filter(pl.col("issue") == "late")
    assert len(late) > 20
    assert (late["opened_at"] > late["promised_on"].cast(pl.Datetime)).all()
    assert (late["opened_at"] <= late["delivered_at"]).all()
    assert set(late["intent"]) <= {"where is my order", "cancel order"}
    other = tickets.filter(pl.col("issue").is_in(["damaged", "wrong item", "regret"]))
    assert (other["opened_at"] > other["delivered_at"]).all()
    assert (tickets["customer"] == tickets["customer_order"]).all()


def test_course_of_tickets_in_support(made: Made) -> None:
    """Events begin with the opening, in order; waiting is counted from them, and costs satisfaction."""
    support = made("support")
    events, tickets = support["event"].sort("ticket", "position"), support["ticket"]
    first = events.group_by("ticket", maintain_order=True).first()
    assert set(first["state"]) == {"opened"}
    opened = first.join(tickets, left_on="ticket", right_on="id")
    assert (opened["at"] == opened["opened_at"]).all()
    assert (events.select(pl.col("at").diff().over("ticket")).to_series().drop_nulls().dt.total_seconds() >= 0).all()
    answered = events.filter(pl.col("state") == "answered").group_by("ticket").agg(pl.col("at").min())
    found = tickets.join(answered, left_on="id", right_on="ticket")
    waited = (found["at"] - found["opened_at"]).dt.total_seconds() / 3600
    assert ((waited - found["waited_hours"]).abs() < 0.01).all()
    said = tickets.filter(pl.col("satisfaction").is_not_null())
    hours, marks = (said[c].to_numpy() for c in ("waited_hours", "satisfaction"))
    assert marks[hours < 8].mean() > marks[hours > 24].mean() + 0.5


# ----------------------------------------------------------------------------------------------------------------- iot
def test_faults_of_iot_are_as_often_as_said(made: Made) -> None:
    """Shares of the readings are met to within the longest fault of each kind."""
    readings = made("iot")["reading"]
    many = len(readings)
    text = (folder("iot") / "iot.yaml").read_text(encoding="utf-8")
    said = dict(re.findall(r"^        ([a-z-]+): .*\n          rate: ([0-9.]+)", text, re.MULTILINE))
    assert set(said) == {"drift", "stuck", "drop-out", "spike"}
    lengths = {"drift": 300, "stuck": 80, "drop-out": 40, "spike": 1}
    for fault, rate in said.items():
        count = (readings["fault"] == fault).sum()
        assert abs(count - float(rate) * many) <= lengths[fault] + 1, fault


def test_faults_of_iot_do_what_they_are_called(made: Made) -> None:
    """Sound readings are the truth; others are off, stand still, are missing, or go away from it step by step."""
    readings = made("iot")["reading"].sort("device", "at").with_columns(off=pl.col("temperature") - pl.col("actual"))
    of = {name[0]: rows for name, rows in readings.group_by("fault")}
    assert (of["none"]["off"].abs() < 0.005).all()
    assert of["none"]["episode"].null_count() == len(of["none"])
    assert of["drop-out"]["temperature"].null_count() == len(of["drop-out"])
    assert (of["spike"]["off"].abs() > 7.9).all()
    stuck = (
        of["stuck"].group_by("episode").agg(pl.col("temperature").n_unique(), pl.col("humidity").n_unique(), pl.len())
    )
    assert stuck["temperature"].max() == stuck["humidity"].max() == 1
    for _, rows in of["drift"].group_by("episode"):
        away = rows.sort("at")["off"].abs().diff().drop_nulls()
        assert away.is_between(0.015, 0.045).all()


def test_readings_of_iot_come_in_time_with_the_weather(made: Made) -> None:
    """One reading every so many minutes; each is of the weather of its site and day, which follows from its changes."""
    iot = made("iot")
    readings = iot["reading"].join(iot["device"], left_on="device", right_on="id").sort("device", "at")
    steps = readings.select(
        gap=pl.col("at").diff().over("device"), every=pl.duration(minutes=pl.col("every"))
    ).drop_nulls()
    assert (steps["gap"] == steps["every"]).all()
    found = readings.join(iot["weather"], left_on="weather", right_on="id", suffix="_weather")
    assert (found["site"] == found["site_weather"]).all()
    assert (found["day"] == found["day_weather"]).all()
    weather = iot["weather"].sort("site", "day")
    sums = weather.select(pl.col("change").cum_sum().over("site")).to_series()
    assert np.allclose(sums, weather["warmer"])
    yard = found.filter((pl.col("placement") == "yard") & (pl.col("fault") == "none"))
    hours, degrees = yard["at"].dt.hour().to_numpy(), yard["temperature"].to_numpy()
    assert degrees[hours == 13].mean() - degrees[hours == 3].mean() > 6  # the sun: 5 °C up and down


def test_batteries_of_iot_are_changed_when_they_are_empty(made: Made) -> None:
    """A battery is full on the day it was changed last, or installed, and loses the same each day until it is empty."""
    iot = made("iot")
    changed = iot["maintenance"].filter(pl.col("work") == "battery changed").select("device", "day")
    begun = pl.concat([changed, iot["device"].select(device="id", day="installed")])
    begun = begun.select("device", at=pl.col("day").cast(pl.Datetime("us", "UTC")), day="day").sort("at")
    found = iot["reading"].drop("day").sort("at").join_asof(begun, on="at", by="device", check_sortedness=False)
    found = found.join(iot["device"], left_on="device", right_on="id")
    since = (found["at"] - found["day"].cast(pl.Datetime("us", "UTC"))).dt.total_seconds() / 86_400
    expected = 100 - 100 * since / found["battery_life"]
    assert (changed["device"].n_unique(), found["day"].null_count()) == (len(iot["device"]), 0)
    assert ((found["battery"] - expected).abs() < 100 / 90).all()  # within a day: the hour of the change is not told


# -------------------------------------------------------------------------------------------- text by language models
TEXTS = {
    "text-intents": ("message", 15, {"messages"}), "text-evolve": ("task", 8, {"id", "first", "instruction", "steps"}),
    "text-instructions": ("task", 12, {"instruction", "input", "output"}),
    "text-preferences": ("pair", 12, {"prompt", "chosen", "rejected"}),
    "text-support": ("case", 12, {"messages"}),
    "text-textbook": ("page", 12, {"id", "place", "reader", "topic", "child", "pupil", "student", "exercise",
                                   "solution"}),
    "text-eval-cases": ("case", 12, {"id", "customer", "article", "message", "expected", "edge"}),
    "text-red-team": ("attack", 12, {"messages"}),
    "text-reasoning": ("problem", 12, {"messages"}),
    "text-backtranslation": ("pair", 14, {"instruction", "input", "output"}),
    "text-personas": ("ask", 12, {"id", "work", "age", "temper", "persona", "question"}),
}  # fmt: skip
"""Examples whose writer is scripted: their table, its rows, and what stands in a line of the release."""
Texts = Callable[[str], tuple[sw.Report, list[dict[str, Any]]]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    """Return what runs an example of text once, as it is copied by `init --from`, and gives report and lines."""
    held: dict[str, tuple[sw.Report, list[dict[str, Any]]]] = {}

    def run(name: str) -> tuple[sw.Report, list[dict[str, Any]]]:
        if name not in held:
            at = tmp_path_factory.mktemp(name)
            shutil.copytree(folder(name), at / name)
            report = sw.run(at / name / f"{name}.yaml", at / "out")
            held[name] = report, lines_of(at / "out")
        return held[name]

    return run


def lines_of(out: Path) -> list[dict[str, Any]]:
    """Return the lines of a release."""
    return [json.loads(line) for file in sorted((out / "data").rglob("*.jsonl"))
            for line in file.read_text(encoding="utf-8").splitlines()]  # fmt: skip


def quick(name: str) -> Any:
    """Return a parameter: one example runs always, the others among the slow tests."""
    return pytest.param(name, marks=() if name == "text-support" else pytest.mark.slow)


@pytest.mark.parametrize("name", [quick(name) for name in sorted(TEXTS)])
def test_texts_are_released(name: str, told: Texts) -> None:
    """Offline, every row that was asked for is there, in the form that was asked for, and all differ."""
    (report, lines), (table, rows, words) = told(name), TEXTS[name]
    assert report.passed, (report.summary, report.dropped)
    assert report.rows == {table: rows}
    assert len(lines) == rows
    assert all(set(line) == words for line in lines)
    assert len({json.dumps(line) for line in lines}) == rows


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_writers_of_texts_can_be_changed(name: str, tmp_path: Path) -> None:
    """Each server of the remark, put in the place of the scripted writer, makes a sound specification."""
    shutil.copytree(folder(name), tmp_path / name)
    file = tmp_path / name / f"{name}.yaml"
    text = file.read_text(encoding="utf-8")
    assert len((folder(name) / "README.md").read_text(encoding="utf-8").splitlines()) <= 60
    servers = re.findall(r"^# {3}models:.*\n# {3}( {2}writer: .*)$", text, re.MULTILINE)
    block = re.search(r"^models:\n(?: .*\n)+", text, re.MULTILINE)
    assert len(servers) == 3
    assert block is not None
    for server in servers:
        file.write_text(text.replace(block[0], f"models:\n{server}\n"), encoding="utf-8")
        assert sw.check(file) is not None


@pytest.mark.slow
def test_questions_from_documents_are_grounded(tmp_path: Path) -> None:
    """The passages are released as they are; every question has its answer there, or says that there is none."""
    name = "text-questions-from-documents"
    shutil.copytree(folder(name), tmp_path / name)
    report = sw.run(tmp_path / name / f"{name}.yaml", tmp_path / "out")
    assert report.passed, (report.summary, report.dropped)
    assert report.rows == {"passage": 12, "question": 14}
    assert report.dropped["passage-not-used"] > 0
    lines = lines_of(tmp_path / "out")
    passages, questions = ({r["id"]: r for r in lines if ("text" in r) is held} for held in (True, False))
    kinds = [q["kind"] for q in questions.values()]
    assert {k: kinds.count(k) for k in set(kinds)} == {"single-hop": 6, "multi-hop": 4, "unanswerable": 4}
    for one in questions.values():
        text = passages[one["passage"]]["text"]
        if one["kind"] == "multi-hop":
            other = passages[one["other"]]
            assert other["document"] != passages[one["passage"]]["document"]
            text += other["text"]
        assert all(quote in text for quote in (one.get("evidence") or "").split(" … "))
        assert (one.get("evidence") is None) == (one["kind"] == "unanswerable")


@pytest.mark.slow
def test_texts_come_again(told: Texts, tmp_path: Path) -> None:
    """A second run from nothing has the same lines, in the same order."""
    report = sw.run(folder("text-support") / "text-support.yaml", tmp_path / "out")
    assert report.passed
    assert lines_of(tmp_path / "out") == told("text-support")[1]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reasons"), [
    ("text-support", {"personal-data", "harmful-wording", "near-duplicate"}),
    ("text-eval-cases", {"in-evaluation-set", "near-duplicate"}),
    ("text-reasoning", {"answer-wrong"}),
    ("text-backtranslation", {"judged-poor"}),
    ("text-preferences", {"judge-undecided"}),
    ("text-textbook", {"judged-poor"}),
    ("text-red-team", {"judged-poor"}),
])  # fmt: skip
def test_faults_of_texts_are_found(name: str, reasons: set[str], told: Texts) -> None:
    """What is wrong with some of the scripted answers is why their rows went."""
    assert reasons <= set(told(name)[0].dropped)


@pytest.mark.slow
def test_refusals_of_red_team_stay(told: Texts) -> None:
    """Answers that decline are released."""
    assert any("I do not" in line["messages"][-1]["content"] for line in told("text-red-team")[1])
