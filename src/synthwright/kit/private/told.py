"""A model of noisy columns and of a network with noisy weights: what it samples, saves and loads. It needs no extra."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from synthwright.core.context import Context
from synthwright.core.contracts import Model, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import StoreError
from synthwright.core.spend import Release, Spend
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed
from synthwright.kit.learning.gaussian import one_thread
from synthwright.kit.private.model import PrivateModel, learned

PIECE = 8_192
"""Rows that are made at a time."""
TRIED = 8_192
"""Rows that are made to see what becomes of single columns."""
WEIGHTS = "weights-"
"""What the names of a network's arrays begin with, in a release."""
LEAST = 1e-6
"""The least share of a group of cells."""
_ROUNDS = 10


@dataclass(frozen=True)
class ToldModel(Model):
    """Columns whose cells a network tells one after the other, from those that are known."""

    table: str
    mode: str
    release: Release
    lifts: np.ndarray
    """What is added to the score of every group of cells, so that single columns come out as they were counted."""
    spend: Spend = field(default_factory=Spend)

    @staticmethod
    def of(release: Release, table: str, mode: str, ctx: Context) -> ToldModel:
        """Return the model that follows from a release."""
        bare = ToldModel(table, mode, release, np.zeros(0), release.spend)
        with one_thread():
            return ToldModel(table, mode, release, bare.lifted(ctx), release.spend)

    @cached_property
    def alone(self) -> PrivateModel:
        """The columns, each by itself."""
        arrays = {n: a for n, a in self.release.arrays.items() if not n.startswith(WEIGHTS)}
        return learned(Release(self.release.head, arrays, self.spend), self.table, self.mode)

    @cached_property
    def shares(self) -> list[np.ndarray]:
        """Of every column how many rows each group of cells has."""
        return shares_of(self.alone)

    @cached_property
    def first(self) -> np.ndarray:
        """Where the groups of each column begin among all."""
        return np.cumsum([0, *(len(s) for s in self.shares)])

    @cached_property
    def weights(self) -> dict[str, np.ndarray]:
        """The network."""
        found = self.release.arrays.items()
        return {n.removeprefix(WEIGHTS): a for n, a in found if n.startswith(WEIGHTS)}

    def _begun(self, rows: int) -> np.ndarray:
        return np.tile(self.weights["enter.bias"], (rows, 1))

    def _heard(self, inner: np.ndarray, column: int, groups: np.ndarray) -> None:
        """Tell the network the groups of a column."""
        inner += self.weights["enter.weight"].T[self.first[column] + groups]

    def _scores(self, inner: np.ndarray, column: int) -> np.ndarray:
        """Return the scores of a column's groups, beside what the column tells by itself."""
        held, (begin, end) = self.weights, self.first[column : column + 2]
        warm = np.maximum(inner, 0)
        warm = warm + np.maximum(warm @ held["middle.weight"].T + held["middle.bias"], 0)
        found = warm @ held["leave.weight"][begin:end].T + held["leave.bias"][begin:end]
        return found.astype(np.float64) + np.log(np.maximum(self.shares[column], LEAST))

    def lifted(self, ctx: Context) -> np.ndarray:
        """Return the lifts with which rows have the shares that were counted: each column after those before it."""
        inner, rng = self._begun(TRIED), ctx.at("lifts").rng
        out = []
        for v, wanted in enumerate(self.shares):
            scores, lift = self._scores(inner, v), np.zeros(len(wanted))
            for _ in range(_ROUNDS):
                have = _chances(scores + lift).mean(axis=0)
                lift += np.log(np.maximum(wanted, LEAST) / np.maximum(have, LEAST * LEAST))
            self._heard(inner, v, _drawn(_chances(scores + lift), rng))
            out.append(lift)
        return np.concatenate(out)

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        held = given.tables[self.table]
        there = [v for v, c in enumerate(self.alone.columns) if c.name in held.column_names]
        known = {v: self.alone.columns[v].group[self.alone.columns[v].axis.encode(
            held.column(self.alone.columns[v].name))] for v in there}  # fmt: skip
        pieces = []
        with one_thread():
            for begin in range(0, max(held.num_rows, 1), PIECE):
                rng = ctx.at("piece", begin // PIECE).rng
                mine = {v: g[begin : begin + PIECE] for v, g in known.items()}
                pieces.append(self._piece(min(PIECE, held.num_rows - begin), mine, rng))
        groups, rng = np.concatenate(pieces, axis=1), ctx.at("cells").rng
        made = {c.name: c.axis.decode(c.cells(groups[v], rng), rng.random(held.num_rows))
                for v, c in enumerate(self.alone.columns) if v not in known}  # fmt: skip
        return Sample(completed(given, self.table, made, self.mode))

    def _piece(self, rows: int, known: Mapping[int, np.ndarray], rng: np.random.Generator) -> np.ndarray:
        """Return groups of some rows, columns × rows, which follow those that are known."""
        inner, groups = self._begun(rows), np.zeros((len(self.shares), rows), dtype=np.int64)
        for v, mine in known.items():
            groups[v] = mine
            self._heard(inner, v, mine)
        for v in [v for v in range(len(groups)) if v not in known]:
            begin, end = self.first[v : v + 2]
            groups[v] = _drawn(_chances(self._scores(inner, v) + self.lifts[begin:end]), rng)
            self._heard(inner, v, groups[v])
        return groups

    def save(self, folder: Path) -> None:
        head = {"table": self.table, "mode": self.mode, "release": dict(self.release.head), "spend": list(self.spend)}
        artefacts.save(folder, head, {**self.release.arrays, "lifts": self.lifts})

    @classmethod
    def load(cls, folder: Path) -> Self:
        head, arrays = artefacts.load(folder)
        try:
            lifts, spend = arrays.pop("lifts"), Spend.of(head["spend"])
            model = cls(str(head["table"]), str(head["mode"]), Release(head["release"], arrays, spend), lifts, spend)
            sound = model._sound()
        except (KeyError, ValueError, TypeError, IndexError):
            sound = False
        if not sound:
            raise StoreError(folder.name, "a private model", wanted="what Synthwright saved", got="something else",
                             remedy="fit the model again")  # fmt: skip
        return model

    def _sound(self) -> bool:
        """Return whether what was read from a file can be drawn from."""
        held, cells = self.weights, int(self.first[-1])
        width = len(held["enter.bias"])
        shapes: dict[str, Any] = {
            "enter.weight": (width, cells), "enter.bias": (width,), "middle.weight": (width, width),
            "middle.bias": (width,), "leave.weight": (cells, width), "leave.bias": (cells,),
        }  # fmt: skip
        numbers = all(a.dtype.kind == "f" and np.isfinite(a).all() for a in (*held.values(), self.lifts))
        return {n: a.shape for n, a in held.items()} == shapes and self.lifts.shape == (cells,) and numbers


def shares_of(alone: PrivateModel) -> list[np.ndarray]:
    """Return of every column how many rows each group of cells has, as shares."""
    found = {c.column: c.table.reshape(-1).astype(np.float64) for c in alone.order}
    return [found[v] / found[v].sum() for v in range(len(alone.columns))]


def _chances(scores: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.exp(scores - scores.max(axis=1, keepdims=True))
    out /= out.sum(axis=1, keepdims=True)
    return out


def _drawn(chances: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a group for every row."""
    at = (np.cumsum(chances, axis=1) < rng.random(len(chances))[:, None]).sum(axis=1)
    return np.minimum(at, chances.shape[1] - 1)
