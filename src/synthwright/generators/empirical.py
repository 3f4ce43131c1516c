"""Values from a histogram that was counted elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting
from pydantic import ValidationInfo, field_validator

from synthwright.core.contracts import Abilities, Place
from synthwright.core.schema import ORDERED, Field, Kind, Schema
from synthwright.kit.formula.stated import Said, fixed, is_iso, lattice, spelled, unfit, unit_of
from synthwright.kit.formula.weights import Weight, labelled
from synthwright.kit.ruled import Ask, Column, Ruled
from synthwright.kit.sampling.guide import Guide

_NEARLY = 1e-9


class Empirical(Ruled):
    """Draws values from a histogram: counts of bins, or of labels, as a report or a census prints them.

    ::

        {make: [person.age], use: empirical, with: {edges: [0, 18, 65, 100], counts: [21, 60, 19]}}

    A bin holds its lower edge and not its upper one; inside, every value is as likely, in columns of whole numbers and
    days every one of them; or, with `inside: log-uniform`, small values as likely as large ones on a scale of
    logarithms. With `labels` instead of `edges`, labels are drawn as often as they were counted.
    """

    name: ClassVar[str] = "empirical"
    abilities: ClassVar[Abilities] = Abilities(
        kinds=ORDERED | {Kind.CATEGORY, Kind.BOOLEAN, Kind.TEXT}, given="declared", learns=False
    )

    edges: tuple[float | str, ...] = Setting(default=(), examples=[[0, 1]])
    """Where bins begin and end, ascending: one more than there are counts. Numbers, or ISO dates and times."""
    labels: tuple[Said, ...] = Setting(default=(), examples=[["a"]])
    """The labels, in the order of the counts."""
    counts: tuple[Weight, ...] = (1.0,)
    """How often each bin or label was counted; shares will do as well."""
    inside: Literal["uniform", "log-uniform"] = "uniform"
    """How values lie inside a bin."""

    @field_validator("edges")
    @classmethod
    def _ascending(cls, said: tuple[float | str, ...]) -> tuple[float | str, ...]:
        for edge in said:
            if isinstance(edge, str) and not is_iso(edge):
                raise ValueError(f"{edge!r} is no number and no ISO date or time")
        for one, other in pairwise(said):
            if not isinstance(one, str) and not isinstance(other, str) and not one < other:
                raise ValueError(f"wanted ascending edges, got {one:g} before {other:g}")
        return said

    @field_validator("counts")
    @classmethod
    def _some(cls, said: tuple[float, ...]) -> tuple[float, ...]:
        if not sum(said) > 0:
            raise ValueError("wanted a count above 0, got none")
        return said

    @field_validator("inside")
    @classmethod
    def _above_zero(cls, said: str, info: ValidationInfo) -> str:
        edges = info.data.get("edges") or ()
        if said == "log-uniform" and any(not isinstance(e, str) and e <= 0 for e in edges):
            raise ValueError("logarithms want edges above 0")
        return said

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        found = super().misused(schema, table, produce)
        if bool(self.edges) == bool(self.labels):
            return [*found, ((), "say 'edges' or 'labels', and 'counts'")]
        wanted = len(self.labels) or len(self.edges) - 1
        if len(self.counts) != wanted:
            what = "label" if self.labels else "bin"
            found.append((("counts",), f"wanted {wanted} counts, one for each {what}, got {len(self.counts)}"))
        for c in produce:
            field = schema.tables[table].fields[c]
            if self.labels:
                kind = field.kind.value
                found += [(("labels", i), f"column {c!r} cannot hold {self.labels[i]!r}: it is of kind {kind!r}")
                          for i in unfit(self.labels, field)]  # fmt: skip
            else:
                found += self._wrong_edges(c, field)
        return found

    def _wrong_edges(self, column: str, field: Field) -> list[tuple[Place, str]]:
        if field.kind not in ORDERED:
            return [
                (("edges",), f"column {column!r} is of kind {field.kind.value!r}, which has no order: say 'labels'")
            ]
        numbers = [fixed(edge, field) for edge in self.edges]
        found: list[tuple[Place, str]] = [(("edges", i), f"{self.edges[i]!r} is no value of kind {field.kind.value!r}")
                                          for i, n in enumerate(numbers) if n is None]  # fmt: skip
        if found or len(self.counts) != len(self.edges) - 1:
            return found
        edges = np.array(numbers, dtype=np.float64)
        if not (np.diff(edges) > 0).all():
            return [(("edges",), "wanted ascending edges")]
        if self.inside == "log-uniform" and edges[0] <= 0:
            return [(("inside",), "logarithms want edges above 0")]
        first, last = _multiples(edges, lattice(field))
        return [(("edges", i), f"column {column!r} holds no value from {self.edges[i]} to below {self.edges[i + 1]}")
                for i in np.flatnonzero((first > last) & (np.array(self.counts) > 0)).tolist()]  # fmt: skip

    def gives(self, column: str, field: Field) -> tuple[str | None, ...] | None:
        return tuple(map(spelled, self.labels)) or None

    def draw(self, ask: Ask) -> Mapping[str, Column]:
        guide = Guide(np.array(self.counts))
        return {c: self._drawn(guide, ask.rows, ask.field(c), ask.ctx.at(c).rng) for c in ask.produce}

    def _drawn(self, guide: Guide, rows: int, field: Field, rng: np.random.Generator) -> Column:
        which = guide.draw(rng, rows)
        if self.labels:
            return labelled(self.labels, which, field)
        numbers = [fixed(edge, field) for edge in self.edges] or [0.0, 1.0]
        if field.kind not in ORDERED:  # which `misused` refuses
            return pa.nulls(rows)
        edges, step = np.array(numbers, dtype=np.float64), lattice(field)
        point = rng.random(rows)
        first, last = _multiples(edges, step)
        if self.inside == "log-uniform":
            logs = np.log(np.stack([edges[:-1], edges[1:]]) if step is None else
                          np.stack([(first - 0.5 + _NEARLY) * step, (last + 0.5 - _NEARLY) * step]))  # fmt: skip
            found = np.exp(logs[0][which] + point * (logs[1] - logs[0])[which])
        elif step is None:
            found = edges[:-1][which] + point * np.diff(edges)[which]
        else:
            found = (first[which] + np.floor(point * (last - first + 1)[which])) * step
        return found * unit_of(field)


def _multiples(edges: np.ndarray, step: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the first and the last multiple of a step in each bin, as counts of steps."""
    if step is None:
        return np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    begins = np.ceil(edges / step - _NEARLY)
    return begins[:-1], begins[1:] - 1
