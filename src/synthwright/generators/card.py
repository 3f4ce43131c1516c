"""Payment cards that pay nothing: numbers with the right check digit, from ranges that are used for tests."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind
from synthwright.kit.entities.dictionaries import Lexicon
from synthwright.kit.entities.digits import digits_of, gathered, luhn, put, random_digits, written
from synthwright.kit.entities.locales import known_weights
from synthwright.kit.entities.roles import DAYS, NAMED, WORDS, Role, Roled
from synthwright.kit.ruled import Ask, Column
from synthwright.kit.sampling.dice import permuted, secret


class Scheme(NamedTuple):
    """How the cards of a scheme look."""

    label: str
    begin: str
    """The six digits that test numbers of the scheme begin with."""
    template: str
    grouped: str
    code: int
    """Digits of the security code."""


_FOURS, _AMEX = "#### #### #### ####", "#### ###### #####"
SCHEMES: dict[str, Scheme] = {
    "visa": Scheme("Visa", "400000", "#" * 16, _FOURS, 3),
    "mastercard": Scheme("Mastercard", "555555", "#" * 16, _FOURS, 3),
    "amex": Scheme("American Express", "378282", "#" * 15, _AMEX, 4),
    "discover": Scheme("Discover", "601111", "#" * 16, _FOURS, 3),
    "diners": Scheme("Diners Club", "305693", "#" * 14, "#### ###### ####", 3),
    "jcb": Scheme("JCB", "353011", "#" * 16, _FOURS, 3),
    "unionpay": Scheme("UnionPay", "620000", "#" * 16, _FOURS, 3),
}
"""The schemes, each with the first six digits of a number that it or processors of payments publish for tests."""
SchemeName = Literal["visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay"]


class Card(Roled):
    """Makes payment cards for tests: number, scheme, expiry and security code that go together.

    Numbers have the scheme's length and the right check digit (Luhn, ISO/IEC 7812-1), so that forms and parsers take
    them. They begin with the six digits of numbers that are published for tests: 4000 00 (Visa), 5555 55 (Mastercard),
    3782 82 (American Express), 6011 11 (Discover, outside the ranges that it issues), 3056 93 (Diners Club), 3530 11
    (JCB), 6200 00 (UnionPay). The first six digits name the bank that issued a card, and these name none: with the
    other digits drawn at random, no number can be that of somebody's card. The last four digits, the security code
    and the expiry are random.

    Roles: `number`, `scheme`, `expiry` (in text `MM/YY`), `cvv`, `masked`, `last_four`.

    ```yaml
    - make: [card.number, card.scheme, card.expiry, card.cvv]
      use: card
      with: {schemes: {visa: 6, mastercard: 3, amex: 1}, grouped: true}
    ```
    """

    name: ClassVar[str] = "card"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(NAMED | DAYS), given="declared", learns=False)
    about: ClassVar[str] = "credit|debit|payment|card|cc|customer|bank"
    receives: ClassVar[tuple[str, ...]] = ("scheme",)
    digits: ClassVar[frozenset[str]] = frozenset({"number"})
    roles: ClassVar[Mapping[str, Role]] = {
        "number": Role(NAMED, "(?:card )?(?:number|no|nr|num)|pan|card|credit card|ccnum", distinct=True),
        "scheme": Role(WORDS, "scheme|brand|network|type|issuer|provider"),
        "expiry": Role(DAYS, "exp(?:iry|iration|ires)?(?: date)?|valid (?:until|thru|to)"),
        "cvv": Role(WORDS, "cvv ?2?|cvc ?2?|cid|security code"),
        "masked": Role(WORDS, "masked(?: (?:number|pan))?"),
        "last_four": Role(WORDS, "last ?(?:four|4)(?: digits)?"),
    }  # fmt: skip

    schemes: dict[SchemeName, float] = Setting(default={"visa": 0.55, "mastercard": 0.35, "amex": 0.1},
                                               examples=[{"jcb": 1}])  # fmt: skip
    """The schemes with weights: `visa`, `mastercard`, `amex`, `discover`, `diners`, `jcb`, `unionpay`."""
    grouped: bool = False
    """Whether digits stand in groups: `4000 0012 3456 7899`."""
    on: dt.date = Setting(default=dt.date(2025, 1, 1), examples=["2020-02-29"])
    """The day from which on cards are valid for another month to five years."""

    @field_validator("schemes")
    @classmethod
    def _weights(cls, said: dict[SchemeName, float]) -> dict[SchemeName, float]:
        known_weights({str(s): w for s, w in said.items()}, SCHEMES, "scheme")
        return said

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        days = "expiry" in wanted and wanted["expiry"].kind in (Kind.DATE, Kind.DATETIME)
        cards = _Cards(self, ask, distinct="number" in distinct, days=days)
        return {role: getattr(cards, role) for role in wanted}


class _Cards:
    """The cards of some rows: each property is a role, made when it is asked for, from a stream of its own."""

    def __init__(self, recipe: Card, ask: Ask, *, distinct: bool, days: bool) -> None:
        self.recipe, self.ask, self.rows, self.distinct, self.days = recipe, ask, ask.rows, distinct, days
        self.names = list(SCHEMES)
        self.given = recipe.given(ask)

    def rng(self, place: str) -> np.random.Generator:
        return self.ask.ctx.at(place).rng

    @cached_property
    def which(self) -> np.ndarray:
        """The place of each row's scheme among all."""
        weights = {n: self.recipe.schemes.get(n, 0.0) for n in self.names}  # type: ignore[call-overload]
        drawn = Lexicon.of(weights).draw(self.rng("scheme"), self.rows)
        if "scheme" not in self.given:
            return drawn
        coded = self.given["scheme"].combine_chunks().dictionary_encode()
        known = {w.casefold(): i for i, n in enumerate(self.names) for w in (n, SCHEMES[n].label)}
        said = [known.get(str(v).strip().casefold(), -1) for v in coded.dictionary.to_pylist()] or [0]
        if min(said) < 0:
            raise SampleError("card", "the column of schemes", wanted=f"one of {', '.join(self.names)}", got="others")
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.where(codes < 0, drawn, np.array(said)[codes]).astype(np.int32)

    @cached_property
    def scheme(self) -> pa.Array:
        return pa.array([SCHEMES[n].label for n in self.names], pa.large_string()).take(pa.array(self.which))

    @cached_property
    def parts(self) -> list[tuple[Scheme, np.ndarray, np.ndarray]]:
        """For each scheme its rows and their digits."""
        found = []
        free = random_digits(self.rng("number"), self.rows, 9)
        for i, name in enumerate(self.names):
            at = np.flatnonzero(self.which == i)
            scheme = SCHEMES[name]
            width = len(scheme.template)
            digits = np.empty((len(at), width), dtype=np.uint8)
            put(digits, 0, scheme.begin)
            digits[:, 6:-1] = self._told(name, at, width - 7) if self.distinct else free[at, : width - 7]
            digits[:, -1] = luhn(digits[:, :-1])
            found.append((scheme, at, digits))
        return [f for f in found if len(f[1])]

    def _told(self, name: str, at: np.ndarray, width: int) -> np.ndarray:
        """Return digits that differ in all rows of a scheme in the run."""
        if self.ask.numbers.max(initial=0) >= 10**width:
            wanted = f"at most {10**width:,} rows, so that each has another {SCHEMES[name].label} number"
            raise SampleError("card", "column of numbers", wanted=wanted, got="more")
        key = secret("card", self.ask.ctx.seed, self.ask.table, name)
        return digits_of(permuted(self.ask.numbers[at], 10**width, key), width)

    def _gathered(self, parts: list[tuple[np.ndarray, pa.Array]]) -> pa.Array:
        return gathered(self.rows, parts) if parts else pa.array([], pa.large_string())

    @cached_property
    def number(self) -> pa.Array:
        grouped = self.recipe.grouped
        return self._gathered([(at, written(s.grouped if grouped else s.template, d)) for s, at, d in self.parts])

    @cached_property
    def masked(self) -> pa.Array:
        return self._gathered(
            [(at, written("*" * (len(s.template) - 4) + "####", d[:, -4:])) for s, at, d in self.parts]
        )

    @cached_property
    def last_four(self) -> pa.Array:
        return self._gathered([(at, written("####", d[:, -4:])) for _, at, d in self.parts])

    @cached_property
    def cvv(self) -> pa.Array:
        digits = random_digits(self.rng("cvv"), self.rows, 4)
        long = np.array([SCHEMES[n].code == 4 for n in self.names])[self.which]
        if not long.any():
            return written("###", digits[:, :3])
        pieces = [
            (np.flatnonzero(~long), written("###", digits[~long, :3])),
            (np.flatnonzero(long), written("####", digits[long])),
        ]
        return gathered(self.rows, pieces)

    @cached_property
    def expiry(self) -> Column:
        months = self.rng("expiry").integers(1, 61, self.rows, dtype=np.uint8)
        ends = [self.recipe.on.month - 1 + m for m in range(61)]
        year = self.recipe.on.year
        last = [(year + m // 12, m % 12 + 1) for m in ends]
        days = [dt.date(y, m, calendar.monthrange(y, m)[1]) for y, m in last]
        if self.days:
            return pa.array(days, pa.date32()).take(pa.array(months))
        return pa.array([f"{d:%m/%y}" for d in days], pa.large_string()).take(pa.array(months))
