"""What a language model writes, and a rule of the schema computes in its place, is told before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthwright.core.errors import SpecError
from synthwright.core.loading import load_spec
from synthwright.line import check

SPEC = """\
synthwright: 1
name: reviews
schema:
  tables:
    review:
      rules: [RULES]
      fields:
        tone: {kind: category}
        text: {kind: text}
        got: {kind: category}
        low: {kind: integer}
        high: {kind: integer}
        gap: {kind: integer}
START
models: {writer: {use: scripted}}
parts:
  TONE
  - {make: [review.text], use: prompt, with: {prompt: "A {{ tone }} review."}}
  - {make: [review.got], use: prompt, with: {prompt: "Which tone? {{ text | quoted }}{# {{ tone }} #}MENTIONS"}}
  - {make: [review.low, review.high, review.gap], use: MAKER}
evaluate: {metrics: [integrity]}
"""
ROWS, CELLS = "start: {rows: {review: 3}}", "start: {cells: {review: {by: {tone: [kind, rude]}, rows: 2}}}"
TONE = "- {make: [review.tone], use: choice, with: {values: [kind, rude]}}"


def told(at: Path, rules: str, *, mentions: str = "", start: str = ROWS, tone: str = TONE,
         maker: str = 'prompt, with: {prompt: "Three numbers."}') -> list[str]:  # fmt: skip
    """Return what is hardly meant, with its line."""
    text = SPEC.replace("RULES", rules).replace("START", start).replace("  TONE\n", f"  {tone}\n" if tone else "")
    (at / "reviews.yaml").write_text(text.replace("MENTIONS", mentions).replace("MAKER", maker), encoding="utf-8")
    plan = check(load_spec(at / "reviews.yaml"))
    assert plan is not None
    return [f"{d.line}: {d.message}" for d in plan.doubts]


def test_a_written_column_that_a_rule_computes(tmp_path: Path) -> None:
    """The column, the rule and the remedy are named, on the line of the part that would be paid for nothing."""
    (said,) = told(tmp_path, "got == tone", mentions=" {{ tone }}")
    assert said == (
        "19: prompt: column 'got' is computed by the schema's rule 'got == tone', whatever is written: where the rule "
        "is to check what is written, say it to the curator, `{use: rules, with: {rules: {review: ['got == tone']}}}`"
    )


def test_what_the_start_sets_is_seen_too(tmp_path: Path) -> None:
    """What cells set is given to every part, so that a rule computes from it though no prompt mentions it."""
    assert len(told(tmp_path, "got == tone", start=CELLS, tone="")) == 1


def test_columns_of_one_answer(tmp_path: Path) -> None:
    """Of several columns of one answer, the one that follows from the others is computed."""
    (said,) = told(tmp_path, "high == low + gap")
    assert "column 'high'" in said


@pytest.mark.parametrize(("rules", "maker"), [
    ("got == tone", None),  # the part that writes it does not see the other: nothing is computed
    ("low <= high, gap >= 0", None), ("\"tone in ['kind', 'rude']\"", None),
    ("high == low + gap", "distribution, with: {uniform: {low: 0, high: 9}}"),  # rules are kept for free
])  # fmt: skip
def test_what_is_not_lost_is_not_told(tmp_path: Path, rules: str, maker: str | None) -> None:
    """Bounds and orders leave what is written, and what rules make costs nothing."""
    assert told(tmp_path, rules, **({"maker": maker} if maker else {})) == []


def test_wrong_rules_are_told_as_such(tmp_path: Path) -> None:
    """A rule that is none, or names what is not there, is a fault and nothing else."""
    with pytest.raises(SpecError) as caught:
        told(tmp_path, "got = = tone, nobody == tone, low == text", mentions=" {{ tone }}")
    assert {f.line for f in caught.value.faults} == {6}
