"""The curator that drops texts which are in another language than they should be."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.core.values import Column
from synthwright.kit.texts.text_rulings import ByText, Ruling, column_faults, place

WRONG = "wrong-language"
READ = 500
"""Characters of a text that are read, from its middle, which says more than how it begins."""
NO_LANGUAGE = "zxx"
_SAME = {"nb": "no", "nn": "no", "iw": "he", "in": "id", "ji": "yi", "sh": "sr", "fil": "tl", "cmn": "zh"}
"""Other codes of a language."""
_KIN = (
    {"no", "nn", "da"}, {"sr", "hr", "bs"}, {"id", "ms"}, {"zh", "wuu", "yue"}, {"ar", "arz", "ary"}, {"en", "pcm"},
    {"cs", "sk"}, {"gl", "pt"}, {"fa", "tg"}, {"bg", "mk"}, {"nl", "af"}, {"de", "lb"}, {"fr", "gcf", "gcr", "wa"},
    {"it", "vec", "lij"}, {"es", "ext", "an", "gl"}, {"ku", "sdh"}, {"uz", "uzs"}, {"he", "hbo"}, {"el", "grc"},
)  # fmt: skip
"""Languages that are so alike that one is not told from another."""


class Language(ByText):
    """Drops rows with a text in another language than is stated, for all rows or by a column of each row.

    The language is recognised without network, by the library py3langid, among 139. A text goes where another language
    is as likely as `sure` says: short texts, and those that are no language (numbers, codes), are given the benefit of
    the doubt. Languages that are hardly told from each other (Danish and Norwegian, Croatian and Serbian, Czech and
    Slovak, …) count as the same. Scores are the likelihood of the other language.
    """

    name: ClassVar[str] = "language"
    reasons: ClassVar[dict[str, str]] = {WRONG: "A text of the row is in another language than it should be."}

    language: str = Setting(default="", examples=["en", "de"])
    """The language of all texts, as a code of ISO 639-1."""
    by: str = Setting(default="", examples=["review.language"])
    """The column that names the language of each row's texts, `table.column`: codes such as `de` or `de-AT`. Rows that
    name none, or one that is not known, stay."""
    sure: float = Setting(default=0.8, ge=0.1, le=1.0)
    """How likely another language must be."""

    @field_validator("language")
    @classmethod
    def _can_be_told(cls, language: str) -> str:
        if language and code_of(language) not in known():
            raise ValueError(f"{language!r} is no code of a language that can be told, such as 'en'")
        return language

    def faults(self, schema: Schema) -> list[str]:
        found = [*super().faults(schema), *(column_faults("by", self.by, schema) if self.by else ())]
        return [*found, "by: say 'language' or 'by', not both"] if self.language and self.by else found

    def idle(self) -> bool:
        return not (self.language or self.by)

    def rule(self, texts: Column, data: Dataset, table: str) -> Ruling:
        wanted = self._wanted(data, table, len(texts))
        score = np.zeros(len(texts))
        told: dict[str, tuple[str, float]] = {}
        for i, (text, code) in enumerate(zip(texts.to_pylist(), wanted, strict=True)):
            if not text or code not in known():
                continue
            if text not in told:
                told[text] = recognised(text)
            found, sure = told[text]
            score[i] = 0.0 if found == NO_LANGUAGE or alike(found, code) else sure
        return Ruling((score >= self.sure).astype(np.int8), score)

    def _wanted(self, data: Dataset, table: str, rows: int) -> list[str]:
        """Return the language that each row states; an empty text where it states none."""
        if self.language:
            return [code_of(self.language)] * rows
        there, name = place(self.by, data.schema)
        if there != table or name not in data.columns(table):
            return [""] * rows
        return [code_of(str(v)) if v is not None else "" for v in data.tables[table].column(name).to_pylist()]


def code_of(said: str) -> str:
    """Return the code of a language without its region, in small letters: `de` for `de-AT`."""
    code = said.strip().lower().replace("_", "-").split("-")[0]
    return _SAME.get(code, code)


def alike(one: str, other: str) -> bool:
    """Return whether two languages are the same, or hardly told from each other."""
    return code_of(one) == code_of(other) or any(one in kin and other in kin for kin in _KIN)


def recognised(text: str) -> tuple[str, float]:
    """Return the language of a text, and how likely that is."""
    begin = max(0, (len(text) - READ) // 2)
    code, sure = _recogniser().classify(text[begin : begin + READ])
    return code_of(code), sure


@lru_cache(maxsize=1)
def known() -> frozenset[str]:
    """Return the codes that can be told."""
    return frozenset(code_of(c) for c in _recogniser().labels) - {NO_LANGUAGE}


@lru_cache(maxsize=1)
def _recogniser() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # late: its tables take half a second to read

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
