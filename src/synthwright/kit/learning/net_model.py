"""Models that are networks: how a table gets to them, what they sample, save and load. PyTorch is imported late."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
import pyarrow as pa

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.contracts import Generator, Model, Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, StoreError
from synthwright.core.schema import fingerprint
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed
from synthwright.kit.learning.net_columns import NetColumn, Rows, known_of, rows_of
from synthwright.kit.learning.sequence import begun

if TYPE_CHECKING:
    from torch import nn

    from synthwright.kit.learning.nets import Course, Learner, Table

PIECE = 8_192
"""Rows that are made at a time."""
KNOTS = 129
"""Points at which the scores that a network gives are compared with those it should give."""
TRIED = 10_000
"""Rows that are made for that, at most."""
LEVELLED = 4
"""How often slots are made and counted to see how likely they should be."""
FEWEST = 40
"""Made values of one column from which that is worth it."""


def extra(owner: str) -> None:
    """Raise a FitError unless the libraries that networks need are installed."""
    try:
        import safetensors  # noqa: F401  whether it is there
        import torch  # noqa: F401  the same
    except ImportError as error:
        raise FitError(owner, f"the package {error.name}", wanted="it installed", got="nothing",
                       remedy="It is an extra:\n  pip install 'synthwright[neural]'") from None  # fmt: skip


class Plan(NamedTuple):
    """The sizes of a network: what is needed to build it again."""

    slots: tuple[int, ...]
    """How many slots each column has."""
    rest: tuple[int, ...]
    """The slot of each column in which it has a score; -1 where it has none."""
    given: tuple[bool, ...]
    """Which columns are always known."""
    sizes: dict[str, int]
    """The dials of the method, by name."""


@dataclass(frozen=True)
class NetModel(Model):
    """The columns, and the network that makes them."""

    about: ClassVar[str]
    """What it is called in messages."""

    table: str
    mode: str
    produce: tuple[str, ...]
    columns: tuple[NetColumn, ...]
    sizes: dict[str, int]
    weights: dict[str, np.ndarray]
    bends: np.ndarray
    """Columns with scores × knots: the scores the network gives, which stand for evenly spaced shares."""
    notes: tuple[str, ...] = ()
    """What happened in training that readers must know."""

    @staticmethod
    @abstractmethod
    def network(plan: Plan) -> nn.Module:
        """Build the network, with any weights; it has `made(slots, scores, known, barred, chance)`."""

    @property
    def plan(self) -> Plan:
        """The sizes of the network."""
        return planned(self.columns, self.produce, self.sizes)

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        extra(self.about)
        from synthwright.kit.learning.nets import device, quiet, restored

        held = given.tables[self.table]
        wanted = [n for n in self.produce if self.mode != "make" or n not in held.column_names]
        pieces: dict[str, list[pa.Array]] = {n: [] for n in wanted}
        with quiet():
            net = restored(self.network(self.plan), self.weights).to(device()).eval()
            for begin in range(0, max(held.num_rows, 1), PIECE):
                rng, piece = ctx.at("piece", begin // PIECE), held.slice(begin, PIECE)
                for name, values in self._piece(net, piece, wanted, rng).items():
                    pieces[name].append(values)
        made = {n: pa.concat_arrays(p) for n, p in pieces.items()}
        return Sample(completed(given, self.table, made, self.mode))

    def _piece(self, net: nn.Module, held: pa.Table, wanted: list[str], ctx: Context) -> Mapping[str, pa.Array]:
        """Return the columns that are to be made of some rows."""
        anew = self.produce if self.mode == "replace" else ()
        filled = self.produce if self.mode == "fill" else ()
        known = known_of(self.columns, held, anew, filled)
        barred = np.array([c.name in filled and c.size > 1 for c in self.columns])
        slots, scores = made_by(net, self.columns, known, barred, ctx)
        rng = ctx.at("decode").rng
        place = {c.name: j for j, c in enumerate(c for c in self.columns if c.spread)}
        found = {}
        for i, column in enumerate(self.columns):
            if column.name in wanted:
                j = place.get(column.name)
                mine = None if j is None else straightened(scores[:, j], self.bends[j])
                found[column.name] = column.decode(slots[:, i], mine, rng)
        return found

    def save(self, folder: Path) -> None:
        heads, arrays = [], {"bends": self.bends}
        for i, column in enumerate(self.columns):
            head, held = column.to_json()
            heads.append(head)
            arrays.update({f"{i}.{n}": a for n, a in held.items()})
        head = {"table": self.table, "mode": self.mode, "produce": self.produce, "columns": heads, "sizes": self.sizes,
                "notes": self.notes}  # fmt: skip
        artefacts.save(folder, head, arrays, self.weights)

    @classmethod
    def load(cls, folder: Path) -> Self:
        extra(cls.about)
        head, arrays = artefacts.load(folder)
        weights = artefacts.load_weights(folder)
        try:
            bends = arrays.pop("bends")
            parts = artefacts.parts([h["name"] for h in head["columns"]], arrays)
            columns = tuple(NetColumn.of_json(h, held) for h, (_, held) in zip(head["columns"], parts, strict=True))
            sizes = {str(n): int(v) for n, v in head["sizes"].items()}
            model = cls(head["table"], head["mode"], tuple(head["produce"]), columns, sizes, weights, bends,
                        tuple(head["notes"]))  # fmt: skip
            model._checked()
        except (KeyError, ValueError, TypeError, IndexError, RuntimeError, MemoryError):
            raise StoreError(folder.name, cls.about, wanted="what Synthwright saved", got="something else",
                             remedy="fit the model again") from None  # fmt: skip
        return model

    def _checked(self) -> None:
        """Raise a ValueError unless the weights are those of the network, and numbers."""
        from synthwright.kit.learning.nets import restored

        if any(not 0 < v <= 1 << 16 for v in self.sizes.values()):
            raise ValueError("sizes of no network")
        if self.bends.shape != (sum(c.spread for c in self.columns), KNOTS) or not np.isfinite(self.bends).all():
            raise ValueError("bends of other columns")
        if any(not np.isfinite(a).all() for a in self.weights.values()):
            raise ValueError("weights that are no numbers")
        restored(self.network(self.plan), self.weights)


Made = TypeVar("Made", bound=NetModel)


def planned(columns: tuple[NetColumn, ...], produce: tuple[str, ...], sizes: dict[str, int]) -> Plan:
    """Return the sizes of a network for these columns."""
    return Plan(tuple(c.size for c in columns), tuple(c.rest_slot if c.spread else -1 for c in columns),
                tuple(c.name not in produce for c in columns), sizes)  # fmt: skip


def made_by(
    net: Any, columns: tuple[NetColumn, ...], known: Rows, barred: np.ndarray, ctx: Context
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return slots and scores for rows of which some columns are known.

    Args:
        net: the network, ready.
        columns: its columns.
        known: what is known of each row.
        barred: which columns must have a value.
        ctx: the randomness.
    """
    import torch
    from scipy.special import ndtri

    from synthwright.kit.learning.net_columns import FAR
    from synthwright.kit.learning.nets import device, dice

    on = device()
    middle = np.clip((known.low.astype(np.float64) + known.high) / 2, FAR, 1 - FAR)
    scores = torch.from_numpy(ndtri(middle).astype(np.float32)).to(on)
    slots = torch.from_numpy(known.slots).to(on)
    never = torch.tensor([c.null_slot if no and c.null_slot > 0 else -1 for c, no in zip(columns, barred, strict=True)])
    with torch.no_grad():
        found = net.made(slots.clamp(min=0), scores, slots >= 0, never.tolist(), dice(ctx.at("chance"), on))
    return found[0].cpu().numpy(), found[1].cpu().numpy()


def straightened(scores: np.ndarray, bends: np.ndarray) -> np.ndarray:
    """Return scores that are distributed as they should be: the network's quantiles become the normal ones."""
    from scipy.special import ndtri

    at = ndtri((np.arange(KNOTS) + 0.5) / KNOTS)
    out = np.interp(scores, bends, at)
    out = np.where(scores < bends[0], at[0] + (scores - bends[0]), out)
    return np.where(scores > bends[-1], at[-1] + (scores - bends[-1]), out)


class Lesson(NamedTuple):
    """How a method learns."""

    recipe: Generator
    protect: int
    course: Course
    sizes: dict[str, int]
    """The dials of the network, by name."""
    learner: Callable[[Plan, Table, np.ndarray], Learner]
    """Makes what learns from the plan, the rows, and which of them train."""
    later: Callable[[Any, Table, np.ndarray], Learner] | None = None
    """Makes what learns when this is over, from the network, the rows and the bends."""
    beside: float = 0.2
    """How long that takes beside the first training."""


def learned(model: type[Made], lesson: Lesson, data: Dataset, part: Part, ctx: Context) -> Made:
    """Return a trained model of a part; a FitError for what cannot be learned from."""
    from synthwright.kit.learning import nets

    recipe, course, sizes = lesson.recipe, lesson.course, lesson.sizes
    start = begun(data, part, recipe.name, lesson.protect, ctx)
    columns = tuple(NetColumn.of(c) for c in (*start.given, *start.made))
    plan = planned(columns, start.produce, sizes)
    rows = rows_of(columns, start.held, ctx.at("strange").rng)
    identity = fingerprint(
        [__version__, recipe.fingerprint(), data.fingerprint(), list(part), ctx.seed, list(ctx.place)]
    )
    with nets.quiet():
        table = nets.tensors(rows)
        with nets.begun_with(ctx.at("weights")):
            one = lesson.learner(plan, table, nets.halves(len(rows.slots), ctx)[0])
        done = nets.train(one, len(rows.slots), course, ctx, (recipe.name, identity))
        notes = done.notes
        net = nets.restored(model.network(plan), done.weights).to(nets.device()).eval()
        _level(net, columns, plan, rows, ctx.at("level"))
        bends = _bends(net, columns, plan, rows, ctx.at("bends"))
        if lesson.later is not None:
            steps, passes = (max(1, round(lesson.beside * n)) for n in (course.steps, course.passes))
            short = course._replace(steps=steps, passes=passes)
            two = lesson.later(net, table, bends)
            done = nets.train(two, len(rows.slots), short, ctx, (recipe.name, f"{identity}-later"))
            net, notes = nets.restored(net, done.weights).eval(), (*notes, *done.notes)
            _level(net, columns, plan, rows, ctx.at("later"))
            bends = _bends(net, columns, plan, rows, ctx.at("bends"))
        weights = {n: t.detach().cpu().numpy().copy() for n, t in net.state_dict().items()}
    nets.cleared(ctx, (identity, f"{identity}-later"))
    return model(start.table, part.mode, start.produce, columns, sizes, weights, bends, notes)


def _level(net: nn.Module, columns: tuple[NetColumn, ...], plan: Plan, rows: Rows, ctx: Context) -> None:
    """Shift what a network says of slots until each is made as often as it is there.

    Networks that choose all slots at once have a `tilt`; others find the shares by themselves.
    """
    import torch

    tilt = getattr(net, "tilt", None)
    if tilt is None:
        return
    wires = net.wires
    first = wires.first.tolist()
    for turn in range(LEVELLED):
        known, made, _ = _trial(net, columns, plan, rows, ctx.at(turn))
        shift = np.zeros(len(tilt), dtype=np.float32)
        for i in wires.chosen:
            if not plan.given[i]:
                real, mine = (np.bincount(s[:, i], minlength=plan.slots[i]) + 1.0 for s in (known.slots, made))
                shift[first[i] : first[i] + plan.slots[i]] = np.clip(np.log(real / mine), -1, 1)
        with torch.no_grad():
            tilt += torch.from_numpy(shift).to(tilt.device)


def _trial(
    net: nn.Module, columns: tuple[NetColumn, ...], plan: Plan, rows: Rows, ctx: Context
) -> tuple[Rows, np.ndarray, np.ndarray]:  # fmt: skip
    """Return some real rows, and the slots and scores that the network makes where they have what is given."""
    tried = ctx.at("rows").rng.integers(0, len(rows.slots), min(TRIED, max(2_000, 2 * len(rows.slots))))
    known = Rows(*(a[tried] for a in rows))
    slots = np.where(np.array(plan.given), known.slots, -1)
    made, scores = made_by(net, columns, Rows(slots, known.low, known.high), np.zeros(len(columns), bool), ctx)
    return known, made, scores


def _bends(net: nn.Module, columns: tuple[NetColumn, ...], plan: Plan, rows: Rows, ctx: Context) -> np.ndarray:
    """Return the quantiles of the scores that the network gives where the rest of a column is chosen."""
    from scipy.special import ndtri

    ideal = ndtri((np.arange(KNOTS) + 0.5) / KNOTS)
    spread = [i for i, c in enumerate(columns) if c.spread]
    bends = np.tile(ideal, (len(spread), 1))
    if not spread:
        return bends
    _, made, scores = _trial(net, columns, plan, rows, ctx)
    for j, i in enumerate(spread):
        mine = scores[made[:, i] == columns[i].rest_slot, j]
        if len(mine) >= FEWEST and not plan.given[i]:
            have = np.quantile(mine.astype(np.float64), (np.arange(KNOTS) + 0.5) / KNOTS)
            bends[j] = np.maximum.accumulate(have) + np.arange(KNOTS) * 1e-9
    return bends
