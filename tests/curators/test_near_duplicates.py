"""The curator `near-duplicates`, and how it finds pairs that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Curator, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.near_duplicates import NearDuplicates
from synthwright.kit.texts.text_near import Pairs, Shingles, alike, jaccard, leaving, rows_of_band
from synthwright.kit.texts.text_rouge import alike_in_order, rouge_l
from synthwright.kit.texts.text_words import runs, words
from synthwright.testing import check_curator


def dataset(texts: Sequence[str | None], first: int = 0) -> Dataset:
    """Return numbered rows of one text."""
    number = pa.array(range(first, first + len(texts)), pa.int64())
    schema = Schema(tables={"t": Table(fields={"s": Field(kind=Kind.TEXT)})})
    return Dataset(schema, {"t": pa.table({"s": pa.array(texts, pa.large_string()), ROW: number})})


def ruled(curator: Curator, texts: Sequence[str | None]) -> Verdict:
    """Return the ruling on texts."""
    data = dataset(texts)
    return curator.fit(data, None, Context()).judge(data, Context())[0]


VOCABULARY = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("ra", "lo", "mi", "ten", "s")])


def sentences(count: int, rng: np.random.Generator, size: int = 16) -> list[str]:
    """Return different sentences of made-up words."""
    return [" ".join(VOCABULARY[row]) for row in rng.integers(0, len(VOCABULARY), (count, size))]


def changed(text: str, rng: np.random.Generator) -> str:
    """Return a text with one word replaced, in other capitals, with other marks."""
    said = text.split()
    said[int(rng.integers(len(said)))] = "replacement"
    return ", ".join([" ".join(said[:5]).upper(), " ".join(said[5:])]) + "!"


def test_it_keeps_the_contract() -> None:
    """The contract suite passes, with other parameters too."""
    for curator in (NearDuplicates(), NearDuplicates(shingles="characters"), NearDuplicates(run=3, similarity=0.5)):
        assert check_curator(curator)


def test_planted_ones_are_found() -> None:
    """Of texts with a word replaced nearly all are found, and hardly any other goes."""
    rng = np.random.default_rng(3)
    texts = sentences(2000, rng)
    planted = [changed(texts[i], rng) for i in rng.choice(2000, 300, replace=False)]
    gone = ~ruled(NearDuplicates(), [*texts, *planted]).keep
    assert gone[2000:].mean() >= 0.98
    assert gone[:2000].sum() == 0


def test_the_first_stays_and_scores_tell_how_near() -> None:
    """Copies go, however they are spelled; null, empty and short texts stay."""
    first = "the quick brown fox jumps over the lazy dog today"
    texts = [first, "The QUICK brown fox jumps over the lazy dog, today!", first.replace("dog", "cat"), None, "", None,
             "yes please", "Yes, please!", first]  # fmt: skip
    verdict = ruled(NearDuplicates(), texts)
    assert verdict.keep.tolist() == [True, False, False, True, True, True, True, True, False]
    assert verdict.reason.to_pylist()[1] == "near-duplicate"
    assert verdict.score is not None
    assert verdict.score.round(3).tolist() == [0, 1, 0.8, 0, 0, 0, 0, 0, 1]
    assert ruled(NearDuplicates(similarity=0.9), texts).keep[2]
    assert not ruled(NearDuplicates(least=2), texts).keep[7]


def test_order_counts_where_words_are_taken_together() -> None:
    """The same words in another order are a near duplicate only where single words are compared."""
    texts = ["one two three four five six seven", "seven six five four three two one"]
    assert not ruled(NearDuplicates(), texts).keep[1]
    assert ruled(NearDuplicates(run=2), texts).keep[1]


def test_scripts_without_blanks_and_marks_above() -> None:
    """Chinese is compared by its characters; the two ways to write an accent are one."""
    texts = ["我想知道我的银行卡什么时候会寄到我家", "我想知道我的银行卡什么时候会寄到他家",
             "今天天气很好我们去公园散步吧", "Le café noir était fermé hier soir",
             "Le cafe\u0301 noir e\u0301tait ferme\u0301 hier soir"]  # fmt: skip
    assert ruled(NearDuplicates(), texts).keep.tolist() == [True, False, True, True, False]


def test_characters_forgive_misspellings() -> None:
    """By characters, texts with a typing error are alike."""
    text = "please transfer the remaining balance to my savings account"
    texts = [text, text.replace("remaining", "remaning")]
    assert not ruled(NearDuplicates(shingles="characters"), texts).keep[1]
    assert ruled(NearDuplicates(similarity=0.95), texts).keep[1]


def test_settled_rows_stay() -> None:
    """Rows of earlier waves stay, even where they are alike; later ones that are like them go."""
    text = "a settled text that says the same thing again and again"
    data = dataset([text, text, text, "quite another text about something that nobody has said"])
    judge = NearDuplicates().fit(data, None, Context(), {"t": 2})
    assert judge.judge(data, Context())[0].keep.tolist() == [True, True, False, True]


def test_a_chain_loses_every_second() -> None:
    """A text that is like one that goes, and like none that stays, stays."""
    pairs = Pairs(np.array([0, 1, 2]), np.array([1, 2, 3]), np.array([0.9, 0.9, 0.9]))
    assert leaving(pairs, 0.8, np.zeros(4, dtype=bool)).tolist() == [False, True, False, True]
    assert leaving(pairs, 0.8, np.array([True, True, False, False])).tolist() == [False, False, True, False]
    assert not leaving(pairs, 0.95, np.zeros(4, dtype=bool)).any()


def test_two_columns_and_two_tables() -> None:
    """A row goes where either of its texts repeats; tables are looked at by themselves."""
    one, other = "alpha beta gamma delta epsilon zeta", "eins zwei drei vier sechs sieben"
    fields = {"a": Field(kind=Kind.TEXT), "b": Field(kind=Kind.TEXT)}
    schema = Schema(tables={"t": Table(fields=fields), "u": Table(fields=fields)})
    held = pa.table({"a": [one, "a b c d e f", one], "b": [other, other, None]},
                    schema=pa.schema([("a", pa.large_string()), ("b", pa.large_string())]))  # fmt: skip
    data = Dataset(schema, {"t": held, "u": held.slice(0, 1)})
    found = {v.table: v.keep.tolist() for v in NearDuplicates().fit(data, None, Context()).judge(data, Context())}
    assert found == {"t": [True, False, False], "u": [True]}
    only = NearDuplicates(columns=("t.a",))
    assert [v.keep.tolist() for v in only.fit(data, None, Context()).judge(data, Context())] == [[True, True, False]]


def test_unknown_columns_are_told() -> None:
    """A column that is not there is named with the nearest that is; one that is no text, too."""
    schema = dataset([]).schema
    assert NearDuplicates(columns=("t.z",)).faults(schema) == ["columns: there is no column 't.z': did you mean 't.s'?"]
    assert NearDuplicates(columns=("s",)).faults(schema) == []
    numbers = Schema(tables={"t": Table(fields={"n": Field(kind=Kind.INTEGER)})})
    assert "no text" in NearDuplicates(columns=("t.n",)).faults(numbers)[0]


def test_pairs_are_those_of_exact_comparison() -> None:
    """What the sketches find is what comparing all pairs finds."""
    rng = np.random.default_rng(5)
    texts = sentences(300, rng)
    texts += [changed(t, rng) for t in texts[:100]] + [changed(changed(t, rng), rng) for t in texts[:100]]
    texts = list(dict.fromkeys(texts))
    shingles = Shingles.of(runs(words(pa.array(texts)), 1), len(texts))
    one, other = (np.asarray(i) for i in np.triu_indices(len(texts), 1))
    exact = jaccard(shingles, one, other)
    near = {(int(a), int(b)) for a, b in zip(one[exact >= 0.8], other[exact >= 0.8], strict=True)}
    pairs = alike(shingles, 0.8, 7)
    close = pairs.similarity >= 0.8
    found = {(int(a), int(b)) for a, b in zip(pairs.earlier[close], pairs.later[close], strict=True)}
    assert found <= near
    assert len(found) >= 0.98 * len(near)
    assert len(near) > 90


@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.7, 0.8, 0.9, 1.0])
def test_bands_let_few_pairs_be_missed(similarity: float) -> None:
    """As many numbers of a sketch must agree as let hardly any pair be missed."""
    size = rows_of_band(similarity)
    assert (1 - similarity**size) ** (64 // size) <= 0.001


def test_many_texts_are_ruled_on_in_seconds() -> None:
    """Ten thousand texts, of which many have the same words, take a second; a hundred thousand less than ten."""
    texts = [f"please send {t} to my account" for t in sentences(10_000, np.random.default_rng(1), 6)]
    begin = perf_counter()
    ruled(NearDuplicates(), texts)
    assert perf_counter() - begin < 5


# ------------------------------------------------------------------------------------------------------------- ROUGE-L
def lcs(one: list[str], other: list[str]) -> int:
    """Return the length of the longest common subsequence, the slow way."""
    best = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for j, said in enumerate(other):
            before, best[j + 1] = best[j + 1], before + 1 if word == said else max(best[j + 1], best[j])
    return best[-1]


def test_rouge_is_that_of_the_slow_way() -> None:
    """The longest common subsequences of all pairs at once are those of one pair after another."""
    rng = np.random.default_rng(2)
    texts = [" ".join(rng.choice(list("abcdefgh"), int(size))) for size in rng.integers(0, 40, 60)]
    one, other = (np.asarray(i) for i in np.triu_indices(len(texts), 1))
    both = ((texts[i].split(), texts[j].split()) for i, j in zip(one, other, strict=True))
    expected = [2 * lcs(a, b) / max(len(a) + len(b), 1) for a, b in both]
    assert rouge_l(words(pa.array(texts)), one, other) == pytest.approx(expected)


def test_rouge_pairs_are_those_of_exact_comparison() -> None:
    """What the sketches find as candidates is what comparing all pairs finds."""
    rng = np.random.default_rng(6)
    texts = sentences(200, rng)
    texts += [changed(changed(changed(t, rng), rng), rng) for t in texts[:100]]
    texts += [" ".join([*t.split()[8:], *t.split()[:8]]) for t in texts[:50]]  # the same words, in another order
    said = words(pa.array(texts))
    one, other = (np.asarray(i) for i in np.triu_indices(len(texts), 1))
    exact = rouge_l(said, one, other)
    near = {(int(a), int(b)) for a, b in zip(one[exact >= 0.7], other[exact >= 0.7], strict=True)}
    pairs = alike_in_order(said, 0.7, 7)
    close = pairs.similarity >= 0.7
    assert {(int(a), int(b)) for a, b in zip(pairs.earlier[close], pairs.later[close], strict=True)} == near
    assert 60 < len(near) < 130


def test_rouge_rules_by_order() -> None:
    """Self-Instruct's filter: what is 0.7 alike in order goes, the same words in another order stay, repeats count."""
    first = "write a short poem about the sea at night"
    texts = [first, "write a long poem about the sea by day", "night at sea the about poem short a write",
             "write a short poem about the quiet sea at night", "Write a short poem: about the sea, at night!",
             "go go go go go go go", "go stop wait run turn look back"]  # fmt: skip
    verdict = ruled(NearDuplicates(measure="rouge-l", similarity=0.7), texts)
    assert verdict.keep.tolist() == [True, True, True, False, False, True, True]
    assert verdict.score is not None
    assert verdict.score[3:5].tolist() == pytest.approx([18 / 19, 1])
    assert not ruled(NearDuplicates(similarity=0.7), texts).keep[2]
    assert check_curator(NearDuplicates(measure="rouge-l"))


def test_rouge_takes_words() -> None:
    """Characters and words in a row do not go with it."""
    schema = dataset([]).schema
    for wrong in (NearDuplicates(measure="rouge-l", shingles="characters"), NearDuplicates(measure="rouge-l", run=2)):
        assert "compares single words in order" in wrong.faults(schema)[0]
    assert NearDuplicates(measure="rouge-l", run=1).faults(schema) == []
