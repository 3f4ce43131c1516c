"""What is seen of people on the net: addresses, devices, browsers, pages; none of them is anybody's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache, cached_property
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.contracts import Abilities, Place
from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, Schema
from synthwright.kit.entities.browsers import agents
from synthwright.kit.entities.dictionaries import Lexicon, joined
from synthwright.kit.entities.digits import hexed, texts
from synthwright.kit.entities.locales import domains, known_weights, weighted
from synthwright.kit.entities.roles import NAMED, WORDS, Role, Roled
from synthwright.kit.ruled import Ask, Column
from synthwright.kit.sampling.dice import permuted, secret

_NETS = ("192.0.2.", "198.51.100.", "203.0.113.")
_WORDS = (
    "about account article blog cart category checkout contact docs download event faq gallery guide help home "
    "index item jobs login map news offer order page post press price product profile report review search service "
    "shop sitemap story support team terms topic tour update video view"
)
_TOLD = 2**40


class Internet(Roled):
    """Makes what is seen of people on the net: IP and MAC addresses, user agents, web addresses.

    None leads anywhere: IPv4 addresses are of the ranges for documentation (RFC 5737: 192.0.2.0/24, 198.51.100.0/24,
    203.0.113.0/24) or private ones (RFC 1918: 10.0.0.0/8), IPv6 addresses of 2001:db8::/32 (RFC 3849), MAC addresses
    have the bit of those that no maker gave (IEEE 802: locally administered, one receiver), web addresses are below
    the domains kept for examples (RFC 2606). User agents are put together from a table of browsers, versions and
    systems, by their rough shares; browser, system and device of a row are those of its user agent.

    Roles: `ip`, `ipv4`, `ipv6`, `mac`, `user_agent`, `browser`, `system`, `device`, `domain`, `url`.

    ```yaml
    - make: [visit.ip, visit.user_agent, visit.device, visit.url]
      use: internet
      with: {sixes: 0.3}
    ```
    """

    name: ClassVar[str] = "internet"
    abilities: ClassVar[Abilities] = Abilities(kinds=frozenset(NAMED), given="declared", learns=False)
    about: ClassVar[str] = (
        "client|source|src|destination|dest|dst|remote|server|login|user|device|visitor|host|last|web"
    )
    roles: ClassVar[Mapping[str, Role]] = {
        "ip": Role(NAMED, "ip(?: ?(?:address|addr))?", distinct=True),
        "ipv4": Role(NAMED, "ip ?v ?4(?: (?:address|addr))?", distinct=True),
        "ipv6": Role(NAMED, "ip ?v ?6(?: (?:address|addr))?", distinct=True),
        "mac": Role(NAMED, "mac(?: ?(?:address|addr))?", distinct=True),
        "user_agent": Role(WORDS, "user ?agent|agent|ua"),
        "browser": Role(WORDS, "browser(?: name)?"),
        "system": Role(WORDS, "system|os|operating system|platform"),
        "device": Role(WORDS, "device(?: type| class)?"),
        "domain": Role(WORDS, "domain|host ?name|host|site"),
        "url": Role(NAMED, "url|uri|link|page|address|referr?er|web ?site", distinct=True),
    }  # fmt: skip

    ipv4: Literal["documentation", "private"] = "private"
    """Which IPv4 addresses: `private` ones (10.0.0.0/8, sixteen million), or of the ranges for `documentation` (762
    addresses, which say by themselves that they are examples)."""
    sixes: float = Setting(default=0.0, ge=0, le=1)
    """The share of IPv6 addresses among those of the role `ip`."""
    domains: dict[str, float] = Setting(
        default={"www.example.com": 5, "www.example.org": 3, "shop.example.com": 2, "news.example.net": 1},
        min_length=1, examples=[{"shop.example": 1}],
    )  # fmt: skip
    """Where pages are, with weights. Domains that are not kept for examples may belong to somebody."""

    @field_validator("domains")
    @classmethod
    def _domains(cls, said: dict[str, float]) -> dict[str, float]:
        known_weights(said, domains(said), "domain")
        return said

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = super().misused(schema, table, produce)
        fields = schema.tables[table].fields
        for column in produce:
            unique = fields[column].unique or fields[column].kind is Kind.KEY
            if unique and self.ipv4 == "documentation" and self.role(column) in ("ip", "ipv4"):
                found.append((("ipv4",), f"column {column!r} is unique, and there are 762 such addresses: say private"))
        return found

    def make(self, ask: Ask, wanted: Mapping[str, Field], distinct: Collection[str]) -> Mapping[str, Column]:
        net = _Net(self, ask, frozenset(distinct))
        return {role: getattr(net, role) for role in wanted}


@cache
def _octets() -> tuple[pa.Array, pa.Array]:
    """Return the first and the second half of private addresses, each by a number."""
    text = pa.large_string()
    return (pa.array([f"10.{i}." for i in range(256)], text),
            pa.array([f"{i >> 8}.{i & 255}" for i in range(2**16)], text))  # fmt: skip


@cache
def _groups() -> pa.Array:
    """Return the groups of IPv6 addresses, by their number."""
    return pa.array([f"{i:x}" for i in range(2**16)], pa.large_string())


class _Net:
    """What is seen in some rows: each property is a role, made when it is asked for, from a stream of its own."""

    def __init__(self, recipe: Internet, ask: Ask, distinct: frozenset[str]) -> None:
        self.recipe, self.ask, self.rows, self.distinct = recipe, ask, ask.rows, distinct
        self.domains = weighted(recipe.domains)

    def rng(self, place: str) -> np.random.Generator:
        return self.ask.ctx.at(place).rng

    def _bits(self, role: str, size: int) -> np.ndarray:
        """Return a number below `size` for every row: another one in every row of the run where that is asked."""
        if role not in self.distinct and not (role in ("ipv4", "ipv6") and "ip" in self.distinct):
            return self.rng(role).integers(0, size, self.rows, dtype=np.int64)
        if self.ask.numbers.max(initial=0) >= size:
            raise SampleError("internet", f"column of role {role!r}", wanted=f"at most {size:,} rows, so that each has "
                              "another", got="more")  # fmt: skip
        return permuted(self.ask.numbers, size, secret("internet", self.ask.ctx.seed, self.ask.table, role))

    @cached_property
    def ipv4(self) -> pa.Array:
        if self.recipe.ipv4 == "documentation":
            net, last = Lexicon.of(_NETS), Lexicon.of([str(i) for i in range(1, 255)])
            rng = self.rng("ipv4")
            return joined(net.take(net.draw(rng, self.rows)), last.take(last.draw(rng, self.rows)))
        bits = self._bits("ipv4", 2**24)
        front, back = _octets()
        return joined(front.take(pa.array(bits >> 16)), back.take(pa.array(bits & 0xFFFF)))

    @cached_property
    def ipv6(self) -> pa.Array:
        bits = self._bits("ipv6", _TOLD)
        groups = _groups()
        # the group in the middle is never 0, so that the shortest form is the one written here
        parts = [
            groups.take(pa.array(part)) for part in ((bits >> 28) + 1, (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1)
        ]
        return joined(pa.array(["2001:db8"], pa.large_string()).take(pa.array(np.zeros(self.rows, np.int8))), parts[0],
                      joined(parts[1], parts[2], between="::"), between=":")  # fmt: skip

    @cached_property
    def ip(self) -> pa.Array:
        share = self.recipe.sixes
        if share in (0.0, 1.0):
            return self.ipv6 if share else self.ipv4
        six = self.rng("sixes").random(self.rows) < share
        places = np.where(six, np.arange(self.rows) + self.rows, np.arange(self.rows))
        return pa.concat_arrays([self.ipv4, self.ipv6]).take(pa.array(places))

    @cached_property
    def mac(self) -> pa.Array:
        bits = self._bits("mac", _TOLD)
        octets = (bits[:, None] >> np.arange(40, -1, -8)).astype(np.uint8)
        octets[:, 0] = 0x02  # locally administered, for one receiver
        hexadecimal = hexed(octets)
        out = np.full((self.rows, 17), ord(":"), dtype=np.uint8)
        out[:, [i for i in range(17) if i % 3 != 2]] = hexadecimal
        return texts(out)

    # ------------------------------------------------------------------------------------------------------ agents
    @cached_property
    def agents(self) -> np.ndarray:
        return agents().words.draw(self.rng("agent"), self.rows)

    @cached_property
    def user_agent(self) -> pa.Array:
        return agents().words.take(self.agents)

    @cached_property
    def browser(self) -> pa.Array:
        return agents().browsers.take(pa.array(self.agents))

    @cached_property
    def system(self) -> pa.Array:
        return agents().systems.take(pa.array(self.agents))

    @cached_property
    def device(self) -> pa.Array:
        return agents().devices.take(pa.array(self.agents))

    # ------------------------------------------------------------------------------------------------------- pages
    @cached_property
    def hosts(self) -> np.ndarray:
        return Lexicon.of(self.domains).draw(self.rng("domain"), self.rows)

    @cached_property
    def domain(self) -> pa.Array:
        return pa.array(list(self.domains), pa.large_string()).take(pa.array(self.hosts))

    @cached_property
    def url(self) -> pa.Array:
        begin = pa.array([f"https://{d}/" for d in self.domains], pa.large_string()).take(pa.array(self.hosts))
        rng = self.rng("url")
        words = _WORDS.split()
        folders = Lexicon.of([f"{a}/{b}" for a in words for b in words if a != b] + words)
        path = folders.take(folders.draw(rng, self.rows))
        if "url" not in self.distinct:
            return joined(begin, path)
        number = pa.array(self._bits("url", 10**9)).cast(pa.large_string())
        return joined(
            begin, path, pa.array(["/"], pa.large_string()).take(pa.array(np.zeros(self.rows, np.int8))), number
        )
