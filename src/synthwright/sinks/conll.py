"""CoNLL: a token and its BIO tag on each line, a blank line behind each text."""

from __future__ import annotations

from typing import IO, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.texts.spans import Tagged, Tokens, tagged, tags, tokens
from synthwright.sinks.annotated import Annotated, Batch


class Conll(Annotated):
    """Write texts as tokens with BIO tags, `Anna<TAB>B-PERSON`; tables without texts and spans as JSON Lines.

    A block of lines is one row; a text without a token has none. Tokens are runs of letters (with the accents behind
    them), runs of digits, and every other character that is no blank by itself: `12b don't` is `12`, `b`, `don`, `'`,
    `t`. A span that begins or ends inside a token is widened to the whole token; of spans inside each other the
    outermost counts. Other columns are not written. `synthwright.kit.texts.spans` has the tokens and tags for Python.
    """

    name: ClassVar[str] = "conll"
    suffixes: ClassVar[tuple[str, ...]] = (".conll",)
    ending: ClassVar[str] = ".conll"

    comments: bool = False
    """Whether files begin with lines `# …`: that the texts are synthetic, and how many spans were widened or left out.
    Not every reader of CoNLL files knows such lines."""

    def notes(self) -> tuple[str, ...]:
        """Say what whoever trains on the tags must know."""
        return (
            "spans that end inside a token are widened to the whole token, and of nested ones the outermost counts",
        )

    def write_texts(self, batches: list[Batch], file: IO[bytes], metadata: dict[str, str]) -> None:
        if self.comments:
            file.write(_head(batches, metadata))
        for batch in batches:
            words = tokens(batch.text)
            file.write(_lines(words, tagged(words, batch.spans), batch.labels))


def _head(batches: list[Batch], metadata: dict[str, str]) -> bytes:
    """Return the comments at the beginning of a file."""
    found = [tagged(tokens(b.text), b.spans) for b in batches]
    counts = {"spans": sum(len(b.spans.row) for b in batches), "widened": sum(f.widened for f in found),
              "left_out": sum(f.lost for f in found)}  # fmt: skip
    said = [*sorted(metadata.items()), *((k, str(v)) for k, v in counts.items())]
    return "".join(f"# {key} = {' '.join(value.split())}\n" for key, value in said).encode() + b"\n"


def _lines(words: Tokens, marks: Tagged, labels: tuple[str, ...]) -> bytes:
    """Return the lines of some texts."""
    if not len(words.row):
        return b""
    names = pa.array(tags(labels), pa.string()).take(pa.array(marks.tag))
    last = np.append(words.row[1:] != words.row[:-1], True)
    ends = pa.array(["\n", "\n\n"]).take(pa.array(last.astype(np.int8)))
    lines = pc.binary_join_element_wise(words.text.cast(pa.string()), names, "\t")
    every = pc.binary_join_element_wise(lines, ends, "")
    whole = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(every)], pa.int32()), every), "")
    return bytes(whole[0].as_py(), "utf-8")
