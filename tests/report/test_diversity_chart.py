"""Charts of how varied texts are, wave by wave."""

from __future__ import annotations

from synthwright.report.collapsed_chart import draw_panel
from synthwright.report.diversity import NAMES, DiversityRow, MeasureRow
from synthwright.report.diversity_chart import charts, keys, panels

FIRST = DiversityRow(column="t.a", first=1, last=1, texts=40, size=20, measures={"vendi": MeasureRow(value=0.8)})


def later(last: int, value: float, reference: float = 0.8, first: int | None = None) -> DiversityRow:
    """Return the row of a later wave."""
    fallen = value < 0.8 * reference
    measures = {"vendi": MeasureRow(value=value, reference=reference, chance=0.01, fallen=fallen),
                "new-3": MeasureRow(value=0.5, reference=0.0, chance=0.01)}  # fmt: skip
    return DiversityRow(column="t.a", first=first or last, last=last, texts=40, size=20, bound=0.8, measures=measures)


def test_each_wave_is_a_share_of_the_first() -> None:
    """A line begins at the first wave, which has all; where the reference is nothing there is no share."""
    found = panels([FIRST, later(2, 0.6), later(5, 0.76, first=3)])
    assert [(p.title, p.ticks, round(p.room, 6)) for p in found] == [("t.a", ("1", "2", "3–5"), 0.2)]
    lines = {line.title: line for line in found[0].lines}
    assert lines[NAMES["vendi"]].kept == (1.0, 0.6 / 0.8, 0.76 / 0.8)
    assert lines[NAMES["vendi"]].flagged == (False, True, False)
    assert lines[NAMES["new-3"]].kept == (1.0, None, None)
    less = later(2, 0.6).model_copy(update={"measures": {"new-3": MeasureRow(value=0.5, reference=0.8)}})
    lines = {line.title: line for line in panels([FIRST, less, later(3, 0.6)])[0].lines}
    assert lines[NAMES["vendi"]].kept == (1.0, None, 0.6 / 0.8)


def test_it_is_drawn_with_its_waves() -> None:
    """Below the lines stand the waves; names from outside are escaped."""
    row = later(2, 0.6).model_copy(update={"column": "t.<b>"})
    drawn = draw_panel(panels([row.model_copy(update={"last": 3}), row])[0])
    assert ">2–3</text>" in drawn
    assert ">wave</text>" in drawn
    assert "<b>" not in drawn
    assert len(charts([FIRST, later(2, 0.6)])) == 1
    assert [k["title"] for k in keys()] == list(NAMES.values())


def test_one_wave_is_no_chart() -> None:
    """Where nothing was held against the first wave there is nothing to draw; columns are told apart."""
    assert panels([FIRST]) == []
    assert panels([]) == []
    none = DiversityRow(column="t.b", first=1, last=2, texts=3, why="too few texts")
    assert [p.title for p in panels([none, FIRST, later(2, 0.8)])] == ["t.a"]
