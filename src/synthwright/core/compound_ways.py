"""The ways in which texts are written: the words are the same, what stands between them differs."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.schema import Kind

WAYS = 24
"""Ways in which texts are written, at most."""
AGREE = 0.95
"""The share of rows that must be written in one of them."""
MINUS = "\x01"
"""What stands for a minus that belongs to a number."""
_MARK = "\x00"


class Numbered(NamedTuple):
    """The numbers in one place of texts that are written in one way."""

    kind: Kind
    form: str
    """How they are spelled."""
    values: np.ndarray
    """As floats, one for each text; dates as days, times of day and instants as microseconds."""


class Way(NamedTuple):
    """One way in which texts are written."""

    words: tuple[str, ...]
    """What stands before, between and behind the numbers: one more than there are numbers."""
    numbers: tuple[Numbered, ...]
    rows: np.ndarray
    """Which texts are written so, as booleans."""


class Written(NamedTuple):
    """One way, with its numbers as texts."""

    words: tuple[str, ...]
    runs: list[pa.Array]
    rows: np.ndarray


def written(texts: pa.Array, weights: np.ndarray, protect: int, pattern: str) -> list[Written] | None:
    """Return the ways in which most texts are written, the commonest first; None where they are many.

    Args:
        texts: texts, none of them null.
        weights: how many rows hold each.
        protect: how many rows must share a way, with its words.
        pattern: what stands between the words, as a regular expression.
    """
    coded = pc.replace_substring_regex(texts, pattern, _MARK).dictionary_encode()
    of = coded.indices.to_numpy(zero_copy_only=False)
    shared = np.bincount(of, weights)
    order = np.argsort(-shared, kind="stable")[:WAYS]
    order = order[shared[order] >= max(protect, 1)]
    if not len(order) or shared[order].sum() < AGREE * shared.sum():
        return None
    out = []
    for which in order.tolist():
        words, rows = tuple(coded.dictionary[which].as_py().split(_MARK)), of == which
        mine = texts.filter(pa.array(rows))
        if len(words) == 1:
            out.append(Written(words, [], rows))
            continue
        said = "".join(f"{re.escape(w)}(?P<n{i}>{pattern})" for i, w in enumerate(words[:-1])) + re.escape(words[-1])
        found = pc.extract_regex(mine, f"^{said}$")
        if found.null_count:
            return None
        runs = [pc.replace_substring(pc.struct_field(found, i), MINUS, "-") for i in range(len(words) - 1)]
        out.append(Written(words, runs, rows))
    return out
