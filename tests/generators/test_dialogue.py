"""Two language models hold a conversation: who is told what, how it ends, tools and results, and what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import ValidationError

import synthwright as sw
from synthwright.core.chat import Key, NoReply, Reply, Request
from synthwright.core.context import Context
from synthwright.core.contracts import Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Schema
from synthwright.generators.dialogue import Dialogue
from synthwright.kit.chat.asking import Asking
from synthwright.kit.chat.spending import part_of
from synthwright.kit.prompting.dialogues import BEGIN
from synthwright.kit.prompting.turns import turns_of
from synthwright.line import check
from synthwright.providers.scripted import Scripted
from synthwright.store.replies import Replies
from synthwright.testing.models import DirectModels

CHECKOUT = Path(__file__).resolve().parents[2]
SCHEMA = Schema.model_validate({"tables": {"case": {"fields": {
    "mood": {"kind": "category"}, "status": {"kind": "text"}, "raw": {"kind": "bytes"},
    "talk": {"kind": "text", "nulls": False}, "n": {"kind": "integer"}, "m": {"kind": "integer"},
    "how": {"kind": "category"}, "tools": {"kind": "text"},
}}}})  # fmt: skip
Answer = Callable[[str, Request, Key], str | Reply | NoReply]
BASE: dict[str, Any] = {"user": "u", "agent": "a", "user_prompt": "You are {{ mood }}.", "agent_prompt": "You serve."}
FIND = {"name": "find", "description": "Finds.", "result": '{"status": {{ status | json }}}', "parameters": {
    "type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}}  # fmt: skip


def made(answer: Answer, produce: str = "talk", rows: int = 1, **settings: Any) -> tuple[Sample, DirectModels]:
    """Return what the generator makes of some rows, and the models that it asked."""
    recipe = Dialogue.model_validate(BASE | settings)
    names = tuple(produce.split())
    assert recipe.misused(SCHEMA, "case", names) == []
    known = {"mood": pa.array(["calm", "rude", "shy"] * rows, pa.large_string())[:rows],
             "status": pa.array(['late "again"'] * rows, pa.large_string())}  # fmt: skip
    given = Dataset.blank(SCHEMA, {"case": rows}, {"case": 7}).with_columns("case", known)
    models = DirectModels(answer)
    model = recipe.fit(Dataset.empty(SCHEMA), Part(tuple(f"case.{c}" for c in names)), Context())
    return model.sample(given, Context(models=models).at("shard", 0)), models


def talk(sample: Sample, row: int = 0) -> list[Any]:
    """Return the conversation of a row."""
    found: list[Any] = json.loads(sample.data.column("case.talk").to_pylist()[row])
    return found


def reasons(sample: Sample) -> list[str | None]:
    """Return why rows go."""
    (verdict,) = sample.problems
    found: list[str | None] = verdict.reason.to_pylist()
    return found


def script(*said: str | Reply | NoReply) -> Answer:
    """Return what answers with some texts, one after the other."""
    left = list(said)
    return lambda *_: left.pop(0)


def call(**arguments: Any) -> str:
    """Return what an agent writes to call a tool."""
    return json.dumps({"say": "", "calls": [{"name": "find", "arguments": arguments}]})


def test_sides_see_the_conversation_from_their_places() -> None:
    """Each side is told its own prompt, and what the other side said; a turn is a question with a key of its own."""
    sample, models = made(script("Hi.", "Hello.", "It broke.", "A new one comes."), turns=[2, 2], tokens=9)
    assert talk(sample) == [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."},
                            {"role": "user", "content": "It broke."},
                            {"role": "assistant", "content": "A new one comes."}]  # fmt: skip
    assert [m for m, _, _ in models.asked] == ["u", "a", "u", "a"]
    keys = [k for _, _, k in models.asked]
    assert [k[-2:] for k in keys] == [(7, 0), (7, 2), (7, 4), (7, 6)]
    assert {part_of(k) for k in keys} == {"shard/dialogue/talk"}
    system, *seen = models.asked[2][1].messages
    assert system.text.startswith("You are calm.\n\nYou play the user")
    assert "your last message" in system.text
    assert "[END]" in system.text
    assert [(m.role, m.text) for m in seen] == [("user", BEGIN), ("assistant", "Hi."), ("user", "Hello.")]
    system, *seen = models.asked[3][1].messages
    assert system.text.startswith("You serve.")
    assert "[END]" not in system.text
    assert [m.text for m in seen] == ["Hi.", "Hello.", "It broke."]
    assert {r.tokens for _, r, _ in models.asked} == {9}
    _, models = made(script("Hi.", "Hello."), turns=[1, 1], instruct=False)
    assert [r.messages[0].text for _, r, _ in models.asked] == ["You are calm.", "You serve."]


def test_the_user_ends_it() -> None:
    """A mark alone ends the conversation at once, behind words after the answer; too early it is told so, once."""
    sample, models = made(script("Hi.", "Hello.", " [END]\n"), "talk n how", turns=[1, 1])
    assert len(models.asked) == 2  # a single turn: nothing is left to end
    sample, models = made(script("Hi.", "Hello.", " [END]\n"), "talk n how m", turns=[1, 9],
                          columns={"calls": "m"})  # fmt: skip
    assert [t["content"] for t in talk(sample)] == ["Hi.", "Hello."]
    assert [sample.data.column(f"case.{c}").to_pylist() for c in ("n", "how", "m")] == [[1], ["user"], [0]]
    sample, _ = made(script("Hi.", "Hello.", "Thanks! STOP", "Gladly."), turns=[2, 2], end="STOP")
    assert [t["content"] for t in talk(sample)] == ["Hi.", "Hello.", "Thanks!", "Gladly."]
    sample, models = made(script("Hi. [END]", "Hi.", "Hello.", "[END]", "More", "Yes."), turns=[2, 2])
    assert [t["content"] for t in talk(sample)] == ["Hi.", "Hello.", "More", "Yes."]
    assert models.asked[1][1].messages[-1].text.startswith("Your message cannot be used: the conversation is not over")
    assert [k[-1] for _, _, k in models.asked] == [0, 1, 2, 4, 5, 6]
    assert reasons(made(script("[END]", "[END]"))[0]) == ["ended-early"]
    assert reasons(made(script("a [END] b", "a [END] b"))[0]) == ["turn-malformed"]
    sample, _ = made(script("Hi. [END]", "Hello."), turns=[1, 1], end="")
    assert talk(sample)[0]["content"] == "Hi. [END]"


def test_lengths_differ() -> None:
    """How many turns a conversation may have is drawn between the least and the most."""
    sample, _ = made(lambda m, r, _: f"{m} {len(r.messages)}", "talk n how", rows=60, turns={"least": 2, "most": 4})
    found = sample.data.column("case.n").to_pylist()
    assert {found.count(n) > 5 for n in (2, 3, 4)} == {True}
    assert set(found) == {2, 3, 4}
    assert sample.data.column("case.how").to_pylist() == ["most"] * 60
    assert [len(talk(sample, i)) for i in range(60)] == [2 * n for n in found]


def test_what_sides_may_not_say() -> None:
    """One's own name is left out; who speaks for the other side, or says the same again, is told so, once."""
    sample, _ = made(script("**User:** Hi.", "Assistant: Hello.", "hi. ", "More.", "Yes."), turns=[2, 2])
    assert [t["content"] for t in talk(sample)] == ["Hi.", "Hello.", "More.", "Yes."]
    sample, models = made(script("Hi.\nAgent: Hello.", "Hi.", "Hello."), turns=[1, 1])
    assert [t["content"] for t in talk(sample)] == ["Hi.", "Hello."]
    assert "speaks for the other side" in models.asked[1][1].messages[-1].text
    assert reasons(made(script("Hi.", "Sure.\nUser: Thanks.", "User: x"))[0]) == ["turn-malformed"]
    assert reasons(made(script("Hi.\nAgent: x"), repair=False)[0]) == ["turn-malformed"]


def test_reasons() -> None:
    """A conversation without a turn goes for the turn's reason, and leaves a value that its columns may have."""
    said: list[str | Reply | NoReply] = ["", Reply("x", "refused"), Reply("x", "length"), NoReply("busy"), "fine"]
    sample, _ = made(lambda m, _, k: said[int(k[-2]) - 7] if m == "u" else "Yes.", "talk n", rows=5, turns=[1, 1])
    assert reasons(sample) == ["reply-empty", "reply-refused", "reply-cut", "no-reply", None]
    assert sample.data.column("case.n").to_pylist() == [None] * 4 + [1]
    assert sample.data.column("case.talk").to_pylist()[0] == ""
    listed = Dialogue.model_validate(BASE | {"user_prompt": "{% for x in status %}{{ x }}{% endfor %}"})
    model = listed.fit(Dataset.empty(SCHEMA), Part(("case.talk",)), Context())
    given = Dataset.blank(SCHEMA, {"case": 1}).with_columns(
        "case", {"status": pa.array(["no list"], pa.large_string())}
    )
    assert reasons(model.sample(given, Context(models=DirectModels(script())))) == ["no-prompt"]
    with pytest.raises(SampleError, match=r"models: \{writer"):
        model.sample(given, Context())


# --------------------------------------------------------------------------------------------------------------- tools
def test_tools() -> None:
    """The agent calls tools by JSON; a fixed result follows from the row; all is kept in the shape of OpenAI's."""
    two = json.dumps({"say": "Wait.", "calls": [{"name": "find", "arguments": {"order": n}} for n in ("1", 2)]})
    answers = script("Where is it?", two, '{"say": "It is late."}', "Oh.", "Plain words.")
    sample, models = made(answers, "talk m tools", turns=[2, 2], tools=[FIND], system=True,
                          columns={"calls": "m", "tools": "tools"})  # fmt: skip
    result = '{"status": "late \\"again\\""}'
    function = {"name": "find", "arguments": '{"order": 1}'}
    system, _, calls, one, other, said, *_ = talk(sample)
    assert system == {"role": "system", "content": "You serve."}
    assert calls["content"] is None
    assert calls["tool_calls"][0] == {"id": "call_1", "type": "function", "function": function}
    assert (one, other) == tuple({"role": "tool", "tool_call_id": f"call_{i}", "content": result} for i in (1, 2))
    assert said == {"role": "assistant", "content": "It is late."}
    assert talk(sample)[-1]["content"] == "Plain words."
    assert [t.role for t in turns_of(json.dumps(talk(sample)))] == [
        "system", "user", "assistant", "tool", "tool", "assistant", "user", "assistant"]  # fmt: skip
    assert sample.data.column("case.m").to_pylist() == [2]
    (declared,) = json.loads(sample.data.column("case.tools").to_pylist()[0])
    assert declared == {"type": "function", "function": {k: FIND[k] for k in ("name", "description", "parameters")}}
    first, after = models.asked[1][1], models.asked[2][1]
    assert json.dumps(FIND["parameters"]) in first.messages[0].text
    assert first.form is not None
    assert first.form["properties"]["calls"]["items"]["properties"]["arguments"] == FIND["parameters"]
    assert json.loads(after.messages[-2].text)["calls"][1] == {"name": "find", "arguments": {"order": 2}}
    assert after.messages[-1].text.count(result) == 2
    assert [m.text for m in models.asked[3][1].messages[2:]] == ["Where is it?", "It is late."]  # users see no calls


@pytest.mark.parametrize(("wrong", "told"), [
    (call(order="x"), "the arguments of 'find' cannot be used: it does not meet the JSON Schema: order"),
    (call(), "'order' is a required property"),
    ('{"calls": [{"name": "fnd", "arguments": {}}]}', "there is no tool 'fnd', only 'find'"),
    ('{"calls": [{"tool": "find"}]}', "a call is no object of 'name' and 'arguments'"),
    ('{"words": "x"}', "it is no object of 'say' and 'calls'"), ('{"say": 5}', "'say' is no text"),
    ('{"say": "x"', "it is no JSON"),
    (json.dumps({"calls": [{"name": "find", "arguments": {"order": 1}}] * 9}), "more than 8 calls at once"),
])  # fmt: skip
def test_malformed_calls(wrong: str, told: str) -> None:
    """An agent is told once what is wrong with a call; then the row goes."""
    sample, models = made(script("Where?", wrong, call(order=5), "There."), turns=[1, 1], tools=[FIND])
    assert told in models.asked[2][1].messages[-1].text
    assert [t["role"] for t in talk(sample)] == ["user", "assistant", "tool", "assistant"]
    assert reasons(made(script("Where?", wrong, wrong), tools=[FIND])[0]) == ["call-malformed"]


def test_calls_come_to_an_end() -> None:
    """After so many calls the agent can only say something: its form has no others, and more are malformed."""
    answers = script("Where?", call(order=1), call(order=2), call(order=3), "There.")
    sample, models = made(answers, turns=[1, 1], tools=[FIND], calls=2)
    assert [t["role"] for t in talk(sample)] == ["user", *["assistant", "tool"] * 2, "assistant"]
    forms = [r.form["properties"].keys() for m, r, _ in models.asked if m == "a" and r.form]
    assert [set(f) for f in forms] == [{"say", "calls"}] * 2 + [{"say"}] * 2
    assert "You cannot call more tools now" in models.asked[3][1].messages[0].text


def test_a_model_plays_the_world() -> None:
    """Results without a fixed one are written by a third model, which sees what was called and returned before."""
    tool: dict[str, Any] = {k: v for k, v in FIND.items() if k != "result"}
    tool["returns"] = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    world: dict[str, Any] = {"world": "w", "world_prompt": "The parcel is {{ status }}.", "tools": [tool]}
    answers = script("Where?", call(order=1), "soon", '{"days": "2"}', call(order=2), '{"days": 3}', "Two days.")
    sample, models = made(answers, turns=[1, 1], **world)
    assert [t["content"] for t in talk(sample) if t["role"] == "tool"] == ['{"days": 2}', '{"days": 3}']
    asked = [r for m, r, _ in models.asked if m == "w"]
    assert asked[0].messages[0].text.startswith('The parcel is late "again".')
    assert asked[0].form == tool["returns"]
    assert [m.text for m in asked[2].messages[1:]] == [
        '{"name": "find", "arguments": {"order": 1}}', '{"days": 2}', '{"name": "find", "arguments": {"order": 2}}',
    ]  # fmt: skip
    assert Dialogue.model_validate(BASE | world).asks() == ("u", "a", "w")
    assert reasons(made(script("Where?", call(order=1), "soon", "later"), **world)[0]) == ["result-malformed"]


# ---------------------------------------------------------------------------------------------------- runs that stop
def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    """A run that is killed in the middle of a conversation goes on with the next turn, to the same bytes."""
    recipe = Dialogue.model_validate(BASE | {"user": "w", "agent": "w", "turns": [2, 3]})
    model = recipe.fit(Dataset.empty(SCHEMA), Part(("case.talk",)), Context())
    given = Dataset.blank(SCHEMA, {"case": 3}).with_columns("case", {"mood": pa.array(["x"] * 3, pa.large_string())})

    def ran(log_at: Path, dies: int) -> tuple[list[Request], str | None]:
        """Return what is asked, and what comes of it; the run dies of one question."""
        asked: list[Request] = []

        class Counting(Scripted):
            """Notes what it is asked."""

            def answer(self, request: Request) -> str:
                asked.append(request)
                if len(asked) == dies:
                    raise KeyboardInterrupt
                return f"{request.messages[-1].text[-40:]} {len(request.messages)}"

        try:
            with Replies.open(log_at) as log, Asking({"w": Counting(in_flight=1)}, log) as models:
                return asked, model.sample(given, Context(models=models)).data.fingerprint()
        except KeyboardInterrupt:
            return asked, None

    whole, expected = ran(tmp_path / "one", 0)
    before, nothing = ran(tmp_path / "two", 6)
    after, found = ran(tmp_path / "two", 0)
    assert (nothing, found) == (None, expected)
    assert 5 < len(before) == 6 < len(whole)
    assert len(before) + len(after) == len(whole) + 1  # the question that it died of


# ---------------------------------------------------------------------------------------------- before anything runs
@pytest.mark.parametrize(("settings", "columns", "message"), [
    ({"user_prompt": "{{ mod }}"}, "talk", "user_prompt: table 'case': path 'mod'"),
    ({"agent_prompt": "{{ talk }}"}, "talk", "agent_prompt: 'talk' is a column that it makes itself"),
    ({"agent_prompt": "{{ raw }}"}, "talk", "'raw' holds bytes"),
    ({"tools": [FIND | {"result": "{{ x }}"}]}, "talk", "tools.0.result: table 'case': path 'x'"),
    ({"tools": [{"name": "f"}]}, "talk", "tools.0: nobody says what 'f' returns"),
    ({"world_prompt": "x"}, "talk", "world_prompt: it is told to nobody"),
    ({"world": "w"}, "talk", "world: no tool needs it"),
    ({"tools": [FIND | {"returns": {}}]}, "talk", "tools.0.returns: it is for results that `world` writes"),
    ({"columns": {"turns": "x"}}, "talk", "columns.turns: the part makes no column 'x'"),
    ({"columns": {"turns": "n", "calls": "n"}}, "talk n", "columns: column 'n' cannot hold two things"),
    ({"columns": {"turns": "how"}}, "talk how", "'how' is to hold 'turns', wanted a column of kind integer"),
    ({"columns": {"tools": "tools"}}, "talk tools", "columns.tools: there are none"),
    ({}, "talk tools", "fills one column of text, and there are 2"), ({}, "n", "and there are 0"),
])  # fmt: skip
def test_misused(settings: dict[str, Any], columns: str, message: str) -> None:
    """What the parameters cannot mean for the columns is told with its place."""
    found = Dialogue.model_validate(BASE | settings).misused(SCHEMA, "case", tuple(columns.split()))
    assert any(message in f"{'.'.join(map(str, place))}: {said}" for place, said in found), found
    assert any("say what the sides are told" in said for _, said in Dialogue().misused(SCHEMA, "case", ("talk",)))


@pytest.mark.parametrize(("settings", "message"), [
    ({"user_prompt": "{{ x() }}"}, "a call is not allowed"), ({"turns": [3, 2]}, "wanted 'most' from 'least' on"),
    ({"turns": [0, 2]}, "greater than or equal to 1"), ({"tools": [FIND, FIND]}, "two tools have the same name"),
    ({"tools": [{"name": "a b"}]}, "wanted at most 64 letters"),
    ({"tools": [FIND | {"parameters": {"type": "string"}}]}, "wanted the schema of an object"),
    ({"tools": [FIND | {"parameters": {"type": "object", "$ref": "http://x"}}]}, "leads out of the schema"),
    ({"columns": {"words": "x"}}, "'turns', 'calls', 'ended' or 'tools'"),
])  # fmt: skip
def test_wrong_parameters(settings: dict[str, Any], message: str) -> None:
    """What nobody could mean is refused where it stands."""
    with pytest.raises(ValidationError, match=re.escape(message)):
        Dialogue.model_validate(settings)


def test_documented() -> None:
    """Every reason of its own is documented; how a conversation ended is known to others."""
    page = (CHECKOUT / "docs" / "reasons.md").read_text(encoding="utf-8")
    for code in ("turn-malformed", "ended-early", "call-malformed", "result-malformed"):
        assert f"| `{code}` | `dialogue` | {Dialogue.reasons[code]} |" in page
    assert Dialogue().vocabulary(SCHEMA, "case", "how") == ("user", "most")
    assert Dialogue().vocabulary(SCHEMA, "case", "talk") is None


def test_page_runs(tmp_path: Path) -> None:
    """The specification that the page shows runs offline."""
    page = (CHECKOUT / "docs" / "text-conversations.md").read_text(encoding="utf-8")
    text = next(b for b in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "synthwright: 1" in b)
    (tmp_path / "shown.yaml").write_text(text, encoding="utf-8")
    assert check(load_spec(tmp_path / "shown.yaml")) is not None
    report = sw.run(tmp_path / "shown.yaml", tmp_path / "out")
    assert report.passed, (report.summary, report.dropped)
    assert report.rows["turn"] > report.rows["case"]
