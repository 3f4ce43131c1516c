"""Gates: what a score must reach before data is released, as one line of text.

::

    rules >= 1                          a score against a number
    shape <= 1 * reference + 0.02       a score against what a second real sample gets
    tstr >= 0.97 * reference
    shape.worst <= 0.2                  the worst column
    shape[person.age] <= 0.1            one column; `trend[person.age ~ person.income]` is one pair

The operators are ``<=``, ``>=``, ``<``, ``>`` and ``==``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

ROUNDING = 1e-12
"""What a float may be off by: `<=`, `>=` and `==` forgive it."""

DEFAULT_GATES: tuple[str, ...] = (
    "rules >= 1",
    "keys >= 1",
    "rows >= 1",
    "exact-copies <= 1.1 * reference + 0.01",
)
"""The gates of a specification that names none.

Every rule holds in every row, every key and reference is sound, and all rows that were asked for are there. Synthetic
rows may equal a real training row as often as held-out real rows do; the slack is the sampling error of that share: for
a thousand held-out rows it is about two of its standard errors, however large the share is. For a table whose rows do
not repeat it leaves one row in a hundred.
"""

SOFT_GATES: tuple[str, ...] = (
    "shape <= 1 * reference + 0.02",
    "trend <= 1 * reference + 0.02",
    "detection <= 1 * reference + 0.1",
    "tstr >= 0.97 * reference",
    "dcr-share <= 1 * reference + 0.03",
    "coverage >= 0.95 * reference",
)
"""What good data reaches; falling short is a warning in the report, and nothing more."""

CLOSE_GATES: tuple[str, ...] = (
    "shape < 0.5 * reference",
    "trend < 0.5 * reference",
    "detection < 0.9 * reference",
    "tstr > 1.05 * reference",
)
"""What a second real sample does not reach: data that does, beyond its interval, may be copied. A warning too."""

RIGHT = "'rules >= 1', 'tstr >= 0.97 * reference' or 'shape[person.age] <= 1 * reference + 0.02'"
_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_NAME = re.compile(r"(?P<metric>[a-z][a-z0-9]*(?:-[a-z0-9]+)*)(?:\.(?P<worst>worst)|\[(?P<about>.+)\])?", re.DOTALL)
_GATE = re.compile(rf"{_NAME.pattern}\s*(?P<op><=|>=|==|<|>)\s*(?P<bound>[^\]]+)", re.DOTALL)
_BOUND = re.compile(
    rf"(?:(?P<number>[+-]?\s*{_NUMBER})|(?:(?P<factor>[+-]?\s*{_NUMBER})\s*\*\s*)?reference"
    rf"(?:\s*(?P<slack>[+-]\s*{_NUMBER}))?)"
)
_REPAIRS = (("≤", "<="), ("≥", ">="), ("=<", "<="), ("=>", ">="), ("×", "*"))


@dataclass(frozen=True)
class Gate:
    """A bound on one score; `str` gives the text back."""

    text: str
    metric: str
    about: str
    """What the score is about: "" the whole, "worst", or what stands in the brackets (`table.column`)."""
    op: str
    factor: float
    """How many references the bound has; 0 for a plain number."""
    offset: float
    """What is added."""

    def __str__(self) -> str:
        return self.text

    @property
    def name(self) -> str:
        """The name of the score as a gate writes it: `shape`, `shape.worst`, `shape[person.age]`."""
        return score_name(self.metric, self.about)

    @property
    def relative(self) -> bool:
        """Whether the bound depends on the reference."""
        return self.factor != 0

    def bound(self, reference: float | None) -> float:
        """Return the number the score is held against; NaN, which nothing passes, where a reference is missing."""
        if not self.relative:
            return self.offset
        return self.factor * (math.nan if reference is None else reference) + self.offset

    def holds(self, value: float | None, reference: float | None) -> bool:
        """Return whether a value passes; a missing one, NaN, or one without the reference it needs does not."""
        bound = self.bound(reference)
        if value is None or math.isnan(value) or math.isnan(bound):
            return False
        slack = 0.0 if math.isinf(bound) else ROUNDING * max(1.0, abs(bound))
        match self.op:
            case "<=":
                return value <= bound + slack
            case ">=":
                return value >= bound - slack
            case "<":
                return value < bound
            case ">":
                return value > bound
            case _:
                return abs(value - bound) <= slack


def score_name(metric: str, about: str) -> str:
    """Return how gates write a score: `shape`, `shape.worst`, `shape[person.age]`."""
    if about in ("", "worst"):
        return f"{metric}.worst" if about else metric
    return f"{metric}[{about}]"


def parse(text: str) -> Gate:
    """Return the gate that `NAME OP number | a * reference + b` spells.

    Raises:
        ValueError: the text is no gate; the message shows the wrong form and a right one.
    """
    found = _GATE.fullmatch(text.strip())
    bound = _BOUND.fullmatch(found["bound"].strip()) if found else None
    if found is None or bound is None:
        raise ValueError(_complaint(text))
    factor, offset = 0.0, 0.0
    if bound["number"] is not None:
        offset = _number(bound["number"])
    else:
        factor, offset = _number(bound["factor"] or "1"), _number(bound["slack"] or "0")
    if not (math.isfinite(factor) and math.isfinite(offset)):
        raise ValueError(f"gate {text!r}: a number is too large. Write {RIGHT}.")
    if bound["number"] is None and factor == 0:
        raise ValueError(f"gate {text!r}: '0 * reference' is no reference. Write the number alone, as in 'rules >= 1'.")
    about = "worst" if found["worst"] else found["about"] or ""
    return Gate(text, found["metric"], about, found["op"], factor, offset)


def _number(said: str) -> float:
    return float(re.sub(r"\s", "", said))


def _complaint(text: str) -> str:
    """Say what is wrong with a gate, and the likely right form if there is one."""
    if not text.strip():
        return f"gate {text!r}: nothing is there. Write {RIGHT}."
    likely = text.strip()
    for wrong, right in _REPAIRS:
        likely = likely.replace(wrong, right)
    likely = re.sub(r"(?<![<>=])=(?!=)", "==", likely)
    likely = re.sub(r"\bref\b", "reference", likely)
    likely = re.sub(rf"({_NUMBER})\s+reference\b", r"\1 * reference", likely)
    likely = re.sub(rf"reference\s*\*\s*({_NUMBER})", r"\1 * reference", likely)
    if likely != text.strip():
        try:
            return f"gate {text!r}: not the form of a gate. Write {str(parse(likely))!r}."
        except ValueError:
            pass  # the repair did not make it a gate: show the general form
    found = _GATE.fullmatch(text.strip())
    if found is not None:
        return (f"gate {text!r}: {found['bound'].strip()!r} is no bound. Write a number or 'a * reference + b', "
                f"as in {RIGHT}.")  # fmt: skip
    if _NAME.match(text.strip()) is None:
        return f"gate {text!r}: it must begin with the name of a metric in small letters. Write {RIGHT}."
    return f"gate {text!r}: wanted NAME, one of <= >= < > ==, and a bound. Write {RIGHT}."
