"""What language models would be asked, and what it would take, without asking any."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synthwright.cli import main
from synthwright.testing.chat_server import ChatServer

SPEC = """
synthwright: 1
name: tickets
seed: 3
schema:
  tables:
    ticket:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        intent: {kind: category, nulls: false, labels: [refund, login]}
        text: {kind: text, nulls: false}
        answer: {kind: text, nulls: false}
start: {rows: {ticket: 1000}}
models:
  writer: {use: openai, with: {model: m, url: 'URL', key: NO_SUCH_KEY, allow_private: true, price: [1, 10], tokens: 50}}
  other: {use: openai, with: {model: n, url: 'https://api.example.com/v1'}}
parts:
  - {make: [ticket.id], use: counter}
  - {make: [ticket.intent], use: choice, with: {values: {refund: 1, login: 1}}}
  - {make: [ticket.text], use: prompt, with: {prompt: "Ticket {{ id }} about {{ intent }}."}}
  - {make: [ticket.answer], use: prompt, with: {model: other, prompt: "Answer: {{ text }}"}}
evaluate: {metrics: [integrity]}
"""


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run a command; return what it printed."""
    monkeypatch.setattr("sys.argv", ["synthwright", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert not ended.value.code, said.err
    return said.out


def test_nothing_is_asked_and_everything_is_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a key and without a request: calls for all rows, tokens, and money where the price is known."""
    with ChatServer() as server:
        spec = tmp_path / "tickets.yaml"
        spec.write_text(SPEC.replace("URL", server.url), encoding="utf-8")
        writer, other = json.loads(told(monkeypatch, capsys, "plan", "--json", str(spec)))
        assert (writer["part"], writer["model"], writer["estimate"]["calls"]) == ("ticket.text", "writer", 1000)
        assert writer["estimate"]["wrote"] == 50_000
        asked = writer["estimate"]["asked"]
        assert 4_000 < asked < 40_000
        assert writer["estimate"]["usd"] == pytest.approx((asked + 500_000) / 1e6)
        assert (other["part"], other["estimate"]["usd"]) == ("ticket.answer", None)
        said = told(monkeypatch, capsys, "run", "--dry-run", str(spec))
        assert "user: Ticket 1 about " in said
        assert "user: Answer: Answer to: Ticket 1 about " in said
        assert server.total == 0
    assert [p.name for p in tmp_path.iterdir()] == ["tickets.yaml"]


def test_embeddings_are_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What curators and the guard of diversity embed is told: rows in proportion, sets once, no text twice."""
    (tmp_path / "set.txt").write_text("".join(f"question number {i} of a set\n" for i in range(100)))
    said = SPEC.replace("'URL', key: NO_SUCH_KEY, allow_private: true", "'https://api.example.org/v1'")
    said = said.replace("models:", "models:\n  embedder: {use: openai, with: {model: e, price: [1, 0]}}")
    said = said.replace("evaluate:", "curate:\n  - {use: same-meaning, with: {by: embedder, columns: [ticket.text]}}\n"
                        "  - {use: contamination, with: {sets: [set.txt], by: embedder, columns: [ticket.text]}}\n"
                        "diversity: {by: embedder, columns: [ticket.text]}\nevaluate:")  # fmt: skip
    spec = tmp_path / "tickets.yaml"
    spec.write_text(said, encoding="utf-8")
    *_, last = json.loads(told(monkeypatch, capsys, "plan", "--json", str(spec)))
    assert (last["part"], last["model"], last["requests"]) == ("embeddings", "embedder", [])
    assert last["estimate"]["calls"] == 18  # 1,000 texts of rows and 100 of the set, 64 at once
    assert last["estimate"]["wrote"] == 0
    assert last["estimate"]["usd"] == pytest.approx(last["estimate"]["asked"] / 1e6)
    assert "embeddings" in told(monkeypatch, capsys, "run", "--dry-run", str(spec))
