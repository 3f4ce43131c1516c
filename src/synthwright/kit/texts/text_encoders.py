"""Texts as vectors of length 1: by their words, or by an embedding model that the specification names."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa

from synthwright.core import chat
from synthwright.core.context import Context
from synthwright.core.errors import FitError
from synthwright.core.plan_models import WRITER
from synthwright.core.values import Column
from synthwright.kit.texts.text_similar import Dense, Sparse, Vectors
from synthwright.kit.texts.text_vectors import Weights, counted, unit, unit_rows

WORDS = "words"
"""The name of the encoder that asks nobody: hashed words and pieces of words, rare ones counting more."""
_CHUNK = 64
"""Texts that are embedded at once."""
_ROWS = 512
"""Texts that are held against all known ones at once."""


def encoded(texts: Column, by: str, threshold: float, owner: str, ctx: Context) -> Vectors:
    """Return vectors of texts, none of them null, to be compared.

    Args:
        texts: a column of large_string.
        by: `words`, or an embedding model that the specification names.
        threshold: the least similarity that will be asked for.
        owner: who asks, for errors.
        ctx: holds the models.
    """
    if by != WORDS:
        return Dense(embedded(texts, by, owner, ctx), ctx.note)
    counts = counted(texts)
    return Sparse(unit_rows(Weights.of(counts, least=1).weighted(counts)), threshold)


def embedded(texts: Column, model: str, owner: str, ctx: Context) -> np.ndarray:
    """Return what an embedding model says of texts, none of them null: a row of length 1 for each.

    Raises:
        FitError: there are no language models to embed with.
    """
    if ctx.models is None:
        raise FitError(owner, f"the model {model!r}", wanted="an embedding model to ask",
                       got="none", remedy=f"say `by: words`, or name one, for example {WRITER}")  # fmt: skip
    said = texts.to_pylist()
    chunks = [said[i : i + _CHUNK] for i in range(0, len(said), _CHUNK)]

    async def work(chunk: list[str], ask: chat.Ask) -> list[list[float]]:
        return await ask.embed(model, chunk)

    found = ctx.models.each(chunks, work, partial(_tell, ctx, len(chunks)))
    return unit(np.array([v for part in found for v in part], dtype=np.float32))


def nearest_known(texts: pa.Array, known: pa.Array, by: str, threshold: float, owner: str, ctx: Context) -> np.ndarray:
    """Return how similar each text is to the nearest of some known ones; 0 where that is less than the threshold.

    Args:
        texts: none of them null.
        known: none of them null.
        by: `words`, or an embedding model that the specification names.
        threshold: the cosine from which a text is near.
        owner: who asks, for errors.
        ctx: holds the models.
    """
    out = np.zeros(len(texts))
    if not (len(texts) and len(known)):
        return out
    vectors = encoded(pa.concat_arrays([texts, known]), by, threshold, owner, ctx)
    finder = vectors.finder(len(known), threshold)
    finder.add(np.arange(len(texts), len(texts) + len(known)))
    for begin in range(0, len(texts), _ROWS):
        rows = np.arange(begin, min(begin + _ROWS, len(texts)))
        out[rows] = finder.nearest(rows)
    return np.where(out > 0, np.clip(out, threshold, 1.0), 0.0)


def _tell(ctx: Context, chunks: int, done: int) -> None:
    ctx.progress(done, chunks, "embeddings")
