"""The public holidays of countries and their regions, by the package `holidays`."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from pydantic import Field as Setting
from pydantic import model_validator

from synthwright.core.schema import Frozen

Factor = Annotated[float, Setting(ge=0, le=1e6, allow_inf_nan=False)]
"""How many times as much."""


class Holidays(Frozen):
    """The public holidays of a country, and how much is left of an ordinary day."""

    country: str
    """The country's code: DE, US, IN."""
    region: str | None = None
    """The code of a part of it that has holidays of its own: BY in Germany, CA in the United States."""
    factor: Factor = 0.2
    """How many times as much there is as on such a day of the week otherwise; 0: nothing at all."""

    @model_validator(mode="after")
    def _known(self) -> Holidays:
        from holidays import list_supported_countries

        known = list_supported_countries()
        if self.country not in known:
            near = self.country.upper() if self.country.upper() in known else None
            hint = f"did you mean {near!r}?" if near else "wanted a country's code of two letters, such as DE"
            raise ValueError(f"the holidays of {self.country!r} are not known: {hint}")
        if self.region is not None and self.region not in known[self.country]:
            regions = known[self.country]
            near = next(iter(get_close_matches(self.region.upper(), regions, n=1)), None)
            others = f"there are {', '.join(regions)}" if regions else "it has none"
            hint = f"did you mean {near!r}?" if near else others
            raise ValueError(f"{self.country} has no region {self.region!r} with holidays of its own: {hint}")
        return self

    def years(self) -> tuple[int, int]:
        """Return the first and the last year whose holidays are known."""
        from holidays import country_holidays

        found = country_holidays(self.country, subdiv=self.region)
        return found.start_year, found.end_year

    def days(self, first: int, last: int) -> np.ndarray:
        """Return the holidays of some years, as days since 1970, ascending."""
        found = [_of_year(self.country, self.region, y) for y in range(first, last + 1)]
        return np.array([d for year in found for d in year], dtype=np.int64)


@lru_cache(maxsize=4096)
def _of_year(country: str, region: str | None, year: int) -> tuple[int, ...]:
    from holidays import country_holidays

    days = np.array(sorted(country_holidays(country, subdiv=region, years=[year])), dtype="datetime64[D]")
    return tuple(d for d in days.astype(np.int64).tolist() if _year(d) == year)


def _year(day: int) -> int:
    return int(np.datetime64(day, "D").astype("datetime64[Y]").astype(np.int64)) + 1970


def spelled(said: Any) -> Any:
    """Return holidays that were said as a country, `DE`, or a country and a region, `DE-BY`, in full."""
    if not isinstance(said, str):
        return said
    country, dash, region = said.partition("-")
    return {"country": country, "region": region} if dash else {"country": country}
