"""The curator that drops what language models write in place of what was asked."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.dataset import Dataset
from synthwright.core.values import Column
from synthwright.kit.texts.text_boilerplate import GROUPS, found, literally, tidy
from synthwright.kit.texts.text_rulings import ByText, Ruling

REFUSAL, BOILERPLATE = "refusal", "boilerplate"
Group = Literal["refusal", "assistant", "opening", "placeholder", "filler", "prompt"]


class Boilerplate(ByText):
    """Drops rows with a text in which a language model refuses, introduces itself, or leaves something to be filled in.

    Refusals ("I'm sorry, but I can't help with …"), told by their structure: somebody says of themselves that they
    cannot, may not or will not help, write or answer what was asked, calls it against their guidelines, asks for
    another subject, or for what is missing. Sentences about itself ("As an AI language model, …"), openings and
    closings of an assistant ("Sure! Here is a review:"), placeholders (`[NAME]`, `{{ name }}`), filler ("lorem ipsum")
    and traces of prompts (`<|im_end|>`, "You are a helpful assistant"). English and, for the first three, German,
    French, Spanish, Italian, Portuguese, Dutch, Chinese and Japanese. Lectures that refuse without saying so ("It is
    important to remember that …") are not found.
    Scores are 1 where something was found, else 0.
    """

    name: ClassVar[str] = "boilerplate"
    version: ClassVar[int] = 2
    reasons: ClassVar[dict[str, str]] = {
        REFUSAL: "A text of the row is a language model's refusal to write it.",
        BOILERPLATE: "A text of the row holds a language model's boilerplate, a placeholder, or part of a prompt.",
    }

    also: tuple[str, ...] = Setting(default=(), examples=[["as requested"]])
    """Texts that are boilerplate, too, literally, whatever their capitals: no patterns."""
    without: tuple[Group, ...] = Setting(default=(), examples=[["placeholder"]])
    """What is not looked for."""

    @field_validator("also")
    @classmethod
    def _say_something(cls, also: tuple[str, ...]) -> tuple[str, ...]:
        if any(not tidy(pa.array([text]))[0].as_py() for text in also):
            raise ValueError("an empty text stands in every text")
        return also

    def rule(self, texts: Column, data: Dataset, table: str) -> Ruling:
        said = tidy(texts)
        groups = [g for g in GROUPS if g not in self.without]
        other = found(said, [g for g in groups if g != "refusal"]) | literally(said, self.also)
        refused = found(said, [g for g in groups if g == "refusal"])
        code = np.where(refused, 1, np.where(other, 2, 0))
        return Ruling(code, (code > 0).astype(np.float64))
