"""Turns of conversations as rows: one for each turn and call, told apart, counted, and put together again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SpecError
from synthwright.core.schema import Schema
from synthwright.processes.turns import Turns
from synthwright.sinks.openai_messages import OpenaiMessages
from synthwright.testing import check_process

TEXT: dict[str, Any] = {"kind": "text"}
KEY: dict[str, Any] = {"kind": "key", "type": "int64"}
CASE = {"id": KEY, "talk": TEXT, "note": {"kind": "category"}}
TURN = {"id": KEY, "case": {"kind": "reference", "to": "case.id", "type": "int64"}, "who": {"kind": "category"},
        "words": TEXT, "full": {"kind": "text", "nulls": False}, "n": {"kind": "integer"}, "tool": {"kind": "category"},
        "call": TEXT, "arguments": TEXT}  # fmt: skip
SCHEMA = Schema.model_validate(
    {"tables": {"case": {"key": "id", "fields": CASE}, "turn": {"key": "id", "fields": TURN}}}
)
CALLS = [
    {"id": f"c{i}", "type": "function", "function": {"name": "find", "arguments": f'{{"n": {i}}}'}} for i in (1, 2)
]
TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Wait.", "tool_calls": CALLS},
    {"role": "tool", "tool_call_id": "c1", "content": "A"}, {"role": "tool", "tool_call_id": "c2", "content": "B"},
    {"role": "assistant", "content": "There."},
]  # fmt: skip
ALL: dict[str, Any] = {"conversation": "talk", "role": "who", "content": "words", "position": "n", "tool": "tool",
                       "call": "call", "arguments": "arguments"}  # fmt: skip


def cases(*talks: str | None) -> Dataset:
    """Return cases with conversations."""
    held = {"id": pa.array(range(len(talks)), pa.int64()), "talk": pa.array(talks, pa.large_string())}
    return Dataset.blank(SCHEMA, {"case": len(talks)}).with_columns("case", held)


def unfolded(process: Turns, *talks: str | None) -> tuple[list[int], dict[str, list[Any]]]:
    """Return whose the rows are, and their columns."""
    assert process.misused(SCHEMA, "turn", "case") == []
    found = process.unfold(cases(*talks), "turn", "case", Context())
    assert set(found.columns) == set(process.makes())
    return found.whose.tolist(), {c: pa.array(v).to_pylist() for c, v in found.columns.items()}


def test_contract() -> None:
    """All that holds for every process holds, with and without columns to fill."""
    check_process(Turns)
    talks = [json.dumps(TALK[:1] * (i + 1)) for i in range(40)]
    nobody = {c: pa.array([], pa.int64() if f["kind"] in ("key", "reference", "integer") else pa.large_string())
              for c, f in TURN.items()}  # fmt: skip
    data = Dataset(SCHEMA, {**cases(*talks).tables, "turn": pa.table(nobody)})
    assert "blocks-do-not-count" in check_process(Turns.model_validate(ALL), data, "turn.case")


def test_rows() -> None:
    """Each turn is a row, each call of a turn too; no conversation, or a text that is none, makes no rows."""
    whose, made = unfolded(Turns.model_validate(ALL), "no talk", json.dumps(TALK), None, "[]", json.dumps(TALK[:1]))
    assert whose == [1] * 6 + [4]
    assert made["n"] == [1, 2, 3, 4, 5, 6, 1]
    assert made["who"] == ["user", "assistant", "assistant", "tool", "tool", "assistant", "user"]
    assert made["words"] == ["Where?", "Wait.", None, "A", "B", "There.", "Where?"]
    assert made["tool"] == [None, "find", "find", "find", "find", None, None]
    assert made["call"] == [None, "c1", "c2", "c1", "c2", None, None]
    assert made["arguments"] == [None, '{"n": 1}', '{"n": 2}', None, None, None, None]
    whose, made = unfolded(Turns(conversation="talk", content="full", role="who", roles={"user": "customer"}),
                           json.dumps(TALK))  # fmt: skip
    assert made["full"][2] == ""  # a column that must have a value
    assert set(made["who"]) == {"customer", "assistant", "tool"}
    assert unfolded(Turns(conversation="talk"), "", json.dumps(TALK)) == ([1] * 6, {})


def test_rows_are_put_together_again(tmp_path: Path) -> None:
    """What the sink gathers from the rows is what it reads from the column."""
    talks = [json.dumps(TALK), json.dumps(TALK[:1] + TALK[-1:]), json.dumps(TALK[:2])]
    data, process = cases(*talks), Turns.model_validate(ALL | {"roles": {"user": "customer", "tool": "robot"}})
    found = process.unfold(data, "turn", "case", Context())
    columns = {c: pa.array(v) for c, v in found.columns.items()} | {"case": pa.array(found.whose)}
    order = np.random.default_rng(1).permutation(len(found.whose))
    turns = pa.table({"id": pa.array(np.arange(len(order))), **columns, "full": pa.array(["x"] * len(order))}).take(
        order
    )
    talked = pa.table({"id": [0, 1, 2], "talk": pa.array(talks), "note": pa.array(["x"] * 3)})
    data = Dataset.of({"case": talked, "turn": turns}, SCHEMA)
    other: dict[str, Any] = {"role": "who", "content": "words", "roles": {"customer": "user", "robot": "tool"}}
    OpenaiMessages(turns="turn", order="n", **other).write(data, tmp_path / "rows", {})
    OpenaiMessages(conversation="talk").write(data, tmp_path / "column", {})
    rows, column = ((tmp_path / way / "case" / "part-00000.jsonl").read_text() for way in ("rows", "column"))
    assert rows == column
    assert [len(json.loads(line)["messages"]) for line in rows.splitlines()] == [5, 2, 2]


@pytest.mark.parametrize(("settings", "place", "message"), [
    ({}, "", "say which column of the other table holds the conversations"),
    ({"conversation": "tlk"}, "conversation", "did you mean 'talk'"),
    ({"conversation": "note"}, "conversation", "'note' is of kind 'category', wanted text"),
    (ALL | {"role": "n", "position": None}, "role", "column 'n' is of kind 'integer', wanted 'category' or 'text'"),
    (ALL | {"arguments": None, "position": "arguments"}, "position", "is of kind 'text', wanted 'integer'"),
])  # fmt: skip
def test_misused(settings: dict[str, Any], place: str, message: str) -> None:
    """What the parameters cannot mean is told with its place."""
    found = Turns.model_validate(settings).misused(SCHEMA, "turn", "case")
    assert any(".".join(map(str, at)) == place and message in said for at, said in found), found
    with pytest.raises(ValidationError, match="'x' cannot hold two things"):
        Turns(conversation="talk", role="x", content="x")


SPEC = """
synthwright: 1
name: x
schema: {tables: {
  case: {key: id, fields: {id: {kind: key}, topic: {kind: category}, talk: {kind: text}}},
  turn: {fields: {case: {kind: reference, to: case.id}, n: {kind: integer}, role: {kind: category},
                  content: {kind: text}, topic: {kind: category}}}}}
start:
  rows: {case: 30}
  children: {turn: {of: turn.case, use: turns, with: {conversation: talk, position: n, role: role, content: content}}}
models: {writer: {use: scripted, with: {when: [{question: begins, answers: [Hi., Hello.]}], answers: [Yes, No, So]}}}
parts:
- {make: [turn.topic], use: formula, with: {formula: case.topic}}
- {make: [case.talk], use: dialogue, with: {user_prompt: "You ask about {{ topic }}.", agent_prompt: Answer.,
    turns: [1, 1]}}
- {make: [case.topic], use: choice, with: {values: [a, b]}}
- {make: [case.id], use: counter}
evaluate: {metrics: [integrity]}
release: {use: jsonl}
"""


def test_a_run(tmp_path: Path) -> None:
    """Rows come to be once the conversations are held, whatever the order of parts; parts make their other columns."""
    (tmp_path / "x.yaml").write_text(SPEC)
    report = sw.run(tmp_path / "x.yaml", tmp_path / "out")
    assert report.passed, report.summary
    read = {t: [json.loads(line) for line in (tmp_path / "out/data" / t / "part-00000.jsonl").read_text().splitlines()]
            for t in ("case", "turn")}  # fmt: skip
    talks = {c["id"]: [(m["role"], m["content"]) for m in json.loads(c["talk"])] for c in read["case"]}
    topics = {c["id"]: c["topic"] for c in read["case"]}
    assert len(read["turn"]) == 2 * len(talks) == 60
    for i, turn in enumerate(read["turn"]):
        assert turn["n"] == i % 2 + 1
        assert (turn["role"], turn["content"]) == talks[turn["case"]][i % 2]
        assert turn["topic"] == topics[turn["case"]]


def test_faults_of_a_specification(tmp_path: Path) -> None:
    """A column that is not there is told with its line."""
    (tmp_path / "x.yaml").write_text(SPEC.replace("conversation: talk", "conversation: tal"))
    with pytest.raises(SpecError, match=r"x.yaml:10:.*did you mean 'talk'"):
        sw.check(tmp_path / "x.yaml")
