"""Several templates of a row, written together when the row is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from synthwright.core import chat
from synthwright.kit.prompting.prompt_desk import BLOCK
from synthwright.kit.prompting.prompt_words import Unwritten
from synthwright.kit.prompting.prompts import Prompt
from synthwright.kit.ruled import Ask


@dataclass
class Stage:
    """The written templates of some rows: a block is written when its first row is asked for, and then forgotten."""

    templates: Mapping[str, Prompt]
    """By name."""
    ask: Ask
    rows: np.ndarray
    """The positions of the rows that are asked for."""
    _blocks: dict[int, dict[str, list[str | Unwritten]]] = field(default_factory=dict, repr=False)
    _taken: dict[int, int] = field(default_factory=dict, repr=False)

    def told(self, i: int) -> dict[str, str] | Unwritten:
        """Return the texts of the row at a place of `rows`, by name, or why there are none; once for each."""
        block, at = divmod(i, BLOCK)
        rows = self.rows[block * BLOCK : (block + 1) * BLOCK]
        if block not in self._blocks:
            self._blocks[block] = {name: prompt.render(self.ask, rows) for name, prompt in self.templates.items()}
            self._taken[block] = 0
        found: dict[str, str] = {}
        held = self._blocks[block]
        self._taken[block] += 1
        if self._taken[block] == len(rows):
            del self._blocks[block], self._taken[block]
        for name, texts in held.items():
            text = texts[at]
            if isinstance(text, Unwritten):
                return text
            found[name] = text
        return found

    def key(self, i: int) -> chat.Key:
        """Return who asks: seed, place in the specification, row."""
        return (self.ask.ctx.seed, *self.ask.ctx.place, int(self.ask.numbers[self.rows[i]]))
