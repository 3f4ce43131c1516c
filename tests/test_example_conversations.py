"""The example of conversations: both sides speak in turn, tools are called as they take it, rows are the same turns."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import synthwright as sw
from synthwright.examples import folder

NAME = "text-support-conversations"


def test_writers_can_be_changed(tmp_path: Path) -> None:
    """Each pair of servers of the remark, put in the place of the scripted models, makes a sound specification."""
    shutil.copytree(folder(NAME), tmp_path / NAME)
    file = tmp_path / NAME / f"{NAME}.yaml"
    text = file.read_text(encoding="utf-8")
    servers = re.findall(r"^# {3}models:.*\n# {3}( {2}customer: .*)\n# {3}( {2}service: .*)$", text, re.MULTILINE)
    block = re.search(r"^models:\n(?: .*\n)+", text, re.MULTILINE)
    assert len(servers) == 3
    assert block is not None
    for pair in servers:
        file.write_text(text.replace(block[0], "models:\n" + "\n".join(pair) + "\n"), encoding="utf-8")
        assert sw.check(file) is not None


@pytest.mark.slow
def test_conversations_are_released(tmp_path: Path) -> None:
    """Twelve conversations, three of each order; their rows say the same, and other sinks take both."""
    shutil.copytree(folder(NAME), tmp_path / NAME)
    file = tmp_path / NAME / f"{NAME}.yaml"
    report = sw.run(file, tmp_path / "out")
    assert report.passed, (report.summary, report.dropped)
    assert report.rows["case"] == 12
    data = tmp_path / "out" / "data"
    cases, turns = ([json.loads(line) for line in (data / t / "part-00000.jsonl").read_text().splitlines()]
                    for t in ("case", "turn"))  # fmt: skip
    assert all(set(case) == {"messages", "tools"} for case in cases)
    assert all(case["messages"][0]["role"] == "user" for case in cases)
    assert all(case["messages"][-1]["role"] == "assistant" for case in cases)
    called = [c["function"] for case in cases for m in case["messages"] for c in m.get("tool_calls", [])]
    assert {c["name"] for c in called} == {"find_order", "start_return"}
    assert all(json.loads(c["arguments"])["order"].startswith("A-10") for c in called)  # also where it was repaired
    assert len(turns) == sum(len(case["messages"]) for case in cases)
    assert {t["role"] for t in turns} == {"customer", "service", "tool"}
    said = [m["content"] for case in cases for m in case["messages"]]
    assert [t["content"] for t in turns] == said
    text = file.read_text(encoding="utf-8")
    old = "  use: openai-messages\n  with: {conversation: messages, tools: tools}"
    assert old in text
    roles = "{customer: user, service: assistant}"
    for new in (
        old.replace("openai-messages", "sharegpt"),
        f"  use: openai-messages\n  with: {{turns: turn, roles: {roles}}}",
    ):
        file.write_text(text.replace(old, new), encoding="utf-8")
        assert sw.run(file, tmp_path / "out", force=True).passed
    again = [json.loads(line)["messages"] for line in (data / "case" / "part-00000.jsonl").read_text().splitlines()]
    assert again == [case["messages"] for case in cases]
