"""Parquet in types that every version of Hugging Face `datasets` knows, with a card where one is asked for."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import yaml
from pydantic import Field as Setting

from synthwright.core.dataset import Dataset
from synthwright.kit.files import SYNTHETIC, created, folder_names
from synthwright.sinks.parquet import Parquet

CARD = "README.md"
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
          (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"), (10**11, "10B<n<100B"))  # fmt: skip
_CALLED = {"halffloat": "float16", "float": "float32", "double": "float64", "date32[day]": "date32"}
"""Types that `datasets` calls otherwise than Arrow does."""
_SYNTHETIC = (
    "These rows are synthetic. How they were made, and whether any column was kept, is in the card of the release."
)
_LOAD = """Each table is a configuration of its own, with all rows in the split `train`:

```
datasets.load_dataset("FOLDER", "CONFIGURATION", split="train")
```"""


class Huggingface(Parquet):
    """Write Parquet files that `datasets.load_dataset` reads, each table as a configuration; no network is needed.

    A release is a data set folder by its own card: `load_dataset("OUT", "table")`, and it can be put on the hub as it
    is. `card: true` writes a card into `OUT/data` as well, so that this folder alone is one: with license, sizes and
    the type of every column. Labels are written as text, types that `datasets` does not know as the nearest it does.
    """

    name: ClassVar[str] = "huggingface"
    suffixes: ClassVar[tuple[str, ...]] = (".hf.parquet",)

    card: bool = False
    """Whether the folder of the tables gets a card of its own, `README.md`."""
    license: str = Setting(default="other", pattern=r"^[a-z0-9][a-z0-9.+-]*$", examples=["cc-by-4.0"])
    """The license that the card names, as the hub calls it: `cc-by-4.0`, `apache-2.0`, …"""

    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        written = [path.rename(path.with_name(f"{path.name.partition('.')[0]}.parquet"))
                   for path in super().write(data, folder, metadata)]  # fmt: skip
        if self.card:
            tables = {name: known(table) for name, table in data.to_arrow_tables().items()}
            with created(folder / CARD) as file:
                file.write(self.described(tables, metadata).encode("utf-8", "backslashreplace"))
            written.append(folder / CARD)
        return written

    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        super().write_file(known(table), path, metadata)

    def described(self, tables: Mapping[str, pa.Table], metadata: Mapping[str, str]) -> str:
        """Return the card of tables as they are written: the header that the hub reads, and what people must know."""
        places = folder_names(tables)
        configs: dict[str, str] = {}
        for table in tables:
            configs[table] = _config(table, configs.values())
        made = metadata.get(SYNTHETIC) == "true"
        front = {
            **({"pretty_name": metadata["synthwright.name"]} if metadata.get("synthwright.name") else {}),
            "license": self.license,
            "tags": ["synthetic", "synthwright"] if made else ["synthwright"],
            "size_categories": [_size(sum(t.num_rows for t in tables.values()))],
            "configs": [
                {
                    "config_name": configs[table],
                    **({"default": True} if i == 0 else {}),
                    "data_files": [{"split": "train", "path": f"{glob.escape(places[table])}/*.parquet"}],
                }
                for i, table in enumerate(tables)
            ],
            "dataset_info": [
                {
                    "config_name": configs[name],
                    "features": [{"name": f.name, "dtype": _called(f.type)} for f in table.schema],
                }
                for name, table in tables.items()
            ],
        }
        header = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
        said = ["# Synthetic data", _SYNTHETIC] if made else ["# Data"]
        held = "\n".join(f"- `{configs[name]}`: {table.num_rows:,} rows" for name, table in tables.items())
        return f"---\n{header}---\n\n" + "\n\n".join([*said, held, _LOAD]) + "\n"


def known(table: pa.Table) -> pa.Table:
    """Return a table in types that `datasets` knows, and that Parquet gives back as they are."""
    return table.cast(pa.schema([pa.field(f.name, _type(f.type)) for f in table.schema]))


def _type(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column is written as."""
    if pa.types.is_dictionary(kind):
        return _type(kind.value_type)
    if isinstance(kind, pa.BaseExtensionType):
        return pa.bool_() if kind == pa.bool8() else _type(kind.storage_type)
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return pa.decimal128(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind) and kind.unit == "s":
        return pa.timestamp("ms", kind.tz)
    return _ALIKE.get(kind, pa.binary() if pa.types.is_fixed_size_binary(kind) else kind)


_ALIKE = {
    pa.string_view(): pa.string(),
    pa.binary_view(): pa.binary(),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
    pa.time32("s"): pa.time32("ms"),
}


def _called(kind: pa.DataType) -> str:
    """Return what `datasets` calls a type."""
    return _CALLED.get(str(kind), str(kind))


def _config(table: str, taken: Any) -> str:
    """Return a name of a configuration that the hub accepts, unlike those that are taken."""
    safe = re.sub(r"[^\w.-]+", "-", table).strip("-.") or "table"
    return next(n for n in (safe, *(f"{safe}-{i}" for i in range(2, len(taken) + 3))) if n not in taken)


def _size(rows: int) -> str:
    return next((word for most, word in _SIZES if rows < most), "100B<n<1T")
