"""Step 2: every part learns from the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.contracts import Model, Recipe
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, StoreError
from synthwright.core.hashes import sha256
from synthwright.core.jobs import private
from synthwright.core.plan import PlannedPart
from synthwright.core.schema import fingerprint
from synthwright.kit.constraints.keeping import Keeper
from synthwright.steps.orders import Bench, opened
from synthwright.steps.private import learn, stand_in
from synthwright.steps.private import save as save_release

NONE: Mapping[str, str] = MappingProxyType({})
WORK = "synthwright.steps.fit:fit_one"


def fit(bench: Bench, inputs: Mapping[str, str] = NONE) -> dict[str, str]:
    """Fit every part that is not fitted yet; return the key of each by the part's name.

    Args:
        bench: the run.
        inputs: the SHA-256 of every file of the source.

    Raises:
        FitError: a part cannot be learned.
        PrivacyError: the privacy budget of the source is spent.
    """
    keys = {p.name: fit_key(bench, p) for p in bench.plan.parts}
    missing = {name for name, key in keys.items() if bench.store.get(key) is None}
    for part in (p for p in bench.plan.parts if p.name in missing):
        if part.part.budget is not None:  # one process measures, and keeps the ledger
            _put_private(bench, part, keys[part.name], inputs)
        elif part.generator.abilities.learns and not part.generator.files(bench.ctx):
            continue
        else:
            _put_fitted(bench, part.name, keys[part.name])  # nothing is learned, or files of the project are read
        missing.discard(part.name)
    waiting = [bench.order(part=name, key=key) for name, key in keys.items() if name in missing]
    bench.ctx.progress(0, max(len(waiting), 1), "parts")
    if waiting and bench.ctx.engine is not None:
        bench.ctx.engine.map(WORK, waiting, lambda n: bench.ctx.progress(n, len(waiting), "parts"))
    return keys


def fit_key(bench: Bench, part: PlannedPart) -> str:
    """Return the identity of a fitted part: the rows, the recipe, what it makes from what, the rules it keeps."""
    identity = [__version__, bench.source, bench.plan.schema.fingerprint(), part.generator.fingerprint(), part.name,
                list(part.part), bench.ctx.seed]  # fmt: skip
    lock = bench.plan.spec.lock
    identity += [lock.releases[part.name]] if lock is not None and part.name in lock.releases else []
    identity += [sha256(path) for path in part.generator.files(bench.ctx) if path.is_file()]
    return f"fit/{fingerprint(identity)}"


def fit_one(order: dict[str, Any]) -> None:
    """Fit one part and put keeper and model into the store."""
    _put_fitted(opened(order), order["part"], order["key"])


def _put_fitted(bench: Bench, name: str, key: str) -> None:
    part = bench.part(name)
    unseen = private(bench.plan.spec)  # not even shapes of real texts, or distances between two columns, are free
    data = stand_in(bench.plan.schema) if unseen else bench.train()
    keeper, model = fit_part(part, data, bench.ctx, ruled=Dataset.empty(bench.plan.schema) if unseen else data)
    bench.store.put(key, lambda folder: save_fitted(keeper, model, folder))


def _put_private(bench: Bench, part: PlannedPart, key: str, inputs: Mapping[str, str]) -> None:
    found = learn(bench, part, inputs)

    def write(folder: Path) -> None:
        save_fitted(found.keeper, found.model, folder)
        save_release(found, folder)

    bench.store.put(key, write)


def fit_part(part: PlannedPart, data: Dataset, ctx: Context, *, ruled: Dataset | None = None) -> tuple[Keeper, Model]:
    """Fit one part: columns that rules derive from others are left to the keeper.

    Args:
        part: the part.
        data: the rows to learn from.
        ctx: the randomness.
        ruled: the rows from which is learned how rules are kept; nothing: the same.
    """
    here = ctx.at("fit", part.name)
    keeper = Keeper.learn(data if ruled is None else ruled, part.part, here.at("keeper"))
    try:
        return keeper, part.generator.fit(keeper.reduce(data), keeper.part, here)
    except (ValueError, ArithmeticError, KeyError, IndexError, TypeError) as error:
        raise FitError(type(part.generator).name, "fitting", wanted="data it can learn from",
                       got=f"{type(error).__name__} inside the generator",
                       remedy="try another generator, and report this") from error  # fmt: skip


def save_fitted(keeper: Keeper, model: Model, folder: Path) -> None:
    """Write keeper and model into an existing folder."""
    for name, held in (("keeper", keeper), ("model", model)):
        (folder / name).mkdir()
        held.save(folder / name)


def load_fitted(generator: Recipe, folder: Path) -> tuple[Keeper, Model]:
    """Read what `save_fitted` wrote; a StoreError where it is anything else."""
    try:
        model: Model = type(generator).model.load(folder / "model")  # type: ignore[attr-defined]  # a Generator's class
        return Keeper.load(folder / "keeper"), model
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise StoreError(folder.name, "a fitted part", wanted="what Synthwright saved",
                         got=f"content that makes no model ({type(error).__name__})",
                         remedy="fit the model again") from None  # fmt: skip
