"""Events on a line, for many parents at once: of a Poisson process, of a renewal process, and what they set off.

Positions are counted in operational time, in which events come at an even rate; `rhythm_intensity` leads from
there to the clock. Everything is in arrays over all events: the parent of each, never falling, and its position.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

MARGIN = 5.0
"""Standard deviations beyond the mean up to which gaps are drawn at once."""


def owners(counts: np.ndarray) -> np.ndarray:
    """Return to which parent each event belongs, from how many there are of each."""
    return np.repeat(np.arange(len(counts)), counts)


def ranks(counts: np.ndarray) -> np.ndarray:
    """Return the number of each event among those of its parent, from 0."""
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)


def ascending(rng: np.random.Generator, counts: np.ndarray) -> np.ndarray:
    """Return uniform numbers from 0 to 1, so many for each parent, in ascending order: without sorting anything.

    The gaps between n uniform numbers, and to both ends, are n + 1 exponential ones in proportion to their sum (Rényi).
    """
    gaps = rng.standard_exponential(int(counts.sum()) + len(counts))
    sums = np.cumsum(gaps, out=gaps)
    lasts = np.cumsum(counts + 1) - 1
    ends = sums[lasts]
    begins = np.append(0.0, ends)[: len(ends)]
    inner = np.ones(len(sums), dtype=bool)
    inner[lasts] = False
    found = sums[inner]
    found -= np.repeat(begins, counts)
    found /= np.repeat(ends - begins, counts)
    return found


def renewals(rng: np.random.Generator, spans: np.ndarray, shape: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the events of a stationary renewal process with gamma gaps: whose, and where in its parent's span.

    It runs since ever: the first gap is what is left of the gap in which the span begins, so that as many events are
    expected as the span is long. The larger the shape the more even the gaps; 1: a Poisson process.

    Args:
        rng: the randomness.
        spans: the length of each parent's span, in mean gaps.
        shape: of the gamma distribution.
    """
    active = np.flatnonzero(spans > 0)
    whose, found = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
    # the rest of a gap that is met by chance: a uniform part of one that is drawn in proportion to its length
    at = rng.random(len(active)) * rng.gamma(shape + 1, 1 / shape, len(active))
    inside = at < spans[active]
    active, at = active[inside], at[inside]
    whose.append(active)
    found.append(at)
    while len(active):
        left = spans[active] - at
        counts = np.ceil(left + MARGIN * np.sqrt(left / shape) + 1).astype(np.int64)
        sums = np.cumsum(rng.gamma(shape, 1 / shape, int(counts.sum())))
        lasts = np.cumsum(counts) - 1
        begins = np.append(0.0, sums[lasts[:-1]])
        reached = at + (sums[lasts] - begins)
        positions = np.repeat(at, counts) + (sums - np.repeat(begins, counts))  # in this order none is before `at`
        owner = np.repeat(active, counts)
        inside = positions < spans[owner]
        whose.append(owner[inside])
        found.append(positions[inside])
        more = reached < spans[active]
        active, at = active[more], reached[more]
    owner = np.concatenate(whose)
    order = np.argsort(owner, kind="stable")  # what was drawn later comes later
    return owner[order], np.concatenate(found)[order]


def offspring(
    rng: np.random.Generator,
    whose: np.ndarray,
    at: np.ndarray,
    *,
    branching: float,
    delay: float,
    stays: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return events with all that they set off, and these in turn: a Hawkes process as clusters (Hawkes, Oakes 1974).

    Args:
        rng: the randomness.
        whose: the parent of each event that comes by itself.
        at: when it comes, int64.
        branching: how many events each sets off on average; below 1.
        delay: how much later these come on average: exponential.
        stays: which events there are, from whose they are and when: others are gone, with all that they would set off.
    """
    every_whose, every_at = [whose], [at]
    while len(whose):
        counts = rng.poisson(branching, len(whose))
        whose = np.repeat(whose, counts)
        at = np.repeat(at, counts) + (rng.standard_exponential(len(whose)) * delay).astype(np.int64)
        kept = stays(whose, at)
        whose, at = whose[kept], at[kept]
        every_whose.append(whose)
        every_at.append(at)
    return in_order(np.concatenate(every_whose), np.concatenate(every_at))


def in_order(whose: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return events in the order of their parents, those of one parent in the order of time."""
    if len(whose) < 2:
        return whose, at
    if at.dtype.kind == "i":
        first = at.min()
        bits = int(at.max() - first).bit_length()
        if bits > 0 and bits + int(whose.max()).bit_length() <= 64:  # both in one number: sorted as it is, read again
            keys = (whose.astype(np.uint64) << np.uint64(bits)) | (at - first).astype(np.uint64)
            keys.sort()
            inside = keys & np.uint64((1 << bits) - 1)
            return (keys >> np.uint64(bits)).astype(np.int64), inside.astype(np.int64) + first
    order = np.lexsort((at, whose))
    return whose[order], at[order]
