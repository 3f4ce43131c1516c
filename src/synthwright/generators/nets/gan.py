"""A network that makes rows from noise, and a critic that tells them from real ones.

Conditional adversarial training (Xu et al. 2019, CTGAN, arXiv 1907.00503). The critic compares a made row with a real
one that has the same known columns (relativistic pairing, and slopes held down at real and at made rows: Huang et al.
2024, The GAN is dead; long live the GAN, arXiv 2501.05441). It sees scores cut into pieces (Gorishniy et al. 2022, On
embeddings for numerical features, arXiv 2203.05556), so that it sees sharp things. When training is over, it says which
of a few candidates for a row is likelier to be real (Azadi et al. 2019, Discriminator rejection sampling, arXiv
1810.06758).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthwright.generators.nets.wires import Wires
from synthwright.kit.learning.net_model import KNOTS, Plan

PIECES = 16
"""Into how many equally likely pieces the critic cuts a score."""
HEAT = 0.5
"""How soft choices are while they are learned."""
FAR = 5.0
"""How far the critic's opinion of a candidate may go either way, as the logarithm of odds."""


class Maker(nn.Module):  # type: ignore[misc]  # PyTorch is an extra: without it, its classes are unknown
    """Noise, and what is known, to what is said of slots and scores."""

    def __init__(self, wires: Wires, sizes: dict[str, int]) -> None:
        super().__init__()
        width = sizes["width"]
        self.noise, self.told = nn.Linear(sizes["latent"], width), nn.Linear(wires.inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(sizes["blocks"])
        )
        self.end = nn.Sequential(nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, wires.width + len(wires.spread)))

    def forward(self, noise: Tensor, seen: Tensor) -> Tensor:
        """Return the outputs for slots, and then scores."""
        state = self.noise(noise) + self.told(seen)
        for block in self.blocks:
            state = state + block(state)
        found: Tensor = self.end(state)
        return found


class Critic(nn.Module):  # type: ignore[misc]  # the same
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


class Gan(nn.Module):  # type: ignore[misc]  # the same
    """A maker of rows, and its critic."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.wires = Wires(plan)
        self.latent, self.tries = plan.sizes["latent"], plan.sizes["tries"]
        self.maker = Maker(self.wires, plan.sizes)
        self.critic = Critic(self.wires, plan.sizes["width"])
        self.register_buffer("spread", torch.tensor(self.wires.spread, dtype=torch.int64), persistent=False)
        self.register_buffer("rest", self._rest(), persistent=False)
        self.register_buffer("sizes", torch.tensor([self.wires.slots[i] for i in self.wires.chosen], dtype=torch.int64),
                             persistent=False)  # fmt: skip
        self.register_buffer("tilt", torch.zeros(self.wires.width))
        self.register_buffer("trust", torch.zeros(()))
        ideal = torch.special.ndtri((torch.arange(KNOTS) + 0.5) / KNOTS)
        self.register_buffer("ideal", ideal, persistent=False)
        self.register_buffer("bends", ideal.repeat(len(self.wires.spread), 1))

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

    def outputs(self, slots: Tensor, scores: Tensor, known: Tensor, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return what is said of slots, and scores, of rows of which some columns are known."""
        noise = torch.randn(len(slots), self.latent, generator=chance, device=slots.device)
        out = self.maker(noise, self.wires.seen(slots, scores, known))
        found = out[:, self.wires.width :]
        found = torch.where(known[:, self.spread], scores, self.straight(found) if self.trust > 0 else found)
        return out[:, : self.wires.width] + self.tilt, found

    def straight(self, scores: Tensor) -> Tensor:
        """Return scores that are distributed as they should be: see `net_model.straightened`."""
        mine = scores.T.contiguous()
        at = torch.searchsorted(self.bends, mine).clamp(1, KNOTS - 1)
        low, high = self.bends.gather(1, at - 1), self.bends.gather(1, at)
        part = (mine - low) / (high - low).clamp(min=1e-9)
        inside = self.ideal[at - 1] + part.clamp(0, 1) * (self.ideal[at] - self.ideal[at - 1])
        beyond = (mine - self.bends[:, :1]).clamp(max=0) + (mine - self.bends[:, -1:]).clamp(min=0)
        return (inside + beyond).T

    def fake(self, slots: Tensor, scores: Tensor, known: Tensor, chance: torch.Generator) -> Tensor:
        """Return what the critic sees of made rows; choices are hard, their slopes those of soft ones."""
        logits, found = self.outputs(slots, scores, known, chance)
        noise = torch.empty_like(logits).exponential_(generator=chance).clamp(min=1e-30).log()
        parts = []
        for mine in self.wires.each((logits - noise) / HEAT):
            soft = mine.softmax(dim=1)
            hard = torch.zeros_like(soft).scatter_(1, mine.argmax(dim=1, keepdim=True), 1.0)
            parts.append(hard - soft.detach() + soft)
        ones = torch.cat(parts, dim=1) if parts else logits
        told = known[:, self.wires.chosen].repeat_interleave(self.sizes, dim=1)
        ones = torch.where(told, self.wires.ones(slots, known), ones)
        return self.view(ones, found, known)

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
            logits, found = self.outputs(slots, scores, known, chance)
            mine = torch.where(known, slots, self.wires.drawn(logits, never, chance))
            noise = torch.empty_like(best).exponential_(generator=chance).clamp(min=1e-30).log()
            liked = self.critic(self.real(mine, found, known)).clamp(-FAR, FAR) * self.trust - noise
            better = liked > best
            best = torch.where(better, liked, best)
            kept = torch.where(better[:, None], mine, kept[0]), torch.where(better[:, None], found, kept[1])
        return kept
