"""A report in plain words: what the verdict says, the answers, and what to try next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from synthwright.core import registry
from synthwright.core.contracts import Score
from synthwright.core.gates import GUESSED_GATES
from synthwright.core.ruling import Waived
from synthwright.core.spend import Spend
from synthwright.report.advice import OWN, steps
from synthwright.report.report import Report, ScoreRow
from synthwright.report.telling import SAID, Aside, Told, tell
from synthwright.report.words import ATTACKS, GUIDED, RISKS, WORDS, own, words
from synthwright.report.worst import beyond, excess, per_cent, plain_note, short_name, worst_parts

MakeReport = Callable[..., Report]
ROWS = {"person": 1000}


def answers(told: Told) -> dict[str, str]:
    """Return the answers by question."""
    return {line.question.name: line.answer for line in told.lines}


def because(told: Told, question: str) -> str:
    """Return why a question was answered so."""
    return next(line.because for line in told.lines if line.question.name == question)


def test_good_rows_may_be_used(make_report: MakeReport) -> None:
    """All is well: the sentence says for what, and names no metric."""
    told = tell(make_report(rows={"person": 32561}), Aside("person.income"))
    assert told.sentence == (
        "These 32,561 synthetic rows may be used: they look like other real rows, models learn from them to predict "
        "income as from real rows, and no attack that was tried finds more of the real rows in them than chance does."
    )
    assert answers(told) == {"Faithful": "yes", "Useful": "yes", "Private": "yes", "Complete": "yes"}
    assert told.tries == ()
    assert told.caveat == ""


@pytest.mark.parametrize(
    ("score", "gate", "question", "clause"),
    [
        (Score("exact-copies", "", 0.17, 0.01), "exact-copies <= 0.02", "Private",
         "17 % of its rows repeat real ones (of other real rows 1 %)"),
        (Score("rules", "", 0.9, 1.0), "rules >= 1", "Complete", "10 % of its rows break rules that hold in real rows"),
        (Score("tstr", "", 0.5, 0.9), "tstr >= 0.8", "Useful",
         "a model trained on it predicts income worse than one trained on real rows (0.5, from real rows 0.9)"),
        (Score("shape", "", 0.5, 0.01), "shape <= 0.1", "Faithful",
         "single columns are distributed otherwise than in real rows (50 % off, other real rows 1 %)"),
        (Score("coverage", "", 0.5, 1.0), "coverage >= 0.9", "Faithful",
         "some labels or ranges do not occur in it (0.5, other real rows 1)"),
    ],
)  # fmt: skip
def test_a_failure_is_said_in_words(
    make_report: MakeReport, good: Sequence[Score], score: Score, gate: str, question: str, clause: str
) -> None:
    """Each gate that is not met is a clause of the sentence and of its line, and something to try."""
    others = [s for s in good if (s.metric, s.about) != (score.metric, "")]
    told = tell(make_report([*others, score], [gate]), Aside("person.income"))
    assert told.sentence == f"Do not use this data: {clause}."
    assert answers(told)[question] == "no"
    assert because(told, question) == clause
    assert [t.metric for t in told.tries] == [score.metric]
    assert told.tries[0].gates[0].why.startswith(f"{score.metric} is")
    assert told.tries[0].tries[: len(words(score.metric).tries)] == words(score.metric).tries


def test_the_worst_columns_are_named(make_report: MakeReport) -> None:
    """Columns beyond chance are named, worst first; those that chance explains are not."""
    parts = [
        Score("shape", f"person.{c}", v, 0.01, chance=0.1) for c, v in (("a", 0.3), ("b", 0.09), ("c", 0.5), ("d", 0.2))
    ]
    told = tell(make_report([Score("shape", "", 0.3, 0.01), *parts], ["shape <= 0.1"], rows=ROWS))
    assert told.sentence.endswith("otherwise than in real rows, most of all c (50 % off, other real rows 1 %).")
    assert [p.about for p in told.tries[0].parts] == ["person.c", "person.a", "person.d"]


def test_the_verdict_takes_one_failure_of_each_question(make_report: MakeReport) -> None:
    """The weightiest is said first; the rest is in the lines."""
    failing = ["exact-copies", "tstr", "shape", "trend", "rules"]
    scores = [Score(m, "", 0.5, 0.5) for m in failing]
    gates = ["exact-copies <= 0", "tstr >= 1", "shape <= 0", "trend <= 0", "rules >= 1"]
    told = tell(make_report(scores, gates))
    assert told.sentence == (
        "Do not use this data: 50 % of its rows repeat real ones (of other real rows 50 %); a model trained on it "
        "predicts worse than one trained on real rows (0.5, from real rows 0.5); single columns are distributed "
        "otherwise than in real rows (50 % off, other real rows 50 %); and 1 more reason."
    )
    assert [t.metric for t in told.tries] == failing
    assert "columns do not go together" in because(told, "Faithful")


def test_what_is_not_measured_is_not_said_to_be_good(make_report: MakeReport, good: Sequence[Score]) -> None:
    """Without a target, nothing is said of what models learn; a gate that has nothing to rule on proves nothing."""
    rest = [s for s in good if s.metric != "tstr"]
    no_target = Score("tstr", status="not-applicable", problem="no target is named")
    told = tell(make_report([*rest, no_target], ["shape <= 1"]))
    assert answers(told)["Useful"] == "unknown"
    assert because(told, "Useful") == "no target is named"
    assert told.sentence.endswith("and whether they are useful was not measured.")
    blind = tell(make_report(rest, ["tstr >= 0.9"]))
    assert blind.sentence == "Do not use this data yet: it is not proven. Not measured: learning from it."
    assert "--target" in blind.tries[0].tries[0]
    assert answers(tell(make_report([Score("rules", "", 1.0)], [])))["Faithful"] == "unknown"


def test_without_gates_nothing_is_promised(make_report: MakeReport) -> None:
    """No gate, no promise; no rows, no use."""
    assert "nothing was asked of these 1,000 synthetic rows" in tell(make_report(gates=[])).sentence
    assert tell(make_report(rows={"person": 0})).sentence == "There are no synthetic rows."
    assert tell(make_report(rows={"a": 1, "b": 2})).sentence.startswith(
        "These 3 synthetic rows in 2 tables may be used"
    )
    assert tell(make_report(rows={"a": 1})).sentence.startswith("This 1 synthetic row may be used")


def test_doubts_are_said(make_report: MakeReport, good: Sequence[Score]) -> None:
    """What is waived and missed, what falls short, and what is too good to be true is a warning, not a yes."""
    rest = [s for s in good if s.metric not in ("dcr-share", "detection")]
    waived = make_report(rest, ["shape <= 1"], waived=[Waived("trend <= 0", "nobody looks at pairs")])
    assert answers(tell(waived))["Faithful"] == "doubt"
    assert "(waived: nobody looks at pairs)" in tell(waived).sentence
    both = [Waived(f"{m} <= 0", "nobody looks at pairs") for m in ("trend", "shape.worst")]
    line = tell(make_report(rest, ["shape <= 1"], waived=both)).sentence
    assert line.count("nobody looks at pairs") == 1  # one reason, said once
    assert "(waived too)" in line
    met = make_report(rest, ["shape <= 1"], waived=[Waived("trend <= 1", "nobody looks at pairs")])
    assert answers(tell(met))["Faithful"] == "yes"
    near = make_report([*rest, Score("dcr-share", "", 0.9, 0.5)], ["shape <= 1"])
    assert answers(tell(near))["Private"] == "doubt"
    assert "may be used with care: its rows lie nearer to the rows it was made from" in tell(near).sentence
    close = make_report([*rest, Score("detection", "", 0.3, 0.5, 0.28, 0.32)], ["shape <= 1"])
    assert because(tell(close), "Private").startswith(
        "it is closer to real rows than other real rows are: look for copies"
    )
    assert SAID["doubt"] == "Yes, with a warning"


def test_what_few_rows_hide_is_said(make_report: MakeReport, good: Sequence[Score]) -> None:
    """Where chance allows much, a gate that is met proves little, and every answer says how little."""
    chance = {"shape": 0.41, "tstr": 0.34, "exact-copies": 0.5}
    few = [s._replace(chance=chance[s.metric]) if s.metric in chance and not s.about else s for s in good]
    told = tell(make_report(few))
    assert [answers(told)[q] for q in ("Faithful", "Useful", "Private")] == ["doubt"] * 3
    assert because(told, "Faithful") == (
        "with so few rows, single columns could be 41 % farther off without being noticed"
    )
    assert because(told, "Useful") == "with so few rows, models could predict worse by 0.34 without it being noticed"
    assert "with so few rows, 50 % of them could be copies without being noticed" in because(told, "Private")
    assert "may be used with care: with so few rows" in told.sentence
    many = [s._replace(chance=0.03) if s.metric in chance else s for s in good]
    assert answers(tell(make_report(many)))["Faithful"] == "yes"


def test_what_chance_barely_allows_is_said(make_report: MakeReport, good: Sequence[Score]) -> None:
    """Copies and values far out that are met by luck, or for want of rows, are a warning in words."""
    rest = [s for s in good if s.metric != "exact-copies"]
    odd = (
        Score("exact-copies", "", 0.017, 0.007, 0.013, 0.022, chance=0.0127),
        Score("support", "", 0.005, 0.004, chance=0.01),
        Score("support", "far", 0.004, 0.0, problem="person.age", chance=0.005),
    )
    told = tell(make_report([*rest, *odd], ["exact-copies <= reference + chance"]))
    assert because(told, "Private").startswith(
        "1.7 % of its rows repeat real ones (of other real rows 0.7 %), which chance allows, but seldom"
    )
    assert because(told, "Faithful") == (
        "0.4 % of its rows have numbers far beyond those of real rows, most of all in age, which chance allows, "
        "but seldom"
    )


def test_a_yes_to_privacy_says_how_far_it_goes(make_report: MakeReport) -> None:
    """What was tried is named, and whether anything is guaranteed."""
    said = because(tell(make_report()), "Private")
    assert said == (
        "by singling out, linkability, inference, membership and copies no more is found of the real rows than chance "
        "allows; no formal guarantee"
    )
    spent = because(tell(make_report(spend=Spend(1.5, 1e-6))), "Private")
    assert "guaranteed is epsilon 1.5 per row" in spent


def test_a_risk_that_was_not_looked_at_is_a_doubt(make_report: MakeReport, good: Sequence[Score]) -> None:
    """Copies alone prove little: a yes names what nobody looked at, and the verdict says so."""
    told = tell(make_report([s for s in good if s.metric not in ("singling-out", "membership")]))
    assert answers(told)["Private"] == "doubt"
    assert because(told, "Private") == "singling out and membership were not looked at; no formal guarantee"
    assert told.sentence == (
        "These 1,000 synthetic rows may be used with care: singling out and membership were not looked at."
    )


def test_what_was_asked_is_counted(make_report: MakeReport) -> None:
    """Requirements that are met, that are not, and that do not apply are told apart."""
    gates = ["shape <= 1", "trend <= 0", "keys >= 1"]
    assert (
        tell(make_report(gates=gates)).asked
        == "Of 3 requirements (gates) 1 is not met, 1 is met, and 1 does not apply."
    )
    assert tell(make_report(gates=gates[:1])).asked == "Of 1 requirement (gates) 1 is met."
    assert tell(make_report(gates=[])).asked == "No gate was set, so nothing was asked."


def test_a_failure_says_how_much(make_report: MakeReport, good: Sequence[Score]) -> None:
    """Shares are in per cent, attacks stand beside chance, relations are said in words; no notation is left."""
    caught = Score("membership", "tpr at 0.1 % fpr", 0.0475, 0.0012)
    told = tell(make_report([*good, caught], ["membership[tpr at 0.1 % fpr] <= 0.01"]))
    assert because(told, "Private") == (
        "it helps to tell who was in the real data (4.8 % are found at 0.1 % false alarms, by chance 0.12 %)"
    )
    broken = [Score("dependencies", "", 0.7, 1.0), Score("dependencies", "person.a -> person.b", 0.7, 1.0, chance=0.1)]
    told = tell(make_report([*good, *broken], ["dependencies >= 0.9"], rows=ROWS))
    assert "most of all that a decides b (kept in 70 % of rows, in 100 % of real ones)" in told.sentence
    assert [per_cent(v) for v in (0.0, 0.00123, 0.9999, 1.0, 0.4567)] == ["0 %", "0.12 %", "99.99 %", "100 %", "46 %"]


@pytest.mark.parametrize("judged", [True, False])
def test_rules_alone_are_no_doubt(make_report: MakeReport, judged: bool) -> None:  # noqa: FBT001
    """Without real rows, what needs them does not apply, or was not measured; guessed rules prove little."""
    silent = [Score(m, status="not-applicable", problem="no real rows") for m in ("shape", "tstr", "exact-copies")]
    gate = GUESSED_GATES["rules >= 1"] if judged else "rules >= 1"
    scores = [*silent, Score("rules", "", 1.0, 1.0, chance=0.0)]
    told = tell(make_report(scores, [gate], judged=judged), Aside(train=False, holdout=False))
    expected = "unknown" if judged else "none"
    assert answers(told) == {"Faithful": expected, "Useful": expected, "Private": expected, "Complete": "yes"}
    assert told.sentence.endswith(
        "may be used as far as rules, keys and number go: without real rows nothing else can be measured."
    )
    assert ("guessed from these very rows" in told.caveat) is judged


def test_advice_for_all_failures_comes_once(make_report: MakeReport) -> None:
    """Each step is told once, with all that it is for; those of another tool have no knobs here."""
    failing = ["exact-copies", "near-copies", "tstr", "shape", "trend"]
    scores = [Score(m, "", 0.5, 0.9 if m == "tstr" else 0.1) for m in failing]
    gates = ["exact-copies <= 0.2", "near-copies <= 0.2", "tstr >= 0.8", "shape <= 0.2", "trend <= 0.2"]
    report = make_report(scores, gates)
    found = steps(tell(report).tries)
    assert found[0].does.startswith("See whether real rows were mixed")
    assert found[0].titles == ("Exact copies", "Near copies")
    assert len({s.does for s in found}) == len(found) <= 5
    judged = tell(report.model_copy(update={"judged": True})).tries
    assert not [a for t in judged for a in t.tries if own(a) and not a.startswith(OWN)]
    assert [a.startswith(OWN) for a in judged[0].tries] == sorted(a.startswith(OWN) for a in judged[0].tries)


def test_a_gate_beyond_reach_is_said_to_be(make_report: MakeReport) -> None:
    """What other real rows do not reach, no synthetic rows can be asked for."""
    scores = [Score("shape", "", 0.05, 0.04)]
    first = tell(make_report(scores, ["shape <= 0.001"])).tries[0].tries[0]
    assert first == "Loosen the gate: other real rows do not meet it either."
    assert tell(make_report(scores, ["shape <= 0.045"])).tries[0].tries[0] != first


def test_fairness_is_asked_where_there_are_groups(make_report: MakeReport) -> None:
    """There is a line where sensitive columns were named, else not."""
    assert "Fair" not in answers(tell(make_report()))
    assert answers(tell(make_report(), Aside(sensitive=("person.sex",))))["Fair"] == "unknown"


def test_weak_evidence_is_said_to_be(make_report: MakeReport) -> None:
    """Without held-out rows, and without any real rows, there is a caveat."""
    assert "no held-out rows" in tell(make_report(), Aside(holdout=False)).caveat
    assert "no real rows" in tell(make_report(), Aside(train=False, holdout=False)).caveat


def test_metrics_that_are_not_installed_have_a_say(make_report: MakeReport) -> None:
    """A gate on an unknown metric refuses in its own name, with advice for all."""
    told = tell(make_report([Score("odd-one", "", 1.0)], ["odd-one <= 0"]))
    assert told.sentence == "Do not use this data: what 'odd-one' asks is not met (1)."
    assert told.tries[0].title == "odd-one"
    assert told.tries[0].tries


def test_chance_decides_what_is_beyond() -> None:
    """A part is beyond where it is worse than reference and chance; else twice its interval must lie between."""
    row = ScoreRow(metric="shape", about="t.a", value=0.3, reference=0.1, goal="lower")
    assert beyond(row)
    assert not beyond(row.model_copy(update={"chance": 0.25}))
    assert beyond(row.model_copy(update={"chance": 0.15}))
    assert not beyond(row.model_copy(update={"low": 0.2, "high": 0.4}))
    assert beyond(row.model_copy(update={"low": 0.28, "high": 0.32}))
    assert not beyond(row.model_copy(update={"reference": None}))
    higher = row.model_copy(update={"goal": "higher"})
    assert excess(higher) == pytest.approx(-0.2)
    assert not beyond(higher)
    assert beyond(higher.model_copy(update={"reference": 0.9}))


def test_parts_are_not_tables_or_wholes(make_report: MakeReport) -> None:
    """Of several tables, the score of a table is no column."""
    scores = [Score("shape", a, 0.9, 0.1, chance=0.1) for a in ("", "worst", "a", "b", "a.x")]
    report = make_report(scores, [], rows={"a": 5, "b": 6})
    assert [p.about for p in worst_parts(report, "shape", 9)] == ["a.x"]


def test_names_are_short_where_there_is_one_table(make_report: MakeReport) -> None:
    """The table's name is left out where it says nothing; pairs are joined by words."""
    one, two = make_report(rows=ROWS), make_report(rows={"a": 1, "b": 1})
    assert short_name(one, "person.age") == "age"
    assert short_name(one, "person.age ~ person.sex ~ person.job") == "age, sex and job"
    assert short_name(two, "a.x ~ b.y") == "a.x and b.y"
    assert short_name(one, "end >= start") == "end >= start"
    assert short_name(one, "person.a -> person.b") == "a -> b"
    assert short_name(one, "person: 2 columns") == "2 columns"
    assert short_name(one, "isolated tpr at 1 % fpr") == "isolated at 1 % false alarms"
    assert plain_note(one, "told apart by person.age (31 %), person.sex") == "told apart by age (31 %), sex"
    assert plain_note(two, "a.x") == "a.x"


def test_every_metric_has_its_words() -> None:
    """Metrics of this package are spoken of in plain words, and those of privacy are explained to the officer."""
    ours = [n for n, at in registry.places("metrics").items() if at.startswith("synthwright.")]
    assert [n for n in ours if n not in WORDS] == []
    private = [n for n in ours if getattr(registry.find("metrics", n), "group", "") == "privacy"]
    assert [n for n in private if n not in ATTACKS] == []
    assert {a.risk for a in ATTACKS.values()} == set(RISKS)
    assert set(GUIDED) <= set(RISKS)
    assert [a for a in WORDS if a not in ours] == []


@pytest.mark.parametrize("metric", sorted(WORDS))
def test_words_fit_their_sentences(metric: str) -> None:
    """Clauses begin small and end without a full stop; advice is whole sentences with closed backticks."""
    said = WORDS[metric]
    for clause in (said.holds, said.fails):
        assert clause[0].islower()
        assert clause[-1] != "."
    assert said.title[0].isupper()
    assert said.tries
    for advice in said.tries:
        assert advice[0].isupper()
        assert advice[-1] == "."
        assert advice.count("`") % 2 == 0
