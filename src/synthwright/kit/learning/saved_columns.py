"""Columns in their order, and how each follows from those before it, as words and arrays that files hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from synthwright.kit.learning import artefacts
from synthwright.kit.learning.coded import Coded

if TYPE_CHECKING:
    from synthwright.kit.learning.chain import Follows

_CODEC = "codec:"


How = TypeVar("How", bound="Follows")


def to_saved(columns: Sequence[Coded], conditionals: Sequence[Follows | None]
             ) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:  # fmt: skip
    """Return what a file must hold of each column, as words and as arrays."""
    heads, arrays = [], {}
    for i, (column, how) in enumerate(zip(columns, conditionals, strict=True)):
        head, held = column.codec.to_json()
        heads.append({"name": column.name, "codec": head, "made": how is not None})
        arrays.update({f"{i}.{_CODEC}{n}": a for n, a in held.items()})
        arrays.update({f"{i}.{n}": a for n, a in (how.arrays() if how is not None else {}).items()})
    return heads, arrays


def of_saved(
    heads: Sequence[Mapping[str, Any]], arrays: Mapping[str, np.ndarray],
    conditional: Callable[[dict[str, np.ndarray]], How],
) -> tuple[tuple[Coded, ...], tuple[How | None, ...]]:  # fmt: skip
    """Rebuild the columns, and by `conditional` how they follow; a ValueError for what cannot be drawn from."""
    columns, conditionals = [], []
    for said, (name, held) in zip(heads, artefacts.parts([h["name"] for h in heads], arrays), strict=True):
        codec = {n.removeprefix(_CODEC): a for n, a in held.items() if n.startswith(_CODEC)}
        columns.append(Coded.of_json(name, said["codec"], codec))
        rest = {n: a for n, a in held.items() if not n.startswith(_CODEC)}
        conditionals.append(conditional(rest) if said["made"] else None)
    if not all(how is None or how.is_sound(i, columns[i].size + 1) for i, how in enumerate(conditionals)):
        raise ValueError("trees that point nowhere")
    return tuple(columns), tuple(conditionals)
