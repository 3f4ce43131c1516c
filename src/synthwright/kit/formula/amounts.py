"""Parameters of rules that are a number, or a formula of the row's other columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.kit.formula.formulas import faults, numbers, read
from synthwright.kit.ruled import Ask


def readable(said: str) -> str:
    """Return a formula as it is written; a ValueError where it cannot be read."""
    read(said)
    return said


Readable = Annotated[str, AfterValidator(readable)]
"""A formula or a condition in the language of `kit.formula.formulas`; one that cannot be read is told at once."""
Amount = float | Readable
"""A number, or a formula such as `20 + 0.5 * age` in the language of `kit.formula.formulas`."""


def amount(ask: Ask, said: float | str) -> float | np.ndarray:
    """Return what a parameter says: one number, or a float64 for every row (NaN where the formula has no value)."""
    return numbers(read(said), ask) if isinstance(said, str) else float(said)


def named(said: Iterable[Any]) -> tuple[str, ...]:
    """Return the columns and paths that some parameters name: those of them that are formulas."""
    return tuple(dict.fromkeys(p for one in said if isinstance(one, str) for p in read(one).paths))


def steady(said: float | str) -> float | None:
    """Return the number that a parameter is for every row; None for a formula that names columns."""
    if not isinstance(said, str):
        return float(said)
    formula = read(said)
    if formula.paths or formula.aggregates:
        return None
    one = Schema.model_validate({"tables": {"t": {"fields": {"a": {"kind": "number"}}}}})
    if faults(formula, one, "t", wanted="number"):
        return None
    found = float(numbers(formula, Ask(Dataset.blank(one, {"t": 1}), "t", (), Context()))[0])
    return found if np.isfinite(found) else None
