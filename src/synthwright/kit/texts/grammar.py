"""Grammars of texts: rules with alternatives, whose texts have slots in braces.

`Dear {title} {name:PERSON},` has two slots: what they hold is another rule's text, or a value of the row. Behind the
name may stand a mark (`{name@1}`), filters (`{name|upper}`) and a label (`{name:PERSON}`), in this order; `{{` and
`}}` are braces. Here texts are read, and what a grammar can make is worked out before any text is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple, TypeAlias

NEVER = 10**9
"""How many rules stand inside each other where there is no end of them."""
MOST = 10_000
"""Alternatives that may be chosen for one text."""
FILTERS = ("upper", "lower", "title", "capital", "a")
"""What may stand behind a slot's name, beside the format of a date."""
DAYS = frozenset({"%d", "%-d", "%e", "%m", "%-m", "%b", "%B", "%y", "%Y", "%a", "%A", "%j", "%%"})
"""What a format of dates may have, as strftime knows it."""
CLOCK = frozenset({"%H", "%-H", "%I", "%-I", "%M", "%S", "%p", "%P"})
"""What a format of instants may have beside it."""
NAME = re.compile(r"[^{}|:@`]+")
"""What rules may be called."""
_LABEL = re.compile(r":\s*([^\W\d_][\w.-]*)\s*$")
_SLOT = re.compile(r"\s*(?:`([^`]+)`|([^|:@`]*?))\s*(?:@\s*(\w+)\s*)?((?:\|[^|]*)*)", re.DOTALL)
_CODE = re.compile(r"%-?.?")


class Slot(NamedTuple):
    """A place in a text that is filled."""

    name: str
    at: int
    """Which character of the text its brace is; the first is 1."""
    mark: str = ""
    filters: tuple[str, ...] = ()
    label: str = ""


Piece: TypeAlias = str | Slot


class Option(NamedTuple):
    """One way to make a rule's text."""

    pieces: tuple[Piece, ...]
    weight: float = 1.0
    when: str | None = None
    """A condition on the row."""

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The pieces that are slots."""
        return tuple(p for p in self.pieces if isinstance(p, Slot))


class Root(NamedTuple):
    """Where a derivation begins: at the first rule, or at a rule with a mark, which is derived once for a row."""

    rule: str
    mark: str = ""


@lru_cache(maxsize=8192)
def parse(text: str) -> tuple[Piece, ...]:
    """Return the pieces of a text.

    Raises:
        ValueError: a brace without its other, or a slot that says nothing that is known; with its place.
    """
    pieces: list[Piece] = []
    held, at = "", 0
    while at < len(text):
        sign = text[at]
        if sign in "{}" and text[at : at + 2] == sign * 2:
            held, at = held + sign, at + 2
        elif sign == "}":
            raise ValueError(f"the '}}' at character {at + 1} closes nothing: write '}}}}' for a brace in the text")
        elif sign == "{":
            close = text.find("}", at)
            if close < 0 or "{" in text[at + 1 : close]:
                raise ValueError(f"the '{{' at character {at + 1} is not closed: write '{{{{' for a brace in the text")
            pieces += [*([held] if held else []), _slot(text[at + 1 : close], at + 1)]
            held, at = "", close + 1
        else:
            held, at = held + sign, at + 1
    return (*pieces, held) if held else tuple(pieces)


def _slot(said: str, at: int) -> Slot:
    label = _LABEL.search(said)
    inside = said[: label.start()] if label else said
    found = _SLOT.fullmatch(inside)
    name = (found[1] or found[2] or "") if found else ""
    if found is None or not name:
        right = "'{name}', '{name@1}', '{name|upper}', '{name:LABEL}'"
        raise ValueError(f"the slot {{{said}}} at character {at} says no name: wanted {right}")
    filters = tuple(f.strip() for f in found[4].split("|")[1:])
    for one in filters:
        _known(one, f"the slot {{{said}}} at character {at}")
    return Slot(name, at, found[3] or "", filters, label[1] if label else "")


def codes_of(said: str) -> set[str]:
    """Return the codes in a format of dates."""
    return set(_CODE.findall(said))


def _known(said: str, owner: str) -> None:
    """Raise a ValueError for a filter that nobody knows."""
    if "%" in said:
        wrong = codes_of(said) - DAYS - CLOCK
        if wrong:
            raise ValueError(
                f"{owner}: {min(wrong)!r} is no code of a date: there are {' '.join(sorted(DAYS | CLOCK))}"
            )
    elif said not in FILTERS:
        near = get_close_matches(said, FILTERS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FILTERS)}, and formats such as %d %B %Y"
        raise ValueError(f"{owner}: no filter is called {said!r}: {hint}")


@dataclass(frozen=True)
class Grammar:
    """Rules, the one that texts begin with, and how many may stand inside each other."""

    rules: Mapping[str, tuple[Option, ...]]
    start: str
    depth: int

    def children(self, option: Option) -> tuple[str, ...]:
        """Return the rules that an alternative goes on with; those with a mark are derived by themselves."""
        return tuple(s.name for s in option.slots if s.name in self.rules and not s.mark)

    def marked(self, option: Option) -> tuple[Root, ...]:
        """Return the rules with a mark that an alternative names."""
        return tuple(Root(s.name, s.mark) for s in option.slots if s.name in self.rules and s.mark)

    @cached_property
    def heights(self) -> dict[str, int]:
        """How many rules at least stand inside each other in a rule's text, itself among them.

        Alternatives with a condition are not relied on where others have none; where all have one, any may be the
        only one that holds.
        """
        found = dict.fromkeys(self.rules, NEVER)
        while True:
            now = {rule: self._height(options, found) for rule, options in self.rules.items()}
            if now == found:
                return found
            found = now

    def _height(self, options: tuple[Option, ...], heights: Mapping[str, int]) -> int:
        live = [o for o in options if o.weight > 0]
        sure = [self.height(o, heights) for o in live if o.when is None]
        return min(sure) if sure else max((self.height(o, heights) for o in live), default=NEVER)

    def height(self, option: Option, heights: Mapping[str, int] | None = None) -> int:
        """Return how many rules at least stand inside each other where an alternative is taken."""
        known = self.heights if heights is None else heights
        return min(NEVER, 1 + max((known[c] for c in self.children(option)), default=0))

    def reached(self, start: str) -> list[str]:
        """Return the rules that a rule's text may be made by, itself first."""
        found = {start: None}
        for rule in (waiting := [start]):
            for option in self.rules[rule]:
                waiting += [c for c in self.children(option) if c not in found]
                found |= dict.fromkeys(self.children(option))
        return list(found)

    @cached_property
    def needs(self) -> dict[Root, set[Root]]:
        """Which rules with a mark the first rule and each rule with a mark may name on the way."""
        found: dict[Root, set[Root]] = {}
        waiting = [Root(self.start)]
        while waiting:
            root = waiting.pop()
            if root not in found:
                options = (o for rule in self.reached(root.rule) for o in self.rules[rule])
                found[root] = {m for o in options for m in self.marked(o)}
                waiting += sorted(found[root])
        return found

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The derivations in an order in which each comes before those that it needs.

        Raises:
            CycleError: a rule with a mark needs itself.
        """
        return tuple(TopologicalSorter(self.needs).static_order())[::-1]

    def choices(self, rule: str) -> int:
        """Return how many alternatives are chosen for a text at most."""
        known: dict[tuple[str, int], int] = {}

        def most(name: str, left: int) -> int:
            if (name, left) not in known:
                able = [o for o in self.rules[name] if self.height(o) <= left]
                counts = (1 + sum(most(c, left - 1) for c in self.children(o)) for o in able)
                known[name, left] = max(counts, default=1)
            return known[name, left]

        return most(rule, self.depth)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Every label that may stand in a text, sorted."""
        rules = {rule for root in self.needs for rule in self.reached(root.rule)}
        return tuple(sorted({s.label for r in rules for o in self.rules[r] for s in o.slots if s.label}))

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield why no texts can be made: the rule, and a sentence; the rules' own slots are not looked at."""
        if self.start not in self.rules:
            near = get_close_matches(self.start, self.rules, n=1)
            yield "", f"no rule is called {self.start!r}: {f'did you mean {near[0]!r}?' if near else self._listed()}"
            return
        dead = [rule for rule, options in self.rules.items() if not any(o.weight > 0 for o in options)]
        for rule in dead:
            yield rule, f"rule {rule!r} has no alternative with a weight above 0"
        endless = [rule for rule, height in self.heights.items() if height >= NEVER and rule not in dead]
        for rule in endless:
            if not any(c in dead for r in self.reached(rule) for c in (r,)):
                yield rule, f"rule {rule!r} never ends: give it an alternative without {self._again(rule)}"
        if dead or endless:
            return
        yield from self._too_deep()

    def _again(self, rule: str) -> str:
        """Return the slots by which a rule that never ends goes on, as they are written."""
        names = {c for o in self.rules[rule] for c in self.children(o) if self.heights[c] >= NEVER}
        said = " and ".join(f"{{{name}}}" for name in sorted(names))
        return f"{said} that is always allowed" if all(o.when is not None for o in self.rules[rule]) else said

    def _too_deep(self) -> Iterator[tuple[str, str]]:
        try:
            roots = self.roots
        except CycleError as error:
            circle = " → ".join(f"{{{r.rule}@{r.mark}}}" if r.mark else f"{{{r.rule}}}" for r in error.args[1][::-1])
            yield error.args[1][0].rule, f"a rule with a mark has one text in a row and cannot need itself: {circle}"
            return
        for rule in dict.fromkeys(r.rule for r in roots):
            if self.heights[rule] > self.depth:
                yield rule, f"{self.heights[rule]} rules stand inside each other in {rule!r}: `depth` is {self.depth}"
            elif (many := self.choices(rule)) > MOST:
                yield rule, (f"a text of {rule!r} may take {many:,} choices, and {MOST:,} are allowed: "
                             "lower `depth`, or name fewer rules in one alternative")  # fmt: skip

    def _listed(self) -> str:
        return f"there are {', '.join(map(repr, self.rules))}"
