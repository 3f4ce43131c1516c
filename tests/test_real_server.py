"""A whole run against an inference server that others wrote: transformers' own, with a model of random weights."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import pytest

import synthwright as sw

PYTHON = "SYNTHWRIGHT_SERVER_PYTHON"
"""The variable that names the Python of an environment with the server; else the one that `make test-server` makes."""
NOTES, FORMS, WAVES = 12, 2, 3
SPEC = """
synthwright: 1
name: letters
seed: 3
schema:
  tables:
    note:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        tone: {kind: category, nulls: false, labels: [kind, rude]}
        text: {kind: text, nulls: false}
    form:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        name: {kind: text, nulls: false}
        stars: {kind: integer, nulls: false}
start: {rows: {note: NOTES, form: FORMS}}
waves: WAVES
models:
  writer: {use: openai, with: {model: 'MODEL', url: 'URL', allow_private: true, in_flight: 4, tokens: 200}}
parts:
  - {make: [note.id], use: counter}
  - {make: [form.id], use: counter}
  - {make: [note.tone], use: choice, with: {values: {kind: 1, rude: 1}}}
  - {make: [note.text], use: prompt, with: {prompt: "Note {{ id }}, {{ tone }}:"}}
  - {make: [form.name, form.stars], use: prompt, with: {prompt: "Fill in form {{ id }}."}}
evaluate:
  metrics: [integrity]
  waive: {rows: random weights write no JSON at all}
release: {use: jsonl}
"""


class Server(NamedTuple):
    """A server that runs."""

    model: str
    url: str
    log: Path

    def asked(self) -> int:
        """Return how many questions it was asked so far."""
        return self.log.read_text(encoding="utf-8", errors="replace").count("/v1/chat/completions")


def environment(checkout: Path) -> Path:
    """Return the Python of an environment with the server; skip, and say how to get one, where there is none."""
    found = Path(os.environ.get(PYTHON) or checkout / ".venv-server" / "bin" / "python")
    if not found.exists():
        pytest.skip(f"no inference server at {found}: `make test-server` installs one, or name a Python in {PYTHON}")
    return found


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


@contextmanager
def served(python: Path, model: Path) -> Iterator[Server]:
    """Serve a folder with a model, until the block is left."""
    port, log = free_port(), model.parent / "server.log"
    command = [python.with_name("transformers"), "serve", model, "--host", "127.0.0.1", "--port", str(port),
               "--device", "cpu", "--log-level", "info"]  # fmt: skip
    alone = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("wb") as said:
        process = subprocess.Popen(list(map(str, command)), stdout=said, stderr=said, env=alone)
    try:
        until = time.monotonic() + 120
        while not answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield Server(str(model), f"http://127.0.0.1:{port}/v1", log)
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    """Return whether somebody answers there."""
    try:
        with urlopen(url, timeout=5) as answer:  # noqa: S310  an address on this machine, of our own making
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def rows_of(out: Path, table: str) -> list[dict[str, Any]]:
    """Return the released rows of a table."""
    files = sorted((out / "data" / table).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_a_run_against_a_server_that_others_wrote(checkout: Path, tmp_path: Path) -> None:
    """Texts are released, what is no JSON is quarantined with its reason, both are counted, nothing is asked twice."""
    python = environment(checkout)
    model = tmp_path / "model"
    subprocess.run([python, checkout / "tests" / "tiny_model.py", model], check=True, capture_output=True)
    spec, out = tmp_path / "letters.yaml", tmp_path / "out"
    with served(python, model) as server:
        said = {"NOTES": str(NOTES), "FORMS": str(FORMS), "WAVES": str(WAVES), "MODEL": server.model, "URL": server.url}
        text = SPEC
        for word, value in said.items():
            text = text.replace(word, value)
        spec.write_text(text, encoding="utf-8")
        report = sw.run(spec, out)
        asked = server.asked()
        again = sw.run(spec, out)
        assert server.asked() == asked, "what was answered was asked again"

    assert report.passed
    notes = rows_of(out, "note")
    assert len(notes) == NOTES
    assert all(row["text"].strip() for row in notes)
    assert len({row["text"] for row in notes}) > 1
    assert rows_of(out, "form") == []
    gone = {(one.table, one.reason): one.rows for one in report.went}
    assert gone["form", "reply-malformed"] == FORMS * WAVES
    calls = {cost.part: cost.calls for cost in report.costs}
    assert calls["form.name"] == 2 * FORMS * WAVES, "each is told once what was wrong, and asked again"
    assert calls["note.text"] >= NOTES
    assert sum(calls.values()) == asked
    assert all(cost.asked > cost.wrote > 0 for cost in report.costs), "tokens are the server's count"
    assert (again.went, again.costs) == (report.went, report.costs)
    kept = [json.loads(line) for line in (out / ".store" / "replies" / "answers.jsonl").read_bytes().splitlines()]
    assert Counter(line["finish"] for line in kept)["stop"] >= NOTES
