"""The page: one file without scripts or addresses, whatever the data is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.ruling import Waived
from synthwright.core.schema import Field, Kind
from synthwright.report import figures
from synthwright.report.formats import write_report
from synthwright.report.html import OFFICER, REPORT, render, render_officer
from synthwright.report.meanings import reasons
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
        self.levels: list[int] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
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
    """Check that nothing in a page can run or fetch, and that everybody can read it; return its parts."""
    page = Page(text)
    assert not {"script", "iframe", "object", "embed", "link", "img", "image", "form", "base", "foreignobject"} & {
        e.lower() for e in page.elements
    }
    assert not [name for name, _ in page.attributes if name.lower().startswith("on")]
    assert not [v for n, v in page.attributes if n.lower() in ("src", "xlink:href", "action")]
    is_linked(page)
    is_readable(text, page)
    outside = [v for n, v in page.attributes if v and "://" in v and not n.startswith("xmlns")]
    assert outside == []
    policy = next(v for n, v in page.attributes if v and "default-src" in v)
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "@import" not in text
    assert "url(" not in re.sub(r"clip-path=\"url\(#\w+\)\"", "", text)
    return page


def is_linked(page: Page) -> None:
    """Check that names of places are unique, and that every link leads to one of them, or to the page beside."""
    places = [v for n, v in page.attributes if n == "id" and v]
    assert len(places) == len(set(places))
    for link in (v or "" for n, v in page.attributes if n == "href"):
        assert link.startswith("#") or link.partition("#")[0] in (OFFICER, REPORT)
        assert not link.startswith("#") or link[1:] in places


def is_readable(text: str, page: Page) -> None:
    """Check what a screen reader needs: landmarks, headings in order, charts that speak, heads of tables."""
    assert [page.elements.count(e) for e in ("main", "header", "nav", "footer", "h1", "title")] == [1] * 6
    assert page.levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(page.levels))
    decoration = text.count('<svg class="icon" role="presentation" aria-hidden="true"')
    assert text.count("<svg ") == text.count('<svg role="img" aria-label="') + decoration
    assert len(re.findall(r"<th\b", text)) == len(re.findall(r'<th scope="(?:col|row)"', text))
    assert page.elements.count("table") == page.elements.count("caption")
    assert "graphics-" not in text
    assert '<html lang="en">' in text
    assert '<a class="skip" href="#main">' in text


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
                         seconds={evil: 1.0}, waived=[Waived("rules >= 1", evil)])  # fmt: skip
    case = Case(data, data, data, f"{evil}.x", (f"{evil}.x",))
    for text in (render(report, case, officer=OFFICER), render_officer(report, case)):
        page = is_safe(text)
        assert evil[:40] in "".join(page.text)
        assert "49" not in "".join(page.headings)


def test_says_everything(make_report: MakeReport, good: Sequence[Score], tmp_path: Path) -> None:
    """The page holds verdict, gates, scores with references and intervals, meanings, columns, reasons, notes, times."""
    data = toys.plain()
    scores = [*good, Score("shape", "thing.size", 0.123, 0.01)]
    report = make_report(scores, data=data, notes=["colour was guessed"], dropped={"rule-broken": 1234})
    write_report(report, Case(data, None, data), tmp_path, ["html"])
    text = " ".join(" ".join(is_safe((tmp_path / "report.html").read_text(encoding="utf-8")).text).split())
    for wanted in (
        "These 120 synthetic rows may be used",
        "Of 4 requirements (gates) 3 are met, and 1 does not apply.", "exact-copies <= 1.1 * reference + 0.01",
        "0.01 to 0.016",
        "not applicable: no table has a key", "A copy with one value changed is no exact copy", "real training rows",
        "shape 0.123 (reference 0.01 )", "rule-broken 1,234", "colour was guessed", "fit 1.2", "keep this page inside",
        "Dependence between columns", "difference: synthetic - real", "No formal privacy guarantee",
    ):  # fmt: skip
        assert wanted in text


def test_refusal_and_warnings_come_first(make_report: MakeReport, good: Sequence[Score]) -> None:
    """A refused run says so at the top, with the gate that failed, and warns of what fell short."""
    scores = [*good[1:], Score("shape", "", 0.3, 0.01)]
    data = toys.one_column()
    text = "".join(is_safe(of(make_report(scores, ["rows >= 1", "trend <= 0"]), data, data)).text)
    text = text[text.index("Verdict") :]  # after the links to what follows
    wanted = (
        "Do not use this data: columns do not go together",
        "Faithful",
        "Private",
        "1 is not met",
        "What to try next",
        "trend is 0.02, over the bound 0 by 0.02",
        "soft bound",
        "What was asked",
        "Gates",
        "numbers mean",
    )
    order = [text.index(word) for word in wanted]
    assert order == sorted(order)


def test_every_number_leads_to_what_it_means(make_report: MakeReport, good: Sequence[Score]) -> None:
    """Each cell of numbers is a link; a metric that is not installed, and any odd name, has its meaning too."""
    data = toys.plain()
    odd = [Score(name, "", 0.1, 0.1, 0.0, 0.2) for name in ('Sha pe"', "sha-pe")]
    report = make_report(
        [*good, *odd, Score("shape", "thing.size", 0.5, 0.1)], data=data, dropped={"duplicate": 3}, seconds={"fit": 2.0}
    )
    text = of(report, data, toys.plain(seed="other"))
    is_safe(text)
    assert not re.findall(r'<td class="number[^"]*"[^>]*>(?!<a class="n" href="#|</td>)', text)
    terms = ("reference", "interval", "bound", "rows", "dropped", "seconds", "share", "dependence")
    for anchor in ("meaning-shape", "meaning-sha-pe", "meaning-sha-pe-2", *(f"term-{t}" for t in terms)):
        assert f'href="#{anchor}"' in text
        assert f'id="{anchor}"' in text
    assert reasons()["duplicate"] in text


def test_too_good_is_a_warning_of_copies(make_report: MakeReport, good: Sequence[Score]) -> None:
    """A score beyond its reference, gated or not, is said to look like copies, in words."""
    scores = [Score("shape", "", 0.001, 0.1, 0.0005, 0.002), *good[1:]]
    text = "".join(Page(of(make_report(scores, ["shape <= 1"], data=toys.plain()), toys.plain(), toys.plain())).text)
    assert "may be used with care: it is closer to real rows than other real rows are: look for copies" in text
    assert "too close: better than other real rows, look for copies" in text


def test_the_officers_page_is_linked_where_it_is(make_report: MakeReport) -> None:
    """The report refers to the page beside it, and that back, to what each attack means."""
    data = toys.plain()
    report, case = make_report(data=data), Case(data, data, data)
    assert f'href="{OFFICER}"' in render(report, case, officer=OFFICER)
    assert OFFICER not in render(report, case)
    beside = render_officer(report, case)
    is_safe(beside)
    assert f'href="{REPORT}#meaning-exact-copies"' in beside
    assert 'id="meaning-exact-copies"' in render(report, case)


@pytest.fixture
def few_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let at most ten columns be drawn: drawing takes the time."""
    monkeypatch.setattr(figures, "MOST_CHARTS", 10)


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
    assert next(h for h in page.headings if h.startswith("c0")) == "c0022"
    assert len([h for h in page.headings if h.startswith("c0")]) == 10


@pytest.mark.parametrize(("columns", "most"), [(15, 500_000), (200, 1_000_000)])
def test_the_page_stays_small(make_report: MakeReport, columns: int, most: int) -> None:
    """Fifteen columns take half a megabyte, two hundred less than one."""
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


def luminance(colour: str) -> float:
    """Return how bright a colour is, as the Web Content Accessibility Guidelines count it."""
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return float(np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scheme", [0, 1])
def test_colours_have_contrast(make_report: MakeReport, scheme: int) -> None:
    """Text stands out from paper at least 4.5 to 1, what is drawn 3 to 1, in the light and in the dark."""
    text = of(make_report(data=toys.one_column()), toys.one_column(), None)
    schemes = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root \{([^}]*)\}", text)]
    assert len(schemes) == 2
    colours = {name: luminance(colour) for name, colour in schemes[scheme].items()}
    for least, names in ((4.5, ("ink", "muted", "good", "bad", "warn", "close")), (3.0, ("real", "synthetic"))):
        for name in names:
            for ground in ("paper", "raised"):
                dark, light = sorted((colours[name], colours[ground]))
                assert (light + 0.05) / (dark + 0.05) >= least, (name, ground)


def test_every_chart_has_its_numbers(make_report: MakeReport) -> None:
    """Beside each column's chart stands a table, beside heat maps the pairs that differ most: for all who see none."""
    data, real = toys.plain(), toys.plain(seed="other")
    text = of(make_report(data=data), data, real)
    charts = len(re.findall(r'<figure id="column-', text))
    assert charts
    assert text.count('<details class="numbers">') == charts
    shares = [float(v) for v in re.findall(r'<td class="share">([\d.]+)\u00a0%</td>', text)]
    assert sum(shares) == pytest.approx(200 * charts, abs=3 * charts)
    assert "Pairs that differ most" in text
    assert "Pairs that depend most" in of(make_report(data=data), data, None)


def test_small_screens_get_blocks_that_are_still_tables(make_report: MakeReport, good: Sequence[Score]) -> None:
    """A table that is stacked on a phone says of every part what it is, and of every number what it counts."""
    data = toys.plain()
    report = make_report([*good, Score("shape", "thing.size", 0.5, 0.1)], data=data)
    for text in (of(report, data, data), render_officer(report, Case(data, data, data))):
        for table in re.findall(r'<table class="stack".*?</table>', text, re.DOTALL):
            assert table.count("<tr") == table.count('role="row"')
            assert table.count("<td") == table.count('role="cell"')
            assert table.count("<th ") == table.count('role="columnheader"') + table.count('role="rowheader"')
            assert not re.findall(r'<td class="number[^"]*" (?![^>]*data-label="\w)', table)
        assert "stack" in text
        assert not re.findall(r">[^<]*\d %", re.sub(r"<style>.*?</style>|<h\d.*?</h\d>", "", text, flags=re.DOTALL))


def test_what_helps_most_comes_before_the_rest(make_report: MakeReport) -> None:
    """Where much is not met, a few steps stand open, and the advice for each metric behind them."""
    failing = ["exact-copies", "near-copies", "tstr", "shape", "trend"]
    gates = ["exact-copies <= 0.2", "near-copies <= 0.2", "tstr >= 0.8", "shape <= 0.2", "trend <= 0.2"]
    data = toys.one_column()
    scores = [Score(m, "", 0.5, 0.9 if m == "tstr" else 0.1) for m in failing]
    text = of(make_report(scores, gates, data=data), data, data)
    assert '<ol class="steps"><li>See whether real rows were mixed' in text
    assert "One by one: all 5" in text
    few = of(make_report([Score("shape", "", 0.5, 0.1)], ["shape <= 0"], data=data), data, data)
    assert 'class="steps"' not in few


def test_without_real_rows_no_page_claims_any(make_report: MakeReport) -> None:
    """Data by rules alone is not computed from real rows; what does not apply is counted, and fails nothing."""
    data = toys.plain()
    scores = [Score("rules", "", 1.0, 1.0), Score("shape", status="not-applicable", problem="there are no real rows")]
    report = make_report(scores, ["rules >= 1"], data=data)
    text = of(report, data, None) + render_officer(report, Case(None, None, data))
    assert "omputed from real" not in text
    assert "the rows were made without real ones" in text
    assert 'class="verdict yes"' in text


def test_columns_that_were_set_are_said_to_be(make_report: MakeReport) -> None:
    """A column that the specification sets is not meant to be like the real one."""
    data = toys.plain()
    case = Case(data, None, data, chosen={"thing.size": "balanced"})
    text = render(make_report(data=data), case)
    assert text.count("set by the specification") == 1


def test_long_tables_are_sampled_and_it_is_said(make_report: MakeReport, monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts of long tables are of evenly spaced rows, and their captions say how many."""
    data = toys.plain()
    assert "evenly spaced" not in of(make_report(data=data), data, data)
    monkeypatch.setattr(figures, "ROWS", 50)
    monkeypatch.setattr(figures, "MAPPED", 50)
    text = of(make_report(data=data), data, data)
    assert "100,000 evenly spaced rows are counted" in text
    assert "20,000 evenly spaced rows are looked at" in text


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
