"""The curator that drops texts with links to hosts that nobody allowed."""

from __future__ import annotations

import re
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.dataset import Dataset
from synthwright.core.values import Column
from synthwright.kit.texts.text_rulings import ByText, Ruling

LINK = "link-not-allowed"
_ENDS = "com|net|org|info|biz|edu|gov|mil|int|io|ai|app|dev|xyz|top|site|online|club|shop|xn--[a-z0-9-]+"
"""Endings of hosts that end few sentences by mistake; others count where a path follows."""
_HOST = r"(?:\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)*)"
_SCHEME = rf"\b[a-z][a-z0-9+.-]{{1,20}}:/{{2,}}(?:[^\s/@]*@)?(?P<host>{_HOST})"
_BARE = rf"(?<![\w@.-])(?P<bare>(?:[\w-]+\.)+(?:(?:{_ENDS})(?![\w-])|[a-z]{{2,}}(?=/)))"
_FIND = re.compile(rf"{_SCHEME}|\bwww\.(?P<www>{_HOST})|{_BARE}", re.IGNORECASE)
_MAYBE = r"://|\.[A-Za-z]"


class Links(ByText):
    """Drops rows with a text that links to a host which is not allowed: what a seed text told the model to write.

    Addresses with a scheme (`https://…`), with `www.`, and bare hosts with a common ending (`shop.example.com/x`) are
    found, e-mail addresses are not; hosts are compared without their port, and what is allowed holds for all below it.
    """

    name: ClassVar[str] = "links"
    reasons: ClassVar[dict[str, str]] = {LINK: "A text of the row has a link to a host that is not allowed."}

    allow: tuple[str, ...] = Setting(default=("example.com", "example.net", "example.org"), examples=[["ourshop.com"]])
    """Hosts that may be linked to, with all below them; by default those that are kept for examples (RFC 2606)."""

    @field_validator("allow")
    @classmethod
    def _hosts(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for host in allow:
            if re.fullmatch(_HOST, host) is None:
                raise ValueError(f"wanted a host such as 'example.com', got {host!r}")
        return tuple(host.casefold() for host in allow)

    def rule(self, texts: Column, data: Dataset, table: str) -> Ruling:
        plain = pc.fill_null(texts.cast(pa.large_string()), "")
        score = np.zeros(len(texts))
        for i in np.flatnonzero(pc.match_substring_regex(plain, _MAYBE).to_numpy(zero_copy_only=False)):
            score[i] = sum(not self._allowed(host) for host in hosts(plain[int(i)].as_py()))
        return Ruling((score > 0).astype(np.int8), score)

    def _allowed(self, host: str) -> bool:
        return any(host == known or host.endswith("." + known) for known in self.allow)


def hosts(text: str) -> list[str]:
    """Return the hosts that a text links to, in small letters."""
    return [(m["host"] or m["www"] or m["bare"]).casefold() for m in _FIND.finditer(text)]
