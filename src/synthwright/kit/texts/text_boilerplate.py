"""What language models write in place of what was asked, as patterns.

`text_boilerplate.csv` holds what is always worded alike. `text_frames.csv` holds sentences by their structure: somebody
says of themselves (`I`) that they cannot, may not or will not (`<cannot>`) help, write or answer (`<do>`) something
that is named by what was asked (`<strong>`: this request, such content). What a frame has in angle brackets is one of
the words of that slot, in its language; customers who cannot log in, pay or open something say none of these.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.values import Column

FEW = 64
"""Up to how many texts are looked through one by one: patterns are compiled once for them, and not for every column."""
GROUPS = ("refusal", "assistant", "opening", "placeholder", "filler", "prompt")
"""Kinds of patterns."""
_SLOT = re.compile(r"<([a-z]+)>")
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
    fixed = _rows("text_boilerplate.csv")
    held = (Pattern(r["group"], r["language"], r["case"] == "yes", r["pattern"]) for r in fixed)
    return (*held, *_framed(_rows("text_frames.csv")))


def _rows(name: str) -> list[dict[str, str]]:
    with files("synthwright.kit.texts").joinpath(name).open(encoding="utf-8") as held:
        return list(csv.DictReader(held))


def _framed(rows: list[dict[str, str]]) -> list[Pattern]:
    """Return the frames with their slots filled; a slot may use those above it."""
    slots: dict[tuple[str, str], str] = {}
    found = []
    for row in rows:
        language = row["language"]
        said = _SLOT.sub(lambda slot: slots[language, slot[1]], row["pattern"])  # noqa: B023  # called at once
        if row["slot"]:
            slots[language, row["slot"]] = said
        else:
            found.append(Pattern(row["group"], language, case=False, pattern=said))
    return found


def tidy(texts: Column) -> Column:
    """Return texts with single blanks, straight apostrophes and no marks of Markdown or quotes before them."""
    held = pc.utf8_normalize(pc.fill_null(texts.cast(pa.large_string()), ""), "NFKC")
    held = pc.replace_substring_regex(held, "[’‘`´]", "'")
    held = pc.replace_substring_regex(held, r"[\s\x{a0}]+", " ")
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(held), rf"^[{_MARKS}\s-]+", "")


def _chosen(groups: Sequence[str], *, case: bool) -> list[str]:
    return [p.pattern for p in patterns() if p.group in groups and p.case is case]


@cache
def _compiled(groups: tuple[str, ...], *, case: bool) -> tuple[Any, ...]:
    import re2  # what Arrow uses; but Arrow compiles a pattern again for every column, however short

    return tuple(re2.compile(pattern) for pattern in _chosen(groups, case=case))


def found(texts: Column, groups: Sequence[str]) -> np.ndarray:
    """Return booleans: in which texts, tidied, something of some groups stands."""
    out = np.zeros(len(texts), dtype=bool)
    for case, held in ((False, pc.utf8_lower(texts)), (True, texts)):
        if len(texts) <= FEW:
            ready = _compiled(tuple(groups), case=case)
            out |= [any(r.search(text) for r in ready) for text in held.to_pylist()]
            continue
        for pattern in _chosen(groups, case=case):
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
