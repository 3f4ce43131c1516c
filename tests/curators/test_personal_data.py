"""The curator `personal-data`, and what it looks for in texts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

import synthwright as sw
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.personal_data import PersonalData
from synthwright.kit.texts.personal_text import KINDS, found

PLANTED = {
    "email": ["Write to lena.fischer@example.org please", "mail:JO+x@sub.domain.co.uk!", "müller@bücher.example"],
    "phone": ["Call me at (212) 555-0142", "ring +49 30 1234567 today", "My mobile is 07911 123456.", "020 7946 0018"],
    "card": ["card 4111 1111 1111 1111 was lost", "5500005555555559", "use 3782-822463-10005"],
    "iban": ["Send it to DE89 3704 0044 0532 0130 00 please", "my iban is gb82west12345698765432"],
    "ip": ["blocked 203.0.113.77 again", "from 2001:db8::8a2e:370:7334 came"],
    "national-number": ["My SSN: 123-45-6789", "passport number X1234567", "CPF 529.982.247-25", "NI AB 12 34 56 C"],
    "address": [
        "I live at 12 High Street",
        "Hauptstraße 7, Berlin",
        "12 rue de la Paix",
        "P.O. Box 1234",
        "Via Roma 12",
    ],
    "name": ["My name is Lena", "Dear Mrs Fischer,", "ask James Smith about it"],
}
"""Texts with personal data of one kind."""
CLEAN = [
    "The order 4111111111111112 came late",
    "On 2024-01-15 at 12:30:45",
    "version 10.2.33.4 is out",
    "1,234,567 people",
    "Between 1914-1918 and 1939 - 1945",
    "It costs $12.99 or 1.299,00",
    "Order 223-456-7890 is late",
    "at 5 pm",
    "3 of 10",
    "@home on a Sunday",
    "2 + 2 = 4",
    "The IBAN DE89370400440532013001 is wrong",
    "127.0.0.1 is home",
    "ISBN 978-3-16-148410-0",
    "pi is 3.14159265358979",
    "What is the best way to go",
    "日本語 123",
    "a::b",
    "",
    None,
]


def dataset(texts: list[str | None]) -> Dataset:
    """Return numbered rows of texts."""
    held = pa.table({"text": pa.array(texts, pa.large_string()), ROW: pa.array(range(len(texts)), pa.int64())})
    return Dataset(Schema(tables={"t": Table(fields={"text": Field(kind=Kind.TEXT)})}), {"t": held})


def kept(texts: list[str | None], recipe: PersonalData) -> list[bool]:
    """Return which texts stay."""
    data = dataset(texts)
    verdicts = recipe.fit(data, None, Context()).judge(data, Context())
    stay: list[bool] = verdicts[0].keep.tolist() if verdicts else [True] * len(texts)
    return stay


@pytest.mark.parametrize("kind", KINDS)
def test_planted_data_is_found(kind: str) -> None:
    """Every planted text goes, for data of its kind, and stays where the kind is allowed."""
    every = frozenset(KINDS)
    assert [t for t in PLANTED[kind] if kind not in {f.kind for f in found(t, every)}] == []
    assert not any(kept([*PLANTED[kind]], PersonalData(allow=())))
    only = PersonalData(allow=tuple(every - {kind}))
    assert not any(kept([*PLANTED[kind]], only))
    others = [t for k, texts in PLANTED.items() if k != kind for t in texts]
    assert [t for t, stays in zip(others, kept([*others], only), strict=True) if not stays] == []


def test_what_is_no_personal_data_stays() -> None:
    """Dates, amounts, versions, orders, numbers with wrong check digits stay; so do nulls and empty texts."""
    assert [t for t, stays in zip(CLEAN, kept(CLEAN, PersonalData(allow=())), strict=True) if not stays] == []


def test_places_are_told() -> None:
    """Every finding says where it is, and no two overlap."""
    text = "Mail a@b.example or call +44 20 7946 0018, card 4111111111111111."
    assert [(f.kind, text[f.begin : f.end]) for f in found(text, frozenset(KINDS))] == [
        ("email", "a@b.example"), ("phone", "+44 20 7946 0018"), ("card", "4111111111111111"),
    ]  # fmt: skip


def test_unknown_kinds_are_refused() -> None:
    """A kind that there is not is told, with those that there are."""
    with pytest.raises(ValidationError, match="'mail' is no kind of personal data: there are email"):
        PersonalData(allow=("mail",))
    assert PersonalData(allow=KINDS).idle()


def test_labelled_texts(real_tables: Path) -> None:
    """On labelled made-up texts little is wrongly found, and what has a form of its own is nearly all found."""
    path = real_tables / "text" / "presidio_synth_pii" / "data.jsonl.gz"
    if not path.exists():
        pytest.skip("presidio_synth_pii is not among the real tables of this machine")
    marks = {"EMAIL_ADDRESS": "email", "CREDIT_CARD": "card", "IBAN_CODE": "iban", "IP_ADDRESS": "ip",
             "US_SSN": "national-number", "US_DRIVER_LICENSE": "national-number", "PHONE_NUMBER": "phone"}  # fmt: skip
    hits, wanted, wrong, given = 0, 0, 0, 0
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in rows:
        spans = [(marks[s["type"]], s["start"], s["end"]) for s in row["spans"] if s["type"] in marks]
        said = found(row["text"], frozenset(marks.values()))
        met = [any(f.kind == k and f.begin < e and b < f.end for f in said) for k, b, e in spans]
        hits, wanted = hits + sum(met), wanted + len(met)
        given += len(said)
        wrong += sum(not any(f.kind == k and f.begin < e and b < f.end for k, b, e in spans) for f in said)
    assert hits >= 0.95 * wanted
    assert wrong <= 0.02 * given


def test_kinds_are_told(tmp_path: Path) -> None:
    """Report and terminal say which kinds were found, and never what stood there."""
    (tmp_path / "t.yaml").write_text(
        "synthwright: 1\nname: t\nschema: {tables: {t: {fields: {s: {kind: text}}}}}\nstart: {rows: {t: 6}}\nwaves: 1\n"
        "models: {writer: {use: scripted, with: {answers: ['write to lena@example.org', 'call (212) 555-0142 or "
        "mail jo@example.org', 'nothing to see']}}}\n"
        "parts: [{make: [t.s], use: prompt, with: {prompt: Write.}}]\ncurate: [{use: personal-data}]\n"
        "evaluate: {metrics: [integrity], waive: {rows: some of them go}}\nrelease: {use: jsonl}\n"
    )
    report = sw.run(tmp_path / "t.yaml", tmp_path / "out")
    said = {w.sentence.split("dropped, ")[1]: w.rows for w in report.went}
    assert set(said) <= {"personal-data (email)", "personal-data (email, phone)"}
    assert said
    assert sum(said.values()) == report.dropped["personal-data"]
    page = (tmp_path / "out" / "internal" / "report.html").read_text(encoding="utf-8")
    assert "personal-data (email" in page
    assert "lena@example.org" not in page
