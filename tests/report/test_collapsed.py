"""A collapse as people read it: the rule, the advice, the chart, the page."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import pytest
from rich.console import Console

from synthwright.report.collapsed import (
    ACCUMULATE,
    FRESH,
    LIKENESS,
    MEANINGS,
    REPLACE,
    TAILS,
    UTILITY,
    Chance,
    Collapse,
    Regime,
    Step,
    advise,
    judged,
)
from synthwright.report.collapsed_chart import LOOKS, Line, Panel, draw_panel, look
from synthwright.report.collapsed_shown import collapse_html, collapse_markdown, collapse_part, panels, print_collapse

CHANCE = {TAILS: Chance(reference=0.9, error=0.01), LIKENESS: Chance(reference=1.0, error=0.01),
          UTILITY: Chance(reference=0.8, error=0.001)}  # fmt: skip


def steps(*tails: float, likeness: float = 0.98, utility: float = 0.8) -> tuple[Step, ...]:
    """Return generations with these tails, judged."""
    made = [Step(generation=g, learned=100, real=0.0, values={TAILS: t, LIKENESS: likeness, UTILITY: utility})
            for g, t in enumerate(tails, 1)]  # fmt: skip
    return judged(made, CHANCE)


def found(data: str = "people") -> Collapse:
    """Return a collapse in which replacing loses tails."""
    regimes = (Regime(name=REPLACE, steps=steps(0.89, 0.8, 0.6)),
               Regime(name=ACCUMULATE, steps=steps(0.89, 0.88, 0.88)),
               Regime(name=FRESH, share=0.1, steps=steps(0.89, 0.86, 0.8)),
               Regime(name=FRESH, share=0.5, steps=steps(0.89, 0.88, 0.87)))  # fmt: skip
    return Collapse(synthwright="1", data=data, use="forest", real=300, rows=100, generations=3, target="income",
                    chance=CHANCE, regimes=regimes, because=advise(regimes, CHANCE), notes=("a <note>",))  # fmt: skip


@pytest.mark.parametrize(
    ("tails", "flagged"),
    [
        ((0.9, 0.9, 0.9), None),
        ((0.9, 0.87, 0.87), None),  # less, but no more than chance does
        ((0.9, 0.8, 0.9), 2),
        ((0.6, 0.6, 0.6), None),  # the generator's own loss
        ((0.6, 0.58, 0.5), 3),
        ((1.2, 1.0, 0.9), None),  # less than the first generation, but as much as real rows
    ],
)
def test_both_must_be_beyond_chance(tails: tuple[float, ...], flagged: int | None) -> None:
    """A generation is flagged that is below real rows, and below the first generation, by more than chance."""
    assert Regime(name=REPLACE, steps=steps(*tails)).flagged == flagged


def test_utility_flags_nothing() -> None:
    """Its chance is known from a few models only; nor does it share in the allowance of the others."""
    made = [Step(generation=g, learned=1, real=1.0, values={UTILITY: u}) for g, u in enumerate((0.8, 0.1), 1)]
    assert not any(s.fallen for s in judged(made, CHANCE))


def test_advice_says_what_to_do() -> None:
    """Keep the real rows, what accumulating kept, and the least share of fresh rows that was enough."""
    assert found().because == (
        "Keep the real rows: where each generation learned from the last alone, generation 2 is flagged (tails), and "
        "generation 3 keeps 67 % of the tails. Learning from the real rows and all generations together lost no more "
        "than chance does, and generation 3 keeps 98 % of the tails. Of fresh real rows a share of 50 % was enough: no "
        "generation is flagged.")  # fmt: skip
    worse = (Regime(name=REPLACE, steps=steps(0.9, 0.9)), Regime(name=ACCUMULATE, steps=steps(0.9, 0.5)),
             Regime(name=FRESH, share=0.1, steps=steps(0.9, 0.5)))  # fmt: skip
    said = advise(worse, CHANCE)
    assert "none of 2 lost more since the first than chance may take" in said
    assert "all generations together is flagged at generation 2" in said  # not "slower": nothing was faster
    assert "A share of 10 % fresh real rows was not enough" in said
    both = (Regime(name=REPLACE, steps=steps(0.9, 0.5)), Regime(name=ACCUMULATE, steps=steps(0.9, 0.5)))
    assert "slower, but flagged too, at generation 2" in advise(both, CHANCE)


def test_fresh_rows_are_not_called_enough_where_none_were_needed() -> None:
    """Where learning from the last generation alone is not flagged, no share of fresh rows mends anything."""
    calm = (Regime(name=REPLACE, steps=steps(0.9, 0.9)), Regime(name=FRESH, share=0.1, steps=steps(0.9, 0.9)))
    said = advise(calm, CHANCE)
    assert "With 10 % fresh real rows no generation is flagged either." in said
    assert "enough" not in said


def test_the_table_and_the_json() -> None:
    """A row for each regime, generation and measure; when each regime is flagged stands beside."""
    held = found()
    assert held.table.num_rows == 4 * 3 * 3
    rows = held.table.to_pylist()
    assert rows[3] == {"regime": "replace", "generation": 2, "measure": TAILS, "value": 0.8, "flagged": True,
                       "kept": pytest.approx(0.8 / 0.9), "learned": 100, "real": 0.0}  # fmt: skip
    assert held.to_json()["flagged"] == {"replace": 2, "accumulate": None, "fresh 10 %": 3, "fresh 50 %": None}
    assert Collapse.model_validate(held.model_dump(mode="json")) == held


def test_page_and_markdown_say_the_same() -> None:
    """Advice, numbers, flags, meanings and notes; what comes from data is escaped."""
    held = found("<b>people</b>")
    page, text = collapse_html(held), collapse_markdown(held)
    for word in ("generation 2 is flagged", "66.7", "accumulate", "fresh 50"):
        assert word in page
        assert word in text
    assert "<b>people</b>" not in page
    assert "a &lt;note&gt;" in page
    assert "<script" not in page
    assert page.count("<figure>") == 3
    assert "flagged at generation 2" in page
    assert "<td>66.7 %</td>" in collapse_part(held)


def test_the_terminal_shows_first_and_last() -> None:
    """Of many generations the first ones and the last; what is flagged, in words."""
    many = Regime(name=REPLACE, steps=steps(*(0.9 - 0.05 * i for i in range(12))))
    out = io.StringIO()
    print_collapse(found().model_copy(update={"regimes": (many,)}), Console(file=out, width=120, highlight=False))
    said = out.getvalue()
    assert "replace: flagged at generation 2 (tails)" in said
    shown = [line.split()[1] for line in said.splitlines() if line.startswith("replace ") and ":" not in line]
    assert shown == ["1", "2", "3", "4", "5", "12"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_terminal_cuts_nothing_off(width: int) -> None:
    """Where measures do not fit beside each other they stand below; in a wide terminal there is one table."""
    every = found()
    chance = dict.fromkeys(MEANINGS, every.chance[TAILS])
    step = Step(generation=1, learned=100, real=1.0, values=dict.fromkeys(MEANINGS, 0.8))
    wide = every.model_copy(update={"chance": chance, "regimes": (Regime(name="fresh", share=0.25, steps=(step,)),),
                                    "because": "", "notes": ()})  # fmt: skip
    out = io.StringIO()
    print_collapse(wide, Console(file=out, width=width, highlight=False))
    lines = out.getvalue().splitlines()
    assert "…" not in out.getvalue()
    assert max(map(len, lines)) <= width
    assert all(word in out.getvalue() for measure in MEANINGS for word in measure.split())
    assert sum(line.startswith("fresh 25 % ") for line in lines) == {40: 8, 80: 3, 200: 1}[width]


def test_the_chart_can_be_read() -> None:
    """Lines lie inside; less is lower; a ring for each flag; a band of what chance allows; screen readers are told."""
    panel = next(p for p in panels(found()) if p.title == TAILS)
    svg = draw_panel(panel)
    root = ET.fromstring(svg)  # noqa: S314  drawn here
    space = "{http://www.w3.org/2000/svg}"
    rings = [c for c in root.iter(f"{space}circle") if c.get("fill") == "none"]
    assert len(rings) == sum(sum(line.flagged) for line in panel.lines) == 3
    marks = [c for c in root.iter(f"{space}circle") if c.get("fill") != "none"]
    heights = [float(c.get("cy", 0)) for c in marks]
    assert heights == sorted(heights)
    assert all(0 < h < 190 for h in heights)
    assert "replace 67 %" in root.get("aria-label", "")
    band = next(root.iter(f"{space}rect"))
    assert float(band.get("height", 0)) > 0


def test_what_is_alike_is_drawn_alike() -> None:
    """A chart of lines that do not differ, and one with nothing measured, are drawn; looks go round."""
    flat = Panel("a <b>", 0.001, (Line("one", (1.0, 1.0), (False, False)), Line("two", (None, None), (False, False))))
    assert "a &lt;b&gt;" in draw_panel(flat)
    assert draw_panel(Panel("none", 0.0, ()))
    assert [look(i) for i in range(7)] == [*LOOKS, LOOKS[2], LOOKS[3]]
