"""Charts as PNG, and reports in the forms that are asked for."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synthwright.core.contracts import Case, Score
from synthwright.report.counts import Axis, Bins, Labels
from synthwright.report.figures import Picture, draw, most_apart
from synthwright.report.formats import FORMS, Form, write_report
from synthwright.report.pictures import COLOURS, framed, png, write_pictures
from synthwright.report.report import Report
from synthwright.testing import toys

MakeReport = Callable[..., Report]
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="50">'
    '<rect width="9" height="9" fill="var(--real)"/></svg>'
)


def size(image: bytes) -> tuple[int, int]:
    """Return width and height of a PNG."""
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", image[16:24])


def test_a_picture_has_a_title_a_legend_and_its_own_colours() -> None:
    """The frame says what the chart is; no variable of the page is left, and no name is markup."""
    text = framed(Picture("<b>", "", SVG, (("real", "real & true"),)))
    assert "var(" not in text
    assert COLOURS["real"] in text
    assert "&lt;b&gt;" in text
    assert "real &amp; true" in text
    wide, high = size(png(Picture("t", "", SVG)))
    assert wide == 2 * (100 + 28)
    assert high == 2 * (50 + 64)
    assert size(png(Picture("a title that needs more room than the chart", "", SVG)))[0] > wide


def test_every_chart_is_written(make_report: MakeReport, tmp_path: Path) -> None:
    """Gates, columns and heat maps have a file each, under names that any file system takes."""
    data = toys.plain()
    drawn = draw(make_report(data=data), Case(data, data, data))
    files = write_pictures(drawn, tmp_path / "charts")
    names = sorted(p.name for p in files)
    assert names == sorted(p.name for p in (tmp_path / "charts").iterdir())
    assert len(names) == 1 + sum(f.picture is not None for f in drawn.columns) + 3
    assert "gates.png" in names
    assert [n for n in names if re.fullmatch(r"column-\d\d-size\.png", n)]
    assert all(size(p.read_bytes())[0] > 200 for p in files)
    (tmp_path / "charts" / "column-09-gone.png").touch()
    (tmp_path / "charts" / "column-of-mine.png").touch()
    write_pictures(drawn, tmp_path / "charts")
    assert {p.name for p in (tmp_path / "charts").iterdir()} == {*names, "column-of-mine.png"}


def test_odd_names_make_files_inside_the_folder(make_report: MakeReport, tmp_path: Path) -> None:
    """A column called like a path is drawn into the folder, not elsewhere."""
    data = toys.unicode_names()
    files = write_pictures(draw(make_report(data=data), Case(data, data, data)), tmp_path / "charts")
    assert {p.parent for p in files} == {tmp_path / "charts"}
    assert all(p.exists() for p in files)


@pytest.mark.parametrize(
    ("form", "names"),
    [("json", {"report.json"}), ("md", {"report.md", "officer.md"}), ("html", {"report.html", "officer.html"})],
)
def test_each_form_is_written_alone(make_report: MakeReport, tmp_path: Path, form: Form, names: set[str]) -> None:
    """One form asked for is one form written."""
    data = toys.plain()
    files = write_report(make_report(data=data), Case(data, data, data), tmp_path, [form])
    assert {p.name for p in files} == names == {p.name for p in tmp_path.iterdir()}


def test_all_forms_together(make_report: MakeReport, tmp_path: Path) -> None:
    """All forms: JSON, two pages, two Markdown files, the charts; by default all but the charts."""
    data = toys.plain()
    report, case = make_report(data=data), Case(data, data, data)
    write_report(report, case, tmp_path / "usual")
    usual = {"report.json", "report.md", "officer.md", "report.html", "officer.html"}
    assert {p.name for p in (tmp_path / "usual").iterdir()} == usual
    write_report(report, case, tmp_path / "all", FORMS)
    assert {p.name for p in (tmp_path / "all").iterdir()} == usual | {"charts"}
    assert Report.read(tmp_path / "all" / "report.json") == report
    assert 'href="officer.html"' in (tmp_path / "all" / "report.html").read_text()
    assert 'href="report.html"' in (tmp_path / "all" / "officer.html").read_text()


@pytest.mark.parametrize(
    ("axis", "first", "width", "where"),
    [
        ("number", 0.0, 2.5, "2.5 to 5"),
        ("powers", 0.0, 1.0, "10 to 100"),
        ("days", 0.0, 31.0, "1970-02-01 to 1970-03-04"),
        ("seconds", 0.0, 3600.0, "01:00:00 to 02:00:00"),
        ("seconds", 86400.0 * 365, 60.0, "1971-01-01 00:01:00 to 1971-01-01 00:02:00"),
    ],
)
def test_where_a_column_is_most_apart(axis: Axis, first: float, width: float, where: str) -> None:
    """The bin with the largest difference is named by its ends, as its axis has them."""
    bins = Bins(first, width, np.array([0.5, 0.3, 0.2]), np.array([0.45, 0.4, 0.15]), axis)
    assert str(most_apart(bins)) == f"most apart at {where}: 30.0 % real, 40.0 % synthetic"


def test_labels_are_apart_by_name() -> None:
    """The label with the largest difference is named; without real rows there is nothing to compare."""
    labels = Labels(("x", "y", "z"), np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.5, 0.3]))
    assert str(most_apart(labels)) == "most apart at x: 50.0 % real, 20.0 % synthetic"
    assert most_apart(labels._replace(real=None)) is None
    assert most_apart(labels._replace(real=labels.synthetic)) is None


def test_charts_are_described_for_who_does_not_see_them(make_report: MakeReport) -> None:
    """Each chart has a sentence that says what it shows."""
    data = toys.plain()
    scores = [Score("shape", "thing.size", 0.123, 0.01), Score("trend", "", 0.5, 0.1)]
    other = toys.plain(seed="other")
    drawn = draw(make_report(scores, ["trend <= 0.2"], data=data), Case(other, None, data))
    assert drawn.gates is not None
    assert drawn.gates.spoken.startswith("1 gate, with value, reference and bound: 1 not met: trend.")
    spoken = next(f.picture.spoken for f in drawn.columns if f.name == "size" and f.picture)
    assert "shape 0.123 (reference 0.01); most apart at" in spoken
    assert "strongest: " in drawn.maps[0].pictures[0].spoken
    assert draw(make_report([], [], data=data), Case(data, data, data)).gates is None


def test_gates_are_drawn_worst_first(make_report: MakeReport) -> None:
    """What is not met comes first, then what takes most of its allowance; what has no value is not drawn."""
    scores = [Score("shape", "", 0.1, 0.0), Score("trend", "", 0.3, 0.1), Score("detection", "", 0.9, 0.5),
              Score("keys", status="not-applicable", problem="no key")]  # fmt: skip
    gates = ["keys >= 1", "shape <= 0.5", "trend <= 0.4", "detection <= 0.6"]
    drawn = draw(make_report(scores, gates, data=toys.plain()), Case(None, None, toys.plain()))
    assert drawn.gates is not None
    labels = re.findall(r'<text x="0"[^>]*>([^<]+)', drawn.gates.svg)
    assert labels == ["Telling it apart", "Pairs of columns", "Single columns"]
    assert drawn.unmeasured == 1
