"""Bits that all values of a column of bytes share."""

from __future__ import annotations

import uuid

import numpy as np
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.kit.coding.bits import shared_bits

RNG = np.random.default_rng(4)


def test_shared_bits_are_those_of_all() -> None:
    """Bytes that all begin with are found, within the shortest; few values say nothing."""
    values = [b"\x89P" + RNG.bytes(int(n)) for n in RNG.integers(1, 9, 60)]
    mask, bits = shared_bits(pa.array(values, pa.large_binary()))
    assert (mask[:2], bits[:2], len(mask)) == (b"\xff\xff", b"\x89P", 3)
    for few in (values[:10], [*values, b""]):
        assert shared_bits(pa.array(few, pa.large_binary())) == (b"", b"")


@pytest.mark.parametrize("version", [1, 4, 7])
def test_identifiers_keep_their_version(version: int) -> None:
    """Identifiers that are bytes stay identifiers of their version, and none comes back."""
    real = [uuid.UUID(bytes=RNG.bytes(16), version=4) for _ in range(60)]
    real = [uuid.UUID(int=u.int & ~(15 << 76) | version << 76) for u in real]
    frame = pa.table({"who": pa.array([u.bytes for u in real], pa.uuid()), "x": RNG.normal(size=60)})
    made = sw.fit(frame, seed=1).sample(80, seed=2)["who"].to_pylist()
    assert {u.version for u in made} == {version}
    assert len(set(made)) == 80
    assert not set(made) & set(real)
