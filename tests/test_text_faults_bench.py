"""The writer with known faults plants what it says, and what curators drop is counted right."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from stdnum import iban, luhn

_ABOUT = {"card": "the card that was sent by post", "transfer": "the transfer to another bank", "loan": "the loan"}
_ASKED = ("Where is {} and when will it reach me, number {}?", "I would like to know more about {} of day {}, please.",
          "Why does it cost me {1} pounds to change {0} now?")  # fmt: skip


@pytest.fixture
def bench(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the bench, which is a script and not installed."""
    monkeypatch.syspath_prepend(str(checkout / "bench"))
    return importlib.import_module("text_faults")


def forms(bench: ModuleType) -> Any:
    """Return the module that makes faults, beside the bench."""
    return importlib.import_module(f"{bench.__name__}_rows")


def written(bench: ModuleType, rows: int, first: int = 0) -> Any:
    """Return rows from templates; none repeats another."""
    labels = [list(_ABOUT)[i % 3] for i in range(rows)]
    texts = [_ASKED[i // 3 % 3].format(_ABOUT[y], 1000 + 7 * (first + i)) for i, y in enumerate(labels)]
    return bench.written(texts, labels, np.random.default_rng(first))


def planted(bench: ModuleType, rows: int = 60, seed: int = 3) -> Any:
    """Return rows with faults."""
    sets = (written(bench, rows), written(bench, 40, 1000), written(bench, 40, 2000))
    return bench.planted(*sets, np.random.default_rng(seed))


def test_every_fault_is_planted_in_its_share(bench: ModuleType) -> None:
    """Each fault has its share of the rows, is what it says, and nothing else is changed."""
    made, real = planted(bench), written(bench, 60)
    for name, share in bench.SHARES.items():
        assert (made.fault == name).sum() == round(60 * share), name
    for i, fault in enumerate(made.fault):
        text, label, details = (column[i] for column in made.rows)
        assert (fault == bench.OFF) == (label != made.before.labels[i])
        assert (fault == "") == ((text, label, details) == tuple(column[i] for column in real))
        assert bool(made.variant[i]) == bool(fault)
        if fault == bench.DUPLICATE:
            assert made.before.texts[i] in made.rows.texts[:i]
        elif fault == bench.PERSONAL:
            assert made.before.texts[i] in text
            assert text != made.before.texts[i]
        elif fault == bench.REFUSAL:
            assert any(text in said for said in forms(bench).REFUSALS.values())
        elif fault == bench.SHORT:
            assert forms(bench).size(text) <= 2
        assert (fault == bench.MALFORMED) == (details != made.before.details[i])
        if fault == bench.MALFORMED:
            with pytest.raises(json.JSONDecodeError):
                json.loads(details)
    leaked = [t for t, f in zip(made.before.texts, made.fault, strict=True) if f == bench.LEAKED]
    assert set(leaked) <= set(written(bench, 40, 1000).texts)
    assert sum(map(len, forms(bench).REFUSALS.values())) == 30


def test_the_seed_decides(bench: ModuleType) -> None:
    """The same seed plants the same, another seed something else."""
    assert planted(bench).rows == planted(bench).rows != planted(bench, seed=4).rows


def test_numbers_have_right_check_digits(bench: ModuleType) -> None:
    """Made-up cards and accounts are valid by a library's rules."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert luhn.is_valid(forms(bench).card(rng)[0].replace(" ", "").replace("-", ""))
        assert iban.is_valid(forms(bench).iban(rng)[0])


def test_counting(bench: ModuleType) -> None:
    """Who drops nothing finds nothing; who drops all finds all, at a precision of the share; natural is set apart."""
    made = planted(bench)
    none, every = np.zeros(60, dtype=bool), np.ones(60, dtype=bool)
    for fault in (bench.OFF, bench.PERSONAL, bench.MALFORMED, bench.SHORT):
        share = (made.fault == fault).mean()
        nothing, all_ = bench.counted(made, fault, none, none), bench.counted(made, fault, every, none)
        assert nothing.recall == 0.0
        assert np.isnan(nothing.precision)
        assert all_.recall == 1.0
        assert all_.precision == all_.strict == pytest.approx(share)
        assert all_.clean == all_.honest == (made.fault == "").sum()
        exact = bench.counted(made, fault, made.fault == fault, none)
        assert (exact.recall, exact.precision, exact.clean, exact.other) == (1.0, 1.0, 0, 0)
    off, clean = made.fault == bench.OFF, np.flatnonzero(made.fault == "")[:4]
    drop, before = off.copy(), none.copy()
    drop[clean], before[clean[:3]] = True, True
    found = bench.counted(made, bench.OFF, drop, before)
    assert (found.natural, found.clean, found.right) == (3, 4, off.sum())
    assert found.precision == pytest.approx(off.sum() / (off.sum() + 1))
    assert found.strict == pytest.approx(off.sum() / (off.sum() + 4))
    twice = found.plus(found)
    assert (twice.recall, twice.precision, twice.planted) == (1.0, found.precision, 2 * off.sum())


def test_repeated_refusals_are_duplicates(bench: ModuleType) -> None:
    """A refusal that repeats an earlier one is right for who looks for duplicates, and no planted duplicate."""
    shares = {bench.REFUSAL: 0.8}
    made = bench.planted(*(written(bench, 60, i) for i in (0, 1000, 2000)), np.random.default_rng(0), shares)
    assert made.again.sum() == 48 - len({t for t, f in zip(made.rows.texts, made.fault, strict=True) if f})
    found = bench.counted(made, bench.DUPLICATE, made.again, made.again)
    assert (found.planted, found.found, found.right, found.natural, found.precision) == (0, 0, found.right, 0, 1.0)
    assert found.right == made.again.sum() > 0


def test_curators_are_run_as_they_are(bench: ModuleType, tmp_path: Path) -> None:
    """A curator of the house rules on the planted rows: half a JSON goes, a text of two words, and nothing else."""
    made, shown = planted(bench), written(bench, 40, 2000)
    by = {tried.name: tried for tried in bench.CURATORS}
    for name in ("format", "length"):
        drop, took = bench.dropped(by[name], made.rows, shown, tmp_path)
        assert drop.tolist() == (made.fault == by[name].fault).tolist()
        assert took >= 0
    (tmp_path / "test.txt").write_text("\n".join(written(bench, 40, 1000).texts), encoding="utf-8")
    gone = bench.one_after_another(made.rows, shown, tmp_path)
    assert gone[np.isin(made.fault, (bench.MALFORMED, bench.SHORT))].all()
