"""Values with weights, as a specification writes them: `{basic: 6, plus: 3, pro: 1}`, or `[basic, plus, pro]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import AfterValidator, BeforeValidator, PlainSerializer
from pydantic import Field as Setting

from synthwright.core.schema import Field
from synthwright.kit.formula.stated import Said, stated


def _mapped(said: Any) -> Any:
    """Read a list of values as equal weights, and a list of pairs as what it was saved as."""
    if not isinstance(said, list | tuple):
        return said
    if all(isinstance(one, list | tuple) and len(one) == 2 for one in said):
        return {value: weight for value, weight in said}  # noqa: C416  a dict of what may be no pairs of scalars
    if any(isinstance(one, list | tuple | dict) for one in said):
        raise ValueError("wanted values with weights, {a: 3, b: 1}, or a list of values")
    twice = sorted({str(v) for i, v in enumerate(said) if v in said[:i]})
    if twice:
        raise ValueError(f"{twice[0]!r} is in the list twice: say weights instead, {{{twice[0]}: 2, …}}")
    return dict.fromkeys(said, 1.0)


def _weighed(said: dict[Said, float]) -> dict[Said, float]:
    if said and not sum(said.values()) > 0:
        raise ValueError("wanted a weight above 0, got none")
    return said


Weight = Annotated[float, Setting(ge=0, allow_inf_nan=False)]
Weights = Annotated[
    dict[Said, Weight],
    BeforeValidator(_mapped, json_schema_input_type=dict[str, float] | list[Said]),
    AfterValidator(_weighed),
    PlainSerializer(lambda said: [[v, w] for v, w in said.items()]),  # a list keeps the order wherever it is saved
]
"""Values and how often each is drawn, in proportion; a list: each as often. In the order they are written."""


def wrong_weights(said: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what makes no weights of something that was not validated: where in it, and a sentence."""
    if isinstance(said, Sequence) and not isinstance(said, str):
        return []
    if not isinstance(said, Mapping) or not said:
        return [((), "wanted values with weights: {a: 3, b: 1}")]
    found: list[tuple[tuple[str | int, ...], str]] = []
    for value, weight in said.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not np.isfinite(weight):
            found.append(((value,), f"wanted a weight for {value!r}, got {weight!r}"))
        elif weight < 0:
            found.append(((value,), f"a weight is at least 0, got {weight:g}"))
    if not found and not sum(said.values()) > 0:
        found.append(((), "wanted a weight above 0, got none"))
    return found


def labelled(labels: Sequence[Said], codes: np.ndarray, field: Field) -> pa.Array:
    """Return a column from labels and which of them each row has."""
    return stated(labels, field).take(pa.array(codes))
