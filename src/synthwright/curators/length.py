"""The curator that drops texts which are too short or too long."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import model_validator

from synthwright.core.dataset import Dataset
from synthwright.core.values import Column
from synthwright.kit.texts.text_rulings import ByText, Ruling
from synthwright.kit.texts.text_words import words

SHORT, LONG = "too-short", "too-long"
_CLOSED = r"[.!?…]+[\"'”’»)\]]*(?:\s|$)|[。！？]+"
_OPEN = r"(?:[.!?…]+[\"'”’»)\]]*|[。！？]+[”’」』）]*)\s*$"


class Length(ByText):
    """Drops rows with a text that has too few or too many characters, words or sentences.

    Words are runs of letters and digits; in scripts that set no blanks every character is one. A sentence ends with a
    mark (`.`, `!`, `?`, `…`, `。`) that a blank follows, or with the text; so does the `Dr.` in `Dr. Lee`. Scores are
    the length that decided, where several are limited the first: characters, then words, then sentences.
    """

    name: ClassVar[str] = "length"
    reasons: ClassVar[dict[str, str]] = {
        SHORT: "A text of the row has fewer characters, words or sentences than it may.",
        LONG: "A text of the row has more characters, words or sentences than it may.",
    }

    least_characters: int | None = Setting(default=None, ge=0)
    """The fewest characters a text may have, blanks at its ends not counted."""
    most_characters: int | None = Setting(default=None, ge=1)
    """The most characters."""
    least_words: int | None = Setting(default=None, ge=0)
    """The fewest words."""
    most_words: int | None = Setting(default=None, ge=1)
    """The most words."""
    least_sentences: int | None = Setting(default=None, ge=0)
    """The fewest sentences."""
    most_sentences: int | None = Setting(default=None, ge=1)
    """The most sentences."""

    @model_validator(mode="after")
    def _some_are_between(self) -> Self:
        for what, (least, most) in self._limits().items():
            if least is not None and most is not None and least > most:
                raise ValueError(f"no text has at least {least} and at most {most} {what}")
        return self

    def _limits(self) -> dict[str, tuple[int | None, int | None]]:
        return {"characters": (self.least_characters, self.most_characters),
                "words": (self.least_words, self.most_words),
                "sentences": (self.least_sentences, self.most_sentences)}  # fmt: skip

    def idle(self) -> bool:
        return all(limits == (None, None) for limits in self._limits().values())

    def rule(self, texts: Column, data: Dataset, table: str) -> Ruling:
        code, score = np.zeros(len(texts), dtype=np.int8), np.full(len(texts), np.nan)
        for what, (least, most) in self._limits().items():
            if least is None and most is None:
                continue
            size = measured(texts, what)
            short = size < least if least is not None else np.zeros(len(texts), dtype=bool)
            long = size > most if most is not None else np.zeros(len(texts), dtype=bool)
            decides = (code == 0) & (short | long)
            score = np.where(decides | np.isnan(score), size, score)
            code = np.where(decides, np.where(short, 1, 2), code)
        return Ruling(code, score)


def measured(texts: Column, what: str) -> np.ndarray:
    """Return how many characters, words or sentences texts have; 0 for nulls."""
    said = pc.utf8_trim_whitespace(pc.fill_null(texts, ""))
    if what == "characters":
        return np.asarray(pc.utf8_length(said).to_numpy())
    if what == "words":
        return words(texts).counts
    closed = pc.count_substring_regex(said, _CLOSED).to_numpy()
    rest = pc.and_(pc.greater(pc.utf8_length(said), 0), pc.invert(pc.match_substring_regex(said, _OPEN))).to_numpy()
    return np.asarray(closed + rest)
