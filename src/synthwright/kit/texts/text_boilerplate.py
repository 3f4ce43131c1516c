"""What language models write in place of what was asked, as patterns: see `text_boilerplate.csv`."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.values import Column

GROUPS = ("refusal", "assistant", "opening", "placeholder", "filler", "prompt")
"""Kinds of patterns."""
_MARKS = re.escape('*_#>"“”`')


class Pattern(NamedTuple):
    """One thing that models write."""

    group: str
    language: str
    """The language that it is in; empty: any."""
    case: bool
    """Whether capitals count."""
    pattern: str
    """A regular expression that takes time in proportion to the text (RE2), over texts as `tidy` returns them."""


@lru_cache(maxsize=1)
def patterns() -> tuple[Pattern, ...]:
    """Return all patterns."""
    with files("synthwright.kit.texts").joinpath("text_boilerplate.csv").open(encoding="utf-8") as held:
        return tuple(Pattern(r["group"], r["language"], r["case"] == "yes", r["pattern"]) for r in csv.DictReader(held))


def tidy(texts: Column) -> Column:
    """Return texts with single blanks, straight apostrophes and no marks of Markdown or quotes before them."""
    held = pc.utf8_normalize(pc.fill_null(texts.cast(pa.large_string()), ""), "NFKC")
    held = pc.replace_substring_regex(held, "[’‘`´]", "'")
    held = pc.replace_substring_regex(held, r"[\s\x{a0}]+", " ")
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(held), rf"^[{_MARKS}\s-]+", "")


def found(texts: Column, groups: Sequence[str]) -> np.ndarray:
    """Return booleans: in which texts, tidied, something of some groups stands."""
    out = np.zeros(len(texts), dtype=bool)
    small = pc.utf8_lower(texts)
    for case, held in ((False, small), (True, texts)):
        mine = [p.pattern for p in patterns() if p.group in groups and p.case is case]
        for pattern in mine:
            out |= pc.match_substring_regex(held, pattern).to_numpy(zero_copy_only=False) \
                if isinstance(held, pa.Array) else pc.match_substring_regex(held, pattern).to_numpy()  # fmt: skip
    return out


def literally(texts: Column, wanted: Sequence[str]) -> np.ndarray:
    """Return booleans: in which texts, tidied, one of some others stands, whatever its capitals and blanks."""
    out = np.zeros(len(texts), dtype=bool)
    small = pc.utf8_lower(texts)
    for one in pc.utf8_lower(tidy(pa.array(list(wanted), pa.large_string()))).to_pylist():
        out |= np.asarray(pc.match_substring(small, one).to_numpy(zero_copy_only=False) if isinstance(small, pa.Array)
                          else pc.match_substring(small, one).to_numpy())  # fmt: skip
    return out
