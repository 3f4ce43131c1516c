"""Examples for fine-tuning: which columns play which role, every form read back, and no row lost."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from synthwright.core.contracts import Sink
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Schema
from synthwright.kit.prompting.turns import TurnError, turns_of
from synthwright.sinks import training
from synthwright.sinks.alpaca import Alpaca
from synthwright.sinks.dpo import Dpo
from synthwright.sinks.openai_messages import OpenaiMessages
from synthwright.sinks.sharegpt import Sharegpt
from synthwright.sinks.training import Training

MARK = {"synthwright.synthetic": "true"}
KINDS: list[type[Training]] = [OpenaiMessages, Sharegpt, Alpaca, Dpo]
AWKWARD = 'Größe "x"\\\n\t\u2028 日本 \U0001f642 </s>'
CHAT = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": AWKWARD}]
TEXT = {"kind": "text"}


def dataset(tables: dict[str, dict[str, Any]], **fields: dict[str, Any]) -> Dataset:
    """Return tables of texts, but for the columns whose fields are said as `table_column`."""
    said = {t: {c: fields.get(f"{t}_{c}", TEXT) for c in columns} for t, columns in tables.items()}
    schema = {t: {"fields": f, "key": next((c for c in f if f[c]["kind"] == "key"), None)} for t, f in said.items()}
    held = {t: pa.table({c: pa.array(v) for c, v in columns.items()}) for t, columns in tables.items()}
    return Dataset.of(held, Schema.model_validate({"tables": schema}))


def lines(path: Path) -> list[Any]:
    """Return the objects of a file of JSON Lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def written(sink: Sink, data: Dataset, folder: Path, table: str) -> list[Any]:
    """Return what a sink writes of one table of a release."""
    assert not (hasattr(sink, "faults") and sink.faults(data.schema)), sink.faults(data.schema)
    files = sink.write(data, folder, MARK)
    assert sorted(files) == sorted(p for p in folder.rglob("*") if p.is_file())
    return [row for f in files if f.parent.name == table for row in lines(f)]


def refused(sink: Sink, data: Dataset, folder: Path, said: str) -> None:
    """Hold a sink to refusing rows, and to leaving no file of them."""
    with pytest.raises(InputError, match=said):
        sink.write(data, folder, MARK)
    assert not list(folder.rglob("*.jsonl"))


PAIRS: dict[str, Any] = {"qa": {"n": ["1", "2"], "question": ["Why?", AWKWARD], "answer": [AWKWARD, "So."]}}


def test_two_columns(tmp_path: Path) -> None:
    """Columns with usual names play their roles; values come back as they are, without what is beside them."""
    data = dataset(PAIRS)
    said = written(OpenaiMessages(), data, tmp_path / "a", "qa")
    assert said[1] == {"messages": [{"role": "user", "content": AWKWARD}, {"role": "assistant", "content": "So."}]}
    assert [list(row) for row in said] == [["messages"]] * 2
    said = written(Sharegpt(), data, tmp_path / "b", "qa")
    assert said[0] == {"conversations": [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": AWKWARD}]}
    said = written(Alpaca(), data, tmp_path / "c", "qa")
    assert said[0] == {"instruction": "Why?", "input": "", "output": AWKWARD}
    assert list(said[0]) == ["instruction", "input", "output"]
    data = dataset({"io": {"input": ["q"], "output": ["a"]}})  # one column plays one role
    assert written(Alpaca(), data, tmp_path / "d", "io") == [{"instruction": "q", "input": "", "output": "a"}]


def test_named_columns(tmp_path: Path) -> None:
    """Columns that are named count before those with usual names, and may hold numbers; `system` may be missing."""
    columns = {"question": ["no", "no"], "asked": ["2+2?", "3?"], "sum": [4, 3], "persona": ["Be brief.", None]}
    data = dataset({"qa": columns}, qa_sum={"kind": "integer"})
    sink = OpenaiMessages(user="asked", assistant="sum", system="persona")
    said = written(sink, data, tmp_path / "a", "qa")
    assert [t["role"] for t in said[0]["messages"]] == ["system", "user", "assistant"]
    assert said[1] == {"messages": [{"role": "user", "content": "3?"}, {"role": "assistant", "content": "3"}]}
    said = written(Alpaca(input="persona", output="sum"), data, tmp_path / "b", "qa")
    assert said == [{"instruction": "no", "input": "Be brief.", "output": "4"},
                    {"instruction": "no", "input": "", "output": "3"}]  # fmt: skip


def test_a_column_of_conversations(tmp_path: Path) -> None:
    """A JSON list of turns is a conversation, with `human` and `gpt` as other names; its own system turn counts."""
    own = [{"role": "system", "content": "Own."}, {"role": "Human", "content": "Hi."}, {"role": "gpt", "content": "A."}]
    data = dataset({"chat": {"messages": [json.dumps(CHAT), json.dumps({"messages": own})], "system": ["S.", "S."]}})
    said = written(OpenaiMessages(), data, tmp_path / "a", "chat")
    assert said[0]["messages"] == [{"role": "system", "content": "S."}, *CHAT]
    assert [t["content"] for t in said[1]["messages"]] == ["Own.", "Hi.", "A."]
    assert [t["role"] for t in said[1]["messages"]] == ["system", "user", "assistant"]
    said = written(Sharegpt(conversation="messages"), data, tmp_path / "b", "chat")
    assert [t["from"] for t in said[1]["conversations"]] == ["system", "human", "gpt"]


def talks(**changed: list[Any]) -> Dataset:
    """Return conversations whose turns are rows of another table, neither together nor in order."""
    turn = {
        "talk": [20, 10, 20, 10, 20],
        "position": [10, 1, 9, 2, 11],
        "speaker": ["agent", "customer", "customer", "agent", "customer"],
        "text": ["b2", "a1", "b1", "a2", "b3"],
    } | changed
    talk = {"id": [10, 20], "persona": ["P.", "Q."], "chosen": ["c", "d"], "rejected": ["e", "f"]}
    fields = {"talk_id": {"kind": "key"}, "turn_talk": {"kind": "reference", "to": "talk.id"}}
    kinds = {"turn_position": {"kind": "integer"}, "turn_speaker": {"kind": "category"}}
    return dataset({"talk": talk, "turn": turn}, **fields, **kinds)


WHO: dict[str, Any] = {"customer": "user", "agent": "assistant"}


def test_turns_of_another_table(tmp_path: Path) -> None:
    """The turns of one parent stand together in order; the table of turns is written beside."""
    said = written(Sharegpt(turns="turn", roles=WHO, system="persona"), talks(), tmp_path / "a", "talk")
    assert [[t["value"] for t in row["conversations"]] for row in said] == [
        ["P.", "a1", "a2"],
        ["Q.", "b1", "b2", "b3"],
    ]
    assert len(lines(tmp_path / "a" / "turn" / "part-00000.jsonl")) == 5
    said = written(Dpo(turns="turn", roles=WHO), talks(speaker=["agent", "agent", "customer", "customer", "customer"]),
                   tmp_path / "b", "talk")  # fmt: skip
    assert [t["content"] for t in said[1]["prompt"]] == ["b1", "b2", "b3"]
    assert said[0]["prompt"][-1] == {"role": "user", "content": "a2"}


def test_faults_of_turns(tmp_path: Path) -> None:
    """Turns of nobody, parents without turns and unknown speakers are errors, with how many they are."""
    sink = OpenaiMessages(turns="turn", roles=WHO)
    refused(sink, talks(talk=[20, 10, None, 10, 20]), tmp_path / "a", "turn: column 'talk'.*none for 1 of 5 rows")
    refused(sink, talks(position=[1, None, 2, None, 3]), tmp_path / "b", "column 'position'.*none for 2 of 5")
    refused(
        sink, talks(talk=[20] * 5), tmp_path / "c", r"none from 1 of 2 rows: 1 without a turn \(the first is row 1\)"
    )
    refused(OpenaiMessages(turns="turn"), talks(), tmp_path / "d", "talk: .*2 with an unknown role")


PREFER: dict[str, Any] = {"prompt": ["Q?", AWKWARD], "chosen": [AWKWARD, "b"], "rejected": ["c", "d"]}


def test_preferences(tmp_path: Path) -> None:
    """Texts stay texts; a conversation or a system message before makes all three lists of turns."""
    said = written(Dpo(), dataset({"p": PREFER}), tmp_path / "a", "p")
    assert said[0] == {"prompt": "Q?", "chosen": AWKWARD, "rejected": "c"}
    asked = [*CHAT, {"role": "user", "content": "More?"}]
    data = dataset({"p": {"messages": [json.dumps(asked)], "chosen": ["c"], "rejected": ["r"], "system": ["S."]}})
    said = written(Dpo(), data, tmp_path / "b", "p")
    assert said == [{"prompt": [{"role": "system", "content": "S."}, *asked],
                     "chosen": [{"role": "assistant", "content": "c"}],
                     "rejected": [{"role": "assistant", "content": "r"}]}]  # fmt: skip
    ends = dataset({"p": {"messages": [json.dumps(CHAT)], "chosen": ["c"], "rejected": ["r"]}})
    refused(Dpo(), ends, tmp_path / "c", "1 whose conversation does not end with the user")
    with_system = dataset({"p": PREFER | {"system": ["S.", None]}})
    said = written(Dpo(), with_system, tmp_path / "d", "p")
    assert [len(row["prompt"]) for row in said] == [2, 1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "without 'messages'"),
        (" \n", "without 'messages'"),
        ("{", "that is no JSON"),
        ("[" * 100_000, "that is no JSON"),
        ('{"role": "user"}', "that is no JSON list"),
        ("[]", "has no turn"),
        ("[1]", r"a turn that is no \{role, content\}"),
        ('[{"role": "user", "content": "x", "name": "y"}]', "other keys"),
        ('[{"role": "robot", "content": "x"}]', "an unknown role"),
        ('[{"role": "assistant", "content": ""}]', "says nothing"),
        ('[{"role": "assistant", "content": null}]', "says nothing"),
        ('[{"role": "assistant", "content": "\\ud83d"}]', "half a character"),
        ('[{"role": "user", "content": "x"}]', "without a turn of the assistant"),
    ],
)
def test_malformed_conversations(tmp_path: Path, text: str | None, why: str) -> None:
    """A row without a conversation to learn from is an error with the column, how many, the first, and what to do."""
    data = dataset({"chat": {"messages": [json.dumps(CHAT), text, json.dumps(CHAT)]}})
    refused(OpenaiMessages(), data, tmp_path, rf"chat: column 'messages'.*1 of 3 rows: 1 .*{why}.*first is row 2")


def test_every_wrong_row_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reasons are counted over all batches and parts; values of rows are in no message."""
    monkeypatch.setattr(training, "BATCH", 2)
    monkeypatch.setattr(Alpaca, "rows", 3)
    ask = ["secret", "x", None, "x", " ", "x", "secret"]
    data = dataset({"qa": {"question": ask, "answer": ["a", "b", "c", None, "e", "f", "g"]}})
    refused(Alpaca(), data, tmp_path, "3 of 7 rows: 2 without 'question', 1 without 'answer' .the first is row 3")
    with pytest.raises(InputError) as error:
        Alpaca().write(data, tmp_path, MARK)
    assert "secret" not in str(error.value)
    assert "answer is not null" in error.value.remedy


def test_batches_and_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many rows are looked at together changes nothing; parts hold the rows in order."""
    data = dataset({"qa": {"question": [f"q{i}" for i in range(7)], "answer": ["a"] * 7}})
    Alpaca().write(data, tmp_path / "a", MARK)
    whole = (tmp_path / "a" / "qa" / "part-00000.jsonl").read_bytes()
    monkeypatch.setattr(training, "BATCH", 2)
    monkeypatch.setattr(Alpaca, "rows", 3)
    files = Alpaca().write(data, tmp_path / "b", MARK)
    assert [f.name for f in files] == [f"part-0000{i}.jsonl" for i in range(3)]
    assert b"".join(f.read_bytes() for f in files) == whole
    talking = OpenaiMessages(turns="turn", roles=WHO)
    talking.write(talks(), tmp_path / "c", MARK)
    monkeypatch.undo()
    talking.write(talks(), tmp_path / "d", MARK)
    name = "talk/part-00000.jsonl"
    assert (tmp_path / "c" / name).read_bytes() == (tmp_path / "d" / name).read_bytes()


def test_other_tables_and_empty_ones(tmp_path: Path) -> None:
    """Tables without an example's columns are JSON Lines with all theirs; a table without rows is an empty file."""
    data = dataset(PAIRS | {"shop": {"name": ["x"], "output": [1]}}, shop_output={"kind": "integer"})
    assert written(Alpaca(), data, tmp_path / "a", "shop") == [{"name": "x", "output": 1}]
    none = Dataset(data.schema, {t: held.slice(0, 0) for t, held in data.tables.items()})
    assert written(OpenaiMessages(), none, tmp_path / "b", "qa") == []
    assert (tmp_path / "b" / "qa" / "part-00000.jsonl").read_bytes() == b""


def test_one_file(tmp_path: Path) -> None:
    """A single file is told by the types of its columns, labels among them."""
    held = pa.table({"prompt": pa.array(["a"]).dictionary_encode(), "response": ["b"]})
    Alpaca().write_file(held, tmp_path / "x.jsonl", MARK)
    assert lines(tmp_path / "x.jsonl") == [{"instruction": "a", "input": "", "output": "b"}]
    OpenaiMessages(turns="turn").write_file(held, tmp_path / "y.jsonl", MARK)
    assert lines(tmp_path / "y.jsonl") == [{"prompt": "a", "response": "b"}]


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        (
            OpenaiMessages(user="qestion", assistant="answer"),
            "user: no table has a column 'qestion': did you mean 'quest",
        ),
        (OpenaiMessages(user="qa.question", assistant="answer"), "did you mean 'question'"),
        (OpenaiMessages(conversation="n"), "conversation: 'n' is of kind 'integer', wanted text"),
        (OpenaiMessages(user="id", assistant="answer"), "'id' is of kind 'key'"),
        (OpenaiMessages(conversation="question", user="answer"), "do not go together: say `conversation` or `user`"),
        (OpenaiMessages(user="question", assistant="note"), "no table has all columns of an example"),
        (Dpo(), "no table has columns that make an example.*prompt: ….*or.*conversation: …, chosen: …"),
        (OpenaiMessages(turns="trun"), "turns: there is no table 'trun': did you mean 'turn'"),
        (OpenaiMessages(turns="qa"), "reference: table 'qa' has 0 references"),
        (OpenaiMessages(turns="turn", role="rol"), "role: table 'turn' has no column 'rol': did you mean 'role'"),
        (OpenaiMessages(turns="turn", order="role"), "order: 'role' is of kind 'category', wanted whole numbers"),
        (OpenaiMessages(turns="turn"), "content: table 'turn' has no column with a usual name"),
        (OpenaiMessages(turns="turn", content="words", conversation="x"), "`conversation` and `turns` do not go"),
        (OpenaiMessages(turns="turn", content="words", user="question"), "'user', 'turns' do not go together"),
        (OpenaiMessages(role="role"), "role: it is a column of `turns`"),
    ],
)
def test_faults(sink: Training, said: str) -> None:
    """What parameters cannot mean is told before anything runs, with the name that was meant."""
    qa = {"id": [1], "n": [1], "question": ["q"], "answer": ["a"]}
    tables: dict[str, Any] = {"qa": qa, "turn": {"qa": [1], "role": ["user"], "words": ["x"]}, "other": {"note": ["x"]}}
    data = dataset(tables, qa_id={"kind": "key"}, qa_n={"kind": "integer"}, turn_role={"kind": "category"},
                   turn_qa={"kind": "reference", "to": "qa.id"})  # fmt: skip
    assert any(re.search(said, f) for f in sink.faults(data.schema)), sink.faults(data.schema)
    assert OpenaiMessages(turns="turn", content="words").faults(data.schema) == []


# --------------------------------------------------------------------------------------------------------- tools
def called(number: str, name: str = "find", arguments: str = '{"n": 1}') -> dict[str, Any]:
    """Return a call of a tool, as OpenAI's messages have it."""
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}


TOOLS: list[dict[str, Any]] = [
    {"role": "user", "content": "Where?"},
    {"role": "assistant", "content": None, "tool_calls": [called("a"), called("b", "look", "{}")]},
    {"role": "tool", "tool_call_id": "b", "content": '{"x": 1}'}, {"role": "tool", "tool_call_id": "a", "content": "A"},
    {"role": "assistant", "content": "There."},
]  # fmt: skip
DECLARED = [{"type": "function", "function": {"name": "find", "description": "Finds.", "parameters": {}}}]


def test_tools(tmp_path: Path) -> None:
    """Calls and results are written as each form has them; tools stand beside, where a column of them is named."""
    shorter = [t | {"tool_calls": [called("c")]} if "tool_calls" in t else t for t in TOOLS[:2]]
    result = {"role": "tool", "tool_call_id": "c", "name": "find", "content": ""}
    talks = {"messages": [json.dumps(TOOLS), json.dumps([*shorter, result, TOOLS[-1]]), json.dumps(CHAT)],
             "tools": [json.dumps(DECLARED), None, "[]"]}  # fmt: skip
    said = written(OpenaiMessages(tools="tools"), dataset({"chat": talks}), tmp_path / "a", "chat")
    assert said[0] == {"messages": TOOLS, "tools": DECLARED}
    assert "tools" not in said[1]
    assert said[1]["messages"][2] == {"role": "tool", "tool_call_id": "c", "content": ""}
    assert said[2] == {"messages": CHAT, "tools": []}
    assert "tools" not in written(OpenaiMessages(), dataset({"chat": talks}), tmp_path / "b", "chat")[0]
    said = written(Sharegpt(tools="tools"), dataset({"chat": talks}), tmp_path / "c", "chat")
    assert [t["from"] for t in said[0]["conversations"]] == ["human", "function_call", "observation", "gpt"]
    calls = [{"name": "find", "arguments": {"n": 1}}, {"name": "look", "arguments": {}}]
    assert json.loads(said[0]["conversations"][1]["value"]) == calls
    assert json.loads(said[0]["conversations"][2]["value"]) == [{"x": 1}, "A"]
    assert json.loads(said[0]["tools"]) == [DECLARED[0]["function"]]
    assert json.loads(said[1]["conversations"][1]["value"]) == calls[0]
    assert said[1]["conversations"][2] == {"from": "observation", "value": ""}


@pytest.mark.parametrize(("turns", "why"), [
    ([TOOLS[0], TOOLS[2]], "a tool's result that no call asked for"),
    ([*TOOLS[:2], TOOLS[4]], "a call that has no result"), (TOOLS[:3], "a call that has no result"),
    ([*TOOLS[:4], TOOLS[3]], "a tool's result that no call asked for"),
    ([*TOOLS, TOOLS[0], TOOLS[1]], "two calls of the same number"),
    ([TOOLS[0] | {"tool_calls": []}], "other keys"), ([TOOLS[1] | {"name": "x"}], "other keys"),
    ([TOOLS[1] | {"tool_calls": ["a"]}], "calls that are none"), ([TOOLS[1] | {"tool_calls": {}}], "says nothing"),
    ([TOOLS[1] | {"tool_calls": [called("a", "")]}], "a call of no tool"),
    ([TOOLS[1] | {"tool_calls": [called("a", "f", "[]")]}], "whose arguments are no JSON object"),
    ([TOOLS[1] | {"tool_calls": [called("a", "\ud83d")]}], "half a character"),
])  # fmt: skip
def test_calls_and_results_belong_together(tmp_path: Path, turns: list[Any], why: str) -> None:
    """A call without a result, a result without a call, and calls that are none are errors."""
    refused(OpenaiMessages(), dataset({"chat": {"messages": [json.dumps(turns)]}}), tmp_path, why)


def test_faults_of_tools(tmp_path: Path) -> None:
    """What a form cannot say, and tools that are none, are errors, too."""
    both = [TOOLS[0], TOOLS[1] | {"content": "Wait."}]
    data = dataset({"chat": {"messages": [json.dumps(both)], "tools": ["5"], "odd": ["{"]}})
    assert written(OpenaiMessages(), data, tmp_path / "a", "chat")[0]["messages"][1]["content"] == "Wait."
    refused(Sharegpt(), data, tmp_path / "b", "1 with a turn that says something and calls a tool")
    refused(OpenaiMessages(tools="tools"), data, tmp_path / "c", "1 whose tools are no list of")
    refused(OpenaiMessages(tools="odd"), data, tmp_path / "d", "1 whose tools are no JSON")
    assert "tools: no table has a column 'tool'" in OpenaiMessages(tools="tool").faults(data.schema)[0]


def test_calls_in_rows(tmp_path: Path) -> None:
    """Rows of calls are put together; without numbers, results are in the order of calls."""
    rows: dict[str, Any] = {
        "talk": [10] * 6, "position": [1, 2, 3, 4, 5, 6],
        "speaker": ["customer", "agent", "agent", "tool", "tool", "agent"],
        "text": ["Where?", None, None, "A", "B", "There."], "tool": [None, "find", "look", None, None, None],
        "arguments": [None, '{"n": 1}', "{}", None, None, None],
    }  # fmt: skip
    fields: dict[str, Any] = {"talk_id": {"kind": "key"}, "turn_talk": {"kind": "reference", "to": "talk.id"}}
    kinds: dict[str, Any] = {"turn_position": {"kind": "integer"}, "turn_speaker": {"kind": "category"}}
    data = dataset({"talk": {"id": [10]}, "turn": rows}, **fields, **kinds)
    (said,) = written(OpenaiMessages(turns="turn", roles=WHO), data, tmp_path / "a", "talk")
    assert said["messages"][1]["tool_calls"] == [called("call_1"), called("call_2", "look", "{}")]
    assert [t.get("tool_call_id") for t in said["messages"]] == [None, None, "call_1", "call_2", None]
    lone = dataset(
        {"talk": {"id": [10]}, "turn": {c: v for c, v in rows.items() if c != "arguments"}}, **fields, **kinds
    )
    refused(OpenaiMessages(turns="turn", roles=WHO), lone, tmp_path / "b", "1 with a turn that says nothing")


def test_other_names_of_speakers() -> None:
    """A turn's role is read without regard to case; nobody else speaks."""
    assert [t.role for t in turns_of('[{"role": " GPT", "content": "x"}]')] == ["assistant"]
    with pytest.raises(TurnError, match="unknown role"):
        turns_of('[{"role": "agent", "content": "x"}]')
