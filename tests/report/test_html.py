"""The page: one file without scripts or addresses, whatever the data is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Field, Kind
from synthwright.report import html
from synthwright.report.html import render, write_html
from synthwright.report.report import Report
from synthwright.testing import toys

MakeReport = Callable[..., Report]
VOID = {"meta", "br", "rect", "line", "path", "circle", "image", "stop"}
RNG = np.random.default_rng(0)


class Page(HTMLParser):
    """Collects the elements, attributes and text of a page, and complains about elements that are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.headings: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._open and self._open[-1] == "h3":
            self.headings.append(data)


def is_safe(text: str) -> Page:
    """Check that nothing in a page can run or fetch, that all is closed and charts speak; return its parts."""
    page = Page(text)
    assert not {"script", "iframe", "object", "embed", "link", "img", "image", "a", "form", "base", "foreignobject"} & {
        e.lower() for e in page.elements
    }
    assert not [name for name, _ in page.attributes if name.lower().startswith("on")]
    assert not [v for n, v in page.attributes if n.lower() in ("href", "src", "xlink:href", "action")]
    outside = [v for n, v in page.attributes if v and "://" in v and not n.startswith("xmlns")]
    assert outside == []
    policy = next(v for n, v in page.attributes if v and "default-src" in v)
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "@import" not in text
    assert "url(" not in re.sub(r"clip-path=\"url\(#\w+\)\"", "", text)
    assert text.count("<svg ") == text.count('<svg role="img" aria-label="')
    return page


def of(report: Report, synthetic: Dataset, real: Dataset | None, holdout: Dataset | None = None) -> str:
    """Return the page of a case."""
    return render(report, Case(real, holdout, synthetic))


def wide(columns: int, rows: int = 60) -> Dataset:
    """Return a table with many columns."""
    values = {f"c{i:04}": (Field(kind=Kind.NUMBER), RNG.normal(size=rows)) for i in range(columns)}
    return toys.dataset({"wide": values})


@pytest.mark.parametrize("toy", sorted(toys.TOYS))
@pytest.mark.parametrize("real", [True, False])
def test_every_toy_makes_a_page(make_report: MakeReport, toy: str, real: bool) -> None:  # noqa: FBT001
    """Awkward tables, with and without real rows, make a whole and safe page."""
    data = toys.TOYS[toy]()
    page = is_safe(of(make_report(data=data), data, data if real else None))
    assert ("There are no real rows to compare with." in "".join(page.text)) is not real


def test_held_out_rows_stand_for_training_rows(make_report: MakeReport) -> None:
    """Where only held-out rows are there, they are what is compared with."""
    data = toys.plain()
    assert "real held-out rows" in "".join(Page(of(make_report(data=data), data, None, data)).text)


def test_names_are_text(make_report: MakeReport) -> None:
    """Names, labels, problems, reasons and notes that look like markup are shown, not obeyed."""
    evil = "'\"</script><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
    labels = RNG.choice([evil, "<b>"], 60)
    numbers = (Field(kind=Kind.NUMBER), RNG.random(60))
    data = toys.dataset({evil: {evil: (Field(kind=Kind.CATEGORY), labels), "x": numbers}})
    scores = [Score("shape", f"{evil}.{evil}", 0.1, 0.1, problem=evil), Score("trend", status="failed", problem=evil)]
    report = make_report(scores, [f"shape[{evil}.{evil}] <= 1"], data=data, notes=[evil], dropped={evil: 2},
                         seconds={evil: 1.0})  # fmt: skip
    text = of(report, data, data)
    page = is_safe(text)
    assert evil[:40] in "".join(page.text)
    assert "49" not in "".join(page.headings)


def test_says_everything(make_report: MakeReport, good: Sequence[Score], tmp_path: Path) -> None:
    """The page holds verdict, gates, scores with references and intervals, meanings, columns, reasons, notes, times."""
    data = toys.plain()
    scores = [*good, Score("shape", "thing.size", 0.123, 0.01)]
    report = make_report(scores, data=data, notes=["colour was guessed"], dropped={"rule-broken": 1234})
    write_html(report, Case(data, None, data), tmp_path / "report.html")
    text = " ".join(" ".join(is_safe((tmp_path / "report.html").read_text(encoding="utf-8")).text).split())
    for wanted in (
        "Released: 120 rows; all 4 gates are met.", "exact-copies <= 1.1 * reference + 0.01", "0.01 to 0.016",
        "not applicable: no table has a key", "A copy with one value changed is no exact copy", "real training rows",
        "shape 0.123 (reference 0.01)", "rule-broken 1,234", "colour was guessed", "fit 1.2", "keep this page inside",
        "Dependence between columns", "difference: synthetic - real", "No formal privacy guarantee",
    ):  # fmt: skip
        assert wanted in text


def test_refusal_and_warnings_come_first(make_report: MakeReport, good: Sequence[Score]) -> None:
    """A refused run says so at the top, with the gate that failed, and warns of what fell short."""
    scores = [*good[1:], Score("shape", "", 0.3, 0.01)]
    data = toys.one_column()
    text = "".join(Page(of(make_report(scores, ["rows >= 1", "trend <= 0"]), data, data)).text)
    order = [text.index(word) for word in ("Refused: trend is 0.02, over the bound 0 by 0.02.", "soft bound", "Gates")]
    assert order == sorted(order)


@pytest.fixture
def few_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let at most ten columns be drawn: drawing takes the time."""
    monkeypatch.setattr(html, "MOST_CHARTS", 10)


@pytest.mark.usefixtures("few_charts")
def test_worst_columns_come_first_and_many_are_left_out(make_report: MakeReport) -> None:
    """Columns are ordered by how far they are beyond their reference; of many, the worst are drawn."""
    data = wide(30)
    scores = [Score("shape", f"wide.c{i:04}", i / 1000, 0.05) for i in range(30)]
    text = of(make_report(scores, [], data=data), data, data)
    page = is_safe(text)
    names = [h for h in page.headings if re.fullmatch(r"c\d{4}", h)]
    assert names == [f"c{i:04}" for i in reversed(range(20, 30))]
    assert "20 more columns are not drawn" in "".join(page.text)


@pytest.mark.usefixtures("few_charts")
def test_without_scores_the_page_finds_the_worst_itself(make_report: MakeReport) -> None:
    """Where no score says which column is worst, the counts do."""
    real = wide(30)
    moved = real.with_columns("wide", {"c0022": pa.array(RNG.normal(9, 1, 60))})
    page = Page(of(make_report([], [], data=real), moved, real))
    assert page.headings[0] == "c0022"
    assert len([h for h in page.headings if h.startswith("c0")]) == 10


@pytest.mark.parametrize(("columns", "most"), [(15, 3_000_000), (200, 10_000_000)])
def test_the_page_stays_small(make_report: MakeReport, columns: int, most: int) -> None:
    """Fifteen columns take less than 3 MB, two hundred less than 10."""
    data = wide(columns, 500)
    pairs = [(i, j) for i in range(columns) for j in range(min(i, 9))]
    scores = [Score("trend", f"wide.c{i:04} ~ wide.c{j:04}", 0.1, 0.1) for i, j in pairs]
    assert len(of(make_report(scores, [], data=data), data, data).encode()) < most


def test_no_real_row_shows(make_report: MakeReport) -> None:
    """Values that one or two real rows hold are nowhere on the page."""
    data = toys.canaries()
    text = of(make_report(data=data), data, data)
    hidden = [*toys.CANARY_LABELS, toys.CANARY_TEXT, "918273645", "918,273,645", "7346291857", "7,346,291,857", "1823"]
    assert [word for word in hidden if word in text] == []
    assert "oak" in text


def test_the_same_report_gives_the_same_page(make_report: MakeReport) -> None:
    """The page has no time stamp and no random names."""
    data = toys.plain()
    assert of(make_report(data=data), data, data) == of(make_report(data=data), data, data)


def test_produced_columns_only(make_report: MakeReport) -> None:
    """Where only some columns were made, only those are drawn."""
    data = toys.plain()
    page = Page(render(make_report(data=data), Case(data, None, data, produced=("thing.size",))))
    assert "size" in page.headings
    assert "colour" not in page.headings


def test_lacking_columns_are_no_trouble(make_report: MakeReport) -> None:
    """A column that the synthetic or the real table lacks is left out, or shown alone."""
    data = toys.plain()
    fewer = data.select("thing", ["size", "price"])
    assert "colour" not in Page(of(make_report(data=data), fewer, data)).headings
    assert "colour" in Page(of(make_report(data=data), data, fewer)).headings


def test_no_rows_are_no_trouble(make_report: MakeReport) -> None:
    """A run that made nothing has a page all the same."""
    data = toys.plain()
    empty = data.take("thing", np.zeros(0, dtype=np.int64))
    is_safe(of(make_report(data=data), empty, data))
    is_safe(of(make_report(data=data), empty, empty))
