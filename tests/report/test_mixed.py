"""What a study of mixing says: the advice is no more than the intervals are, and the picture can be read."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from synthwright.report.mixed import Candidate, Confirmed, Interval, Mixed, advise, finalists, threshold_told
from synthwright.report.mixed_drawn import NARROW, WIDE, Line, draw_gains
from synthwright.report.mixed_shown import mixed_charts, mixed_html, mixed_markdown, print_mixed

HALF = Interval(value=0.5, low=0.4, high=0.6)


def about(value: float, reach: float = 0.02) -> Interval:
    """Return a number with an interval."""
    return Interval(value=value, low=value - reach, high=value + reach)


def tried(name: str, gain: float, share: float = 0.05) -> Candidate:
    """Return what a way gained on the folds."""
    return Candidate(name=name, of="positives", share=share, rows=90, score=0.7 + gain, gain=about(gain), matched=0.6,
                     seconds=2.0)  # fmt: skip


def held(name: str, gain: float | None, over: float | None = None) -> Confirmed:
    """Return what a way came to on held-out rows."""
    real = name == "real"
    return Confirmed(
        name=name, of="nothing" if real else "positives", share=None if real else 0.05, rows=0 if real else 90,
        score=about(0.7 + (gain or 0.0)), gain=None if gain is None else about(gain), threshold=0.3,
        over=None if over is None else about(over), recall=HALF, precision=HALF, matched=HALF,
    )  # fmt: skip


def whole(candidates: list[Candidate], confirmed: list[Confirmed], **more: Any) -> Mixed:
    """Return a study with its advice."""
    found = advise(candidates, confirmed, "average precision", 500)
    return Mixed(
        synthwright="0", data="pay<ments", target="pay.fraud", task="two classes", positive="<1>", train=2_000,
        score="average precision", test=500, positives=(40, 10), folds=3, repeats=2, confirming=5, alone=0.7,
        precision=0.8, matched=0.6, candidates=tuple(candidates), confirmed=tuple(confirmed), **found.model_dump(),
        **more,
    )  # fmt: skip


def test_only_what_gained_on_the_folds_is_confirmed() -> None:
    """The best way, and beside a generator the best simple one; nothing where nothing gained."""
    ways = [tried("duplicate", 0.01), tried("weights", 0.02), tried("forest", 0.05), tried("smote", 0.03)]
    assert [w.name for w in finalists(ways)] == ["forest", "weights"]
    assert [w.name for w in finalists([tried("duplicate", -0.01), tried("forest", 0.05)])] == ["forest"]
    assert [w.name for w in finalists([tried("duplicate", 0.06), tried("forest", 0.05)])] == ["duplicate"]
    assert finalists([tried("forest", -0.05), Candidate(name="smote", outcome="failed", reason="x")]) == ()


@pytest.mark.parametrize(
    ("simple", "best", "over", "taken", "said"),
    [
        (0.01, 0.08, 0.07, "forest", "Add 90 rows (forest 5 % positives)"),
        (0.01, 0.08, 0.01, "forest", "Against duplicate 5 % positives it is +0.010"),
        (0.07, 0.08, 0.01, "duplicate", "forest 5 % positives is no better than that, but for chance"),
        (0.03, 0.08, 0.05, "forest", "Against duplicate"),
        (0.01, 0.01, 0.0, None, "is not shown to gain"),
        (0.01, -0.05, -0.06, None, "loses"),
    ],
)
def test_advice_follows_the_intervals(simple: float, best: float, over: float, taken: str | None, said: str) -> None:
    """A generator is recommended where it gains for sure; the simple way where that does too and the rest is chance."""
    ways = [tried("duplicate", 0.02), tried("forest", 0.05)]
    confirmed = [held("real", None), held("forest", best, over), held("duplicate", simple)]
    found = advise(ways, confirmed, "average precision", 500)
    assert (found.recommended.name if found.recommended else None) == taken
    assert said in found.because
    if taken is None:
        assert found.because.startswith("Real rows alone are best: forest")


def test_what_is_missing_is_said() -> None:
    """Nothing finished, nothing gained, or the best did not finish again: three sentences, and nothing recommended."""
    failed = Candidate(name="forest", outcome="failed", reason="it raised.")
    said = [
        advise([failed], [], "average precision", 9).because,
        advise([tried("forest", -0.1)], [], "average precision", 9).because,
        advise([tried("forest", 0.1)], [held("real", None)], "average precision", 9).because,
    ]
    assert [s.split(":")[0] for s in said] == [
        "Nothing that was tried finished, so real rows alone stand", "Real rows alone are best",
        "Real rows alone stand"]  # fmt: skip


def test_the_threshold_is_told_for_itself() -> None:
    """Moving it is no way of mixing; without both rows of real rows alone nothing is said."""
    both = (held("real", None).model_copy(update={"tuned": False, "threshold": 0.5}), held("real", None))
    assert "a threshold of 0.3 in place of 0.5 finds 50 % of the positive rows" in threshold_told(both)
    assert threshold_told(both[:1]) == ""


def test_pages_say_the_same_and_escape_it() -> None:
    """Page, Markdown and terminal hold the advice, every way, every reason; names are text, never markup."""
    failed = Candidate(name="copula", outcome="failed", reason="it <raised>.")
    found = whole([tried("forest", 0.05), tried("smote", -0.05), failed], [held("real", None), held("forest", 0.05)],
                  recipe="specs/mix-forest.yaml", notes=("3 rows <b>",))  # fmt: skip
    page, text = mixed_html(found), mixed_markdown(found)
    console = Console(width=200, record=True, file=StringIO())
    print_mixed(found, console)
    shown = console.export_text()
    for one in (page.replace("\N{NO-BREAK SPACE}", " "), text.replace("\\", ""), shown):
        for word in ("forest 5 % positives", "smote 5 % positives", "copula", "Add 90 rows", "+0.030 to +0.070"):
            assert word in one
    assert "it &lt;raised&gt;." in page
    assert "<b>" not in page.replace("3 rows &lt;b&gt;", "")
    assert 'href="specs/mix-forest.yaml"' in page
    assert "<script" not in page
    assert "http:" not in re.sub(r'xmlns="[^"]*"', "", page)


def test_narrow_terminals_show_whole_numbers() -> None:
    """On 80 columns no number is cut."""
    found = whole([tried("forest", 0.05), tried("bayes-net", -0.05)], [held("real", None), held("forest", 0.05)])
    console = Console(width=80, record=True, file=StringIO())
    print_mixed(found, console)
    shown = console.export_text()
    assert "…" not in shown
    assert "+0.030 to +0.070" in shown


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_the_picture_is_to_scale(width: int) -> None:
    """Marks lie on their lines, better is to the right, all is inside, and zero is where it says."""
    groups = [
        [Line("a 1 %", 0.02, 0.01, 0.03), Line("a 5 %", -0.04, -0.06, -0.02)],
        [Line("b", 0.0, -0.01, 0.01, held=True)],
    ]
    svg = ET.fromstring(draw_gains(groups, "Gain", width))  # noqa: S314
    dots = [float(c.get("cx", 0)) for c in svg.iter() if c.tag.endswith("circle")]
    paths = [p.get("d", "") for p in svg.iter() if p.tag.endswith("path")]
    level = [d for d in paths if re.fullmatch(r"M[\d.]+,[\d.]+H[\d.]+", d)]
    lines = [tuple(map(float, re.findall(r"[\d.]+", d))) for d in level]
    assert len(lines) == 3
    assert dots[0] > dots[1]
    for dot, (low, _, high) in zip(dots, lines, strict=False):
        assert low < dot < high
        assert low > 0
        assert high < width
    zero = next(float(t.get("x", 0)) for t in svg.iter() if t.text == "0")
    assert lines[2][0] < zero < lines[2][2]
    assert zero == pytest.approx((lines[2][0] + lines[2][2]) / 2, abs=0.2)
    colours = [c.get("stroke") for c in svg.iter() if c.tag.endswith("circle")]
    assert colours == ["var(--good)", "var(--bad)"]


def test_no_picture_without_numbers() -> None:
    """Where nothing was measured there is a sentence in place of a picture."""
    found = whole([Candidate(name="copula", outcome="failed", reason="no.")], [])
    assert mixed_charts(found) == ("", "")
    assert "Nothing has numbers that could be drawn" in mixed_html(found)
