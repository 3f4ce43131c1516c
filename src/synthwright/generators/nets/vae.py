"""A variational autoencoder of mixed columns, any of which may be known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from synthwright.generators.nets.wires import Wires, layers, some_known
from synthwright.kit.learning.net_model import Plan
from synthwright.kit.learning.nets import Learner, Table, device

KNOWN = 0.2
"""The share of rows that are learned with some columns known."""
NARROWEST = -3.0
"""The logarithm of the least spread around a score that is decoded."""


class Autoencoder(nn.Module):  # type: ignore[misc]  # PyTorch is an extra: without it, its classes are unknown
    """Rows to hidden numbers and back; what is known is told to both ways."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.wires = Wires(plan)
        width, self.latent = plan.sizes["width"], plan.sizes["latent"]
        self.encoder = layers(2 * self.wires.inputs, width, width, 2 * self.latent)
        self.decoder = layers(self.latent + self.wires.inputs, width, width, self.wires.width + len(self.wires.spread))
        self.spread = nn.Parameter(torch.full((len(self.wires.spread),), -1.0))

    def encode(self, slots: Tensor, scores: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return where the hidden numbers of rows lie, and the logarithms of their variances."""
        every = torch.ones(slots.shape, dtype=torch.bool, device=slots.device)
        found = self.encoder(torch.cat([self.wires.seen(slots, scores, every), seen], dim=1))
        middle, variance = found.chunk(2, dim=1)
        return middle, variance.clamp(-12.0, 4.0)

    def decode(self, hidden: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs for slots, and scores."""
        out = self.decoder(torch.cat([hidden, seen], dim=1))
        return out[:, : self.wires.width], out[:, self.wires.width :]

    def loss(self, slots: Tensor, scores: Tensor, known: Tensor, chance: torch.Generator, weight: float) -> Tensor:
        """Return how badly rows come back, and how far their hidden numbers are from normal ones, per row."""
        wires = self.wires
        seen = wires.seen(slots, scores, known)
        middle, variance = self.encode(slots, scores, seen)
        noise = torch.randn(middle.shape, generator=chance, device=middle.device)
        logits, found = self.decode(middle + (variance / 2).exp() * noise, seen)
        hidden = ~known
        wrong = (wires.surprise(logits, slots) * hidden[:, wires.chosen]).sum(dim=1)
        spread = self.spread.clamp(min=NARROWEST)
        off = ((found - scores) / spread.exp()) ** 2 / 2 + spread + math.log(2 * math.pi) / 2
        wrong = wrong + (off * (wires.scored(slots) & hidden[:, wires.spread])).sum(dim=1)
        far = (middle**2 + variance.exp() - 1 - variance).sum(dim=1) / 2
        return (weight * wrong + far).mean()

    def made(
        self, slots: Tensor, scores: Tensor, known: Tensor, never: Sequence[int], chance: torch.Generator
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Return slots and scores of rows; where they are known, those that were told."""
        wires, on = self.wires, slots.device
        hidden = torch.randn(len(slots), self.latent, generator=chance, device=on)
        logits, found = self.decode(hidden, wires.seen(slots, scores, known))
        made = torch.where(known, slots, wires.drawn(logits, never, chance))
        noise = torch.randn(found.shape, generator=chance, device=on)
        found = found + self.spread.clamp(min=NARROWEST).exp() * noise
        return made, torch.where(known[:, wires.spread], scores, found)


class VaeLearner(Learner):
    """Learns an autoencoder."""

    def __init__(self, plan: Plan, table: Table, training: np.ndarray, *, rate: float, weight: float) -> None:
        self.table, self.weight, self.on = table, weight, device()
        self.net = Autoencoder(plan).to(self.on)
        self.nets = {"kept": self.net}
        self.optimisers = {"all": torch.optim.Adam(self.net.parameters(), lr=rate, weight_decay=1e-5)}

    def _loss(self, net: nn.Module, rows: Tensor, chance: torch.Generator) -> Tensor:
        slots, scores = self.table.slots[rows], self.table.scores(rows, chance)
        known = some_known(tuple(slots.shape), KNOWN, chance, self.on) | net.wires.given
        found: Tensor = net.loss(slots, scores, known, chance, self.weight)
        return found

    def step(self, rows: Tensor, chance: torch.Generator) -> Tensor:
        loss = self._loss(self.net, rows, chance)
        self.optimisers["all"].zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimisers["all"].step()
        return loss

    def judge(self, net: nn.Module, rows: Tensor, chance: torch.Generator) -> Tensor:
        return self._loss(net, rows, chance)
