"""Reading specification and schema files: a wrong one is answered with every fault at once, file, line and column."""

from __future__ import annotations

import copy
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from synthwright.core import safe_yaml
from synthwright.core import spec as language
from synthwright.core.context import Context
from synthwright.core.errors import Fault, PathError, SpecError
from synthwright.core.plan import check_names, plan
from synthwright.core.safe_yaml import Marked, Place
from synthwright.core.schema import Field, Frozen, Rule, Schema, Table
from synthwright.core.spec import Spec

_MODELS: tuple[type[Frozen], ...] = (
    *(m for m in vars(language).values() if isinstance(m, type) and issubclass(m, Frozen) and m is not Frozen),
    Schema, Table, Field, Rule,
)  # fmt: skip
WORDS = sorted({field.alias or name for model in _MODELS for name, field in model.model_fields.items()})
"""Every word of the language."""


class Loaded(NamedTuple):
    """A specification, where it and its schema stand in their files, and the context that opens its paths."""

    spec: Spec
    marked: Marked
    schema: Marked | None
    ctx: Context

    def fault(self, place: Place, message: str) -> Fault:
        """Return a fault at a place of the specification, or of the schema file where the place begins there."""
        if self.schema is not None and place and place[0] == "schema":
            return self.schema.fault(place[1:], message)
        return self.marked.fault(place, message)


def load_spec(path: Path, root: Path | None = None, allowed: tuple[Path, ...] = ()) -> Loaded:
    """Read a specification and the schema file it names.

    Names and columns of a sound file are checked by `synthwright.line.check`; those of a faulty one here, so that no
    fault waits behind another.

    Args:
        path: the file.
        root: the project folder, which its paths may not leave; nothing: the file's folder.
        allowed: files outside the project folder that may be read all the same.

    Raises:
        SpecError: with every fault.
    """
    ctx = Context(root=root or path.parent, home=path.parent if root else None, allowed=allowed)
    marked = safe_yaml.load(_bytes(path, str(path)), str(path))
    if not isinstance(marked.data, dict):
        raise SpecError([Fault(str(path), 1, 1, "a specification is a mapping that begins with 'synthwright: 1'")])
    faults: list[Fault] = []
    said, schema = dict(marked.data), None
    if isinstance(said.get("schema"), str):
        try:
            said["schema"], schema = load_schema(ctx.open_path(said["schema"]))
        except PathError as error:
            faults.append(marked.fault(("schema",), str(error)))
        except SpecError as error:
            faults += error.faults
    try:
        spec = Spec.model_validate(said)
    except ValidationError as error:
        faults += explained(error, marked)
        faults += _behind(said, error, marked, schema, ctx)
        raise SpecError(faults) from None
    if faults:
        raise SpecError(faults)
    return Loaded(spec, marked, schema, ctx)


def load_schema(path: Path) -> tuple[Schema, Marked]:
    """Read a schema file; a SpecError with every fault."""
    marked = safe_yaml.load(_bytes(path, str(path)), str(path))
    try:
        return Schema.model_validate(marked.data), marked
    except ValidationError as error:
        raise SpecError(explained(error, marked)) from None


def _behind(
    said: dict[str, Any], error: ValidationError, marked: Marked, schema: Marked | None, ctx: Context
) -> list[Fault]:
    """Return the faults that stand behind others: those of the specification without what was found wrong."""
    sound = copy.copy(said)
    for _ in range(5):  # taking one thing out can leave another incomplete
        for one in error.errors(include_url=False, include_context=False):
            sound = _pruned(sound, _written(one["loc"], said))
        sound |= {"synthwright": 1, "name": sound.get("name", "unnamed")}
        try:
            spec = Spec.model_validate(sound)
        except ValidationError as again:
            error = again
            continue
        loaded = Loaded(spec, marked, schema, ctx)
        try:
            if isinstance(spec.schema_, Schema):
                plan(spec, spec.schema_, loaded.fault)
            else:
                check_names(spec, loaded.fault)
        except SpecError as found:
            return found.faults
        return []
    return []


def _pruned(data: Any, place: Place) -> Any:
    """Return data without what stands at a place; list items keep their numbers, because faults are told by them."""
    if not place:
        return data
    if isinstance(data, dict) and place[0] in data:
        if len(place) == 1:
            return {k: v for k, v in data.items() if k != place[0]}
        return {k: _pruned(v, place[1:]) if k == place[0] else v for k, v in data.items()}
    if isinstance(data, list) and isinstance(place[0], int) and len(place) > 1:
        return [_pruned(v, place[1:]) if i == place[0] else v for i, v in enumerate(data)]
    return data


def explained(error: ValidationError, marked: Marked) -> list[Fault]:
    """Return the faults of a validation as sentences with places."""
    found: dict[Place, Fault] = {}
    for one in error.errors(include_url=False, include_context=False):
        place = _written(one["loc"], marked.data)
        message, at = one["msg"].removeprefix("Value error, "), place
        if one["type"] == "extra_forbidden":
            near = get_close_matches(str(one["loc"][-1]), WORDS, n=1)
            hint = f": did you mean {near[0]!r}?" if near and near[0] != one["loc"][-1] else ""
            at, message = (*place, "#key"), f"nobody knows this word here{hint}"
        elif one["type"] == "missing":
            place, message = (*place, one["loc"][-1]), "it is missing"
        elif isinstance(one["input"], str | int | float):
            message = f"{message}, got {one['input']!r}"
        if place[:2] == ("start", "set") and len(place) > 2:
            message = "wanted a value, 'balanced', {shares: {a: 0.3, b: 0.7}} or {between: [a, b]}"
        dotted = ".".join(map(str, place))
        found.setdefault(place, marked.fault(at, f"{dotted}: {message}" if dotted else message))
    return list(found.values())


def _written(location: tuple[str | int, ...], data: Any) -> Place:
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


def _bytes(path: Path, shown: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(safe_yaml.MOST_BYTES + 1)
    except FileNotFoundError:
        raise SpecError([Fault(shown, 0, 0, "there is no such file")]) from None
    except IsADirectoryError:
        raise SpecError([Fault(shown, 0, 0, "this is a folder; name the specification file in it")]) from None
    except OSError as error:
        raise SpecError([Fault(shown, 0, 0, f"it cannot be read: {error.strerror}")]) from None
