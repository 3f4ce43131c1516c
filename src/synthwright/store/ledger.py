"""What was spent of the privacy of a source: a log beside it that is written before anything is measured.

The log is a file of JSON lines. Every line holds the SHA-256 of the one before, and is on the disk before noise is
drawn. A run that was killed while it measured showed nothing to anybody: its reservation stands, and the same
measurement uses it. One that failed was seen to fail: its reservation is spent, whatever came of it.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from synthwright.core.errors import PrivacyError, StoreError
from synthwright.core.spend import Spend
from synthwright.store.folder import said_plainly, synced

_LOG, _RELEASES = "ledger.jsonl", "releases"
_SLACK = 1e-9
"""By which a sum of budgets may exceed their whole: what adding decimal fractions loses."""


@dataclass
class Ledger:
    """The ledger of one source, locked by whoever has opened it."""

    at: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    _descriptor: int = -1
    _last: str = ""

    @staticmethod
    @contextmanager
    def open(at: Path) -> Iterator[Ledger]:
        """Open the ledger in a folder, made if it is not there; nobody else can until it is closed.

        Raises:
            StoreError: another run has it, a line was altered, a link stands there, or the folder cannot be written.
        """
        with said_plainly(at), _a_folder(at):
            at.mkdir(parents=True, exist_ok=True, mode=0o700)
            (at / _RELEASES).mkdir(exist_ok=True, mode=0o700)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                descriptor = os.open(at / _LOG, flags, 0o600)
            except OSError as error:
                if (at / _LOG).is_symlink():
                    raise _altered(at, "a link") from error
                raise
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreError(str(at), "the ledger", wanted="one run at a time that measures real rows",
                                 got="another run in it", remedy="wait for it") from None  # fmt: skip
            found = Ledger(at, _descriptor=descriptor)
            found._read()
            yield found
        finally:
            os.close(descriptor)

    # ----------------------------------------------------------------------------------------------------- what it says
    @property
    def budget(self) -> Spend | None:
        """What may be spent in all; None where nobody has said yet."""
        said = [_spend(line) for line in self.lines if line["entry"] == "budget"]
        return said[-1] if said else None

    @property
    def spent(self) -> Spend:
        """What was reserved so far, whether a release came of it or not: sums, by basic composition."""
        each = [_spend(line) for line in self.lines if line["entry"] == "reserved"]
        return Spend(math.fsum(s.epsilon for s in each), math.fsum(s.delta for s in each))

    def state(self, key: str) -> str:
        """Return what became of a measurement: `settled`, `reserved`, or "" where it must be paid for."""
        last = [line["entry"] for line in self.lines if line.get("key") == key]
        return last[-1] if last and last[-1] in ("reserved", "settled") else ""

    # -------------------------------------------------------------------------------------------------- what it is told
    def lot(self) -> str:
        """Return the secret that decides which rows are held out; drawn from the operating system once, and kept.

        Were it known, whoever knows the other rows could tell from who was learned from whether one was there: a row
        less moves all that follow it.
        """
        said = [line["secret"] for line in self.lines if line["entry"] == "lot"]
        if not said:
            said = [secrets.token_hex(32)]
            self._write({"entry": "lot", "secret": said[0]})
        return str(said[0])

    def allow(self, budget: Spend) -> None:
        """Say what may be spent in all; where it is what was said before, nothing is written."""
        if self.budget is None or self.budget[:2] != budget[:2]:
            self._write({"entry": "budget", "epsilon": budget.epsilon, "delta": budget.delta})

    def reserve(self, key: str, spend: Spend, about: str) -> None:
        """Set aside what a measurement will spend; on the disk when this returns.

        A reservation that a killed run left is used.

        Raises:
            PrivacyError: it is more than what is left.
        """
        if self.state(key) == "reserved":
            return
        whole, spent = self.budget or Spend(0.0, 0.0), self.spent
        for word, wanted, gone, most in (("epsilon", spend.epsilon, spent.epsilon, whole.epsilon),
                                         ("delta", spend.delta, spent.delta, whole.delta)):  # fmt: skip
            if gone + wanted > most * (1 + _SLACK):
                raise PrivacyError(
                    str(self.at), f"the privacy budget of the source, for {about}",
                    wanted=f"{word} {wanted:g} of {most:g}", got=f"{gone:g} spent: {max(most - gone, 0.0):g} are left",
                    remedy="use the rows that earlier runs made, or decide to allow more with 'source: {budget: …}'",
                )  # fmt: skip
        self._write({"entry": "reserved", "key": key, "about": about, "epsilon": spend.epsilon, "delta": spend.delta,
                     "unit": spend.unit})  # fmt: skip

    def settle(self, key: str, packed: str, spend: Spend) -> None:
        """Keep a release, then say that it is there."""
        place = self.at / _RELEASES / key
        unfinished = place.with_name(f".{key}.new")
        with said_plainly(self.at):
            with unfinished.open("w", encoding="ascii") as out:
                out.write(packed)
                out.flush()
                os.fsync(out.fileno())
            unfinished.replace(place)
            synced(place.parent)
        self._write({"entry": "settled", "key": key, "sha256": sha256(packed.encode("ascii")).hexdigest(),
                     "measured": [spend.epsilon, spend.delta]})  # fmt: skip

    def fail(self, key: str) -> None:
        """Say that a measurement was begun and seen to fail: what was reserved for it is spent."""
        self._write({"entry": "failed", "key": key})

    def release(self, key: str) -> str | None:
        """Return a release that was paid for; None where there is none.

        One that was removed or altered is gone: the ledger says so, and measuring again costs again.
        """
        if self.state(key) != "settled":
            return None
        said = next(line["sha256"] for line in reversed(self.lines) if line.get("key") == key)
        try:
            packed = (self.at / _RELEASES / key).read_bytes()
        except FileNotFoundError:
            packed = b""
        if sha256(packed).hexdigest() != said:
            self._write({"entry": "lost", "key": key})
            return None
        return packed.decode("ascii")

    # --------------------------------------------------------------------------------------------------------- the file
    def _write(self, said: Mapping[str, Any]) -> None:
        line = {**said, "when": datetime.now(UTC).isoformat(timespec="seconds"), "after": self._last}
        raw = json.dumps(line, sort_keys=True, allow_nan=False).encode() + b"\n"
        with said_plainly(self.at):
            end = os.fstat(self._descriptor).st_size
            try:
                written = 0
                while written < len(raw):  # a disk that is nearly full takes a part, and then says why
                    written += os.write(self._descriptor, raw[written:])
                os.fsync(self._descriptor)
            except OSError:
                os.ftruncate(self._descriptor, end)
                raise
            synced(self.at)
        self.lines.append(line)
        self._last = sha256(raw).hexdigest()

    def _read(self) -> None:
        raw = (self.at / _LOG).read_bytes()
        whole, newline, torn = raw.rpartition(b"\n")
        if torn:  # of a run that was killed while it wrote: it had not begun to measure
            os.ftruncate(self._descriptor, len(whole) + len(newline))
        for i, line in enumerate(whole.split(b"\n") if whole else [], 1):
            try:
                said = json.loads(line)
                right = said["after"] == self._last and _understood(said)
            except (ValueError, TypeError, KeyError, AttributeError):
                right = False
            if not right:
                raise _altered(self.at, f"line {i} changed, or lines before it gone")
            self.lines.append(said)
            self._last = sha256(line + b"\n").hexdigest()


def _understood(said: dict[str, Any]) -> bool:
    kind = said["entry"]
    if kind in ("budget", "reserved"):
        return all(isinstance(said[w], int | float) and said[w] >= 0 for w in ("epsilon", "delta"))
    if kind == "lot":
        return isinstance(said["secret"], str)
    return kind in ("settled", "failed", "lost") and isinstance(said["key"], str)


def _spend(line: Mapping[str, Any]) -> Spend:
    return Spend(float(line["epsilon"]), float(line["delta"]), str(line.get("unit", "row")))


@contextmanager
def _a_folder(at: Path) -> Iterator[None]:
    """Say which folder it is that cannot be made, and how to name another."""
    try:
        yield
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise StoreError(str(at), "the ledger of the source", wanted="a folder that can be written",
                         got=(error.strerror or type(error).__name__).lower(),
                         remedy="name another with 'source: {ledger: folder}'") from None  # fmt: skip


def _altered(at: Path, got: str) -> StoreError:
    return StoreError(str(at), "the ledger", wanted="the ledger as it was written", got=got,
                      remedy="restore it from a backup: what was spent cannot be known without it")  # fmt: skip
