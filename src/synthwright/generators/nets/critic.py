"""A critic that tells made rows from real ones, and by which a network chooses among rows that it makes.

The critic sees scores cut into pieces (Gorishniy et al. 2022, On embeddings for numerical features, arXiv 2203.05556),
so that it sees sharp things. When the network is finished, the critic says which of a few candidates for a row is
likelier to be real (Azadi et al. 2019, Discriminator rejection sampling, arXiv 1810.06758; for autoencoders Bauer and
Mnih 2019, Resampled priors for variational autoencoders, arXiv 1810.11428).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from synthwright.generators.nets.wires import Wires, some_known
from synthwright.kit.learning.net_model import KNOTS, Plan
from synthwright.kit.learning.nets import Learner, Table, device

PIECES = 16
"""Into how many equally likely pieces the critic cuts a score."""
FAR = 5.0
"""How far the critic's opinion of a candidate may go either way, as the logarithm of odds."""
KNOWN = 0.2
"""The share of rows that are learned with some columns known."""


class Critic(nn.Module):  # type: ignore[misc]  # PyTorch is an extra: without it, its classes are unknown
    """How real a row looks."""

    def __init__(self, wires: Wires, width: int) -> None:
        super().__init__()
        inputs = wires.inputs + PIECES * len(wires.spread)
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
            nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, seen: Tensor) -> Tensor:
        """Return one number of each row."""
        found: Tensor = self.layers(seen)[:, 0]
        return found


class Choosing(nn.Module):  # type: ignore[misc]  # the same
    """A network that makes rows, and a critic of them, which draws one of `tries` candidates for each row."""

    critic: Critic

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.wires = Wires(plan)
        self.tries = plan.sizes["tries"]
        self.register_buffer("spread", torch.tensor(self.wires.spread, dtype=torch.int64), persistent=False)
        self.register_buffer("rest", self._rest(), persistent=False)
        self.register_buffer("tilt", torch.zeros(self.wires.width))
        self.register_buffer("trust", torch.zeros(()))
        ideal = torch.special.ndtri((torch.arange(KNOTS) + 0.5) / KNOTS)
        self.register_buffer("ideal", ideal, persistent=False)
        self.register_buffer("bends", ideal.repeat(len(self.wires.spread), 1))

    @abstractmethod
    def candidate(
        self, slots: Tensor, scores: Tensor, known: Tensor, never: Sequence[int], chance: torch.Generator
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Return slots and scores of rows; where they are known, those that were told."""

    def _rest(self) -> Tensor:
        """Return the output that chooses the rest of each column with scores; one beyond where there is no choice."""
        wires = self.wires
        return torch.tensor([int(wires.first[i]) + int(r) if wires.slots[i] else wires.width
                             for i, r in zip(wires.spread, wires.rest, strict=True)], dtype=torch.int64)  # fmt: skip

    def open(self, ones: Tensor) -> Tensor:
        """Return how much of each column with scores is the rest."""
        return torch.cat([ones, ones.new_ones(len(ones), 1)], dim=1)[:, self.rest]

    def view(self, ones: Tensor, scores: Tensor, known: Tensor) -> Tensor:
        """Return what the critic sees of rows."""
        there = self.open(ones)
        at = torch.special.ndtr(scores) * PIECES
        pieces = (at[:, :, None] - torch.arange(PIECES, device=at.device)).clamp(0, 1) - 0.5
        cut = (pieces * there[:, :, None]).flatten(1)
        return torch.cat([ones, scores * there, cut, known.float()], dim=1)

    def real(self, slots: Tensor, scores: Tensor, known: Tensor) -> Tensor:
        """Return what the critic sees of real rows."""
        every = torch.ones(slots.shape, dtype=torch.bool, device=slots.device)
        return self.view(self.wires.ones(slots, every), scores, known)

    def straight(self, scores: Tensor) -> Tensor:
        """Return scores that are distributed as they should be, once the critic knows how far they are from that.

        See `net_model.straightened`.
        """
        if not self.trust > 0:
            return scores
        mine = scores.T.contiguous()
        at = torch.searchsorted(self.bends, mine).clamp(1, KNOTS - 1)
        low, high = self.bends.gather(1, at - 1), self.bends.gather(1, at)
        part = (mine - low) / (high - low).clamp(min=1e-9)
        inside = self.ideal[at - 1] + part.clamp(0, 1) * (self.ideal[at] - self.ideal[at - 1])
        beyond = (mine - self.bends[:, :1]).clamp(max=0) + (mine - self.bends[:, -1:]).clamp(min=0)
        return (inside + beyond).T

    def made(
        self, slots: Tensor, scores: Tensor, known: Tensor, never: Sequence[int], chance: torch.Generator
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Return slots and scores of rows; where they are known, those that were told.

        Of `tries` candidates for a row one is drawn, each as likely as the critic finds it more real than made: as
        soon as there is `trust` in the critic, that is when it learns beside a maker that is finished.
        """
        best = torch.full((len(slots),), -torch.inf, device=slots.device)
        kept = slots, scores
        for _ in range(self.tries if self.trust > 0 else 1):
            mine, found = self.candidate(slots, scores, known, never, chance)
            noise = torch.empty_like(best).exponential_(generator=chance).clamp(min=1e-30).log()
            liked = self.critic(self.real(mine, found, known)).clamp(-FAR, FAR) * self.trust - noise
            better = liked > best
            best = torch.where(better, liked, best)
            kept = torch.where(better[:, None], mine, kept[0]), torch.where(better[:, None], found, kept[1])
        return kept


class CriticLearner(Learner):
    """Learns to tell rows that a finished network makes from real ones."""

    def __init__(self, net: Choosing, table: Table, bends: np.ndarray, *, rate: float) -> None:
        self.table, self.on = table, device()
        self.net = net.train()
        self.net.trust.fill_(1.0)
        self.net.bends.copy_(torch.from_numpy(bends.astype(np.float32)))
        self.nets = {"kept": net}
        self.optimisers = {"critic": torch.optim.AdamW(net.critic.parameters(), lr=rate, weight_decay=1e-2)}

    def _loss(self, net: nn.Module, rows: Tensor, chance: torch.Generator) -> Tensor:
        slots, scores = self.table.slots[rows], self.table.scores(rows, chance)
        known = some_known(tuple(slots.shape), KNOWN, chance, self.on) | net.wires.given
        with torch.no_grad():
            mine, found = net.candidate(slots, scores, known, [-1] * net.wires.columns, chance)
            seen = net.real(slots, scores, known), net.real(mine, found, known)
        real, fake = net.critic(torch.cat(seen)).chunk(2)
        return (nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()) / 2

    def step(self, rows: Tensor, chance: torch.Generator) -> Tensor:
        loss = self._loss(self.net, rows, chance)
        self.optimisers["critic"].zero_grad(set_to_none=True)
        loss.backward()
        self.optimisers["critic"].step()
        return loss

    def judge(self, net: nn.Module, rows: Tensor, chance: torch.Generator) -> Tensor:
        return self._loss(net, rows, chance)
