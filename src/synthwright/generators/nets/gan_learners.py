"""How a maker of rows and its critic learn, against each other."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from synthwright.generators.nets.critic import KNOWN
from synthwright.generators.nets.gan import Gan
from synthwright.generators.nets.wires import some_known
from synthwright.kit.learning.net_model import Plan
from synthwright.kit.learning.nets import Learner, Table, device

SLOPE = 0.1
"""How much slopes of the critic cost."""
FASTER = 2.0
"""How much faster the critic learns."""
BETAS = 0.5, 0.9
"""How long steps remember those before: less long than usual, for what is good moves on."""
PAIRED = 512
"""Inputs whose pairs are matched, at most, drawn by chance where there are more."""
MEASURED = 20_000
"""Rows whose inputs and pairs of them are measured, at most."""
SMALL = 0.05
"""The least spread of an input that counts: what hardly ever differs would drown the rest."""
JUDGED = 2_000
"""Rows that are made to be compared with rows held back, at least."""
FEATURES = 512
"""Random features by which rows held back are compared."""


class GanLearner(Learner):
    """Learns to make rows that a critic cannot tell from real ones, which learns too."""

    def __init__(self, plan: Plan, table: Table, training: np.ndarray, *, rate: float, match: float) -> None:
        self.table, self.match, self.on = table, match, device()
        self.net = Gan(plan).to(self.on)
        self.nets = {"kept": self.net}
        two = ("maker", self.net.maker, rate), ("critic", self.net.critic, FASTER * rate)
        self.optimisers = {n: torch.optim.Adam(net.parameters(), lr=pace, betas=BETAS) for n, net, pace in two}
        self._moments(torch.from_numpy(training).to(self.on))

    def _moments(self, rows: Tensor) -> None:
        """Keep how real rows are distributed, by inputs and pairs of them."""
        chance = torch.Generator(self.on)
        chance.manual_seed(int(torch.randint(2**62, ())))  # whoever makes learners has seeded this
        rows = rows[torch.randperm(len(rows), generator=chance, device=self.on)[:MEASURED]]
        seen = self._real(rows, chance)[0][:, : -self.net.wires.columns]
        mean, size = seen.mean(dim=0), seen.std(dim=0)
        which = torch.randperm(seen.shape[1], generator=chance, device=self.on)[:PAIRED].sort().values
        self.which = which[size[which] > 0]
        self.mean, self.size = mean[self.which], size[self.which].clamp(min=SMALL)
        some = (seen[:, self.which] - self.mean) / self.size
        self.pairs = some.T @ some / len(some)

    def _real(self, rows: Tensor, chance: torch.Generator) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        slots, scores = self.table.slots[rows], self.table.scores(rows, chance)
        known = some_known(tuple(slots.shape), KNOWN, chance, self.on) | self.net.wires.given
        return self.net.real(slots, scores, known), (slots, scores, known)

    def step(self, rows: Tensor, chance: torch.Generator) -> Tensor:
        net = self.net
        real, there = self._real(rows, chance)
        fake = net.fake(*there, chance)
        judged = fake.detach()
        wrong = nn.functional.softplus(net.critic(judged) - net.critic(real)).mean()
        some = len(rows) // 4 + 1
        steep = self._slopes(torch.cat([real[:some], judged[:some]]))
        self.optimisers["critic"].zero_grad(set_to_none=True)
        (wrong + SLOPE * steep).backward()
        self.optimisers["critic"].step()
        net.critic.requires_grad_(False)
        loss = nn.functional.softplus(net.critic(real) - net.critic(fake)).mean() + self.match * self._unlike(fake)
        net.critic.requires_grad_(True)
        self.optimisers["maker"].zero_grad(set_to_none=True)
        if loss.requires_grad:
            loss.backward()
        nn.utils.clip_grad_norm_(net.maker.parameters(), 5.0)
        self.optimisers["maker"].step()
        return loss + wrong

    def _slopes(self, rows: Tensor) -> Tensor:
        """Return how steep the critic is at rows."""
        rows = rows.requires_grad_(True)
        (slope,) = torch.autograd.grad(self.net.critic(rows).sum(), rows, create_graph=True)
        return (slope**2).sum(dim=1).mean()

    def _unlike(self, fake: Tensor) -> Tensor:
        """Return how far inputs, and pairs of them, are from real ones: from two halves, whose noise cancels out."""
        some = (fake[:, self.which] - self.mean) / self.size
        one, two = (half.T @ half / len(half) - self.pairs for half in (some[::2], some[1::2]))
        first, second = some[::2].mean(dim=0), some[1::2].mean(dim=0)
        return ((one * two).sum() + (first * second).sum()) / max(len(self.which), 1)

    def judge(self, net: nn.Module, rows: Tensor, chance: torch.Generator) -> Tensor:
        """Return how well real rows are told from made ones along the best line through random features."""
        many = min(FEATURES, len(rows) // 4 + 4)
        rows = rows.repeat(-(-JUDGED // len(rows)))  # where few are held back, at least made ones are many
        real, there = self._real(rows, chance)
        fake = net.fake(*there, chance)
        seen = torch.cat([real, fake])
        seen = (seen - seen.mean(dim=0)) / seen.std(dim=0).clamp(min=SMALL)
        turn = torch.randn(seen.shape[1], many, generator=chance, device=self.on) / seen.shape[1] ** 0.5
        shift = torch.rand(many, generator=chance, device=self.on) * 2 - 1
        ours, made = (seen @ turn * 2 + shift).relu().split([len(real), len(fake)])
        off = ours.mean(dim=0) - made.mean(dim=0)
        within = (ours.T.cov() + made.T.cov()) / 2
        within = within + (0.01 * within.diagonal().mean() + 1e-6) * torch.eye(many, device=self.on)
        found: Tensor = off @ torch.linalg.solve(within, off)
        return found
