"""Charts put their marks where the numbers say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from synthwright.report.charts import WIDTH, Mark, draw_counts, draw_gates, draw_matrix
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
    assert [re.findall(r"h(\d+)v(\d+)", d)[0] for d in marks(svg, "real")] == [("120", "13"), ("120", "13")]
    assert [re.findall(r"h(\d+)v(\d+)", d)[0] for d in marks(svg, "synthetic")] == [("60", "5"), ("180", "5")]
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
    assert marks(svg, "real") == ["M0,0h26v26h-26ZM26,26h26v26h-26Z"]
    assert len(set(words(svg))) == 2


def test_a_heat_map_has_room_for_its_names() -> None:
    """Names are cut where they are too wide, whatever their letters; shades are few, so that the page stays small."""
    wide = draw_matrix(np.eye(2), ("大" * 30, "b"), signed=False)
    name = words(wide)[0]
    assert name.endswith("…")
    assert len(name) <= 8
    size = re.search(r'width="(\d+)"', wide)
    assert size is not None
    assert int(size[1]) <= 2 * 26 + 100
    shades = draw_matrix(np.linspace(0, 1, 900).reshape(30, 30), tuple(f"c{i}" for i in range(30)), signed=False)
    assert len(marks(shades, "real")) == 20
    assert len(shades) < 30_000


def a_gate(**said: object) -> str:
    """Return the chart of one gate: 0.2 where 0.1 is the reference and 0.3 the bound."""
    mark = Mark("shape", "0.2, at most 0.3", True, "<=", 0.2, 0.3, 0.1, 0.15, 0.25, 0.05)
    return draw_gates([mark._replace(**said)])  # type: ignore[arg-type]


def places(svg: str) -> dict[str, float]:
    """Return where the marks of a gate are, in per cent of its width."""
    found = {
        "dot": re.findall(r'<circle cx="([\d.]+)%', svg),
        "cross": re.findall(r'<text x="([\d.]+)%"[^>]*>×', svg),
        "reference": re.findall(r'<rect x="([\d.]+)%"[^>]*fill="var\(--ink\)"', svg),
        "bound": re.findall(r'<rect x="([\d.]+)%"[^>]*fill="var\(--good\)"', svg),
        "allowed": re.findall(r'width="([\d.]+)%" height="8" rx="4" fill="var\(--good\)"', svg),
        "low": re.findall(r'x1="([\d.]+)%', svg),
        "high": re.findall(r'x2="([\d.]+)%', svg),
    }
    return {name: float(values[0]) for name, values in found.items() if values}


def test_a_gate_is_drawn_between_reference_and_bound() -> None:
    """Half of the allowance used lies half way; a value beyond the bound is a cross beyond the allowed zone."""
    at = places(a_gate())
    assert at["dot"] == pytest.approx((at["reference"] + at["allowed"]) / 2)
    assert at["low"] < at["dot"] < at["high"] < at["allowed"] == at["bound"]
    missed = places(a_gate(passed=False, value=0.4))
    assert "dot" not in missed
    assert missed["cross"] > missed["allowed"]
    assert places(a_gate(passed=False, value=9.0))["cross"] == 98
    assert places(a_gate(value=-9.0))["dot"] == 2


def test_higher_is_better_the_other_way_round() -> None:
    """The allowed zone is always on the same side: what is worse lies to the right."""
    at = places(a_gate(op=">=", value=0.85, reference=0.9, bound=0.8, low=0.8, high=0.9))
    assert at["dot"] == pytest.approx((at["reference"] + at["allowed"]) / 2)
    assert places(a_gate(op=">=", value=0.7, reference=0.9, bound=0.8, passed=False))["cross"] > at["allowed"]


def test_a_bound_that_its_reference_misses_is_drawn_all_the_same() -> None:
    """Without room between reference and bound, or without a reference, a share of the metric's span is the scale."""
    at = places(a_gate(value=0.35, passed=False, reference=0.4, low=None, high=None))
    assert at["allowed"] < at["cross"] < at["reference"]
    alone = places(a_gate(op=">=", value=1.0, bound=1.0, reference=None))
    assert alone["dot"] == alone["allowed"]
    assert "reference" not in alone


def test_what_was_not_measured_has_a_line_of_words() -> None:
    """A gate without a value is named, and nothing is marked."""
    svg = a_gate(value=None, said="not applicable")
    assert words(svg) == ["shape", "not applicable"]
    assert places(svg) == {}
    assert "&lt;b&gt;" in a_gate(label="<b>")
