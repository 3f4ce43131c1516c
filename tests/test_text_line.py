"""Text by a language model through the whole line, against a server on this machine."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import synthwright as sw
from synthwright.core.chat import ModelError
from synthwright.testing.chat_server import ChatServer

ROWS = 120
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
start: {rows: {ticket: ROWS}}
models:
  writer:
    use: openai
    with: {model: m, url: 'URL', allow_private: true, key: WRITER_KEY, in_flight: 8, tries: 2, price: [1, 10]}
BUDGET
parts:
  - {make: [ticket.id], use: counter}
  - {make: [ticket.intent], use: choice, with: {values: {refund: 1, login: 1}}}
  - {make: [ticket.text], use: prompt, with: {prompt: "Ticket {{ id }} about {{ intent }}."}}
evaluate: {metrics: [integrity]}
release: {use: jsonl}
"""
KEY = "sk-canary-1234567890"
IMPORTED = ("synthwright.", "aiohttp.", "numpy.", "pandas.", "pyarrow.")
"""What runs that are to be killed find imported: each takes two seconds less."""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRITER_KEY", KEY)


def written(folder: Path, url: str, rows: int = ROWS, budget: str = "", flight: int = 8) -> Path:
    """Write the specification."""
    text = SPEC.replace("ROWS", str(rows)).replace("URL", url).replace("BUDGET", budget)
    text = text.replace("in_flight: 8", f"in_flight: {flight}")
    path = folder / "tickets.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def rows_of(out: Path) -> list[dict[str, Any]]:
    """Return the released rows."""
    files = sorted((out / "data" / "ticket").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def released(out: Path) -> str:
    """Return one hash of what was released."""
    digest = hashlib.sha256()
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        name = path.relative_to(out).as_posix()
        if name.startswith("data/") or name in ("README.md", "croissant.json", "spec.lock.yaml"):
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def answers(out: Path) -> list[dict[str, Any]]:
    """Return the log of answers."""
    lines = (out / ".store" / "replies" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def said(body: dict[str, Any]) -> str:
    """Answer with the question, so that a row with another row's answer is seen."""
    return "I write: " + body["messages"][-1]["content"]


def test_every_row_has_its_own_answer_and_its_cost(tmp_path: Path) -> None:
    """Each row is asked once with its own values; the report says what an accepted row cost; a rerun asks nothing."""
    with ChatServer(said) as server:
        spec = written(tmp_path, server.url)
        report = sw.run(spec, tmp_path / "out")
        assert report.passed
        rows = rows_of(tmp_path / "out")
        assert len(rows) == ROWS
        assert all(r["text"] == f"I write: Ticket {r['id']} about {r['intent']}." for r in rows)
        assert server.total == ROWS
        (cost,) = report.costs
        assert (cost.part, cost.calls, cost.rows) == ("ticket.text", ROWS, ROWS)
        assert cost.usd == pytest.approx((cost.asked + 10 * cost.wrote) / 1e6)
        again = sw.run(spec, tmp_path / "out")
        assert server.total == ROWS
        assert again.costs == report.costs


def test_the_bytes_do_not_depend_on_workers_or_pace(tmp_path: Path) -> None:
    """One process or two, one request at once or eight: the same release."""
    with ChatServer(said) as server:
        sw.run(written(tmp_path, server.url), tmp_path / "a")
        sw.run(written(tmp_path, server.url, flight=1), tmp_path / "b", workers=2)
        kept = (tmp_path / "a" / "data" / "ticket" / "part-00000.jsonl").read_bytes()
        assert (tmp_path / "b" / "data" / "ticket" / "part-00000.jsonl").read_bytes() == kept


def test_the_key_is_nowhere(tmp_path: Path) -> None:
    """A refused key, repeated by a careless gateway, is in no file and no message; the run ends with what to do."""
    with ChatServer(said, faults=lambda number, _: "401" if number >= 40 else "", echo=True) as server:
        with pytest.raises(ModelError) as caught:
            sw.run(written(tmp_path, server.url), tmp_path / "out")
        assert "WRITER_KEY" in str(caught.value)
        assert KEY not in str(caught.value)
        for path in (p for p in tmp_path.rglob("*") if p.is_file()):
            assert KEY.encode() not in path.read_bytes(), path
        asked = server.total
    assert asked < 60
    assert len(answers(tmp_path / "out")) >= 40 - 8


def test_a_spent_budget_keeps_what_was_answered(tmp_path: Path) -> None:
    """The run stops before the budget is passed, says how to go on, and a larger one asks only for the rest."""
    with ChatServer(said) as server:
        whole = sw.run(written(tmp_path, server.url), tmp_path / "whole").costs[0].usd
        assert whole is not None
        before = server.total
        with pytest.raises(ModelError, match="budget"):
            sw.run(written(tmp_path, server.url, budget=f"budget: {{usd: {whole / 2}}}"), tmp_path / "out")
        done = len(answers(tmp_path / "out"))
        assert 0.25 * ROWS < done < 0.75 * ROWS
        report = sw.run(written(tmp_path, server.url, budget="budget: {usd: 5}"), tmp_path / "out")
        assert report.passed
        assert server.total - before == ROWS
        assert report.costs[0].usd == pytest.approx(whole)


def test_rows_without_an_answer_go_and_are_made_again(tmp_path: Path) -> None:
    """Refusals and broken answers are counted by reason, the rows made again, and the release is whole."""
    faults = {3: "400", 7: "html", 11: "length"}
    with ChatServer(said, faults=lambda number, _: faults.get(number, "")) as server:  # type: ignore[arg-type, return-value]
        report = sw.run(written(tmp_path, server.url), tmp_path / "out")
    assert report.passed
    assert len(rows_of(tmp_path / "out")) == ROWS
    assert sum(report.dropped.values()) >= 1
    assert all(code.startswith(("reply", "no-reply")) for code in report.dropped)


def test_a_writer_of_whom_no_row_stays_is_not_asked_for_ever(tmp_path: Path) -> None:
    """Where none of a hundred rows stayed no more are made, which the report says; the answers are kept."""
    with ChatServer(faults=lambda *_: "refused") as server:
        report = sw.run(written(tmp_path, server.url), tmp_path / "out")
        assert not report.passed
        assert server.total == ROWS
        assert report.dropped == {"reply-refused": ROWS}
        assert f"ticket: none of {ROWS} rows stayed, so no more were made: see why they went" in report.notes
        sw.run(tmp_path / "tickets.yaml", tmp_path / "out")
        assert server.total == ROWS
    with ChatServer(faults=lambda number, _: "refused" if number else "") as server:  # one stays: there is hope
        spec = written(tmp_path, server.url)
        spec.write_text(f"{spec.read_text()}waves: 2\n", encoding="utf-8")
        sw.run(spec, tmp_path / "other")
        assert server.total == 2 * ROWS - 1


def test_nothing_answered_is_lost_when_a_run_is_killed(tmp_path: Path) -> None:
    """Killed at five random moments of asking: no kept answer is asked for again, lost or doubled; the bytes agree."""
    rows, flight, dice = 400, 8, random.Random(8)
    with ChatServer(said, delay=0.02) as server:
        spec, out = written(tmp_path, server.url, rows), tmp_path / "out"
        sw.run(spec, tmp_path / "whole")
        first = server.total
        apart = multiprocessing.get_context("forkserver")
        apart.set_forkserver_preload([name for name in sys.modules if name.startswith(IMPORTED)])
        for share in sorted(dice.random() for _ in range(5)):
            known, before = written_answers(out), server.total
            process = apart.Process(target=sw.run, args=(spec, out))
            process.start()
            while process.is_alive() and server.total < first + share * rows:
                time.sleep(0.001)
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
            assert not known & asked_since(server, before), "a kept answer was asked for again"
            assert known <= written_answers(out), "a kept answer was lost"
        known, before = written_answers(out), server.total
        report = sw.run(spec, out)
        assert not known & asked_since(server, before)
        assert server.total - first <= rows + 5 * flight
    assert report.passed
    assert len(answers(out)) == len(written_answers(out)) == rows
    assert released(out) == released(tmp_path / "whole")


def written_answers(out: Path) -> set[str]:
    """Return what was answered so far and kept."""
    return {line["text"] for line in answers(out)} if (out / ".store" / "replies").exists() else set()


def asked_since(server: ChatServer, before: int) -> set[str]:
    """Return the answers to what was asked after a number of requests."""
    return {said(request.body) for request in server.requests[before:]}
