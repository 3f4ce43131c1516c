"""Masks hide what they should, and nothing that they should not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from tests.generators.ruled_for_tests import made, start, wrong

from synthwright.core.schema import Kind
from synthwright.generators.mask import Mask

TEXTS = ["4000 1234-5678", "Ab9", "", "ÄÖ é日本7x", None, "abcdefgh", "x"]


def hidden(texts: Sequence[str | None] = TEXTS, *, seed: int = 0, **how: Any) -> list[str | None]:
    """Return what becomes of texts."""
    held = pa.array(texts, pa.large_string())
    rule = Mask.model_validate({"of": "label", **how})
    found: list[str | None] = (
        made(rule, "text", start(len(held), {"label": held}), seed=seed).column("text").to_pylist()
    )
    return found


def reference(text: str | None, first: int, last: int, *, marks: bool) -> str | None:
    """Return what becomes of one text, the slow way."""
    if text is None:
        return None
    if len(text) <= first + last:
        first = last = 0
    return "".join(c if i < first or i >= len(text) - last or (marks and not c.isalnum()) else "*"
                   for i, c in enumerate(text))  # fmt: skip


@pytest.mark.parametrize(("first", "last"), [(0, 0), (2, 0), (0, 4), (1, 2), (4, 4)])
@pytest.mark.parametrize("marks", [False, True])
@pytest.mark.parametrize("texts", [TEXTS, [t for t in TEXTS if t is None or t.isascii()]])
def test_hide(first: int, last: int, marks: bool, texts: list[str | None]) -> None:  # noqa: FBT001
    """Characters become stars but for the first and last, in any script; what would stay whole is hidden whole."""
    found = hidden(texts, keep_first=first, keep_last=last, keep_marks=marks)
    assert found == [reference(t, first, last, marks=marks) for t in texts]


def test_other_characters() -> None:
    """Any character may stand for a hidden one."""
    assert hidden(by="#")[1] == "###"
    assert hidden(by="•", keep_first=1)[1] == "A••"
    assert hidden(["é1"], by="\\", keep_marks=True) == ["\\\\"]


def test_shuffle() -> None:
    """Digits become digits, capitals capitals, small letters small letters; the rest stays, and so do the ends."""
    texts = ["AB-12 cd"] * 3000
    found = hidden(texts, how="shuffle")
    assert all(re.fullmatch("[A-Z]{2}-[0-9]{2} [a-z]{2}", t or "") for t in found)
    assert {t[0] for t in found if t} == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert {t[3] for t in found if t} == set("0123456789")
    assert found != hidden(texts, how="shuffle", seed=1)
    kept = hidden(texts, how="shuffle", keep_first=1, keep_last=3)
    assert {(t[0], t[-3:]) for t in kept if t} == {("A", " cd")}
    assert re.fullmatch("[A-Z][a-z]{4}–[a-z]{2} [a-z][0-9]", hidden(["Ärzte–日本 é٣"], how="shuffle")[0] or "")
    assert re.fullmatch("É[a-z]{2}٣", hidden(["Éab٣"], how="shuffle", keep_first=1, keep_last=1)[0] or "")


def test_other_kinds_and_slices() -> None:
    """Numbers and dates are hidden as they are spelled."""
    table = made(Mask(of="age", keep_last=1), "text", start(2, {"age": pa.array([123, 45])}))
    assert table.column("text").to_pylist() == ["**3", "*5"]
    table = made(Mask(of="born", keep_first=4), "text", start(1, {"born": pa.array([0], pa.int32()).cast(pa.date32())}))
    assert table.column("text").to_pylist() == ["1970******"]


def test_replace() -> None:
    """In mode `replace` it is the column's own values that are hidden; in mode `make` there would be none."""
    given = start(2, {"label": pa.array(["abc", "de"], pa.large_string())})
    assert made(Mask(keep_first=1), "label", given, mode="replace").column("label").to_pylist() == ["a**", "d*"]
    assert made(Mask(), "text", given).column("text").null_count == 2


def test_misused() -> None:
    """Paths that lead nowhere and parameters that go with another way of hiding are told."""
    assert wrong(Mask(of="lable"), "text")[0].startswith("of: ")
    assert wrong(Mask(of="label", how="shuffle", keep_marks=True), "text") == ["keep_marks: goes with 'how: hide'"]
    assert Mask.abilities.kinds == {Kind.TEXT, Kind.CATEGORY}
