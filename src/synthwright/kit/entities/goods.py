"""Things that shops sell: categories with what is in them, what they cost, and invented brands."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

from synthwright.kit.entities.dictionaries import Lexicon


class Category(NamedTuple):
    """A category of things: its share, the median of its prices and how far they spread, and what it holds."""

    share: float
    median: float
    spread: float
    """The standard deviation of the logarithm of prices."""
    code: str
    kinds: str
    things: str


def _read() -> dict[str, Category]:
    text = files("synthwright.kit.entities").joinpath("goods.csv").read_text(encoding="utf-8")
    parts = [line.split(";") for line in text.splitlines() if not line.startswith("#")]
    return {n: Category(float(s), float(m), float(w), code, kinds, things) for n, s, m, w, code, kinds, things in parts}


CATEGORIES = _read()
"""Categories; shares are rough, of an ordinary general shop; prices in euros or dollars."""
_BEGINS = "Alv Bren Cor Del Eln Far Gal Hel Ilm Jor Kel Lum Mer Nor Orv Pel Qua Ros Sol Tal Ulm Ver Wes Yar Zen"
_MIDDLES = "a e i o u ai eo ia"
_ENDS = "dan lix mora nex ra ren ris sen son ta tex thea tis vara via x"
BRANDS = 24
"""How many brands sell in a category."""


class Goods(NamedTuple):
    """Categories, and what is in them as lexicons whose groups are the categories."""

    categories: Lexicon
    things: Lexicon
    brands: Lexicon


@cache
def goods(shares: tuple[tuple[str, float], ...]) -> Goods:
    """Return the things of some categories with these shares."""
    held = [CATEGORIES[name] for name, _ in shares]
    things = [[f"{kind} {thing}" for kind in c.kinds.split("|") for thing in c.things.split("|")] for c in held]
    invented = [b + m + e for e in _ENDS.split() for m in _MIDDLES.split() for b in _BEGINS.split()]
    order = {name: i for i, name in enumerate(CATEGORIES)}
    brands = [invented[order[name] * 7 :: 97][:BRANDS] for name, _ in shares]  # neighbours share some
    return Goods(Lexicon.of(dict(shares)), Lexicon.of(*things), Lexicon.of(*brands))
