"""How columns get into a network and out of it: slots as ones among zeros, scores as they are, and what is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from synthwright.kit.learning.net_model import Plan


class Wires(nn.Module):  # type: ignore[misc]  # PyTorch is an extra: without it, its classes are unknown
    """The places of columns among the inputs and outputs of a network."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.slots = [n if n > 1 else 0 for n in plan.slots]
        """How many outputs choose the slot of each column: none where there is no choice."""
        self.chosen = [i for i, n in enumerate(self.slots) if n]
        """The columns with a choice."""
        self.spread = [i for i, s in enumerate(plan.rest) if s >= 0]
        """The columns with scores."""
        self.width = sum(self.slots)
        self.columns = len(plan.slots)
        first, at = [], 0
        for n in self.slots:
            first.append(at)
            at += n
        self.register_buffer("first", torch.tensor(first), persistent=False)
        self.register_buffer("choice", torch.tensor([n > 0 for n in self.slots]), persistent=False)
        self.register_buffer(
            "rest", torch.tensor([plan.rest[i] for i in self.spread], dtype=torch.int64), persistent=False
        )
        self.register_buffer("given", torch.tensor(plan.given), persistent=False)
        self.inputs = self.width + len(self.spread) + self.columns
        """How many numbers tell of what is known."""

    def ones(self, slots: Tensor, known: Tensor) -> Tensor:
        """Return slots as ones among zeros; nothing but zeros where a column is not known."""
        out = torch.zeros(len(slots), self.width + 1, device=slots.device)
        at = torch.where(known & self.choice, self.first + slots, self.width)
        return out.scatter_(1, at, 1.0)[:, : self.width]

    def scored(self, slots: Tensor) -> Tensor:
        """Return which columns with scores have one: those of which the rest is chosen."""
        return slots[:, self.spread] == self.rest

    def seen(self, slots: Tensor, scores: Tensor, known: Tensor) -> Tensor:
        """Return what tells a network of the columns that are known, and which they are."""
        there = self.scored(slots) & known[:, self.spread]
        return torch.cat([self.ones(slots, known), torch.where(there, scores, 0.0), known.float()], dim=1)

    def each(self, logits: Tensor) -> list[Tensor]:
        """Return the outputs of each column with a choice."""
        return list(logits.split([self.slots[i] for i in self.chosen], dim=1)) if self.chosen else []

    def surprise(self, logits: Tensor, slots: Tensor) -> Tensor:
        """Return how unlikely each slot is, rows × columns with a choice: cross-entropies."""
        parts = [nn.functional.cross_entropy(mine, slots[:, i], reduction="none")
                 for i, mine in zip(self.chosen, self.each(logits), strict=True)]  # fmt: skip
        return torch.stack(parts, dim=1) if parts else logits.new_zeros(len(logits), 0)

    def drawn(self, logits: Tensor, never: Sequence[int], chance: torch.Generator) -> Tensor:
        """Return a slot for every row and column, as likely as the outputs say; `never` has slots that are barred."""
        noise = torch.empty_like(logits).exponential_(generator=chance).clamp(min=1e-30).log()
        out = torch.zeros(len(logits), self.columns, dtype=torch.int64, device=logits.device)
        for i, mine in zip(self.chosen, self.each(logits - noise), strict=True):
            if never[i] >= 0:
                mine[:, never[i]] = -torch.inf
            out[:, i] = mine.argmax(dim=1)
        return out


def some_known(shape: tuple[int, int], often: float, chance: torch.Generator, on: torch.device) -> Tensor:
    """Return which columns of each row are known: none in most rows, in `often` of them a part of any size."""
    part = torch.rand(shape[0], 1, generator=chance, device=on)
    which = torch.rand(shape, generator=chance, device=on) < part
    return which & (torch.rand(shape[0], 1, generator=chance, device=on) < often)


def layers(*widths: int) -> nn.Sequential:
    """Return a plain network with these widths."""
    steps: list[nn.Module] = []
    for i, (before, after) in enumerate(pairwise(widths)):
        steps += [nn.Linear(before, after), *([nn.SiLU()] if i < len(widths) - 2 else [])]
    return nn.Sequential(*steps)
