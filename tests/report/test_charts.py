"""Charts put their marks where the numbers say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from synthwright.report.charts import WIDTH, draw_counts, draw_matrix
from synthwright.report.counts import Axis, Bins, Labels

REAL, SYNTHETIC = np.array([0.5, 0.25, 0.25]), np.array([0.25, 0.25, 0.5])


def marks(svg: str, colour: str) -> list[str]:
    """Return the paths of one colour."""
    found = re.findall(rf'<path [^>]*d="([^"]*)"[^>]*var\(--{colour}\)', svg)
    return [str(d) for d in found]


def words(svg: str) -> list[str]:
    """Return the texts of a chart."""
    return [str(t) for t in re.findall(r"<text[^>]*>([^<]+)", svg)]


@pytest.mark.parametrize("axis", ["number", "powers"])
def test_histogram_steps_at_its_edges(axis: Axis) -> None:
    """Bins share the width, heights are shares: an area for real rows, a line for synthetic ones."""
    svg = draw_counts(Bins(0.0, 1.0, REAL, SYNTHETIC, axis))
    third = WIDTH // 3
    (area,) = marks(svg, "real")
    assert area.startswith(f"M0,0L{third},0L{third},60L{2 * third},60L{2 * third},60L{WIDTH},60")
    (line,) = marks(svg, "synthetic")
    assert line == f"M0,60L{third},60L{third},60L{2 * third},60L{2 * third},0L{WIDTH},0L{WIDTH},0"


def test_axes_say_numbers_powers_dates_and_hours() -> None:
    """Ticks are numbers, powers of ten, dates, or hours of a day."""
    assert {"0.0", "3.0", "50%"} & set(words(draw_counts(Bins(0.0, 1.0, REAL, SYNTHETIC, "number"))))
    assert {"0.01", "0.1", "1", "10"} <= set(words(draw_counts(Bins(-2.0, 1.0, REAL, SYNTHETIC, "powers"))))
    assert {"1975", "1995"} <= set(words(draw_counts(Bins(0.0, 3600.0, REAL, SYNTHETIC, "days"))))
    assert {"00:30", "02:30"} <= set(words(draw_counts(Bins(0.0, 3600.0, REAL, SYNTHETIC, "seconds"))))


def test_far_instants_fall_back_to_numbers() -> None:
    """A date that no calendar of a browser knows is a number."""
    assert "1,000,000,000" in words(draw_counts(Bins(0.0, 1e9, REAL, SYNTHETIC, "days")))


def test_bars_are_as_long_as_their_shares() -> None:
    """Labels stand one below the other, with a wide bar for real rows and a narrow one for synthetic rows."""
    svg = draw_counts(Labels(("x", "y"), np.array([0.5, 0.5]), np.array([0.25, 0.75])))
    assert [re.findall(r"h(\d+)v(\d+)", d)[0] for d in marks(svg, "real")] == [("140", "13"), ("140", "13")]
    assert [re.findall(r"h(\d+)v(\d+)", d)[0] for d in marks(svg, "synthetic")] == [("70", "5"), ("210", "5")]
    assert words(svg)[-2:] == ["x", "y"]


def test_without_real_rows_only_synthetic_marks_are_drawn() -> None:
    """Nothing stands for real rows where there are none."""
    for counts in (Bins(0.0, 1.0, None, SYNTHETIC, "number"), Labels(("x", "y", "z"), None, SYNTHETIC)):
        svg = draw_counts(counts)
        assert not marks(svg, "real")
        assert marks(svg, "synthetic")


def test_matrix_cells_lie_in_their_row_and_column() -> None:
    """The first row's second cell is drawn there, in the colour of its sign; blank cells are not."""
    matrix = np.array([[0.0, 1.0], [-0.5, 0.0]])
    svg = draw_matrix(matrix, ("a", "b"), signed=True)
    assert marks(svg, "synthetic") == ["M26,0h26v26h-26Z"]
    assert marks(svg, "real") == ["M0,26h26v26h-26Z"]
    assert 'opacity="0.5"' in svg
    assert words(svg) == ["a", "b", "a", "b"]


def test_columns_that_look_alike_keep_their_cells() -> None:
    """Two columns whose names are alike where they are cut have a cell each."""
    names = ("a very long name of a column, one", "a very long name of a column, two")
    svg = draw_matrix(np.eye(2), names, signed=False)
    assert len(marks(svg, "real")) == 2
    assert len(set(words(svg))) == 2
