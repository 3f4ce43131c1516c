"""The guard of diversity with an embedding model: it sees texts that say one thing again and again in other words."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

import synthwright as sw
from synthwright.core.chat import Request, Vectors
from synthwright.core.errors import SpecError
from synthwright.providers.scripted import Scripted, ScriptedChat
from synthwright.report.diversity import DiversityRow
from synthwright.report.report import Report

ROWS = 80
SPEC = """
synthwright: 1
name: tickets
seed: 1
schema:
  tables:
    ticket:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        text: {kind: text, nulls: false}
start: {rows: {ticket: 80}}
models: {writer: {use: scripted}, embedder: {use: scripted}}
parts:
  - {make: [ticket.id], use: counter}
  - {make: [ticket.text], use: prompt, with: {prompt: "Ticket {{ id }}."}}
curate: [{use: length, with: {least_words: 4}}]
diversity: {by: WHOM}
evaluate: {metrics: [integrity]}
release: {use: jsonl}
"""
SYLLABLES = ["ka", "lo", "mi", "ne", "ru", "sa", "to", "va", "bel", "cor", "dun", "fen", "gis", "hox", "jar", "pim"]
AGAIN = "q"
"""A letter that only texts of later waves have: they all mean the same, in ever other words."""


def written(request: Request) -> str:
    """Answer by the number of the ticket: half of the first are too short, later ones are all about one thing."""
    number = int(re.findall(r"\d+", request.messages[-1].text)[0])
    if number <= ROWS and number % 2:
        return "too short"
    rng, end = random.Random(number), AGAIN if number > ROWS else ""
    return " ".join("".join(rng.choices(SYLLABLES, k=3)) + end for _ in range(10))


class Knowing(ScriptedChat):
    """Embeds what means the same nearly alike, whatever the words, and everything else by chance."""

    embedded: list[str]

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of twenty dimensions."""
        self.embedded.extend(texts)
        return Vectors([self._one(text) for text in texts], len(texts))

    def _one(self, text: str) -> list[float]:
        rng = random.Random(text)
        noise = [rng.gauss(0, 1) for _ in range(20)]
        return [10.0 + noise[0], *noise[1:]] if AGAIN in text else noise


@pytest.mark.parametrize("whom", ["words", "embedder"])
def test_what_words_do_not_show(whom: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By words later waves are as varied as the first; by the model they are not, and nothing is embedded twice."""
    chat = Knowing(written)
    chat.embedded = []
    monkeypatch.setattr(Scripted, "connect", lambda _: chat)
    (tmp_path / "tickets.yaml").write_text(SPEC.replace("WHOM", whom), encoding="utf-8")
    report = sw.run(tmp_path / "tickets.yaml", tmp_path / "out")
    assert report.passed
    row = later(report)
    assert ("vendi" in row.fallen) is (whom == "embedder")
    assert "distinct-2" not in row.fallen
    page = (tmp_path / "out" / "internal" / "report.html").read_text(encoding="utf-8")
    assert "by wave, of the first wave; at the last: different pairs of words" in page
    assert len(chat.embedded) == len(set(chat.embedded)) == (ROWS if whom == "embedder" else 0)


def later(report: Report) -> DiversityRow:
    """Return the row about the second wave."""
    return next(row for row in report.diversity if row.last == 2)


def test_a_model_that_nobody_named(tmp_path: Path) -> None:
    """A model that `models` does not name is a fault of the specification."""
    (tmp_path / "tickets.yaml").write_text(SPEC.replace("WHOM", "nobody"), encoding="utf-8")
    with pytest.raises(SpecError, match="'nobody' is no model that 'models' names"):
        sw.run(tmp_path / "tickets.yaml", tmp_path / "out")
