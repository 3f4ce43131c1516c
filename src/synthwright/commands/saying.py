"""How commands speak: tables and progress for people, JSON for programs, nothing when asked; never a traceback."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from synthwright.commands.grid import grid, summary
from synthwright.core.errors import SpecError, StoreError, SynthwrightError

INTERRUPTED = 130
STOPPED = "interrupted; the same command goes on where it was"
STEPS = ("source", "fit", "generate", "curate", "evaluate", "release")
"""The steps that a terminal shows, in the order of `synthwright.line`, which `--help` need not load."""


@dataclass
class Say:
    """Where a command's words go."""

    json: bool = False
    quiet: bool = False

    @property
    def console(self) -> Any:
        """The terminal, or nothing where JSON or silence was asked for."""
        from rich.console import Console

        return Console(quiet=self.quiet or self.json, highlight=False)

    def result(self, data: Any) -> None:
        """Print a result as JSON, if that was asked for."""
        if self.json:
            sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def line(self, text: str) -> None:
        """Print a line for people; `text` is plain, not markup."""
        self.console.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def steps(self) -> Iterator[Any]:
        """Show the steps of a run as they go."""
        console = self.console
        if self.quiet or self.json:
            from synthwright.line import Nobody

            yield Nobody()
        elif console.is_terminal:
            with Live(console) as live:
                yield live
        else:
            yield Lines(console)


@dataclass
class Lines:
    """Tells steps as lines, for logs."""

    console: Any

    def begin(self, step: str) -> None:
        """Say nothing: the line comes at the end."""

    def progress(self, done: float, total: float, what: str) -> None:
        """Say nothing: a log is no terminal."""

    def end(self, step: str, seconds: float) -> None:
        """Say that a step ended."""
        self.console.print(f"{step:<9} {seconds:7.1f} s", markup=False)

    def cells(self, filled: Any) -> None:
        """Say how the cells stand after a wave."""
        self.console.print(f"cells     {summary(filled)}", markup=False)


@dataclass
class Live:
    """Shows steps on a terminal: a bar for each, with what it is busy with and how long it took."""

    console: Any
    bars: dict[str, Any] = field(default_factory=dict)
    shown: Any = None
    screen: Any = None
    now: str = ""

    def __enter__(self) -> Self:
        from rich.live import Live as Screen
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.shown = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<9}"),
            BarColumn(24),
            TextColumn("{task.completed:.0f}/{task.total:.0f} {task.fields[what]}"),
            TimeElapsedColumn(),
            console=self.console,
        )
        self.screen = Screen(self.shown, console=self.console, refresh_per_second=8)
        self.screen.start()
        for step in STEPS:
            self.bars[step] = self.shown.add_task(step, total=1, start=False, what="")
        return self

    def __exit__(self, *_: object) -> None:
        self.screen.stop()

    def begin(self, step: str) -> None:
        """Start a step's bar; a step that comes again goes on."""
        self.now = step
        self.shown.start_task(self.bars[step])

    def progress(self, done: float, total: float, what: str) -> None:
        """Move the bar of the step that runs."""
        self.shown.update(self.bars[self.now], completed=done, total=max(total, 1), what=what)

    def end(self, step: str, seconds: float) -> None:
        """Fill a step's bar."""
        task = self.shown.tasks[self.bars[step]]
        self.shown.update(self.bars[step], completed=task.total, what=task.fields["what"])
        self.shown.stop_task(self.bars[step])

    def cells(self, filled: Any) -> None:
        """Show how the cells stand after a wave, below the bars."""
        from rich.console import Group

        self.screen.update(Group(self.shown, grid(filled, self.console.width)))


def guarded(command: Callable[[], Any]) -> int:
    """Run a command and return its exit code; every fault is a message."""
    try:
        command()
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:  # typer turns an interrupt into this one, and says nothing
            _complain(STOPPED)
        return leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
    except KeyboardInterrupt:
        _complain(STOPPED)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read us has gone: say no more
        return 0
    except SynthwrightError as error:
        _complain(str(error), bare=isinstance(error, SpecError))
        return error.exit_code
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else "a file"
        _complain(str(StoreError(where, "reading or writing", got=(error.strerror or type(error).__name__).lower(),
                                 remedy="check that there is room, and that you may write there")))  # fmt: skip
        return 1
    except MemoryError:
        _complain("there is not enough memory: use fewer rows or fewer --workers")
        return 1
    except Exception as error:
        if os.environ.get("SYNTHWRIGHT_DEBUG"):
            raise
        # the message may hold values of real rows: only what kind of fault it was is told
        _complain(f"a fault in Synthwright itself ({type(error).__name__}); set SYNTHWRIGHT_DEBUG=1 to see where, "
                  "and report it")  # fmt: skip
        return 1
    return 0


def _complain(text: str, *, bare: bool = False) -> None:
    sys.stderr.write((text if bare else f"error: {text}") + "\n")
