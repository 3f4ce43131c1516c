"""Texts and entities as spaCy's training data has them, in JSON Lines; spaCy itself is not needed."""

from __future__ import annotations

import json
from typing import IO, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.kit.texts.spans import outermost
from synthwright.sinks.annotated import Annotated, Batch
from synthwright.sinks.spelling import json_able


class Spacy(Annotated):
    """Write `{"text":…,"entities":[[5,12,"PERSON"]],"meta":{…}}` for each row; other tables as JSON Lines.

    Places are in characters, as Python counts them; of entities inside each other the outermost is kept. `meta` holds
    the other columns. Where spaCy is installed, a file for `spacy train` is made from it like this::

        import json, spacy
        from spacy.tokens import DocBin

        nlp, docs = spacy.blank("en"), DocBin()
        for line in open("part-00000.jsonl", encoding="utf-8"):
            row = json.loads(line)
            doc = nlp.make_doc(row["text"])
            found = [doc.char_span(*e, alignment_mode="expand") for e in row["entities"]]
            doc.ents = spacy.util.filter_spans([e for e in found if e])
            docs.add(doc)
        docs.to_disk("train.spacy")
    """

    name: ClassVar[str] = "spacy"
    suffixes: ClassVar[tuple[str, ...]] = (".spacy.jsonl",)

    def write_texts(self, batches: list[Batch], file: IO[bytes], metadata: dict[str, str]) -> None:
        for batch in batches:
            file.write(self._lines(batch))

    def _lines(self, batch: Batch) -> bytes:
        """Return the lines of some texts."""
        others = [c for c in batch.rows.column_names if c not in (self.text, self.spans)]
        held = pa.table({c: json_able(batch.rows.column(c)) for c in others})
        text = pc.utf8_slice_codeunits(_encoded(pa.table({"text": batch.text})), 0, -1)  # without the brace at its end
        meta = _encoded(held) if others else pa.array(["{}"] * len(text), pa.large_string())
        parts = (
            text,
            _scalar(',"entities":'),
            _entities(batch),
            _scalar(',"meta":'),
            meta,
            _scalar("}\n"),
            _scalar(""),
        )
        lines = pc.binary_join_element_wise(*parts).cast(pa.string())
        whole = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines), "")
        return bytes(whole[0].as_py(), "utf-8")


def _scalar(said: str) -> pa.Scalar:
    return pa.scalar(said, pa.large_string())


def _entities(batch: Batch) -> pa.Array:
    """Return the entities of each row as JSON."""
    kept = outermost(batch.spans)
    names = pa.array([f",{json.dumps(label, ensure_ascii=False)}]" for label in batch.labels], pa.string())
    start, end = (pa.array(c).cast(pa.string()) for c in (kept.start, kept.end))
    said = pc.binary_join_element_wise("[", start, ",", end, names.take(pa.array(kept.label)), "")
    ends = np.searchsorted(kept.row, np.arange(len(batch.text) + 1)).astype(np.int32)
    listed = pc.binary_join(pa.ListArray.from_arrays(pa.array(ends), said), ",")
    return pc.binary_join_element_wise("[", listed, "]", "").cast(pa.large_string())


def _encoded(table: pa.Table) -> pa.Array:
    """Return the rows of a table as JSON."""
    import polars as pl

    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.select(pl.struct(pl.all()).struct.json_encode()).to_series().to_arrow().cast(pa.large_string())
