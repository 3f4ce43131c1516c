"""Prompts that are written in a process of their own, which can be killed.

What a template with loops writes has no bound that follows from the template. So it is written by a child that has a
deadline for each row and a limit of memory, no environment, and nothing but JSON on its pipes. A row that is too slow
or too large costs that row.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Self

from synthwright.kit.prompting.prompt_language import read
from synthwright.kit.prompting.prompt_words import Flag, Unwritten

SECONDS = 2.0
"""How long the prompt of one row may take."""
START = 60.0
"""How long the child may take to begin."""
MEMORY = 2**29
"""Bytes of address space that the child may have."""
KILLED = 5
"""Rows that may end the child before the template is given up."""
_BATCH = 64
_KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
"""Of the environment, what Python may need to start; keys of endpoints stay here."""
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class TooSlowError(Exception):
    """Too many rows took too long, or too much memory."""


class Child:
    """A process that writes the prompts of one template; use as a context manager."""

    def __init__(self, template: str, seconds: float = SECONDS) -> None:
        self.template, self.seconds = template, seconds
        self.process: subprocess.Popen[bytes] | None = None
        self.held = bytearray()
        self.killed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def write(self, rows: Sequence[Sequence[Any]]) -> list[str | Unwritten]:
        """Return the prompt of every row.

        Raises:
            TooSlowError: too many rows took too long.
        """
        done: list[str | Unwritten] = []
        while len(done) < len(rows):
            done += self._some(rows[len(done) : len(done) + _BATCH])
        return done

    def _some(self, rows: Sequence[Sequence[Any]]) -> Iterator[str | Unwritten]:
        """Yield the prompts of some rows, up to the first that ends the child."""
        said = json.dumps([[_packed(v) for v in row] for row in rows]).encode() + b"\n"
        try:
            self._sent(said)
            for _ in rows:
                answer = json.loads(self._line(self.seconds))
                yield answer["text"] if "text" in answer else Unwritten(answer["why"])
        except (OSError, EOFError, TimeoutError) as error:
            self._end()
            self.killed += 1
            slow = isinstance(error, TimeoutError)
            why = f"it took longer than {self.seconds:g} seconds" if slow else "it took too much memory"
            if self.killed > KILLED:
                raise TooSlowError(why) from None
            yield Unwritten(why)

    def _sent(self, said: bytes) -> None:
        if self.process is None:
            self._begin()
        assert self.process is not None and self.process.stdin is not None  # noqa: S101, PT018  it was begun with pipes
        self.process.stdin.write(said)
        self.process.stdin.flush()

    def _begin(self) -> None:
        env = {word: os.environ[word] for word in _KEPT if word in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-m", "synthwright.kit.prompting.prompt_process"], env=env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self.held.clear()
        self._sent(json.dumps({"template": self.template}).encode() + b"\n")
        self._line(START)

    def _line(self, seconds: float) -> bytes:
        """Return the next line that the child says."""
        assert self.process is not None and self.process.stdout is not None  # noqa: S101, PT018  begun with pipes
        out, end = self.process.stdout.fileno(), time.monotonic() + seconds
        while b"\n" not in self.held:
            if not select.select([out], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError
            part = os.read(out, 1 << 20)
            if not part:
                raise EOFError
            self.held += part
        line, _, rest = bytes(self.held).partition(b"\n")
        self.held = bytearray(rest)
        return line

    def _end(self) -> None:
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what a dead child did not read is not missed
                    continue
        self.process = None


def _packed(value: Any) -> Any:
    """Return a value as JSON that `_unpacked` understands."""
    if isinstance(value, Flag):
        return {"flag": [bool(value), *value.words]}
    return {"decimal": str(value)} if isinstance(value, Decimal) else value


def _unpacked(value: Any) -> Any:
    if isinstance(value, dict):
        return Flag(value["flag"][0], tuple(value["flag"][1:])) if "flag" in value else Decimal(value["decimal"])
    return value


def _limited() -> None:
    """Leave this process with little memory, no files to write, and no life after its parent's."""
    import ctypes
    import resource
    import signal

    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Write prompts until the standard input ends: first the template, then rows, a list of them on each line."""
    _limited()
    told, answers = sys.stdin.buffer, sys.stdout.buffer
    program = read(json.loads(told.readline())["template"])
    answers.write(b"{}\n")
    answers.flush()
    for line in told:
        for row in json.loads(line):
            said = program.one([_unpacked(v) for v in row])
            answer = {"why": said.why} if isinstance(said, Unwritten) else {"text": said}
            answers.write(json.dumps(answer).encode() + b"\n")
            answers.flush()


if __name__ == "__main__":
    main()
