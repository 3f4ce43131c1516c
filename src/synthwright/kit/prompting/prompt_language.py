"""The language of prompts: Jinja's, without everything that could do more than write text.

Allowed are text, `{{ column }}`, paths through references, filters and tests of a short list, comparisons, `and`, `or`,
`not`, `~`, `a if b else c`, `{% if %}` and `{% for %}`. Nothing is called, and nothing of Python is in reach: a path is
replaced by the place of its value before the template is compiled, and items of a list are only looked up in what JSON
holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

from jinja2 import Template, TemplateSyntaxError, UndefinedError, nodes

from synthwright.kit.prompting.prompt_words import (
    FILTERS,
    LONGEST,
    LOOP,
    SANDBOX,
    TESTS,
    UnwritableError,
    Unwritten,
    written,
)

LONGEST_TEMPLATE = 100_000
"""Characters of a template."""
MOST_NODES = 2_000
"""Names, texts, conditions and the like in one template."""
DEEPEST = 40
"""How many of them stand inside each other."""
LOOPS = 2
"""How many loops stand inside each other."""
CHAIN = 4
"""Filters one after another."""
ALLOWED = (
    "a template may hold {{ column }}, {{ column | filter }}, {% if %}, {% for %}, comparisons, and, or, not, ~ and in"
)


class Piece(NamedTuple):
    """A value and the filters that it goes through."""

    slot: int
    filters: tuple[tuple[Callable[..., Any], tuple[Any, ...]], ...]

    def of(self, value: Any) -> str:
        """Return what stands in the prompt."""
        for work, arguments in self.filters:
            value = work(value, *arguments)
        return written(value)


@dataclass(frozen=True)
class Program:
    """A template that was read and found to be harmless."""

    tree: nodes.Template = field(repr=False, compare=False)
    names: tuple[str, ...]
    """The columns and paths that it mentions."""
    uses: tuple[int, ...]
    """How often it mentions each."""
    pieces: tuple[str | Piece, ...] | None
    """Where it is nothing but text and values: these, one after another."""
    bounded: bool
    """Whether what it writes is no longer than a few times its values, and it goes through no list."""

    def write(self, columns: Sequence[Sequence[Any]], rows: int) -> list[str | Unwritten]:
        """Return the prompt of every row; values come by name, in the order of `names`."""
        if self.pieces is not None:
            return self._joined(columns, rows)
        each = zip(*columns, strict=True) if columns else iter([()] * rows)
        return [self.one(values) for values in each]

    def one(self, values: Sequence[Any]) -> str | Unwritten:
        """Return the prompt of one row."""
        template = self._compiled
        try:
            said, size = [], 0
            for part in template.root_render_func(template.new_context({f"c{i}": v for i, v in enumerate(values)})):
                said.append(part)
                size += len(part)
                if size > LONGEST:
                    return Unwritten(f"it is longer than {LONGEST:,} characters")
            return "".join(said)
        except (UnwritableError, UndefinedError) as error:
            return Unwritten(str(error))
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError, MemoryError) as error:
            return Unwritten(f"{type(error).__name__} while it was written")

    def _joined(self, columns: Sequence[Sequence[Any]], rows: int) -> list[str | Unwritten]:
        """Return prompts that are texts and values in turn."""
        pieces = self.pieces or ()
        try:
            parts = [[p] * rows if isinstance(p, str) else [p.of(v) for v in columns[p.slot]] for p in pieces]
        except (UnwritableError, TypeError, ValueError, ArithmeticError):  # find out which rows it was
            return [self.one([column[i] for column in columns]) for i in range(rows)]
        texts = ["".join(row) for row in zip(*parts, strict=True)] if parts else [""] * rows
        if max(map(len, texts), default=0) <= LONGEST:
            return list(texts)
        return [t if len(t) <= LONGEST else Unwritten(f"it is longer than {LONGEST:,} characters") for t in texts]

    @cached_property
    def _compiled(self) -> Template:
        code = SANDBOX.compile(self.tree)
        return Template.from_code(SANDBOX, code, {})


def read(text: str) -> Program:
    """Return a template that was understood.

    Raises:
        ValueError: it is no template, or one that does more than write text; the message says where and what.
    """
    if len(text) > LONGEST_TEMPLATE:
        raise ValueError(f"a template of {len(text):,} characters: wanted at most {LONGEST_TEMPLATE:,}")
    try:
        tree = SANDBOX.parse(text)
    except TemplateSyntaxError as error:
        raise ValueError(f"line {error.lineno}: {(error.message or 'no template').rstrip('.')}: {ALLOWED}") from None
    except RecursionError:
        raise ValueError(f"it is nested too deeply: wanted at most {DEEPEST} brackets inside each other") from None
    except ValueError as error:  # a number with thousands of digits
        raise ValueError(f"a constant that cannot be read: {str(error)[:100]}") from None
    return _Reader().template(tree)


# ------------------------------------------------------------------------------------------------------------- reading
_CALLED = {
    "Call": "a call", "Assign": "{% set %}", "AssignBlock": "{% set %}", "Macro": "{% macro %}",
    "CallBlock": "{% call %}", "FilterBlock": "{% filter %}", "Include": "{% include %}", "Import": "{% import %}",
    "FromImport": "{% from %}", "Extends": "{% extends %}", "Block": "{% block %}", "With": "{% with %}",
    "Scope": "{% autoescape %}", "Add": "'+'", "Sub": "'-'", "Mul": "'*'", "Div": "'/'",
    "FloorDiv": "'//'", "Mod": "'%'", "Pow": "'**'", "Pos": "'+'", "Slice": "a slice", "Dict": "a mapping",
}  # fmt: skip
_INSTEAD = {
    "Add": "join texts with ~, and compute numbers in a column", "Call": "use a filter: {{ name | upper }}",
    "FilterBlock": "put the filter behind each value", "Slice": "use | truncate(100)",
}  # fmt: skip
_INSIDE: dict[type[nodes.Node], tuple[str, ...]] = {
    nodes.And: ("left", "right"), nodes.Or: ("left", "right"), nodes.Not: ("node",), nodes.Concat: ("nodes",),
    nodes.CondExpr: ("test", "expr1", "expr2"), nodes.Test: ("node",),
}  # fmt: skip
"""Expressions that are allowed, and what stands inside them."""
Scope = Mapping[str, str]
"""The variables of the loops around, and what they are called in the compiled template."""


def _refuse(node: nodes.Node, what: str, instead: str = ALLOWED) -> NoReturn:
    line = f"line {node.lineno}: " if node.lineno else ""
    raise ValueError(f"{line}{what} is not allowed: {instead}")


class _Reader:
    """Walks through a template, refuses what is not allowed, and puts the places of values where paths stood."""

    def __init__(self) -> None:
        self.slots: dict[str, int] = {}
        self.uses: list[int] = []
        self.nodes = self.loops = self.inside = 0
        self.bounded = True

    def template(self, tree: nodes.Template) -> Program:
        """Return what a template is, its tree rewritten."""
        tree.body = self.body(tree.body, {}, 1)
        tree.set_environment(SANDBOX)
        return Program(tree, tuple(self.slots), tuple(self.uses), self._pieces(tree), self.bounded)

    def _count(self, node: nodes.Node, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            _refuse(node, f"a template of more than {MOST_NODES:,} parts", "make it shorter")
        if depth > DEEPEST:
            _refuse(node, f"more than {DEEPEST} things inside each other", "make it flatter")

    # ------------------------------------------------------------------------------------------------------ statements
    def body(self, said: Sequence[nodes.Node], scope: Scope, depth: int) -> list[nodes.Node]:
        """Return statements, rewritten."""
        return [self.statement(one, scope, depth) for one in said]

    def statement(self, node: nodes.Node, scope: Scope, depth: int) -> nodes.Node:
        """Return a statement, rewritten."""
        self._count(node, depth)
        if isinstance(node, nodes.Output):
            node.nodes = [n if isinstance(n, nodes.TemplateData) else self.value(n, scope, depth + 1)
                          for n in node.nodes]  # fmt: skip
            return node
        if isinstance(node, nodes.If):
            node.test = self.value(node.test, scope, depth + 1)
            node.body = self.body(node.body, scope, depth + 1)
            node.elif_ = [_as_if(self.statement(one, scope, depth + 1)) for one in node.elif_]
            node.else_ = self.body(node.else_, scope, depth + 1)
            return node
        if isinstance(node, nodes.For):
            return self._loop(node, scope, depth)
        return self._wrong(node)

    def _loop(self, node: nodes.For, scope: Scope, depth: int) -> nodes.For:
        if node.recursive:
            _refuse(node, "'recursive'", "write a loop inside the loop")
        if not isinstance(node.target, nodes.Name) or node.target.name.startswith("_") or node.target.name == "loop":
            _refuse(node, "such a variable of a loop", "write {% for item in column %}")
        if self.inside >= LOOPS:
            _refuse(node, f"a loop inside {LOOPS} others", f"wanted at most {LOOPS} inside each other")
        if not isinstance(node.iter, nodes.Name | nodes.Getattr | nodes.Getitem):
            _refuse(node, "a loop through anything but a column", "write {% for item in column %}")
        self.bounded = False
        self.loops += 1
        variable = f"item{self.loops}"
        inner = {**scope, node.target.name: variable, "loop": "loop"}
        through = self.value(node.iter, scope, depth + 1)
        node.iter = nodes.Filter(through, "listed", [], [], None, None, lineno=node.lineno)
        node.target = nodes.Name(variable, "store", lineno=node.lineno)
        node.test = None if node.test is None else self.value(node.test, inner, depth + 1)
        self.inside += 1
        node.body = self.body(node.body, inner, depth + 1)
        self.inside -= 1
        node.else_ = self.body(node.else_, scope, depth + 1)
        return node

    @staticmethod
    def _wrong(node: nodes.Node) -> NoReturn:
        kind = type(node).__name__
        _refuse(node, _CALLED.get(kind, f"'{kind.lower()}'"), _INSTEAD.get(kind, ALLOWED))

    # ---------------------------------------------------------------------------------------------------------- values
    def value(self, node: Any, scope: Scope, depth: int) -> Any:
        """Return an expression, rewritten."""
        self._count(node, depth)
        match node:
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self._path(node, scope)
            case nodes.Const() | nodes.Neg(node=nodes.Const()):
                return node
            case nodes.List() | nodes.Tuple():
                return self._constants(node)
            case nodes.Compare():
                return self._comparison(node, scope, depth)
            case nodes.Filter():
                return self._filter(node, scope, depth)
            case nodes.Test() if node.name not in TESTS or node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
                _refuse(node, f"the test {node.name!r}", f"tests are {', '.join(TESTS)}")
        inner = _INSIDE.get(type(node))
        if inner is None:
            self._wrong(node)
        if isinstance(node, nodes.CondExpr) and node.expr2 is None:
            node.expr2 = nodes.Const("", lineno=node.lineno)
        for word in inner:
            held = getattr(node, word)
            several = isinstance(held, list)
            found = [self.value(one, scope, depth + 1) for one in (held if several else [held])]
            setattr(node, word, found if several else found[0])
        return node

    def _constants(self, node: nodes.List | nodes.Tuple) -> nodes.Expr:
        if any(not isinstance(item, nodes.Const) for item in node.items):
            _refuse(node, "a list of anything but constants", "write x in ['a', 'b']")
        self.nodes += len(node.items)
        return node

    def _comparison(self, node: nodes.Compare, scope: Scope, depth: int) -> nodes.Expr:
        if len(node.ops) != 1:
            _refuse(node, "a chain of comparisons", "write a < b and b < c")
        left = self.value(node.expr, scope, depth + 1)
        right = self.value(node.ops[0].expr, scope, depth + 1)
        sign = node.ops[0].op
        if sign in ("eq", "ne"):
            return nodes.Compare(left, [nodes.Operand(sign, right)], lineno=node.lineno)
        test = nodes.Test(left, "in" if sign == "notin" else sign, [right], [], None, None, lineno=node.lineno)
        return nodes.Not(test, lineno=node.lineno) if sign == "notin" else test

    def _filter(self, node: nodes.Filter, scope: Scope, depth: int) -> nodes.Expr:
        known = FILTERS.get(node.name)
        if known is None or node.node is None:
            near = get_close_matches(node.name, FILTERS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            _refuse(node, f"the filter {node.name!r}", f"{hint}filters are {', '.join(FILTERS)}")
        takes = known.takes
        fits = all(isinstance(a, nodes.Const) and takes is not None and isinstance(a.value, takes) for a in node.args)
        if node.kwargs or node.dyn_args or node.dyn_kwargs or len(node.args) > 1 or not fits:
            like = "" if takes is None else {str: "(', ')", int: "(2)"}.get(takes, "('unknown')")
            _refuse(node, f"such an argument of {node.name!r}", f"write | {node.name}{like}")
        length = 1
        inner: nodes.Node | None = node.node
        while isinstance(inner, nodes.Filter):
            length, inner = length + 1, inner.node
        if length > CHAIN:
            _refuse(node, f"a chain of more than {CHAIN} filters", f"wanted at most {CHAIN}")
        self.bounded &= node.name != "join"
        node.node = self.value(node.node, scope, depth + 1)
        return node

    def _path(self, node: nodes.Expr, scope: Scope) -> nodes.Expr:
        steps: list[tuple[str | int, bool]] = []
        at: nodes.Expr = node
        while isinstance(at, nodes.Getattr | nodes.Getitem):
            self._count(at, len(steps))
            if isinstance(at, nodes.Getattr):
                steps.append((at.attr, False))
            elif isinstance(at.arg, nodes.Const) and isinstance(at.arg.value, str | int):
                steps.append((at.arg.value, True))
            else:
                _refuse(at, "an index that is no constant", "write row['first name']")
            at = at.node
        if not isinstance(at, nodes.Name):
            _refuse(at, "a part of anything but a column", "write {{ column }} or {{ reference.column }}")
        steps.reverse()
        hidden = next((s for s in (at.name, *(s for s, _ in steps)) if str(s).startswith("_")), None)
        if hidden is not None:
            _refuse(node, f"{hidden!r}", "names begin with a letter or a digit")
        if at.name in scope:
            return self._item(node, scope[at.name], [s for s, _ in steps])
        if any(isinstance(s, int) for s, _ in steps):
            _refuse(node, "an item of a column", "go through the list: {% for item in column %}")
        path = [str(s) for s, _ in steps]
        return self._slot(node, ".".join(path if at.name == "row" and steps and steps[0][1] else [at.name, *path]))

    def _slot(self, node: nodes.Expr, path: str) -> nodes.Expr:
        slot = self.slots.setdefault(path, len(self.slots))
        self.uses += [0] * (slot + 1 - len(self.uses))
        self.uses[slot] += 1
        return nodes.Name(f"c{slot}", "load", lineno=node.lineno)

    @staticmethod
    def _item(node: nodes.Expr, variable: str, steps: list[str | int]) -> nodes.Expr:
        found: nodes.Expr = nodes.Name(variable, "load", lineno=node.lineno)
        if variable == "loop":
            if len(steps) != 1 or steps[0] not in LOOP:
                _refuse(node, "that of a loop", f"a loop has {', '.join(f'loop.{word}' for word in LOOP)}")
            return nodes.Getattr(found, str(steps[0]), "load", lineno=node.lineno)
        for step in steps:
            found = nodes.Getitem(found, nodes.Const(step), "load", lineno=node.lineno)
        return found

    @staticmethod
    def _pieces(tree: nodes.Template) -> tuple[str | Piece, ...] | None:
        """Return texts and values one after another, where a template is nothing else."""
        if not all(isinstance(one, nodes.Output) for one in tree.body):
            return None
        found: list[str | Piece] = []
        every: list[Any] = [n for one in tree.body for n in one.iter_child_nodes()]
        for node in every:
            filters: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
            at: Any = node
            while isinstance(at, nodes.Filter):
                filters.insert(0, (FILTERS[at.name].work, tuple(a.as_const() for a in at.args)))
                at = at.node
            if isinstance(at, nodes.TemplateData) and not filters:
                found.append(at.data)
            elif isinstance(at, nodes.Name) and at.name.startswith("c"):
                found.append(Piece(int(at.name[1:]), tuple(filters)))
            else:
                return None
        return tuple(found)


def _as_if(node: nodes.Node) -> nodes.If:
    assert isinstance(node, nodes.If)  # noqa: S101  what stands in elif_ is one
    return node
