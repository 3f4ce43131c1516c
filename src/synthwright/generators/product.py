"""Products of a shop: category, name, brand, article number, bar code and price that go together."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Annotated, ClassVar

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind
from synthwright.kit.entities.dictionaries import Lexicon, joined
from synthwright.kit.entities.digits import ZERO, digits_of, ean, random_digits, texts
from synthwright.kit.entities.goods import CATEGORIES, goods
from synthwright.kit.entities.locales import known_weights
from synthwright.kit.entities.roles import NAMED, WORDS, Role, Roled
from synthwright.kit.ruled import Ask, Column
from synthwright.kit.sampling.dice import permuted, secret

_SKU, _EAN = 8, 10
"""Digits of an article number, and of a bar code between its beginning and its check digit."""


class Product(Roled):
    """Makes products: category, name, brand, article number (SKU), bar code (EAN-13), price; all of one row fit.

    Names are of the category (`Wireless Headphones`, `Cast Iron Frying Pan`), brands are invented syllable by
    syllable (by chance one may exist) and sell in few categories. Prices follow a log-normal distribution around the
    category's usual price, and end in 0.99 or 0.95. Bar codes begin with 20 to 29, the range that GS1 keeps for shops'
    own use, so they are no product's of any maker; their check digit is right. Article numbers begin with the letters
    of the category. Where the columns are unique, article numbers and bar codes differ in every row of the run.

    Roles: `name`, `category`, `brand`, `sku`, `ean`, `price`.

    ```yaml
    - make: [product.sku, product.name, product.category, product.price]
      use: product
      with: {categories: {Books: 3, Toys: 1}}
    ```
    """

    name: ClassVar[str] = "product"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=frozenset(NAMED | {Kind.NUMBER, Kind.INTEGER}), given="declared", learns=False
    )
    about: ClassVar[str] = "product|item|article|sku|unit|list|retail|sale"
    receives: ClassVar[tuple[str, ...]] = ("category",)
    digits: ClassVar[frozenset[str]] = frozenset({"ean"})
    roles: ClassVar[Mapping[str, Role]] = {
        "name": Role(WORDS, "(?:product|item|article)?(?: ?name)?|title|description|label"),
        "category": Role(WORDS, "category|department|group|type|class"),
        "brand": Role(WORDS, "brand|maker|manufacturer|make"),
        "sku": Role(NAMED, "sku|(?:article|item|part|stock) ?(?:number|no|code)|mpn", distinct=True),
        "ean": Role(NAMED | {Kind.INTEGER}, "ean(?: ?13)?|gtin|bar ?code|upc", distinct=True),
        "price": Role(frozenset({Kind.NUMBER}), "price|amount|cost|msrp|rrp"),
    }  # fmt: skip

    categories: dict[str, float] = Setting(default={n: c.share for n, c in CATEGORIES.items()},
                                           examples=[{"Books": 3, "Toys": 1}])  # fmt: skip
    """The categories with weights: `Electronics`, `Computers`, `Home`, `Kitchen`, `Garden`, `Clothing`, `Shoes`,
    `Sports`, `Toys`, `Beauty`, `Groceries`, `Books`, `Office`, `Pets`."""
    price_level: float = Setting(default=1.0, gt=0, le=1_000_000)
    """What prices are multiplied by before they are rounded, for another currency or a dearer shop."""
    endings: tuple[Annotated[float, Setting(ge=0, lt=1)], ...] = Setting(default=(0.99, 0.99, 0.99, 0.95), min_length=1,
                                                                        examples=[[0.5]])  # fmt: skip
    """What prices end in, as often as it stands here."""

    @field_validator("categories")
    @classmethod
    def _weights(cls, said: dict[str, float]) -> dict[str, float]:
        known_weights(said, CATEGORIES, "category")
        return said

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        shelf = _Shelf(self, ask, frozenset(distinct))
        return {role: getattr(shelf, role) for role in wanted}


class _Shelf:
    """The products of some rows: each property is a role, made when it is asked for, from a stream of its own."""

    def __init__(self, recipe: Product, ask: Ask, distinct: frozenset[str]) -> None:
        self.recipe, self.ask, self.rows, self.distinct = recipe, ask, ask.rows, distinct
        self.given = recipe.given(ask)
        said = dict.fromkeys(CATEGORIES, 1.0) if "category" in self.given else recipe.categories
        self.names = [n for n in CATEGORIES if said.get(n, 0) > 0]
        self.goods = goods(tuple((n, said[n]) for n in self.names))

    def rng(self, place: str) -> np.random.Generator:
        return self.ask.ctx.at(place).rng

    @cached_property
    def which(self) -> np.ndarray:
        drawn = self.goods.categories.draw(self.rng("category"), self.rows)
        if "category" not in self.given:
            return drawn
        coded = self.given["category"].combine_chunks().dictionary_encode()
        known = {n.casefold(): i for i, n in enumerate(self.names)}
        said = [known.get(str(v).strip().casefold(), -1) for v in coded.dictionary.to_pylist()] or [0]
        if min(said) < 0:
            raise SampleError("product", "the column of categories", wanted=f"one of {', '.join(self.names)}",
                              got="others")  # fmt: skip
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return np.where(codes < 0, drawn, np.array(said)[codes]).astype(np.int32)

    @cached_property
    def category(self) -> pa.Array:
        return self.goods.categories.take(self.which)

    @cached_property
    def name(self) -> pa.Array:
        return self.goods.things.take(self.goods.things.draw(self.rng("name"), self.rows, self.which))

    @cached_property
    def brand(self) -> pa.Array:
        return self.goods.brands.take(self.goods.brands.draw(self.rng("brand"), self.rows, self.which))

    @cached_property
    def price(self) -> np.ndarray:
        held = [CATEGORIES[n] for n in self.names]
        middle = np.log([c.median * self.recipe.price_level for c in held])[self.which]
        spread = np.array([c.spread for c in held])[self.which]
        rng = self.rng("price")
        whole = np.floor(np.exp(middle + spread * rng.standard_normal(self.rows)))
        endings = np.array(self.recipe.endings)
        return np.round(whole + endings[rng.integers(0, len(endings), self.rows)], 2)

    def _digits(self, role: str, width: int) -> np.ndarray:
        """Return digits: other ones in every row of the run where that is asked."""
        if role not in self.distinct:
            return random_digits(self.rng(role), self.rows, width)
        if self.ask.numbers.max(initial=0) >= 10**width:
            raise SampleError("product", f"column of role {role!r}", wanted=f"at most {10**width:,} rows, so that each "
                              "has another", got="more")  # fmt: skip
        key = secret("product", self.ask.ctx.seed, self.ask.table, role)
        return digits_of(permuted(self.ask.numbers, 10**width, key), width)

    @cached_property
    def sku(self) -> pa.Array:
        letters = Lexicon.of([CATEGORIES[n].code + "-" for n in self.names])
        return joined(letters.take(self.which), texts(self._digits("sku", _SKU) + ZERO))

    @cached_property
    def ean(self) -> pa.Array:
        digits = np.full((self.rows, 13), 2, dtype=np.uint8)
        digits[:, 1] = self.rng("range").integers(0, 10, self.rows, dtype=np.uint8)
        digits[:, 2:12] = self._digits("ean", _EAN)
        digits[:, 12] = ean(digits[:, :12])
        return texts(digits + ZERO)
