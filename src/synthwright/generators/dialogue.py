"""Conversations that two language models hold, one for each side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BeforeValidator, field_validator, model_validator
from pydantic import Field as Setting

from synthwright.core import chat
from synthwright.core.contracts import Abilities, Place
from synthwright.core.schema import Frozen, Kind, Schema, Table
from synthwright.kit.formula.stated import lost
from synthwright.kit.prompting.answers import AnswerError
from synthwright.kit.prompting.dialogues import TURN_REASONS, Held, Play, Scene, Talk
from synthwright.kit.prompting.prompt_words import Unwritten
from synthwright.kit.prompting.prompts import Prompt, Template
from synthwright.kit.prompting.stages import Stage
from synthwright.kit.prompting.tools import TOOL_REASONS, Tool
from synthwright.kit.prompting.turns import Turn, messages
from synthwright.kit.prompting.written import NO_PROMPT, UNANSWERED, columns_of, field_at, models_of, told
from synthwright.kit.ruled import Ask, Drawn, Ruled

Fact = Literal["turns", "calls", "ended", "tools"]
_KINDS: dict[str, tuple[Kind, ...]] = {
    "conversation": (Kind.TEXT,), "turns": (Kind.INTEGER,), "calls": (Kind.INTEGER,),
    "ended": (Kind.CATEGORY, Kind.TEXT), "tools": (Kind.TEXT,),
}  # fmt: skip
"""What a column may be made to hold, and of which kind it then is."""


class Turns(Frozen):
    """How many turns a conversation has: those of the user, each of which the agent answers."""

    least: int = Setting(default=2, ge=1, le=100)
    """At least."""
    most: int = Setting(default=4, ge=1, le=100)
    """At most."""

    @model_validator(mode="after")
    def _in_order(self) -> Turns:
        if self.most < self.least:
            raise ValueError(f"wanted 'most' from 'least' on, got {self.most} below {self.least}")
        return self


def _between(said: Any) -> Any:
    """Read two numbers as the least and the most."""
    return {"least": said[0], "most": said[1]} if isinstance(said, list | tuple) and len(said) == 2 else said


class Dialogue(Ruled):
    """Lets two language models hold a conversation, a user and an agent, turn by turn.

    ::

        - make: [case.messages]
          use: dialogue
          with:
            user_prompt: You are {{ customer.first_name }}. Your {{ product.name }} is broken, and you are {{ mood }}.
            agent_prompt: You answer for a shop. Broken goods are replaced within {{ product.warranty }} months.
            turns: [2, 5]
            tools:
              - name: find_order
                parameters: {type: object, properties: {number: {type: string}}, required: [number]}
                result: {status: "{{ status }}"}

    Each side has a system prompt over the columns of the row, and sees only what is said. The user's side may end the
    conversation; the agent may call tools, whose results are fixed by the row or written by a third model. The column
    holds a JSON list of messages in the shape of OpenAI's. `docs/text-conversations.md` has it all.

    Two models that take turns follow Li et al. (2023, CAMEL, arXiv 2303.17760) and Ding et al. (2023, UltraChat, arXiv
    2305.14233); tools whose results a model plays follow Tang et al. (2023, ToolAlpaca, arXiv 2306.05301).
    """

    name: ClassVar[str] = "dialogue"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset({Kind.TEXT, Kind.INTEGER, Kind.CATEGORY}), given="declared", learns=False
    )
    reasons: ClassVar[dict[str, str]] = {
        **UNANSWERED,
        **TURN_REASONS,
        **TOOL_REASONS,
    }
    """Why rows go."""

    user: str = Setting(default="writer", min_length=1)
    """The language model of the user's side, as `models` of the specification calls it."""
    agent: str = Setting(default="writer", min_length=1)
    """The language model of the agent's side."""
    user_prompt: Template = "You are a customer with a question."
    """The template of what the user's side is told: who it is, what it wants, how it writes."""
    agent_prompt: Template = "You are a helpful assistant."
    """The template of what the agent's side is told: whom it works for, what it may do."""
    turns: Annotated[Turns, BeforeValidator(_between, json_schema_input_type=Turns | tuple[int, int])] = Setting(
        default=Turns(), examples=[[1, 2]]
    )
    """How many turns of the user, each with its answer: `{least: 2, most: 4}`, or `[2, 4]`. How many a conversation may
    have at most is drawn for each one between both; before, the user's side may end it."""
    end: str = Setting(default="[END]", max_length=40)
    """The mark by which the user's side ends a conversation: alone, or behind its last words. Nothing: it cannot."""
    tools: tuple[Tool, ...] = Setting(default=(), max_length=50, examples=[[{"name": "now", "result": "noon"}]])
    """What the agent may call: `{name, description, parameters: a JSON Schema, result: a template or values}`."""
    world: str = ""
    """The language model that writes what tools without a `result` return."""
    world_prompt: Template = ""
    """The template of what that model is told: what is true in the world of the row."""
    calls: int = Setting(default=3, ge=1, le=20)
    """How often the agent may call tools, several at once if it likes, before it says something."""
    system: bool = False
    """Whether the conversation begins with `agent_prompt`, as a turn of the system."""
    columns: dict[Fact, str] = Setting(default={}, examples=[{"turns": "x"}])
    """Columns that the part makes beside the conversation: `{turns: n, calls: m, ended: how, tools: declared}` are the
    user's turns, the calls, `user` or `most`, and the tools as `tools` of the sink `openai-messages` reads them."""
    tokens: int | None = Setting(default=None, ge=1, le=1_000_000)
    """The most tokens of a turn; nothing: what the model's own parameters say."""
    temperature: float | None = Setting(default=None, ge=0, le=5)
    """How freely both sides write; nothing: what the models' own parameters say."""
    repair: bool = True
    """Whether a side whose turn cannot be used is told so, and asked once more."""
    instruct: bool = True
    """Whether the models are told their part beside your prompts: whom they play, the mark, the tools, JSON."""

    @field_validator("tools")
    @classmethod
    def _told_apart(cls, tools: tuple[Tool, ...]) -> tuple[Tool, ...]:
        names = [tool.name for tool in tools]
        if len(set(names)) < len(names):
            raise ValueError("two tools have the same name")
        return tools

    def asks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in (self.user, self.agent, self.world) if name))

    def paths(self) -> Sequence[str]:
        return tuple(dict.fromkeys(name for _, told in self._templates() for name in Prompt.read(told).names))

    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        if schema.tables[table].fields[column].kind is not Kind.CATEGORY:
            return None
        return ("user", "most", *((None,) if self.nulls != 0 else ()))

    def _templates(self) -> list[tuple[Place, str]]:
        """Return every template and where it stands among the parameters."""
        found: list[tuple[Place, str]] = [(("user_prompt",), self.user_prompt), (("agent_prompt",), self.agent_prompt),
                                          (("world_prompt",), self.world_prompt)]  # fmt: skip
        results = (((("tools", i, "result"), t.result)) for i, t in enumerate(self.tools) if t.result is not None)
        return [*found, *results]

    # -------------------------------------------------------------------------------------------- before anything runs
    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = [f for f in super().misused(schema, table, produce) if f[0]]  # its `nulls`; paths are told below
        lacking = [w for w in ("user_prompt", "agent_prompt") if w not in self.model_fields_set]
        if lacking:
            found.append(((), f"say what the sides are told: {' and '.join(f'`{w}`' for w in lacking)}"))
        for place, template in self._templates():
            for path in Prompt.read(template).names:
                told = list(lost(path, schema, table, produce))
                if not told and field_at(path, schema, table).kind is Kind.BYTES:
                    told = [f"{path!r} holds bytes, which are no text"]
                found += [(place, one) for one in told]
        return [*found, *self._wrong_world(), *self._wrong_columns(schema.tables[table], produce)]

    def _wrong_world(self) -> list[tuple[Place, str]]:
        """Return which results nobody writes, and what is said of a world that nobody asks."""
        found: list[tuple[Place, str]] = []
        name_it = "name a model, `world: writer`"
        for i, tool in enumerate(self.tools):
            if tool.result is None and not self.world:
                told = f"nobody says what {tool.name!r} returns: give it a `result`, or {name_it} to write it"
                found.append((("tools", i), told))
            if tool.result is not None and tool.returns is not None:
                told = "it is for results that `world` writes, and this tool has a fixed one"
                found.append((("tools", i, "returns"), told))
        if self.world_prompt and not self.world:
            found.append((("world_prompt",), f"it is told to nobody: {name_it}"))
        if self.world and all(tool.result is not None for tool in self.tools):
            found.append((("world",), "no tool needs it: it writes what tools without a `result` return"))
        return found

    def _wrong_columns(self, held: Table, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return which columns cannot hold what they are to."""
        named = self.columns.items()
        found: list[tuple[Place, str]] = [(("columns", fact), f"the part makes no column {column!r}")
                                          for fact, column in named if column not in produce]  # fmt: skip
        twice = [c for c in produce if list(self.columns.values()).count(c) > 1]
        found += [(("columns",), f"column {c!r} cannot hold two things") for c in twice]
        if found:
            return found
        holds = self._holds(held, produce)
        for column, fact in holds.items():
            kind = held.fields[column].kind
            if kind not in _KINDS[fact]:
                able = " or ".join(k.value for k in _KINDS[fact])
                found.append(((), f"{column!r} is to hold {fact!r}, wanted a column of kind {able}, got {kind.value}"))
        many = [c for c, fact in holds.items() if fact == "conversation"]
        if len(many) != 1:
            told = f"the conversation fills one column of text, and there are {len(many)}"
            found.append(((), f"{told}: say with `columns` what the others hold"))
        if "tools" in self.columns and not self.tools:
            found.append((("columns", "tools"), "there are none"))
        return found

    def _holds(self, held: Table, produce: Sequence[str]) -> dict[str, str]:
        """Return what each column holds: as `columns` says, else by its kind."""
        said = {column: fact for fact, column in self.columns.items()}
        usual = {Kind.INTEGER: "turns", Kind.CATEGORY: "ended"}
        return {c: said.get(c) or usual.get(held.fields[c].kind, "conversation") for c in produce}

    # ------------------------------------------------------------------------------------------------------------ make
    def draw(self, ask: Ask) -> Drawn:
        models, holds = models_of(ask, self.agent, self.name), self._holds(ask.spec, ask.produce)
        rows = np.arange(ask.rows) if ask.needed is None else np.flatnonzero(ask.needed)
        most = ask.ctx.at("turns").rng.integers(self.turns.least, self.turns.most + 1, ask.rows)
        stage = Stage({".".join(map(str, place)): Prompt.read(told) for place, told in self._templates()}, ask, rows)
        play = Play(self.user, self.agent, self.world, self.turns.least, self.end, self.tools, self.calls,
                    self.repair, self.instruct, self.tokens, self.temperature)  # fmt: skip

        async def work(i: int, model: chat.Ask) -> dict[str, Any] | str:
            texts = stage.told(i)
            if isinstance(texts, Unwritten):
                return NO_PROMPT
            results = {tool.name: texts[f"tools.{n}.result"] for n, tool in enumerate(self.tools)
                       if tool.result is not None}  # fmt: skip
            scene = Scene(texts["user_prompt"], texts["agent_prompt"], texts["world_prompt"], results,
                          int(most[rows[i]]), stage.key(i))  # fmt: skip
            try:
                facts = self._facts(await Talk(play, scene, model).hold(), scene)
            except AnswerError as error:
                return error.code
            return {column: facts[holds[column]] for column in ask.produce}

        return columns_of(ask, rows.tolist(), models.each(range(len(rows)), work, partial(told, ask.ctx, len(rows))))

    def _facts(self, held: Held, scene: Scene) -> dict[str, Any]:
        """Return what columns may hold of a conversation."""
        first = [Turn("system", scene.agent.strip())] if self.system and scene.agent.strip() else []
        declared = [tool.declared() for tool in self.tools]
        return {
            "conversation": json.dumps(messages([*first, *held.turns]), ensure_ascii=False),
            "turns": held.said,
            "calls": sum(len(t.calls) for t in held.turns),
            "ended": held.ended,
            "tools": json.dumps(declared, ensure_ascii=False),
        }
