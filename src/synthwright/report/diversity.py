"""How varied written texts were, wave by wave: rows of the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field as Setting

from synthwright.core.schema import Frozen
from synthwright.report.counts import spelled
from synthwright.report.verdict import said

NAMES = {
    "distinct-2": "different pairs of words",
    "self-bleu": "1 less self-BLEU",
    "vendi": "different texts (Vendi)",
    "nearest": "distance to the nearest",
    "new-3": "new runs of 3 words",
}
"""What each measure is called, in the order in which they are told."""
HEAD = ("column", "waves", "texts", *NAMES.values(), "remark")
"""What stands above the table of all rows."""
SAYS = ("How varied the texts of each wave are, each number beside that of equally many texts of the first wave, "
        "the last two beside all waves before. 1 is most varied, 0 all alike.")  # fmt: skip
"""What stands above the table."""
_DONE = {"warn": "", "stop": ": no more rows were made", "reseed": ": the writer was told which phrases are worn out"}


class MeasureRow(Frozen):
    """One measure of the texts of a wave."""

    value: float = Setting(allow_inf_nan=False)
    reference: float | None = Setting(default=None, allow_inf_nan=False)
    """What as many texts of the first wave have."""
    chance: float | None = Setting(default=None, allow_inf_nan=False)
    """How far below that a wave may be by chance, in one of 20,000 cases."""
    fallen: bool = False
    """Whether it is below the bound, and by more than chance."""

    def __str__(self) -> str:
        return said(self.value) if self.reference is None else f"{said(self.value)} of {said(self.reference)}"


class DiversityRow(Frozen):
    """How varied the texts of one column were in one wave, or in several small ones together."""

    column: str
    first: int
    """The wave, from 1; of several, the first."""
    last: int
    texts: int
    """Texts of these waves that stayed."""
    size: int = 0
    """Texts of each sample that was measured; 0: none was."""
    measures: dict[str, MeasureRow] = Setting(default_factory=dict)
    bound: float = 0.0
    """The least share of the reference."""
    then: Literal["", "warn", "stop", "reseed"] = ""
    """What was done about it; empty where nothing has fallen."""
    why: str = ""
    """Why nothing was measured, or what was compared; a clause."""

    @property
    def waves(self) -> str:
        """Which waves it is about: `3`, or `2 to 5`."""
        return f"{self.last}" if self.first == self.last else f"{self.first} to {self.last}"

    @property
    def fallen(self) -> tuple[str, ...]:
        """The measures that have fallen."""
        return tuple(m for m in NAMES if m in self.measures and self.measures[m].fallen)

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of a table."""
        numbers = tuple(str(self.measures[m]) if m in self.measures else "" for m in NAMES)
        return (self.column, self.waves, f"{self.texts:,}", *numbers, self.remark)

    @property
    def remark(self) -> str:
        """What came of it."""
        if not self.fallen:
            return self.why
        worn = ", ".join(NAMES[m] for m in self.fallen)
        return f"less varied: {worn}{_DONE[self.then]}" + (f"; {self.why}" if self.why else "")

    @property
    def warning(self) -> str:
        """What the reader must know; empty where nothing has fallen."""
        if not self.fallen:
            return ""
        worst = min(self.fallen, key=lambda m: self.measures[m].value / max(self.measures[m].reference or 1.0, 1e-9))
        plural = "" if self.first == self.last else "s"
        least = f"where {self.bound:g} of that is the least"
        return (f"{spelled(self.column)} is less varied in wave{plural} {self.waves} than in the first: "
                f"{NAMES[worst]} {self.measures[worst]}, {least}{_DONE[self.then]}.")  # fmt: skip


def warned(rows: Sequence[DiversityRow]) -> list[str]:
    """Return a sentence for every row whose texts have become less varied."""
    return [row.warning for row in rows if row.fallen]
