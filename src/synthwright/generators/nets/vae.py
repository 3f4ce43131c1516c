"""A variational autoencoder of mixed columns, any of which may be known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from synthwright.generators.nets.critic import KNOWN, Choosing, Critic
from synthwright.generators.nets.wires import layers, some_known
from synthwright.kit.learning.net_model import Plan
from synthwright.kit.learning.nets import Learner, Table, device

NARROWEST, WIDEST = -3.5, 1.0
"""The logarithms of the least and the greatest spread around a score that is decoded."""
HILLS = 64
"""Normal distributions that hidden numbers come from, mixed."""
PEAKS = 5
"""Normal distributions that a score is decoded to, mixed."""


class Peaks(NamedTuple):
    """Where scores lie: mixed normal distributions, rows × columns × peaks."""

    share: Tensor
    """Logarithms; they add up to one."""
    middle: Tensor
    spread: Tensor
    """Logarithms."""

    def surprise(self, scores: Tensor) -> Tensor:
        """Return how unlikely scores are: the negative logarithm of their density."""
        off = ((scores[:, :, None] - self.middle) * (-self.spread).exp()) ** 2 / 2 + self.spread
        found: Tensor = math.log(2 * math.pi) / 2 - torch.logsumexp(self.share - off, dim=2)
        return found

    def drawn(self, chance: torch.Generator) -> Tensor:
        """Return a score of every row and column."""
        noise = torch.empty_like(self.share).exponential_(generator=chance).clamp(min=1e-30).log()
        which = (self.share - noise).argmax(dim=2, keepdim=True)
        middle, spread = (part.gather(2, which).squeeze(2) for part in (self.middle, self.spread))
        return middle + spread.exp() * torch.randn(middle.shape, generator=chance, device=middle.device)


class Autoencoder(Choosing):
    """Rows to hidden numbers and back; what is known is told to both ways."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        width, self.latent = plan.sizes["width"], plan.sizes["latent"]
        self.encoder = layers(2 * self.wires.inputs, width, width, 2 * self.latent)
        self.decoder = layers(self.latent + self.wires.inputs, width, width,
                              self.wires.width + 3 * PEAKS * len(self.wires.spread))  # fmt: skip
        at = torch.special.ndtri((torch.arange(PEAKS) + 0.5) / PEAKS)
        self.register_buffer("begin", at, persistent=False)
        self.share = nn.Parameter(torch.zeros(HILLS))
        self.middle = nn.Parameter(torch.randn(HILLS, self.latent))
        self.size = nn.Parameter(torch.zeros(HILLS, self.latent))
        self.critic = Critic(self.wires, width)

    def encode(self, slots: Tensor, scores: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return where the hidden numbers of rows lie, and the logarithms of their variances."""
        every = torch.ones(slots.shape, dtype=torch.bool, device=slots.device)
        found = self.encoder(torch.cat([self.wires.seen(slots, scores, every), seen], dim=1))
        middle, variance = found.chunk(2, dim=1)
        return middle, variance.clamp(-12.0, 4.0)

    def decode(self, hidden: Tensor, seen: Tensor) -> tuple[Tensor, Peaks]:
        """Return the outputs for slots, and where scores lie."""
        out = self.decoder(torch.cat([hidden, seen], dim=1))
        share, middle, spread = (
            out[:, self.wires.width :].reshape(len(out), len(self.wires.spread), 3, PEAKS).unbind(dim=2)
        )
        peaks = Peaks(share.log_softmax(dim=2), middle + self.begin, (spread - 1).clamp(NARROWEST, WIDEST))
        return out[:, : self.wires.width], peaks

    def likely(self, hidden: Tensor) -> Tensor:
        """Return the logarithm of how likely hidden numbers are before anything is known, but for a constant."""
        size = self.size.clamp(-4, 4)
        weight = (-2 * size).exp()
        far = hidden**2 @ weight.T - 2 * hidden @ (self.middle * weight).T + (self.middle**2 * weight).sum(dim=1)
        return torch.logsumexp(self.share.log_softmax(0) - far / 2 - size.sum(dim=1), dim=1)

    def loss(self, slots: Tensor, scores: Tensor, known: Tensor, chance: torch.Generator, weight: float) -> Tensor:
        """Return how badly rows come back, and how far their hidden numbers are from normal ones, per row."""
        wires = self.wires
        seen = wires.seen(slots, scores, known)
        middle, variance = self.encode(slots, scores, seen)
        noise = torch.randn(middle.shape, generator=chance, device=middle.device)
        inside = middle + (variance / 2).exp() * noise
        logits, peaks = self.decode(inside, seen)
        hidden = ~known
        wrong = (wires.surprise(logits, slots) * hidden[:, wires.chosen]).sum(dim=1)
        wrong = wrong + (peaks.surprise(scores) * (wires.scored(slots) & hidden[:, wires.spread])).sum(dim=1)
        far = -(noise**2 + variance).sum(dim=1) / 2 - self.likely(inside)
        return (weight * wrong + far).mean()

    def candidate(
        self, slots: Tensor, scores: Tensor, known: Tensor, never: Sequence[int], chance: torch.Generator
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        wires, on = self.wires, slots.device
        hill = torch.multinomial(self.share.softmax(0), max(len(slots), 1), replacement=True, generator=chance)
        hill = hill[: len(slots)]
        hidden = torch.randn(len(slots), self.latent, generator=chance, device=on)
        hidden = self.middle[hill] + hidden * self.size.clamp(-4, 4).exp()[hill]
        logits, peaks = self.decode(hidden, wires.seen(slots, scores, known))
        made = torch.where(known, slots, wires.drawn(logits + self.tilt, never, chance))
        return made, torch.where(known[:, self.spread], scores, self.straight(peaks.drawn(chance)))


class VaeLearner(Learner):
    """Learns an autoencoder."""

    def __init__(self, plan: Plan, table: Table, training: np.ndarray, *, rate: float, weight: float) -> None:
        self.table, self.weight, self.on = table, weight, device()
        self.net = Autoencoder(plan).to(self.on)
        self.nets = {"kept": self.net}
        mine = [p for n, p in self.net.named_parameters() if not n.startswith("critic.")]
        self.optimisers = {"all": torch.optim.Adam(mine, lr=rate, weight_decay=1e-5)}

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
