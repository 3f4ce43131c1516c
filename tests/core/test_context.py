"""Randomness depends on seed and place alone, and paths stay inside the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthwright.core.context import Context
from synthwright.core.errors import PathError


def test_the_same_place_has_the_same_stream() -> None:
    """Order of asking and other places do not matter."""
    one = Context(seed=7).at("a", 1)
    Context(seed=7).at("b").rng.random(10)
    two = Context(seed=7).at("a").at("1")
    assert np.array_equal(one.rng.random(5), two.rng.random(5))


def test_places_and_seeds_differ() -> None:
    """Another seed, another place, or the same names cut otherwise give another stream."""
    streams = [Context(seed=7).at("ab"), Context(seed=8).at("ab"), Context(seed=7).at("a", "b"), Context(seed=7)]
    firsts = [float(c.rng.random()) for c in streams]
    assert len(set(firsts)) == len(firsts)


def test_asking_twice_goes_on() -> None:
    """A context's stream is one stream: the second draw is not the first again."""
    ctx = Context(seed=1)
    assert ctx.rng.random() != ctx.rng.random()


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "file:///etc/passwd", "https://x.example/y", "x\0y"]
)
def test_paths_that_leave(tmp_path: Path, path: str) -> None:
    """Whatever leaves the project folder, or is no plain path, is refused."""
    with pytest.raises(PathError):
        Context(root=tmp_path).open_path(path)


def test_paths_that_stay(tmp_path: Path) -> None:
    """Plain paths, and detours that come back, are allowed; a link out is not, unless its target was named."""
    inside = tmp_path / "p"
    inside.mkdir()
    outside = tmp_path / "secret"
    outside.write_text("x")
    (inside / "link").symlink_to(outside)
    ctx = Context(root=inside)
    assert ctx.open_path("a/../b") == (inside / "b").resolve()
    with pytest.raises(PathError):
        ctx.open_path("link")
    assert Context(root=inside, allowed=(outside,)).open_path(outside) == outside.resolve()
