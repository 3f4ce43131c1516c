"""Keys and regular texts made anew."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.errors import SampleError
from synthwright.core.schema import Field, Kind, canonical
from synthwright.kit.coding.codecs import observe
from synthwright.kit.coding.keys import Keys, fitting, keys_of_json, keys_to_json, learn_keys, swap
from synthwright.kit.coding.patterns import recognise
from synthwright.kit.coding.shapes import Prose, Shape
from synthwright.kit.sampling.dice import Dice

RNG = np.random.default_rng(5)
ROWS = 5_000


def _keys(values: list[Any], kind: str | None = None) -> Keys:
    field = Field(kind=Kind.KEY, type=kind, nulls=False, unique=True)
    keys = learn_keys(field, observe(pa.array(values, canonical(field))), 77, 3)
    return keys_of_json(json.loads(json.dumps(keys_to_json(keys))))


def _made(keys: Keys, first: int = 0, rows: int = ROWS) -> list[Any]:
    numbers = np.arange(first, first + rows)
    return keys.make(numbers, Dice(numbers.astype(np.uint64), 1)).to_pylist()


REAL: dict[str, tuple[list[Any], str | None, str]] = {
    "run on": (list(range(1, 301)), "int64", r"\d+"),
    "from zero": (list(range(300)), "int64", r"\d+"),
    "scattered": ((RNG.choice(9 * 10**7, 300, replace=False) + 10**7).tolist(), "int64", r"[1-9]\d{7}"),
    "customers": ([f"CUST-{i:06}" for i in range(1, 301)], None, r"CUST-\d{6}"),
    "not padded": ([f"u{i}" for i in range(1, 301)], None, r"u\d+"),
    "codes": ([f"AB-{i}" for i in RNG.choice(90_000, 300, replace=False) + 10_000], None, r"AB-\d{5}"),
    "identifiers": ([str(uuid.UUID(int=int(i) << 64 | 1)) for i in RNG.choice(2**62, 300)], None, r"[0-9a-f-]{36}"),
    "hexadecimal": ([f"{i:012x}" for i in RNG.choice(2**47, 300)], None, r"[0-9a-f]{12}"),
    "words": ([w + "y" * i for i, w in enumerate(["some", "thing", "else"] * 100)], None, r"[A-Z0-9]{10}"),
}


@pytest.mark.parametrize("name", list(REAL))
def test_keys_look_alike_and_are_unique(name: str) -> None:
    """Keys have the look of the real ones, differ over all shards, and scattered or text ones are none of them."""
    real, kind, layout = REAL[name]
    keys = _keys(real, kind)
    made = _made(keys) + _made(keys, ROWS)
    assert len(set(made)) == 2 * ROWS
    assert all(re.fullmatch(layout, str(m)) for m in made)
    if name not in ("run on", "from zero"):
        assert not set(made[:600]) & set(real)


def test_running_numbers_start_where_they_did() -> None:
    """Numbers that ran on from 1 do so again, those from 0 too; scattered ones do not run on."""
    assert _made(_keys(list(range(1, 50)), "int64"))[:3] == [1, 2, 3]
    assert _made(_keys(list(range(50)), "int64"))[:3] == [0, 1, 2]
    scattered = np.diff(_made(_keys(REAL["scattered"][0], "int64")))
    assert (scattered > 0).mean() == pytest.approx(0.5, abs=0.05)


def test_scattered_numbers_begin_as_all_do() -> None:
    """Digits that all numbers begin with stay; a type that has no room for more there gets other numbers."""
    real = (RNG.choice(10**5, 300, replace=False) + 2**53 // 10**5 * 10**5).tolist()
    made = _made(_keys(real, "int64"), rows=3_000)
    assert {m // 10**5 for m in made} == {2**53 // 10**5}
    assert len(set(made)) == 3_000
    narrow = _made(_keys([2_147_400_000 + v % 80_000 for v in range(0, 10**7, 30_011)], "int32"), rows=3_000)
    assert max(narrow) < 2**31


def test_codes_that_are_used_up_get_longer() -> None:
    """More keys than the layout has are still unique."""
    made = _made(_keys([f"Z{i:02}" for i in RNG.choice(100, 30, replace=False)]), rows=3_000)
    assert len(set(made)) == 3_000


def test_a_narrow_type_is_full() -> None:
    """A key that its type outside cannot hold is refused, with the number it can."""
    field = Field(kind=Kind.KEY, type="int8", nulls=False, unique=True)
    with pytest.raises(SampleError, match="at most 127 for type int8"):
        fitting(pa.array([127, 128]), field, "anew")


@pytest.mark.parametrize("name", list(REAL))
def test_swap_is_one_to_one(name: str) -> None:
    """Swapped keys keep the classes of characters, differ where the real ones do, and depend on the secret alone."""
    real, _, _ = REAL[name]
    values = pa.array(real)
    made = swap(values, 5).to_pylist()
    assert len(set(made)) == len(made)
    assert swap(values.take(pa.array([7, 3])), 5).to_pylist() == [made[7], made[3]]
    assert swap(values, 6).to_pylist() != made
    classes = [
        [re.sub("[a-z]", "a", re.sub("[A-Z]", "A", re.sub("[0-9]", "0", str(v)))) for v in vs] for vs in (real, made)
    ]
    assert classes[0] == classes[1] or name == "identifiers"


def test_patterns_are_recognised() -> None:
    """Layouts that nearly all texts share are found; words and sentences are none."""

    def found(texts: list[str]) -> bool:
        return recognise(pa.array(texts, pa.large_string()), np.ones(len(texts), dtype=np.int64), 3) is not None

    assert found([f"{chr(65 + i % 26)}-{i:04}/X" for i in range(100)])
    assert found([f"{i:03}.{i * 7 % 1000:03}" for i in range(100)])
    assert not found(["a cat", "two dogs", "the third animal"] * 10 + [f"sentence {'x' * i}" for i in range(30)])
    assert not found([f"{'abcdefghij'[: 3 + i % 7]}" for i in range(50)])
    assert not found([""] * 20)


def test_rare_characters_are_not_kept() -> None:
    """A character or layout that fewer than three rows share is not in the pattern."""
    texts = [f"ID{i:05}" for i in range(300)] + ["QQ#77-secret"]
    pattern = recognise(pa.array(texts, pa.large_string()), np.ones(301, dtype=np.int64), 3)
    assert pattern is not None
    assert len(pattern.layouts) == 1
    assert not {"Q", "#"} & {x for c in pattern.layouts[0].positions for x in "".join(c)}


def test_prose_has_the_lengths_and_says_nothing() -> None:
    """Free text is as long as it was, begins and ends as it did, and holds none of its words."""
    words = np.array(["zebra", "quokka", "ibex", "wombat", "gnu"])
    real = [" ".join(words[RNG.integers(0, 5, 3 + i % 30)]).capitalize() + "." for i in range(400)]
    values = pa.array(sorted(set(real)), pa.large_string())
    shape = Shape.of(values, np.ones(len(values), dtype=np.int64), RNG, protect=3)
    assert isinstance(shape.look, Prose)
    shape = Shape.of_json(json.loads(json.dumps(shape.to_json())))
    made = shape.text(Dice(np.arange(4_000, dtype=np.uint64), 1)).to_pylist()
    lengths = [np.array([len(t) for t in texts]) for texts in (real, made)]
    assert np.quantile(lengths[1], [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(lengths[0], [0.1, 0.5, 0.9]), rel=0.1)
    assert all(t[0].isupper() and t[-1] == "." for t in made if t)
    assert not any(w in " ".join(made).lower() for w in words.tolist())
    assert len(set(made)) > 3_900


def test_layouts_tell_apart() -> None:
    """Each text has the first layout that it fits; other codes are written in the layouts that are told."""
    real = [f"B-{i} é." if i % 3 else f"#{i:04}/x" for i in RNG.choice(9000, 300, replace=False) + 1000]
    pattern = recognise(pa.array(real, pa.large_string()), np.ones(300, dtype=np.int64), 3)
    assert pattern is not None
    told = pattern.told(pa.array([*real, None], pa.large_string()))
    assert told is not None
    assert told[-1].as_py() is None
    assert len(set(zip([r[0] for r in real], told.to_pylist(), strict=False))) == 2
    made = pattern.draw(Dice(np.arange(301, dtype=np.uint64), 1), told)
    assert [m[0] for m in made[:300]] == [r[0] for r in real]
    assert pattern.told(pa.array(["other"] * 20, pa.large_string())) is None
