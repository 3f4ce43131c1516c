"""Rulings as files, and several rulings as one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import feather

from synthwright.core.contracts import Verdict
from synthwright.kit.tables import write_json


def merged(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return one ruling for each table: a row goes if anybody says so, for the reason that was said first."""
    found: dict[str, Verdict] = {}
    for verdict in verdicts:
        first = found.get(verdict.table)
        if first is None or (first.keep.all() and not verdict.keep.all()):
            found[verdict.table] = Verdict(verdict.table, verdict.keep, verdict.reason.cast(pa.string()))
        elif not verdict.keep.all():
            reason = pc.if_else(pa.array(first.keep), verdict.reason.cast(pa.string()), first.reason)
            found[verdict.table] = Verdict(verdict.table, first.keep & verdict.keep, reason)
    return list(found.values())


def save_verdicts(verdicts: list[Verdict], folder: Path) -> None:
    """Write rulings into a folder, which is made."""
    folder.mkdir()
    write_json(folder / "tables.json", [v.table for v in verdicts])
    for i, verdict in enumerate(verdicts):
        held = pa.table({"keep": pa.array(verdict.keep), "reason": verdict.reason.cast(pa.string())})
        feather.write_feather(held, folder / f"{i}.arrow", compression="uncompressed")


def load_verdicts(folder: Path) -> list[Verdict]:
    """Read rulings that `save_verdicts` wrote."""
    import json

    found = []
    for i, table in enumerate(json.loads((folder / "tables.json").read_bytes())):
        held = feather.read_table(folder / f"{i}.arrow", memory_map=True)
        keep = np.asarray(held.column("keep").to_numpy())
        found.append(
            Verdict(
                table, keep, pa.concat_arrays(held.column("reason").chunks) if len(keep) else pa.nulls(0, pa.string())
            )
        )
    return found
