"""The curator that drops texts with personal data in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field as Setting
from pydantic import field_validator

from synthwright.core.dataset import Dataset
from synthwright.core.values import Column
from synthwright.kit.texts.personal_text import KINDS, found
from synthwright.kit.texts.text_rulings import ByText, Ruling

PERSONAL = "personal-data"
_MAY = r"[0-9@]|::"
"""What a text holds that has any personal data but a name or an address."""


class PersonalData(ByText):
    """Drops rows whose texts hold personal data.

    It looks for e-mail addresses, telephone numbers, card numbers and bank accounts with valid check digits, network
    addresses, national numbers (by layout and check digits, or by the words before them), street addresses, and names
    of people (with a title, after `my name is`, or given and family name from lists). It cannot tell made-up people
    from real ones, and overlooks nicknames, rare names, and addresses without a known word for a street. The score is
    how many were found.
    """

    name: ClassVar[str] = "personal-data"
    reasons: ClassVar[dict[str, str]] = {
        PERSONAL: "A text of the row holds an e-mail address, a telephone number or other personal data.",
    }

    allow: tuple[str, ...] = Setting(default=("name",), examples=[["name", "address"]])
    """Kinds that may stand in texts: `email`, `phone`, `card`, `iban`, `ip`, `national-number`, `address`, `name`.
    Names are let through unless said otherwise (`allow: []`): texts are full of well-known and of made-up people."""

    @field_validator("allow")
    @classmethod
    def _are_kinds(cls, allow: tuple[str, ...]) -> tuple[str, ...]:
        for kind in allow:
            if kind not in KINDS:
                raise ValueError(f"{kind!r} is no kind of personal data: there are {', '.join(KINDS)}")
        return allow

    def idle(self) -> bool:
        return not self.looked_for()

    def looked_for(self) -> frozenset[str]:
        """Return the kinds that may not stand in texts."""
        return frozenset(KINDS) - frozenset(self.allow)

    def about(self, data: Dataset, table: str, reason: str) -> Sequence[str]:
        """Return the kinds of personal data in each row, never what stands there."""
        kinds = self.looked_for()
        held = [sorted({f.kind for f in found(text, kinds)}) for text in self.spoken(data, table)]
        return [f"{PERSONAL} ({', '.join(one)})" if one else PERSONAL for one in held]

    def rule(self, texts: Column, data: Dataset, table: str) -> Ruling:
        """Look through each text that may hold any."""
        kinds = self.looked_for()
        score = np.zeros(len(texts))
        may = pc.true_unless_null(texts) if "name" in kinds else pc.match_substring_regex(texts, _MAY)
        at = np.flatnonzero(pc.fill_null(may, False).to_numpy())
        for i, text in zip(at, texts.take(pa.array(at)).to_pylist(), strict=True):
            if text is not None:
                score[i] = len(found(text, kinds))
        return Ruling((score > 0).astype(np.int8), score)
