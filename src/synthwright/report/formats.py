"""The report in the forms people ask for: JSON for programs, pages and Markdown for people, pictures for slides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from synthwright.core.contracts import Case
from synthwright.report.figures import draw
from synthwright.report.html import OFFICER, REPORT, render, render_officer
from synthwright.report.markdown import officer_markdown, report_markdown
from synthwright.report.pictures import write_pictures
from synthwright.report.released import write_whole
from synthwright.report.report import Report

Form = Literal["json", "md", "html", "png"]
FORMS: tuple[Form, ...] = ("json", "md", "html", "png")
"""Every form there is."""
USUAL: tuple[Form, ...] = ("json", "md", "html")
"""What is written where nothing is asked for."""


def write_report(report: Report, case: Case, folder: Path, forms: Sequence[Form] = USUAL) -> list[Path]:
    """Write a report into a folder; return its files, each whole or not there at all.

    Args:
        report: what was measured.
        case: the data it was measured on.
        folder: where the files go.
        forms: `json`: `report.json`; `md`: `report.md` and `officer.md`; `html`: `report.html` and `officer.html`;
            `png`: every chart, in `charts/`.
    """
    drawn = draw(report, case) if {"html", "png"} & set(forms) else None
    texts: dict[str, str] = {}
    if "md" in forms:
        texts |= {"report.md": report_markdown(report, case), "officer.md": officer_markdown(report, case)}
    if "html" in forms:
        texts |= {REPORT: render(report, case, drawn, officer=OFFICER), OFFICER: render_officer(report, case)}
    written = []
    if "json" in forms:
        report.write(folder / "report.json")
        written.append(folder / "report.json")
    for name, text in texts.items():
        write_whole(folder / name, text)
        written.append(folder / name)
    if "png" in forms and drawn is not None:
        written += write_pictures(drawn, folder / "charts")
    return written
