"""A network that tells any columns from any others: trained with some of each row hidden, by gradients with noise."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from opacus.grad_sample import GradSampleModuleFastGradientClipping
from opacus.optimizers import DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPTensorFastGradientClipping
from torch import Tensor, nn
from torch.nn import functional

from synthwright.kit.private import secret
from synthwright.kit.private.stepwise import Steps

PIECE = 4_096
"""Rows of a batch that are looked at together."""
FADE = 0.98
"""How much of the averaged weights each step leaves; fewer at the beginning."""


class Masked(nn.Module):  # type: ignore[misc]  # PyTorch is an extra: without it, its classes are unknown
    """Known cells in, scores of all cells out, beside what single columns tell."""

    def __init__(self, sizes: Sequence[int], width: int, shares: np.ndarray) -> None:
        super().__init__()
        cells = sum(sizes)
        self.enter, self.middle, self.leave = nn.Linear(cells, width), nn.Linear(width, width), nn.Linear(width, cells)
        nn.init.zeros_(self.leave.weight)  # it begins with what single columns tell, and learns what else there is
        nn.init.zeros_(self.leave.bias)
        self.alone = torch.log(torch.from_numpy(shares).float())
        first, most = np.cumsum([0, *sizes[:-1]]), max(sizes)
        place = np.full((len(sizes), most), cells)
        for i, (begin, size) in enumerate(zip(first, sizes, strict=True)):
            place[i, :size] = begin + np.arange(size)
        self.first, self.place = torch.from_numpy(first), torch.from_numpy(place)

    def forward(self, known: Tensor) -> Tensor:
        """Return the score of every cell, of rows of which some cells are known."""
        inner = functional.relu(self.enter(known))
        inner = inner + functional.relu(self.middle(inner))
        out: Tensor = self.leave(inner)
        return out

    def told(self, cells: Tensor, hidden: Tensor) -> Tensor:
        """Return known cells as the network takes them: a one for each."""
        known = torch.zeros(len(cells), len(self.alone))
        return known.scatter_(1, cells + self.first, (~hidden).float())

    def surprise(self, scores: Tensor, cells: Tensor, hidden: Tensor) -> Tensor:
        """Return by how much the hidden cells of each row surprise, on average."""
        padded = functional.pad(scores + self.alone, (0, 1), value=-torch.inf)[:, self.place]
        found = padded.log_softmax(dim=2).gather(2, cells[:, :, None])[:, :, 0]
        return -(found * hidden).sum(dim=1) / hidden.sum(dim=1)


class Noisy(DPOptimizerFastGradientClipping):  # type: ignore[misc]  # an extra, as PyTorch
    """An optimiser whose noise comes from the operating system, and not from a generator that has a seed."""

    def add_noise(self) -> None:
        """Add noise to the sums of clipped gradients."""
        sigma = self.noise_multiplier * self.max_grad_norm
        for p in self.params:
            p.grad = torch.from_numpy(secret.blurred(p.summed_grad.detach().numpy(), sigma)).to(p.dtype)


class Course(NamedTuple):
    """How a network is trained."""

    steps: Steps
    noise: float
    """Standard deviations of noise, in what one row counts at most."""
    clip: float
    """How much one row may count."""
    rate: float
    expected: float
    """Rows of a batch, as noisy counts tell."""


def trained(net: Masked, cells: np.ndarray, course: Course, progress: Callable[[int], None]) -> dict[str, np.ndarray]:
    """Train on rows (rows × columns) by gradients of which none counts more than `clip`, with noise.

    Abadi et al. (2016), Deep learning with differential privacy, arXiv 1607.00133, with Adam, and averaged weights.
    Nothing but the steps is looked at from outside: no loss is told, and nothing stops earlier.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Full backward hook is firing")  # cells need no gradients, as they should
        return _trained(net, cells, course, progress)


def _trained(net: Masked, cells: np.ndarray, course: Course, progress: Callable[[int], None]) -> dict[str, np.ndarray]:
    held = GradSampleModuleFastGradientClipping(net, max_grad_norm=course.clip, use_ghost_clipping=True,
                                                loss_reduction="sum")  # fmt: skip
    optimiser = Noisy(torch.optim.Adam(net.parameters(), lr=course.rate), noise_multiplier=course.noise,
                      max_grad_norm=course.clip, expected_batch_size=max(course.expected, 1.0))  # fmt: skip
    rows, chance = torch.from_numpy(cells.astype(np.int64)), torch.Generator().manual_seed(secret.lot())
    kept = {n: t.detach().clone() for n, t in net.named_parameters()}
    for step in range(course.steps.many):
        progress(step)
        for group in optimiser.param_groups:
            group["lr"] = course.rate * (1 - step / course.steps.many)  # noise that comes late stays little
        batch = rows[torch.from_numpy(secret.drawn(len(rows), course.steps.share))]
        _sum(held, optimiser, batch, chance)
        optimiser.step()
        optimiser.zero_grad()
        fade = min(FADE, step / (step + 10))
        with torch.no_grad():
            for name, now in net.named_parameters():
                kept[name].lerp_(now, 1 - fade)
    held.remove_hooks()
    return {n: t.numpy().copy() for n, t in kept.items()}


def _sum(held: nn.Module, optimiser: Noisy, batch: Tensor, chance: torch.Generator) -> None:
    """Let the optimiser add up the clipped gradients of a batch, which may be empty."""
    pieces = batch.split(PIECE) if len(batch) else [batch]
    for i, piece in enumerate(pieces):
        for p in optimiser.params:
            p.grad = torch.zeros_like(p)
        if len(piece):
            net = held._module  # noqa: SLF001  how Opacus names what it wraps
            hidden = _hidden(tuple(piece.shape), chance)
            wrong = net.surprise(held(net.told(piece, hidden)), piece, hidden)
            DPTensorFastGradientClipping(held, optimiser, wrong, "sum").backward()
        if i < len(pieces) - 1:
            optimiser.signal_skip_step(do_skip=True)
            optimiser.step()
            optimiser.zero_grad()


def _hidden(shape: tuple[int, int], chance: torch.Generator) -> Tensor:
    """Return which cells are hidden: of each row any number but none, any of them."""
    rows, columns = shape
    order = torch.rand(shape, generator=chance).argsort(dim=1)
    many = torch.randint(1, columns + 1, (rows, 1), generator=chance)
    return order < many
