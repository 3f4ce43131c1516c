"""Every chart of a report as a PNG, for slides and documents: light colours, a title, a legend."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from synthwright.kit.files import folder_names, replacing
from synthwright.report.figures import Drawn, Picture

COLOURS = {
    "paper": "#ffffff", "ink": "#1c2530", "muted": "#566270", "line": "#d5dbe3", "real": "#2563a8",
    "synthetic": "#d05a08", "good": "#1a7340", "bad": "#b3261e",
}  # fmt: skip
"""The colours of the page in the light, by the names of its CSS variables."""
_OLD = ("gates", "column-[0-9][0-9]-*", "dependence-[0-9][0-9]-*")
_WIDE = 640
"""Pixels of a chart that fills its page."""
_EDGE, _HEAD = 14, 50
_SCALE = 2.0


def write_pictures(drawn: Drawn, folder: Path) -> list[Path]:
    """Write `gates.png`, `column-01-NAME.png` … (worst first) and `dependence-….png` into a folder; return them."""
    named = dict(_named(drawn))
    for old in (p for word in _OLD for p in folder.glob(f"{word}.png")):
        old.unlink()  # ranks change from run to run: what another run drew would stand between
    files = folder_names(named)
    out = []
    for name, picture in named.items():
        path = folder / f"{files[name]}.png"
        with replacing(path) as unfinished:
            unfinished.write_bytes(png(picture))
        out.append(path)
    return out


def _named(drawn: Drawn) -> Iterator[tuple[str, Picture]]:
    """Yield every chart and what it is called."""
    if drawn.gates is not None:
        yield "gates", drawn.gates
    for i, figure in enumerate(drawn.columns, 1):
        if figure.picture is not None:
            yield f"column-{i:02}-{figure.name}", figure.picture
    for i, held in enumerate(drawn.maps, 1):
        for picture in held.pictures:
            word, title = picture.title.partition(":")[0], f"Dependence in {held.table}, {picture.title}"
            yield f"dependence-{i:02}-{held.table}-{word}", picture._replace(title=title)


def png(picture: Picture) -> bytes:
    """Return a chart as PNG."""
    import vl_convert

    return bytes(vl_convert.svg_to_png(framed(picture), scale=_SCALE))


def framed(picture: Picture) -> str:
    """Return a chart as SVG on paper, with its title and what its colours mean."""
    drawn = picture.svg.replace('width="100%" height', f'width="{_WIDE}" height', 1)
    width, height = (float(re.search(rf'<svg [^>]*\b{side}="([\d.]+)"', drawn)[1]) for side in ("width", "height"))  # type: ignore[index]
    key, end = "", float(_EDGE)
    for colour, means in picture.legend:
        key += (f'<rect x="{end:.0f}" y="33" width="14" height="9" fill="var(--{colour})"/>'
                f'<text x="{end + 19:.0f}" y="42" font-size="11">{escape(means)}</text>')  # fmt: skip
        end += 36 + 5.8 * len(means)
    whole = max(width + 2 * _EDGE, 8.2 * len(picture.title) + 2 * _EDGE, end)
    inner = drawn.replace("<svg ", f'<svg x="{_EDGE}" y="{_HEAD}" ', 1)
    text = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole:.0f}" height="{height + _HEAD + _EDGE:.0f}" '
            f'font-family="sans-serif" fill="var(--ink)"><rect width="100%" height="100%" fill="var(--paper)"/>'
            f'<text x="{_EDGE}" y="22" font-size="14" font-weight="bold">{escape(picture.title)}</text>'
            f"{key}{inner}</svg>")  # fmt: skip
    return re.sub(r"var\(--(\w+)\)", lambda found: COLOURS[found[1]], text)
