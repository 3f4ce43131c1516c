"""Noisy releases as text."""

from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest

from synthwright.core.errors import StoreError
from synthwright.core.spend import Release, Spend
from synthwright.kit.learning.releases import packed, unpacked


def test_there_and_back() -> None:
    """Head, arrays of any type and the spend come back; the same release is the same text."""
    arrays = {"b": np.arange(6).reshape(2, 3), "a": np.array([0.5, -1e300]), "none": np.zeros(0, dtype=np.int32)}
    release = Release({"rows": 3, "what": ["x", None]}, arrays, Spend(1.5, 1e-9, "row"))
    text = packed(release)
    back = unpacked(text, "a test")
    assert (back.head, back.spend) == (release.head, release.spend)
    assert text.isascii()
    assert all(np.array_equal(back.arrays[n], a) and back.arrays[n].dtype == a.dtype for n, a in arrays.items())
    assert packed(Release(release.head, dict(reversed(arrays.items())), release.spend)) == text


@pytest.mark.parametrize("text", ["", "no text of ours", "A" * 400, base64.b64encode(zlib.compress(b"{}\n")).decode(),
                                  base64.b64encode(zlib.compress(b"[1]\nxx")).decode()])  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    """Cut off, changed, or made by somebody else: an error that says whose, and no object is ever loaded."""
    with pytest.raises(StoreError, match="a test"):
        unpacked(text, "a test")
    whole = packed(Release({}, {"a": np.arange(3)}, Spend(1.0)))
    with pytest.raises(StoreError):
        unpacked(whole[: len(whole) // 2], "a test")
