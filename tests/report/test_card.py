"""The data set card: what the hub reads, what people read, and no real value."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from synthwright.core.dataset import Dataset
from synthwright.core.errors import StoreError
from synthwright.core.plan import Plan
from synthwright.core.schema import Field, Kind, Rule, Schema, Table
from synthwright.report.card import write_card
from synthwright.report.report import Report
from synthwright.testing import toys

MakePlan = Callable[..., Plan]
MakeRelease = Callable[..., Path]


def read(folder: Path) -> tuple[dict[str, Any], str]:
    """Return header and body of a card."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_header_is_what_the_hub_reads(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """The header names tags, size, task, and where each table's files are."""
    data = toys.two_tables()
    first, second = data.schema.tables
    target = next(c for c in data.schema.columns if data.schema.field(c).kind in (Kind.NUMBER, Kind.INTEGER))
    front, _ = read(make_release(data, make_plan(data, evaluate={"target": target}), parts=2))
    assert front["pretty_name"] == "things"
    assert front["tags"] == ["synthetic", "tabular", "synthwright"]
    assert front["size_categories"] == ["n<1K"]
    assert front["task_categories"] == ["tabular-regression"]
    assert front["configs"] == [
        {"config_name": first, "data_files": [{"split": "train", "path": f"data/{first}/*.parquet"}], "default": True},
        {"config_name": second, "data_files": [{"split": "train", "path": f"data/{second}/*.parquet"}]},
    ]


def test_body_tells_what_the_gates_allow(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """The body says that the data is synthetic, how it was made, what it holds, gates, limits and how to check it."""
    data = toys.plain()
    _, body = read(make_release(data, make_plan(data)))
    for wanted in (
        "**This data is synthetic.**", "specification `things`, seed 7, fingerprint abc123", "- `lathe` made",
        "| `size` | integer |", "| `exact-copies <= 1.1 * reference + 0.01` | 0.001 | 0.0111 | met |",
        "| `keys >= 1` |  |  | not applicable |", "no formal privacy guarantee", "synthwright verify .",
        "A copy with one value changed is no exact copy",
    ):  # fmt: skip
        assert wanted in body
    assert "detection" not in body  # no gate rules on it: it stays inside
    assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d", body)  # no time stamp


def test_kept_columns_are_told_first(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """Columns that hold real values are named before anything else."""
    data = toys.plain()
    _, body = read(make_release(data, make_plan(data, keep=["thing.size"])))
    assert "partly synthetic" in body.partition("## How")[0]
    assert "`thing.size`" in body.partition("## How")[0]
    line = next(line for line in body.splitlines() if line.startswith("| `size` | integer |"))
    assert line.endswith("| kept: real |")


def test_what_was_set_is_not_real(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """A column that no generator made and no real row gave was set: the card does not call it real."""
    data = toys.plain()
    plan = make_plan(data, start={"set": {"thing.size": 5}})
    part = plan.parts[0]._replace(part=plan.parts[0].part._replace(produce=("thing.colour",)))
    _, body = read(make_release(data, plan._replace(parts=(part,))))
    assert "partly synthetic" not in body
    line = next(line for line in body.splitlines() if line.startswith("| `size` | integer |"))
    assert line.endswith("| set before |")


def test_rules_are_listed(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """What every row keeps is told."""
    data = toys.plain()
    spec = data.schema.tables["thing"].model_copy(update={"rules": (Rule(rule="size >= 0"),)})
    data = Dataset(Schema(tables={"thing": spec}), data.tables)
    _, body = read(make_release(data, make_plan(data)))
    assert "## Rules that every row keeps\n\n- `size >= 0`" in body


def test_names_do_not_become_markup(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """Whatever tables and columns are called, a line of the table has its five cells, and the header is YAML."""
    names = ["a|b", "`code`", "<script>", "line\nbreak", "*star*", "[x](http://e)", "---", "\u202eevil"]
    fields = {n: (Field(kind=Kind.INTEGER), [1, 2, 3]) for n in names}
    data = toys.dataset({"t: [x]\n---": fields, "T- [x] ---": fields})
    front, body = read(make_release(data, make_plan(data)))
    assert len({c["config_name"] for c in front["configs"]}) == 2
    lines = [line for line in body.splitlines() if line.startswith("| ") and "| integer |" in line]
    assert len(lines) == 2 * len(names)
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 6 for line in lines)
    assert "| `<script>` |" in body
    assert "| `` `code` `` |" in body


@pytest.mark.parametrize("toy", sorted(set(toys.TOYS) - {"empty child"}))
def test_every_toy_has_a_card(toy: str, make_plan: MakePlan, make_release: MakeRelease) -> None:
    """Awkward tables have a card with every column in it, and the same one twice."""
    data = toys.TOYS[toy]()
    first = make_release(data, make_plan(data))
    second = make_release(data, make_plan(data), name="again")
    assert (first / "README.md").read_bytes() == (second / "README.md").read_bytes()
    assert sum(line.startswith("| ") and line.endswith(" `lathe` |") for line in read(first)[1].splitlines()) == len(
        data.schema.columns
    )


def test_wide_tables_are_cut(make_plan: MakePlan, make_release: MakeRelease) -> None:
    """Of very many columns the first are listed, and the others counted."""
    table = Table(fields={f"c{i}": Field(kind=Kind.INTEGER) for i in range(400)})
    data = toys.dataset({"wide": {c: (f, [1]) for c, f in table.fields.items()}})
    _, body = read(make_release(data, make_plan(data)))
    assert "100 more columns are in `croissant.json`." in body


def test_a_table_without_files_is_refused(
    tmp_path: Path, make_plan: MakePlan, make_report: Callable[..., Report]
) -> None:
    """There is no card for data that is not there."""
    data = toys.plain()
    with pytest.raises(StoreError, match=r"table 'thing'.*no file"):
        write_card(tmp_path, make_report(data=data), make_plan(data))
