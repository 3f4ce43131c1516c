"""How varied written texts are after every wave, and what is done where they become less so.

The texts of a wave that stayed are held against as many of the first wave, and against all before. Waves follow each
other with fewer and fewer rows: those of too few texts are measured together with the ones before them. A later wave
makes the rows that are missing, which may be of other kinds: texts are compared with those that agree in the labels
that their part looks at.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import pyarrow as pa

from synthwright import __version__
from synthwright.core.chat import Ask, Asked, Item, Key, Made, Message, Models, Request
from synthwright.core.plan import Plan, PlannedPart
from synthwright.core.schema import DISCRETE, Kind, fingerprint
from synthwright.kit.measuring.chance import allowance
from synthwright.kit.rows import rank_in_group, row_hashes
from synthwright.kit.tables import load_dataset, save_dataset, write_json
from synthwright.kit.texts.text_diversity import FEWEST, Measured, Texts, compared
from synthwright.kit.texts.text_encoders import embedded
from synthwright.kit.texts.text_words import plain, words
from synthwright.report.diversity import DiversityRow, MeasureRow
from synthwright.steps.orders import Bench
from synthwright.steps.start import Begun
from synthwright.steps.waves import Wave

if TYPE_CHECKING:
    from synthwright.kit.chat.spending import Ledger

LEAST = 2 * FEWEST
"""Texts that are compared on each side, at least."""
MOST_SEEN = 1_000
"""Texts of the first wave, of the one that is measured, and of those between, that are looked at: by chance."""
WORN = 12
"""Phrases that a writer is told not to use, at most."""
_PHRASE = 4
_OFTEN, _SHARE = 3, 0.08
"""Texts that a phrase must be in to be worn out, and which share of all."""
_DIGITS = 6
_NOTE = ("Answers so far are too much alike. Answer in other words than these, and begin otherwise; "
         "do not mention this. Worn out: {}.")  # fmt: skip


class Found(NamedTuple):
    """What was found after a wave."""

    rows: tuple[DiversityRow, ...] = ()
    notes: Mapping[str, str] = {}
    """For parts whose texts have become less varied, what their writer is told in the following waves."""

    @property
    def stops(self) -> bool:
        """Whether the run is to end with the rows that are there."""
        return any(row.then == "stop" for row in self.rows)

    @property
    def reseeds(self) -> bool:
        """Whether the following waves are to be written otherwise."""
        return any(row.then == "reseed" for row in self.rows)


def watched(plan: Plan) -> dict[str, PlannedPart | None]:
    """Return the columns of text that are watched, as `table.column`, and the part that a language model writes."""
    writers = {c: p for p in plan.parts if p.generator.asks() for c in p.part.produce}
    named = plan.spec.diversity.columns
    return {c: writers.get(c) for c in plan.schema.columns
            if (c in named if named else c in writers and plan.schema.field(c).kind is Kind.TEXT)}  # fmt: skip


def diversity(bench: Bench, waves: Sequence[Wave], before: Sequence[Found]) -> Found:
    """Measure the last wave, if that is not done yet; the same every time.

    Args:
        bench: the run.
        waves: all waves so far.
        before: what was found after each of those before the last.
    """
    columns = watched(bench.plan)
    if not columns:
        return Found()
    turned = [i for i, found in enumerate(before, 1) if found.reseeds]
    looked = [[c, p.name if p else "", _kinds(bench.plan, bench.plan.schema.split(c)[0], p)]
              for c, p in columns.items()]  # fmt: skip
    guard = bench.plan.spec.diversity
    asks = [fingerprint(bench.plan.models[name].identity()) for name in guard.asks()]
    said = [__version__, [w.key for w in waves], turned, looked, guard.model_dump(mode="json"), asks]
    key = f"diversity/{fingerprint([*said, bench.ctx.seed])}"
    at = bench.store.get(key)
    if at is None:
        found = _measured(bench, columns, waves, turned[-1] if turned else 0)
        what = {"rows": [row.model_dump(mode="json") for row in found.rows], "notes": dict(found.notes)}
        at = bench.store.put(key, lambda folder: write_json(folder / "found.json", what))
    kept = json.loads((at / "found.json").read_bytes())
    return Found(tuple(DiversityRow.model_validate(row) for row in kept["rows"]), kept["notes"])


def _measured(
    bench: Bench, columns: Mapping[str, PlannedPart | None], waves: Sequence[Wave], turned: int
) -> Found:  # fmt: skip
    kept = [w.kept() for w in waves]
    rows, notes = [], dict[str, str]()
    for column, part in columns.items():
        table, name = bench.plan.schema.split(column)
        kinds = _kinds(bench.plan, table, part)
        held = [k.tables[table].select(list(dict.fromkeys((name, *kinds)))) for k in kept]
        held = [h.filter(h.column(name).is_valid()) for h in held]
        span = _span([h.num_rows for h in held], turned)
        row = DiversityRow(column=column, first=span.low + 1, last=len(held), texts=sum(span.counts[span.low :]))
        row = _row(bench, row, held, span, name, kinds)
        then = bench.plan.spec.diversity.then if row.fallen else ""
        if then == "reseed":
            note = note_of(pa.concat_tables(held[span.low :]).column(name)) if part is not None else ""
            notes |= {part.name: note} if part is not None and note else {}
            then = "reseed" if note else "warn"  # nothing is worn out, or no language model writes it
        rows.append(row.model_copy(update={"then": then}))
    return Found(tuple(rows), notes)


class _Span(NamedTuple):
    """Which waves are measured, and against which."""

    counts: list[int]
    """Texts of each wave."""
    base: int
    """So many waves are the first."""
    low: int
    """From this one on they are measured, from 0."""


def _span(counts: list[int], turned: int) -> _Span:
    """Return which waves are measured: the last, with as many before it as it takes to have enough texts.

    What was written after a writer was told to write otherwise is not measured together with what was before.
    """
    base = next((i for i, n in enumerate(accumulate(counts), 1) if n >= LEAST), len(counts))
    low = len(counts) - 1
    while low > max(base, turned) and sum(counts[low:]) < LEAST:
        low -= 1
    return _Span(counts, base, low if low >= base else 0)


def _row(
    bench: Bench, row: DiversityRow, held: list[pa.Table], span: _Span, name: str, kinds: list[str]
) -> DiversityRow:  # fmt: skip
    """Return the row with its measures, or with why there are none."""
    ctx = bench.ctx.at("diversity", row.column, len(held))
    pieces = [_some(pa.concat_tables(part), ctx.at("some", i).rng) if part else held[0].slice(0, 0)
              for i, part in enumerate((held[: span.base], held[span.base : span.low], held[span.low :]))]  # fmt: skip
    first = span.low < span.base
    whole = pieces[0] if first else pa.concat_tables(pieces)
    ends = np.cumsum([0, *(p.num_rows for p in pieces)])
    every = np.arange(ends[1])
    (mine, others), agree = ((every, every), []) if first else _alike(whole, kinds, ends, ctx.at("alike").rng)
    texts = Texts.of(whole.column(name).combine_chunks(), _vectors(bench, whole.column(name).combine_chunks()))
    found, size = compared(texts, mine, others, ctx.rng, None if first else np.arange(ends[2]))
    if not found:
        return row.model_copy(update={"why": f"too few texts to compare: {LEAST} of each kind are needed"})
    measures = {m: _judged(x, bench.plan.spec.diversity.bound, len(found), first=first) for m, x in found.items()}
    why = f"beside texts with the same {' and '.join(agree)}" if agree else ""
    return row.model_copy(update={"size": size, "measures": measures, "why": why,
                                  "bound": bench.plan.spec.diversity.bound})  # fmt: skip


def _vectors(bench: Bench, texts: pa.Array) -> np.ndarray | None:
    """Return what the embedding model says of texts; nothing where words decide. Those without a word have no length.

    Answers are remembered by text, so that a text of an earlier wave is not asked about again.
    """
    asks = bench.plan.spec.diversity.asks()
    if not asks:
        return None
    spoken = np.flatnonzero(words(texts).counts)
    if not len(spoken):
        return np.zeros((len(texts), 1), dtype=np.float32)
    found = embedded(texts.take(pa.array(spoken)), asks[0], "diversity", bench.ctx)
    out = np.zeros((len(texts), found.shape[1]), dtype=np.float32)
    out[spoken] = found
    return out


def _judged(found: Measured, bound: float, measures: int, *, first: bool) -> MeasureRow:
    """Return a measure as the report keeps it, and whether it has fallen."""
    value, reference = round(found.value, _DIGITS), round(found.reference, _DIGITS)
    if first:
        return MeasureRow(value=value)
    chance = round(allowance(found.apart, measures), _DIGITS)
    fallen = value < bound * reference and value < reference - chance
    return MeasureRow(value=value, reference=reference, chance=chance, fallen=fallen)


def _kinds(plan: Plan, table: str, part: PlannedPart | None) -> list[str]:
    """Return the columns of labels that texts may follow: those that their part looks at, and those of cells."""
    looked = [plan.schema.split(c) for c in part.part.given] if part is not None else []
    cells = plan.spec.begin.cells.get(table)
    named = [*(c for t, c in looked if t == table), *(cells.columns if cells is not None else ())]
    return [c for c in dict.fromkeys(named) if plan.schema.tables[table].fields[c].kind in DISCRETE]


def _some(held: pa.Table, rng: np.random.Generator) -> pa.Table:
    if held.num_rows <= MOST_SEEN:
        return held
    return held.take(pa.array(np.sort(rng.permutation(held.num_rows)[:MOST_SEEN])))


def _alike(
    held: pa.Table, kinds: list[str], ends: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray], list[str]]:
    """Return texts of the last piece, and as many of the first that agree in labels, and which labels these are.

    A column by which fewer than half of the texts would have their like is left out.
    """
    pairs, agree = _paired(held, [], ends, rng), list[str]()
    least = max(LEAST, len(pairs[0]) // 2)
    for column in kinds:
        more = _paired(held, [*agree, column], ends, rng)
        if len(more[0]) >= least:
            pairs, agree = more, [*agree, column]
    return pairs, agree


def _paired(
    held: pa.Table, columns: list[str], ends: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of equally many rows of the last and of the first piece, with the same labels equally often."""
    sides = [np.arange(ends[2], ends[3]), np.arange(ends[1])]
    codes = [row_hashes(held.take(pa.array(side)), columns) for side in sides]
    place = [rank_in_group(c, rng.permutation(len(c))) for c in codes]
    known = np.unique(np.concatenate(codes))
    often = [np.bincount(np.searchsorted(known, c), minlength=len(known)) for c in codes]
    least = np.minimum(*often)
    mine, others = (side[rank < least[np.searchsorted(known, c)]]
                    for side, rank, c in zip(sides, place, codes, strict=True))  # fmt: skip
    return mine, others


# --------------------------------------------------------------------------------------------- written otherwise
def note_of(texts: pa.ChunkedArray) -> str:
    """Return what a writer is told of the phrases that are in too many texts; nothing where none is."""
    worn = phrases(plain(texts.combine_chunks()).to_pylist())
    return _NOTE.format("; ".join(f'"{w}"' for w in worn)) if worn else ""


def phrases(said: Sequence[str]) -> list[str]:
    """Return the runs of four words that most texts have: the commonest first, of a longer run only its beginning."""
    counted, begins = Counter[tuple[str, ...]](), dict[tuple[str, ...], int]()
    for text in said:
        spoken = text.split()
        grams = list(zip(*(spoken[i:] for i in range(_PHRASE)), strict=False))
        counted.update(set(grams))
        begins |= {g: min(i, begins.get(g, i)) for i, g in enumerate(grams)}
    least = max(_OFTEN, _SHARE * len(said))
    often = sorted((g for g, n in counted.items() if n >= least), key=lambda g: (-counted[g], begins[g], g))
    chosen: list[str] = []
    used: set[tuple[str, ...]] = set()
    for gram in often:
        if len(chosen) < WORN and not used & set(_shorter(gram)):
            chosen.append(" ".join(gram))
        used |= set(_shorter(gram))
    return chosen


def _shorter(gram: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (gram[i : i + _PHRASE - 1] for i in range(2))


def retold(bench: Bench, begun: Begun, notes: Mapping[str, str]) -> tuple[Bench, Begun]:
    """Return bench and start for waves that are written otherwise; both as they are where nothing is to be told.

    The start is put under a key of its own: what was made of it without the notes is not taken for what is made with
    them.
    """
    if not notes or bench.ctx.models is None:
        return bench, begun
    key = f"start/{fingerprint([__version__, begun.key, 'told', dict(notes)])}"
    if bench.store.get(key) is None:
        data = load_dataset(bench.store.at / begun.key)
        bench.store.put(key, lambda folder: save_dataset(data, folder))
    models = cast(Models, Telling(bench.ctx.models, notes))
    return bench._replace(ctx=replace(bench.ctx, models=models)), begun._replace(key=key)


@dataclass(frozen=True)
class Telling:
    """Language models that are told more than the recipes ask: some parts' questions have a note in front.

    Args:
        models: who answers.
        notes: for parts by name, what their writer is told.
    """

    models: Models
    notes: Mapping[str, str]

    def each(
        self,
        items: Sequence[Item],
        work: Callable[[Item, Ask], Awaitable[Made]],
        told: Callable[[int], None] | None = None,
    ) -> list[Made]:
        """Do the work on every item, as `core.chat.Models` says."""
        return self.models.each(items, lambda item, ask: work(item, cast(Ask, _Told(ask, self.notes))), told)

    def ledger(self) -> Ledger:
        """Return what was asked so far, and what it cost."""
        return cast("Ledger", cast(Any, self.models).ledger())


@dataclass(frozen=True)
class _Told:
    ask: Ask
    notes: Mapping[str, str]

    async def __call__(self, model: str, request: Request, key: Key) -> Asked:
        note = next((self.notes[p] for p in key if isinstance(p, str) and p in self.notes), "")
        return await self.ask(model, with_note(request, note) if note else request, key)

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        return await self.ask.embed(model, texts)


def with_note(request: Request, note: str) -> Request:
    """Return a request whose system message ends with a note; where there is none, the note is it."""
    first, *rest = request.messages
    if first.role == "system":
        return request._replace(messages=(Message("system", f"{first.text}\n\n{note}"), *rest))
    return request._replace(messages=(Message("system", note), *request.messages))
