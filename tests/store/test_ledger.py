"""The ledger of a source: on the disk before anything is measured, never over its budget, never altered unseen."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from synthwright.core.errors import PrivacyError, StoreError
from synthwright.core.spend import Spend, rho_at
from synthwright.store.ledger import Ledger, claims

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


def test_concentrated_measurements_cost_less_than_their_sum(tmp_path: Path) -> None:
    """Eight of epsilon 1 fit into 3, a ninth does not; where one has no rho, all are added."""
    one = Spend(1.0, 1e-9, rho=rho_at(epsilon=1.0, delta=1e-9))
    with Ledger.open(tmp_path) as ledger:
        ledger.allow(Spend(3.0, 1e-9))
        for i in range(8):
            ledger.reserve(f"{i}", one, "a test")
        assert 2.5 < ledger.spent.epsilon < 3.0
        assert ledger.spent.delta == 1e-9
        with pytest.raises(PrivacyError, match=r"epsilon 1 of 3, got 2\.\d+ spent: 0\.\d+ are left"):
            ledger.reserve("8", one, "a test")
        ledger.reserve("less", Spend(0.1, 1e-9, rho=rho_at(epsilon=0.1, delta=1e-9)), "a test")
        with pytest.raises(PrivacyError, match=r"epsilon 0\.2 of 3"):
            ledger.reserve("added", Spend(0.2, 0.0), "a test")
        ledger.allow(Spend(9.0, 1e-8))
        ledger.reserve("added", Spend(0.2, 0.0), "a test")
        assert ledger.spent.epsilon == pytest.approx(8.3)
        assert ledger.spent.delta == pytest.approx(9e-9)


def test_units_are_not_added_to_others(tmp_path: Path) -> None:
    """What hides single rows says nothing of all rows of somebody."""
    with Ledger.open(tmp_path) as ledger:
        ledger.allow(Spend(9.0, 1e-6))
        ledger.reserve("a", Spend(1.0, 1e-9, "visits.who", 3), "a test")
        ledger.reserve("b", Spend(1.0, 1e-9, "visits.who", 5), "a test")
        assert (ledger.spent.unit, ledger.spent.rows) == ("visits.who", 5)
        with pytest.raises(PrivacyError, match=r"wanted visits\.who, got row"):
            ledger.reserve("c", ONE, "a test")


def test_old_ledgers_are_read(tmp_path: Path) -> None:
    """Without units, rows, rho, marks of files, or the hash of the last line beside it."""
    tmp_path.joinpath("releases").mkdir()
    kept = sha256(b"cGFja2Vk").hexdigest()
    old: list[dict[str, object]] = [
        {"entry": "budget", "epsilon": 2.0, "delta": 1e-6},
        {"entry": "reserved", "key": "k", "about": "mst", "epsilon": 1.0, "delta": 1e-9, "unit": "row"},
        {"entry": "settled", "key": "k", "sha256": kept, "measured": [1.0, 1e-9]},
    ]
    after, text = "", ""
    for line in old:
        text += (raw := json.dumps({**line, "when": "2026-01-01T00:00:00+00:00", "after": after}) + "\n")
        after = sha256(raw.encode()).hexdigest()
    (tmp_path / "ledger.jsonl").write_text(text)
    (tmp_path / "releases" / "k").write_text("cGFja2Vk")
    with Ledger.open(tmp_path) as ledger:
        assert ledger.release("k") == "cGFja2Vk"
        assert ledger.spent == Spend(1.0, 1e-9)
        ledger.reserve("another", ONE, "a test")


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_lines_that_were_cut_off_are_missed(tmp_path: Path, cut: int) -> None:
    """By the hash of the last line, by a release that nobody paid for, and by releases elsewhere."""
    with Ledger.open(tmp_path) as ledger:
        ledger.lot()
        ledger.allow(ONE)
        ledger.reserve("k", ONE, "a test")
        paid = ledger.paid_by("k")
        ledger.settle("k", "cGFja2Vk", ONE)
    file = tmp_path / "ledger.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-cut]))
    with pytest.raises(StoreError, match="lines at its end gone"), Ledger.open(tmp_path):
        pass
    (tmp_path / "last").unlink()
    if cut > 1:
        with pytest.raises(StoreError, match="by which a release in it was paid"), Ledger.open(tmp_path):
            pass
        (tmp_path / "releases" / "k").unlink()
    with Ledger.open(tmp_path) as ledger:
        if cut == 1:  # the release is there: nothing is measured again
            assert ledger.release("k") == "cGFja2Vk"
            ledger.refuse_forgotten([paid])
        else:
            with pytest.raises(StoreError, match="of this run folder was paid"):
                ledger.refuse_forgotten([paid])
        ledger.refuse_forgotten([{"of": "another ledger", "line": "x"}, {}])


def test_contents_are_claimed_by_what_only_the_ledger_can_make(tmp_path: Path) -> None:
    """It tells whether it counts a file, and whoever reads over its shoulder sees no hash of it."""
    content = sha256(b"rows").hexdigest()
    with Ledger.open(tmp_path / "one") as ledger:
        assert not claims(tmp_path / "one", [content])
        ledger.claim([content])
        ledger.claim([content])
        assert claims(tmp_path / "one", ["x", content])
    assert entries(tmp_path / "one") == ["lot", "source"]
    assert content not in (tmp_path / "one" / "ledger.jsonl").read_text()
    assert not claims(tmp_path / "one", ["x"])
    assert not claims(tmp_path / "none", [content])
