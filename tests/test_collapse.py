"""A writer that loses its variety: the guard sees it wave by wave, and warns, stops, or lets it write otherwise."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.chat import Message, ModelError, NoReply, Request
from synthwright.core.contracts import Case
from synthwright.core.dataset import Dataset
from synthwright.core.errors import SpecError
from synthwright.core.schema import Schema
from synthwright.providers.scripted import Scripted, ScriptedChat
from synthwright.report.diversity import DiversityRow
from synthwright.report.markdown import report_markdown
from synthwright.report.report import Report
from synthwright.steps.diversity import note_of, phrases, with_note

ROWS = 100
SPEC = """
synthwright: 1
name: tickets
seed: SEED
schema:
  tables:
    ticket:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        intent: {kind: category, nulls: false, labels: [refund, login]}
        text: {kind: text, nulls: false}
start: {rows: {ticket: ROWS}}
models:
  writer: {use: scripted}
parts:
  - {make: [ticket.id], use: counter}
  - {make: [ticket.intent], use: choice, with: {values: {refund: 1, login: 1}}}
  - {make: [ticket.text], use: prompt, with: {prompt: "Ticket {{ id }} about {{ intent }}."}}
curate: [{use: length, with: {least_words: 4}}]
diversity: {then: THEN}
evaluate: {metrics: [integrity], waive: {rows: fewer rows will do for this test}}
release: {use: jsonl}
"""
WORDS = [a + b for a in ("ka", "lo", "mi", "ne", "ru", "sa", "to", "va") for b in ("la", "ken", "mor", "nit", "pis",
         "rad", "sum", "tov", "wex", "zan", "bru", "cel", "dop", "fir", "gam", "hul")]  # fmt: skip
WORN = "i am writing to"


class Writer:
    """A language model that answers tickets; half of its first answers are too short, later ones may be all alike.

    Args:
        seed: of its words.
        collapses: whether what it writes after the first wave is nearly the same again and again.
        listens: whether it writes otherwise where it is told which phrases are worn out.
        fails: the request that it breaks down at; 0: none.
    """

    def __init__(self, seed: int = 1, *, collapses: bool = True, listens: bool = True, fails: int = 0) -> None:
        self.seed, self.collapses, self.listens, self.fails = seed, collapses, listens, fails
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> str | NoReply:
        """Answer by the number of the ticket."""
        self.asked.append(request)
        if len(self.asked) == self.fails:
            return NoReply("it broke down", fatal=True)
        number = int(re.findall(r"\d+", request.messages[-1].text)[0])
        rng = random.Random(f"{self.seed} {number}")
        if (number <= ROWS and number % 2) or (self.collapses and ROWS < number <= ROWS * 3 // 2 and number % 3 == 0):
            return "too short"
        told = any(WORN in m.text for m in request.messages)
        if self.collapses and number > ROWS and not (told and self.listens):
            return f"I am writing to you because my {rng.choice(WORDS[:20])} is broken, case {number}."
        return " ".join(rng.choices(WORDS, k=rng.randint(8, 16)))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Return a function that runs the specification with a writer."""

    def ran(writer: Writer, then: str, seed: int = 1, name: str = "out") -> Report:
        monkeypatch.setattr(Scripted, "connect", lambda _: ScriptedChat(writer))
        spec = tmp_path / "tickets.yaml"
        text = SPEC.replace("ROWS", str(ROWS)).replace("THEN", then)
        spec.write_text(text.replace("SEED", str(seed)), encoding="utf-8")
        return sw.run(spec, tmp_path / name)

    return ran


Run = Callable[..., Report]


def later(report: Report) -> list[DiversityRow]:
    """Return the rows about waves that were held against the first."""
    return [row for row in report.diversity if row.last > 1 and row.measures]


def released(out: Path) -> str:
    """Return one hash of the released rows."""
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted((out / "data").rglob("*.jsonl")))).hexdigest()


def test_a_collapse_is_told(run: Run, tmp_path: Path) -> None:
    """The report names column and wave, with numbers; nothing else changes."""
    report = run(Writer(), "warn")
    first, second = report.diversity[0], later(report)[0]
    assert first.column == "ticket.text"
    assert not first.fallen
    assert set(second.fallen) >= {"distinct-2", "self-bleu", "vendi"}
    assert (second.first, second.last, second.then) == (2, 2, "warn")
    assert report.rows == {"ticket": ROWS}
    assert report.warnings[0].startswith("ticket.text is less varied in wave 2 than in the first: ")
    inside = tmp_path / "out" / "internal"
    assert "Diversity by wave" in (inside / "report.html").read_text(encoding="utf-8")
    kept = json.loads((inside / "report.json").read_text(encoding="utf-8"))
    assert kept["diversity"][1]["measures"]["vendi"]["fallen"] is True
    synthetic = Dataset.empty(Schema.model_validate({"tables": {"ticket": {"fields": {"text": {"kind": "text"}}}}}))
    assert "| ticket.text | 2 | " in report_markdown(report, Case(None, None, synthetic))


def test_a_collapse_stops(run: Run) -> None:
    """The run ends with the rows that are there, says so, and its missing rows are for the gate `rows` to rule on."""
    writer = Writer()
    report = run(writer, "stop")
    assert (report.diversity[-1].then, report.diversity[-1].last) == ("stop", 2)
    assert ROWS // 2 < report.rows["ticket"] < ROWS
    assert "no more rows were made" in report.warnings[0]
    assert len(writer.asked) == ROWS + ROWS // 2


def test_a_writer_is_told_what_is_worn_out(run: Run, tmp_path: Path) -> None:
    """After the collapse the writer gets the phrases, once it breaks down on the way: the same release as at one go."""
    writer = Writer()
    report = run(writer, "reseed")
    assert report.diversity[1].then == "reseed"
    assert report.rows == {"ticket": ROWS}
    told = [any(WORN in m.text for m in r.messages) for r in writer.asked]
    assert told == sorted(told)
    assert told.count(False) == ROWS + ROWS // 2
    assert any(told)
    broken = Writer(fails=told.index(True) + 3)
    with pytest.raises(ModelError):
        run(broken, "reseed", name="again")
    rest = Writer()
    assert run(rest, "reseed", name="again").diversity == report.diversity
    assert 0 < len(rest.asked) < ROWS // 2
    assert released(tmp_path / "again") == released(tmp_path / "out")


@pytest.mark.parametrize("seed", range(2))
def test_a_varied_writer_is_left_alone(run: Run, seed: int) -> None:
    """Who writes on as before is not stopped, whatever the seed."""
    writer = Writer(seed, collapses=False)
    report = run(writer, "stop", seed)
    assert later(report)
    assert not [row for row in report.diversity if row.fallen]
    assert report.rows == {"ticket": ROWS}
    assert not report.warnings


def test_texts_of_a_narrow_kind_are_held_against_their_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later wave of one label, whose texts are always less varied, is no collapse."""

    def answer(request: Request) -> str:
        said = request.messages[-1].text
        number = int(re.findall(r"\d+", said)[0])
        narrow = "login" in said
        if narrow and number <= ROWS and number % 2:
            return "too short"
        return " ".join(random.Random(number).choices(WORDS[:7] if narrow else WORDS, k=10))

    monkeypatch.setattr(Scripted, "connect", lambda _: ScriptedChat(answer))
    text = SPEC.replace("{rows: {ticket: ROWS}}", f"{{cells: {{ticket: {{by: [intent], rows: {ROWS // 2}}}}}}}")
    text = text.replace("  - {make: [ticket.intent], use: choice, with: {values: {refund: 1, login: 1}}}\n", "")
    (tmp_path / "tickets.yaml").write_text(text.replace("SEED", "1").replace("THEN", "stop"), encoding="utf-8")
    report = sw.run(tmp_path / "tickets.yaml", tmp_path / "out")
    (row,) = later(report)
    assert row.why == "beside texts with the same intent"
    assert not row.fallen
    assert report.rows == {"ticket": ROWS}


def test_what_is_no_text_is_told(tmp_path: Path) -> None:
    """A column that is none, or no text, is a fault with its place."""
    text = SPEC.replace("ROWS", "10").replace("SEED", "1").replace("then: THEN", "columns: [ticket.txt]")
    (tmp_path / "wrong.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=r"wrong.yaml:\d+:\d+: .*did you mean 'ticket.text'"):
        sw.run(tmp_path / "wrong.yaml", tmp_path / "out")


def test_worn_phrases() -> None:
    """What many texts say is told once, the commonest first; what few say is not, nor half of it again."""
    texts = [f"i am writing to you about lamp {i}" for i in range(20)] + [f"one of a kind {i}" for i in range(9)]
    assert phrases(texts) == ["i am writing to", "one of a kind"]
    assert phrases([f"{i} {i + 1} {i + 2} {i + 3}" for i in range(50)]) == []
    assert '"i am writing to"' in note_of(pa.chunked_array([texts], pa.large_string()))
    assert note_of(pa.chunked_array([["short"]], pa.large_string())) == ""


def test_a_note_goes_into_the_system_message() -> None:
    """Behind what is there, or alone; the other turns stay."""
    asked = Request.of("Write.", "You are brief.")
    assert with_note(asked, "Otherwise.").messages[0] == Message("system", "You are brief.\n\nOtherwise.")
    assert with_note(asked, "Otherwise.").messages[1:] == asked.messages[1:]
    alone = with_note(Request.of("Write."), "Otherwise.").messages
    assert [m.role for m in alone] == ["system", "user"]
