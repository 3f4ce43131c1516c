"""CoNLL files: tokens, tags, blocks; spans that do not fit are widened and counted; other tables are JSON Lines."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Field, Kind, Schema, Table
from synthwright.sinks import annotated
from synthwright.sinks.conll import Conll
from synthwright.testing import toys

MARK = {"synthwright.synthetic": "true"}


def table(*rows: tuple[str | None, list[tuple[int, int, str]] | None]) -> pa.Table:
    """Return texts with spans, and the text's number beside."""
    said = [None if s is None else json.dumps([{"start": a, "end": b, "label": k} for a, b, k in s]) for _, s in rows]
    return pa.table({"text": [t for t, _ in rows], "spans": pa.array(said, pa.string()), "n": range(len(rows))})


ROWS = table(
    ("Anna Müller lives\nin Ulm.", [(0, 11, "PER"), (21, 24, "GPE")]),
    ("", []),
    (None, None),
    ("id12b", [(2, 4, "NUM")]),
)


def written(folder: Path, held: pa.Table, sink: Conll) -> str:
    """Return what a sink writes of a table."""
    path = folder / "x.conll"
    path.unlink(missing_ok=True)
    sink.write_file(held, path, MARK)
    return path.read_text(encoding="utf-8")


def test_blocks(tmp_path: Path) -> None:
    """Each token has a line, each text a block, and a text without tokens none."""
    assert written(tmp_path, ROWS, Conll()) == (
        "Anna\tB-PER\nMüller\tI-PER\nlives\tO\nin\tO\nUlm\tB-GPE\n.\tO\n\nid\tO\n12\tB-NUM\nb\tO\n\n"
    )


def test_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    """Spans inside tokens are widened, those inside others left out; the comments say how many."""
    held = table(("Annabel Lee", [(0, 4, "PER"), (8, 11, "PER"), (8, 10, "LAST")]), ("Ulm", [(0, 3, "GPE")]))
    lines = written(tmp_path, held, Conll(comments=True)).split("\n")
    assert lines[:5] == ["# synthwright.synthetic = true", "# spans = 4", "# widened = 1", "# left_out = 1", ""]
    assert lines[5:] == ["Annabel\tB-PER", "Lee\tB-PER", "", "Ulm\tB-GPE", "", ""]


def test_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many rows are looked at together changes nothing."""
    whole = written(tmp_path, ROWS, Conll(comments=True))
    monkeypatch.setattr(annotated, "BATCH", 1)
    assert written(tmp_path, ROWS, Conll(comments=True)) == whole
    assert written(tmp_path, pa.concat_tables([ROWS.slice(0, 2), ROWS.slice(2)]), Conll(comments=True)) == whole


def test_release(tmp_path: Path) -> None:
    """Tables with texts and spans become CoNLL files, others JSON Lines; columns may be called otherwise."""
    spec = Table(fields={"said": Field(kind=Kind.TEXT), "marks": Field(kind=Kind.TEXT)})
    held = pa.table({"said": ["Ulm"], "marks": ['[{"start": 0, "end": 3, "label": "GPE"}]']})
    both = {"note": held, "thing": toys.plain(3).to_arrow()}
    data = Dataset.of(both, Schema(tables={"note": spec, "thing": toys.plain(3).schema.tables["thing"]}))
    files = Conll(text="said", spans="marks").write(data, tmp_path, MARK)
    assert [f.relative_to(tmp_path).as_posix() for f in files] == ["note/part-00000.conll", "thing/part-00000.jsonl"]
    assert files[0].read_text() == "Ulm\tB-GPE\n\n"
    assert len(files[1].read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (pa.table({"text": ["Ulm"], "spans": ['[{"start": 0, "end": 4, "label": "GPE"}]']}), "1 that end behind them"),
        (pa.table({"text": ["Ulm"], "spans": ["oops"]}), "the column of spans"),
    ],
)
def test_wrong_spans(tmp_path: Path, rows: pa.Table, said: str) -> None:
    """Spans that are none, or not of these texts, are refused, and nothing is written."""
    with pytest.raises(InputError, match=said):
        written(tmp_path, rows, Conll())
    assert list(tmp_path.iterdir()) == []
