"""What was spent of the privacy of a source: a log beside it that is written before anything is measured.

The log is a file of JSON lines. Every line holds the SHA-256 of the one before, and is on the disk before noise is
drawn. A run that was killed while it measured showed nothing to anybody: its reservation stands, and the same
measurement uses it. One that failed was seen to fail: its reservation is spent, whatever came of it.

A log whose last lines are gone is still a chain. Three things tell: a file beside it that holds the hash of the last
line, releases that no line knows, and releases elsewhere that name the line they were paid by.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from synthwright.core.errors import PrivacyError, StoreError
from synthwright.core.spend import ROW, Spend, epsilon_at, rho_at, together
from synthwright.store.folder import said_plainly, synced

LOG = "ledger.jsonl"
"""The file of a ledger."""
_RELEASES, _LAST = "releases", "last"
_SLACK = 1e-9
"""By which a sum of budgets may exceed their whole: what adding decimal fractions loses."""


@dataclass
class Ledger:
    """The ledger of one source, locked by whoever has opened it."""

    at: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    _hashes: list[str] = field(default_factory=list)
    _descriptor: int = -1

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
                descriptor = os.open(at / LOG, flags, 0o600)
            except OSError as error:
                if (at / LOG).is_symlink():
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
            found._refuse_cut()
            yield found
        finally:
            os.close(descriptor)

    @staticmethod
    def seen(at: Path) -> Ledger:
        """Return the ledger in a folder as it is now, to read from; a run may have it open.

        Raises:
            StoreError: there is none, or a line was altered.
        """
        if not (at / LOG).is_file():
            raise StoreError(str(at), "the ledger", wanted=f"a folder that holds {LOG}", got="none",
                             remedy="name the folder beside the source, as in people.csv.privacy")  # fmt: skip
        found = Ledger(at)
        found._read()
        return found

    # ----------------------------------------------------------------------------------------------------- what it says
    @property
    def budget(self) -> Spend | None:
        """What may be spent in all; None where nobody has said yet."""
        said = [_spend(line) for line in self.lines if line["entry"] == "budget"]
        return said[-1] if said else None

    @property
    def spent(self) -> Spend:
        """What was reserved so far, whether a release came of it or not: the better of two bounds, see `together`."""
        return together(self._each(), (self.budget or Spend()).delta)

    @property
    def left(self) -> Spend:
        """What one more measurement may cost, if its noise adds up as that of the others does."""
        whole, spent = self.budget or Spend(0.0, 0.0), self.spent
        epsilon, delta = max(whole.epsilon - spent.epsilon, 0.0), whole.delta - spent.chance
        if spent.rho is not None and delta > 0:
            more = max(rho_at(epsilon=whole.epsilon, delta=delta) - spent.rho, 0.0)
            epsilon = max(epsilon, epsilon_at(rho=more, delta=delta))
        return Spend(epsilon, delta if spent.rho is not None else max(whole.delta - spent.delta, 0.0))

    @property
    def measurements(self) -> list[tuple[str, Spend, str]]:
        """Every measurement that was paid for: what it was about, its cost, and what became of it."""
        end = {line["key"]: line["entry"] for line in self.lines if "key" in line}
        return [(line["about"], _spend(line), end[line["key"]]) for line in self.lines if line["entry"] == "reserved"]

    def _each(self) -> list[Spend]:
        return [_spend(line) for line in self.lines if line["entry"] == "reserved"]

    def state(self, key: str) -> str:
        """Return what became of a measurement: `settled`, `reserved`, or "" where it must be paid for."""
        last = [line["entry"] for line in self.lines if line.get("key") == key]
        return {"reserved": "reserved", "stopped": "reserved", "settled": "settled"}.get(last[-1] if last else "", "")

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

    def claim(self, contents: Iterable[str]) -> None:
        """Say that the files with these contents are counted here, by what only this ledger can make of their hashes.

        Args:
            contents: the SHA-256 of each file.
        """
        known = {mark for line in self.lines if line["entry"] == "source" for mark in line["files"]}
        new = sorted({_mark(self.lot(), content) for content in contents} - known)
        if new:
            self._write({"entry": "source", "files": new})

    def allow(self, budget: Spend) -> None:
        """Say what may be spent in all; where it is what was said before, nothing is written."""
        if self.budget is None or self.budget[:2] != budget[:2]:
            self._write({"entry": "budget", "epsilon": budget.epsilon, "delta": budget.delta, "unit": budget.unit})

    def reserve(self, key: str, spend: Spend, about: str) -> None:
        """Set aside what a measurement will spend; on the disk when this returns.

        A reservation that a killed run left is used.

        Raises:
            PrivacyError: it is more than what is left, or protects another unit than what was measured before.
        """
        if self.state(key) == "reserved":
            return
        others = {s.unit for s in self._each()} - {spend.unit}
        if others:
            raise PrivacyError(str(self.at), f"the unit of the privacy budget, for {about}", wanted=min(others),
                               got=spend.unit, remedy="name the unit in which the ledger counts: what hides a row adds "
                               "nothing up to what hides all rows of somebody")  # fmt: skip
        whole, spent, left = self.budget or Spend(0.0, 0.0), self.spent, self.left
        then = together([*self._each(), spend], whole.delta)
        for word, wanted, gone, all_, most, rest in (
            ("epsilon", spend.epsilon, spent.epsilon, then.epsilon, whole.epsilon, left.epsilon),
            ("delta", spend.delta, spent.delta, then.delta, whole.delta, left.delta),
        ):  # fmt: skip
            if all_ > most * (1 + _SLACK):
                raise PrivacyError(
                    str(self.at), f"the privacy budget of the source, for {about}",
                    wanted=f"{word} {wanted:g} of {most:g}", got=f"{gone:.4g} spent: {rest:.4g} are left",
                    remedy="use the rows that earlier runs made, or decide to allow more with 'source: {budget: …}'",
                )  # fmt: skip
        said = {w: v for w, v in spend._asdict().items() if v is not None}
        self._write({"entry": "reserved", "key": key, "about": about, **said, "neighbours": spend.neighbours})

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
        self._settled(key, packed.encode("ascii"), spend)

    def _settled(self, key: str, packed: bytes, spend: Spend) -> None:
        self._write({"entry": "settled", "key": key, "sha256": sha256(packed).hexdigest(),
                     "measured": [spend.epsilon, spend.delta]})  # fmt: skip

    def paid_by(self, key: str) -> dict[str, str]:
        """Return what a release says of the line that it was paid by: the ledger, by its first line, and that line."""
        line = max(i for i, said in enumerate(self.lines) if (said["entry"], said.get("key")) == ("reserved", key))
        return {"of": self._hashes[0], "line": self._hashes[line]}

    def refuse_forgotten(self, paid: Iterable[Mapping[str, str]]) -> None:
        """Refuse a ledger that does not know a line by which it was once paid.

        Args:
            paid: what `paid_by` said of releases that are kept elsewhere.

        Raises:
            StoreError: its last lines are gone.
        """
        if any(self._hashes and p.get("of") == self._hashes[0] and p.get("line") not in self._hashes for p in paid):
            raise _altered(self.at, "lines gone by which a release of this run folder was paid")

    def stop(self, key: str) -> None:
        """Say that somebody stopped a measurement by hand: nothing of it was shown, and what was reserved stands."""
        self._write({"entry": "stopped", "key": key})

    def fail(self, key: str) -> None:
        """Say that a measurement was begun and seen to fail: what was reserved for it is spent."""
        self._write({"entry": "failed", "key": key})

    def release(self, key: str) -> str | None:
        """Return a release that was paid for; None where there is none.

        One that was removed or altered is gone: the ledger says so, and measuring again costs again. One that is there
        whole, of a run that was killed before it could say so, is settled now: nothing is measured twice for one price.
        """
        state = self.state(key)
        try:
            packed = (self.at / _RELEASES / key).read_bytes()
        except FileNotFoundError:
            packed = b""
        if state == "reserved" and packed:
            paid = next(_spend(x) for x in reversed(self.lines) if (x["entry"], x.get("key")) == ("reserved", key))
            self._settled(key, packed, paid)
        elif state != "settled":
            return None
        said = next(line["sha256"] for line in reversed(self.lines) if line.get("key") == key)
        if sha256(packed).hexdigest() != said:
            self._write({"entry": "lost", "key": key})
            return None
        return packed.decode("ascii")

    # --------------------------------------------------------------------------------------------------------- the file
    def _write(self, said: Mapping[str, Any]) -> None:
        line = {**said, "when": datetime.now(UTC).isoformat(timespec="seconds"), "after": (self._hashes or [""])[-1]}
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
            self._hashes.append(sha256(raw).hexdigest())
            mark = self.at / f".{_LAST}.new"  # may be lost, or one line late; it is never early
            mark.unlink(missing_ok=True)
            with mark.open("x", encoding="ascii") as out:  # through no link
                out.write(self._hashes[-1])
            mark.replace(self.at / _LAST)

    def _refuse_cut(self) -> None:
        """Refuse a log that once had more lines, as far as its folder tells."""
        mark = self.at / _LAST
        last = mark.read_bytes().decode("ascii", "replace") if mark.is_file() else ""
        if last and last not in self._hashes:
            raise _altered(self.at, "lines at its end gone")
        paid = {line["key"] for line in self.lines if line["entry"] == "reserved"}
        kept = {p.name for p in (self.at / _RELEASES).iterdir() if not p.name.startswith(".")}
        if kept - paid:
            raise _altered(self.at, "lines gone by which a release in it was paid")

    def _read(self) -> None:
        raw = (self.at / LOG).read_bytes()
        whole, newline, torn = raw.rpartition(b"\n")
        if torn and self._descriptor >= 0:  # of a run that was killed while it wrote: it had not begun to measure
            os.ftruncate(self._descriptor, len(whole) + len(newline))
        for i, line in enumerate(whole.split(b"\n") if whole else [], 1):
            try:
                said = json.loads(line)
                right = said["after"] == (self._hashes or [""])[-1] and _understood(said)
            except (ValueError, TypeError, KeyError, AttributeError):
                right = False
            if not right:
                raise _altered(self.at, f"line {i} changed, or lines before it gone")
            self.lines.append(said)
            self._hashes.append(sha256(line + b"\n").hexdigest())


def _understood(said: dict[str, Any]) -> bool:
    kind = said["entry"]
    if kind in ("budget", "reserved"):
        numbers = [said[w] for w in ("epsilon", "delta")] + [said[w] for w in ("rho", "chance") if w in said]
        rows = said.get("rows", 1)
        return all(isinstance(n, int | float) and n >= 0 for n in numbers) and isinstance(rows, int) and rows >= 1
    if kind == "lot":
        return isinstance(said["secret"], str)
    if kind == "source":
        return all(isinstance(mark, str) for mark in said["files"])
    return kind in ("settled", "stopped", "failed", "lost") and isinstance(said["key"], str)


def _spend(line: Mapping[str, Any]) -> Spend:
    rho = line.get("rho")
    return Spend(float(line["epsilon"]), float(line["delta"]), str(line.get("unit", ROW)), int(line.get("rows", 1)),
                 None if rho is None else float(rho), float(line.get("chance", 0.0)))  # fmt: skip


def _mark(secret: str, content: str) -> str:
    """Return what a ledger keeps of a file's hash: who does not hold the ledger cannot try what the file may be."""
    return hmac.new(secret.encode("ascii"), content.encode("ascii"), sha256).hexdigest()


def claims(at: Path, contents: Iterable[str]) -> bool:
    """Return whether the ledger in a folder counts a file with one of these contents; whoever has it open may keep it.

    Args:
        at: the folder.
        contents: the SHA-256 of each file.
    """
    try:
        said = [json.loads(line) for line in (at / LOG).read_bytes().split(b"\n")[:-1]]
        secret = next((str(line["secret"]) for line in said if line["entry"] == "lot"), "")
        known = {mark for line in said if line["entry"] == "source" for mark in line["files"]}
    except (OSError, ValueError, TypeError, KeyError):
        return False
    return any(_mark(secret, content) in known for content in contents)


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
