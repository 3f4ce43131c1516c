"""A network that makes rows from noise, and a critic that tells them from real ones.

Conditional adversarial training (Xu et al. 2019, CTGAN, arXiv 1907.00503). The critic compares a made row with a real
one that has the same known columns (relativistic pairing, and slopes held down at real and at made rows: Huang et al.
2024, The GAN is dead; long live the GAN, arXiv 2501.05441). What it is, and what it is for when training is over, is in
`critic.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from synthwright.generators.nets.critic import Choosing, Critic
from synthwright.generators.nets.wires import Wires
from synthwright.kit.learning.net_model import Plan

HEAT = 0.5
"""How soft choices are while they are learned."""


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


class Gan(Choosing):
    """A maker of rows, and its critic."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.latent = plan.sizes["latent"]
        self.maker = Maker(self.wires, plan.sizes)
        self.critic = Critic(self.wires, plan.sizes["width"])
        self.register_buffer("sizes", torch.tensor([self.wires.slots[i] for i in self.wires.chosen], dtype=torch.int64),
                             persistent=False)  # fmt: skip

    def outputs(self, slots: Tensor, scores: Tensor, known: Tensor, chance: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return what is said of slots, and scores, of rows of which some columns are known."""
        noise = torch.randn(len(slots), self.latent, generator=chance, device=slots.device)
        out = self.maker(noise, self.wires.seen(slots, scores, known))
        found = torch.where(known[:, self.spread], scores, self.straight(out[:, self.wires.width :]))
        return out[:, : self.wires.width] + self.tilt, found

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

    def candidate(
        self, slots: Tensor, scores: Tensor, known: Tensor, never: Sequence[int], chance: torch.Generator
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        logits, found = self.outputs(slots, scores, known, chance)
        return torch.where(known, slots, self.wires.drawn(logits, never, chance)), found
