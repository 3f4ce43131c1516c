"""A network that turns noise into rows: slots are uncovered one after the other, then scores flow to their places.

Slots are learned covered in part and told from those that are not (masked diffusion: Austin et al. 2021, arXiv
2107.03006; Shi et al. 2024, TabDiff, arXiv 2410.20626). Scores move along straight lines from noise (flow matching:
Lipman et al. 2022, arXiv 2210.02747). Whatever is known of a row is simply not covered.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from synthwright.generators.nets.wires import Wires, some_known
from synthwright.kit.learning.net_model import Plan
from synthwright.kit.learning.nets import Learner, Table, device

KNOWN = 0.2
"""The share of rows that are learned with some scores known."""
WAVES = 16
"""Numbers that tell how far a row has flowed."""
MOST_LOOKS = 32
"""How often slots are uncovered in one row, at most: columns one by one, or several at a time."""


class Block(nn.Module):  # type: ignore[misc]  # PyTorch is an extra: without it, its classes are unknown
    """What is added to a row's state, given how far it has flowed."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.time = nn.Linear(2 * WAVES, width)
        self.one, self.two = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.zeros_(self.two.weight)
        nn.init.zeros_(self.two.bias)

    def forward(self, state: Tensor, waves: Tensor) -> Tensor:
        """Return the state, moved."""
        found: Tensor = state + self.two(nn.functional.silu(self.one(self.norm(state)) + self.time(waves)))
        return found


class Flow(nn.Module):  # type: ignore[misc]  # the same
    """Tells covered slots, and where scores flow to."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.wires = Wires(plan)
        width, self.looks = plan.sizes["width"], plan.sizes["looks"]
        scores = len(self.wires.spread)
        self.begin = nn.Linear(self.wires.inputs + 2 * scores, width)
        self.blocks = nn.ModuleList([Block(width) for _ in range(plan.sizes["blocks"])])
        self.norm = nn.LayerNorm(width)
        self.end = nn.Linear(width, self.wires.width + scores)
        self.register_buffer("waves", math.pi * 1.4 ** torch.arange(WAVES), persistent=False)

    def forward(
        self, slots: Tensor, seen: Tensor, scores: Tensor, fixed: Tensor, time: Tensor
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Return the outputs for slots, and where scores move.

        Args:
            slots: the slot of every column.
            seen: of which columns it is not covered.
            scores: where scores stand, 0 where there is none.
            fixed: which of them are known.
            time: how far the others have flowed, 0 to 1.
        """
        wires = self.wires
        there = torch.cat([wires.ones(slots, seen), seen.float(), scores, fixed.float()], dim=1)
        open_ = wires.scored(slots) & seen[:, wires.spread]
        state = self.begin(torch.cat([there, open_.float()], dim=1))
        angle = time[:, None] * self.waves
        waves = torch.cat([angle.sin(), angle.cos()], dim=1)
        for block in self.blocks:
            state = block(state, waves)
        out = self.end(nn.functional.silu(self.norm(state)))
        return out[:, : wires.width], out[:, wires.width :]

    def losses(self, slots: Tensor, scores: Tensor, chance: torch.Generator) -> Tensor:
        """Return the loss of rows: half of them learn to uncover slots, half to let scores flow."""
        wires, on, rows = self.wires, slots.device, len(slots)
        first = torch.rand(rows, 1, generator=chance, device=on) < self.covering
        part = torch.rand(rows, 1, generator=chance, device=on)
        seen = (torch.rand(slots.shape, generator=chance, device=on) < part) | ~first | wires.given | ~wires.choice
        scored = wires.scored(slots)
        fixed = some_known(tuple(scored.shape), KNOWN, chance, on) | wires.given[wires.spread]
        fixed = fixed & scored & seen[:, wires.spread]
        noise = torch.randn(scores.shape, generator=chance, device=on)
        time = torch.rand(rows, 1, generator=chance, device=on) * ~first
        flowing = scored & ~fixed & ~first
        at = torch.where(fixed, scores, torch.where(flowing, noise + time * (scores - noise), 0.0))
        logits, moves = self(slots, seen, at, fixed, time[:, 0])
        covered = ~seen[:, wires.chosen]
        wrong = (wires.surprise(logits, slots) * covered).sum() / covered.sum().clamp(min=1)
        off = ((moves - (scores - noise)) ** 2 * flowing).sum() / flowing.sum().clamp(min=1)
        many = len(wires.chosen), len(wires.spread)
        return (wrong * many[0] + off * many[1]) / max(sum(many), 1)

    @property
    def covering(self) -> float:
        """The share of rows that learn to uncover slots."""
        return 0.0 if not self.wires.chosen else 1.0 if not self.wires.spread else 0.5

    def made(
        self, slots: Tensor, scores: Tensor, known: Tensor, never: Sequence[int], chance: torch.Generator
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Return slots and scores of rows; where they are known, those that were told."""
        wires = self.wires
        fixed = known[:, wires.spread] & wires.scored(slots)
        slots = self._uncovered(slots, torch.where(fixed, scores, 0.0), known, never, chance)
        flowing = wires.scored(slots) & ~fixed
        at = torch.where(fixed, scores, torch.randn(scores.shape, generator=chance, device=slots.device) * flowing)
        if not wires.spread:
            return slots, at
        every = torch.ones(slots.shape, dtype=torch.bool, device=slots.device)
        step, ones = 1 / self.looks, torch.ones(len(slots), device=slots.device)
        for i in range(self.looks):  # the midpoint rule
            half = at + step / 2 * self(slots, every, at, fixed, ones * (i * step))[1] * flowing
            at = at + step * self(slots, every, half, fixed, ones * ((i + 0.5) * step))[1] * flowing
        return slots, at

    def _uncovered(
        self, slots: Tensor, scores: Tensor, known: Tensor, never: Sequence[int], chance: torch.Generator
    ) -> Tensor:  # fmt: skip
        """Return the slots of rows: those that are not known uncovered in an order of chance."""
        wires, on = self.wires, slots.device
        seen = known | ~wires.choice
        covered = int((~seen).sum(dim=1).max()) if len(seen) else 0
        turn = (
            torch.rand(slots.shape, generator=chance, device=on)
            .masked_fill(seen, torch.inf)
            .argsort(dim=1)
            .argsort(dim=1)
        )
        fixed = known[:, wires.spread] & wires.scored(slots)
        still = torch.zeros(len(slots), device=on)
        many = -(-covered // MOST_LOOKS) if covered else 1
        for first in range(0, covered, many):
            logits = self(slots, seen, scores, fixed, still)[0]
            now = ~seen & (turn >= first) & (turn < first + many)
            slots = torch.where(now, wires.drawn(logits, never, chance), slots)
            seen = seen | now
        return slots


class FlowLearner(Learner):
    """Learns to turn noise into rows."""

    def __init__(self, plan: Plan, table: Table, training: np.ndarray, *, rate: float) -> None:
        self.table = table
        self.net = Flow(plan).to(device())
        self.nets = {"kept": self.net}
        self.optimisers = {"all": torch.optim.AdamW(self.net.parameters(), lr=rate, weight_decay=1e-4)}

    def step(self, rows: Tensor, chance: torch.Generator) -> Tensor:
        loss = self.net.losses(self.table.slots[rows], self.table.scores(rows, chance), chance)
        self.optimisers["all"].zero_grad(set_to_none=True)
        if loss.requires_grad:  # nothing is to be told where all is given
            loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimisers["all"].step()
        return loss

    def judge(self, net: nn.Module, rows: Tensor, chance: torch.Generator) -> Tensor:
        times = max(1, 2_000 // len(rows))
        rows = rows.repeat(times)  # each with other noise: few rows would tell too little
        found: Tensor = net.losses(self.table.slots[rows], self.table.scores(rows, chance), chance)
        return found
