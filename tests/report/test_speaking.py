"""Every picture of a report speaks, or is an ornament beside words that say the same."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from synthwright.face import case_of, judge
from synthwright.report.html import render, render_officer

PICTURE = re.compile(r"<svg\b[^>]*>")


def people(rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    """Make a table with every kind of chart: numbers, whole numbers, labels, dates, times, and a text without one."""
    rng = np.random.default_rng(seed)
    born = pd.Timestamp("1980-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), unit="D")
    return pd.DataFrame({
        "age": rng.integers(18, 90, rows), "wealth": rng.normal(shift, 1, rows), "sex": rng.choice(["F", "M"], rows),
        "born": born.date, "seen": born + pd.to_timedelta(rng.integers(0, 86_400, rows), unit="s"),
        "note": [f"row {i} of {seed}, told at length and never twice {i * 7919 % 10_007}" for i in range(rows)],
    })  # fmt: skip


@pytest.fixture(scope="module")
def page() -> str:
    """Return the report on rows of which one column is shifted."""
    case, _ = case_of(people(400, 1), people(400, 2, 1.5), people(200, 3), None, None, ["sex"])
    report, _ = judge(case, ["integrity", "shape", "trend", "group-shares"], [], 0)
    return render(report, case) + render_officer(report, case)


def test_every_picture_has_a_role(page: str) -> None:
    """A picture with a label that tells what it shows, or an ornament that is not read; nothing else."""
    found = PICTURE.findall(page)
    assert len(found) > 12
    ornaments = [p for p in found if 'role="presentation" aria-hidden="true"' in p]
    assert all('class="icon"' in p for p in ornaments)
    for picture in (p for p in found if p not in ornaments):
        label = re.search(r'role="img" aria-label="([^"]+)"', picture)
        assert label, picture
        assert len(label[1].split()) > 5, label[1]
    assert not re.search(r"<(img|canvas|picture)\b", page)


def test_the_message_comes_first(page: str) -> None:
    """What differs is said to differ; what does not is not."""
    said = {re.search(r" column (\w+):", p)[1]: p for p in PICTURE.findall(page) if " column " in p}  # type: ignore[index]
    assert "number column wealth: real and synthetic rows differ by more than chance; " in said["wealth"]
    assert "category column sex: real and synthetic rows differ no more than by chance; " in said["sex"]
    assert all("shape 0" in said[c] and "(reference 0" in said[c] for c in ("wealth", "sex"))
    gates = next(p for p in PICTURE.findall(page) if 'class="gates"' in p)
    assert " not met: " in gates
    assert "shape" in gates
    assert any("strongest: " in p for p in PICTURE.findall(page))


def test_ornaments_repeat_words(page: str) -> None:
    """The sign of an answer stands beside the answer in words."""
    rows = re.findall(r'<li class="(yes|no|doubt|unknown|none)"><svg class="icon".*?</li>', page, re.DOTALL)
    assert len(rows) == len(re.findall(r'<span class="answer">[^<]+</span>', page))
    assert re.search(r'<p class="sentence \w+"><svg class="icon".*?</svg><span>[^<]{20,}', page, re.DOTALL)
