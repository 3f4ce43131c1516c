r"""Patterns of codes: the part of regular expressions that has an end, so that codes can be drawn from it.

Characters, classes (`[A-Z0-9_]`), `\d` and `\w`, groups, alternatives (`A|B`), bounded repetition (`{4}`, `{1,3}`,
`?`), and `{check}`, the place of a check digit. What cannot be drawn is named with its position.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

LAYOUTS = 1_000
"""Ways to lay out a code (lengths, alternatives), at most."""
LONGEST = 1_000
_SHORT = {"d": string.digits, "w": string.digits + string.ascii_uppercase + "_" + string.ascii_lowercase}
_LITERAL = set("\\.+*?()|[]{}^$-/ ") | set(string.punctuation)


@dataclass(frozen=True)
class Layout:
    """What may stand at each position of one way to lay out a code."""

    positions: tuple[str, ...]
    """The characters that may stand at each position; the check digit has none."""
    share: float
    """How often it is drawn, each alternative and each length being as likely as its neighbours."""
    check: int | None = None
    """Before which position the check digit stands; nothing: it has none yet."""

    @property
    def size(self) -> int:
        """How many codes there are."""
        size = 1
        for characters in self.positions:
            size *= len(characters)
        return size


class PatternError(ValueError):
    """A pattern that cannot be drawn, and where."""

    def __init__(self, pattern: str, at: int, problem: str) -> None:
        shown = f"{pattern[at]!r}" if at < len(pattern) else "the end"
        super().__init__(f"position {at + 1} of the pattern ({shown}): {problem}")


def parse(pattern: str) -> tuple[Layout, ...]:
    """Return every way to lay out the codes of a pattern.

    Raises:
        PatternError: it cannot be drawn.
    """
    return _Reader(pattern).whole()


def overlap(layouts: Sequence[Layout]) -> bool:
    """Return whether two layouts share a code."""
    seen: dict[int, list[list[set[str]]]] = {}
    for layout in layouts:
        mine = [set(p) for p in layout.positions]
        others = seen.setdefault(len(mine), [])
        if any(all(a & b for a, b in zip(mine, other, strict=True)) for other in others):
            return True
        others.append(mine)
    return False


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.pattern, self.at = pattern, 0

    def refuse(self, problem: str, at: int | None = None) -> NoReturn:
        raise PatternError(self.pattern, self.at if at is None else at, problem)

    def peek(self) -> str:
        return self.pattern[self.at] if self.at < len(self.pattern) else ""

    def whole(self) -> tuple[Layout, ...]:
        if self.peek() == "^":
            self.at += 1
        found = self.alternatives()
        if self.peek() == "$" and self.at == len(self.pattern) - 1:
            self.at += 1
        if self.at < len(self.pattern):
            self.refuse("a bracket that closes nothing" if self.peek() == ")" else "it is only possible at the end")
        return tuple(found)

    def alternatives(self) -> list[Layout]:
        """Read `A|B|C`; where each is one character, they are a class."""
        branches = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence())
        if len(branches) == 1:
            return branches[0]
        singles = [b[0].positions[0] for b in branches
                   if len(b) == 1 and b[0].check is None and len(b[0].positions) == 1 and b[0].size == 1]  # fmt: skip
        if len(singles) == len(branches) == len(set(singles)):
            return [Layout(("".join(singles),), 1.0)]
        return self._counted([replace(one, share=one.share / len(branches)) for b in branches for one in b])

    def sequence(self) -> list[Layout]:
        found = [Layout((), 1.0)]
        while self.peek() and self.peek() not in "|)":
            if self.peek() == "$" and self.at == len(self.pattern) - 1:
                break
            begin = self.at
            atom = self.atom()
            found = self._joined(found, self.repeated(atom, begin))
        return found

    def _joined(self, left: list[Layout], right: list[Layout]) -> list[Layout]:
        if len(left) * len(right) > LAYOUTS:
            self.refuse(f"so many alternatives and lengths that there are more than {LAYOUTS:,} layouts", self.at - 1)
        found = []
        for one in left:
            for other in right:
                if one.check is not None and other.check is not None:
                    self.refuse("a second {check}", self.at - 1)
                check = one.check if other.check is None else len(one.positions) + other.check
                found.append(Layout(one.positions + other.positions, one.share * other.share, check))
                if len(found[-1].positions) > LONGEST:
                    self.refuse(f"a code of more than {LONGEST:,} characters", self.at - 1)
        return found

    def _counted(self, layouts: list[Layout]) -> list[Layout]:
        if len(layouts) > LAYOUTS:
            self.refuse(f"so many alternatives that there are more than {LAYOUTS:,} layouts", self.at - 1)
        return layouts

    def repeated(self, atom: list[Layout], begin: int) -> list[Layout]:
        """Read what may stand behind an atom: `{4}`, `{1,3}`, `?`."""
        sign, at = self.peek(), self.at
        if sign in ("*", "+") and sign:
            self.refuse("repetition without an end: say how often, {1,8}")
        if sign == "?":
            self.at += 1
            low, high = 0, 1
        elif sign == "{" and not self.pattern.startswith("{check}", self.at):
            low, high = self.bounds()
        else:
            return atom
        if any(one.check is not None for one in atom):
            self.refuse("a check digit is not repeated", begin)
        if self.peek() in ("?", "*", "+") and self.peek():
            self.refuse("a sign of repetition behind another")
        if high * max(len(one.positions) for one in atom) > LONGEST:
            self.refuse(f"a code of more than {LONGEST:,} characters", at)
        return self._times(atom, low, high)

    def _times(self, atom: list[Layout], low: int, high: int) -> list[Layout]:
        if len(atom) == 1:
            return self._counted([Layout(atom[0].positions * n, 1 / (high - low + 1)) for n in range(low, high + 1)])
        found: list[Layout] = []
        power = [Layout((), 1.0)]
        for n in range(high + 1):
            if n:
                power = self._joined(power, atom)
            if n >= low:
                found += [replace(one, share=one.share / (high - low + 1)) for one in power]
            self._counted(found)
        return found

    def bounds(self) -> tuple[int, int]:
        begin = self.at
        end = self.pattern.find("}", begin)
        parts = self.pattern[begin + 1 : end].split(",") if end > 0 else []
        if not 1 <= len(parts) <= 2 or not all(p.isascii() and p.isdigit() for p in parts if p) or not parts[0]:
            self.refuse("wanted {4}, {1,3} or {check}", begin)
        if not parts[-1]:
            self.refuse("repetition without an end: say how often at most, {1,8}", begin)
        low, high = int(parts[0]), int(parts[-1])
        if low > high:
            self.refuse(f"{low} is more than {high}", begin)
        if high == 0:
            self.refuse("what comes no time at all is not there: leave it out, or say {0,1}", begin)
        self.at = end + 1
        return low, high

    def atom(self) -> list[Layout]:
        sign = self.peek()
        if self.pattern.startswith("{check}", self.at):
            self.at += len("{check}")
            return [Layout((), 1.0, 0)]
        if sign == "(":
            return self.group()
        if sign == "[":
            return [Layout((self.characters(),), 1.0)]
        if sign == "\\":
            return [Layout((self.escaped(),), 1.0)]
        problems = {".": "any character: say which, [A-Z0-9]; a point itself is \\.", "*": "nothing to repeat",
                    "+": "nothing to repeat", "?": "nothing to repeat", "{": "nothing to repeat",
                    "}": "a bracket that closes nothing: write \\}", "]": "a bracket that closes nothing: write \\]",
                    "^": "it is only possible at the beginning", "$": "it is only possible at the end"}  # fmt: skip
        if sign in problems:
            self.refuse(problems[sign])
        self.at += 1
        return [Layout((sign,), 1.0)]

    def group(self) -> list[Layout]:
        begin = self.at
        self.at += 1
        if self.peek() == "?":
            if not self.pattern.startswith("?:", self.at):
                self.refuse("only plain groups can be drawn: ( … ) or (?: … )")
            self.at += 2
        found = self.alternatives()
        if self.peek() != ")":
            self.refuse("a bracket that is not closed", begin)
        self.at += 1
        return found

    def escaped(self) -> str:
        self.at += 1
        sign = self.peek()
        self.at += 1
        if sign in _SHORT:
            return _SHORT[sign]
        if sign not in _LITERAL or not sign:
            self.refuse(f"\\{sign} cannot be drawn: \\d, \\w and escaped marks can", self.at - 2)
        return sign

    def characters(self) -> str:
        """Read `[A-Z0-9_]`."""
        begin = self.at
        self.at += 1
        if self.peek() == "^":
            self.refuse("what is not in a class cannot be drawn: say which characters may stand there")
        found: list[str] = []
        while self.peek() != "]" or self.at == begin + 1:
            at = self.at
            one = self.member(begin)
            if self.peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                last = self.member(begin)
                if len(one) != 1 or len(last) != 1 or ord(one) > ord(last):
                    self.refuse("a range runs from a lower to a higher character, A-Z", at)
                found += [chr(c) for c in range(ord(one), ord(last) + 1)]
            else:
                found += one
        self.at += 1
        return "".join(dict.fromkeys(found))

    def member(self, begin: int) -> str:
        sign = self.peek()
        if not sign:
            self.refuse("a class that is not closed", begin)
        if sign == "\\":
            return self.escaped()
        self.at += 1
        return sign
