"""Generations that learn from each other: what is lost where each replaces the last, and what keeps it.

The real rows are dealt into three equal parts: generation one learns from the first; the second is the second real
sample that says what chance does, and gives the fresh rows; the third judges every generation, and none learns from it.
Regimes: `replace` (each generation learns from the last alone), `accumulate` (from the real rows and all generations;
Gerstgrasser et al., arXiv 2404.01413) and `fresh` (from the last, with a share of fresh real rows; Alemohammad et al.,
arXiv 2307.01850). Generation one is the same in all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset, to_arrow
from synthwright.core.errors import InputError
from synthwright.core.leaving_out import without
from synthwright.core.schema import Schema, fingerprint
from synthwright.core.writing import guessed_target
from synthwright.report.collapsed import ACCUMULATE, FRESH, REPLACE, Chance, Collapse, Regime, Step, advise, judged
from synthwright.sources.generations import generation_in
from synthwright.store.folder import said_plainly
from synthwright.studies.collapse_makers import VARIES, Maker, default_of, maker_of, plain, texts_of
from synthwright.studies.collapse_ruler import Ruler
from synthwright.studies.data import entered, real_rows

MOST = 5_000
"""Rows of a generation where nothing is said."""
LEAST = 50
"""Rows of a generation below which nothing can be told from chance."""
_PARTS = 3
_MADE_HERE = "name the real rows that these were learned from: generations are made here"


class Wish(NamedTuple):
    """How generations are made."""

    generations: int = 10
    use: str | None = None
    """The generator; None: the default for tables, or what varies texts."""
    target: str | None = None
    """The column to predict; None: guessed."""
    share_fresh: tuple[float, ...] = (0.1,)
    """Shares of fresh real rows, a regime for each."""
    rows: int | None = None
    """Rows of a generation; None: a third of the real ones, 5,000 at most."""
    schema: Schema | None = None
    """What the data is; None: inferred."""
    seed: int = 0
    force: bool = False
    """Replace what another study left."""


class _Ground(NamedTuple):
    """What all regimes share."""

    schema: Schema
    first: pa.Table
    """The real rows that generation one learns from."""
    fresh: pa.Table
    make: Maker
    ruler: Ruler
    ctx: Context
    tell: Callable[[str, int], None]

    def made(self, rows: pa.Table, *place: str | int) -> pa.Table:
        """Return a generation that learned from some rows."""
        table = self.schema.only
        new = self.make(Dataset(self.schema, {table: rows}), self.first.num_rows, self.ctx.at("made", *place))
        return plain(new).tables[table]


def collapse(
    data: Any, wish: Wish, out: Path | None = None, tell: Callable[[str, int], None] = lambda *_: None,
    make: Maker | None = None,
) -> Collapse:  # fmt: skip
    """Let generations learn from each other in every regime, and measure each.

    Args:
        data: the path of a file, or a frame.
        wish: how generations are made.
        out: the folder for the page; None: nothing is kept.
        tell: who is told the regime and the generation that begins.
        make: makes generations in place of a registered generator; `wish.use` is then only its name.

    Raises:
        InputError: several tables, too few rows, rows that say they are synthetic, a target that is not there.
        UnknownNameError: a generator that nobody registered, or one that does not learn whole tables.
    """
    _refuse_odd(wish)
    name, real = _read(data, wish.schema)
    if out is None:
        return _studied(name, real, wish, tell, make)
    with entered(out) as place:
        said = wish._replace(schema=None, force=False)
        place.claim(fingerprint(["collapse", __version__, real.fingerprint(), [*map(str, said)]]), force=wish.force)
        found = _studied(name, real, wish, tell, make)
        with said_plainly(out):
            found.write(out)
        return found


def _studied(
    name: str, real: Dataset, wish: Wish, tell: Callable[[str, int], None], make: Maker | None
) -> Collapse:  # fmt: skip
    target = _target(real, wish.target, name)
    used = wish.use or default_of(real.schema)
    real, notes = (real, []) if make or used == VARIES else _without_texts(real, used)
    maker = make or maker_of(used, real.schema)
    ctx = Context(seed=wish.seed).at("collapse")
    table = real.tables[real.schema.only]
    many = wish.rows or min(MOST, table.num_rows // _PARTS)
    if many < LEAST or many * _PARTS > table.num_rows:
        raise InputError(name, "the table", got=f"{table.num_rows:,}", remedy="more real rows, or fewer with --rows",
                         wanted=f"at least {max(LEAST, many) * _PARTS:,} rows, three times those of a generation",
                         )  # fmt: skip
    order = ctx.at("parts").rng.permutation(table.num_rows)
    first, fresh, judge = (table.take(pa.array(order[i * many : (i + 1) * many])) for i in range(_PARTS))
    fields = real.schema.tables[real.schema.only].fields
    ruler = Ruler(judge, fields, target, texts_of(real.schema), ctx.at("ruler"))
    ground = _Ground(real.schema, first, fresh, maker, ruler, ctx, tell)
    tell("chance", 0)
    chance = ruler.chance(first, fresh)
    regimes = _regimes(ground, wish, chance)
    needed = max(wish.share_fresh, default=0.0) * (wish.generations - 1)
    if needed > 1:
        notes.append(f"fresh rows were used again: {math.ceil(needed)} times as many would have been needed")
    return Collapse(
        synthwright=__version__, data=name, use=used, real=table.num_rows, rows=many, generations=wish.generations,
        target=target, seed=wish.seed, chance=chance, regimes=regimes, because=advise(regimes, chance),
        notes=tuple(notes),
    )  # fmt: skip


def _regimes(ground: _Ground, wish: Wish, chance: Mapping[str, Chance]) -> tuple[Regime, ...]:
    """Return every regime with its generations."""
    ground.tell("all", 1)
    one = ground.made(ground.first, 1)
    step = Step(generation=1, learned=one.num_rows, real=1.0, values=ground.ruler.all_of(one))
    found = []
    for name, share in ((REPLACE, None), (ACCUMULATE, None), *((FRESH, s) for s in wish.share_fresh)):
        steps, last, gathered = [step], one, [ground.first, one]
        for number in range(2, wish.generations + 1):
            ground.tell(name if share is None else f"{name} {100 * share:g} %", number)
            source, real = _source(ground, name, share, number, last, gathered)
            last = ground.made(source, name, str(share), number)
            gathered.append(last)
            values = ground.ruler.all_of(last)
            steps.append(Step(generation=number, learned=source.num_rows, real=real, values=values))
        found.append(Regime(name=name, share=share, steps=judged(steps, chance)))
    return tuple(found)


def _source(
    ground: _Ground, name: str, share: float | None, number: int, last: pa.Table, gathered: list[pa.Table]
) -> tuple[pa.Table, float]:
    """Return what a generation learns from, and the share of it that is real."""
    many = ground.first.num_rows
    if name == REPLACE:
        return last, 0.0
    if name == ACCUMULATE:
        return pa.concat_tables(gathered), 1.0 / len(gathered)
    taken = max(1, round((share or 0.0) * many))
    at = (pa.array((range((number - 2) * taken, (number - 1) * taken)), pa.int64()).to_numpy()) % many
    kept = ground.ctx.at("mixed", str(share), number).rng.permutation(many)[: many - taken]
    return pa.concat_tables([last.take(pa.array(kept)), ground.fresh.take(pa.array(at))]), taken / many


# --------------------------------------------------------------------------------------------------- what it is made of
def _refuse_odd(wish: Wish) -> None:
    if not 2 <= wish.generations <= 100:
        raise InputError("collapse", "generations", wanted="from 2 to 100", got=str(wish.generations))
    odd = [s for s in wish.share_fresh if not 0 < s < 1]
    if odd:
        raise InputError("collapse", "the share of fresh rows", wanted="above 0 and below 1", got=f"{odd[0]:g}")


def _read(data: Any, schema: Schema | None) -> tuple[str, Dataset]:
    """Return what data is called, and its single table."""
    if not isinstance(data, str | Path):
        held = Dataset.of(_unmarked(data), schema)
        name, real = "data", held if schema is None else Dataset.of(held, schema)
    else:
        at = Path(data).absolute()
        name, real = at.name.split(".")[0] or "data", real_rows(at, schema, "the data", _MADE_HERE)[2]
    if len(real.schema.tables) != 1:
        raise InputError(name, "the data", wanted="one table", got=f"{len(real.schema.tables)}",
                         remedy="name the file of one of them")  # fmt: skip
    return name, plain(real)


def _unmarked(data: Any) -> Any:
    """Return frames, or refuse those that say they are synthetic."""
    frames = data.tables if isinstance(data, Dataset) else data if isinstance(data, Mapping) else {"data": data}
    if generation_in(to_arrow(frame, str(t)).schema for t, frame in frames.items()):
        raise InputError("data", "the data", wanted="real rows", got="rows that say they are synthetic",
                         remedy=_MADE_HERE)  # fmt: skip
    return data


def _target(real: Dataset, asked: str | None, name: str) -> str | None:
    """Return the name of the column to predict."""
    fields, held = real.schema.tables[real.schema.only], real.tables[real.schema.only]
    if asked is None:
        return guessed_target(fields, held)
    plain_name = asked if asked in fields.fields else asked.partition(".")[2]
    if plain_name not in fields.fields:
        raise InputError(name, f"target {asked!r}", wanted="a column of the data", got="none of that name",
                         remedy=f"there are {', '.join(list(fields.fields)[:12])}")  # fmt: skip
    return plain_name


def _without_texts(real: Dataset, used: str) -> tuple[Dataset, list[str]]:
    """Return data without the texts that no generator for tables learns, and what there is to say about it."""
    texts = texts_of(real.schema)
    if not texts:
        return real, []
    table = real.schema.only
    schema = without(real.schema, tuple(f"{table}.{c}" for c in texts))
    held = real.tables[table].select(list(schema.tables[table].fields))
    return Dataset(schema, {table: held}), [f"{', '.join(texts)}: left out, for {used} learns no texts"]
