"""Training networks: one loop for all, with progress, early stopping, checkpoints, and what to do when it goes wrong.

Only modules that need PyTorch import this one, late: see `wanted`.
"""

from __future__ import annotations

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from synthwright.core.context import Context
from synthwright.core.errors import FitError
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.net_columns import FAR, Rows

ROUNDS = 50
"""After how many equal rounds training is over at the latest; each ends with a look at the rows held back."""
HELD = 0.1
"""The share of rows that are held back from training, to see when it stops helping."""
MOST_HELD = 4_000
EVERY = 15.0
"""Seconds between two checkpoints, about."""
SMALLEST = 8
"""Rows of a batch below which running out of memory is the end."""


def device() -> torch.device:
    """Return where networks run: the graphics card, where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def quiet() -> Iterator[None]:
    """Run PyTorch on one thread: sums are made in one order, whatever the number of workers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def dice(ctx: Context, on: torch.device) -> torch.Generator:
    """Return the randomness of a place for PyTorch."""
    found = torch.Generator(on)
    found.manual_seed(int(ctx.rng.integers(2**62)))
    return found


@contextmanager
def begun_with(ctx: Context) -> Iterator[None]:
    """Let networks begin with weights that the context decides, and leave PyTorch's own randomness as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(ctx.rng.integers(2**62)))
        yield


class Table(NamedTuple):
    """Rows on the device, as `net_columns.Rows` has them."""

    slots: Tensor
    low: Tensor
    high: Tensor

    def scores(self, rows: Tensor, chance: torch.Generator) -> Tensor:
        """Return scores of some rows: each lies anywhere in its cell, elsewhere every time."""
        low, high = self.low[rows], self.high[rows]
        at = low + (high - low) * torch.rand(low.shape, generator=chance, device=low.device)
        return torch.special.ndtri(at.clamp(FAR, 1 - FAR))


def tensors(rows: Rows) -> Table:
    """Return rows on the device."""
    return Table(*(torch.from_numpy(a).to(device()) for a in rows))


def restored(net: nn.Module, weights: Mapping[str, np.ndarray]) -> nn.Module:
    """Return a network with these weights; a ValueError where they are another network's."""
    try:
        net.load_state_dict({n: torch.from_numpy(np.array(a)) for n, a in weights.items()})
    except RuntimeError:
        raise ValueError("weights of another network") from None
    return net


class Learner(ABC):
    """A method: networks that learn, how one batch teaches them, and how well what they learned does."""

    nets: dict[str, nn.Module]
    """All that learn; the one called `kept` makes the rows."""
    optimisers: dict[str, torch.optim.Optimizer]

    @abstractmethod
    def step(self, rows: Tensor, chance: torch.Generator) -> Tensor:
        """Learn from these rows of the table; return the loss."""

    @abstractmethod
    def judge(self, net: nn.Module, rows: Tensor, chance: torch.Generator) -> Tensor:
        """Return how badly a network called `kept` does on rows that were held back."""


class Course(NamedTuple):
    """How long to train."""

    steps: int
    """Batches at most."""
    batch: int
    passes: int
    """How often each row is seen, at most: small tables are learned in fewer steps."""
    patience: int
    """Rounds without an improvement after which training stops."""


class Trained(NamedTuple):
    """What training gave."""

    weights: dict[str, np.ndarray]
    notes: tuple[str, ...]
    """What readers must know, a sentence each."""


@dataclass
class _State:
    """Where training is."""

    rounds: int = 0
    batch: int = 0
    best: float = float("inf")
    stale: int = 0
    notes: list[str] = field(default_factory=list)
    average: dict[str, Tensor] = field(default_factory=dict)
    kept: dict[str, Tensor] = field(default_factory=dict)


def halves(rows: int, ctx: Context) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows train, and which are held back to see when training stops helping."""
    order = ctx.at("split").rng.permutation(rows)
    held = min(MOST_HELD, max(2, round(rows * HELD)))
    return np.sort(order[held:]), np.sort(order[:held])


def train(learner: Learner, rows: int, course: Course, ctx: Context, called: tuple[str, str]) -> Trained:
    """Train a method on a table of so many rows; return the weights that did best on rows held back.

    Checkpoints are kept in the context's store, where there is one: the same training, begun again, goes on from
    there, and gives what it would have given. They stay until `cleared`.

    Args:
        learner: the method; it holds the table.
        rows: how many rows the table has.
        course: how long.
        ctx: the randomness, the store, and where to say how far it is.
        called: who speaks in messages, and the identity of the training: all that it depends on.

    Raises:
        FitError: the loss was no number before anything was learned, or memory ran out with the smallest batches.
    """
    return _Loop(learner, rows, course, ctx, called).run()


class _Loop:
    """One training."""

    def __init__(self, learner: Learner, rows: int, course: Course, ctx: Context, called: tuple[str, str]) -> None:
        learning, held = halves(rows, ctx)
        self.learner, self.learning, self.ctx, self.owner = learner, learning, ctx, called[0]
        self.key = f"training/{called[1]}"
        self.on = device()
        self.held = torch.from_numpy(held).to(self.on)
        batch = max(2, min(course.batch, -(-len(learning) // 4)))
        steps = max(1, min(course.steps, course.passes * -(-len(learning) // batch)))
        self.each = -(-steps // ROUNDS)
        self.rounds = -(-steps // self.each)
        self.patience = course.patience
        self.rates = {n: [g["lr"] for g in o.param_groups] for n, o in learner.optimisers.items()}
        self.fade = 1 - 1 / max(5.0, min(500.0, 0.02 * steps))
        self.state = _State(batch=batch)
        self.state.average = self._copied()

    def run(self) -> Trained:
        """Train until nothing is gained any more."""
        saved, number = time.monotonic(), self._resumed()
        state = self.state
        while state.rounds < self.rounds and state.stale < self.patience:
            self.ctx.progress(state.rounds, self.rounds, "training")
            wrong = self._round()
            if wrong is not None:
                if not state.kept:
                    raise FitError(self.owner, "training", wanted="a loss that is a number",
                                   got=f"none at step {wrong}, before anything was learned",
                                   remedy="lower `rate`, or look for extreme values")  # fmt: skip
                state.notes.append(f"the loss was no number at step {wrong}: training stopped there, and the best "
                                   "weights before it are kept")  # fmt: skip
                self.ctx.progress(state.rounds, self.rounds, f"training stopped: no loss at step {wrong}")
                break
            if time.monotonic() - saved >= EVERY:
                self._checkpoint(number)
                saved, number = time.monotonic(), number + 1
        self.ctx.progress(self.rounds, self.rounds, "training")
        return Trained({n: t.cpu().numpy().copy() for n, t in state.kept.items()}, tuple(state.notes))

    def _round(self) -> int | None:
        """Train for one round and look at the rows held back; return the step at which the loss was no number."""
        state = self.state
        here = self.ctx.at("round", state.rounds)
        self._paced(state.rounds / self.rounds)
        while True:
            chance = dice(here.at("chance"), self.on)
            try:
                losses = [self._step(rows, chance) for rows in self._batches(here)]
                break
            except torch.OutOfMemoryError:
                self._smaller()
        wrong = np.flatnonzero(~np.isfinite(torch.stack(losses).cpu().numpy()))
        if len(wrong):
            return int(state.rounds * self.each + wrong[0] + 1)
        found = self._judged(here)
        state.rounds += 1
        if not np.isfinite(found):
            return int(state.rounds * self.each)
        if found < state.best or not state.kept:
            state.best, state.stale = found, 0
            state.kept = {n: t.clone() for n, t in state.average.items()}
        else:
            state.stale += 1
        return None

    def _batches(self, here: Context) -> Iterator[Tensor]:
        """Yield the rows of each batch: every row once before any comes twice."""
        rng, wanted = here.at("order").rng, self.each * self.state.batch
        times = -(-wanted // len(self.learning))
        order = np.concatenate([rng.permutation(self.learning) for _ in range(times)])[:wanted]
        yield from torch.from_numpy(order).to(self.on).split(self.state.batch)

    def _step(self, rows: Tensor, chance: torch.Generator) -> Tensor:
        loss = self.learner.step(rows, chance).detach()
        with torch.no_grad():
            for name, held in self.learner.nets["kept"].state_dict().items():
                mine = self.state.average[name]
                if mine.is_floating_point():
                    mine.lerp_(held, 1 - self.fade)
                else:
                    mine.copy_(held)
        return loss

    def _judged(self, here: Context) -> float:
        """Return how badly the averaged weights do on the rows held back: the same chance every time."""
        net = self.learner.nets["kept"]
        before = self._copied()
        net.load_state_dict(self.state.average)
        net.eval()
        try:
            with torch.no_grad():
                return float(self.learner.judge(net, self.held, dice(self.ctx.at("judge"), self.on)))
        finally:
            net.load_state_dict(before)
            net.train()

    def _copied(self) -> dict[str, Tensor]:
        return {n: t.detach().clone() for n, t in self.learner.nets["kept"].state_dict().items()}

    def _paced(self, done: float) -> None:
        """Slow down toward the end: half a cosine, after a short start."""
        pace = min(1.0, (done + 0.02) / 0.04) * (0.02 + 0.98 * (1 + np.cos(np.pi * done)) / 2)
        for name, optimiser in self.learner.optimisers.items():
            for group, rate in zip(optimiser.param_groups, self.rates[name], strict=True):
                group["lr"] = rate * pace

    def _smaller(self) -> None:
        """Go on with batches of half the size, and say so."""
        if self.on.type == "cuda":
            torch.cuda.empty_cache()
        state = self.state
        if state.batch // 2 < SMALLEST:
            raise FitError(self.owner, "training", wanted="memory for a batch", got=f"none for {state.batch} rows",
                           remedy="lower `width`, or train without: CUDA_VISIBLE_DEVICES=") from None  # fmt: skip
        state.batch //= 2
        state.notes.append(f"memory ran out: batches have {state.batch} rows from step {state.rounds * self.each} on")
        self.ctx.progress(state.rounds, self.rounds, f"training with batches of {state.batch}: memory ran out")

    # ------------------------------------------------------------------------------------------------ checkpoints
    def _checkpoint(self, number: int) -> None:
        if self.ctx.store is not None:
            self.ctx.store.put(f"{self.key}/{number}", self._written)

    def _written(self, folder: Path) -> None:
        state, learner = self.state, self.learner
        held = {f"average.{n}": t for n, t in state.average.items()} | {f"kept.{n}": t for n, t in state.kept.items()}
        for name, net in learner.nets.items():
            held |= {f"net.{name}.{n}": t for n, t in net.state_dict().items()}
        for name, optimiser in learner.optimisers.items():
            for i, one in optimiser.state_dict()["state"].items():
                held |= {f"optimiser.{name}.{i}.{n}": t for n, t in one.items()}
        head = {"rounds": state.rounds, "batch": state.batch, "best": state.best, "stale": state.stale,
                "notes": state.notes}  # fmt: skip
        artefacts.save(folder, head, {}, {n: t.detach().cpu().numpy() for n, t in held.items()})

    def _resumed(self) -> int:
        """Go on from the last checkpoint, where there is one; return the number of the next."""
        store = self.ctx.store
        for number in count():
            at = store.get(f"{self.key}/{number}") if store is not None else None
            if at is None:
                break
            last = at
        if number:
            self._read(last)
        return number

    def _read(self, folder: Path) -> None:
        (head, _), weights = artefacts.load(folder), artefacts.load_weights(folder)
        held: dict[str, dict[str, Tensor]] = {}
        for name, array in weights.items():
            first, _, rest = name.partition(".")
            held.setdefault(first, {})[rest] = torch.from_numpy(array).to(self.on)
        for name, net in self.learner.nets.items():
            net.load_state_dict(_below(held["net"], name))
        for name, optimiser in self.learner.optimisers.items():
            mine: dict[int, dict[str, Any]] = {}
            for place, tensor in _below(held.get("optimiser", {}), name).items():
                i, _, what = place.partition(".")
                mine.setdefault(int(i), {})[what] = tensor.cpu() if what == "step" else tensor
            optimiser.load_state_dict({"state": mine, "param_groups": optimiser.state_dict()["param_groups"]})
        self.state = _State(head["rounds"], head["batch"], head["best"], head["stale"], list(head["notes"]),
                            held["average"], held["kept"])  # fmt: skip


def cleared(ctx: Context, identities: Sequence[str]) -> None:
    """Remove the checkpoints of trainings that are over: of none before all that a model needs are."""
    for identity in identities:
        first = ctx.store.get(f"training/{identity}/0") if ctx.store is not None else None
        if first is not None:
            shutil.rmtree(first.parent, ignore_errors=True)


def _below(held: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {n.removeprefix(f"{name}."): t for n, t in held.items() if n.startswith(f"{name}.")}
