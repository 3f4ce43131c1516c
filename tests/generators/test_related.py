"""The generator `related`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Part, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Schema
from synthwright.generators.related import Related
from synthwright.kit.texts import text_nearest

PASSAGES = [
    ("a1", "a", "Parcels are sent with the carrier on every working day before noon."),
    ("a2", "a", "A parcel that the carrier lost is sent again on the next working day."),
    ("b1", "b", "The carrier brings parcels in the morning; whoever is not at home finds a card."),
    ("b2", "b", "Our shops open at nine and close at eight, on Saturdays at four."),
    ("c1", "c", "Saturdays and Sundays are quiet: shops close early, and no carrier comes."),
    ("d1", "d", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich."),
]
FIELDS: dict[str, Any] = {
    "passage": {"key": "id", "fields": {"id": {"kind": "key", "type": "string", "nulls": False},
                                        "document": {"kind": "category"}, "text": {"kind": "text"}}},
    "question": {"fields": {"passage": {"kind": "reference", "to": "passage.id", "type": "string"},
                            "ask": {"kind": "text"},
                            "other": {"kind": "reference", "to": "passage.id", "type": "string"},
                            "third": {"kind": "reference", "to": "passage.id", "type": "string"}}},
}  # fmt: skip


def given(of: list[str], ask: list[str | None] | None = None, *, nulls: bool = True) -> Dataset:
    """Return passages, and questions that belong to some of them."""
    fields = {**FIELDS["question"]["fields"], "other": {**FIELDS["question"]["fields"]["other"], "nulls": nulls}}
    schema = Schema.model_validate({"tables": {"passage": FIELDS["passage"], "question": {"fields": fields}}})
    columns = dict(zip(("id", "document", "text"), map(list, zip(*PASSAGES, strict=True)), strict=True))
    held = pa.table({c: pa.array(v, pa.large_string()) for c, v in columns.items()})
    start = {"passage": pa.array(of, pa.large_string()), "ask": pa.array(ask or [None] * len(of), pa.large_string())}
    return Dataset(schema, {"passage": held, "question": pa.table({**start, ROW: np.arange(len(of))})})


def made(recipe: Related, data: Dataset, *produce: str) -> Sample:
    """Return what the generator makes."""
    part = Part(tuple(f"question.{c}" for c in produce or ("other",)))
    return recipe.fit(Dataset.empty(data.schema), part, Context()).sample(data, Context(seed=1))


def others(sample: Sample, column: str = "other") -> list[str | None]:
    """Return to which passages the questions lead."""
    return sample.data.tables["question"].column(column).to_pylist()


def test_the_nearest_other_passage() -> None:
    """A passage about the same comes, never the passage itself; words are compared, not their order."""
    found = others(made(Related(like="passage.text"), given(["a1", "b2"])))
    assert found == ["a2", "c1"]


def test_of_another_document() -> None:
    """`unlike` leaves out what has the same value there."""
    found = others(made(Related(like="passage.text", unlike={"document": "passage.document"}), given(["a1", "a2"])))
    assert found == ["b1", "b1"]


def test_a_text_of_the_row_itself() -> None:
    """Passages are found for a question, too; then none is left out."""
    ask = ["When do shops close on Saturdays?", "Which carrier brings the parcels in the morning?", None]
    found = others(made(Related(like="ask", text="text"), given(["a1", "a1", "a1"], ask)))
    assert found == ["b2", "b1", None]


def test_nothing_near() -> None:
    """A row to which nothing is near gets no reference, or goes where it must have one."""
    recipe = Related(like="passage.text", least=0.1)
    assert others(made(recipe, given(["d1", "a1"])))[0] is None
    sample = made(recipe, given(["d1", "a1"], nulls=False))
    assert None not in others(sample)
    assert [v.reason.to_pylist() for v in sample.problems] == [["nothing-related", None]]


def test_several_columns_differ() -> None:
    """The nearest comes first, then the second nearest; what is not there is left out."""
    sample = made(Related(like="passage.text"), given(["a1"]), "other", "third")
    assert (others(sample), others(sample, "third")) == (["a2"], ["b1"])


def test_among_the_nearest() -> None:
    """It is drawn from so many, by the row's number: every one comes, in every shard the same, and nothing farther."""
    recipe, data = Related(like="passage.text", among=2), given(["a1"] * 60)
    found = others(made(recipe, data))
    assert set(found) == {"a2", "b1"}
    part = Dataset(data.schema, {**data.tables, "question": data.tables["question"].slice(20, 10)})
    assert others(made(recipe, part)) == found[20:30]


def test_blocks_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many texts are compared at once, the same ones are near."""
    data = given([p[0] for p in PASSAGES] * 3)
    recipe = Related(like="passage.text", among=3, unlike={"document": "passage.document"})
    whole = others(made(recipe, data))
    monkeypatch.setattr(text_nearest, "_CELLS", 7)
    assert others(made(recipe, data)) == whole


@pytest.mark.parametrize(("settings", "said"), [
    ({}, "say to what rows are to be near"),
    ({"like": "passage.tex"}, "tex"),
    ({"like": "passage.text", "text": "words"}, "words"),
    ({"like": "passage.text", "unlike": {"documents": "passage.document"}}, "documents"),
    ({"like": "passage.text", "unlike": {"document": "passage.documents"}}, "documents"),
    ({"like": "other.text"}, "makes itself"),
])  # fmt: skip
def test_what_cannot_be(settings: dict[str, Any], said: str) -> None:
    """Columns that are not there are told before anything runs."""
    schema = Schema.model_validate({"tables": FIELDS})
    found = Related.model_validate(settings).misused(schema, "question", ("other",))
    assert any(said in message for _, message in found), found


def test_it_looks_at_what_it_compares() -> None:
    """The plan learns which columns must be made before."""
    schema = Schema.model_validate({"tables": FIELDS})
    recipe = Related(like="passage.text", unlike={"document": "passage.document"})
    assert recipe.misused(schema, "question", ("other",)) == []
    wanted = {"question.passage", "passage.id", "passage.text", "passage.document"}
    assert set(recipe.looks_at(schema, "question")) == wanted
