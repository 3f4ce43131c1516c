"""YAML as data only: no tags, no aliases, no duplicate keys, limits on size and depth; every value knows its line.

Keys are always text (a column may be called `no` or `1999`), and of plain scalars only `true`/`false`, `null`/`~`,
decimal integers and floats are anything but text: a date stays what was written.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml

from synthwright.core.errors import Fault, SpecError

MOST_BYTES = 8_000_000
DEEPEST = 40
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")

_TAGS = {
    "str",
    "int",
    "float",
    "bool",
    "null",
    "map",
    "seq",
    "timestamp",
    "merge",
    "value",
}  # what plain words resolve to

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
        node = yaml.compose(text, Loader=_Plain)
        data = reader.value(node, (), 0) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise SpecError([Fault(file, line, column, f"this is no YAML: {error.problem or error.context}")]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecError([Fault(file, 1, 1, f"this is no YAML: {type(error).__name__}")]) from None
    if reader.faults:
        raise SpecError(reader.faults)
    return Marked(file, data, reader.marks)


class _Plain(yaml.SafeLoader):
    """Composes nodes; refuses aliases before they can multiply, and nesting before it can overflow."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it bare
            raise yaml.MarkedYAMLError(
                problem="aliases (*name) are not allowed: write the value out", problem_mark=mark
            )
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem=f"nested deeper than {DEEPEST} levels", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Reader:
    """Turns nodes into values and keeps where they stand."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.marks: dict[Place, tuple[int, int]] = {}
        self.faults: list[Fault] = []

    def value(self, node: yaml.Node, place: Place, depth: int) -> Any:
        self.marks[place] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
            self._fault(node, f"tags ({node.tag}) are not allowed")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*place, i), depth + 1) for i, child in enumerate(node.value)]
        return self._scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _mapping(self, node: yaml.MappingNode, place: Place, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._fault(key, "a key must be a plain word")
                continue
            if key.value in found:
                self._fault(key, f"{key.value!r} is said twice")
                continue
            found[key.value] = self.value(child, (*place, key.value), depth + 1)
            # a fault about a value is shown at its key: that is where people look for it
            if not isinstance(child, yaml.ScalarNode):
                self.marks[*place, key.value] = (key.start_mark.line + 1, key.start_mark.column + 1)
            self.marks[*place, key.value, "#key"] = (key.start_mark.line + 1, key.start_mark.column + 1)
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        said = node.value
        if node.style is not None:  # quoted or block text
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

    def _fault(self, node: yaml.Node, message: str) -> None:
        self.faults.append(Fault(self.file, node.start_mark.line + 1, node.start_mark.column + 1, message))
