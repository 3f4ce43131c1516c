"""The curator `grounded`: what is made up goes, what comes from the passage stays."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.chat import Request
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SampleError
from synthwright.core.schema import ROW, Schema
from synthwright.curators.grounded import FAITHFUL, UNANSWERABLE, Grounded
from synthwright.kit.texts import grounding
from synthwright.testing.models import DirectModels

TEXTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "text"
KINDS = ("passage", "second", "question", "answer", "evidence", "kind")
Row = Mapping[str, str | None]


def dataset(rows: Sequence[Row]) -> Dataset:
    """Return numbered rows, each with its passages, question, answer, evidence and kind."""
    fields = {c: {"kind": "category" if c == "kind" else "text"} for c in KINDS}
    schema = Schema.model_validate({"tables": {"t": {"fields": fields}}})
    columns = {c: pa.array([row.get(c) for row in rows], pa.large_string()) for c in KINDS}
    return Dataset(schema, {"t": pa.table({**columns, ROW: np.arange(len(rows))})})


def curator(**settings: Any) -> Grounded:
    """Return a curator of these rows."""
    usual = {"answer": "t.answer", "passages": ["passage", "second"], "question": "question",
             "unanswerable": "kind == 'none'"}  # fmt: skip
    return Grounded.model_validate(usual | settings)


def reasons(recipe: Grounded, rows: Sequence[Row], ctx: Context | None = None) -> list[str | None]:
    """Return why rows go."""
    data, ctx = dataset(rows), ctx or Context()
    assert recipe.faults(data.schema) == []
    found: list[str | None] = recipe.fit(data, None, ctx).judge(data, ctx)[0].reason.to_pylist()
    return found


def reason(passage: str, answer: str | None, **settings: Any) -> str | None:
    """Return why an answer goes."""
    row = {k: settings.pop(k) for k in KINDS if k in settings}
    return reasons(curator(**settings), [{"passage": passage, "answer": answer, **row}])[0]


SHOP = (
    "Whoever buys online has 30 days to send goods back, counted from the day the parcel came. Refunds are paid within "
    "1,500 minutes. Dr. Maria Lindqvist of Uppsala decides on complaints since 1 March 2024; a repair costs $7.20."
)


# ------------------------------------------------------------------------------------------------------------ by words


@pytest.mark.parametrize("answer", [
    "30 days", "Thirty days from the day that the parcel came.", "1500 minutes", "It costs 7.2 dollars for a repair.",
    "Since March 1st, 2024.", "2024-03-01", "On 1.3.2024", "Maria Lindqvist", "Dr. Lindqvist decides.",
    "Complaints are decided by Maria Lindqvist of Uppsala.", "“Refunds are paid within 1,500 minutes”",
])  # fmt: skip
def test_what_the_passage_says_stays(answer: str) -> None:
    """Numbers and dates may be written in another way, words have other endings."""
    assert reason(SHOP, answer) is None


@pytest.mark.parametrize("answer", [
    "31 days", "Forty days from the day that the parcel came.", "150 minutes", "A repair costs $7.02.", "1 April 2024",
    "On 2024-03-02", "Goods are sent back to Anna Lindqvist of Uppsala.", "Complaints are decided in Lund.",
])  # fmt: skip
def test_facts_of_their_own_go(answer: str) -> None:
    """A number, date or name that stands nowhere is made up."""
    assert reason(SHOP, answer) == "fact-not-in-passage"


def test_words_of_their_own_go() -> None:
    """An answer about something else shares few words; those of the question do not count."""
    answer = "Customers collect stamps and exchange them against a kettle."
    assert reason(SHOP, answer) == "words-not-in-passage"
    assert reason(SHOP, answer, share=0.0) is None
    asked = "How do customers collect stamps?"
    assert reason(SHOP, "They collect stamps with a kettle.", question=asked) == "words-not-in-passage"


def test_the_question_may_be_repeated() -> None:
    """What the question states is no invention of the answer."""
    answer = "No, 45 days are too many for Tom: goods go back within 30 days."
    assert reason(SHOP, answer) == "fact-not-in-passage"
    assert reason(SHOP, answer, question="May Tom send goods back after 45 days, which are many?") is None


@pytest.mark.parametrize(("evidence", "why"), [
    ("has 30 days to send goods back", None),
    ("Has  30 days to\nsend goods back.", None),
    ('["has 30 days", "Refunds are paid"]', None),
    ("has 30 days … Refunds are paid", None),
    ("has 31 days to send goods back", "quote-not-in-passage"),
    ("as 30 days to send goods ba", "quote-not-in-passage"),
    ("has 30 days … Refunds are never paid", "quote-not-in-passage"),
    ("", "quote-not-in-passage"),
    (None, "quote-not-in-passage"),
])  # fmt: skip
def test_evidence_is_quoted(evidence: str | None, why: str | None) -> None:
    """Every quote stands in a passage, as whole words; blanks, lines, capitals and marks do not count."""
    assert reason(SHOP, "30 days", evidence=evidence) is None  # without the parameter nothing is asked for
    row = {"passage": SHOP, "answer": "30 days", "evidence": evidence}
    assert reasons(curator(evidence="evidence"), [row]) == [why]


def test_every_passage_is_needed() -> None:
    """With `every` both passages must be quoted; one that is not there need not be."""
    recipe = curator(evidence="evidence", every=True)
    row = {
        "passage": "The red bus stops at nine.",
        "second": "The blue tram stops at ten.",
        "answer": "At nine, at ten.",
    }
    both = {**row, "evidence": "red bus stops at nine\nblue tram stops at ten"}
    first = {**row, "evidence": "red bus stops at nine"}
    found = reasons(recipe, [both, first, {**first, "second": None, "answer": "nine"}])
    assert found == [None, "passage-not-used", None]


SILENT = ["The passage does not say.", "This isn't mentioned.", "Not stated in the document.",
          "There is no information.", "It cannot be determined from the text.", "unknown", "N/A", None,
          "Das ist nicht angegeben."]  # fmt: skip


@pytest.mark.parametrize("answer", SILENT)
def test_questions_without_an_answer(answer: str | None) -> None:
    """The answer must be none, or say so; the same answer to a question that has one goes."""
    assert reason(SHOP, answer, kind="none") is None
    assert reason(SHOP, answer, kind="some") == "answer-missing"


def test_answers_to_what_has_none() -> None:
    """Whoever answers all the same, or proves that there is none by a quote, goes; words of one's own can be told."""
    assert reason(SHOP, "30 days", kind="none") == "answer-to-unanswerable"
    row = {"passage": SHOP, "answer": None, "evidence": "has 30 days", "kind": "none"}
    assert reasons(curator(evidence="evidence"), [row]) == ["answer-to-unanswerable"]
    assert reason(SHOP, "Ask the counter.", kind="none") == "answer-to-unanswerable"
    assert reason(SHOP, "Ask the counter.", kind="none", silence=["ask the counter"]) is None


@pytest.mark.parametrize("answer", [
    "The shop does not provide bags.", "Refunds are not given after 30 days.", "You cannot return goods.", "No.",
    "Nobody answers the phone.", "It does not cost anything.",
])  # fmt: skip
def test_denials_are_answers(answer: str) -> None:
    """To deny something is not to say that the passage is silent."""
    assert not grounding.silent(answer)


def test_settled_rows_stay() -> None:
    """Rows of earlier waves are not ruled on again, and rulings follow the rows' numbers."""
    data = dataset([{"passage": SHOP, "answer": a} for a in ("31 days", "32 days", "30 days")])
    judge = curator().fit(data, None, Context(), {"t": 1})
    assert judge.judge(data, Context())[0].keep.tolist() == [True, False, True]
    turned = data.take("t", np.array([2, 1]))
    assert judge.judge(turned, Context())[0].keep.tolist() == [True, False]


@pytest.mark.parametrize(("settings", "said"), [
    ({}, "what is to be grounded"),
    ({"answer": "t.answers", "passages": ["passage"]}, "answers"),
    ({"answer": "t.answer", "passages": ["passages"]}, "passages"),
    ({"answer": "t.answer", "passages": ["passage"], "question": "asked"}, "asked"),
    ({"answer": "t.answer", "passages": ["passage"], "unanswerable": "kinds == 'a'"}, "kinds"),
    ({"answer": "t.answer", "passages": ["passage"], "every": True}, "evidence"),
])  # fmt: skip
def test_what_cannot_be(settings: dict[str, Any], said: str) -> None:
    """Columns that are not there are told before anything runs."""
    found = Grounded.model_validate(settings).faults(dataset([]).schema)
    assert any(said in message for message in found), found


# ------------------------------------------------------------------------------------------------------ planted faults
PLACES = ("Arden", "Brix", "Cole", "Dunmore", "Elst", "Farn", "Gale", "Hythe", "Iver", "Jura")
FIRST, LAST = (
    ("Ann", "Bo", "Cara", "Dan", "Eva", "Finn", "Gia", "Hal"),
    ("Reyes", "Lund", "Voss", "Okoro", "Stein", "Moss"),
)
TRADES = (("bakery", "bakes rye bread", "ovens"), ("library", "lends maps and atlases", "reading rooms"),
          ("ferry", "carries bicycles across the bay", "decks"), ("clinic", "treats sprained ankles", "beds"),
          ("museum", "shows glass and lace", "halls"))  # fmt: skip
PASSAGE = (
    "The {trade} in {place} was founded by {who} and opened on {day}. It has {many} {what} and {does}. Since {year} "
    "{next} has led it. It has {staff} employees, and visitors are welcome all year."
)
FORMS = (
    ("Who founded the {trade} in {place}?", "{who}", "{next}"),
    ("How many {what} has the {trade} in {place}?", "It has {many} {what}.", "It has {staff} {what}."),
    ("Since when is the {trade} open?", "It has been open since {day}.", "It has been open since {year}."),
    ("What does the {trade} do?", "The {trade} in {place} {does}.", "{next} {does}, founded by {many} employees."),
    ("Who leads the {trade} now?", "{next} has been its head since {year}.", "{who} has been its head since {year}."),
)
"""Questions, right answers, and wrong ones of facts that stand in the same passage."""
KINDS_OF_FAULT = ("none", "none", "number", "name", "other passage", "same passage")


def planted(rng: np.random.Generator, rows: int) -> tuple[list[Row], list[str]]:
    """Return questions about made-up places, two thirds with a fault in the answer, and which faults these are."""

    def one(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    told = []
    for _ in range(rows):
        trade, does, what = TRADES[rng.integers(len(TRADES))]
        number = rng.choice(np.arange(3, 90), 2, replace=False)
        told.append({"place": one(PLACES), "trade": trade, "does": does, "what": what, "many": str(number[0]),
                     "staff": str(number[1]), "day": f"{rng.integers(1, 28)} {one(('May', 'June'))} 19{number[0]:02}",
                     "year": f"20{rng.integers(10, 25)}", "who": f"{one(FIRST[:4])} {one(LAST[:3])}",
                     "next": f"{one(FIRST[4:])} {one(LAST[3:])}"})  # fmt: skip
    out, faults = list[Row](), list[str]()
    for i, facts in enumerate(told):
        question, answer, wrong = FORMS[i % len(FORMS)]
        fault = KINDS_OF_FAULT[(i // len(FORMS)) % len(KINDS_OF_FAULT)]
        passage, right = PASSAGE.format(**facts), answer.format(**facts)
        said = {"other passage": answer.format(**told[(i + 1 + int(rng.integers(rows - 1))) % rows]),
                "number": answer.format(**facts | {k: str(int(facts[k]) + 1) for k in ("many", "year")}
                                        | {"day": "30" + facts["day"][facts["day"].index(" "):]}),
                "name": answer.format(**facts | {"who": f"{one(FIRST)} Abara", "next": f"Ivo {one(LAST)}"}),
                "same passage": wrong.format(**facts)}.get(fault, right)  # fmt: skip
        faults.append("none" if said == right else fault)
        out.append({"passage": passage, "question": question.format(**facts), "answer": said})
    return out, faults


def test_planted_faults_are_found() -> None:
    """Of answers with another number, another name, or of another passage nearly all go, and of right ones nearly none.

    What words cannot see is a fact of the passage in the wrong place: a model must be asked.
    """
    rows, faults = planted(np.random.default_rng(5), 900)
    gone, fault = np.array([r is not None for r in reasons(curator(), rows)]), np.array(faults)
    found = {kind: float(gone[fault == kind].mean()) for kind in dict.fromkeys(faults)}
    told = gone[fault != "same passage"]
    precision = (told & (fault != "none")[fault != "same passage"]).sum() / told.sum()
    assert precision >= 0.97
    assert min(found["number"], found["name"], found["other passage"]) >= 0.95
    assert found["same passage"] < 0.3


def test_answers_of_other_real_passages_go() -> None:
    """Real questions over real passages: answers that people gave mostly stay, those to other questions go."""
    file = TEXTS / "dolly_6400_no_context" / "data.jsonl.gz"
    if not file.exists():
        pytest.skip("no data")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        held = [json.loads(line) for _, line in zip(range(400), lines, strict=False)]
    said = [str(h.get("response") or h.get("output") or "") for h in held]
    long = [s for s in said if 60 < len(s.split()) < 300][:80]
    parts = [s.split(". ") for s in long]
    answers = [p[len(p) // 2] for p in parts]  # a sentence is an answer to what its text says
    right = [{"passage": text, "answer": a} for text, a in zip(long, answers, strict=True)]
    swapped = [{"passage": text, "answer": a} for text, a in zip(long, answers[1:] + answers[:1], strict=True)]
    stays = np.mean([r is None for r in reasons(curator(), right)])
    goes = np.mean([r is not None for r in reasons(curator(), swapped)])
    assert stays >= 0.97
    assert goes >= 0.95


# ---------------------------------------------------------------------------------------------------- a language model
def test_a_model_rules_on_what_is_left() -> None:
    """It is asked one fixed question about rows that words let pass, another one about what has no answer."""
    asked: list[str] = []

    def answer(model: str, request: Request, key: tuple[str | int, ...]) -> str:
        text = request.messages[-1].text
        asked.append(text)
        assert model == "judge"
        return json.dumps({"reason": "", "score": int("BAD" not in text)})

    rows: list[Row] = [{"passage": "It is good.", "question": "How is it?", "answer": "good"},
            {"passage": "It is BAD.", "question": "How is it?", "answer": "BAD"},
            {"passage": "It is good.", "question": "How is it?", "answer": "5"},
            {"passage": "It is good.", "question": "Why?", "answer": "The text does not say.", "kind": "none"},
            {"passage": "It is BAD.", "question": "How is it?", "answer": None, "kind": "none"}]  # fmt: skip
    found = reasons(curator(model="judge"), rows, Context(models=DirectModels(answer)))
    assert found == [None, "judged-ungrounded", "fact-not-in-passage", None, "judged-ungrounded"]
    assert [FAITHFUL in a for a in asked] == [True, True, False, False]
    assert [UNANSWERABLE in a for a in asked] == [False, False, True, True]
    assert all('"answer": "' not in a for a in asked[2:])  # whether there is an answer does not follow from this one


def test_a_model_that_is_silent_lets_nothing_pass() -> None:
    """What is no answer is asked for again once, and then the row goes; without a model nothing can be asked."""
    rows = [{"passage": "It is good.", "answer": "good"}]
    recipe = curator(model="judge")
    assert reasons(recipe, rows, Context(models=DirectModels(lambda *_: "maybe"))) == ["judge-silent"]
    with pytest.raises(SampleError, match="judge"):
        recipe.fit(dataset(rows), None, Context())
    assert recipe.asks() == ("judge",)
