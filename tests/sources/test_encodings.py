"""Streams as Arrow reads them."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest

from synthwright.sources import encodings


class _Counted(io.BytesIO):
    """Bytes that say whether they have all been read."""

    @property
    def over(self) -> bool:
        """Whether there is nothing left."""
        return self.tell() == len(self.getvalue())


def test_short_streams_are_read_before_arrow_is() -> None:
    """No thread of Arrow's asks Python for a short file: it might do so when the program has ended."""
    stream = _Counted(b"a,b\n1,2\n")
    held = encodings.for_arrow(stream)  # type: ignore[arg-type]  # BytesIO reads as raw streams do
    assert stream.over
    assert not isinstance(held, pa.PythonFile)
    assert held.read() == b"a,b\n1,2\n"


@pytest.mark.parametrize("size", [1, 3, 10, 64])
def test_long_streams_are_read_whole(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a long stream no byte is lost or doubled, however it is asked for."""
    monkeypatch.setattr(encodings, "SHORT", 10)
    text = bytes(range(50))
    stream = _Counted(text)
    held = encodings.for_arrow(stream)  # type: ignore[arg-type]
    assert not stream.over
    assert b"".join(iter(lambda: held.read(size), b"")) == text
