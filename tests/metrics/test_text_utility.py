"""What classifiers of texts learn: a second real sample teaches as well, wrong labels do not, and more rows help."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.kit.texts import labelled as rows_of
from synthwright.metrics.text_utility import TextUtility, _judged, _values
from synthwright.testing import toys

Measure = Callable[..., dict[str, Score]]
TOPICS = {"rain": "cloud storm umbrella wet drops puddle", "food": "bread soup butter plate spoon dinner",
          "music": "drum guitar chorus singer melody concert"}  # fmt: skip
PLAIN = ["the", "a", "of", "we", "it", "was", "on", "some", "very", "today", "again", "about"]


def texts(label: Sequence[str], seed: int, *, sure: float = 0.35) -> list[str]:
    """Return texts of plain words, some of which are of their label's topic."""
    rng = Context(seed=seed).rng
    made = []
    for one in label:
        words = rng.choice(PLAIN, 7).tolist()
        topic = rng.choice(TOPICS[one].split(), 7).tolist()
        made.append(" ".join(t if rng.random() < sure else w for w, t in zip(words, topic, strict=True)))
    return made


def drawn(rows: int, seed: int, *, wrong: float = 0.0) -> Dataset:
    """Return texts with labels, some of them wrong."""
    rng = Context(seed=seed).at("labels").rng
    names = np.array(list(TOPICS))
    true = rng.integers(0, 3, rows)
    said = np.where(rng.random(rows) < wrong, (true + rng.integers(1, 3, rows)) % 3, true)
    return of(texts(names[true].tolist(), seed), names[said].tolist())


def of(text: Sequence[str | None], label: Sequence[object], kind: Kind = Kind.CATEGORY) -> Dataset:
    """Return a table of texts and labels."""
    fields = {"text": (Field(kind=Kind.TEXT), list(text)), "label": (Field(kind=kind), list(label))}
    return toys.dataset({"note": fields})


def case(synthetic: Dataset, train: Dataset | None = None, holdout: Dataset | None = None) -> Case:
    """Return a case with 150 training and 200 held-out rows, unless others are given."""
    return Case(train or drawn(150, 1), holdout or drawn(200, 2), synthetic, target="note.label")


def numbers(score: Score) -> tuple[float, float, float, float]:
    """Return value, reference and the interval, which are there."""
    found = score.value, score.reference, score.low, score.high
    assert all(n is not None for n in found), score
    return found  # type: ignore[return-value]


def test_second_sample_teaches_as_well(measure: Measure) -> None:
    """Another real sample scores what the reference does, within chance, and adds nothing but rows."""
    found = measure(TextUtility(), case(drawn(150, 3)))
    value, second, low, high = numbers(found[""])
    assert second > 0.75
    assert low <= value <= high
    assert low - 0.05 <= second <= high + 0.05
    assert 0 < (found[""].chance or 0) < 0.4
    less = found["synthetic less real"]
    assert (less.low or 0) <= 0 <= (less.high or 0)
    assert less.value == pytest.approx(value - second, abs=1e-6)
    assert [n for n in found if n.startswith("class ")] == ["class 1", "class 2", "class 3"]
    assert {"macro F1", "both", "both: macro F1", "both: class 2", "both less real", "worst"} <= set(found)


def test_wrong_labels_are_seen(measure: Measure) -> None:
    """Labels dealt anew teach guessing, and harm beside the real ones."""
    found = measure(TextUtility(), case(drawn(600, 3, wrong=2 / 3)))
    assert numbers(found[""])[3] < numbers(found[""])[1] - (found[""].chance or 1)
    assert (found["synthetic less real"].high or 0) < 0
    assert (found["both less real"].high or 0) < 0
    assert found["both less real"].problem == "worse than real rows alone"


def test_good_rows_help_where_real_ones_are_few(measure: Measure) -> None:
    """Five hundred sound rows beside twelve: better, and said so; the reference is what the twelve teach."""
    found = measure(TextUtility(), case(drawn(500, 3), train=drawn(12, 1)))
    assert (found["both less real"].low or 0) > 0
    assert found["both less real"].problem == "better than real rows alone"
    assert numbers(found["both"])[0] > numbers(found["both"])[1] == numbers(found[""])[1]


def test_few_synthetic_rows_are_held_against_as_many(measure: Measure) -> None:
    """The reference learns from as many real rows; both together are held against all of them."""
    found = measure(TextUtility(), case(drawn(15, 3), train=drawn(600, 1)))
    assert "15 synthetic and 15 real rows" in (found[""].problem or "")
    assert numbers(found["both"])[1] > numbers(found[""])[1]
    assert numbers(found["both"])[0] > numbers(found[""])[0] + 0.05  # the 600 are among them


def test_rows_without_text_or_label_are_left_out(measure: Measure) -> None:
    """They are neither learned from nor counted."""
    names = ["rain", "food", "music"] * 10
    fake = of([*texts(names, 3), None, "", "bread and soup"], [*names, "rain", "food", None])
    assert "30 synthetic and 30 real rows were learned from" in (measure(TextUtility(), case(fake))[""].problem or "")


def test_a_class_that_is_lacking_is_never_found(measure: Measure) -> None:
    """Where synthetic rows lack a label, its recall is 0 and it is the worst."""
    full = drawn(200, 3)
    found = measure(TextUtility(), case(full.filter("note", full.tables["note"]["label"].to_numpy() != "food")))
    recalls = {n: s.value for n, s in found.items() if n.startswith("class ")}
    assert min(r for r in recalls.values() if r is not None) == 0 == found["worst"].value
    assert numbers(found["macro F1"])[0] < numbers(found["macro F1"])[1]


def test_values_are_those_of_a_plain_count() -> None:
    """Share, macro F1 and recall are what counting one by one gives; a class that no row has counts nowhere."""
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 4, 60), rng.integers(0, 5, 60)
    f1, recall = [], []
    for k in range(4):
        right = sum(t == s == k for t, s in zip(truth, said, strict=True))
        f1.append(2 * right / (sum(truth == k) + sum(said == k)))
        recall.append(right / sum(truth == k))
    found = _values(said, truth, 5)
    assert found[:2] == pytest.approx([np.mean(truth == said), np.mean(f1)])
    assert found[2:6] == pytest.approx(recall)
    assert np.isnan(found[6])


def test_interval_is_paired() -> None:
    """What both get right and wrong alike is no part of the interval of their difference."""
    truth = np.arange(400) % 2
    said = np.where(np.arange(400) < 200, truth, 1 - truth)  # right about the first half
    other = said.copy()
    other[:4] = 1 - other[:4]
    one, two = (_judged(s, truth, 2, Context(seed=1)) for s in (said, other))
    found = one.less(two)[0]
    assert found.value == pytest.approx(0.01)
    assert found.low == pytest.approx(0.0025, abs=0.0025)
    assert found.high == pytest.approx(0.02, abs=0.003)
    assert float(np.std(one.drawn[:, 0])) == pytest.approx(0.025, rel=0.1)  # apart, each strays ten times as far


@pytest.mark.parametrize(("given", "problem"), [
    (case(drawn(50, 3))._replace(holdout=None), "no held-out rows"),
    (case(drawn(50, 3))._replace(train=None), "no real rows"),
    (case(drawn(50, 3))._replace(target=None), "no target is named"),
    (case(drawn(50, 3), train=drawn(9, 1)), "too few rows with text and label: 9"),
    (case(of(["a b"] * 50, ["rain"] * 50), holdout=of(["c d"] * 30, ["rain"] * 30)), "does not vary"),
])  # fmt: skip
def test_what_cannot_be_measured_is_said(given: Case, problem: str, measure: Measure) -> None:
    """There is one score, without a number, that says why."""
    found = measure(TextUtility(), given)
    assert (list(found), found[""].status, found[""].value) == ([""], "not-applicable", None)
    assert problem in (found[""].problem or "")


@pytest.mark.parametrize("fake", [of([None] * 50, ["rain"] * 50), of(["  "] * 50, ["food"] * 50), of([], [])])
def test_without_synthetic_texts_it_fails(fake: Dataset, measure: Measure) -> None:
    """Rows without texts are no release of texts."""
    assert measure(TextUtility(), case(fake))[""].status == "failed"


def test_whole_numbers_may_be_labels(measure: Measure) -> None:
    """A target of few whole numbers is labels, one of many is none."""
    held = {k: of(["a b c"] * 60, (np.arange(60) % k).tolist(), Kind.INTEGER) for k in (3, 40)}
    few, many = (Case(held[k], held[k], held[k], "note.label") for k in (3, 40))
    assert measure(TextUtility(), few)[""].status == "ok"
    assert "no label" in (measure(TextUtility(), many)[""].problem or "")


def test_rare_and_strange_labels_are_one_class(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many labels the rarer are one; those that only synthetic rows have are counted, and none by name."""
    monkeypatch.setattr(rows_of, "CLASSES", 2)
    fake = of([*texts(["rain"] * 40, 5), *["odd words"] * 20], [*["rain"] * 40, *["secret"] * 20])
    found = measure(TextUtility(), case(fake))
    assert [n for n in found if n.startswith("class ")] == ["class 1", "class 2"]
    assert "20 synthetic rows have labels that no real row has" in (found[""].problem or "")
    assert not any(w in f"{n} {s.problem}" for n, s in found.items() for w in ("secret", *TOPICS))


def test_larger_tables_are_sampled(measure: Measure, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more rows a random sample is read, and this is said."""
    monkeypatch.setattr(rows_of, "_ROWS", (40, 40))
    found = measure(TextUtility(), case(drawn(80, 3)))
    assert "40 rows of larger tables; 40 synthetic and 40 real" in (found[""].problem or "")


def test_columns_can_be_named(measure: Measure) -> None:
    """Only the columns that are named are read, and only columns of text can be."""

    def wide(rows: int, seed: int) -> Dataset:
        held = drawn(rows, seed).tables["note"]
        fields = {c: (Field(kind=Kind.TEXT), v) for c, v in (("other", ["same words"] * rows), ("text", held["text"]))}
        label = (Field(kind=Kind.CATEGORY), held["label"])
        return toys.dataset({"note": {c: (f, list(map(str, v))) for c, (f, v) in {**fields, "label": label}.items()}})

    given = Case(wide(100, 1), wide(100, 2), wide(100, 3), "note.label")
    told, blind = (measure(TextUtility(columns=(c,)), given)[""] for c in ("note.text", "note.other"))
    assert numbers(told)[0] > 0.7
    assert numbers(blind)[0] < 0.5
    assert TextUtility(columns=("note.text",)).faults(given.schema) == []
    assert "note.txt" in TextUtility(columns=("note.txt",)).faults(given.schema)[0]
    assert "note.label" in TextUtility(columns=("note.label",)).faults(given.schema)[0]
