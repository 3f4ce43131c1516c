"""Links to hosts that nobody allowed."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.curators.links import LINK, Links

BAD = [
    "See https://evil.test/x?k=1 for more", "go to HTTP://EVIL.TEST", "[click](http://evil.test/a)",
    "www.evil.test now", "evil.de/x",
    "ftp://user:pw@evil.test/f", "visit evil.com/steal", "evil.com.", "https://example.com.evil.test/", "http://10.0.0.1/",
    "http://[2001:db8::1]/a", "https://example.com and https://evil.test", "javascript://evil.test/%0aalert",
    "http:///evil.com",
    "notexample.com", "xn--e1afmkfd.xn--p1ai",
]  # fmt: skip
GOOD = [
    "no link at all", "write to ann@evil.com", "https://example.com/a", "see shop.example.org/x", "v1.2.3 is out",
    "e.g. this",
    "file.py and a.b", "3.5 km", "", "Mr. Smith.It is late", "https://EXAMPLE.com:8080/x", "node.js is fine",
]  # fmt: skip


def ruled(texts: list[str | None], curator: Links) -> tuple[list[bool], list[str | None], list[float]]:
    """Return what the curator says of texts."""
    schema = Schema(tables={"t": Table(fields={"text": Field(kind=Kind.TEXT)})})
    data = Dataset.of({"t": pa.table({"text": pa.array(texts, pa.string())})}, schema)
    (verdict,) = curator.fit(data, None, Context()).judge(data, Context())
    assert verdict.score is not None
    return verdict.keep.tolist(), verdict.reason.to_pylist(), verdict.score.tolist()


def test_foreign_links_go_and_others_stay() -> None:
    """Every way of writing a link is seen; e-mail addresses, versions and files are none."""
    keep, reason, _ = ruled([*BAD, *GOOD, None], Links())
    assert [t for t, k in zip(BAD, keep, strict=False) if k] == []
    assert [t for t, k in zip([*GOOD, None], keep[len(BAD) :], strict=True) if not k] == []
    assert set(reason[: len(BAD)]) == {LINK}


def test_allowed_hosts_hold_for_all_below() -> None:
    """A host allows what is below it, and nothing that only ends alike; the score counts foreign links."""
    keep, _, score = ruled(
        ["https://a.shop.com", "https://myshop.com", "shop.com x.org y.org"], Links(allow=("Shop.com",))
    )
    assert keep == [True, False, False]
    assert score == [0, 1, 2]
    with pytest.raises(ValidationError, match="wanted a host"):
        Links(allow=("https://shop.com",))
