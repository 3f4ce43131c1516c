"""What language models answer, as values: texts, JSON, choices and conversations, strictly read.

Whatever comes back may be anything. What cannot be used has a reason code and, where asking once more may help, a
sentence for the model that says what was wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from synthwright.core.chat import Reply
from synthwright.kit.prompting.answer_schemas import told, validator

EMPTY, CUT, REFUSED, MALFORMED, LONG = "reply-empty", "reply-cut", "reply-refused", "reply-malformed", "reply-too-long"
REASONS: dict[str, str] = {
    EMPTY: "The language model answered nothing.",
    CUT: "The language model's answer ended before it was complete: more `tokens` may help.",
    REFUSED: "The endpoint withheld the language model's answer.",
    MALFORMED: "The language model's answer had not the form that was asked for, also when it was told so.",
    LONG: "The language model's answer was longer than a million characters.",
}
"""Why an answer cannot be used, by reason code."""
LONGEST = 1_000_000
"""Characters of an answer."""
DEEPEST = 50
"""Lists and objects inside each other."""
_STARTS = 20
"""Places in a text at which JSON is looked for."""
_DIGITS = 40
"""Digits of a whole number."""
_SHOWN = 200
_ONLY = "only the JSON, and no text around it"
_THOUGHT = re.compile(r"\s*<(think|thinking)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_THINKS = re.compile(r"\s*<think(ing)?>", re.IGNORECASE)
_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n`]*\n(.*?)\n?[ \t]*\1[ \t]*$", re.DOTALL | re.MULTILINE)
_QUOTES = ('""', "''", "“”", "„“", "«»", "‘’", "``")
_EDGES = " \t\r\n\"'`*_.,;:!?()[]{}<>“”„«»‘’#-"
_ROLES = {"user": "user", "human": "user", "assistant": "assistant", "system": "system"}


class AnswerError(Exception):
    """An answer that cannot be used.

    Args:
        code: the reason code of the row.
        why: what is wrong, for people.
        again: what to tell the model so that it answers once more; nothing: it would not help.
    """

    def __init__(self, code: str, why: str, again: str | None = None) -> None:
        super().__init__(code, why)
        self.code, self.why, self.again = code, why, again


def malformed(why: str, wanted: str) -> AnswerError:
    """Return the error of an answer of the wrong form: what it was, and what to answer instead."""
    return AnswerError(MALFORMED, why, f"Your answer cannot be used: {why}. Answer again, with {wanted}.")


def said(reply: Reply) -> str:
    """Return what was answered, without what the model thought aloud before it.

    Raises:
        AnswerError: it is empty, cut off, refused, too long, or no text at all.
    """
    if reply.finish == "refused":
        raise AnswerError(REFUSED, "the endpoint withheld the answer")
    if len(reply.text) > LONGEST:
        raise AnswerError(LONG, f"an answer of {len(reply.text):,} characters")
    text = _THOUGHT.sub("", reply.text, count=1) if _THINKS.match(reply.text) else reply.text
    if reply.finish == "length" or _THINKS.match(text):
        raise AnswerError(CUT, "the answer was cut off", "Your answer was cut off. Answer again, in fewer words.")
    if not text.strip():
        raise AnswerError(EMPTY, "the answer was empty", "")
    return written(text)


def written(text: str) -> str:
    """Return a text that can be stored; an AnswerError for one with half a character or a NUL in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise malformed("it holds half a character", "text that is valid Unicode") from None
    if "\0" in text:
        raise malformed("it holds a NUL character", "plain text")
    return text


def text_of(answer: str) -> str:
    """Return an answer's text without blanks around it, and without one code fence or one pair of quotes around it.

    Raises:
        AnswerError: nothing is left.
    """
    text = answer.strip()
    if (fenced := _FENCED.fullmatch(text)) and fenced[1] not in fenced[2]:
        text = fenced[2].strip()
    for pair in _QUOTES:
        if len(text) > 1 and text[0] == pair[0] and text[-1] == pair[1] and not set(pair) & set(text[1:-1]):
            text = text[1:-1].strip()
            break
    if not text:
        raise AnswerError(EMPTY, "the answer was empty", "")
    return text


# ------------------------------------------------------------------------------------------------------------- choices
def normal(label: str) -> str:
    """Return a label as answers are compared: without case, blanks at its ends and inside it, and punctuation."""
    return " ".join(label.casefold().split()).strip(_EDGES)


def label_of(answer: str, labels: Sequence[str]) -> str | None:
    """Return the one label that an answer is; None where it is none, or could be several."""
    if answer in labels:
        return answer
    near = [label for label in labels if normal(label) == normal(answer)]
    return near[0] if len(near) == 1 else None


def choice_of(answer: str, labels: Sequence[str]) -> str:
    """Return the label that was answered: bare, as a JSON text, or as the only value of a JSON object.

    Raises:
        AnswerError: it is none of them.
    """
    found = label_of(text_of(answer), labels)
    if found is None and answer.strip().startswith(("{", '"', "`")):
        try:
            value = json_of(answer)
        except AnswerError:
            value = None
        if isinstance(value, dict) and len(value) == 1:
            value = next(iter(value.values()))
        found = label_of(value, labels) if isinstance(value, str) else None
    if found is None:
        raise malformed(f"it is none of {_listed(labels)}", f"only one of {_listed(labels)}, and nothing else")
    return found


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(json.dumps(label, ensure_ascii=False) for label in labels)


# ---------------------------------------------------------------------------------------------------------------- JSON
class _WrongJsonError(ValueError):
    """JSON that nobody should write."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _WrongJsonError(f"it has {twice[:_SHOWN]!r} twice")
    return found


def _constant(word: str) -> Any:
    raise _WrongJsonError(f"{word} is no JSON number")


def _float(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _WrongJsonError("a number is too large")
    return value


def _int(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise _WrongJsonError("a number is too large")
    return int(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)


def json_of(answer: str) -> Any:
    """Return the JSON of an answer: alone, in a code fence, or with text around it.

    Raises:
        AnswerError: there is none, it is nested too deeply, or a name occurs twice.
    """
    value = _found(answer, _ONLY)
    _check_depth(value, _ONLY)
    return value


def meeting(value: Any, schema: Mapping[str, Any], by: Any = None) -> Any:
    """Return a value that meets a JSON Schema; `by` is its validator, where there is one already.

    Where the schema wants a number or a truth value, a text that spells one becomes it; where it wants one of some
    texts, one that differs in case or punctuation does.

    Raises:
        AnswerError: it does not meet the schema.
    """
    value = coerced(value, schema)
    wrong = told(value, validator(schema) if by is None else by)
    if wrong:
        raise malformed("it does not meet the JSON Schema: " + "; ".join(w[:_SHOWN] for w in wrong),
                        "only JSON that meets the schema")  # fmt: skip
    return value


def _found(answer: str, wanted: str) -> Any:
    """Return the first JSON value that stands by itself, in a fence, or at the first brackets of a text."""
    why = "there is no JSON in it"
    text = answer.strip()
    for piece in (text, *(m[2].strip() for m in _FENCED.finditer(text))):
        try:
            return _DECODER.decode(piece)
        except _WrongJsonError as error:
            why = str(error)
        except json.JSONDecodeError as error:
            if piece[:1] in ("{", "["):
                why = f"it is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        except RecursionError:
            why = "it is nested too deeply"
    for start in _starts(text):
        try:
            return _DECODER.raw_decode(text, start)[0]
        except (_WrongJsonError, json.JSONDecodeError, RecursionError):
            continue
    raise malformed(why, wanted)


def _starts(text: str) -> Iterator[int]:
    """Yield the first few places of opening brackets."""
    for i, found in enumerate(re.finditer(r"[{\[]", text)):
        if i >= _STARTS:
            return
        yield found.start()


def _check_depth(value: Any, wanted: str) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise malformed(f"more than {DEEPEST} lists and objects inside each other", wanted)
        level = [i for v in level if isinstance(v, dict | list) for i in (v.values() if isinstance(v, dict) else v)]


_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?")


def coerced(value: Any, schema: Any) -> Any:
    """Return a value with texts that spell what the schema wants in their place as what it wants."""
    if not isinstance(schema, Mapping):
        return value
    if isinstance(value, dict):
        inner = schema.get("properties", {})
        return {name: coerced(v, inner.get(name)) for name, v in value.items()} if isinstance(inner, Mapping) else value
    if isinstance(value, list):
        return [coerced(v, schema.get("items")) for v in value]
    if not isinstance(value, str):
        return value
    text = value.strip()
    match schema.get("type"):
        case "integer" if _NUMBER.fullmatch(text):
            number = Decimal(text)
            return int(number) if number == number.to_integral_value() else value
        case "number" if _NUMBER.fullmatch(text):
            return float(text) if set(text) & set(".eE") else int(text)
        case "boolean" if text.lower() in ("true", "false"):
            return text.lower() == "true"
    known = schema.get("enum")
    if isinstance(known, list) and value not in known:
        return label_of(value, [k for k in known if isinstance(k, str)]) or value
    return value


# ------------------------------------------------------------------------------------------------------- conversations
TURNS: dict[str, Any] = {
    "type": "object", "additionalProperties": False, "required": ["messages"], "properties": {"messages": {
        "type": "array", "minItems": 2, "items": {
            "type": "object", "additionalProperties": False, "required": ["role", "content"], "properties": {
                "role": {"type": "string", "enum": ["user", "assistant", "system"]},
                "content": {"type": "string"}}}}},
}  # fmt: skip
"""The JSON Schema of a conversation."""


def conversation_of(answer: str) -> list[dict[str, str]]:
    """Return the turns of a conversation: a list of `{role, content}`, or an object whose `messages` it is.

    Raises:
        AnswerError: it is none, has fewer than two turns, or a turn of nobody or without words.
    """
    value = json_of(answer)
    turns = value.get("messages") if isinstance(value, dict) else value
    wanted = 'only {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'
    if not isinstance(turns, list) or len(turns) < 2:
        raise malformed("it is no list of at least two turns", wanted)
    found = []
    for i, turn in enumerate(turns, 1):
        role = turn.get("role") if isinstance(turn, dict) else None
        content = turn.get("content") if isinstance(turn, dict) else None
        if not isinstance(role, str) or role.strip().lower() not in _ROLES:
            raise malformed(f"turn {i} has none of the roles user, assistant, system", wanted)
        if not isinstance(content, str) or not content.strip():
            raise malformed(f"turn {i} has no content", wanted)
        found.append({"role": _ROLES[role.strip().lower()], "content": written(content.strip())})
    return found
