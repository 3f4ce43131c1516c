"""Locales and countries: which there are, what they are called, and which of them each row belongs to."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Annotated, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator

from synthwright.core.errors import SampleError
from synthwright.kit.ruled import Ask

_LOCALES = (
    "ar_SA bg_BG cs_CZ da_DK de_AT de_CH de_DE el_GR en_AU en_CA en_GB en_IE en_IN en_KE en_NZ en_US en_ZA es_AR "
    "es_CL es_CO es_ES es_MX et_EE fi_FI fr_BE fr_CA fr_CH fr_FR he_IL hi_IN hr_HR hu_HU hy_AM id_ID is_IS it_IT "
    "ja_JP ka_GE ko_KR lt_LT lv_LV nl_BE nl_NL no_NO pl_PL pt_BR pt_PT ro_RO ru_RU sk_SK sl_SI sv_SE th_TH tr_TR "
    "uk_UA vi_VN zh_CN zh_TW"
)
LOCALES: tuple[str, ...] = tuple(_LOCALES.split())
"""The locales that people, addresses and companies are made for: language and country."""
COUNTRIES: dict[str, tuple[str, str]] = {
    "AM": ("ARM", "Armenia"), "AR": ("ARG", "Argentina"), "AT": ("AUT", "Austria"), "AU": ("AUS", "Australia"),
    "BE": ("BEL", "Belgium"), "BG": ("BGR", "Bulgaria"), "BR": ("BRA", "Brazil"), "CA": ("CAN", "Canada"),
    "CH": ("CHE", "Switzerland"), "CL": ("CHL", "Chile"), "CN": ("CHN", "China"), "CO": ("COL", "Colombia"),
    "CZ": ("CZE", "Czechia"), "DE": ("DEU", "Germany"), "DK": ("DNK", "Denmark"), "EE": ("EST", "Estonia"),
    "ES": ("ESP", "Spain"), "FI": ("FIN", "Finland"), "FR": ("FRA", "France"), "GB": ("GBR", "United Kingdom"),
    "GE": ("GEO", "Georgia"), "GR": ("GRC", "Greece"), "HR": ("HRV", "Croatia"), "HU": ("HUN", "Hungary"),
    "ID": ("IDN", "Indonesia"), "IE": ("IRL", "Ireland"), "IL": ("ISR", "Israel"), "IN": ("IND", "India"),
    "IS": ("ISL", "Iceland"), "IT": ("ITA", "Italy"), "JP": ("JPN", "Japan"), "KE": ("KEN", "Kenya"),
    "KR": ("KOR", "South Korea"), "LT": ("LTU", "Lithuania"), "LV": ("LVA", "Latvia"), "MX": ("MEX", "Mexico"),
    "NL": ("NLD", "Netherlands"), "NO": ("NOR", "Norway"), "NZ": ("NZL", "New Zealand"), "PL": ("POL", "Poland"),
    "PT": ("PRT", "Portugal"), "RO": ("ROU", "Romania"), "RU": ("RUS", "Russia"), "SA": ("SAU", "Saudi Arabia"),
    "SE": ("SWE", "Sweden"), "SI": ("SVN", "Slovenia"), "SK": ("SVK", "Slovakia"), "TH": ("THA", "Thailand"),
    "TR": ("TUR", "Türkiye"), "TW": ("TWN", "Taiwan"), "UA": ("UKR", "Ukraine"), "US": ("USA", "United States"),
    "VN": ("VNM", "Vietnam"), "ZA": ("ZAF", "South Africa"),
}  # fmt: skip
"""Countries by their ISO 3166 code of two letters: the code of three letters, and the English name."""
_FIRST = {"CH": "de_CH", "BE": "nl_BE", "CA": "en_CA", "IN": "en_IN"}
"""Of countries with several languages, the locale that is meant where only the country is said."""


def country_of(locale: str) -> str:
    """Return the country of a locale, in two letters."""
    return locale[-2:]


def language_of(locale: str) -> str:
    """Return the language of a locale, in two letters."""
    return locale[:2]


@cache
def locale_of(said: str) -> str | None:
    """Return the locale that a value of a column means: `de_DE`, `de-DE`, `DE`, `DEU`, `Germany`; None if none."""
    plain = said.strip().replace("-", "_")
    found = {name.lower(): name for name in LOCALES}.get(plain.lower())
    code = country_named(said)
    if found is None and code is not None:
        found = _FIRST.get(code) or next((name for name in LOCALES if country_of(name) == code), None)
    return found


@cache
def country_named(said: str) -> str | None:
    """Return the country that a value of a column means, in two letters: `DE`, `DEU`, `Germany`, `de_DE`."""
    plain = said.strip()
    for code, (three, name) in COUNTRIES.items():
        if plain.lower() in (code.lower(), three.lower(), name.lower()):
            return code
    known = {name.lower(): country_of(name) for name in LOCALES}
    return known.get(plain.replace("-", "_").lower())


def weighted(said: str | Mapping[str, float]) -> dict[str, float]:
    """Return what a parameter names, with weights, in an order that follows from the names; one name has all of it."""
    return {said: 1.0} if isinstance(said, str) else dict(sorted(said.items()))


def known_weights(said: str | dict[str, float], known: Iterable[str], what: str) -> str | dict[str, float]:
    """Return what a parameter names, if all of it is known and its weights are shares.

    Raises:
        ValueError: with the nearest names.
    """
    names = list(known)
    weights = weighted(said)
    if not weights:
        raise ValueError(f"it names no {what}")
    for name, weight in weights.items():
        if name not in names:
            near = get_close_matches(name.lower(), [n.lower() for n in names], n=1)
            meant = next((n for n in names if near and n.lower() == near[0]), None)
            hint = f"did you mean {meant!r}?" if meant else f"there are {', '.join(names)}"
            raise ValueError(f"there is no {what} {name!r}: {hint}")
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"the weight of {name!r} is {weight}: weights are 0 or more")
    if not sum(weights.values()) > 0:
        raise ValueError("none of its weights is above zero")
    return said


_DOMAIN = re.compile(r"(?=.{1,200}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def domains(said: Iterable[str]) -> tuple[str, ...]:
    """Return domains, if they are written as such; a ValueError naming the first that is not."""
    found = tuple(said)
    for domain in found:
        if not _DOMAIN.fullmatch(domain):
            raise ValueError(f"{domain!r} is no domain: they look like mail.example.com")
    return found


Locales = Annotated[str | dict[str, float], AfterValidator(lambda said: known_weights(said, LOCALES, "locale"))]
"""A locale, or several with weights."""
Countries = Annotated[str | dict[str, float], AfterValidator(lambda said: known_weights(said, COUNTRIES, "country"))]
"""A country, or several with weights."""


class Which(NamedTuple):
    """Which of some names each row has."""

    names: tuple[str, ...]
    codes: np.ndarray | None
    """The place of the row's name among them; None where there is only one."""

    def array(self, rows: int, said: Callable[[str], str] = str) -> pa.Array:
        """Return what is said of each row's name."""
        words = pa.array([said(n) for n in self.names], pa.large_string())
        codes = np.zeros(rows, dtype=np.int32) if self.codes is None else self.codes
        return words.take(pa.array(codes))

    def each(self, values: np.ndarray) -> np.ndarray | np.generic:
        """Return the value of each row's name, given one for every name: one value where there is one name."""
        return values[0] if self.codes is None else values[self.codes]

    def mapped(self, to: Callable[[str], str]) -> Which:
        """Return which of other names each row has, given the other name of each."""
        others = tuple(dict.fromkeys(map(to, self.names)))
        if len(others) == 1 or self.codes is None:
            return Which(others, None)
        return Which(others, np.array([others.index(to(n)) for n in self.names], dtype=np.int32)[self.codes])


def which(ask: Ask, said: str | Mapping[str, float], path: str | None, means: Callable[[str], str | None]) -> Which:
    """Return which name each row has: what a column of it means, or one drawn by its weight.

    Args:
        ask: the rows.
        said: names with weights; for rows without a value too.
        path: the column; None: all rows are drawn.
        means: the name that a value means; None if it means none.

    Raises:
        SampleError: a value of the column means nothing that is known.
    """
    weights = {name: weight for name, weight in weighted(said).items() if weight > 0}
    if path is None:
        return Which(tuple(weights), _dealt(ask, weights) if len(weights) > 1 else None)
    column = ask.column(path).combine_chunks()
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    meant = [means(str(value)) for value in coded.dictionary.to_pylist()]
    if None in meant:
        raise SampleError(f"column {path!r}", f"{meant.count(None)} of its values", wanted="locales or countries that "
                          "are known (such as de_DE, DE or Germany)", got="others")  # fmt: skip
    names = tuple(dict.fromkeys([*weights, *(m for m in meant if m is not None)]))
    of = np.array([names.index(m) for m in meant if m is not None] or [0], dtype=np.int32)
    codes = of[coded.indices.fill_null(0).to_numpy(zero_copy_only=False)] if meant else np.zeros(ask.rows, np.int32)
    if column.null_count:
        drawn = _dealt(ask, weights)
        codes = np.where(column.is_null().to_numpy(zero_copy_only=False), drawn, codes)
    return Which(names, codes)


def _dealt(ask: Ask, weights: Mapping[str, float]) -> np.ndarray:
    ends = np.cumsum(list(weights.values()))
    at = ask.ctx.at("locale").rng.random(ask.rows) * ends[-1]
    found: np.ndarray = np.minimum(np.searchsorted(ends, at, "right"), len(ends) - 1).astype(np.int32)
    return found
