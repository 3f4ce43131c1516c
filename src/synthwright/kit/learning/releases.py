"""Noisy releases as one line of text: for ledgers and locks, the same text for the same release."""

from __future__ import annotations

import base64
import binascii
import io
import json
import zlib

import numpy as np

from synthwright.core.errors import StoreError
from synthwright.core.spend import Release, Spend

_MOST = 1 << 30
"""Bytes that a packed release may unfold to."""


def packed(release: Release) -> str:
    """Return a release as ASCII text."""
    head = {"head": dict(release.head), "spend": list(release.spend), "arrays": sorted(release.arrays)}
    out = io.BytesIO()
    out.write(json.dumps(head, sort_keys=True, allow_nan=False).encode() + b"\n")
    for name in sorted(release.arrays):
        np.lib.format.write_array(out, np.ascontiguousarray(release.arrays[name]), version=(1, 0), allow_pickle=False)
    return base64.b64encode(zlib.compress(out.getvalue(), 9)).decode("ascii")


def unpacked(text: str, owner: str) -> Release:
    """Return what `packed` was given.

    Raises:
        StoreError: the text is anything else.
    """
    try:
        raw = io.BytesIO(_unfolded(base64.b64decode(text, validate=True)))
        said = json.loads(raw.readline())
        arrays = {name: np.lib.format.read_array(raw, allow_pickle=False) for name in said["arrays"]}
        return Release(dict(said["head"]), arrays, Spend.of(said["spend"]))
    except (ValueError, KeyError, TypeError, EOFError, zlib.error, binascii.Error, RecursionError, MemoryError):
        raise StoreError(owner, "a noisy release", wanted="what was measured and kept", got="something else",
                         remedy="restore the file") from None  # fmt: skip


def _unfolded(held: bytes) -> bytes:
    unfold = zlib.decompressobj()
    raw = unfold.decompress(held, _MOST)
    if not unfold.eof:
        raise ValueError("too large, or cut off")
    return raw
