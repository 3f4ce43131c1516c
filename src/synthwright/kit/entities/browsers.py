"""User agents, put together from a small table of browsers, their versions and the systems that they run on."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pyarrow as pa

from synthwright.kit.entities.dictionaries import Lexicon

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_APPLEKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_DESKTOPS = (("Windows", "Windows NT 10.0; Win64; x64", 0.70), ("macOS", "Macintosh; Intel Mac OS X 10_15_7", 0.20),
             ("Linux", "X11; Linux x86_64", 0.10))  # fmt: skip
_ANDROIDS = (
    "Linux; Android 10; K",
    "Linux; Android 13; SM-A546B",
    "Linux; Android 14; Pixel 8",
    "Linux; Android 15; K",
)
_APPLE = ("15_8", "16_7", "17_4", "17_6", "18_1", "18_3")
_CHROMES = tuple(range(118, 137))
_FIREFOXES = tuple(range(115, 138))
_SAFARIS = ("16.6", "17.1", "17.4", "17.6", "18.0", "18.1", "18.3")


class Agents(NamedTuple):
    """User agents by their weights, and what each says."""

    words: Lexicon
    browsers: pa.Array
    """By the code of a user agent, and so on."""
    systems: pa.Array
    devices: pa.Array


@cache
def agents() -> Agents:
    """Return every user agent of the table."""
    found: dict[str, tuple[float, str, str, str]] = {}
    for system, said, share in _DESKTOPS:
        for v in _CHROMES:
            weight = share * _newer(v, _CHROMES)
            chrome = f"Mozilla/5.0 ({said}) {_WEBKIT} Chrome/{v}.0.0.0 Safari/537.36"
            found[chrome] = (0.30 * weight, "Chrome", system, "desktop")
            found[f"{chrome} Edg/{v}.0.0.0"] = (0.07 * weight, "Edge", system, "desktop")
        for v in _FIREFOXES:
            fox = f"Mozilla/5.0 ({said}; rv:{v}.0) Gecko/20100101 Firefox/{v}.0".replace("10_15_7", "10.15")
            found[fox] = (0.04 * share * _newer(v, _FIREFOXES), "Firefox", system, "desktop")
    for said in _ANDROIDS:
        for v in _CHROMES:
            mobile = f"Mozilla/5.0 ({said}) {_WEBKIT} Chrome/{v}.0.0.0 Mobile Safari/537.36"
            found[mobile] = (0.30 / len(_ANDROIDS) * _newer(v, _CHROMES), "Chrome", "Android", "mobile")
    for safari in _SAFARIS:
        share = 1 / len(_SAFARIS)
        found[f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_APPLEKIT} Version/{safari} Safari/605.1.15"] = (
            0.07 * share, "Safari", "macOS", "desktop",
        )  # fmt: skip
        for version in _APPLE:
            if version[:2] == safari[:2]:
                rest = f"OS {version} like Mac OS X) {_APPLEKIT} Version/{safari} Mobile/15E148 Safari/604.1"
                found[f"Mozilla/5.0 (iPhone; CPU iPhone {rest}"] = (0.18 * share / 2, "Safari", "iOS", "mobile")
                found[f"Mozilla/5.0 (iPad; CPU {rest}"] = (0.04 * share / 2, "Safari", "iOS", "tablet")
    text = pa.large_string()
    _, browsers, systems, devices = (list(column) for column in zip(*found.values(), strict=True))
    return Agents(Lexicon.of({said: what[0] for said, what in found.items()}), pa.array(browsers, text),
                  pa.array(systems, text), pa.array(devices, text))  # fmt: skip


def _newer(version: int, versions: tuple[int, ...]) -> float:
    """Return the share of a version: the newest four have most of it."""
    age = versions[-1] - version
    shares = [1.0 if a < 4 else 0.1 for a in range(len(versions))]
    return shares[age] / sum(shares)
