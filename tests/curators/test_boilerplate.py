"""The curator `boilerplate`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Curator, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.boilerplate import Boilerplate
from synthwright.kit.texts.text_boilerplate import FEW, GROUPS, Pattern, found, patterns, tidy


def dataset(texts: Sequence[str | None], first: int = 0) -> Dataset:
    """Return numbered rows of one text."""
    number = pa.array(range(first, first + len(texts)), pa.int64())
    schema = Schema(tables={"t": Table(fields={"s": Field(kind=Kind.TEXT)})})
    return Dataset(schema, {"t": pa.table({"s": pa.array(texts, pa.large_string()), ROW: number})})


def ruled(curator: Curator, texts: Sequence[str | None]) -> Verdict:
    """Return the ruling on texts."""
    data = dataset(texts)
    return curator.fit(data, None, Context()).judge(data, Context())[0]


REFUSED = [
    "I'm sorry, but I can't assist with that request.", "I’m sorry, but I cannot generate that content.",
    "I am sorry, but I am unable to provide personal data.", "Sorry, I can't help with that.",
    "I cannot fulfill this request.", "I apologize, but I cannot create such a text.", "I must decline to answer.",
    "**I'm sorry**, but I can't help with this.", "Unfortunately, I am not able to write that review.",
    "I won't help with creating fake reviews.", "This request goes against my guidelines.",
    "Es tut mir leid, aber ich kann dabei nicht helfen.", "Leider kann ich diese Anfrage nicht beantworten.",
    "Je suis désolé, mais je ne peux pas vous aider.", "Désolée, je ne peux pas répondre à cette demande.",
    "Lo siento, pero no puedo ayudar con eso.", "Mi dispiace, ma non posso aiutarti con questo.",
    "Desculpe, mas não posso ajudar com isso.", "Het spijt me, maar ik kan je daar niet bij helpen.",
    "很抱歉，我无法满足您的请求。", "申し訳ありませんが、そのご要望にはお応えできません。",
]  # fmt: skip
BOILED = [
    "As an AI language model, I don't have opinions.", "The hotel was nice. As an AI, I have not stayed there.",
    "I am a large language model trained to help.", "I don't have personal opinions, but the food was good.",
    "My knowledge cutoff is 2023.", "Als KI-Sprachmodell habe ich keine Meinung.", "En tant qu'IA, je n'ai pas d'avis.",
    "Como modelo de lenguaje, no tengo opiniones.", "作为一个人工智能，我没有个人意见。",
    "Sure! Here is a review of the product:", "Sure, here's one: The bag tore.", "Certainly! Here are five examples:",
    "Of course! Here is the text.", "Here is a short review of the hotel:", "Klar! Hier ist eine Bewertung:",
    "Bien sûr ! Voici un avis :", "¡Claro! Aquí tienes una reseña:", "当然！以下是一个例子：",
    "The lamp broke. I hope this helps!", "Great pan. Let me know if you would like any changes.",
    "Dear [NAME], your order is late.", "Yours, [Your Name]", "Call [PHONE NUMBER] now", "Hi [insert name here]!",
    "Hello {{ first_name }}", "Lorem ipsum dolor sit amet", "Nice shoes.<|im_end|>", "[INST] write [/INST] Fine.",
    "### Response: the shoes are fine", "You are a helpful assistant that writes reviews.", "Assistant: The shoes fit.",
    "</think> The shoes fit.",
]  # fmt: skip
FINE = [
    "I'm sorry, but I can't come to dinner tonight.", "Sorry I'm late, the train was cancelled.",
    "I can't help laughing when he sings.", "My assistant is an artist; as an aide she is great.",
    "Sure, the room was small, but it was clean.", "Here is where it all began.", "Is AI going to take my job?",
    "The assistant was rude.", "I cannot write with this pen, it leaks.", "Of course it broke after a week.",
    "The list [see page 4] is long.", "He was born in [1970].", "Here is the key. Don't lose it.",
    "Unfortunately, I can't open the app since the update.", "I am unable to log in to my account.",
    "As an adult I prefer the other one.", "As an aisle seat it was fine.", "What can an AI assistant do for farmers?",
    "Es tut mir leid, dass Sie warten mussten.", "Leider war das Zimmer zu klein.", "Lo siento mucho por tu pérdida.",
    "Désolé pour le retard, il y avait des bouchons.", "Como una manzana cada día.", "Certo, il prezzo è alto.",
    "对不起，我迟到了。", "申し訳ありませんが、明日は休みます。", "The system: a pump, two pipes and a tank.",
    "Gladly I would go again.", "I have feelings about this: it is bad.", "The user manual is missing.",
]  # fmt: skip


def test_planted_ones_are_found() -> None:
    """What models write goes, by the right reason; what people write stays, though it begins alike."""
    reasons = ruled(Boilerplate(), [*REFUSED, *BOILED, *FINE]).reason.to_pylist()
    refused, boiled, fine = np.split(np.array(reasons, dtype=object), np.cumsum([len(REFUSED), len(BOILED)]))
    missed = [t for t, r in zip([*REFUSED, *BOILED], [*refused, *boiled], strict=True) if r is None]
    wrong = [t for t, r in zip(FINE, fine, strict=True) if r is not None]
    total = len(REFUSED) + len(BOILED)
    assert len(missed) <= 0.05 * total, missed
    assert not wrong
    assert (refused == "refusal").mean() > 0.9
    assert (boiled == "boilerplate").mean() > 0.9


def test_nulls_and_empty_texts_stay() -> None:
    """Nothing is not boilerplate; there may be no texts at all."""
    verdict = ruled(Boilerplate(), [None, "", "   ", REFUSED[0]])
    assert verdict.reason.to_pylist() == [None, None, None, "refusal"]
    assert verdict.score is not None
    assert verdict.score.tolist() == [0, 0, 0, 1]
    assert len(ruled(Boilerplate(), []).keep) == 0


def test_other_texts_are_named_literally() -> None:
    """Further texts are found whatever their capitals; signs of patterns mean themselves."""
    texts = ["As  Requested: fine", "a+b is c", "aab", "50% (off)", "Ça va"]
    curator = Boilerplate(also=("as requested", "a+b", "(OFF)", "ÇA"))
    assert ruled(curator, texts).keep.tolist() == [False, False, True, False, False]
    with pytest.raises(ValueError, match="stands in every text"):
        Boilerplate(also=("  ",))


def test_groups_can_be_left_out() -> None:
    """What is not looked for stays."""
    texts = ["Dear [NAME], hello", REFUSED[0], "Lorem ipsum"]
    assert ruled(Boilerplate(without=("placeholder",)), texts).keep.tolist() == [True, False, False]
    assert ruled(Boilerplate(without=("refusal", "filler")), texts).keep.tolist() == [False, True, True]


@pytest.mark.parametrize("pattern", patterns(), ids=lambda p: p.pattern[:30])
def test_patterns_are_sound(pattern: Pattern) -> None:
    """Every pattern is one, of a known group, and found in no empty text; without capitals where they do not count."""
    group, _, case, said = pattern
    assert group in GROUPS
    assert not pc.match_substring_regex(pa.array([""]), said)[0].as_py()
    assert case or not re.search(r"[A-Z]", re.sub(r"\\p(L|\{Han\})", "", said))


def test_few_texts_are_judged_as_many_are() -> None:
    """What is compiled once finds the same as what is compiled for a column, in each kind of pattern."""
    said = [*REFUSED, *BOILED, *FINE, "I'M SORRY, BUT I CAN'T HELP WITH THAT.", "", "Ünïcödé [YOUR NAME] \u00a0"]
    many = tidy(pa.array(said * (FEW // len(said) + 1), pa.large_string()))
    assert len(many) > FEW >= 1
    for groups in (*((g,) for g in GROUPS), GROUPS):
        few = [bool(found(many.slice(i, 1), groups)[0]) for i in range(len(said))]
        assert few == found(many, groups)[: len(said)].tolist()
        assert any(few)
