"""The chart of a comparison can be read, however close the methods are."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from synthwright.report import tradeoff
from synthwright.report.tradeoff import NARROW, WIDE, Axis, Dot, draw_tradeoff, radius

ACROSS, UP = Axis("Fidelity", "lower"), Axis("Utility", "higher", percent=True)
NAMES = ("forest", "boosted", "bayes-net", "copula", "marginals", "ctgan", "tvae", "diffusion", "smote", "empirical")


def ten(seed: int, spread: float) -> list[Dot]:
    """Return ten methods that differ about so much."""
    rng = np.random.default_rng(seed)
    looks = rng.choice(["met", "safe", "unsafe"], len(NAMES))
    seconds = 10 ** rng.uniform(-1, 3, len(NAMES))
    return [Dot(f"{n} {s:.0f} s", 0.5 + spread * rng.random(), 1 - spread * rng.random(), look, radius(s), i == 0)
            for i, (n, s, look) in enumerate(zip(NAMES, seconds, looks, strict=True))]  # fmt: skip


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize("spread", [0.5, 0.05, 0.0])
def test_no_label_covers_another(size: tuple[int, int], spread: float) -> None:
    """Ten labels stand inside the chart, and none covers another or a mark, even where all methods are alike."""
    for seed in range(2):
        dots = ten(seed, spread)
        plot = (46.0, 30.0, size[0] - 16.0, size[1] - 40.0)
        x = tradeoff._scale([d.across for d in dots], plot[0] + 14, plot[2] - 14, ACROSS)  # noqa: SLF001
        y = tradeoff._scale([d.up for d in dots], plot[3] - 14, plot[1] + 14, UP)  # noqa: SLF001
        places = [(x(d.across), y(d.up)) for d in dots]
        boxes = tradeoff._labels(dots, places, plot)  # noqa: SLF001
        marks = [(px - d.radius, py - d.radius, px + d.radius, py + d.radius)
                 for d, (px, py) in zip(dots, places, strict=True)]  # fmt: skip
        for i, box in enumerate(boxes):
            assert plot[0] <= box[0] < box[2] <= plot[2] + 1e-9
            assert plot[1] <= box[1] < box[3] <= plot[3] + 1e-9
            assert not any(_covers(box, other) for other in (*boxes[:i], *boxes[i + 1 :], *marks))


def _covers(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_better_is_right_and_up() -> None:
    """What is harder to tell from real rows stands farther right, what is more useful higher up; labels are text."""
    dots = [Dot("<good> 1 s", 0.51, 0.99, "met"), Dot("bad 1 s", 0.9, 0.4, "met")]
    svg = draw_tradeoff(dots, ACROSS, UP, WIDE)
    good, bad = ((float(c.get("cx", 0)), float(c.get("cy", 0))) for c in ET.fromstring(svg).iter() if "circle" in c.tag)  # noqa: S314
    assert good[0] > bad[0]
    assert good[1] < bad[1]
    assert "&lt;good&gt; 1 s" in svg


def test_axes_have_round_numbers() -> None:
    """Between the ends there are round numbers that do not touch; one method alone is drawn too."""
    for dots in (ten(1, 0.4), ten(1, 0.003), ten(1, 0.4)[:1]):
        for size in (WIDE, NARROW):
            svg = draw_tradeoff(dots, ACROSS, UP, size)
            across = sorted(
                float(at)
                for at in re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle" font-size="11"', svg)
            )
            assert len(across) >= 2
            assert min(np.diff(across)) >= 50
            assert len(re.findall(r">[\d.]+ %<", svg)) >= 2


def test_slower_is_larger() -> None:
    """A mark grows with the seconds, and stays readable at both ends."""
    sizes = [radius(s) for s in (None, 0, 0.5, 5, 50, 500, 5e9)]
    assert sizes == sorted(sizes)
    assert 4 < sizes[0] < sizes[-1] <= 16
