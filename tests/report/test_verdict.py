"""Gates held against scores: what is missing fails, and each result says why."""

from __future__ import annotations

import math

import pytest

from synthwright.core.contracts import Score
from synthwright.core.gates import DEFAULT_GATES, parse, score_name
from synthwright.report.verdict import GateResult, nearly, said, settle, standing, verdict, warnings


def one(gate: str, *scores: Score) -> GateResult:
    """Return the result of one gate."""
    return settle(scores, [gate])[0]


def test_good_scores_are_released(good: tuple[Score, ...]) -> None:
    """Scores that meet every default gate are released, with value and bound of each."""
    gates = [g for g in DEFAULT_GATES if g.split()[0] in {score_name(s.metric, s.about) for s in good}]
    results = settle([s._replace(chance=0.01) for s in good], gates)
    assert verdict(results) == "released"
    assert [r.gate for r in results] == gates
    copies = next(r for r in results if r.gate.startswith("exact-copies"))
    assert copies.value == 0.001
    assert copies.bound == pytest.approx(0.011)
    assert verdict(settle(good)) == "refused"  # the other default gates have nothing to hold on to


@pytest.mark.parametrize(
    ("gate", "score", "why"),
    [
        ("shape <= 0.1", Score("shape", "", 0.13), "shape is 0.13, over the bound 0.1 by 0.03"),
        ("tstr >= reference", Score("tstr", "", 0.85, 0.92), "tstr is 0.85, under the bound 0.92 by 0.07"),
        ("shape[t.a] <= 0.1", Score("shape", "t.a", 0.2), "shape[t.a] is 0.2, over the bound 0.1 by 0.1"),
        ("shape.worst <= 0.1", Score("shape", "worst", 0.2), "shape.worst is 0.2"),
        ("rules >= 1", Score("rules", "", 0.9999999), "rules is 0.9999999, under the bound 1 by 1e-07"),
        ("rows == 1", Score("rows", "", 0.5), "rows is 0.5, off the bound 1 by 0.5"),
        ("shape < 0.1", Score("shape", "", 0.1), "shape is 0.1, where < 0.1 is wanted"),
        ("tstr >= reference", Score("tstr", "", 0.85), "no reference to hold it against"),
        ("shape <= 0.1", Score("shape", "", math.nan), "it has no value"),
        ("shape <= 0.1", Score("shape", "", None), "it has no value"),
        ("shape <= 0.1", Score("shape", "", 0.0, status="failed", problem="out of luck"), "out of luck"),
        ("rules >= 1", Score("rules", status="failed", problem="out of luck"), "out of luck"),
        ("tstr >= 0.5", Score("tstr", status="not-applicable", problem="no target"), "not applicable: no target"),
        ("shape <= 0.1", Score("trend", "", 0.0), "no metric 'shape' was run"),
        ("shape[t.b] <= 0.1", Score("shape", "", 0.0), "no score about 't.b'"),
        ("shape <= 0.1", Score("shape", "t.a", 0.0), "single columns only"),
        ("rules >= 1", Score("keys", "", 1.0), "no metric 'rules' was run"),
    ],
)
def test_what_falls_short_or_is_missing_fails(gate: str, score: Score, why: str) -> None:
    """A gate fails on a score that is off, missing, failed, not a number, or not applicable, and says which."""
    result = one(gate, score)
    assert not result.passed
    assert why in result.why
    assert verdict([result]) == "refused"
    assert result.value is None or math.isfinite(result.value)


@pytest.mark.parametrize("gate", DEFAULT_GATES)
def test_default_gates_pass_where_there_is_nothing_to_measure(gate: str) -> None:
    """A table without rules, keys or real rows is not refused by the default gates for that."""
    name = parse(gate).metric
    result = one(gate, Score(name, status="not-applicable", problem="nothing is there"))
    assert result.passed
    assert result.value is None
    assert "not applicable" in result.why


def test_default_copies_gate_is_strict_without_a_reference() -> None:
    """Where no held-out rows say how many copies are natural, none are."""
    gate = next(g for g in DEFAULT_GATES if g.startswith("exact-copies"))
    assert one(gate, Score("exact-copies", "", 0.004, chance=0.005)).passed
    result = one(gate, Score("exact-copies", "", 0.2, chance=0.005))
    assert not result.passed
    assert "without held-out rows" in result.why


def test_chance_must_be_known() -> None:
    """A gate that allows for chance fails where nobody knows what chance does."""
    gate = "shape <= reference + 0.02 + chance"
    assert one(gate, Score("shape", "", 0.14, 0.1, chance=0.03)).passed
    assert not one(gate, Score("shape", "", 0.16, 0.1, chance=0.03)).passed
    unknown = one(gate, Score("shape", "", 0.1, 0.1))
    assert not unknown.passed
    assert "what chance does" in unknown.why


def test_one_failing_score_of_several_fails() -> None:
    """Two scores of one name must both pass."""
    assert not one("shape <= 0.1", Score("shape", "", 0.05), Score("shape", "", 0.2)).passed


def test_a_wrong_gate_is_a_value_error() -> None:
    """Gates that are none are told, not skipped."""
    with pytest.raises(ValueError, match="no bound"):
        settle([], ["shape <= five"])


def test_no_gate_releases() -> None:
    """Where nothing is asked, nothing fails."""
    assert verdict(settle([], [])) == "released"


def test_warns_of_scores_that_fall_short(good: tuple[Score, ...]) -> None:
    """A score past its soft bound is a sentence, unless a gate rules on it."""
    good = tuple(s._replace(chance=0.01) for s in good)
    bad = [s._replace(value=0.2, low=0.19, high=0.21) if s == good[0] else s for s in good]
    ruled = [g for g in DEFAULT_GATES if not g.startswith("shape")]
    assert warnings(good, ruled, {}) == []
    sentence = warnings(bad, ruled, {})[0]
    assert sentence == "shape is 0.2, over the soft bound 0.032 by 0.168; a second real sample gets 0.012."
    assert warnings(bad, ["shape <= 1"], {}) == []


def test_warns_of_default_gates_that_were_left_out() -> None:
    """Broken rules are told even where no gate rules on them."""
    assert "rules is 0.5, under the soft bound 1" in warnings([Score("rules", "", 0.5)], [], {})[0]


def test_warns_of_what_is_too_close() -> None:
    """A distance far below that of a second real sample is suspicious, if its interval says so too."""
    near = Score("shape", "", 0.002, 0.02, 0.001, 0.003)
    assert "too close, check for copying" in warnings([near], [], {})[0]
    assert standing(near, "lower") == "close"
    assert warnings([near._replace(high=0.011)], [], {}) == []


def test_what_chance_may_have_done_is_no_shortfall() -> None:
    """A soft bound that the interval reaches is not told: to say that it falls short would be a guess."""
    unsure = Score("augmentation", "", -0.027, 0.0, -0.196, 0.143)
    assert standing(unsure, "higher") == ""
    assert warnings([unsure], [], {"augmentation": "higher"}) == []
    assert standing(unsure._replace(high=-0.021), "higher") == "short"
    nearer = Score("dcr-share", "", 0.57, 0.5, 0.484, 0.656)
    assert standing(nearer, "lower") == ""
    assert standing(nearer._replace(low=0.54), "lower") == "short"
    assert standing(Score("keys", "", 0.999, 1.0, 0.99, 1.0), "higher") == "short"  # all rows were looked at


def test_copies_that_chance_barely_allows_are_told() -> None:
    """A gate on copies that is met by luck, or for want of rows, is warned of; one that is met with ease is not."""
    copied = Score("exact-copies", "", 0.01667, 0.0068, 0.0127, 0.0219, chance=0.0127)
    gates = ["exact-copies <= reference + chance"]
    assert settle([copied], gates)[0].passed
    assert warnings([copied], gates, {}) == [
        "exact-copies is 0.01667, where a second real sample gets 0.0068: chance allows 0.0195, but seldom so much."
    ]
    assert nearly(Score("support", "far", 0.004, 0.0, 0.0023, 0.007, chance=0.0055))
    for easy in (copied._replace(value=0.012), copied._replace(chance=None), copied._replace(metric="shape")):
        assert not nearly(easy)
    assert not nearly(copied._replace(value=0.03))  # the gate says it


def test_warns_of_failures() -> None:
    """A metric that could not be measured is told."""
    (sentence,) = warnings([Score("coverage", status="failed", problem="it raised")], [], {})
    assert sentence == "coverage could not be measured: it raised."


@pytest.mark.parametrize(("goal", "value"), [("lower", 0.9), ("higher", 0.1)])
def test_warns_of_foreign_metrics_by_their_goal(goal: str, value: float) -> None:
    """A metric that nobody here knows is held against its reference."""
    score = Score("orchard", "", value, 0.5)
    assert standing(score, goal) == "short"
    assert "soft bound" in warnings([score], [], {"orchard": goal})[0]
    assert warnings([score], [], {}) == []


def test_says_numbers_apart() -> None:
    """Two numbers that differ are never written alike."""
    assert said(0.1) == "0.1"
    assert said(None) == "none"
    assert said(0.123456789) == "0.1235"
    assert said(0.10000001, 0.1) == "0.10000001"
    assert said(1 - 1e-16, 1.0) != said(1.0)


def test_pairs_hold_in_either_order() -> None:
    """A gate on a pair of columns finds its score, whichever column is named first."""
    assert one("trend[t.b ~ t.a] <= 0.1", Score("trend", "t.a ~ t.b", 0.05)).passed
    assert not one("trend[t.b ~ t.a] <= 0.1", Score("trend", "t.a ~ t.b", 0.2)).passed
    assert "no score about" in one("trend[t.b ~ t.c] <= 0.1", Score("trend", "t.a ~ t.b", 0.05)).why


def test_what_no_real_row_meets_is_warned_of_first() -> None:
    """Gates that do not apply because nothing could be compared are counted, in one sentence for each reason."""
    problem = "no real row meets what was asked for (t.a was set): nothing was compared"
    silent = [Score(m, status="not-applicable", problem=problem) for m in ("shape", "trend", "tstr")]
    scores = [
        *silent,
        Score("keys", status="not-applicable", problem="no table has a key"),
        Score("lost", "", 0.5, 0.1),
    ]
    gates = ["shape <= 0.1", "shape.worst <= 0.1", "trend <= 0.1", "keys >= 1"]
    found = warnings(scores, gates, {"lost": "lower"})
    assert found[0] == (
        "No real row meets what was asked for (t.a was set): nothing was compared, and 3 gates do not rule: "
        "of likeness and use nothing is proven."
    )
    assert len(found) == 2
    assert warnings(silent[:1], ["keys >= 1"], {})[0].endswith("nothing was compared.")
