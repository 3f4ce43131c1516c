"""Bank accounts of banks that do not exist: IBANs with the right check digits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field
from synthwright.kit.entities.accounts import SCHEMES, filled
from synthwright.kit.entities.digits import characters, digits_of, gathered, mod_97, random_digits, texts
from synthwright.kit.entities.locales import COUNTRIES, country_named, known_weights, which
from synthwright.kit.entities.roles import NAMED, WORDS, Role, Roled, Whence
from synthwright.kit.ruled import Ask, Column
from synthwright.kit.sampling.dice import permuted, secret

_TOLD = 9
"""Digits that tell accounts apart where the column is unique, as far as a country has so many."""
AccountCountries = Annotated[
    str | dict[str, float], AfterValidator(lambda said: known_weights(said, SCHEMES, "country with accounts"))
]


class Iban(Roled):
    """Makes bank accounts: IBANs with the right check digits, of banks that do not exist.

    The check digits of ISO 13616 are right, and those that a country has inside the number (Belgium, Croatia, Czechia,
    Estonia, Finland, France, Hungary, Italy, Norway, Poland, Portugal, Slovakia, Slovenia, Spain) too. The part that
    names the bank is one that names none: `TEST` where banks have letters, else numbers that no bank of the country
    has, such as German ones that begin with 9, or 99999. So no number can be that of somebody's account.

    Roles: `iban`, `bban` (what stands behind country and check digits), `bic`, `country_code`, `country`.

    ```yaml
    - make: [account.iban, account.bic]
      use: iban
      with: {country: {DE: 4, NL: 1}}
    ```
    """

    name: ClassVar[str] = "iban"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(NAMED), given="declared", learns=False)
    about: ClassVar[str] = "bank|account|customer|client|payer|payee|debtor|creditor|sender|receiver"
    receives: ClassVar[tuple[str, ...]] = ("country_code", "country")
    roles: ClassVar[Mapping[str, Role]] = {
        "iban": Role(NAMED, "iban(?: (?:number|no|nr))?|account|account (?:number|no)|bank account", distinct=True),
        "bban": Role(NAMED, "bban|domestic account|local account", distinct=True),
        "bic": Role(WORDS, "bic|swift(?: ?code)?"),
        "country_code": Role(WORDS, "country(?: code| iso)?"),
        "country": Role(WORDS, "country name"),
    }  # fmt: skip

    country: AccountCountries = Setting(default="DE", examples=[{"DE": 4, "NL": 1}])
    """The country in two letters, or several with weights: `{DE: 4, NL: 1}`."""
    country_from: str | None = None
    """The column, or path, that says each row's country (`DE`, `DEU`, `Germany`, or a locale such as `de_DE`)."""
    grouped: bool = False
    """Whether the number stands in groups of four, as on paper."""

    def paths(self) -> tuple[str, ...]:
        return (*super().paths(), *([self.country_from] if self.country_from else []))

    def whence(self, produce: tuple[str, ...]) -> Whence | None:
        named = Whence(self.country_from, _with_accounts, ("country_from",)) if self.country_from else None
        found = named or self.given_as(("country_code", "country"), _with_accounts, produce)
        return found and found._replace(wanted="countries with IBANs, such as DE or Germany")

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        whence = self.whence(ask.produce)
        there = which(ask, self.country, None if whence is None else whence.path, _with_accounts)
        made: dict[str, Column] = {"country_code": there.array(ask.rows)}
        if "bic" in wanted:
            made["bic"] = there.array(ask.rows, lambda code: f"TEST{code}X0")
        if {"iban", "bban"} & set(wanted):
            made |= self._accounts(ask, there.names, there.codes, distinct=bool(distinct))
        made["country"] = there.array(ask.rows, lambda code: COUNTRIES[code][1])
        return {role: made[role] for role in wanted}

    def _accounts(
        self, ask: Ask, names: tuple[str, ...], codes: np.ndarray | None, *, distinct: bool
    ) -> dict[str, pa.Array]:
        ibans: list[tuple[np.ndarray, pa.Array]] = []
        bbans: list[tuple[np.ndarray, pa.Array]] = []
        free = random_digits(ask.ctx.at("iban").rng, ask.rows, 24)
        for i, country in enumerate(names):
            at = np.arange(ask.rows) if codes is None else np.flatnonzero(codes == i)
            if distinct:
                free[at, :_TOLD] = self._told(ask, country, at)
            inside = filled(SCHEMES[country], free[at])
            head = np.tile(np.array([int(c, 36) for c in country] + [0, 0], dtype=np.uint8), (len(at), 1))
            check = 98 - mod_97(np.concatenate([inside, head], axis=1))
            head[:, 2], head[:, 3] = check // 10, check % 10
            whole = characters(np.concatenate([head, inside], axis=1))
            ibans.append((at, texts(_in_fours(whole) if self.grouped else whole)))
            bbans.append((at, texts(characters(inside))))
        return {"iban": gathered(ask.rows, ibans), "bban": gathered(ask.rows, bbans)}

    def _told(self, ask: Ask, country: str, at: np.ndarray) -> np.ndarray:
        """Return digits that differ in all rows of a country in the run."""
        width = min(SCHEMES[country].free, _TOLD)
        if ask.numbers.max(initial=0) >= 10**width:
            raise SampleError(self.name, "column of accounts", wanted=f"at most {10**width:,} rows, so that each has "
                              f"another account in {country}", got="more")  # fmt: skip
        told = permuted(ask.numbers[at], 10**width, secret("iban", ask.ctx.seed, ask.table, country))
        return digits_of(told * 10 ** (_TOLD - width), _TOLD)


def _with_accounts(said: str) -> str | None:
    country = country_named(said)
    return country if country in SCHEMES else None


def _in_fours(chars: np.ndarray) -> np.ndarray:
    """Return characters with a blank after every four."""
    width = chars.shape[1]
    places = [i + i // 4 for i in range(width)]
    out = np.full((len(chars), places[-1] + 1), ord(" "), dtype=np.uint8)
    out[:, places] = chars
    return out
