"""A language model that is none: answers from a list, or made up from the request; for dry runs and tests."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field as Setting

from synthwright.core.chat import Chat, NoReply, Provider, Reply, Request, Vectors
from synthwright.core.schema import Frozen

_MOMENTS = {"date": "2024-02-29", "time": "13:05:00", "date-time": "2024-02-29T13:05:00Z"}
"""What is made up for texts of these formats."""
_LONG = 4
"""Characters of a token, about."""


class ScriptedChat:
    """A chat whose answers are scripted: what `answer` returns for a request.

    Args:
        answer: returns the text, the reply, or the NoReply that is raised.
        delay: seconds before each answer.
    """

    def __init__(self, answer: Callable[[Request], str | Reply | NoReply], delay: float = 0.0) -> None:
        self.answer, self.delay = answer, delay
        self.requests: list[Request] = []

    async def reply(self, request: Request) -> Reply:
        """Return the scripted answer."""
        self.requests.append(request)
        if self.delay:
            await asyncio.sleep(self.delay)
        said = self.answer(request)
        if isinstance(said, NoReply):
            raise said
        if isinstance(said, Reply):
            return said
        return Reply(said, asked=sum(len(m.text) for m in request.messages) // _LONG, wrote=len(said) // _LONG + 1)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return a vector for each text that follows from its words: texts that share words are near each other."""
        return Vectors([_hashed(text) for text in texts], sum(len(t) for t in texts) // _LONG)

    async def close(self) -> None:
        """Close nothing."""


class When(Frozen):
    """Answers to some questions only: those that hold certain words."""

    question: str = ""
    """Words in the question, the last thing that is said, whatever their capitals. Nothing: any question."""
    before: str = ""
    """Words in what was said before the question, system messages among it. Nothing: anything."""
    answers: tuple[str, ...] = Setting(min_length=1)
    """What is answered; which one follows from the request."""

    def fits(self, request: Request) -> bool:
        """Return whether these are answers to a request."""
        *before, last = (m.text.casefold() for m in request.messages)
        word = self.before.casefold()
        return self.question.casefold() in last and (not word or any(word in text for text in before))


class Scripted(Provider):
    """Answers from a list in the specification, chosen by the request; nothing is sent anywhere.

    For dry runs and tests. Where an answer must meet a JSON Schema and no answer is given, the smallest one that meets
    it is made up. `when` gives answers to questions by words in them: the first that fits counts, else `answers`.

    ```yaml
    models: {writer: {use: scripted, with: {answers: ["I lost my card.", "My card is gone."]}}}
    ```
    """

    name: ClassVar[str] = "scripted"
    answers: tuple[str, ...] = ()
    """What it answers; which one follows from the request. Nothing: the beginning of the question, or made-up JSON."""
    when: tuple[When, ...] = Setting(default=(), examples=[[{"question": "parcel", "answers": ["It is late."]}]])
    """Answers by words of the request: `{question: parcel, before: You are a customer, answers: [It is late.]}`."""
    delay: float = Setting(default=0.0, ge=0, le=60)
    """Seconds before each answer."""

    def connect(self) -> Chat:
        return ScriptedChat(self.answer, self.delay)

    def answer(self, request: Request) -> str:
        """Return the answer to a request: always the same one."""
        answers = next((one.answers for one in self.when if one.fits(request)), self.answers)
        if answers:
            said = json.dumps(request.to_json(), sort_keys=True)
            return answers[int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big") % len(answers)]
        if request.form is not None:
            return json.dumps(made_up(request.form, request.messages[-1].text))
        return "Answer to: " + request.messages[-1].text[:200]


def made_up(form: Mapping[str, Any], text: str) -> Any:
    """Return a small value that meets a JSON Schema of the plain kinds: objects, lists, texts, numbers, choices."""
    if "enum" in form:
        return form["enum"][len(text) % len(form["enum"])]
    if "const" in form:
        return form["const"]
    if form.get("anyOf"):
        return made_up(form["anyOf"][len(text) % len(form["anyOf"])], text)
    match form.get("type", "string"):
        case "object":
            return {name: made_up(inner, f"{text} {name}") for name, inner in form.get("properties", {}).items()}
        case "array":
            size = min(max(1, form.get("minItems", 1)), form.get("maxItems", 1_000))
            return [made_up(form.get("items", {}), f"{text} {i}") for i in range(size)]
        case "integer" | "number":
            return max(form.get("minimum", 1), 1) if form.get("maximum", 1) >= 1 else form["maximum"]
        case "boolean":
            return len(text) % 2 == 0
        case "null":
            return None
    if said := _MOMENTS.get(form.get("format", "")):
        return said
    return f"about {text}"[: form.get("maxLength", 200)].ljust(form.get("minLength", 0), ".")


def _hashed(text: str, size: int = 64) -> list[float]:
    """Return a unit vector: words hashed into `size` places."""
    found = [0.0] * size
    for word in text.casefold().split():
        digest = hashlib.sha256(word.encode()).digest()
        found[digest[0] % size] += 1.0 if digest[1] % 2 else -1.0
    length = sum(x * x for x in found) ** 0.5 or 1.0
    return [x / length for x in found]
