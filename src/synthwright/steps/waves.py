"""What generating and curating leave in the store: shards, each of one table, and waves, which say what stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from synthwright.core.contracts import Verdict
from synthwright.core.dataset import Dataset
from synthwright.kit.tables import load_dataset, save_dataset, write_json
from synthwright.kit.verdicts import load_verdicts, save_verdicts
from synthwright.steps.orders import Bench


class Wave(NamedTuple):
    """What became of one wave, in the store."""

    key: str
    at: Path

    def kept(self) -> Dataset:
        """Return the rows that stay: of tables that lost none they lie in the shards, which are not written again."""
        held = load_dataset(self.at / "kept")
        whole: dict[str, list[str]] = json.loads((self.at / "whole.json").read_bytes())
        store = self.at.parents[1]
        tables = {t: pa.concat_tables([load_dataset(store / s / "data").tables[t] for s in shards])
                  for t, shards in whole.items()}  # fmt: skip
        return Dataset(held.schema, {**held.tables, **tables})

    @staticmethod
    def of(bench: Bench, key: str) -> Wave:
        """Return a wave that is in the store."""
        return Wave(key, bench.store.at / key)

    def dropped(self) -> tuple[Dataset, list[Verdict]]:
        """Return the rows that went, and the rulings on them."""
        return load_dataset(self.at / "dropped"), load_verdicts(self.at / "reasons")

    def lost(self) -> bool:
        """Return whether any row went."""
        return any(len(v.keep) for v in load_verdicts(self.at / "reasons"))

    def gone(self) -> dict[str, np.ndarray]:
        """Return for each table which slots of the wave's start stayed empty."""
        return {v.table: ~v.keep for v in load_verdicts(self.at / "slots")}

    def notes(self) -> list[str]:
        """Return what generators and curators want readers of the report to know."""
        said: list[str] = json.loads((self.at / "notes.json").read_bytes())
        return said

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many rows of each table rules made be drawn again and repaired."""
        said: dict[str, dict[str, int]] = json.loads((self.at / "counts.json").read_bytes())
        return said

    def costs(self) -> list[list[Any]]:
        """Return what was asked of language models for this wave: part, model, answers, tokens asked and written."""
        said: list[list[Any]] = json.loads((self.at / "costs.json").read_bytes())
        return said


def table_of(bench: Bench, key: str) -> str:
    """Return the table whose rows a shard holds."""
    return str(shard_counts(bench, key)["table"])


def shard_counts(bench: Bench, key: str) -> dict[str, Any]:
    """Return the table of a shard, and how many rows rules made be drawn again and repaired."""
    said: dict[str, Any] = json.loads((bench.store.at / key / "counts.json").read_bytes())
    return said


def shard_data(bench: Bench, key: str) -> Dataset:
    """Return the rows of a shard."""
    return load_dataset(bench.store.at / key / "data")


def shard_problems(bench: Bench, key: str) -> list[Verdict]:
    """Return the rulings on rows that could not be made."""
    return load_verdicts(bench.store.at / key / "problems")


def put_shard(bench: Bench, key: str, data: Dataset, problems: list[Verdict], counts: dict[str, Any]) -> None:
    """Put a shard into the store: its rows, the rulings on rows that could not be made, and its counts."""

    def write(folder: Path) -> None:
        save_dataset(data, folder / "data")
        save_verdicts(problems, folder / "problems")
        write_json(folder / "counts.json", counts)

    bench.store.put(key, write)


def joined(pieces: list[Dataset]) -> Dataset:
    """Return the rows of several datasets, table by table; of tables without rows what the first one holds."""
    held = [p for p in pieces if p.rows()]
    if len(held) < 2:
        return held[0] if held else pieces[-1]
    tables = {t: pa.concat_tables([p.tables[t] for p in held if p.rows(t)] or [held[0].tables[t]])
              for t in held[0].tables}  # fmt: skip
    return Dataset(held[0].schema, tables)
