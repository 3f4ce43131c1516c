"""Language models for tests: they answer by a function, at once, and remember what they were asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from synthwright.core.chat import Key, Request
from synthwright.kit.chat.rehearsing import DirectModels

__all__ = ["DirectModels", "plausible", "talkative"]
_WORDS = ("amber", "blue", "calm", "deep", "early", "fresh", "green", "high", "keen", "late", "mild", "open", "quick")


def talkative(seed: int) -> DirectModels:
    """Return models that answer everything, otherwise for another seed or key, and always in the form asked for."""

    def answer(model: str, request: Request, key: Key) -> str:
        numbers = _numbers(json.dumps([seed, model, request.to_json(), key]))
        made = plausible(request.form or {}, numbers)
        return made if isinstance(made, str) and request.form is None else json.dumps(made)

    return DirectModels(answer)


def plausible(form: Mapping[str, Any], numbers: Iterator[int]) -> Any:
    """Return a value that meets a JSON Schema of the plain kinds, varied by numbers from 0 to 255."""
    if "enum" in form:
        return form["enum"][next(numbers) % len(form["enum"])]
    match form.get("type", "string"):
        case "object":
            return {name: plausible(inner, numbers) for name, inner in form.get("properties", {}).items()}
        case "array":
            return [plausible(form.get("items", {}), numbers) for _ in range(max(1, form.get("minItems", 1)))]
        case "integer" | "number":
            low = form.get("minimum", form.get("exclusiveMinimum", -1) + 1)
            return min(low + next(numbers) % 100, form.get("maximum", form.get("exclusiveMaximum", 10**9) - 1))
        case "boolean":
            return next(numbers) % 2 == 0
    day = f"20{next(numbers) % 90 + 10}-{next(numbers) % 12 + 1:02}-{next(numbers) % 28 + 1:02}"
    clock = f"{next(numbers) % 24:02}:{next(numbers) % 60:02}:00"
    words = " ".join(_WORDS[next(numbers) % len(_WORDS)] for _ in range(4))
    return {"date": day, "time": clock, "date-time": f"{day}T{clock}Z"}.get(form.get("format", ""), words)


def _numbers(said: str) -> Iterator[int]:
    digest = hashlib.sha256(said.encode()).digest()
    while True:
        yield from digest
        digest = hashlib.sha256(digest).digest()
