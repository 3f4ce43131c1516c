"""Texts as vectors, without a language model: hashed words and pieces of words, weighted, in few dimensions.

Words, pairs of words and runs of three and four characters are counted under hashes (Weinberger et al., Feature hashing
for large scale multitask learning, ICML 2009), weighted by how few texts have them (Spärck Jones, A statistical
interpretation of term specificity, 1972), and brought to few dimensions (Deerwester et al., Indexing by latent semantic
analysis, 1990) by a randomised singular value decomposition (Halko, Martinsson and Tropp, SIAM Review 53, 2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.values import Column
from synthwright.kit.rows import mix
from synthwright.kit.texts.text_words import plain, runs, words

BITS = 18
"""Words have as many hashes as 2 to this, pieces of words as many again."""
WIDEST = 1 << 16
"""Hashes that are looked at: those that most texts have."""
LEARNED = 20_000
"""Texts that the dimensions are told from; of more, as many by chance."""
PIECES = (3, 4)
"""Characters of a piece of a word; blanks at its ends count."""
_BLOCK = 4096
_BLANK, _END = 32, 10
_SPARE = 10
_TURNS = 3
_BASE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Weights:
    """Which hashes count, and how much."""

    kept: np.ndarray
    rare: np.ndarray
    """The greater the fewer texts have it; as long as `kept`."""

    @staticmethod
    def of(counts: Any, least: int = 2) -> Weights:
        """Return the weights that counts of some texts tell.

        Args:
            counts: as `counted` returns them.
            least: texts that must have a hash for it to count. What one text alone has tells nothing of its label, but
                that it differs from every other.
        """
        texts = np.bincount(counts.indices, minlength=counts.shape[1])
        kept = np.flatnonzero(texts >= least)
        if least > 1 and len(kept) > WIDEST:
            kept = np.sort(kept[np.argsort(-texts[kept], kind="stable")[:WIDEST]])
        rare = np.log((1 + counts.shape[0]) / (1 + texts[kept])) + 1
        return Weights(kept, rare.astype(np.float32))

    def weighted(self, counts: Any) -> Any:
        """Return counts of texts as weights: words and pieces of words count the same in every text."""
        from scipy import sparse

        held = counts[:, self.kept]
        held.data = (1 + np.log(held.data)).astype(np.float32)
        held = held @ sparse.diags_array(self.rare)
        cut = int(np.searchsorted(self.kept, 1 << BITS))
        halves = [held[:, :cut], held[:, cut:]]
        sizes = [np.sqrt(np.asarray(h.multiply(h).sum(axis=1)).ravel()) for h in halves]
        scaled = [sparse.diags_array(1 / np.maximum(s, 1e-12)) @ h for h, s in zip(halves, sizes, strict=True)]
        return sparse.hstack(scaled, format="csr", dtype=np.float32)


def counted(column: Column) -> Any:
    """Return how often each text of a column has each hash: a sparse matrix, a row for a text. Nulls have none."""
    from scipy import sparse

    width = 2 << BITS
    blocks = [_counted(column.slice(i, _BLOCK), width) for i in range(0, len(column), _BLOCK)]
    return sparse.vstack(blocks, format="csr") if blocks else sparse.csr_array((0, width), dtype=np.float32)


def _counted(column: Column, width: int) -> Any:
    from scipy import sparse

    said, held = plain(column), words(column)
    pairs = runs(held, 2)
    rows, hashes = [held.rows, pairs.rows], [held.hashes >> np.uint64(64 - BITS), pairs.hashes >> np.uint64(64 - BITS)]
    for size in PIECES:
        whose, codes = _pieces(said, size)
        rows.append(whose)
        hashes.append((codes >> np.uint64(64 - BITS)) + np.uint64(1 << BITS))
    whose, which = np.concatenate(rows), np.concatenate(hashes).astype(np.int64)
    ones = np.ones(len(whose), dtype=np.float32)
    return sparse.csr_array((ones, (whose, which)), shape=(len(column), width))  # equal places are summed


def _pieces(said: Column, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return whose each piece of so many characters is, and its hash; a blank stands only at its ends."""
    whole = "".join(f" {t} \n" for t in said.to_pylist())
    letters = np.frombuffer(whole.encode("utf-32-le", "replace"), dtype=np.uint32)
    count = len(letters) - size + 1
    if count <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    codes, bad = np.zeros(count, dtype=np.uint64), np.zeros(count, dtype=bool)
    for i in range(size):
        here = letters[i : count + i]
        codes = codes * _BASE + here
        bad |= (here == _END) | ((here == _BLANK) & (0 < i < size - 1))
    row = np.cumsum(letters == _END)[:count]
    return row[~bad], mix(codes[~bad] + np.uint64(size))


def basis(weighted: Any, rank: int, rng: np.random.Generator) -> np.ndarray:
    """Return the directions in which texts differ most, a column each, at most `rank`.

    Args:
        weighted: the texts that tell, a row each.
        rank: how many.
        rng: the randomness; other randomness gives nearly the same directions.
    """
    if weighted.shape[0] > LEARNED:
        weighted = weighted[np.sort(rng.choice(weighted.shape[0], LEARNED, replace=False))]
    rank = min(rank, *weighted.shape)
    if not rank:
        return np.zeros((weighted.shape[1], 0), dtype=np.float32)
    wide = min(rank + _SPARE, *weighted.shape)
    across = np.asarray(weighted.T @ rng.standard_normal((weighted.shape[0], wide), dtype=np.float32))
    for _ in range(_TURNS):
        along = np.linalg.qr(np.asarray(weighted @ across))[0]
        across = np.asarray(weighted.T @ along)
    left, _, _ = np.linalg.svd(across, full_matrices=False)
    return np.ascontiguousarray(left[:, :rank], dtype=np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length 1; those without length stay."""
    sizes = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(sizes > 0, sizes, 1), dtype=np.float32)


def unit_rows(weighted: Any) -> Any:
    """Return the rows of a sparse matrix with length 1; those without length stay."""
    from scipy import sparse

    sizes = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return (sparse.diags_array((1 / np.where(sizes > 0, sizes, 1)).astype(np.float32)) @ weighted).tocsr()


def joined(held: pa.Table, columns: tuple[str, ...]) -> pa.Array:
    """Return the texts of each row as one; null where it has none."""
    parts = [pc.fill_null(held.column(c).cast(pa.large_string()), "") for c in columns]
    whole = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, pa.scalar("\n", pa.large_string()))
    whole = whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(whole), ""), pa.scalar(None, pa.large_string()), whole)
