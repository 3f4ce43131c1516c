"""Arrow: the files and streams of its interprocess format; Feather version 2 is the former."""

from __future__ import annotations

from pathlib import Path
from typing import IO, ClassVar

import pyarrow as pa

from synthwright.core.errors import InputError
from synthwright.kit.files import LIMITS, seekable
from synthwright.sources.columns import checked, flat_names, written_out
from synthwright.sources.places import FileSource

MAGIC = b"ARROW1"


class Arrow(FileSource):
    """Read Arrow and Feather files and Arrow streams; columns have the types that the files declare."""

    name: ClassVar[str] = "arrow"
    suffixes: ClassVar[tuple[str, ...]] = (".arrow", ".feather", ".ipc", ".arrows")

    def table(self, path: Path) -> pa.Table:
        with seekable(path) as file:
            first = file.read(len(MAGIC))
            file.seek(0)
            if first[:4] == b"FEA1":
                raise InputError(path.name, "the file", wanted="Feather version 2", got="version 1",
                                 remedy="write it again with a newer library")  # fmt: skip
            try:
                table = _read(file, path)
            except (pa.ArrowException, OSError, ValueError, TypeError, MemoryError, OverflowError):
                got = "a damaged file, or one of another kind"
                raise InputError(path.name, "the file", wanted="Arrow data", got=got,
                                 remedy="write or fetch it again, or say by use: what it is") from None  # fmt: skip
        return checked(table, path.name)


def metadata(file: IO[bytes]) -> dict[bytes, bytes]:
    """Return the keys and values that an Arrow file carries."""
    return dict(_opened(file).schema.metadata or {})


def _opened(file: IO[bytes]) -> pa.ipc.RecordBatchFileReader | pa.ipc.RecordBatchStreamReader:
    whole = file.read(len(MAGIC)) == MAGIC
    file.seek(0)
    return pa.ipc.open_file(file) if whole else pa.ipc.open_stream(file)


def _read(file: IO[bytes], path: Path) -> pa.Table:
    """Read batch after batch, and stop where they grow too large."""
    packed = file.seek(0, 2)
    file.seek(0)
    opened = _opened(file)
    flat_names(opened.schema, path.name)
    batches, size, decoded, cells = [], 0, 0, 0
    many = opened.num_record_batches if isinstance(opened, pa.ipc.RecordBatchFileReader) else None
    for batch in (opened.get_batch(i) for i in range(many)) if many is not None else opened:
        batch.validate()
        batches.append(batch)
        size += batch.nbytes
        decoded += sum(written_out(column) for column in batch.columns)
        cells += batch.num_rows * batch.num_columns
        if LIMITS.exceeded(packed, size) or LIMITS.too_many(packed, cells) or LIMITS.too_long(packed, decoded):
            raise InputError(path.name, "the file", wanted=f"at most {LIMITS.unpacked:,} bytes unpacked",
                             got="a size that only a bomb has", remedy="make it several files")  # fmt: skip
    return pa.Table.from_batches(batches, schema=opened.schema)
