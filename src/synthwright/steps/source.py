"""Step 1: read the real rows, bring them in through the door, and hold some of them out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from synthwright import __version__
from synthwright.core.context import Context, Store
from synthwright.core.contracts import Source
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, SpecError
from synthwright.core.hashes import sha256
from synthwright.core.infer import infer
from synthwright.core.jobs import beside_only, private
from synthwright.core.leaving_out import without
from synthwright.core.plan import Say, plan, source_of, unplaced
from synthwright.core.plan_private import held_out
from synthwright.core.schema import Schema, fingerprint
from synthwright.core.spec import Spec
from synthwright.kit.holdout import split
from synthwright.kit.measuring.overlap import refuse_overlap
from synthwright.kit.tables import load_dataset, save_dataset, write_json
from synthwright.sources.provenance import generation_of, synthetic_origin
from synthwright.steps.private import drawn_lot, shown_name

LEAST_ROWS = 10
"""Fewer real rows are refused: whatever was made of them would be those rows again."""


class Sourced(NamedTuple):
    """The real rows of a run, in the store."""

    key: str
    at: Path
    inputs: dict[str, str]
    """The files that were read, by name, and the SHA-256 of each."""
    generation: int = 0
    """How many generations of made rows they are away from real ones; 0: they are real, as far as is known."""

    @property
    def schema(self) -> Schema:
        """The schema, given or inferred, without ignored columns."""
        return Schema.model_validate_json((self.at / "schema.json").read_bytes())

    @property
    def notes(self) -> list[str]:
        """What was guessed about the data, and why."""
        found: list[str] = json.loads((self.at / "notes.json").read_bytes())
        return found

    def train(self) -> Dataset:
        """Return the rows that generators learn from."""
        return load_dataset(self.at / "train")

    def holdout(self) -> Dataset | None:
        """Return the rows that generators never see."""
        return load_dataset(self.at / "holdout") if (self.at / "holdout").is_dir() else None


def source(spec: Spec, store: Store, ctx: Context, say: Say = unplaced) -> Sourced | None:
    """Read and split the real rows; None where the specification names no source.

    Raises:
        InputError: unreadable, fewer than ten rows, all rows alike, or synthetic without `accept_synthetic`.
    """
    recipe = source_of(spec, say)
    if recipe is None or spec.source is None:
        return None
    held = held_out(spec)
    files, beside = recipe.files(ctx), _beside(recipe, held.path).files(ctx) if held.path else []
    inputs = {shown_name(f, ctx): sha256(f) for f in (*files, *beside)}
    learned = {inputs[shown_name(f, ctx)] for f in files}
    if any(inputs[shown_name(f, ctx)] in learned for f in beside):
        raise InputError(held.path or "", "the holdout", wanted="rows that are not learned from",
                         got="a file of the source", remedy="name another file, or hold out a share")  # fmt: skip
    schema = spec.schema_.fingerprint() if isinstance(spec.schema_, Schema) else None
    settings = recipe.model_dump(mode="json", exclude={"path"})
    secret = private(spec) and held.path is None and held.after is None  # whom chance holds out
    lot = drawn_lot(spec, ctx, inputs) if secret else 0
    identity = [__version__, spec.source.use, settings, sorted(inputs.items()), schema, held.model_dump(mode="json"),
                list(spec.ignore), spec.evaluate.target, str(lot) if private(spec) else spec.seed,
                spec.accept_synthetic, sorted(spec.begin.beside), beside_only(spec), private(spec)]  # fmt: skip
    key = f"source/{fingerprint(identity)}"
    dice = replace(ctx, seed=lot) if private(spec) else ctx
    at = store.get(key) or store.put(key, lambda folder: _read(spec, recipe, dice, say, folder))
    return Sourced(key, at, inputs, generation_of(files) if spec.accept_synthetic else 0)


def _read(spec: Spec, recipe: Source, ctx: Context, say: Say, folder: Path) -> None:
    assert spec.source is not None  # noqa: S101  `source` looked
    held = held_out(spec)
    data, notes = _admitted(spec, recipe, ctx, None, say)
    train, rest, said = data, None, list[str]()
    if held.path is not None:
        rest = _admitted(spec, _beside(recipe, held.path), ctx, data.schema, say)[0]
        refuse_overlap(train, rest, held.path)
    elif beside_only(spec):
        said = ["no rows were held out, because nothing is learned from them: they stay as they are"]
    else:
        dice = ctx.at("source", "holdout")
        train, rest, said = split(data, held, spec.evaluate.target, dice, LEAST_ROWS, by_number=private(spec))
    save_dataset(train, folder / "train")
    if rest is not None:
        save_dataset(rest, folder / "holdout")
    (folder / "schema.json").write_text(data.schema.model_dump_json(by_alias=True), encoding="utf-8")
    write_json(folder / "notes.json", [*notes, *said])


def _admitted(spec: Spec, recipe: Source, ctx: Context, schema: Schema | None, say: Say) -> tuple[Dataset, list[str]]:
    """Read one source, and refuse what cannot be learned from."""
    origin = None if spec.accept_synthetic else synthetic_origin(recipe.files(ctx))
    if origin is not None:
        raise InputError(shown_name(origin, ctx), "the file", wanted="real rows",
                         got="rows that say they are synthetic",
                         remedy="learn from real rows, or say 'accept_synthetic: true'")  # fmt: skip
    ctx.progress(0, 1, "reading")
    tables = recipe.tables(ctx)
    notes: list[str] = []
    declared = schema or (spec.schema_ if isinstance(spec.schema_, Schema) else None)
    if declared is None:
        guessed = infer(tables, text=recipe.text, typed=recipe.typed)
        declared = guessed.schema
        notes = [f"{n.table}.{n.column}: {n.guess}; {n.why}" if n.column else f"{n.table}: {n.guess}; {n.why}"
                 for n in guessed.notes]  # fmt: skip
    elif len(real := [t for t in declared.tables if t not in spec.begin.beside or t in tables]) == 1 == len(tables):
        tables = {real[0]: next(iter(tables.values()))}  # a single table is called what the schema calls it
    if schema is None:
        new = [t for t in spec.begin.beside if t in declared.tables and t not in tables]
        tables |= {t: Dataset.empty(declared).tables[t] for t in new}
    if schema is None:
        unknown = [(i, c) for i, c in enumerate(spec.ignore) if not ignorable(declared, c)]
        if unknown:
            raise SpecError([say(("ignore", i), f"no column is called {c!r}") for i, c in unknown])
        declared = without(declared, spec.ignore)
        plan(
            spec.model_copy(update={"ignore": ()}), declared, say
        )  # every unknown column, before the split looks at one
    extra = [f"{t}.{c}" for t, held in tables.items() if t in declared.tables
             for c in held.column_names if c not in declared.tables[t].fields]  # fmt: skip
    notes += [f"left out, because ignored or not in the schema: {', '.join(extra[:20])}"] if extra else []
    data = Dataset.of(tables, declared, text=recipe.text)
    refuse_poor(data)
    return data, notes


def ignorable(schema: Schema, name: str) -> bool:
    """Return whether a name is a column, or all columns of a table (`table.*`)."""
    return name in schema.columns or (name.endswith(".*") and name[:-2] in schema.tables)


def refuse_poor(data: Dataset) -> None:
    """Refuse data of which any synthetic version would be a copy: fewer than ten rows, or all rows alike.

    Raises:
        InputError: the first such table; an empty one beside others stays empty.
    """
    for name, error in poor(data).items():
        if data.rows(name) or len(data.tables) == 1:
            raise error


def poor(data: Dataset) -> dict[str, InputError]:
    """Return why tables cannot be learned from, by the table's name."""
    found = {}
    remedy = "" if len(data.tables) == 1 else ", or leave the table out with 'ignore: [{}.*]'"
    for name, table in data.tables.items():
        if table.num_rows < LEAST_ROWS:
            found[name] = InputError(name, "the table", wanted=f"at least {LEAST_ROWS} rows", got=f"{table.num_rows}",
                                     remedy="collect more real rows: what is made of so few repeats them"
                                     + remedy.format(name))  # fmt: skip
        elif all(_constant(table.column(c)) for c in data.columns(name)):
            found[name] = InputError(
                name,
                "the table",
                wanted="rows that differ",
                got="rows that are all alike",
                remedy="there is nothing to learn but that one row" + remedy.format(name),
            )
    return found


def left_out(data: Dataset) -> tuple[str, ...]:
    """Return the tables that are too poor to learn from, beside others that are not.

    Raises:
        InputError: no table is left.
    """
    weak = tuple(poor(data)) if len(data.tables) > 1 else ()
    if not weak or len(weak) == len(data.tables):
        refuse_poor(data)
    return weak


def told_left_out(table: str) -> str:
    """Return the sentence that says why a table is left out."""
    return f"table {table!r} is left out: it has too few rows, or only one kind of row"


def _constant(column: pa.ChunkedArray) -> bool:
    if column.null_count == len(column):
        return True
    return bool(column.null_count == 0 and pa.compute.count_distinct(column).as_py() == 1)


def _beside(recipe: Source, path: str) -> Source:
    return recipe.model_copy(update={"path": path})
