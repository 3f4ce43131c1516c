"""FHIR Bundles: for each resource of a type, such as Patient, all resources that point to it, as one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.fhir.fhir_mapping import Branch, Element
from synthwright.kit.fhir.fhir_text import WIDE, Columns, cells, identities, joined, lines

BLOCK = 1_024
"""Bundles that are put together at a time, and entries of a Bundle of what points to nobody."""


class Mapped(NamedTuple):
    """The resources that one mapping makes of a table."""

    kind: str
    tree: Branch
    key: str
    """The column of their ids."""
    link: str | None
    """The column that says to whom they point; None: to nobody."""
    rows: int
    columns: Callable[[np.ndarray], Columns]
    """The columns of the rows at these places."""

    def whole(self) -> Columns:
        """Return the columns of all rows."""
        return self.columns(np.arange(self.rows))

    def entries(self, places: np.ndarray) -> pa.Array:
        """Return rows as entries of a transaction: each is put under its own id."""
        columns, count = self.columns(places), len(places)
        ids = pc.utf8_slice_codeunits(identities(columns(self.key), self.kind), 1, None)  # without the first quote
        texts = lines(self.kind, self.tree, columns, count)
        request = f',"request":{{"method":"PUT","url":"{self.kind}/'
        return joined(['{"resource":', texts, request, ids, "}}"], count)


def bundles(root: Mapped, others: Sequence[Mapped]) -> Iterator[pa.Array]:
    """Yield Bundles as JSON texts: first those of what points to nobody, then one for each resource of the root.

    Args:
        root: the resources that have Bundles.
        others: what else there is, in the order of a Bundle's entries.
    """
    ids = identities(root.whole()(root.key), root.kind)
    owned = [_owned(one, ids) for one in others]
    for one, (order, whose) in zip(others, owned, strict=True):
        nobody = order[: np.searchsorted(whose, 0)]
        for start in range(0, len(nobody), BLOCK):
            entries = one.entries(nobody[start : start + BLOCK])
            yield _bundled(entries, np.array([0, len(entries)]))
    for start in range(0, root.rows, BLOCK):
        stop = min(start + BLOCK, root.rows)
        texts, owners = [root.entries(np.arange(start, stop))], [np.arange(start, stop)]
        for one, (order, whose) in zip(others, owned, strict=True):
            low, high = np.searchsorted(whose, [start, stop])
            texts.append(one.entries(order[low:high]))
            owners.append(whose[low:high])
        owner = np.concatenate(owners)
        order = np.argsort(owner, kind="stable")
        entries = pa.chunked_array(texts, WIDE).take(pa.array(order)).combine_chunks()
        yield _bundled(entries, np.searchsorted(owner[order], np.arange(start, stop + 1)))


def _owned(one: Mapped, ids: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of a mapping in the order of whose they are, and whose: places in `ids`, -1 for nobody."""
    if one.link is None:
        return np.arange(one.rows), np.full(one.rows, -1)
    keys = cells(one.whole()(one.link), Element(column=one.link, text=True))
    whose = np.asarray(pc.fill_null(pc.index_in(keys, value_set=ids), -1))
    order = np.argsort(whose, kind="stable")
    return order, whose[order]


def _bundled(entries: pa.Array, ends: np.ndarray) -> pa.Array:
    """Return entries as Bundles: those between one end and the next are in one."""
    held = pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), entries)
    inner = pc.binary_join(held, pa.scalar(",", WIDE))
    return joined(['{"resourceType":"Bundle","type":"transaction","entry":[', inner, "]}"], len(held))
