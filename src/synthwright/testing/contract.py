"""How contracts are checked, and what holds for every recipe."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import UnionType
from typing import Any, Generic, Literal, NoReturn, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from synthwright.core.context import Context
from synthwright.core.contracts import Recipe, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.docstrings import meanings
from synthwright.core.errors import SynthwrightError
from synthwright.testing.models import talkative

R = TypeVar("R", bound=Recipe)


class ContractError(SynthwrightError, AssertionError):
    """A plug-in does not keep its contract; `thing` names the check."""


class Broken(Exception):  # noqa: N818  what a check says; callers see a ContractError
    """What a check found: wanted this, got that."""

    def __init__(self, wanted: str, got: str) -> None:
        super().__init__(wanted, got)
        self.wanted, self.got = wanted, got


@dataclass(frozen=True)
class Subject(Generic[R]):
    """The recipe under test."""

    recipe: R

    @property
    def kind(self) -> type[R]:
        """The recipe's class."""
        return type(self.recipe)

    def ctx(self, *place: str, seed: int = 0) -> Context:
        """Return a context for one call; whoever asks language models finds some that answer."""
        return Context(seed=seed, models=talkative(seed) if self.recipe.asks() else None).at(*place)


Check = Callable[[Subject[R]], None]


def broken(wanted: str, got: object) -> NoReturn:
    """Say that a check failed."""
    raise Broken(wanted, str(got))


def want(condition: object, wanted: str, got: object) -> None:
    """Fail the check unless the condition holds."""
    if not condition:
        broken(wanted, got)


def made(recipe: R | type[R]) -> R:
    """Return the recipe, made with its defaults where a class was given."""
    if isinstance(recipe, Recipe):
        return recipe
    try:
        return recipe()
    except ValidationError as error:
        owner, got = getattr(recipe, "name", recipe.__name__), f"{error.error_count()} without one"
        raise ContractError(owner, "defaults", wanted="a default for every parameter", got=got) from error


def run(checks: Iterable[Check[R]], recipe: R) -> tuple[str, ...]:
    """Run every check on a recipe; return their names.

    Raises:
        ContractError: a check failed, or raised what it should not.
    """
    names = []
    for check in checks:
        name = check.__name__.replace("_", "-")
        owner = getattr(type(recipe), "name", type(recipe).__name__)
        try:
            check(Subject(recipe))
        except Broken as said:
            raise ContractError(owner, name, wanted=said.wanted, got=" ".join([said.got, *_notes(said)])) from None
        except ContractError:
            raise
        except Exception as error:
            said_so = " ".join([f"{type(error).__name__}: {error}", *_notes(error)])
            raise ContractError(owner, name, wanted="no exception", got=said_so) from error
        names.append(name)
    return tuple(names)


def _notes(error: Exception) -> list[str]:
    return list(getattr(error, "__notes__", ()))


@contextmanager
def on(what: str) -> Iterator[None]:
    """Add to whatever fails inside what it failed on."""
    try:
        yield
    except Exception as error:
        error.add_note(f"on {what}")
        raise


def same(one: Dataset, other: Dataset) -> bool:
    """Return whether two datasets hold the same values, however they are chunked."""
    return one.fingerprint() == other.fingerprint()


def check_verdict(verdict: Verdict, data: Dataset) -> None:
    """Fail unless a ruling has the right lengths and types, and a reason exactly where a row goes."""
    want(verdict.table in data.tables, f"a verdict about one of {list(data.tables)}", repr(verdict.table))
    rows = data.rows(verdict.table)
    want(verdict.keep.dtype == bool, "booleans in keep", verdict.keep.dtype)
    want(len(verdict.keep) == rows, f"{rows} rulings on {verdict.table}", len(verdict.keep))
    want(len(verdict.reason) == rows, f"{rows} reasons on {verdict.table}", len(verdict.reason))
    given = ~verdict.reason.is_null().to_numpy(zero_copy_only=False)
    want((given == ~verdict.keep).all(), "a reason where a row goes, and null where it stays",
         f"{int((given != ~verdict.keep).sum())} rows otherwise")  # fmt: skip
    if verdict.score is not None:
        want(len(verdict.score) == rows, f"{rows} scores on {verdict.table}", len(verdict.score))


# ------------------------------------------------------------------------------------------------- for every recipe
def documented(subject: Subject[R]) -> None:
    """Fail unless the class and every parameter say what they are."""
    summary = (inspect.getdoc(subject.kind) or "").partition("\n")[0]
    own = "__doc__" in vars(subject.kind) and vars(subject.kind)["__doc__"]
    want(own and summary.endswith((".", "?", "!")), "a docstring whose first line is a sentence", repr(summary))
    told = meanings(subject.kind)
    for name, field in subject.kind.model_fields.items():
        want(told[name], f"a docstring under the field {name!r}", "none")
        default = field.get_default(call_default_factory=True)
        want(default is not PydanticUndefined, f"a default for the field {name!r}", "none")


def named(subject: Subject[R]) -> None:
    """Fail unless name and version are what a specification and a fingerprint can use."""
    name, version = subject.kind.name, subject.kind.version
    want(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name), "a name in kebab-case", repr(name))
    want(isinstance(version, int) and version >= 1, "a version from 1 upwards", repr(version))


def frozen(subject: Subject[R]) -> None:
    """Fail if a parameter can be changed, or an unknown one is taken."""
    for name in subject.kind.model_fields:
        try:
            setattr(subject.recipe, name, getattr(subject.recipe, name))
        except (ValidationError, AttributeError, TypeError):
            continue
        broken("a frozen recipe", f"one whose {name!r} can be set")
    try:
        subject.kind.model_validate({**subject.recipe.model_dump(), "no-such-parameter": 1})
    except ValidationError:
        return
    broken("an error for an unknown parameter", "none")


def plain_data(subject: Subject[R]) -> None:
    """Fail unless the recipe survives a trip through JSON, and its JSON Schema can be written."""
    again = subject.kind.model_validate_json(subject.recipe.model_dump_json(by_alias=True))
    want(again == subject.recipe, "the same recipe after a trip through JSON", repr(again))
    want(
        again.fingerprint() == subject.recipe.fingerprint(), "the same fingerprint after a trip through JSON", "another"
    )
    subject.kind.model_json_schema()


def parameters_count(subject: Subject[R]) -> None:
    """Fail if a parameter does not change the fingerprint, or if nothing reads it."""
    told = subject.recipe.fingerprint()
    for name, field in subject.kind.model_fields.items():
        other = another(subject.recipe, name, field)
        want(other.fingerprint() != told, f"another fingerprint where {name!r} differs", "the same")
        want(_is_read(subject.kind, name), f"code that reads the parameter {name!r}", "none")


def another(recipe: R, name: str, field: FieldInfo) -> R:
    """Return the recipe with one parameter changed.

    Values are tried that its type suggests, after the field's own `examples`.
    """
    now = getattr(recipe, name)
    for value in (*(field.examples or ()), *_suggestions(now, field.annotation)):
        try:
            other = type(recipe).model_validate({**recipe.model_dump(by_alias=True), field.alias or name: value})
        except ValidationError:
            continue
        if getattr(other, name) != now:
            return other
    broken(f"another value that the field {name!r} takes (give it one with `examples=[…]`)", "none")


def _suggestions(now: Any, annotation: Any) -> list[Any]:
    """Return values that may fit where `now` stands."""
    if get_origin(annotation) in (Union, UnionType):
        return [v for a in get_args(annotation) for v in _suggestions(now, a)] + [None]
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(now, bool) or annotation is bool:
        return [not now]
    if isinstance(now, int | float) or annotation in (int, float):
        base = now or 0
        return [base + 1, base - 1, base * 2, base / 2, (base + 1) / 2, 0.5, 2, 1, 0]
    if isinstance(now, str) or annotation is str:
        return [f"{now or ''}x", "x", "a.b"]
    return [["x"], ["a.b"], {"x": "x"}, {"a.b": "x"}, {"x": 1}, [1], [1, 2], [0.5], "x"]


def _is_read(kind: type[Recipe], name: str) -> bool:
    """Return whether a module of the recipe's package reads an attribute of that name."""
    package = kind.__module__.rpartition(".")[0]
    homes = [k.__module__ for k in kind.__mro__ if issubclass(k, Recipe) and k is not Recipe]
    homes += [m for m in sys.modules if package and m.startswith(package + ".")]
    for home in dict.fromkeys(homes):
        try:
            tree = ast.parse(inspect.getsource(sys.modules[home]))
        except (OSError, TypeError):  # written in no file, or in no Python
            continue
        if any(isinstance(n, ast.Attribute) and n.attr == name for n in ast.walk(tree)):
            return True
    return False


RECIPE: tuple[Check[Any], ...] = (documented, named, frozen, plain_data, parameters_count)
"""What holds for every recipe."""
