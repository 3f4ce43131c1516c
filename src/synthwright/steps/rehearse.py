"""What language models would be asked: a few rows are made with made-up answers, and nothing is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from synthwright import __version__
from synthwright.core.chat import Request
from synthwright.core.dataset import Dataset
from synthwright.core.schema import fingerprint
from synthwright.kit.chat.prices import Estimate, estimate, estimate_embeddings, tokens_of
from synthwright.kit.chat.rehearsing import DirectModels
from synthwright.kit.chat.spending import EMBEDDINGS, part_of
from synthwright.kit.tables import load_dataset, save_dataset
from synthwright.providers.scripted import Scripted
from synthwright.steps.curate import curate
from synthwright.steps.diversity import diversity
from synthwright.steps.fit import fit
from synthwright.steps.generate import generate
from synthwright.steps.models import place_of
from synthwright.steps.orders import Bench
from synthwright.steps.start import Begun, first_start
from synthwright.steps.waves import shard_data


class Rehearsed(NamedTuple):
    """What one part or curator would ask one model."""

    part: str
    model: str
    requests: tuple[Request, ...]
    """The first ones."""
    all: Estimate
    """What all of them will take, if every answer is accepted at once."""


def rehearse(bench: Bench, rows: int) -> list[Rehearsed]:
    """Return what language models would be asked for a few rows of each table, and an estimate for all.

    Answers are made up, so that what is asked after them is right in its form and not in its words.
    """
    scripted = Scripted()
    models = DirectModels(lambda _, request, __: scripted.answer(request))
    bench = bench._replace(ctx=replace(bench.ctx, models=models))
    begun = first_start(bench)
    wanted = begun.slots
    begun = _shortened(bench, begun, rows)
    shards, begun = generate(bench, fit(bench), begun, [])
    wave = curate(bench, shards, [], begun.slots)
    if bench.plan.spec.diversity.asks():
        diversity(bench, [wave], [])
    return [*_summed(bench, models, wanted, begun), *_embedded(bench, models, wanted, begun, shards)]


def _shortened(bench: Bench, begun: Begun, rows: int) -> Begun:
    """Return the start with its first rows."""
    data = load_dataset(bench.store.at / begun.key)
    short = Dataset(data.schema, {t: held.slice(0, rows) for t, held in data.tables.items()})
    key = f"start/{fingerprint([__version__, begun.key, 'rehearsal', rows])}"
    if bench.store.get(key) is None:
        bench.store.put(key, lambda folder: save_dataset(short, folder))
    slots = {t: short.rows(t) for t in short.tables}
    return Begun(key, slots, slots)


def _summed(bench: Bench, models: DirectModels, wanted: dict[str, int], begun: Begun) -> list[Rehearsed]:
    asked: dict[tuple[str, str], list[Request]] = {}
    for model, request, key in models.asked:
        asked.setdefault((part_of(key), model), []).append(request)
    found = []
    for (part, model), requests in asked.items():
        place = place_of(part)
        made, whole = _rows(place.table, wanted, begun.slots)
        calls = round(len(requests) * whole / made) if made else len(requests)
        found.append(Rehearsed(place.name, model, tuple(requests), estimate(requests, bench.plan.models[model], calls)))
    return found


def _embedded(
    bench: Bench, models: DirectModels, wanted: dict[str, int], begun: Begun, shards: list[str]
) -> list[Rehearsed]:
    """Return what embeddings take: of texts that rows hold for all rows, of others (evaluation sets) once."""
    pieces = [shard_data(bench, key) for key in shards]
    cells = {v for p in pieces for t in p.tables.values() for c in t.columns if pa.types.is_large_string(c.type)
             for v in pc.unique(c).to_pylist() if v}  # fmt: skip
    made, whole = _rows("", wanted, begun.slots)
    found = []
    for model, texts in models.embedded.items():
        times = [whole / made if made and any(cell in text for cell in cells) else 1.0 for text in texts]
        tokens = sum(n * tokens_of(text) for n, text in zip(times, texts, strict=True))
        all_ = estimate_embeddings(tokens, sum(times), bench.plan.models[model])
        found.append(Rehearsed(EMBEDDINGS, model, (), all_))
    return found


def _rows(table: str, wanted: dict[str, int], short: dict[str, int]) -> tuple[int, int]:
    """Return how many rows were made, and how many are wanted: of a table, of its parents', or of all."""
    if wanted.get(table):
        return short[table], wanted[table]
    both = [(short[t], wanted[t]) for t in wanted if wanted[t]]  # children follow the rows of their parents
    total = Counter[str]()
    for made, whole in both:
        total.update(made=made, whole=whole)
    return total["made"], total["whole"]
