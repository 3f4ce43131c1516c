"""UUIDs and ULIDs are in their form, no two rows share one, and those with a time tell it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.generators.ruled_for_tests import LEVEL, made, seen, start, wrong

from synthwright.generators.ulid import Ulid
from synthwright.generators.uuid import Uuid

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ROWS = 5_000


def ulid(text: str) -> int:
    """Return the 128 bits of a ULID, read digit by digit."""
    value = 0
    for c in text:
        value = value * 32 + CROCKFORD.index(c)
    return value


def test_form() -> None:
    """They are what a reference reads as of their version; as bytes they are the same bits."""
    table = made(Uuid(), ["text", "raw"], start(ROWS))
    assert {(u.version, u.variant) for u in map(uuid.UUID, table.column("text").to_pylist())} == {(4, uuid.RFC_4122)}
    assert {uuid.UUID(bytes=b).version for b in table.column("raw").to_pylist()} == {4}
    for rule in (Uuid(ordered=True), Uuid(at="born")):
        found = made(rule, "text", start(ROWS, seen(ROWS))).column("text").to_pylist()
        assert {(u.version, u.variant) for u in map(uuid.UUID, found)} == {(7, uuid.RFC_4122)}
        assert all(str(uuid.UUID(t)) == t for t in found)


def test_every_bit_is_free() -> None:
    """Each bit that is not version or variant is one in half of the rows."""
    found = made(Uuid(), "text", start(ROWS)).column("text").to_pylist()
    bits = np.array([[int(b) for b in f"{uuid.UUID(t).int:0128b}"] for t in found]).sum(axis=0)
    free = [i for i in range(128) if i not in (48, 49, 50, 51, 64, 65)]
    assert all(stats.binomtest(int(bits[i]), ROWS, 0.5).pvalue > LEVEL / 128 for i in free)
    text = made(Ulid(), "text", start(ROWS)).column("text").to_pylist()
    bits = np.array([[int(b) for b in f"{ulid(t):0128b}"] for t in text]).sum(axis=0)
    assert all(stats.binomtest(int(bits[i]), ROWS, 0.5).pvalue > LEVEL / 128 for i in range(48, 128))


@pytest.mark.parametrize("rule", [Uuid(), Uuid(ordered=True), Ulid()])
def test_no_two_rows_share_one(rule: Uuid | Ulid) -> None:
    """The bits that follow from the row's number differ, in every column of it, over all shards."""
    found: set[str] = set()
    for first in (0, ROWS):
        table = made(rule, ["code", "text"], start(ROWS, first=first))
        found |= {v for c in ("code", "text") for v in table.column(c).to_pylist()}
    assert len(found) == 4 * ROWS
    keys = {v for first in (0, ROWS) for v in made(rule, "id", start(ROWS, first=first)).column("id").to_pylist()}
    assert len(keys) == 2 * ROWS
    assert min(keys) >= 0


def test_time() -> None:
    """They begin with the instant of a column, or one that grows row by row, and so sort by it."""
    born = np.array(seen(ROWS)["born"]).astype("datetime64[ms]").astype(np.int64)
    for rule in (Uuid(at="born"), Ulid(at="born")):
        text = made(rule, "text", start(ROWS, seen(ROWS))).column("text").to_pylist()
        told = [(uuid.UUID(t).int if isinstance(rule, Uuid) else ulid(t)) >> 80 for t in text]
        assert np.array_equal(told, born)
    moments = pa.array(born * 1000 + 999).cast(pa.timestamp("us"))
    text = made(Ulid(at="moment"), "text", start(ROWS, {"moment": moments})).column("text").to_pylist()
    assert np.array_equal([ulid(t) >> 80 for t in text], born)
    for grown in (Uuid(ordered=True, since="2030-01-01"), Ulid(since="2030-01-01")):
        text = made(grown, "text", start(ROWS, first=7)).column("text").to_pylist()
        assert text == sorted(text)
        first = (uuid.UUID(text[0]).int if isinstance(grown, Uuid) else ulid(text[0])) >> 80
        assert first == int(datetime(2030, 1, 1, tzinfo=UTC).timestamp() * 1000) + 7


def test_misused() -> None:
    """What is no instant is refused."""
    for kind in (Uuid, Ulid):
        assert wrong(kind(at="age"), "text")[0].startswith("at: 'age' is of kind 'integer'")
        assert wrong(kind(at="bron"), "text")[0].startswith("at: ")
        for bad in ("yesterday", "09:30", "P3D"):
            with pytest.raises(ValidationError, match="wanted a date or an instant"):
                kind(since=bad)
