"""What may stand in a prompt: how values are written, and the filters and tests of templates.

Nothing here can reach more than what JSON holds, and what could make a long text of a short one checks its size first.
This module and `prompt_language` need nothing but Jinja, so that a process that writes prompts starts quickly.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, Self

from jinja2 import StrictUndefined, Undefined
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST = 1_000_000
"""Characters of a prompt that was written, and of what a filter makes."""
LOOP = ("first", "last", "index", "index0", "length")
"""What a template may ask of the loop that it is in."""


class UnwritableError(Exception):
    """Why the prompt of a row cannot be written; no value of the row is in it."""


class Unwritten(NamedTuple):
    """In place of a prompt: why there is none."""

    why: str


class Flag(int):
    """A truth value that is spelled otherwise outside: `yes` and `no`."""

    words: tuple[str, str]
    """How true and false are spelled."""

    def __new__(cls, value: object, words: tuple[str, str]) -> Self:
        """Return the truth value with its spelling."""
        made = super().__new__(cls, bool(value))
        made.words = words
        return made

    def __str__(self) -> str:
        return self.words[0] if self else self.words[1]

    def __eq__(self, other: object) -> bool:
        return str(self) == other if isinstance(other, str) else int(self) == other

    def __hash__(self) -> int:
        return int(self)


# ------------------------------------------------------------------------------------------------- values and filters
def written(value: Any) -> str:
    """Return a value as it stands in a prompt: nothing for no value, whole numbers without `.0`."""
    kind = type(value)
    if kind is str:
        return value
    if value is None:
        return ""
    if kind is int or kind is Flag:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  NaN is no value
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)  # Undefined, which raises


def sized(text: str) -> str:
    """Return a text that is not too long for a prompt."""
    if len(text) > LONGEST:
        raise UnwritableError(f"it is longer than {LONGEST:,} characters")
    return text


def listed(value: Any) -> list[Any]:
    """Return the items of a list, which is one already or JSON; no value is no item."""
    if value is None:
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, list):
        raise UnwritableError("what it goes through is no list: wanted a JSON list such as [1, 2]")
    return value


def _default(value: Any, instead: Any = "") -> Any:
    missing = value is None or isinstance(value, Undefined) or (isinstance(value, float) and written(value) == "")
    return instead if missing else value


def _text(change: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: sized(change(sized(written(value))))


def _truncate(value: Any, length: int = 255) -> str:
    said = written(value)
    return said if len(said) <= length else said[: max(length - 1, 0)].rstrip() + "…"


def _round(value: Any, digits: int = 0) -> Any:
    if value is None:
        return None
    if isinstance(value, bool | Flag) or not isinstance(value, int | float | Decimal):
        raise UnwritableError("'round' is for numbers")
    return round(value, digits) if digits or isinstance(value, float | Decimal) else value


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else len(written(value))


def _join(value: Any, between: str = ", ") -> str:
    texts = [written(item) for item in listed(value)]
    if sum(map(len, texts)) + len(between) * len(texts) > LONGEST:
        raise UnwritableError(f"it is longer than {LONGEST:,} characters")
    return between.join(texts)


def _quoted(value: Any) -> str:
    """Fence a value, with more backticks than it holds in a row, so that it cannot end the fence."""
    said = sized(written(value))
    runs = re.findall(r"`{3,}", said)
    fence = "`" * (max(map(len, runs), default=2) + 1)
    return f"{fence}\n{said}\n{fence}"


def _json(value: Any) -> str:
    plain = bool(value) if isinstance(value, Flag) else written(value) if isinstance(value, Decimal) else value
    return sized(json.dumps(sized(plain) if isinstance(plain, str) else plain, ensure_ascii=False))


class Filter(NamedTuple):
    """What may stand behind `|`."""

    work: Callable[..., Any]
    takes: type | None = None
    """What kind of argument it takes; nothing: none."""


FILTERS: dict[str, Filter] = {
    "capitalize": Filter(_text(str.capitalize)),
    "default": Filter(_default, object),
    "join": Filter(_join, str),
    "json": Filter(_json),
    "length": Filter(_length),
    "lower": Filter(_text(str.lower)),
    "quoted": Filter(_quoted),
    "round": Filter(_round, int),
    "title": Filter(_text(str.title)),
    "trim": Filter(_text(str.strip)),
    "truncate": Filter(_truncate, int),
    "upper": Filter(_text(str.upper)),
}
"""What may stand behind `|`. What could make a long text of a short one checks its size first."""


def _defined(value: Any) -> bool:
    return value is not None and not isinstance(value, Undefined)


TESTS: dict[str, Callable[[Any], bool]] = {
    "defined": _defined,
    "none": lambda value: not _defined(value),
    "number": lambda value: isinstance(value, int | float | Decimal) and not isinstance(value, bool | Flag),
    "string": lambda value: isinstance(value, str),
}
"""What may stand behind `is`."""


def _compared(sign: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def holds(one: Any, other: Any) -> bool:
        if one is None or other is None:
            return False
        if isinstance(one, str) != isinstance(other, str):
            raise UnwritableError("a text is compared with a number")
        return bool(sign(one, other))

    return holds


def _among(one: Any, other: Any) -> bool:
    if other is None:
        return False
    if isinstance(other, str):
        return one is not None and written(one) in other
    return one in other


SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": _compared(operator.lt), "lteq": _compared(operator.le), "gt": _compared(operator.gt),
    "gteq": _compared(operator.ge), "in": _among,
}  # fmt: skip
"""Comparisons that hold for no missing value, by what Jinja calls them."""


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which nothing can be reached but what JSON holds."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict) and argument in obj:
            return obj[argument]
        if isinstance(obj, list) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(f"an item has no {argument!r}", name=str(argument))

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)


def _environment() -> _Environment:
    made = _Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=written,
                        keep_trailing_newline=True, cache_size=0)  # fmt: skip
    made.globals.clear()
    made.filters = {name: one.work for name, one in FILTERS.items()} | {"listed": listed}
    made.tests = {**TESTS, **SIGNS}
    return made


SANDBOX = _environment()
"""What templates are parsed and compiled by."""
