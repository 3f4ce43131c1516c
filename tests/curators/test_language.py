"""The curator `language`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Curator, Verdict
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.language import Language, code_of, recognised
from synthwright.testing import check_curator


def dataset(texts: Sequence[str | None], first: int = 0) -> Dataset:
    """Return numbered rows of one text."""
    number = pa.array(range(first, first + len(texts)), pa.int64())
    schema = Schema(tables={"t": Table(fields={"s": Field(kind=Kind.TEXT)})})
    return Dataset(schema, {"t": pa.table({"s": pa.array(texts, pa.large_string()), ROW: number})})


def ruled(curator: Curator, texts: Sequence[str | None]) -> Verdict:
    """Return the ruling on texts."""
    data = dataset(texts)
    return curator.fit(data, None, Context()).judge(data, Context())[0]


SAID = {
    "en": ["I would like to know when my new card will arrive", "The delivery was late and nobody answered the phone",
           "Please tell me how much the ticket to the airport costs", "She opened the window because it was too warm"],
    "de": ["Ich möchte wissen, wann meine neue Karte ankommt", "Die Lieferung kam zu spät und niemand ging ans Telefon",
           "Bitte sagen Sie mir, was die Fahrkarte kostet", "Sie öffnete das Fenster, weil es zu warm war"],
    "fr": ["Je voudrais savoir quand ma carte va arriver", "La livraison était en retard et personne n'a répondu",
           "Dites-moi combien coûte le billet", "Elle a ouvert la fenêtre parce qu'il faisait trop chaud"],
    "es": ["Quisiera saber cuándo llegará mi nueva tarjeta", "La entrega llegó tarde y nadie contestó el teléfono",
           "Dígame cuánto cuesta el billete al aeropuerto", "Abrió la ventana porque hacía demasiado calor"],
    "it": ["Vorrei sapere quando arriverà la mia nuova carta", "La consegna era in ritardo e nessuno ha risposto"],
    "pl": ["Chciałbym wiedzieć, kiedy dotrze moja nowa karta", "Dostawa była spóźniona i nikt nie odbierał telefonu"],
    "ru": ["Я хотел бы знать, когда придёт моя новая карта", "Доставка опоздала, и никто не ответил на звонок"],
    "zh": ["我想知道我的新卡什么时候会寄到", "送货迟到了，没有人接电话"],
    "ja": ["新しいカードがいつ届くか知りたいです", "配達が遅れて、誰も電話に出ませんでした"],
}  # fmt: skip


def test_it_keeps_the_contract() -> None:
    """The contract suite passes, with and without a language."""
    assert check_curator(Language(language="en", sure=0.9))


def test_planted_languages_are_found() -> None:
    """Of texts in other languages nine in ten go, of those in the right one hardly any."""
    good = bad = found = wrong = 0
    every = [text for texts in SAID.values() for text in texts]
    for code, right in SAID.items():
        keep = ruled(Language(language=code), every).keep
        mine = np.array([text in right for text in every])
        good, wrong = good + int(mine.sum()), wrong + int((~keep & mine).sum())
        bad, found = bad + int((~mine).sum()), found + int((~keep & ~mine).sum())
    assert found / bad >= 0.9
    assert found / (found + wrong) >= 0.98


def test_short_texts_and_numbers_have_the_benefit_of_the_doubt() -> None:
    """What says too little stays; a long foreign text goes, with its likelihood as score."""
    texts = ["ok", "Super!", "12345", "", None, "AB-12/x", "https://example.org", "Thanks", SAID["de"][0], "   "]
    verdict = ruled(Language(language="en"), texts)
    assert np.flatnonzero(~verdict.keep).tolist() == [8]
    assert verdict.reason.to_pylist()[8] == "wrong-language"
    assert verdict.score is not None
    assert verdict.score[8] > 0.8
    assert ruled(Language(language="en", sure=1.0), texts).keep.all()


def test_a_column_may_name_the_language() -> None:
    """Each row is held to the language that it names; rows that name none, or an unknown one, stay."""
    fields = {"lang": Field(kind=Kind.CATEGORY), "s": Field(kind=Kind.TEXT), "r": Field(kind=Kind.TEXT)}
    en, de = SAID["en"][0], SAID["de"][0]
    kind = pa.schema([(c, pa.large_string()) for c in fields])
    rows = {
        "lang": ["en", "de-AT", "EN_us", "de", None, "tlh"],
        "s": [en, *[de] * 5],
        "r": [en, de, *[en] * 4],
    }
    data = Dataset(Schema(tables={"t": Table(fields=fields)}), {"t": pa.table(rows, schema=kind)})
    keep = Language(by="t.lang").fit(data, None, Context()).judge(data, Context())[0].keep
    assert keep.tolist() == [True, True, False, False, True, True]
    only = Language(by="t.lang", columns=("t.s",))
    assert only.fit(data, None, Context()).judge(data, Context())[0].keep.tolist() == [
        True,
        True,
        False,
        True,
        True,
        True,
    ]
    assert Language(by="t.long").faults(data.schema) == ["by: there is no column 't.long': did you mean 't.lang'?"]


def test_parameters_are_looked_at() -> None:
    """Unknown codes are refused, and two ways to say the language."""
    with pytest.raises(ValueError, match="'xx' is no code of a language"):
        Language(language="xx")
    data = dataset(["x"])
    assert Language(language="en", by="t.s").faults(data.schema) == ["by: say 'language' or 'by', not both"]
    assert Language().fit(data, None, Context()).judge(data, Context()) == []


def test_kindred_languages_are_one() -> None:
    """Danish may be Norwegian; codes have regions and other names."""
    danish = "Jeg vil gerne vide, hvornår mit nye kort kommer frem til mig"
    assert ruled(Language(language="no"), [danish]).keep.all()
    assert not ruled(Language(language="en"), [danish]).keep.any()
    assert [code_of(c) for c in ("pt-BR", "nb", " DE ", "zh_Hant")] == ["pt", "no", "de", "zh"]
    assert recognised(SAID["fr"][0])[0] == "fr"
