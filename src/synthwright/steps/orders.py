"""What a step hands to a worker: JSON that names folders of the store, and how a worker opens them again."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from synthwright import __version__
from synthwright.core.context import Context, Store
from synthwright.core.dataset import Dataset
from synthwright.core.plan import Plan, PlannedPart
from synthwright.core.schema import fingerprint
from synthwright.kit.tables import load_dataset, write_json
from synthwright.store.folder import FolderStore


class Bench(NamedTuple):
    """What every step of a run works with."""

    plan: Plan
    store: FolderStore
    ctx: Context
    source: str | None
    """The key of the step `source`."""

    def order(self, **more: Any) -> dict[str, Any]:
        """Return an order for a worker."""
        said = self.plan.to_json()
        key = f"plan/{fingerprint([__version__, said])}"
        if self.store.get(key) is None:
            self.store.put(key, lambda folder: write_json(folder / "plan.json", said))
        return {"store": str(self.store.at), "plan": key, "source": self.source, "seed": self.ctx.seed, **more}

    def train(self) -> Dataset:
        """Return the training rows; no rows at all where there is no source."""
        return _train(self.store, self.source, self.plan)

    def part(self, name: str) -> PlannedPart:
        """Return a part by its name."""
        return next(p for p in self.plan.parts if p.name == name)


def opened(order: dict[str, Any]) -> Bench:
    """Return the bench that an order names."""
    store = FolderStore(Path(order["store"]))
    plan = _plan(order["store"], order["plan"])
    return Bench(plan, store, Context(seed=order["seed"], store=store), order["source"])


@lru_cache(maxsize=2)
def _plan(at: str, key: str) -> Plan:
    return Plan.of_json(json.loads((Path(at) / key / "plan.json").read_bytes()))


def _train(store: Store, source: str | None, plan: Plan) -> Dataset:
    at = store.get(source) if source is not None else None
    return load_dataset(at / "train") if at is not None else Dataset.empty(plan.schema)
