"""What a text can be: JSON, Python, SQL, a number. Nothing is run; time and depth are bounded."""

from __future__ import annotations

import ast
import json
import logging
import re
import warnings
from collections.abc import Mapping
from typing import Any, NoReturn

from synthwright.core.errors import InputError

LONGEST = 200_000
"""Characters beyond which a text is none of them."""
DEEPEST = 100
"""Brackets within brackets."""
_NUMBER = re.compile(r"\s*[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:[eE][+-]?\d{1,5})?\s*", re.ASCII)
_UNARY = re.compile(r"(?:[-+~]\s*){50}|(?:\bnot\s+){50}|(?:\blambda\s*:\s*){50}|(?:\*\*|\bif\b|\belse\b){500}")


def is_number(text: str) -> bool:
    """Return whether a text is a number in plain digits, such as `-1.5` or `2e6`."""
    return _NUMBER.fullmatch(text) is not None


def json_value(text: str) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: it is none: names that occur twice, `NaN`, and what is nested too deeply are none either.
    """
    if len(text) > LONGEST or deep(text):
        raise ValueError("too long or too deep")
    return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def is_json(text: str, by: Any = None) -> tuple[bool, bool]:
    """Return whether a text is JSON, and whether it meets a validator's schema.

    Args:
        text: the text.
        by: what `kit.prompting.answer_schemas.validator` returned; nothing: any JSON is meant.
    """
    try:
        value = json_value(text)
        return True, by is None or by.is_valid(value)
    except (ValueError, RecursionError):
        return False, False


def is_python(text: str) -> bool:
    """Return whether a text is a module of Python with at least one statement; it is parsed, never run."""
    if len(text) > LONGEST or deep(text) or _UNARY.search(text):
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the text, such as invalid escapes
            return bool(ast.parse(text).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def is_sql(text: str, library: Any, dialect: str = "") -> bool:
    """Return whether a text is one or more statements of SQL: queries, changes, definitions.

    Args:
        text: the text.
        library: what `sql_library` returned.
        dialect: as the library calls it; nothing: what most databases share.
    """
    if len(text) > LONGEST or deep(text):
        return False
    exp = library.exp
    kinds = (exp.Query, exp.DDL, exp.DML, exp.Drop, exp.Alter, exp.TruncateTable, exp.Merge)
    try:
        found = [s for s in library.parse(text, read=dialect or None) if s is not None]
    except (library.errors.SqlglotError, RecursionError, ValueError):
        return False
    return bool(found) and all(isinstance(s, kinds) for s in found)


def sql_library() -> Any:
    """Return the library that parses SQL, with its remarks on texts silenced; an InputError where it is missing."""
    try:
        import sqlglot
    except ImportError:
        raise InputError("curator 'format'", "the package sqlglot", wanted="it installed", got="nothing",
                         remedy="It is an extra:\n  pip install 'synthwright[text]'") from None  # fmt: skip
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    return sqlglot


def deep(text: str) -> bool:
    """Return whether brackets are nested too deeply, at most; those in quotes count, too."""
    if sum(map(text.count, "([{")) <= DEEPEST:
        return False
    depth = 0
    for sign in re.findall(r"[\[\](){}]", text):
        depth += 1 if sign in "([{" else -1
        if depth > DEEPEST:
            return True
    return False


def schema_faults(schema: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a JSON Schema."""
    from synthwright.kit.prompting.answer_schemas import faults

    return faults(schema)
