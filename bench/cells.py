"""How many calls it takes to fill cells with a writer that obeys half of the time, and what hoping fills.

usage: cells.py [--rows 5] [--seeds 5]

12 intents × 3 tones × 4 lengths, each with a quota, and an edge case. The writer writes for the cell that was asked
with probability 0.5, else for one of three favourite cells. Two calls a row are unavoidable. Prints a markdown table.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import synthwright as sw
from synthwright import providers
from synthwright.core.chat import Chat, Provider, Reply, Request
from synthwright.providers.scripted import ScriptedChat

INTENTS = [f"intent{i}" for i in range(12)]
TONES = ["calm", "angry", "formal"]
LENGTHS = ["line", "short", "long", "letter"]
FAVOURITES = [("intent0", "calm", "short"), ("intent1", "calm", "short"), ("intent0", "formal", "long")]
SPEC = """
synthwright: 1
name: cells
seed: SEED
schema:
  tables:
    example:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        intent: {kind: category, nulls: false, labels: INTENTS}
        tone: {kind: category, nulls: false, labels: TONES}
        length: {kind: category, nulls: false, labels: LENGTHS}
        case: {kind: category, nulls: false}
        got_intent: {kind: category, nulls: false, labels: INTENTS}
        got_tone: {kind: category, nulls: false, labels: TONES}
        got_length: {kind: category, nulls: false, labels: LENGTHS}
        text: {kind: text, nulls: false}
START
models: {writer: {use: favouring, with: {luck: SEED}}}
parts:
  - {make: [example.id], use: counter}
  - make: [example.text, example.got_intent, example.got_tone, example.got_length]
    use: prompt
    with: {prompt: "{{ intent }} {{ tone }} {{ length }} {{ case }}"}
curate:
  - {use: rules, with: {rules: {example: ["got_intent == intent", "got_tone == tone", "got_length == length"]}}}
evaluate: {metrics: [integrity]}
waves: WAVES
"""
STEERED = """
start:
  cells:
    example:
      by: [intent, tone, length]
      rows: ROWS
      quotas: [{where: {tone: angry}, rows: MORE}]
      cases: {all capitals: {where: {tone: angry, length: line}, rows: 24}}
      case: case
"""


class Favouring(Provider):
    """Writes for the cell that was asked half of the time, else for a favourite of its own."""

    name: ClassVar[str] = "favouring"
    luck: int = 0

    def connect(self) -> Chat:
        """Return the writer."""
        dice = random.Random(self.luck)  # noqa: S311  a simulation

        def answer(request: Request) -> Reply:
            asked = tuple(request.messages[-1].text.split()[:3])
            intent, tone, length = asked if dice.random() < 0.5 else dice.choice(FAVOURITES)
            said = {"text": f"a text of {intent}", "got_intent": intent, "got_tone": tone, "got_length": length}
            return Reply(json.dumps(said), asked=20, wrote=20)

        return ScriptedChat(answer)


def spec_of(seed: int, start: str, waves: int) -> str:
    """Return the specification."""
    text = SPEC.replace("START", start).replace("SEED", str(seed)).replace("WAVES", str(waves))
    for word, values in (("INTENTS", INTENTS), ("TONES", TONES), ("LENGTHS", LENGTHS)):
        text = text.replace(word, json.dumps(values))
    return text


def run(seed: int, rows: int, waves: int) -> dict[str, Any]:
    """Run one specification; say how the cells were filled, and with how many calls."""
    start = STEERED.replace("ROWS", str(rows)).replace("MORE", str(2 * rows))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.yaml"
        path.write_text(spec_of(seed, start, waves), encoding="utf-8")
        begun, before = time.monotonic(), time.process_time()
        report = sw.run(path, Path(folder) / "out")
        spent = time.process_time() - before
    missing = sum(max(0, c.wanted - c.kept) for c in report.cells)
    wanted = sum(c.wanted for c in report.cells)
    calls = report.costs[0].calls
    return {"wanted": wanted, "cells": len(report.cells), "empty": sum(not c.kept for c in report.cells),
            "unfilled": sum(c.kept < c.wanted for c in report.cells), "missing": missing, "calls": calls,
            "each": calls / max(1, wanted - missing), "seconds": time.monotonic() - begun, "cpu": spent,
            "passed": report.passed}  # fmt: skip


def hoping(seed: int, rows: int, calls: int) -> dict[str, Any]:
    """Ask for cells drawn at random, as many times, and keep what comes: what filling without steering fills."""
    dice = random.Random(seed)  # noqa: S311  a simulation
    cells = [(i, t, n) for i in INTENTS for t in TONES for n in LENGTHS]
    got: Counter[Sequence[str]] = Counter()
    for _ in range(calls):
        asked = dice.choice(cells)
        got[asked if dice.random() < 0.5 else dice.choice(FAVOURITES)] += 1
    wanted = {c: 2 * rows if c[1] == "angry" else rows for c in cells}
    missing = sum(max(0, w - got[c]) for c, w in wanted.items())
    return {"empty": sum(not got[c] for c in cells), "unfilled": sum(got[c] < w for c, w in wanted.items()),
            "missing": missing}  # fmt: skip


def main() -> int:
    """Run every seed; the exit code is 1 where a quota is missed or more than three calls a row were made."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5)
    said = parser.parse_args()
    sys.modules.setdefault("cells", sys.modules["__main__"])
    providers.REGISTERED["favouring"] = "cells:Favouring"
    print(f"Python {platform.python_version()}, synthwright {sw.__version__}, {platform.machine()}\n")
    print("| seed | cells | rows wanted | rows missing | calls | calls a row | seconds | CPU | "
          "hoping with as many calls: empty cells, cells short, rows missing |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    fine = True
    for seed in range(said.seeds):
        found = run(seed, said.rows, 30)
        without = hoping(seed, said.rows, found["calls"])
        fine &= found["passed"] and found["each"] <= 3
        print(f"| {seed} | {found['cells']} | {found['wanted']:,} | {found['missing']} | {found['calls']:,} "
              f"| {found['each']:.2f} | {found['seconds']:.1f} | {found['cpu']:.1f} "
              f"| {without['empty']}, {without['unfilled']}, {without['missing']} |", flush=True)  # fmt: skip
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
