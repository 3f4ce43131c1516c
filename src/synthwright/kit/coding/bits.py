"""Bits that all values of a column of bytes share: the version of identifiers, the first bytes of a file format."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.coding.rulers import TELLING

MOST = 64
"""How many first bytes are looked at, at most."""


def shared_bits(values: pa.Array) -> tuple[bytes, bytes]:
    """Return which bits of the first bytes are the same in all distinct values, and these bits; none of few values.

    Args:
        values: distinct values without nulls, as large binary.
    """
    length = min(MOST, int(pc.min(pc.binary_length(values)).as_py() or 0))
    if len(values) < TELLING or not length:
        return b"", b""
    begun = np.frombuffer(b"".join(pc.binary_slice(values, 0, length).to_pylist()), np.uint8).reshape(-1, length)
    always, ever = np.bitwise_and.reduce(begun, axis=0), np.bitwise_or.reduce(begun, axis=0)
    mask = ~(always ^ ever)
    return mask.tobytes(), (always & mask).tobytes()


def put_bits(data: np.ndarray, offsets: np.ndarray, mask: bytes, bits: bytes) -> None:
    """Write shared bits into bytes, where each value begins.

    Args:
        data: the bytes of all values, one after the other; changed.
        offsets: where each value begins, and the end of the last.
        mask: which bits are shared.
        bits: these bits.
    """
    for i, (which, what) in enumerate(zip(mask, bits, strict=True)):
        at = offsets[:-1][np.diff(offsets) > i] + i
        data[at] = (data[at] & np.uint8(255 - which)) | np.uint8(what)
