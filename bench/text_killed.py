"""Kill a run that asks a language model at moments spread over all of it, run again, and look for what was lost.

usage: text_killed.py [moments=20]

The model is a server on this machine that answers after 20 ms, the same to the same question, each row's its own.
The moments are spread over the time of an undisturbed run, so that importing, asking, curating, measuring and releasing
are hit. A question counts as asked again if its answer was in the log of answers when the run was killed. Prints a
markdown page; the exit code is 1 if anything was asked again, lost, doubled or different.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from killed import released, steps_done

from synthwright import __version__
from synthwright.testing.chat_server import ChatServer

ROWS, FLIGHT, DELAY = 600, 8, 0.02
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
  writer: {use: openai, with: {model: m, url: 'URL', allow_private: true, in_flight: FLIGHT}}
parts:
  - {make: [ticket.id], use: counter}
  - {make: [ticket.intent], use: choice, with: {values: {refund: 1, login: 1}}}
  - {make: [ticket.text], use: prompt, with: {prompt: "Ticket {{ id }} about {{ intent }}."}}
curate:
  - {use: length, with: {least_characters: 30}}
  - {use: near-duplicates, with: {similarity: 0.95}}
evaluate: {metrics: [integrity]}
release: {use: jsonl}
"""


def wrote(question: str) -> str:
    """Return what the model answers: every tenth ticket is too short, and has to be made again."""
    word = random.Random(question).choices("abcdefghijklmnopqrstuvwxyz ", k=200)  # noqa: S311  nothing is secret
    return "short" if word[0] in "ab" else question + " " + "".join(word)


def command(spec: Path, out: Path) -> list[str]:
    """Return the command line of one run."""
    return [sys.executable, "-m", "synthwright", "run", str(spec), "--out", str(out), "--quiet"]


def kept(out: Path) -> Counter[str]:
    """Return how often each question of the log was answered, by who asked."""
    log = out / ".store" / "replies" / "answers.jsonl"
    lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
    return Counter(json.dumps(json.loads(line)["key"]) for line in lines)


def stage(out: Path, held: int, needed: int) -> str:
    """Return how far a killed run had come."""
    done = steps_done(out)
    if done in ("scores", "release"):
        return {"scores": "the scores", "release": "the release"}[done]
    return "all answers" if held == needed else "some answers" if held else "no answer yet"


def main(moments: int = 20) -> int:
    """Run, kill, run again, compare."""
    with ChatServer(lambda body: wrote(body["messages"][-1]["content"]), delay=DELAY) as server, \
            tempfile.TemporaryDirectory() as temporary:  # fmt: skip
        server.recording = False
        base = Path(temporary)
        spec = base / "tickets.yaml"
        for word, value in {"ROWS": ROWS, "FLIGHT": FLIGHT, "URL": server.url}.items():
            spec.write_text((spec.read_text() if spec.exists() else SPEC).replace(word, str(value)))
        subprocess.run(command(spec, base / "warm"), check=True)  # so that no compiling is in what is measured
        begun, before = time.monotonic(), server.total
        subprocess.run(command(spec, base / "whole"), check=True)
        whole, wanted, needed = time.monotonic() - begun, released(base / "whole"), server.total - before
        reached: Counter[str] = Counter()
        again = lost = doubled = different = 0
        for i in range(moments):
            out = base / "out"
            running = subprocess.Popen(command(spec, out), start_new_session=True)
            time.sleep(whole * (i + 0.5) / moments)
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            held, since = kept(out), server.total
            reached[stage(out, len(held), needed)] += 1
            subprocess.run(command(spec, out), check=True)
            final = kept(out)
            again += server.total - since - (needed - len(held))
            lost += len(held - final)
            doubled += sum(n - 1 for n in final.values()) + (len(final) != needed)
            different += released(out) != wanted
            shutil.rmtree(out)
    print("# Killed while it asks, and run again\n")
    print(f"Synthwright {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, load "
          f"{os.getloadavg()[0]:.0f}; {ROWS:,} rows of text, {FLIGHT} questions at once, {DELAY * 1000:.0f} ms each;\n"
          f"an undisturbed run asks {needed:,} questions (short answers go, and their rows are made again) and takes "
          f"{whole:.1f} s.\n")  # fmt: skip
    print("| killed after | times |\n|---|---|")
    for at, times in reached.items():
        print(f"| {at} | {times} |")
    print(f"\nOf {moments} runs, killed with SIGKILL and started again: {again} kept answers were asked for again, "
          f"{lost} were lost,\n{doubled} doubled, and {different} releases had other bytes than that of the "
          "undisturbed run.\n")  # fmt: skip
    print("`python bench/text_killed.py` makes this page; `tests/test_text_line.py` kills five times while it asks.")
    return int(any((again, lost, doubled, different)))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
