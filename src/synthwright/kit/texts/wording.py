"""Wording that harms: insults, threats, and general statements about groups of people, in English, told by lists.

The lists are short and plain (`wording.csv`). They see what is said openly in the commonest forms; they see no irony,
no allusion, no euphemism, and cannot tell whether a text approves of what it quotes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from importlib import resources
from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from synthwright.core.values import Column

HARMFUL, BIASED = "harmful", "biased"


class Patterns(NamedTuple):
    """What the lists say, as regular expressions."""

    harmful: re.Pattern[str]
    biased: re.Pattern[str]
    groups: dict[str, re.Pattern[str]]
    needed: str
    """What every text that they find holds."""


@cache
def patterns() -> Patterns:
    """Return the lists as regular expressions."""
    held: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in (
        resources.files("synthwright.kit.texts").joinpath("wording.csv").read_text(encoding="utf-8").splitlines()
    ):
        if not line.startswith("#"):
            kind, name, words = line.split(";", 2)
            held[kind].append((name, words))
    parts = {"group": "|".join(words for _, words in held["group"])}
    for name, words in held["list"]:
        parts[name] = _filled(words, parts)
    every = {kind: "|".join(_filled(words, parts) for _, words in held[kind]) for kind in (HARMFUL, BIASED, "needed")}
    groups = {name: _whole(words) for name, words in held["group"]}
    return Patterns(_whole(every[HARMFUL]), _whole(every[BIASED]), groups, rf"(?i)\b(?:{every['needed']})")


def _filled(words: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        words = words.replace("{" + name + "}", part)
    return words


def _whole(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)


def kind_of(text: str, *, harmful: bool = True, biased: bool = True) -> str:
    """Return what the wording of a text is: `harmful`, `biased`, or nothing; only what is asked for is looked for."""
    held = patterns()
    if harmful and held.harmful.search(text):
        return HARMFUL
    return BIASED if biased and held.biased.search(text) else ""


def suspected(texts: Column) -> np.ndarray:
    """Return booleans: which texts of a column hold a word without which nothing is found; quick."""
    return np.asarray(pc.fill_null(pc.match_substring_regex(texts, patterns().needed), False).to_numpy())


def mentioned(text: str) -> tuple[str, ...]:
    """Return the groups of people that a text mentions, whatever it says of them."""
    return tuple(group for group, pattern in patterns().groups.items() if pattern.search(text))
