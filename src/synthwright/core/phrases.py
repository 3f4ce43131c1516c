"""What pydantic finds wrong, as plain sentences: what was wanted, and what was got."""

from __future__ import annotations

from typing import Any

from pydantic_core import ErrorDetails

LONGEST = 80
"""Characters of a word or value that a message repeats."""
_PATTERNS = {r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$": "letters, digits, '.', '_' and '-', at most 100, no mark first"}
"""What the patterns of the language stand for."""
_WANTED = {
    "missing": "a value",
    "literal_error": "{expected}",
    "enum": "one of {expected}",
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping (word: value)",
    "model_type": "a mapping (word: value)",
    "model_attributes_type": "a mapping (word: value)",
    "list_type": "a list",
    "tuple_type": "a list",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
}


def sentence(one: ErrorDetails) -> str:
    """Return what a validation found wrong as `wanted …, got …`; what a validator of ours said stays as it is."""
    if one["type"] == "value_error":
        said, value = one["msg"].removeprefix("Value error, "), one["input"]
        return said if isinstance(value, str) and value in said else said + _got(value, ", got ")
    about: dict[str, Any] = one.get("ctx", {})
    if one["type"] == "string_pattern_mismatch":
        pattern = str(about["pattern"])
        wanted = _PATTERNS.get(pattern, f"text that the pattern {pattern} fits")
    elif one["type"] in _WANTED:
        wanted = _WANTED[one["type"]].format_map(about)
    else:
        return one["msg"] + _got(one["input"], ", got ")
    return f"wanted {wanted}{_got(one['input'], ', got ') or ', got ' + _sort(one['input'])}"


def written(location: tuple[str | int, ...], data: Any) -> tuple[str | int, ...]:
    """Return the steps of pydantic's path that are written in the file; the others name branches of a union."""
    place: list[str | int] = []
    for step in location:
        inside = (isinstance(data, dict) and step in data) or (
            isinstance(data, list) and isinstance(step, int) and step < len(data)
        )
        if inside:
            place.append(step)
            data = data[step]
    return tuple(place)


def short(text: str) -> str:
    """Return a text as a message repeats it: whole, or its beginning."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _got(value: Any, before: str) -> str:
    """Return a plain value as it is repeated; nothing for any other."""
    if isinstance(value, str):
        return f"{before}{short(value)!r}"
    return f"{before}{value!r}" if isinstance(value, int | float) else ""


def _sort(value: Any) -> str:
    if value is None:
        return "nothing"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list | tuple) else "something else"
