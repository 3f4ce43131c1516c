"""Gates: what a score must reach before data is released, as one line of text.

::

    rules >= 1                          a score against a number
    shape <= 1 * reference + 0.02       a score against what a second real sample gets
    tstr >= 0.97 * reference
    shape.worst <= 0.2                  the worst column
    shape[person.age] <= 0.1            one column; `trend[person.age ~ person.income]` is one pair
    shape <= reference + 0.02 + chance  beyond what a second real sample scores by chance alone
    shape <= reference + max(0.02, chance)  the larger of the two: worse by more than chance, and more than matters

The operators are ``<=``, ``>=``, ``<``, ``>`` and ``==``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

ROUNDING = 1e-12
"""What a float may be off by: `<=`, `>=` and `==` forgive it."""

INTEGRITY_GATES: tuple[str, ...] = ("rules >= 1", "keys >= 1", "rows >= 1", "conditions >= 0.995")
"""Every rule holds in every row, every key and reference is sound, all rows that were asked for are there, and the
columns that were set hold what was asked."""

GUESSED_GATES: dict[str, str] = {
    "rules >= 1": "rules >= reference - 0.01 - chance",
    "keys >= 1": "keys.worst >= reference - chance",
}
"""What stands for these where nobody declared the schema: rules that were guessed from some rows, others may break.

Of keys the worst column counts, with no tolerance but chance: what no real row of thousands does, hardly one may."""

PROOF_GATES: tuple[str, ...] = (
    "exact-copies <= reference + chance",
    "near-copies <= reference + chance",
    "rare-copies <= reference + chance",
    "value-copies <= reference + chance",
    "holdout-copies <= reference + chance",
    "membership <= reference + max(0.04, chance)",
    "membership[tpr at 1 % fpr] <= reference + 0.01 + chance",
    "membership[tpr at 0.1 % fpr] <= reference + 0.005 + chance",
    "singling-out <= reference + max(0.02, chance)",
    "linkability <= reference + max(0.02, chance)",
    "attribute-inference <= reference + max(0.02, chance)",
    "shape <= reference + max(0.02, chance)",
    "shape.worst <= reference + max(0.06, chance)",
    "shares <= reference + max(0.03, chance)",
    "trend <= reference + max(0.02, chance)",
    "trend.worst <= reference + max(0.05, chance)",
    "cardinality <= reference + max(0.02, chance)",
    "cardinality.worst <= reference + max(0.06, chance)",
    "link-trend <= reference + max(0.02, chance)",
    "link-trend.worst <= reference + max(0.05, chance)",
    "marginals <= reference + max(0.02, chance)",
    "marginals.worst <= reference + max(0.06, chance)",
    "missingness.worst <= reference + max(0.03, chance)",
    "tails <= reference + max(0.1, chance)",
    "tails.worst <= reference + max(0.2, chance)",
    "support.worst <= reference + max(0.01, chance)",
    "support[far] <= reference + chance",
    "lost.worst <= reference + max(0.02, chance)",
    "dependencies >= reference - max(0.03, chance)",
    "lattices >= reference - max(0.05, chance)",
    "detection <= reference + max(0.08, chance)",
    "density >= reference - max(0.1, chance)",
    "recall >= reference - max(0.1, chance)",
    "coverage >= reference - max(0.1, chance)",
    "duplicates <= reference + max(0.01, chance)",
    "spread >= 0.8 * reference - chance",
    "tstr >= reference - max(0.15, chance)",
    "trts >= reference - max(0.08, chance)",
)
"""What a second real sample passes and what nothing passes that is plainly worse.

Each bound is the score of a second real sample and the larger of two numbers: a tolerance that a user would not feel,
and `chance`: how much worse another real sample may score by luck (`kit.measuring`). What is refused is worse by more
than luck, and by more than would not matter: a small table is refused no more often than a large one, and a large one
not for what nobody feels. Copies, and numbers far out, have no tolerance; shares of people found (`tpr`) are few and
rare, so both are added.
"""

GROUP_GATES: tuple[str, ...] = (
    "group-shares <= reference + 0.01 + chance",
    "group-utility >= reference - 0.03 - chance",
)
"""What holds besides where sensitive columns are named: no group is thinned, or served worse."""

DEFAULT_GATES: tuple[str, ...] = (*INTEGRITY_GATES, *PROOF_GATES)
"""The gates of every specification; it may add others, and waive one by name, with a reason."""

SOFT_GATES: tuple[str, ...] = (
    "shape <= reference + 0.01 + chance",
    "trend <= reference + 0.01 + chance",
    "detection <= reference + 0.08 + chance",
    "tstr >= 0.98 * reference - chance",
    "dcr-share <= 1 * reference + 0.03",
    "coverage >= 0.95 * reference - chance",
    "text-diversity >= 0.9 * reference - chance",
)
"""What good data reaches; falling short is a warning in the report, and nothing more.

Those that name no chance are held against the end of the interval that speaks for the data."""

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
    rf"(?:\s*(?P<slack>[+-]\s*{_NUMBER}))?)(?:\s*(?P<chance>[+-])\s*chance)?"
    rf"|(?:(?P<times>[+-]?\s*{_NUMBER})\s*\*\s*)?reference"
    rf"\s*(?P<side>[+-])\s*max\(\s*(?P<least>{_NUMBER})\s*,\s*chance\s*\)"
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
    chance: int = 0
    """1 or -1 where what chance may do to the score is added or taken off; else 0."""
    larger: bool = False
    """Whether only the larger of number and chance is added or taken off, not both."""

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

    def bound(self, reference: float | None, chance: float | None = None) -> float:
        """Return the number the score is held against; NaN, which nothing passes, where what it needs is missing."""
        bound = self.factor * (math.nan if reference is None else reference) if self.relative else 0.0
        if not self.chance:
            return bound + self.offset
        stray = math.nan if chance is None else chance
        if self.larger:
            return bound + self.chance * (stray if math.isnan(stray) else max(abs(self.offset), stray))
        return bound + self.offset + self.chance * stray

    def holds(self, value: float | None, reference: float | None, chance: float | None = None) -> bool:
        """Return whether a value passes; a missing one, NaN, or one without the reference it needs does not."""
        bound = self.bound(reference, chance)
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
    """Return the gate that `NAME OP number | a * reference + b`, with or without `+ chance`, spells.

    Raises:
        ValueError: the text is no gate; the message shows the wrong form and a right one.
    """
    gate = _read(text)
    if gate is None:
        raise ValueError(_complaint(text))
    if not (math.isfinite(gate.factor) and math.isfinite(gate.offset)):
        raise ValueError(f"gate {text!r}: a number is too large. Write {RIGHT}.")
    if "reference" in gate.text.rpartition(gate.op)[2] and gate.factor == 0:
        raise ValueError(f"gate {text!r}: '0 * reference' is no reference. Write the number alone, as in 'rules >= 1'.")
    return gate


def _read(text: str) -> Gate | None:
    """Return the gate, whatever its numbers; None where the text has not the form of one."""
    found = _GATE.fullmatch(text.strip())
    bound = _BOUND.fullmatch(found["bound"].strip()) if found else None
    if found is None or bound is None:
        return None
    factor, offset = 0.0, _number(bound["number"] or bound["slack"] or bound["least"] or "0")
    if bound["number"] is None:
        factor = _number(bound["factor"] or bound["times"] or "1")
    about = "worst" if found["worst"] else found["about"] or ""
    chance = {None: 0, "+": 1, "-": -1}[bound["chance"] or bound["side"]]
    return Gate(text, found["metric"], about, found["op"], factor, offset, chance, larger=bound["side"] is not None)


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
    if likely != text.strip() and _read(likely) is not None:
        return f"gate {text!r}: not the form of a gate. Write {likely!r}."
    found = _GATE.fullmatch(text.strip())
    if found is not None:
        return (f"gate {text!r}: {found['bound'].strip()!r} is no bound. Write a number or 'a * reference + b', "
                f"as in {RIGHT}.")  # fmt: skip
    if _NAME.match(text.strip()) is None:
        return f"gate {text!r}: it must begin with the name of a metric in small letters. Write {RIGHT}."
    return f"gate {text!r}: wanted NAME, one of <= >= < > ==, and a bound. Write {RIGHT}."
