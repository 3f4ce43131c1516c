"""The function for notebooks: `sw.collapse`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthwright.core.errors import InputError
from synthwright.core.schema import Schema
from synthwright.report.collapsed import Collapse
from synthwright.studies.collapse import Wish
from synthwright.studies.collapse import collapse as study


def collapse(  # noqa: PLR0913  the parameters of a notebook function
    data: Any,
    use: str | None = None,
    *,
    generations: int = 10,
    target: str | None = None,
    share_fresh: float | Sequence[float] = 0.1,
    rows: int | None = None,
    schema: Schema | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    force: bool = False,
) -> Collapse:
    """Let generations of synthetic rows learn from each other, and measure what each still has of the real rows.

    Args:
        data: a path, a pandas, polars or Arrow frame, or a `Dataset`: one table of real rows.
        use: a generator that learns whole tables; nothing: the default, or for texts `text-augmentation`.
        generations: how many.
        target: the column to predict; nothing: guessed.
        share_fresh: the share of fresh real rows that is mixed in, or several, each a regime of its own.
        rows: how many rows a generation has; nothing: a third of the real ones, 5,000 at most.
        schema: what the data is; nothing: inferred.
        seed: the same seed gives the same generations.
        out: the folder for the page; nothing: none is written.
        force: replace what another study left in `out`.

    Raises:
        InputError: several tables, too few rows, rows that say they are synthetic, or a target that is not there.
        UnknownNameError: a generator that nobody registered, or one that does not learn whole tables.
    """
    for said, word in ((generations, "generations"), (seed, "seed"), (rows, "rows")):
        if said is not None and (isinstance(said, bool) or not isinstance(said, int)):
            raise InputError("collapse", word, wanted="a whole number", got=f"a {type(said).__name__}")
    shares = (share_fresh,) if isinstance(share_fresh, int | float) else tuple(share_fresh)
    wish = Wish(generations, use, target, shares, rows, schema, seed, force)
    return study(data, wish, Path(out) if out else None)
