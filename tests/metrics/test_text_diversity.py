"""Variety of texts: a second real sample passes, texts of one mould do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.metrics.text_diversity import TextDiversity
from synthwright.report.report import Report
from synthwright.report.telling import Aside, tell
from synthwright.report.verdict import settle, warnings
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
PARTS = {f"note.text: {m}" for m in ("distinct-2", "self-bleu", "vendi", "nearest")}


def notes(seed: int, rows: int, mould: float = 0.0, **fields: Any) -> Dataset:
    """Return a table of notes, a share of them of one mould."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, 801)
    said = []
    for alike in rng.random(rows) < mould:
        words = [f"w{w}" for w in rng.choice(800, int(rng.integers(6, 20)), p=weights / weights.sum())]
        said.append(f"I would like to return the lamp {words[0]} because it is broken" if alike else " ".join(words))
    return toys.dataset({"note": {"text": (Field(kind=Kind.TEXT, **fields), said)}})


def numbers(score: Score) -> tuple[float, float, float]:
    """Return value, reference and chance, all of which are there."""
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    return score.value, score.reference, score.chance


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("rows", [40, 150])
def test_a_second_real_sample_passes(measure: Measure, seed: int, rows: int) -> None:
    """It is no farther below the reference than chance, in no measure, and nothing warns of it."""
    found = measure(TextDiversity(), Case(notes(seed, 120), None, notes(100 + seed, rows)), seed)
    assert set(found) == {"", "worst", "note.text", *PARTS}
    for about, score in found.items():
        value, reference, chance = numbers(score)
        assert value > reference - chance, about
    assert warnings(list(found.values()), [], {"text-diversity": "higher"}) == []


@pytest.mark.parametrize("seed", range(3))
def test_texts_of_one_mould_fall(measure: Measure, seed: int) -> None:
    """Where half of the texts are of one mould, the whole is lower by more than chance; a gate with chance sees it."""
    found = measure(TextDiversity(), Case(notes(seed, 300), None, notes(100 + seed, 300, 0.5)), seed)
    value, reference, chance = numbers(found["note.text"])
    assert value < reference - chance
    assert not settle(list(found.values()), ["text-diversity[note.text] >= 0.9 * reference - chance"])[0].passed
    assert warnings(list(found.values()), [], {"text-diversity": "higher"})


def test_without_real_rows(measure: Measure) -> None:
    """The measures are told without reference, the whole is not; and the report claims no likeness by them."""
    found = measure(TextDiversity(), Case(None, None, notes(1, 80)))
    assert set(found) == {"", *PARTS}
    assert found[""].status == "not-applicable"
    for part in PARTS:
        assert found[part].value is not None
        assert (found[part].reference, found[part].chance) == (None, None)
    report = Report.of(list(found.values()), [], rows={"note": 80}, fingerprint="x")
    (line,) = (x for x in tell(report, Aside(train=False, holdout=False)).lines if x.question.name == "Faithful")
    assert line.answer == "none"


def test_what_is_not_compared(measure: Measure) -> None:
    """No text, few texts, texts made anew, columns that were kept: not applicable; a column that is lacking: failed."""
    for case in (
        Case(toys.plain(), None, toys.plain()),
        Case(notes(1, 15), None, notes(2, 80)),
        Case(notes(1, 80, sensitive="name"), None, notes(2, 80, sensitive="name")),
        Case(notes(1, 80), None, notes(2, 80), produced=("note.other",)),
    ):
        found = measure(TextDiversity(), case)
        assert set(found) == {""}
        assert found[""].status == "not-applicable"
    bare = notes(2, 80)
    bare = Dataset(bare.schema, {"note": bare.tables["note"].drop_columns(["text"]).append_column("x", [[1] * 80])})
    assert measure(TextDiversity(), Case(notes(1, 80), None, bare))["note.text"].status == "failed"
