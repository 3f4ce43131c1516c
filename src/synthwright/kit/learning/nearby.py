"""Nearest rows among those of a group, by a compiled search.

Rows are as far apart as `kit.measuring.neighbours` says, which proofs are measured with: the mean over columns of 0 or
1 for labels, and of the difference in rank for values with an order. Memory is that of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthwright.kit.learning.held import Held, Line
from synthwright.kit.learning.kernels import kernel
from synthwright.kit.learning.threads import side_by_side
from synthwright.kit.measuring.stats import midranks

ABSENT = 4.0
"""Stands for null among ranks: farther than 1 from all, and distances stop at 1."""
OPEN = -1
"""Stands for a label that is not asked about; among ranks that is NaN."""
NOBODY, ITSELF = -1, -2
"""Who is left out of the search: nobody, or the first row that is equal."""
_PIECE = 2_000
"""Rows that seek at a time, each piece in a thread."""
_TILE = 4_096
"""Rows whose distances are computed at once: what a core's cache holds."""


class Sites(NamedTuple):
    """Rows as coordinates, row by row."""

    ordered: np.ndarray
    """float32, rows × columns: ranks from 0 to 1 among the real rows."""
    discrete: np.ndarray
    """int32, rows × columns: labels."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.ordered)

    def take(self, rows: np.ndarray | slice) -> Sites:
        """Return some rows."""
        return Sites(self.ordered[rows], self.discrete[rows])

    def beside(self, column: np.ndarray) -> Sites:
        """Return the rows with one more ordered column."""
        return self._replace(ordered=np.column_stack([self.ordered, column.astype(np.float32)]))


class Groups(NamedTuple):
    """For each row that seeks, where the rows stand among which it seeks."""

    members: np.ndarray
    """int64: positions of rows, those of one group together."""
    begin: np.ndarray
    """int64, one per row that seeks: where its group begins in `members`."""
    end: np.ndarray
    """int64: where it ends."""

    @property
    def sizes(self) -> np.ndarray:
        """How many rows each seeks among."""
        return self.end - self.begin

    def take(self, rows: np.ndarray | slice) -> Groups:
        """Return the groups of some rows."""
        return self._replace(begin=self.begin[rows], end=self.end[rows])

    def at_most(self, many: int) -> Groups:
        """Return the first rows of each group."""
        return self._replace(end=np.minimum(self.end, self.begin + many))


def sites(columns: Sequence[Held], values: Sequence[np.ndarray | None], rows: int) -> Sites:
    """Return rows as coordinates.

    Args:
        columns: what the ranks count.
        values: what each column holds, positions or places; None: nothing is asked about it.
        rows: how many rows there are.
    """
    ordered, discrete = [], []
    for column, held in zip(columns, values, strict=True):
        if isinstance(column, Line):
            rank = np.full(rows, np.nan) if held is None else midranks(held, column.known)
            ordered.append(rank if held is None else np.nan_to_num(rank, nan=ABSENT))
        else:
            discrete.append(np.full(rows, OPEN) if held is None else held)
    line = np.stack(ordered, axis=1) if ordered else np.zeros((rows, 0))
    place = np.stack(discrete, axis=1) if discrete else np.zeros((rows, 0))
    return Sites(np.ascontiguousarray(line, dtype=np.float32), np.ascontiguousarray(place, dtype=np.int32))


def nearby(seek: Sites, among: Sites, groups: Groups, count: int, own: np.ndarray) -> np.ndarray:
    """Return the positions of the nearest rows of each row's group, the nearest first; -1 where the group has no more.

    Of equally near rows, the first of the group is taken.

    Args:
        seek: whose neighbours are wanted.
        among: where they are looked for.
        groups: among which of these each row looks.
        count: how many are wanted.
        own: for each row the position that is left out, or `NOBODY`, or `ITSELF`.
    """
    pieces = [slice(i, min(i + _PIECE, seek.rows)) for i in range(0, seek.rows, _PIECE)]
    member = among.take(groups.members)
    places = Sites(np.ascontiguousarray(member.ordered.T), np.ascontiguousarray(member.discrete.T))

    def found(piece: slice) -> np.ndarray:
        out = np.full((piece.stop - piece.start, count), -1, dtype=np.int64)
        _search(seek.take(piece), places, groups.take(piece), own[piece].astype(np.int64), out)
        return out

    return np.concatenate([np.empty((0, count), dtype=np.int64), *side_by_side(found, pieces)])


@kernel
def _measured(seek: Sites, i: int, lines: np.ndarray, places: np.ndarray, first: int, total: np.ndarray) -> None:
    """Fill `total` with the distances of a row to the members from `first` on, summed over the columns."""
    size = len(total)
    total[:] = 0
    for c in range(seek.ordered.shape[1]):
        here = seek.ordered[i, c]
        if not np.isnan(here):
            line = lines[c, first : first + size]
            for m in range(size):  # one column at a time, so that several rows are computed at once
                apart = abs(here - line[m])
                total[m] += min(np.float32(1), apart)
    for c in range(seek.discrete.shape[1]):
        label = seek.discrete[i, c]
        if label >= 0:
            place = places[c, first : first + size]
            for m in range(size):
                total[m] += np.float32(1) if place[m] != label else np.float32(0)


@kernel
def _sorted_in(best: np.ndarray, out: np.ndarray, apart: float, j: int) -> None:
    """Put a row among the nearest ones, behind those that are as near."""
    at = len(best) - 1
    while at > 0 and best[at - 1] > apart:
        best[at], out[at] = best[at - 1], out[at - 1]
        at -= 1
    best[at], out[at] = apart, j


@kernel
def _search(seek: Sites, places: Sites, groups: Groups, own: np.ndarray, out: np.ndarray) -> None:
    """Fill `out` with the nearest members of each row's group; `places` are the members' coordinates by column."""
    best = np.empty(out.shape[1], dtype=np.float32)
    buffer = np.empty(_TILE, dtype=np.float32)
    for i in range(len(out)):
        best[:] = np.inf
        itself = own[i] == ITSELF
        for first in range(groups.begin[i], groups.end[i], _TILE):
            total = buffer[: min(_TILE, groups.end[i] - first)]
            _measured(seek, i, places.ordered, places.discrete, first, total)
            for m in range(len(total)):
                if total[m] < best[-1]:
                    if itself and total[m] == 0:
                        itself = False
                    elif groups.members[first + m] != own[i]:
                        _sorted_in(best, out[i], total[m], groups.members[first + m])


def grouped(held: Sequence[np.ndarray], seek: Sequence[np.ndarray], rows: int, size: int) -> Groups:
    """Return the groups of rows that agree in all of some columns of labels; all are one where there is no column.

    Args:
        held: what the rows have in each column, among which is looked.
        seek: what the rows have that seek.
        rows: how many of these there are.
        size: how many rows there are among which is looked.
    """
    code = np.zeros(size + rows, dtype=np.int64)
    for mine, theirs in zip(held, seek, strict=True):
        both = np.concatenate([mine, theirs])
        _, code = np.unique(code * (both.max(initial=0) + 1) + both, return_inverse=True)
    members = np.argsort(code[:size], kind="stable")
    ordered = code[:size][members]
    begin, end = (np.searchsorted(ordered, code[size:], side=side) for side in ("left", "right"))
    return Groups(members, begin.astype(np.int64), end.astype(np.int64))


def agreeing(
    held: Sequence[np.ndarray], seek: Sequence[np.ndarray], rows: int, size: int, least: int
) -> tuple[Groups, np.ndarray]:
    """Return groups that agree in as many columns as leave enough rows, the first ones, and in how many each does.

    The first column counts where two rows agree in it, further ones where `least` rows agree in all of them.
    """
    members, begin, end = [np.empty(0, dtype=np.int64)], np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    agree = np.full(rows, -1, dtype=np.int64)
    for many in range(len(held), -1, -1):
        one = grouped(held[:many], seek[:many], rows, size)
        enough = (one.sizes >= (least if many > 1 else min(many + 1, 2))) & (agree < 0)
        if enough.any():
            begin[enough], end[enough] = (e[enough] + sum(map(len, members)) for e in (one.begin, one.end))
            agree[enough] = many
            members.append(one.members)
    return Groups(np.concatenate(members), begin, end), np.maximum(agree, 0)
