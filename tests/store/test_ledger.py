"""The ledger of a source: on the disk before anything is measured, never over its budget, never altered unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthwright.core.errors import PrivacyError, StoreError
from synthwright.core.spend import Spend
from synthwright.store.ledger import Ledger

ONE = Spend(1.0, 1e-9)


def entries(at: Path) -> list[str]:
    """Return the kinds of entry that the file holds."""
    return [json.loads(line)["entry"] for line in (at / "ledger.jsonl").read_text().splitlines()]


def test_a_measurement_is_paid_for_once_and_kept(tmp_path: Path) -> None:
    """What was settled is given back, byte for byte, by another process too, and costs nothing more."""
    with Ledger.open(tmp_path) as ledger:
        ledger.allow(ONE)
        ledger.reserve("k", ONE, "a test")
        assert entries(tmp_path) == ["budget", "reserved"]  # on the disk before anything is measured
        assert ledger.release("k") is None
        ledger.settle("k", "cGFja2Vk", Spend(0.9, 1e-9))
    with Ledger.open(tmp_path) as again:
        assert again.release("k") == "cGFja2Vk"
        assert again.spent[:2] == ONE[:2]
        assert again.release("another") is None


def test_beyond_the_budget_is_refused_and_nothing_written(tmp_path: Path) -> None:
    """Epsilon and delta are each held to their whole; more may be allowed, which is written."""
    with Ledger.open(tmp_path) as ledger:
        ledger.allow(Spend(1.5, 1e-9))
        ledger.reserve("a", ONE, "first")
        for key, spend, word in (("b", ONE, "epsilon 1 of 1.5"), ("c", Spend(0.1, 1e-9), "delta 1e-09 of 1e-09")):
            with pytest.raises(PrivacyError, match=word):
                ledger.reserve(key, spend, "second")
        assert entries(tmp_path) == ["budget", "reserved"]
        ledger.allow(Spend(2.0, 1e-8))
        ledger.reserve("b", ONE, "second")
        assert ledger.spent.epsilon == 2.0
    assert entries(tmp_path) == ["budget", "reserved", "budget", "reserved"]


def test_a_reservation_of_a_killed_run_is_used(tmp_path: Path) -> None:
    """Nobody saw anything of it: the same measurement goes on with what was set aside; a failure was seen."""
    for _ in range(3):
        with Ledger.open(tmp_path) as ledger:
            ledger.allow(ONE)
            ledger.reserve("k", ONE, "a test")
    assert entries(tmp_path) == ["budget", "reserved"]
    with Ledger.open(tmp_path) as ledger:
        ledger.fail("k")
        with pytest.raises(PrivacyError, match="0 are left"):
            ledger.reserve("k", ONE, "a test")


def test_half_a_line_is_of_a_run_that_was_killed(tmp_path: Path) -> None:
    """It had not begun to measure: the line is cut off, and the next takes its place."""
    with Ledger.open(tmp_path) as ledger:
        ledger.allow(ONE)
    with (tmp_path / "ledger.jsonl").open("ab") as file:
        file.write(b'{"entry": "reserved", "eps')
    with Ledger.open(tmp_path) as ledger:
        assert ledger.spent.epsilon == 0
        ledger.reserve("k", ONE, "a test")
    assert entries(tmp_path) == ["budget", "reserved"]


@pytest.mark.parametrize("how", ["smaller", "gone", "swapped", "strange", "negative"])
def test_an_altered_ledger_is_refused(tmp_path: Path, how: str) -> None:
    """A number that shrank, a line that is gone, lines in another order, words that are none of ours."""
    with Ledger.open(tmp_path) as ledger:
        ledger.allow(Spend(9.0, 1e-6))
        for key in "abc":
            ledger.reserve(key, ONE, "a test")
    file = tmp_path / "ledger.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    changed = {"smaller": [lines[0], lines[1].replace('"epsilon": 1.0', '"epsilon": 0.1'), *lines[2:]],
               "gone": [lines[0], *lines[2:]], "swapped": [lines[0], lines[2], lines[1], lines[3]],
               "strange": [*lines[:3], '{"entry": "refund", "after": ""}\n'],
               "negative": [lines[0].replace("9.0", "-9.0"), *lines[1:]]}[how]  # fmt: skip
    file.write_text("".join(changed))
    with pytest.raises(StoreError, match="ledger as it was written"), Ledger.open(tmp_path):
        pass


def test_a_release_that_is_gone_costs_again(tmp_path: Path) -> None:
    """Removed or altered: it is not used, the ledger says so, and what was spent stays spent."""
    with Ledger.open(tmp_path) as ledger:
        ledger.allow(ONE)
        ledger.reserve("k", ONE, "a test")
        ledger.settle("k", "cGFja2Vk", ONE)
    (tmp_path / "releases" / "k").write_text("b3RoZXI=")
    with Ledger.open(tmp_path) as ledger:
        assert ledger.release("k") is None
        assert entries(tmp_path)[-1] == "lost"
        with pytest.raises(PrivacyError):
            ledger.reserve("k", ONE, "a test")


def test_one_at_a_time_and_no_links(tmp_path: Path) -> None:
    """A second run is told to wait; a link where the log belongs is refused."""
    with Ledger.open(tmp_path / "one"), pytest.raises(StoreError, match="wait for it"), Ledger.open(tmp_path / "one"):
        pass
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "ledger.jsonl").symlink_to("/etc/passwd")
    with pytest.raises(StoreError, match="a link"), Ledger.open(tmp_path / "two"):
        pass
