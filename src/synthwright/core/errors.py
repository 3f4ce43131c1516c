"""What can go wrong, and how it is said.

::

    SynthwrightError                anything Synthwright raises on purpose
    ├── InputError                  data that cannot be used: unreadable, ragged, too few rows, nested columns
    ├── SpecError                   a specification with faults; carries every one with its file:line:column
    ├── UnknownNameError            a generator, curator, metric, source or sink nobody registered
    ├── PathError                   a path that leaves the project folder, or a link where a file was wanted
    ├── FitError                    a generator cannot learn from this data
    ├── SampleError                 a model cannot make what was asked
    ├── StoreError                  the output or store folder is locked, full, unwritable, foreign or altered
    ├── PrivacyError                a privacy budget is spent
    ├── WorkerError                 a worker process failed or went away
    └── RefusedError                gates were not met; nothing was released

Every message names the owner (who speaks), the thing, what was wanted, what was got, and the remedy. Values of real
rows never appear in a message: only names, counts and positions do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

_SHOWN = 100
"""Faults of a specification that its message shows."""


class SynthwrightError(Exception):
    """Anything Synthwright raises on purpose.

    Args:
        owner: who speaks: a file, a recipe, a function.
        thing: what is wrong: "the header", "parameter 'strength'".
        wanted: what would have been right.
        got: what was found instead; never a value of a real row.
        remedy: what the reader can do about it.
    """

    exit_code = 1

    def __init__(self, owner: str, thing: str, *, wanted: str = "", got: str = "", remedy: str = "") -> None:
        super().__init__(owner, thing, wanted, got, remedy)
        self.owner, self.thing, self.wanted, self.got, self.remedy = owner, thing, wanted, got, remedy

    def __str__(self) -> str:
        parts = [f"wanted {self.wanted}"] if self.wanted else []
        parts += [f"got {self.got}"] if self.got else []
        said = f"{self.owner}: {self.thing}"
        if parts:
            said += ": " + ", ".join(parts)
        said = said.rstrip(".") + "."
        if not self.remedy:
            return said
        return f"{said} {self.remedy}" if self.remedy[-1] in ".?!" else f"{said} {self.remedy}."

    def __reduce__(self) -> tuple[Any, ...]:
        """Let processes of the caller's own hand it on: by its words, whatever it is made from."""
        return _again, (type(self), self.args, self.__dict__)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` needs to raise the same error in another process."""
        words = {"owner": self.owner, "thing": self.thing, "wanted": self.wanted, "got": self.got}
        return {"error": type(self).__name__, **words, "remedy": self.remedy}


def _again(kind: type[SynthwrightError], args: tuple[Any, ...], words: dict[str, Any]) -> SynthwrightError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(words)
    return error


class InputError(SynthwrightError):
    """Data that cannot be used: unreadable, ragged, too few rows, nested columns."""


class UnknownNameError(SynthwrightError):
    """A generator, curator, metric, source or sink that nobody registered."""


class PathError(SynthwrightError):
    """A path that leaves the project folder, or a link where a file was wanted."""


class FitError(SynthwrightError):
    """A generator cannot learn from this data."""


class SampleError(SynthwrightError):
    """A model cannot make what was asked."""


class StoreError(SynthwrightError):
    """The output or store folder is locked, full, unwritable, foreign or altered."""


class PrivacyError(SynthwrightError):
    """A privacy budget is spent."""


class WorkerError(SynthwrightError):
    """A worker process failed or went away."""


class RefusedError(SynthwrightError):
    """Gates were not met; nothing was released."""

    exit_code = 3


class Fault(NamedTuple):
    """One fault of a specification and where it stands (line and column count from 1; 0 when unknown)."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.message}"


class SpecError(SynthwrightError):
    """A specification with faults; `faults` holds every one with its file, line and column."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = sorted(set(faults))
        count = len(self.faults)
        first = self.faults[0].file if self.faults else "specification"
        super().__init__(first, f"{count} fault{'s' if count != 1 else ''}")

    def __str__(self) -> str:
        more = len(self.faults) - _SHOWN
        said = [*map(str, self.faults[:_SHOWN]), *([f"… and at least {more:,} more faults"] if more > 0 else [])]
        return "\n".join(said)


_BY_NAME = {
    kind.__name__: kind
    for kind in (
        InputError,
        UnknownNameError,
        PathError,
        FitError,
        SampleError,
        StoreError,
        PrivacyError,
        WorkerError,
        RefusedError,
    )
}


def from_json(said: dict[str, Any]) -> SynthwrightError:
    """Rebuild an error that another process reported with `SynthwrightError.to_json`."""
    kind = _BY_NAME.get(said["error"], WorkerError)
    return kind(said["owner"], said["thing"], wanted=said["wanted"], got=said["got"], remedy=said["remedy"])
