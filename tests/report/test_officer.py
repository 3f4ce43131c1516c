"""What the data protection officer and readers of Markdown are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest

from synthwright.core.contracts import Case, Score
from synthwright.core.gates import DEFAULT_GATES, parse
from synthwright.core.ruling import Waived
from synthwright.core.spend import Spend
from synthwright.report.document import Facts, Rows
from synthwright.report.markdown import officer_markdown, report_markdown
from synthwright.report.officer import officer
from synthwright.report.report import Report
from synthwright.testing import toys

MakeReport = Callable[..., Report]


def section(text: str, title: str) -> str:
    """Return what stands under a heading."""
    return re.split(r"\n#+ ", text.partition(f" {title}\n")[2])[0]


def test_each_attack_says_what_was_assumed_done_and_found(make_report: MakeReport) -> None:
    """Risk, attacker, result, interval, control, gate and what is not seen stand together."""
    data = toys.plain()
    text = officer_markdown(make_report(data=data), Case(data, data, data))
    said = section(text, r"Exact copies (exact-copies)")
    for wanted in (
        "**Risk**: Copies", "**The attacker has**: The synthetic rows", "**Result**: 0.001", "0 to 0.002",
        "**Control**: 0.001\n", "How often real rows", "**Scale**: 0: no synthetic row",
        "**Asked of it**: met: exact-copies", "A copy with one value",
    ):  # fmt: skip
        assert wanted in said
    assert "nothing: no gate rules on it" in section(text, "Distance to the training rows (dcr-share)")
    assert "0.1 % equal a training row" in section(text, "Natural repeats")
    assert "Nothing, formally" in section(text, "What is guaranteed")
    assert "| Near copies | Copies | it was not asked for |" in section(text, "Attacks that were not carried out")
    assert "not the model that made them" in section(text, "What is not guaranteed")
    assert "internal" in section(text, "Keeping this page")


def test_risks_that_nobody_looked_at_are_listed(make_report: MakeReport) -> None:
    """Each risk is answered, or said not to be looked at; one that a gate refuses is found."""
    data = toys.plain()

    def risks(scores: Sequence[Score], gates: Sequence[str]) -> dict[str, str]:
        page = officer(make_report(scores, gates, data=data), Case(data, data, data))
        blocks = [b for s in page.sections for b in s.blocks if isinstance(b, Rows) and b.head[0] == "risk"]
        return {row[0]: row[3] for row in blocks[0].rows}

    copies = Score("exact-copies", "", 0.5, 0.0)
    assert risks([copies], ["exact-copies <= 0"])["Copies"] == "more than chance allows"
    assert risks([copies._replace(chance=0.9)], ["exact-copies <= 1"])["Copies"] == "no more than chance allows"
    assert risks([copies], [])["Copies"] == "more than chance allows; no gate rules on it: it can only warn"
    assert (
        risks([copies._replace(chance=0.9)], [])["Copies"]
        == "no more than chance allows; no gate rules on it: it can only warn"
    )
    failed = Score("exact-copies", status="failed", problem="it broke")
    assert set(risks([failed], []).values()) == {"not looked at"}


def test_no_attack_is_said_to_be_none(make_report: MakeReport) -> None:
    """Where nothing about privacy was measured, the page says so."""
    data = toys.plain()
    text = officer_markdown(make_report([Score("shape", "", 0.1, 0.1)], [], data=data), Case(data, None, data))
    assert "No attack was carried out: nothing is known" in text
    assert "controls are weaker" in text
    assert "Natural repeats" not in text


def test_no_conclusion_of_law_is_drawn(make_report: MakeReport, good: Sequence[Score]) -> None:
    """Whatever was found, the page does not call the rows anonymous, names the guidance, and where it asks for more."""
    data = toys.plain()
    for scores, judged in ((good, False), (good, True), ([Score("exact-copies", "", 0.5, 0.0)], True)):
        text = officer_markdown(make_report(scores, [], data=data, judged=judged), Case(data, data, data))
        for sentence in re.findall(r"[^.:]*anonym[^.:]*", text):
            assert re.search(r"does not say|Anonymisation", sentence), sentence
        for wanted in (
            "recital 26 of the GDPR",
            r"Opinion 05/2014 \(WP 216\)|WP 216",
            "Opinion 28/2024",
            "is taken off",
        ):
            assert re.search(wanted, text)
        guarantee = section(text, "What is guaranteed")
        assert ("budget is known of" if judged else "budget was kept") in guarantee
        assert ("is taken from who asked" in text) is judged


def test_what_does_not_apply_is_not_said_to_be_met(make_report: MakeReport) -> None:
    """A gate that had nothing to rule on is neither met nor missed on the page."""
    data = toys.plain()
    default = next(g for g in map(parse, DEFAULT_GATES) if g.metric == "membership" and g.about)
    scores = [Score("membership", "", 0.5, 0.5), Score("membership", default.about, status="not-applicable")]
    gates = ["membership <= 0.6", default.text]
    text = officer_markdown(make_report(scores, gates, data=data), Case(data, data, data))
    asked = next(line for line in text.splitlines() if line.startswith("- **Asked of it**"))
    assert asked.startswith("- **Asked of it**: met: membership")
    assert "does not apply: membership" in asked
    assert asked.count("met: ") == 1


def test_without_real_rows_there_is_little_to_say(make_report: MakeReport) -> None:
    """No attack, no control, no real row behind the page: nothing claims there were."""
    data = toys.plain()
    scores = [Score("exact-copies", status="not-applicable", problem="there are no real rows"), Score("rules", "", 1.0)]
    for judged, first in ((True, "No attack was carried out"), (False, "No attack applies")):
        report = make_report(scores, ["rules >= 1"], data=data, judged=judged)
        text = officer_markdown(report, Case(None, None, data))
        assert section(text, "In short").strip().startswith(first)
        assert "| Exact copies | Copies | not applicable: there are no real rows |" in text
        assert "computed from real" not in text + report_markdown(report, Case(None, None, data))
        assert "### " not in text


def test_the_data_is_described(make_report: MakeReport) -> None:
    """Rows of each sort, columns made anew, columns that stay real, groups, and who made it."""
    data = toys.plain()
    few = data.take("thing", [0, 1, 2])  # type: ignore[arg-type]
    case = Case(data, few, data, produced=("thing.size",), sensitive=("thing.colour",))
    page = officer(make_report(data=data, judged=True), case)
    looked = next(s for s in page.sections if s.title == "Whose rows were looked at")
    table, facts = looked.blocks
    assert isinstance(table, Rows)
    assert table.rows == (("thing", "120", "3", "120"),)
    assert isinstance(facts, Facts)
    said = dict(facts.pairs)
    assert "size" not in said["Columns that hold the real values of real rows"].split(", ")
    assert "price" in said["Columns that hold the real values of real rows"]
    assert said["Columns whose groups were compared"] == "colour"
    assert said["Made by"] == "not made in this run: given as files, and judged"
    assert "as whoever asked" in said["Training rows"]


def test_guarantees_and_waivers_are_told(make_report: MakeReport) -> None:
    """The budget is told where there is one, and waived gates with their reasons, those of privacy first."""
    data = toys.plain()
    waived = [Waived("shape <= 0", "no use"), Waived("exact-copies <= 0", "all combinations are known")]
    report = make_report(data=data, spend=Spend(2.0, 1e-6, "person"), waived=waived, gates=["trend <= 1"])
    text = officer_markdown(report, Case(data, data, data))
    assert "epsilon 2 and delta 1e-06 per person" in section(text, "What is guaranteed")
    lines = section(text, "What was waived")
    assert lines.index("all combinations are known") < lines.index("no use")
    assert "over the bound 0" in lines


def test_markdown_says_what_the_page_says(make_report: MakeReport, good: Sequence[Score]) -> None:
    """Verdict, answers, what to try, gates, scores, rows, notes and meanings; nothing of it is markup."""
    data = toys.plain()
    evil = "<img src=x>|[a](b)"
    bad = [Score("shape", "", 0.5, 0.01), Score("shape", "thing.size", 0.9, 0.01, problem=evil)]
    report = make_report([*bad, *good[1:]], ["shape <= 0.1", "trend <= 1"], data=data, notes=[evil],
                         waived=[Waived("trend <= 0", evil)])  # fmt: skip
    text = report_markdown(report, Case(data, None, data))
    for wanted in (
        "Do not use this data: single columns", "| Faithful | Like other real rows? | No |", "no held-out rows",
        "shape is 0.5, over the bound 0.1 by 0.4", "Worst: size (0.9, reference 0.01)", "1. See whether the kinds",
        "| NOT MET |", "| met |", "not applicable; no table has a key", "| thing | 120 |", "dropped because",
        "## What the scores mean",
    ):  # fmt: skip
        assert wanted in text
    assert not re.search(r"(?<!\\)[<\[]", text)
    assert r"\<img src=x\>\|\[a\](b)" in text


@pytest.mark.parametrize("toy", sorted(toys.TOYS))
def test_every_toy_has_its_pages(make_report: MakeReport, toy: str) -> None:
    """Awkward tables have a report and an officer's page, with and without real rows."""
    data = toys.TOYS[toy]()
    for case in (Case(data, data, data), Case(None, None, data)):
        assert report_markdown(make_report(data=data), case).startswith("# Synthwright report\n")
        assert officer_markdown(make_report(data=data), case).startswith("# For the data protection officer\n")
