"""Reading specification and schema files: a wrong one is answered with every fault at once, file, line and column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from synthwright.core import forms, safe_yaml
from synthwright.core import spec as language
from synthwright.core.context import Context
from synthwright.core.errors import Fault, PathError, SpecError
from synthwright.core.phrases import sentence, short, written
from synthwright.core.plan import check_names, plan
from synthwright.core.safe_yaml import Marked, Place
from synthwright.core.schema import Field, Frozen, Kind, Rule, Schema, Table
from synthwright.core.spec import Spec
from synthwright.core.types import parse_type

_MODELS: tuple[type[Frozen], ...] = (
    *(m for m in vars(language).values() if isinstance(m, type) and issubclass(m, Frozen) and m is not Frozen),
    Schema, Table, Field, Rule,
)  # fmt: skip
WORDS = sorted({field.alias or name for model in _MODELS for name, field in model.model_fields.items()})
"""Every word of the language."""
_EXPLAINED = 1_000
"""Faults of a validation that are explained; where there are more, this is not what was meant to be read."""
_HINTS = 20
"""Unknown words that are told the nearest known one: looking for it takes time."""


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
    if "tables" in marked.data and "synthwright" not in marked.data:
        raise SpecError([marked.fault(("tables", "#key"), _of_schema(path))])
    faults = list(_spellings(marked, ("schema",)))
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
    faults = list(_spellings(marked, ()))
    try:
        schema = Schema.model_validate(marked.data)
    except ValidationError as error:
        raise SpecError(faults + explained(error, marked)) from None
    if faults:
        raise SpecError(faults)
    return schema, marked


def _of_schema(path: Path) -> str:
    """Return what to do with a schema where a specification was wanted."""
    specification = path.with_name(f"{path.name.removesuffix('.yaml').removesuffix('.schema')}.yaml")
    remedy = f"name the specification, {specification.name}" if specification != path and specification.is_file() else \
        f"name it in a specification, as 'schema: {path.name}'; `synthwright init DATA` writes both"  # fmt: skip
    return f"this is a schema, not a specification: {remedy}"


def _spellings(marked: Marked, place: Place) -> Iterator[Fault]:
    """Yield a fault for every type and form of the schema at a place that no column can have."""
    for table, said in _mapping(_mapping(marked.data, *place), "tables").items():
        for column, field in _mapping(said, "fields").items():
            where = (*place, "tables", table, "fields", column)
            for word, message in _spelling(_mapping(field)):
                dotted = ".".join(map(short, map(str, (*where, word))))
                yield marked.fault((*where, word), f"{dotted}: {message}")


def _spelling(field: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind, form, outside = (field.get(word) for word in ("kind", "form", "type"))
    if isinstance(outside, str):
        try:
            parse_type(outside)
        except (ValueError, KeyError, ArithmeticError, RecursionError, NotImplementedError):
            yield "type", (f"{short(outside)!r} is no Arrow type that a column can have: 'int32', "
                           "'timestamp[us, tz=UTC]', 'string' …")  # fmt: skip
    if isinstance(form, str) and kind in set(Kind):
        try:
            forms.check(form, Kind(kind))
        except ValueError as error:
            yield "form", str(error)


def _mapping(data: Any, *steps: str | int) -> dict[str, Any]:
    """Return the mapping that stands some steps inside of data; an empty one where there is none."""
    for step in steps:
        data = data.get(step) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}


def _behind(
    said: dict[str, Any], error: ValidationError, marked: Marked, schema: Marked | None, ctx: Context
) -> list[Fault]:
    """Return the faults that stand behind others: those of the specification without what was found wrong."""
    sound = said
    if error.error_count() > _EXPLAINED:
        return []
    for _ in range(5):  # taking one thing out can leave another incomplete
        wrong = (written(one["loc"], said) for one in error.errors(include_url=False, include_context=False))
        sound = _pruned(sound, _tree(wrong))
        sound = {**sound, "synthwright": 1, "name": sound.get("name", "unnamed")}
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


def _tree(places: Iterable[Place]) -> dict[str | int, Any]:
    """Return places as mappings inside mappings, the last step of each an empty one."""
    tree: dict[str | int, Any] = {}
    for place in sorted(filter(None, places), key=len, reverse=True):
        inside = tree
        for step in place[:-1]:
            inside = inside.setdefault(step, {})
        inside[place[-1]] = {}
    return tree


def _pruned(data: Any, wrong: dict[str | int, Any]) -> Any:
    """Return data without what stands at places; list items keep their numbers, because faults are told by them."""
    if isinstance(data, dict):
        return {k: _pruned(v, wrong[k]) if wrong.get(k) else v for k, v in data.items() if wrong.get(k) != {}}
    if isinstance(data, list):
        return [_pruned(v, wrong[i]) if wrong.get(i) else v for i, v in enumerate(data)]
    return data


def explained(error: ValidationError, marked: Marked) -> list[Fault]:
    """Return the faults of a validation as sentences with places."""
    found: dict[Place, Fault] = {}
    every = [(written(one["loc"], marked.data), one) for one in error.errors(include_url=False)[:_EXPLAINED]]
    inner = {place[:i] for place, _ in every for i in range(len(place))}
    hints = 0
    for place, one in every:
        if one["type"].endswith("_type") and place in inner:
            continue  # another branch of a union went further
        message, at, said = sentence(one), place, place
        if one["type"] == "extra_forbidden":
            hints += 1
            at, message = (*place, "#key"), f"nobody knows this word here{_hint(place) if hints <= _HINTS else ''}"
        elif one["type"] == "missing":
            said, message = (*place, one["loc"][-1]), "it is missing"
        if said[:2] == ("start", "set") and len(said) > 2:
            message = "wanted a value, 'balanced', {shares: {a: 0.3, b: 0.7}} or {between: [a, b]}"
        dotted = ".".join(short(str(step)) for step in said)
        found.setdefault(said, marked.fault(at, f"{dotted}: {message}" if dotted else message))
    return list(found.values())


def _hint(place: Place) -> str:
    near = get_close_matches(short(str(place[-1])), WORDS, n=1) if place else []
    return f": did you mean {near[0]!r}?" if near and near[0] != place[-1] else ""


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
