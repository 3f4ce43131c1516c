"""Conversations between two simulated sides: one language model writes what a user says, one what an agent answers.

Each side sees the conversation from its own place: what it said itself are the assistant's turns of its requests, what
the other side said are the user's. Each turn is one question with a key of its own, so that a conversation that was
stopped goes on where it was.

Two models that take turns are the method of CAMEL (Li et al. 2023, arXiv 2303.17760) and UltraChat (Ding et al. 2023,
arXiv 2305.14233); what goes wrong there (sides that swap roles, or say the same again) is checked here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, NamedTuple, TypeVar

from synthwright.core import chat
from synthwright.core.chat import Message, Request
from synthwright.kit.prompting import tools as of_tools
from synthwright.kit.prompting.answers import AnswerError, text_of
from synthwright.kit.prompting.prompt_desk import answered
from synthwright.kit.prompting.tools import Said, Tool
from synthwright.kit.prompting.turns import Call, Turn

TURN, EARLY = "turn-malformed", "ended-early"
TURN_REASONS = {
    TURN: "A side of the conversation spoke for the other one, or said the same again, also when it was told so.",
    EARLY: "The user's side ended the conversation before it had its least number of turns, also when it was told so.",
}
"""Why conversations go, by reason code."""
Side = Literal["user", "agent"]
Ended = Literal["user", "most"]
"""How a conversation ended: by the user's side, or because it had as many turns as it may."""
BEGIN = "The conversation begins. Write your first message."
_PARTS = {
    "user": "You play the user in this conversation. Write only the user's next message: no name before it, and "
    "nothing that the assistant would say.",
    "agent": "You are the assistant in this conversation. Write only the assistant's next message: no name before it, "
    "and nothing that the user would say.",
}
_NAMES = {"user": "user|human|customer|client", "agent": "assistant|agent|ai|bot|chatbot"}
_OWN = {side: re.compile(rf"\s*[*_]{{0,2}}(?:{names})[*_]{{0,2}}\s*:[*_]{{0,2}}\s*", re.IGNORECASE)
        for side, names in _NAMES.items()}  # fmt: skip
_OTHER = {side: re.compile(rf"^\s*[*_]{{0,2}}(?:{_NAMES[other]})[*_]{{0,2}}\s*:", re.IGNORECASE | re.MULTILINE)
          for side, other in (("user", "agent"), ("agent", "user"))}  # fmt: skip
Read = TypeVar("Read")


@dataclass(frozen=True)
class Play:
    """How conversations are held: who asks which model, and what the sides may do."""

    user: str
    """The model of the user's side."""
    agent: str
    """The model of the agent's side."""
    world: str = ""
    """The model that writes what tools return; nothing: all results are fixed."""
    least: int = 1
    """How many turns the user has at least."""
    end: str = ""
    """The mark by which the user's side ends a conversation; nothing: it cannot."""
    tools: tuple[Tool, ...] = ()
    calls: int = 3
    """How often the agent may call tools before it says something."""
    repair: bool = True
    """Whether a side whose answer cannot be used is told so, and asked once more."""
    instruct: bool = True
    """Whether sides are told their part, the mark and the tools."""
    tokens: int | None = None
    temperature: float | None = None


@dataclass(frozen=True)
class Scene:
    """One conversation to be held: what is written for its row."""

    user: str
    """What the user's side is told before."""
    agent: str
    """What the agent's side is told before."""
    world: str
    """What whoever writes results of tools is told before."""
    results: Mapping[str, str]
    """Fixed results, by tool."""
    most: int
    """How many turns the user has at most."""
    key: chat.Key


class Held(NamedTuple):
    """A conversation."""

    turns: tuple[Turn, ...]
    """Those of user, agent and tools, the agent's words last."""
    said: int
    """How many turns the user had."""
    ended: Ended


@dataclass
class Talk:
    """A conversation while it is held."""

    play: Play
    scene: Scene
    ask: chat.Ask
    turns: list[Turn] = field(default_factory=list)
    _asked: int = 0

    async def hold(self) -> Held:
        """Return the conversation, asked for turn by turn.

        Raises:
            AnswerError: a turn cannot be used, or there was no answer.
        """
        for number in range(1, self.scene.most + 1):
            words, over = await self._user(number)
            if words:
                self.turns.append(Turn("user", words))
                await self._agent()
            if over:
                return Held(tuple(self.turns), number if words else number - 1, "user")
        return Held(tuple(self.turns), self.scene.most, "most")

    # ------------------------------------------------------------------------------------------------------- the user
    async def _user(self, number: int) -> tuple[str, bool]:
        """Return what the user says, and whether the conversation is over with that."""
        play = self.play
        parts = [self.scene.user]
        if play.instruct:
            parts.append(_PARTS["user"])
            if number == self.scene.most:
                parts.append("This is your last message: bring the conversation to an end with it.")
            if play.end:
                least = f" Write at least {play.least} messages before." if play.least > 1 else ""
                parts.append(f"Where nothing is left to say, end your message with {play.end}, or write {play.end} "
                             f"alone.{least}")  # fmt: skip
        seen = [Message("user", BEGIN)]
        for one in self.turns:
            if one.role == "user":
                seen.append(Message("assistant", one.content))
            elif one.role == "assistant" and not one.calls:
                seen.append(Message("user", one.content))
        return await self._question(play.user, self._request(parts, seen), lambda a: self._said(a, number))

    def _said(self, answer: str, number: int) -> tuple[str, bool]:
        """Return the user's words without the mark that ends the conversation, and whether it stood there."""
        mark, words = self.play.end, text_of(answer)
        over = bool(mark) and words.endswith(mark)
        words = words.removesuffix(mark).strip() if over else words
        if mark and mark in words:
            raise _wrong(f"{mark} stands before its end", f"{mark} at the end of it, or without it")
        if over and number + bool(words) <= self.play.least:
            why = "the conversation is not over yet"
            raise AnswerError(EARLY, why, f"Your message cannot be used: {why}. Write what the user says next.")
        return (self._own(words, "user") if words or not over else ""), over

    # ------------------------------------------------------------------------------------------------------ the agent
    async def _agent(self) -> None:
        """Let the agent call tools, as often as it may, and say something."""
        known = {tool.name: tool for tool in self.play.tools}
        for rest in range(self.play.calls if known else 0, -1, -1):
            calling = rest > 0
            read = partial(self._answered, known=known, calling=calling)
            said = await self._question(self.play.agent, self._to_agent(calling=calling), read)
            if not said.calls:
                self.turns.append(Turn("assistant", said.words))
                return
            await self._call(said.calls, known)

    def _answered(self, answer: str, known: Mapping[str, Tool], *, calling: bool) -> Said:
        said = of_tools.turn_of(answer, known, calling=calling) if known else Said(answer)
        return said if said.calls else Said(self._own(said.words, "agent"))

    def _to_agent(self, *, calling: bool) -> Request:
        play = self.play
        parts = [self.scene.agent]
        if play.instruct:
            parts += [_PARTS["agent"], of_tools.told(play.tools) if play.tools else ""]
            parts += [] if calling or not play.tools else ["You cannot call more tools now: say something."]
        seen: list[Message] = []
        results: list[str] = []
        for i, one in enumerate(self.turns):
            if one.role == "tool":
                results.append(json.dumps({"name": one.name, "result": _value(one.content)}, ensure_ascii=False))
                if i + 1 == len(self.turns) or self.turns[i + 1].role != "tool":
                    seen.append(Message("user", "Your calls returned:\n" + "\n".join(results)))
                    results = []
            elif one.role == "user":
                seen.append(Message("user", one.content))
            else:
                said = Said(one.content, one.calls)
                seen.append(Message("assistant", of_tools.shown(said) if play.tools else one.content))
        form = of_tools.turn_schema(play.tools, calling=calling) if play.tools else None
        return self._request(parts, seen)._replace(form=form)

    # ------------------------------------------------------------------------------------------------------ the tools
    async def _call(self, calls: tuple[Call, ...], known: Mapping[str, Tool]) -> None:
        """Note what the agent calls, and what that returns."""
        before = sum(len(t.calls) for t in self.turns)
        numbered = tuple(c._replace(id=f"call_{before + i}") for i, c in enumerate(calls, 1))
        self.turns.append(Turn("assistant", "", numbered))
        for one in numbered:
            fixed = self.scene.results.get(one.name)
            result = await self._result(one, known[one.name]) if fixed is None else fixed
            self.turns.append(Turn("tool", result, call=one.id, name=one.name))

    async def _result(self, call: Call, tool: Tool) -> str:
        """Return what a model writes as the result of a call."""
        parts = [self.scene.world]
        if self.play.instruct:
            form = "" if tool.returns is None else f" It meets this JSON Schema: {json.dumps(tool.returns)}"
            parts.append("You play the tools that an assistant calls. Answer each call with only its result, as JSON, "
                         f"which never contradicts what is known and what was returned before.{form}")  # fmt: skip
        made = {c.id: c for t in self.turns for c in t.calls}
        seen = [m for t in self.turns if t.role == "tool"
                for m in (Message("user", _spelled(made[t.call])), Message("assistant", t.content))]  # fmt: skip
        request = Request((*self._system(parts), *seen, Message("user", _spelled(call))), tool.returns)
        return await self._question(self.play.world, request, lambda a: of_tools.result_of(a, tool))

    # -------------------------------------------------------------------------------------------------------- asking
    async def _question(self, model: str, request: Request, read: Callable[[str], Read]) -> Read:
        """Return what a model answers, under the next key of the row."""
        first, self._asked = 2 * self._asked, self._asked + 1

        async def asking(request: Request, attempt: int) -> chat.Asked:
            return await self.ask(model, request, (*self.scene.key, first + attempt))

        found = await answered(asking, request, read, repair=self.play.repair)
        if isinstance(found, AnswerError):
            raise found
        return found

    def _request(self, parts: list[str], seen: list[Message]) -> Request:
        return Request((*self._system(parts), *seen), None, self.play.tokens, self.play.temperature)

    @staticmethod
    def _system(parts: list[str]) -> tuple[Message, ...]:
        said = "\n\n".join(p.strip() for p in parts if p.strip())
        return (Message("system", said),) if said else ()

    def _own(self, answer: str, side: Side) -> str:
        """Return what a side says, without its own name before it.

        Raises:
            AnswerError: it says nothing, speaks for the other side, or says again what it said before.
        """
        words = text_of(answer)
        if found := _OWN[side].match(words):
            words = words[found.end() :].strip()
        if _OTHER[side].search(words):
            raise _wrong("it speaks for the other side", "only what you say yourself")
        role = "user" if side == "user" else "assistant"
        if not words or any(_plain(t.content) == _plain(words) for t in self.turns if t.role == role and t.content):
            raise _wrong("it was said before" if words else "it says nothing", "something new")
        return words


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _spelled(call: Call) -> str:
    return json.dumps({"name": call.name, "arguments": json.loads(call.arguments)}, ensure_ascii=False)


def _value(text: str) -> object:
    """Return a result as JSON, or as the text that it is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _wrong(why: str, wanted: str) -> AnswerError:
    return AnswerError(TURN, why, f"Your message cannot be used: {why}. Write it again, with {wanted}.")
