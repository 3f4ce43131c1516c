"""Kill a run at random moments, start it again, and compare the bytes of the release with those of an undisturbed run.

usage: killed.py [moments=50] [workers=2]

The moments are spread evenly over the time that an undisturbed run takes, so that every step is hit. Prints a markdown
table; the exit code is 1 if any release differs.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from synthwright import __version__
from synthwright.examples import folder


def released(out: Path) -> str:
    """Return one hash over every file of `data/`, card, croissant and lock."""
    digest = hashlib.sha256()
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        name = path.relative_to(out).as_posix()
        if name.startswith("data/") or name in ("README.md", "croissant.json", "spec.lock.yaml"):
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def command(out: Path, workers: int) -> list[str]:
    """Return the command line of one run."""
    spec = folder("adult") / "adult.yaml"
    line = "from synthwright.cli import main; main()"
    return [sys.executable, "-c", line, "run", str(spec), "--out", str(out), "--workers", str(workers), "--quiet"]


def steps_done(out: Path) -> str:
    """Return the kinds of step that the store holds: how far a killed run had come."""
    store = out / ".store"
    order = ("source", "fit", "shard", "wave", "kept", "scores")
    done = [s for s in order if (store / s).is_dir() and any((store / s).iterdir())]
    if (out / "manifest.json").is_file():
        return "release"
    return done[-1] if done else "nothing"


def main(moments: int = 50, workers: int = 2) -> int:
    """Run, kill, run again, compare."""
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        begun = time.monotonic()
        subprocess.run(command(base / "whole", workers), check=True)
        whole, wanted = time.monotonic() - begun, released(base / "whole")
        reached: dict[str, int] = {}
        different = 0
        for i in range(moments):
            out = base / "out"
            running = subprocess.Popen(command(out, workers), start_new_session=True)
            time.sleep(whole * (i + 0.5) / moments)
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            at = steps_done(out)
            reached[at] = reached.get(at, 0) + 1
            subprocess.run(command(out, workers), check=True)
            different += released(out) != wanted
            shutil.rmtree(out)
        alone = []
        for count in (1, 4):
            subprocess.run(command(base / f"w{count}", count), check=True)
            alone.append(released(base / f"w{count}") == wanted)
    print(f"Synthwright {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores; Adult, 39,073 rows;")
    print(f"an undisturbed run takes {whole:.1f} s with {workers} workers.\n")
    print("| killed after | times |\n|---|---|")
    for at, times in reached.items():
        print(f"| {at} | {times} |")
    print(f"\n{moments - different} of {moments} runs, killed and started again, released the same bytes as the")
    print(f"undisturbed run; from empty stores with 1 and 4 workers: {'the same' if all(alone) else 'DIFFERENT'}.")
    return 0 if different == 0 and all(alone) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
