"""Parts with a privacy budget: real rows are measured once for a source, and what was measured is kept beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, cast

import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Model
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, PrivacyError, StoreError
from synthwright.core.jobs import private
from synthwright.core.plan import Plan, PlannedPart, source_of
from synthwright.core.plan_private import allowed
from synthwright.core.private import PrivateGenerator
from synthwright.core.schema import Schema, canonical, fingerprint
from synthwright.core.spec import Spec
from synthwright.core.spend import ROW, Release, Spend
from synthwright.kit.constraints.keeping import Keeper
from synthwright.kit.learning.releases import packed, unpacked
from synthwright.kit.private.entities import bounded
from synthwright.sources.choose import folder_of
from synthwright.steps.orders import Bench
from synthwright.store.ledger import LOG, Ledger, claims

ENDING = ".privacy"
"""What the folder of a ledger ends in, beside its source."""
_STAND_IN = 20
"""Rows that stand in for real ones."""
RELEASE = "release.txt"
"""The file of a fitted part that holds what it was learned from."""
PAID = "paid"
"""Where a release says which line of which ledger paid for it."""


class Learned(NamedTuple):
    """A part that was learned from a noisy release."""

    keeper: Keeper
    model: Model
    release: str
    """The release, packed."""


def learn(bench: Bench, part: PlannedPart, inputs: Mapping[str, str]) -> Learned:
    """Learn a part from what was measured of real rows; measure them if nobody has yet.

    Args:
        bench: the run.
        part: a part with a budget.
        inputs: the SHA-256 of every file of the source.

    Raises:
        PrivacyError: the budget of the source is spent.
        StoreError: the ledger cannot be written, or was altered.
    """
    here = bench.ctx.at("fit", part.name)
    keeper = Keeper.learn(Dataset.empty(bench.plan.schema), part.part, here.at("keeper"))  # of rules, not of rows
    lock = bench.plan.spec.lock
    text = lock.releases.get(part.name) if lock is not None else None
    if text is None:
        text = _measured(bench, part._replace(part=keeper.part), inputs)
    maker = cast(PrivateGenerator, part.generator)
    release = unpacked(text, f"the release of {part.name}")
    _hold_to(release, cast(Spend, part.part.budget), maker)  # a lock's budget is what the card says was spent
    return Learned(keeper, maker.learned(release, keeper.part, bench.plan.schema, here), text)


def _measured(bench: Bench, part: PlannedPart, inputs: Mapping[str, str]) -> str:
    """Return the release of a part, from the ledger, or measured now and then kept there."""
    spec, ctx, budget = bench.plan.spec, bench.ctx, cast(Spend, part.part.budget)
    if spec.source is None:
        raise PrivacyError(part.name, "measuring", wanted="a source of real rows", got="none",
                           remedy="name it, or run a lock file, which holds what was measured")  # fmt: skip
    key = measurement(bench.plan, part, inputs)
    with opened_ledger(spec, ctx, inputs) as ledger:
        text = ledger.release(key)
        if text is not None:
            return text
        maker = cast(PrivateGenerator, part.generator)
        most = maker.rehearse(bench.plan.schema, part.part, budget=budget, ctx=ctx) or budget  # before any is set aside
        said = spec.source.budget
        whole = Spend(said.epsilon, said.delta, budget.unit) if said else ledger.budget or allowed(bench.plan.parts)
        ledger.refuse_forgotten(_paid(bench))
        ledger.allow(whole)
        ledger.reserve(key, most, f"{type(part.generator).name} of {part.table}")
        try:
            rows = bounded(bench.train(), part.table, budget)
            release = maker.measure(rows, part.part, budget=budget, ctx=ctx.at("fit", part.name))
            _hold_to(release, most, maker)
            text = packed(release._replace(head={**release.head, PAID: ledger.paid_by(key)}))
        except KeyboardInterrupt:
            ledger.stop(key)
            raise
        except Exception:  # a failure tells of real rows too
            ledger.fail(key)
            raise
        ledger.settle(key, text, release.spend)
        return text


def _hold_to(release: Release, budget: Spend, maker: PrivateGenerator) -> None:
    spend, unit = release.spend, (budget.unit, budget.rows)
    if spend.unit != budget.unit or spend.rows > budget.rows:
        raise FitError(type(maker).name, "measuring", wanted=f"{unit[1]} rows of one {unit[0]} hidden",
                       got=f"{spend.rows} of one {spend.unit}",
                       remedy="give the part the budget that it was measured with, or report this")  # fmt: skip
    beyond = budget.rho is not None and (spend.rho is None or spend.rho > budget.rho or spend.chance > budget.chance)
    if beyond or not (spend.epsilon <= budget.epsilon and spend.delta <= budget.delta):
        raise FitError(type(maker).name, "measuring", wanted=f"at most {budget.epsilon:g} and {budget.delta:g} spent",
                       got=f"{release.spend.epsilon:g} and {release.spend.delta:g}",
                       remedy="give the part the budget that it was measured with, or report this")  # fmt: skip


def measurement(plan: Plan, part: PlannedPart, inputs: Mapping[str, str]) -> str:
    """Return the identity of what is measured: the rows, the recipe and the budget; no seed, for none decides it."""
    source = plan.spec.source
    settings = {} if source is None else {k: v for k, v in source.settings.items() if k != "path"}  # one file, one name
    rows = [] if source is None else [source.use, settings, source.holdout.model_dump(mode="json")]
    files = sorted((Path(name).name, held) for name, held in inputs.items())
    columns = [plan.schema.field(c).model_dump(mode="json") for c in part.part.produce]
    budget = cast(Spend, part.part.budget)
    paid = list(budget[:3]) if budget.unit == ROW else list(budget[:4])
    return fingerprint([rows, files, part.table, list(part.part.produce), columns,
                        part.generator.fingerprint(), paid])  # fmt: skip


def _paid(bench: Bench) -> list[Mapping[str, str]]:
    """Return by which lines of ledgers the releases were paid that earlier runs left in this run's store."""
    found: list[Mapping[str, str]] = []
    for file in sorted((bench.store.at / "fit").glob(f"*/{RELEASE}")):
        with suppress(StoreError):  # one that is damaged tells nothing
            said = unpacked(file.read_text(encoding="ascii", errors="replace"), file.parent.name).head.get(PAID)
            found += [said] if isinstance(said, dict) else []
    return found


@contextmanager
def opened_ledger(spec: Spec, ctx: Context, inputs: Mapping[str, str]) -> Iterator[Ledger]:
    """Open the ledger of a source, which from then on counts the contents of its files.

    Args:
        spec: names the source.
        ctx: the project.
        inputs: the SHA-256 of every file, by name.

    Raises:
        PrivacyError: another ledger near them counts files with the same contents: they have several names.
        StoreError: it cannot be opened.
    """
    at, recipe = ledger_of(spec, ctx), source_of(spec)
    files = [] if recipe is None else recipe.files(ctx)
    contents = [inputs[name] for f in files if (name := shown_name(f, ctx)) in inputs]
    for other in _ledgers_near(files, at, ctx.root):
        if claims(other, contents):
            near = other.relative_to(base) if (base := ctx.root.resolve()) in other.parents else other
            raise PrivacyError(at.name, "the ledger", wanted="one for the same rows, whatever their files are called",
                               got=f"another that counts them, {near}",
                               remedy=f"name it: 'source: {{ledger: {near}}}'")  # fmt: skip
    with Ledger.open(at) as ledger:
        ledger.claim(contents)
        yield ledger


def _ledgers_near(files: Sequence[Path], own: Path, root: Path) -> list[Path]:
    """Return ledgers in the folders of files and those above and below, inside the project."""
    found, base = set[Path](), root.resolve()
    for folder in {f.resolve().parent for f in files}:
        above = [p for p in (folder, *folder.parents) if p == base or base in p.parents] or [folder]
        found |= {p.parent for place in above for p in place.glob(f"*/{LOG}")}
        found |= {p.parent for place in above[:2] for p in place.glob(f"*/*/{LOG}")}
    return sorted(found - {own.resolve()})


def shown_name(path: Path, ctx: Context) -> str:
    """Return a file's name as the project knows it; no machine's folders go into a release."""
    root = ctx.root.resolve()
    return str(path.relative_to(root)) if root in path.parents else path.name


def ledger_of(spec: Spec, ctx: Context) -> Path:
    """Return the folder of a source's ledger: beside the source, so that another output folder has the same.

    Raises:
        PathError: it leaves the project folder.
    """
    assert spec.source is not None  # noqa: S101  whoever measures looked
    if spec.source.ledger is not None:
        return ctx.open_path(spec.source.ledger)
    said = str(spec.source.settings.get("path", ""))
    if set("*?[") & set(said):
        return folder_of((ctx.home or ctx.root) / said) / f"source{ENDING}"
    at = ctx.open_path(said)
    return at.with_name(at.name + ENDING)


def drawn_lot(spec: Spec, ctx: Context, inputs: Mapping[str, str]) -> int:
    """Return the seed by which rows of a source are held out: as secret as noise, and the same for every run.

    A row's number says whether it is held out, so the seed is another one for every content of the files: in a table
    with a row less, the rows after it have other numbers.
    """
    with opened_ledger(spec, ctx, inputs) as ledger:
        said = [ledger.lot(), *sorted(inputs.values())]
    return int.from_bytes(sha256("".join(said).encode()).digest())


def stand_in(schema: Schema) -> Dataset:
    """Return rows that nobody had: what keys, texts and personal data are made anew from where rows are paid for."""
    tables = {}
    for name, table in schema.tables.items():
        columns = {c: _values(canonical(f)) for c, f in table.fields.items()}
        tables[name] = pa.table(columns)
    return Dataset(schema, tables)


def _values(kind: pa.DataType) -> pa.Array:
    many = range(1, _STAND_IN + 1)
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return pa.array([f"text {i}" for i in many], pa.large_string()).cast(kind)
    if pa.types.is_boolean(kind):
        return pa.array([bool(i % 2) for i in many])
    whole = pa.int32() if kind.bit_width == 32 else pa.int64()
    return pa.array(many, whole).cast(kind)


def locked(spec: Spec) -> bool:
    """Return whether the lock of a specification holds all that its rows are made of."""
    return spec.lock is not None and bool(spec.lock.releases) and private(spec)


def shown(spec: Spec, inputs: Mapping[str, str]) -> dict[str, str]:
    """Return what a release may say of the files that it was made from: hashes, by the file's name.

    Where the rows are paid for it gives no hash: whoever knows all of them but one could try what the one is.
    """
    return dict.fromkeys(inputs, "") if private(spec) else dict(inputs)


def save(learned: Learned, folder: Path) -> None:
    """Write the release into the folder of a fitted part."""
    (folder / RELEASE).write_text(learned.release, encoding="ascii")


def releases(bench: Bench, fits: Mapping[str, str]) -> dict[str, str]:
    """Return what each part with a budget was learned from, for the lock of a release."""
    return {p.name: (bench.store.at / fits[p.name] / RELEASE).read_text(encoding="ascii")
            for p in bench.plan.parts if p.part.budget is not None}  # fmt: skip
