"""Numbers by which states know people: valid in form, and nobody's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator
from pydantic import Field as Setting

from synthwright.core.contracts import Abilities, Place
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.entities.digits import gathered, texts
from synthwright.kit.entities.locales import country_named, known_weights, weighted, which
from synthwright.kit.entities.national import SYSTEMS, Birth, System
from synthwright.kit.entities.people import sexes_said
from synthwright.kit.entities.roles import NAMED, WORDS, Role, Roled, Whence
from synthwright.kit.ruled import Ask, Column
from synthwright.kit.sampling.dice import permuted, secret

NumberedCountries = Annotated[
    str | dict[str, float], AfterValidator(lambda said: known_weights(said, SYSTEMS, "system of national numbers"))
]


class NationalNumber(Roled):
    """Makes national numbers: social security, insurance, tax and identity numbers with their form and check digits.

    No number is anybody's, for a reason of each system: `US` begins with 9 (and is no ITIN), `GB` has a prefix that is
    not used, `GB-NHS` begins with 999 (kept for tests), `DE` with 0 (kept for tests), `FR` names the department 00,
    `ES` is above 99 million, `IT` names a place of birth that does not exist, `NL` begins with 999, `PL` is of
    somebody born after 2200, `NO` has 80 more months (synthetic people), `FI` is of the numbers 900 to 999, `CA`
    begins with 0, `IN` with 9999. Checks that know these rules refuse the numbers; those that look at form and check
    digits take them. Numbers that hold date of birth and sex (FR, IT, NO, PL but for its century, FI) follow the
    columns that have them; without such columns both are random. The letters of Italian numbers do not follow the name.

    Roles: `number`, `country_code`; followed: `birth_date`, `sex`, `country_code`.

    ```yaml
    - make: [patient.ssn]
      use: national-number
      with: {country: FR, columns: {born: birth_date, sex: sex}}
    ```
    """

    name: ClassVar[str] = "national-number"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(NAMED), given="declared", learns=False)
    about: ClassVar[str] = "customer|client|patient|employee|person|member|national|applicant"
    receives: ClassVar[tuple[str, ...]] = ("birth_date", "sex", "country_code")
    roles: ClassVar[Mapping[str, Role]] = {
        "number": Role(NAMED, "national ?(?:number|id|no)|(?:id|identity|identification) ?(?:number|no)|ssn|nino|nir"
                              "|social ?(?:security|insurance)(?: (?:number|no))?|nhs(?: number)?|tax id|steuer ?id"
                              "|dni|codice fiscale|bsn|pesel|fodselsnummer|hetu|sin|aadhaar", distinct=True),
        "country_code": Role(WORDS, "country(?: code)?"),
        "birth_date": Role(frozenset(), "birth date|date of birth"),
        "sex": Role(frozenset(), "sex|gender"),
    }  # fmt: skip

    country: NumberedCountries = Setting(default="US", examples=["DE", {"DE": 4, "FR": 1}])
    """The system, by its country (`US`, `GB`, `GB-NHS`, `DE`, `FR`, `ES`, `IT`, `NL`, `PL`, `NO`, `FI`, `CA`, `IN`),
    or several with weights."""
    country_from: str | None = None
    """The column, or path, that says each row's country (`DE`, `DEU`, `Germany`, or a locale such as `de_DE`)."""
    apart: bool = True
    """Whether the groups of a number stand apart, as the country writes them: `900-01-0001`."""

    def paths(self) -> tuple[str, ...]:
        return (*super().paths(), *([self.country_from] if self.country_from else []))

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = super().misused(schema, table, produce)
        fields = schema.tables[table].fields
        unique = [c for c in produce if self.role(c) == "number" and (fields[c].unique or fields[c].kind is Kind.KEY)]
        dated = [n for n in self._names() if SYSTEMS[n].dated]
        if unique and (dated or self.country_from):
            said = ", ".join(dated) or "a country that a column says"
            message = f"column {unique[0]!r} is unique, and numbers of {said} hold the date of birth: two may be alike"
            found.append((("country",), message))
        return found

    def _names(self) -> list[str]:
        return [name for name, weight in weighted(self.country).items() if weight > 0]

    def whence(self, produce: tuple[str, ...]) -> Whence | None:
        named = Whence(self.country_from, self._meant, ("country_from",)) if self.country_from else None
        found = named or self.given_as(("country_code",), self._meant, produce)
        return found and found._replace(wanted="countries whose numbers are known, such as DE or Germany")

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        whence = self.whence(ask.produce)
        there = which(ask, self.country, None if whence is None else whence.path, self._meant)
        made: dict[str, Column] = {"country_code": there.array(ask.rows, lambda n: SYSTEMS[n].country)}
        if "number" in wanted:
            born = self._births(ask)
            pieces = []
            for i, name in enumerate(there.names):
                at = np.arange(ask.rows) if there.codes is None else np.flatnonzero(there.codes == i)
                index = self._indices(ask, name, at, distinct=bool(distinct))
                chars = SYSTEMS[name].write(index, Birth(*[part[at] for part in born]))
                pieces.append((at, texts(_apart(chars, SYSTEMS[name]) if self.apart else chars)))
            made["number"] = gathered(ask.rows, pieces)
        return {role: made[role] for role in wanted}

    def _meant(self, said: str) -> str | None:
        """Return the system of a country: one of those named in `country`, else the country's first."""
        code = said if said in SYSTEMS else country_named(said)
        return next((n for n in [*self._names(), *SYSTEMS] if SYSTEMS[n].country == code or n == code), None)

    def _indices(self, ask: Ask, name: str, at: np.ndarray, *, distinct: bool) -> np.ndarray:
        size = SYSTEMS[name].size
        if not distinct:
            return ask.ctx.at("number", name).rng.integers(0, size, len(at))
        if ask.numbers.max(initial=0) >= size:
            raise SampleError(self.name, "column of numbers", wanted=f"at most {size:,} rows, so that each has another "
                              f"number of {name}", got="more")  # fmt: skip
        return permuted(ask.numbers[at], size, secret("national", ask.ctx.seed, ask.table, name))

    def _births(self, ask: Ask) -> Birth:
        """Return what is known of births, else births of the years 1940 to 2006."""
        given = self.given(ask)
        rng = ask.ctx.at("birth").rng
        days = rng.integers(-10_957, 13_149, ask.rows, dtype=np.int32)
        sex = rng.integers(0, 2, ask.rows, dtype=np.int8)
        if "sex" in given:
            said = sexes_said(given["sex"], (), sex)
            sex = np.where(said == 2, sex, said)
        day = pa.array(days).cast(pa.date32())
        if "birth_date" in given:
            day = pc.coalesce(given["birth_date"].combine_chunks().cast(pa.date32()), day)
        year, month, date = (part(day).to_numpy(zero_copy_only=False) for part in (pc.year, pc.month, pc.day))
        return Birth(year, month, date, sex.astype(np.int64))


def _apart(chars: np.ndarray, system: System) -> np.ndarray:
    """Return characters with what stands between their groups."""
    places = [i for i, char in enumerate(system.split) if char == "#"]
    out = np.empty((len(chars), len(system.split)), dtype=np.uint8)
    out[:] = np.frombuffer(system.split.encode("ascii"), dtype=np.uint8)
    out[:, places] = chars
    return out
