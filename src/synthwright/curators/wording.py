"""The curator that drops texts whose wording insults, threatens, or says that a group of people is worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa

from synthwright.core.dataset import Dataset
from synthwright.core.values import Column
from synthwright.kit.texts.text_rulings import ByText, Ruling
from synthwright.kit.texts.wording import BIASED, HARMFUL, kind_of, mentioned, suspected

_CODES = {"": 0, HARMFUL: 1, BIASED: 2}


class Wording(ByText):
    """Drops rows with texts that insult or threaten somebody, or call a group of people worse than others.

    English only, by short lists: insults of those spoken to, slurs, threats, and general statements about women, men,
    ages, origins, religions, orientations, disabled, poor or heavy people (`women are bad at …`). It sees no irony,
    no allusion, no rarer words, and drops texts that quote such wording to object to it. For more let a language model
    judge. The score is 1 where wording was found.
    """

    name: ClassVar[str] = "wording"
    reasons: ClassVar[dict[str, str]] = {
        "harmful-wording": "A text of the row insults or threatens somebody.",
        "biased-wording": "A text of the row says of a group of people that it is worse than others.",
    }

    harmful: bool = True
    """Whether insults, slurs and threats go."""
    biased: bool = True
    """Whether general statements about groups of people go."""

    def idle(self) -> bool:
        return not (self.harmful or self.biased)

    def about(self, data: Dataset, table: str, reason: str) -> Sequence[str]:
        """Return which groups of people each row mentions."""
        held = [mentioned(text) for text in self.spoken(data, table)]
        return [f"{reason}, of {', '.join(one)}" if one else reason for one in held]

    def rule(self, texts: Column, data: Dataset, table: str) -> Ruling:
        """Read each text that may have such wording."""
        code = np.zeros(len(texts), dtype=np.int8)
        at = np.flatnonzero(suspected(texts))
        for i, text in zip(at, texts.take(pa.array(at)).to_pylist(), strict=True):
            code[i] = _CODES[kind_of(text, harmful=self.harmful, biased=self.biased)]
        return Ruling(code, (code > 0).astype(np.float64))
