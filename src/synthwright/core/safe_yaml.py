"""YAML as data only: no tags, no aliases, no duplicate keys, limits on size and depth; every value knows its line.

Keys are always text (a column may be called `no` or `1999`), and of plain scalars only `true`/`false`, `null`/`~`,
decimal integers and floats are anything but text: a date stays what was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import yaml

from synthwright.core.errors import Fault, SpecError

MOST_BYTES = 3_000_000
MOST_VALUES = 120_000
"""Keys, values, lists and mappings of a document: those of a schema with 10,000 columns."""
MOST_INSIDE = 25_000
"""Those that may stand directly inside of one list or mapping."""
DEEPEST = 40
_SHOWN = 80
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser in C, twenty times as fast, where PyYAML was built with it; both report the same events."""
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")
_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp")}
"""What plain words may be said to be; they are read as if it had not been said."""

_VALUE = re.compile(r"(?:^|[\s{,\[])([\w.-]+):\s+(?=\S)")
"""A key, and the blanks before its value."""

Place = tuple[str | int, ...]


class Marked(NamedTuple):
    """A YAML document and where each of its values stands."""

    file: str
    data: Any
    marks: dict[Place, tuple[int, int]]

    def fault(self, place: Place, message: str) -> Fault:
        """Return a fault at a place, or at the nearest thing above it that is written down."""
        while place and place not in self.marks:
            place = place[:-1]
        line, column = self.marks.get(place, (1, 1))
        return Fault(self.file, line, column, message)


def load(text: str | bytes, file: str) -> Marked:
    """Read a YAML document; a SpecError with every fault that can be found."""
    if len(text) > MOST_BYTES:
        raise SpecError([Fault(file, 1, 1, f"the file is larger than {MOST_BYTES:,} bytes")])
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise SpecError([Fault(file, 1, error.start + 1, "the file is not UTF-8: save it as UTF-8")]) from None
    reader = _Reader(file)
    try:
        _refuse_bomb(text)
        data = reader.document(yaml.parse(text, Loader=_PARSER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        said = f"this is no YAML: {error.problem or error.context}{_quoting(text, line - 1, column - 1)}"
        raise SpecError([Fault(file, line, column, said)]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecError([Fault(file, 1, 1, f"this is no YAML: {type(error).__name__}")]) from None
    if reader.faults:
        raise SpecError(reader.faults)
    return Marked(file, data, reader.marks)


def _quoting(text: str, line: int, column: int) -> str:
    """Return the advice to put a value in quotes, where a fault stands inside of one; nothing elsewhere."""
    lines = text.splitlines()
    whole = lines[line] if line < len(lines) else ""
    if whole[column : column + 1] == "\t":
        return ": indent by blanks, not by tabs"
    found = [one for one in _VALUE.finditer(whole) if one.end() <= column]
    if not found or not (value := whole[found[-1].end() :].strip()):
        return ""
    word = found[-1][1]
    if value[0] in "'\"":
        return f": the text behind `{word}:` ends at its second {value[0]}: put the whole in the other kind of quotes"
    what = "formula" if set(value) & set("()+*=<>") else "text"
    return f": put the {what} behind `{word}:` in quotes, {word}: '…'"


def _refuse_bomb(text: str) -> None:
    """Refuse aliases before they can multiply, nesting before it can overflow, and more values than anyone writes."""
    count, inside = 0, [0]
    for event in yaml.parse(text, Loader=_PARSER):
        if isinstance(event, yaml.AliasEvent):
            raise _refused(event, "aliases (*name) are not allowed: write the value out")
        if isinstance(event, yaml.CollectionEndEvent):
            inside.pop()
        elif isinstance(event, yaml.NodeEvent):
            count += 1
            inside[-1] += 1
            if count > MOST_VALUES or inside[-1] > MOST_INSIDE:
                raise _refused(event, f"more than {MOST_VALUES:,} values, or {MOST_INSIDE:,} in one list or mapping")
            if isinstance(event, yaml.CollectionStartEvent):
                inside.append(0)
            if len(inside) > DEEPEST + 1:
                raise _refused(event, f"nested deeper than {DEEPEST} levels")


def _refused(event: yaml.Event, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=cast(yaml.Mark, event.start_mark))


class _Reader:
    """Turns events into values and keeps where they stand."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: dict[Place, tuple[int, int]] = {}
        self.faults: list[Fault] = []

    def document(self, events: Iterator[yaml.Event]) -> Any:
        """Return what the only document of a stream says; nothing where there is none."""
        data, documents = None, 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _refused(event, "a second document: write one to a file")
            elif isinstance(event, yaml.NodeEvent):
                data = self._value(event, events, ())
        return data

    def _value(self, event: yaml.NodeEvent, events: Iterator[yaml.Event], place: Place) -> Any:
        self.marks[place] = _position(event)
        self._no_tag(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, place, flow=bool(event.flow_style))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, place, flow=bool(event.flow_style))
        return _scalar(event) if isinstance(event, yaml.ScalarEvent) else None

    def _list(self, events: Iterator[yaml.Event], place: Place, *, flow: bool) -> list[Any]:
        found: list[Any] = []
        torn: yaml.ScalarEvent | None = None
        while isinstance(item := next(events), yaml.NodeEvent):
            if flow and isinstance(item, yaml.ScalarEvent):
                if torn is not None and item.value.count(")") > item.value.count("("):
                    self._torn(torn, "")
                torn = item if _opens(item) else torn if torn is not None and ")" not in item.value else None
            found.append(self._value(item, events, (*place, len(found))))
        return found

    def _mapping(self, events: Iterator[yaml.Event], place: Place, *, flow: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        torn: yaml.ScalarEvent | None = None
        while isinstance(key := next(events), yaml.NodeEvent):
            child = cast(yaml.NodeEvent, next(events)) if isinstance(key, yaml.ScalarEvent) else None
            if torn is not None and _is_bare(child):  # no key, but what stands behind a comma
                self._torn(torn, f"{next(reversed(found), '')}: ")
                continue
            name = self._key(key, events, place, found)
            child = child or cast(yaml.NodeEvent, next(events))
            torn = child if flow and isinstance(child, yaml.ScalarEvent) and _opens(child) else None
            if name is None:
                self._value(child, events, (*place, "#lost"))
                continue
            found[name] = self._value(child, events, (*place, name))
            # a fault about a value is shown at its key: that is where people look for it
            if not isinstance(child, yaml.ScalarEvent):
                self.marks[*place, name] = _position(key)
            self.marks[*place, name, "#key"] = _position(key)
        return found

    def _key(
        self, key: yaml.NodeEvent, events: Iterator[yaml.Event], place: Place, found: dict[str, Any]
    ) -> str | None:
        """Return a key that is new; nothing, and a fault, where it is none."""
        if not isinstance(key, yaml.ScalarEvent):
            self._fault(key, "a key must be a plain word")
            self._value(key, events, (*place, "#lost"))
            return None
        self._no_tag(key)
        if key.value in found:
            self._fault(key, f"{key.value[:_SHOWN]!r} is said twice")
            return None
        return str(key.value)

    def _no_tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!" and tag not in _TAGS:
            self._fault(event, f"tags ({tag[:_SHOWN]}) are not allowed")

    def _torn(self, event: yaml.ScalarEvent, before: str) -> None:
        """Note, once, that a comma ended a value whose bracket is still open."""
        begun = event.value[:_SHOWN]
        mark = '"' if "'" in begun else "'"
        said = f"the comma ends {begun!r}: put the formula in quotes, {before}{mark}{begun}, …{mark}"
        if not any(f.message == said and (f.line, f.column) == _position(event) for f in self.faults):
            self._fault(event, said)

    def _fault(self, event: yaml.Event, message: str) -> None:
        self.faults.append(Fault(self.file, *_position(event), message))


def _opens(event: yaml.ScalarEvent) -> bool:
    """Return whether a bare text has a bracket that it does not close."""
    return not event.style and event.value.count("(") > event.value.count(")")


def _is_bare(event: yaml.NodeEvent | None) -> bool:
    """Return whether nothing is written where a value may stand."""
    return isinstance(event, yaml.ScalarEvent) and event.value == "" and not event.style


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = cast(yaml.Mark, event.start_mark)  # both parsers give every event one
    return mark.line + 1, mark.column + 1


def _scalar(event: yaml.ScalarEvent) -> Any:
    said = event.value
    if event.style:  # quoted or block text
        return said
    if said in ("", "~", "null"):
        return None
    if said in ("true", "false"):
        return said == "true"
    if _WHOLE.fullmatch(said) and len(said) < 40:
        return int(said)
    if _REAL.fullmatch(said):
        return float(said)
    return said
