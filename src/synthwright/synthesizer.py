"""Fitted models with their schema: what `fit` returns, and the frame type it gives back."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset, to_arrow
from synthwright.core.errors import InputError, SampleError, SpecError, StoreError
from synthwright.core.hashes import of_folder
from synthwright.core.jobs import MADE_ANEW
from synthwright.core.plan import Plan
from synthwright.core.schema import Schema
from synthwright.core.spec import SetTo, Start
from synthwright.kit.constraints.keeping_rows import TableRules, repeating
from synthwright.kit.frames import alike, as_pandas, forgotten
from synthwright.kit.learning.setting import chosen, frequent
from synthwright.kit.tables import write_json
from synthwright.sources.generations import generation_in
from synthwright.steps.complete import Fitted, complete
from synthwright.steps.fit import fit_part, load_fitted, save_fitted

ROUNDS = 10
"""How many rows are tried in all for each that is asked for: where some come, few are left to try again."""
ROOM = 0.5
"""Share of the rows that are tried again of which so many repeat nothing while there is room for more."""
FEW = 20
"""Rows of which so few are asked for are tried as often as if it were this many."""

Library = Literal["pandas", "polars", "arrow", "dataset"]


@dataclass(frozen=True)
class Frame:
    """Which frames came in, so that the same come out: the library, and each table's Arrow schema with its metadata."""

    library: Library
    many: bool
    schemas: Mapping[str, pa.Schema]
    columns: Mapping[str, Any] = field(default_factory=dict)
    """The column labels of pandas frames whose labels are not all text."""
    kinds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What Arrow forgets of pandas columns, by table and column (see `kit.frames`)."""

    @staticmethod
    def of(data: Any) -> Frame:
        """Remember what kind of frame data came in."""
        if isinstance(data, Dataset):
            return Frame("dataset", many=False, schemas={})
        many = isinstance(data, Mapping)
        frames = dict(data) if many else {"data": data}
        library = _library(next(iter(frames.values())))
        odd = {
            str(t): f.columns
            for t, f in frames.items()
            if library == "pandas" and any(not isinstance(c, str) for c in f.columns)
        }
        schemas = {str(t): to_arrow(f, str(t)).schema for t, f in frames.items()}
        kinds = {str(t): forgotten(f) for t, f in frames.items()} if library == "pandas" else {}
        return Frame(library, many, schemas, odd, kinds)

    def restore(self, data: Dataset) -> Any:
        """Return a dataset as frames of the kind that came in."""
        if self.library == "dataset":
            return data
        made = {t: self._one(data.to_arrow(t), t) for t in data.schema.tables}
        return made if self.many else next(iter(made.values()))

    def _one(self, table: pa.Table, name: str) -> Any:
        shape = self.schemas.get(name) or (next(iter(self.schemas.values())) if len(self.schemas) == 1 else None)
        if shape is not None and set(table.column_names) == set(shape.names):
            table = alike(table, shape)
        if self.library == "pandas":
            return self._pandas(table, name)
        if self.library == "polars":
            import polars as pl

            made = pl.from_arrow(table)
            assert isinstance(made, pl.DataFrame)  # noqa: S101  from_arrow of a table is a frame
            return made.rename(dict(zip(made.columns, table.column_names, strict=True)))  # "" is a name too
        return table.replace_schema_metadata(None)

    def _pandas(self, table: pa.Table, name: str) -> Any:
        made = as_pandas(table, self.kinds.get(name, next(iter(self.kinds.values()), {})))
        if self.columns:
            made.columns = self.columns.get(name, next(iter(self.columns.values())))
        return made

    def to_json(self) -> dict[str, Any]:
        """Return what `of_json` makes the same from."""
        held = {t: base64.b64encode(s.serialize().to_pybytes()).decode() for t, s in self.schemas.items()}
        odd = {
            t: [c if isinstance(c, int | float | bool) else str(c) for c in names] for t, names in self.columns.items()
        }
        return {"library": self.library, "many": self.many, "schemas": held, "columns": odd, "kinds": self.kinds}

    @staticmethod
    def of_json(said: Mapping[str, Any]) -> Frame:
        """Rebuild it."""
        held = {t: pa.ipc.read_schema(pa.py_buffer(base64.b64decode(s))) for t, s in said["schemas"].items()}
        return Frame(said["library"], said["many"], held, said["columns"], said["kinds"])


def _library(frame: Any) -> Library:
    module = type(frame).__module__.partition(".")[0]
    return "pandas" if module == "pandas" else "polars" if module == "polars" else "arrow"


@dataclass(frozen=True)
class Synthesizer:
    """Fitted models with their schema; `sample` makes rows, `save` and `synthwright.load` carry it elsewhere."""

    plan: Plan
    fitted: tuple[Fitted, ...]
    rows: Mapping[str, int]
    """How many real rows each table had."""
    frame: Frame
    labels: Mapping[str, pa.Array]
    """For each category column, the labels that enough real rows share: what `balanced` balances."""
    generation: int = 1
    """How many generations of made rows its rows are away from real ones: 1, unless it learned from made ones."""

    @property
    def schema(self) -> Schema:
        """What the rows are."""
        return self.plan.schema

    def sample(
        self, n: int | Mapping[str, int] | None = None, *, set: Mapping[str, Any] | None = None, seed: int = 0  # noqa: A002  the word of the specification
    ) -> Any:  # fmt: skip
        """Make synthetic rows, in the frame type that `fit` was given.

        Args:
            n: how many rows, or how many of each table; nothing: as many as the real data had.
            set: columns to choose: a value, `"balanced"`, `{"shares": {…}}` or `{"between": [a, b]}`.
            seed: the same seed gives the same rows.

        Raises:
            InputError: a column or value in `set` that is not there.
            SampleError: rows that cannot be made within the rules.
        """
        if set is not None and not isinstance(set, Mapping):
            raise InputError("sample", "set", wanted="columns with what each is to be, as in {'income': '>50K'}",
                             got=f"a {type(set).__name__}")  # fmt: skip
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise InputError("sample", "seed", wanted="a whole number", got=f"a {type(seed).__name__}")
        return self.frame.restore(self.sample_dataset(n, set, seed))

    def sample_dataset(self, n: int | Mapping[str, int] | None, set_to: Mapping[str, Any] | None, seed: int) -> Dataset:
        """Make synthetic rows as a dataset."""
        rows = self._rows(n)
        ctx = Context(seed=seed).at("sample")
        set_ = self._settings(set_to or {})
        from synthwright.core.part_order import parents_first

        made = Dataset.empty(self.schema)
        for table in parents_first(self.schema):
            mine = {c: how for c, how in set_.items() if self.schema.split(c)[0] == table}
            start = Dataset.blank(self.schema, {table: rows[table]})
            for column, how in sorted(mine.items()):
                labels = self.labels.get(column)
                values = chosen(how, self.schema.field(column), rows[table], labels, ctx.at("set", column), column)
                start = start.with_columns(table, {self.schema.split(column)[1]: values})
            made = self._table(table, start, made, ctx.at(table))
        return made

    def _rows(self, n: int | Mapping[str, int] | None) -> dict[str, int]:
        if n is None:
            return dict(self.rows)
        if isinstance(n, Mapping):
            unknown = sorted({*n} - {*self.schema.tables})
            if unknown:
                raise InputError("sample", f"table {unknown[0]!r}", wanted="a table of the model", got="no such table")
            return {t: int(n.get(t, self.rows[t])) for t in self.schema.tables}
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0:
            raise InputError("sample", "n", wanted="a whole number of rows, zero or more", got=repr(n))
        total = max(self.rows.values()) or 1
        return {t: int(n) if len(self.rows) == 1 else round(n * r / total) for t, r in self.rows.items()}

    def _settings(self, said: Mapping[str, Any]) -> dict[str, SetTo]:
        """Return what is to be set by full column name; refuse what the fitted parts cannot be given."""
        from pydantic import ValidationError

        try:
            names = columns_of(self.schema, list(said))
            start = Start.model_validate({"set": dict(zip(names, said.values(), strict=True))})
        except ValidationError:
            raise InputError("sample", "set", wanted="values, 'balanced', {'shares': {…}} or {'between': [a, b]}",
                             got="something else") from None  # fmt: skip
        for column in names:
            able = any(column in k.part.produce and p.generator.abilities.given == "any" for p, k, _ in self.fitted)
            given = any(column in p.part.given for p, _, _ in self.fitted if p.generator.name != MADE_ANEW)
            alone = any(column in p.part.produce and p.generator.abilities.given == "none" for p, _, _ in self.fitted)
            if not (able or given) or alone:
                raise InputError(
                    "sample",
                    f"set {column}",
                    wanted="a column that the model was fitted to be given",
                    got="one that it was not",
                    remedy=f"fit again with given=[{column!r}] (on the command line: --given {column})",
                )
        return dict(start.set_)

    def _table(self, table: str, start: Dataset, parents: Dataset, ctx: Context) -> Dataset:
        """Complete a start; rows that could not be made are tried again, with other draws, several at once of few."""
        mine = [f for f in self.fitted if f[0].table == table]
        alone = next((i for i, f in enumerate(mine) if f[0].part.scope != "row"), len(mine))
        across = _across(mine[:alone], table, start)
        made = Dataset.empty(self.schema).tables[table]
        waiting, tried, attempt, most = start.tables[table], 0, 0, max(start.rows(table), FEW)
        while tried < ROUNDS * most or not attempt:
            every = np.arange(waiting.num_rows)
            several = np.tile(every, min(1 << attempt, most // max(len(every), 1)) or 1)
            asked = Dataset(self.schema, {**start.tables, table: waiting.take(pa.array(several))})
            found, kept = _completed(mine[:alone], asked, parents, table, ctx.at(attempt), whole=bool(across))
            right = np.flatnonzero(kept)
            done, first = np.unique(several[right], return_index=True)
            new = found.take(pa.array(right[first]))
            if attempt and across:  # those that are there already are tried again
                fresh, across = _fresh(made, new, across)
                done, new = done[fresh], new.filter(pa.array(fresh))
            made = pa.concat_tables([made, new]) if attempt else new
            waiting = waiting.take(pa.array(np.setdiff1d(every, done)))
            if not waiting.num_rows:
                whole = Dataset(self.schema, {**parents.tables, table: made})
                return complete(mine[alone:], whole, table, ctx.at("whole")).data  # sums of all rows, once they are
            tried, attempt = tried + len(several), attempt + 1
        raise SampleError("sample", f"table {table!r}", wanted=f"{start.rows(table)} rows within the rules",
                          got=f"{start.rows(table) - waiting.num_rows} of {tried:,} tried",
                          remedy="loosen a rule, or another value in set") from None  # fmt: skip

    def save(self, path: str | Path) -> None:
        """Write the model into a folder that does not exist yet, or holds a model; plain files, no pickle."""
        at = Path(path)
        if at.exists() and not (at.is_dir() and (not any(at.iterdir()) or (at / "synthesizer.json").is_file())):
            raise StoreError(str(at), "the model", wanted="a new folder", got="something else in its place",
                             remedy="choose another name")  # fmt: skip
        from synthwright.store.folder import said_plainly

        new = at.with_name(f".{at.name}.new")
        with said_plainly(at):
            _write_model(self, new)
            _replace(new, at)

    @staticmethod
    def load(path: Path) -> Synthesizer:
        """Read what `save` wrote; a StoreError where a file is missing or altered."""
        return _read_model(path)

    def __repr__(self) -> str:
        used = ", ".join(sorted({p.generator.name for p, _, _ in self.fitted}))
        return f"Synthesizer({used}; {', '.join(f'{t}: {n:,} rows' for t, n in self.rows.items())})"

    def _repr_html_(self) -> str:
        lines = [f"<li>{escape(t)}: learned from {n:,} rows × {len(self.schema.tables[t].fields)} columns</li>"
                 for t, n in self.rows.items()]  # fmt: skip
        used = ", ".join(sorted({p.generator.name for p, _, _ in self.fitted}))
        return f"<b>Synthesizer</b> ({escape(used)})<ul>{''.join(lines)}</ul>"


def _across(fitted: Sequence[Fitted], table: str, start: Dataset) -> list[TableRules]:
    """Return the rules that concern several rows at once, as they are for a start that gives some columns."""
    given = frozenset(start.columns(table))
    return [replace(k.tables[table], fixed=given) for _, k, _ in fitted if table in k.tables and k.tables[table].across]


def _fresh(made: pa.Table, new: pa.Table, across: list[TableRules]) -> tuple[np.ndarray, list[TableRules]]:
    """Return which new rows repeat nothing that must be unique, and the rules to keep from now on.

    Where most repeat something, there is no room for more: rules that were only seen to hold are then let go.
    """
    both, found = pa.concat_tables([made, new]), np.ones(new.num_rows, dtype=bool)
    for rules in across:
        found &= ~repeating(both, rules, made.num_rows)
    stated = [replace(r, rules=tuple(p for p in r.rules if p.text not in r.seen)) for r in across]
    enough = stated == across or found.sum() >= ROOM * len(found)
    return (found, across) if enough else _fresh(made, new, stated)


def _completed(
    fitted: list[Fitted], asked: Dataset, parents: Dataset, table: str, ctx: Context, *, whole: bool
) -> tuple[pa.Table, np.ndarray]:
    """Complete rows, piece by piece unless `whole`, and say which of them may stay."""
    made, kept = [], []
    for i, shard in enumerate([asked] if whole else asked.shards()):
        given = Dataset(asked.schema, {**parents.tables, table: shard.tables[table]})
        found = complete(fitted, given, table, ctx.at(i))
        made.append(found.data.tables[table])
        kept.append(found.problems[0].keep if found.problems else np.ones(shard.rows(table), dtype=bool))
    return pa.concat_tables(made), np.concatenate(kept)


def columns_of(schema: Schema, names: Sequence[str]) -> tuple[str, ...]:
    """Return columns as `table.column`; in a schema of one table the column's name is enough."""
    found = []
    for name in names:
        if name in schema.columns:
            found.append(name)
        elif len(schema.tables) == 1 and name in schema.tables[schema.only].fields:
            found.append(f"{schema.only}.{name}")
        else:
            from difflib import get_close_matches

            plain = [c.partition(".")[2] if len(schema.tables) == 1 else c for c in schema.columns]
            near = get_close_matches(name, plain, n=1)
            raise InputError("data", f"column {name!r}", wanted="a column of the data", got="none of that name",
                             remedy=f"did you mean {near[0]!r}?" if near else f"there are {_few(plain)}")  # fmt: skip
    return tuple(found)


def _few(names: list[str]) -> str:
    return ", ".join(map(repr, names[:12])) + (" …" if len(names) > 12 else "")


def learn(plan: Plan, data: Dataset, frame: Frame, seed: int) -> Synthesizer:
    """Fit every part of a plan on data."""
    from threadpoolctl import threadpool_limits

    ctx = Context(seed=seed)
    with threadpool_limits(limits=1):
        fitted = tuple((p, *fit_part(p, data, ctx)) for p in plan.parts)
    labels = {
        c: frequent(data.column(c))
        for p, k, _ in fitted
        for c in p.part.produce
        if data.schema.field(c).kind.value in ("category", "boolean") and not data.schema.field(c).anew
    }
    made = generation_in((*frame.schemas.values(), *(t.schema for t in data.tables.values())))
    return Synthesizer(plan, fitted, {t: data.rows(t) for t in data.schema.tables}, frame, labels, made + 1)


def _write_model(model: Synthesizer, at: Path) -> None:
    import shutil

    shutil.rmtree(at, ignore_errors=True)
    at.mkdir(parents=True, mode=0o700)
    for i, (_, keeper, learned) in enumerate(model.fitted):
        (at / f"part-{i}").mkdir()
        save_fitted(keeper, learned, at / f"part-{i}")
    labels = {c: v.to_pylist() for c, v in model.labels.items()}
    said = {"synthwright": __version__, "plan": model.plan.to_json(), "rows": dict(model.rows), "labels": labels,
            "parts": [p.name for p, _, _ in model.fitted], "frame": model.frame.to_json(),
            "generation": model.generation}  # fmt: skip
    write_json(at / "synthesizer.json", said)
    write_json(at / "hashes.json", of_folder(at, apart="hashes.json"))


def _replace(new: Path, at: Path) -> None:
    import shutil

    old = at.with_name(f".{at.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if at.exists():
        at.rename(old)
    new.rename(at)
    shutil.rmtree(old, ignore_errors=True)


def _read_model(at: Path) -> Synthesizer:
    from synthwright.core.schema import canonical

    if not (at / "synthesizer.json").is_file() or not (at / "hashes.json").is_file():
        raise StoreError(str(at), "the model", wanted="a folder that Synthesizer.save wrote", got="none",
                         remedy="make one with `synthwright fit data.parquet -o NAME.model`")  # fmt: skip
    try:
        if json.loads((at / "hashes.json").read_bytes()) != of_folder(at, apart="hashes.json"):
            raise StoreError(str(at), "the model", wanted="the files that were written", got="altered files",
                             remedy="fit it again, or get it again from where it came")  # fmt: skip
        said = json.loads((at / "synthesizer.json").read_bytes())
        plan = Plan.of_json(said["plan"])
        named = {p.name: p for p in plan.parts}
        parts = [(named[n], at / f"part-{i}") for i, n in enumerate(said["parts"])]
        labels = {c: pa.array(v, canonical(plan.schema.field(c))) for c, v in said["labels"].items()}
        rows, frame = {str(t): int(n) for t, n in said["rows"].items()}, Frame.of_json(said["frame"])
        made = max(int(said.get("generation", 1)), 1)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OSError,
        RecursionError,
        pa.ArrowException,
        SpecError,
    ) as error:
        raise StoreError(str(at), "the model", wanted="what Synthwright wrote", got=type(error).__name__,
                         remedy="fit it again, or get it again from where it came") from None  # fmt: skip
    return Synthesizer(plan, tuple((p, *load_fitted(p.generator, f)) for p, f in parts), rows, frame, labels, made)
