"""The line: the seven steps in order. The only file that knows the order."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.errors import InputError
from synthwright.core.leaving_out import without
from synthwright.core.loading import Loaded
from synthwright.core.plan import Plan, check_names, plan
from synthwright.core.schema import Schema, fingerprint
from synthwright.engine.local import Local
from synthwright.report.report import Report
from synthwright.steps.cells import Tally, in_vain, tallies
from synthwright.steps.curate import curate
from synthwright.steps.diversity import Found, diversity, retold
from synthwright.steps.evaluate import evaluate, gather
from synthwright.steps.fit import fit
from synthwright.steps.generate import generate
from synthwright.steps.models import connected, placed
from synthwright.steps.orders import Bench
from synthwright.steps.private import locked, releases, shown
from synthwright.steps.release import Ended, release
from synthwright.steps.source import Sourced, source
from synthwright.steps.start import Begun, first_start, next_start, unfilled
from synthwright.steps.waves import Wave
from synthwright.store.folder import FolderStore
from synthwright.store.out import Out

if TYPE_CHECKING:
    from synthwright.steps.rehearse import Rehearsed

IN_VAIN = 4
"""After so many waves of rows from rules alone that filled no slot, no more are made: nothing changes there."""
ASKED_IN_VAIN = 15
"""The same where language models are asked: a wave makes one row for each empty slot, and the last may need several."""


class Watcher(Protocol):
    """Who is told how far a run is."""

    def begin(self, step: str) -> None:
        """Say that a step begins."""

    def progress(self, done: float, total: float, what: str) -> None:
        """Say how far the step is."""

    def end(self, step: str, seconds: float) -> None:
        """Say that a step ended, and how long it took."""

    def cells(self, filled: Sequence[Tally]) -> None:
        """Say how the cells that were asked for stand after a wave."""


class Nobody:
    """Is told, and says nothing."""

    def begin(self, step: str) -> None:
        """Say nothing."""

    def progress(self, done: float, total: float, what: str) -> None:
        """Say nothing."""

    def end(self, step: str, seconds: float) -> None:
        """Say nothing."""

    def cells(self, filled: Sequence[Tally]) -> None:
        """Say nothing."""


@dataclass
class Clock:
    """Measures the steps and tells the watcher."""

    watcher: Watcher
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one step; a step that comes again is added up."""
        self.watcher.begin(name)
        begun = time.monotonic()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begun
        self.watcher.end(name, self.seconds[name])


def check(loaded: Loaded) -> Plan | None:
    """Check a specification without touching data; return the plan where the schema is known.

    Raises:
        SpecError: with every fault.
    """
    if isinstance(loaded.spec.schema_, Schema):
        return plan(loaded.spec, loaded.spec.schema_, loaded.fault)
    check_names(loaded.spec, loaded.fault)
    return None


def run(  # noqa: PLR0913  each is a switch of the command line
    loaded: Loaded,
    out: Path,
    *,
    seed: int | None = None,
    workers: int = 1,
    store: Path | None = None,
    force: bool = False,
    watcher: Watcher | None = None,
) -> Report:
    """Run the line; a finished step is not run again, and a stopped run goes on where it was.

    Args:
        loaded: the specification.
        out: the folder for release and report.
        seed: overrides the specification's.
        workers: processes; the bytes of the release do not depend on it.
        store: where steps are kept; nothing: `out/.store`.
        force: take over a folder that holds another run.
        watcher: who is told how far the run is.

    Raises:
        SynthwrightError: whatever is wrong with specification, data or folders. Gates that are not met raise nothing:
            the report says `refused`, and there is no data.
    """
    if seed is not None:
        loaded = loaded._replace(spec=loaded.spec.model_copy(update={"seed": seed}))
    check(loaded)
    told = watcher or Nobody()
    clock = Clock(told)
    with Out.open(out) as place, Local(workers) as engine:
        held = FolderStore.open(store or out / ".store")
        ctx = replace(loaded.ctx, seed=loaded.spec.seed, engine=engine, store=held, progress=told.progress)
        with clock.step("source"):
            sourced, made = _sourced(loaded, held, ctx)
            made = placed(made, ctx)
            inputs = sourced.inputs if sourced else {}
            _hold_to_lock(loaded, inputs)
            said = _resolved(made).spec.fingerprint()
            place.claim(fingerprint([__version__, said, sorted(inputs.values())]), force=force)
            identity = fingerprint([__version__, said, sorted(filter(None, shown(loaded.spec, inputs).values()))])
        with connected(made, held) as models:
            bench = Bench(_resolved(made), held, replace(ctx, models=models), sourced.key if sourced else None)
            return _steps(bench, sourced, place, clock, identity)


def rehearse(loaded: Loaded, rows: int, store: Path) -> list[Rehearsed]:
    """Return what language models would be asked, for a few rows, and what all of it will take; nothing is sent.

    Args:
        loaded: the specification.
        rows: how many rows of each table.
        store: an empty folder.

    Raises:
        SynthwrightError: whatever is wrong with specification or data.
    """
    from synthwright.steps.rehearse import rehearse as rehearsed  # most runs ask no model: what asks is imported late

    check(loaded)
    with Local(1) as engine:
        held = FolderStore.open(store)
        ctx = replace(loaded.ctx, seed=loaded.spec.seed, engine=engine, store=held)
        sourced, made = _sourced(loaded, held, ctx)
        return rehearsed(Bench(_resolved(made), held, ctx, sourced.key if sourced else None), rows)


def _steps(bench: Bench, sourced: Sourced | None, place: Out, clock: Clock, identity: str) -> Report:
    with clock.step("fit"):
        fits = fit(bench, sourced.inputs if sourced else {})
    waves, wanted, found = _waves(bench, fits, clock)
    with clock.step("evaluate"):
        kept = gather(bench, fits, waves)
        scores = evaluate(bench, kept, wanted)
    with clock.step("release"):
        rows = tuple(row for one in found for row in one.rows)
        measured = releases(bench, fits)
        ended = Ended(bench, sourced, waves, kept, wanted, scores, dict(clock.seconds), identity, rows, measured)
        return release(ended, place)


def _sourced(loaded: Loaded, held: FolderStore, ctx: Context) -> tuple[Sourced | None, Plan]:
    """Read the source, if there is one, and plan with the schema that is then known.

    A lock that holds all that was ever measured of real rows needs no others.
    """
    sourced = None if locked(loaded.spec) else source(loaded.spec, held, ctx, loaded.fault)
    schema = sourced.schema if sourced else _declared(loaded)
    return sourced, plan(loaded.spec.model_copy(update={"ignore": ()}), schema, loaded.fault)


def _declared(loaded: Loaded) -> Schema:
    assert isinstance(loaded.spec.schema_, Schema)  # noqa: S101  a specification without source has a schema
    return without(loaded.spec.schema_, loaded.spec.ignore)


def _resolved(made: Plan) -> Plan:
    """Return the plan with the schema inside its specification, as a lock file holds it."""
    return made._replace(spec=made.spec.model_copy(update={"schema_": made.schema}))


def _waves(bench: Bench, fits: dict[str, str], clock: Clock) -> tuple[list[Wave], dict[str, int], list[Found]]:
    """Generate and curate until no row is missing, the waves are used up, or written texts are too much alike.

    Say too how many rows were wanted, and how varied the texts of each wave are.
    """
    waves: list[Wave] = []
    found: list[Found] = []
    notes: dict[str, str] = {}
    wanted: dict[str, int] = {}
    begun: Begun | None = first_start(bench)
    ruled = not any(p.generator.abilities.learns for p in bench.plan.parts)
    open_slots: list[int] = []
    vain = ASKED_IN_VAIN if any(p.generator.asks() for p in bench.plan.parts) else IN_VAIN
    for _ in range(bench.plan.spec.waves):
        if begun is None or (ruled and len(open_slots) > vain and len(set(open_slots[-vain - 1 :])) == 1):
            break
        writing, begun = retold(bench, begun, notes)
        with clock.step("generate"):
            shards, begun = generate(writing, fits, begun, [w.key for w in waves])
        with clock.step("curate"):
            waves.append(curate(bench, shards, waves, begun.slots))
            found.append(diversity(bench, waves, found))
        filled = tallies(bench, waves)
        if filled:
            clock.watcher.cells(filled)
        wanted = wanted or dict(begun.slots)
        if found[-1].stops or in_vain(bench, waves):
            break
        notes |= found[-1].notes
        gone = unfilled(bench, begun, waves[-1].gone(), waves)
        wanted |= {t: sum(w.kept().rows(t) for w in waves) + int(gone[t].sum())
                   for t in bench.plan.spec.begin.children}  # fmt: skip
        open_slots.append(sum(int(g.sum()) for g in gone.values()))
        begun = next_start(bench, begun, gone, filled)
    return waves, wanted, found


def _hold_to_lock(loaded: Loaded, inputs: dict[str, str]) -> None:
    """Refuse to rebuild a release from other files than it was made from."""
    lock = loaded.spec.lock
    if lock is not None and not locked(loaded.spec) and sorted(lock.inputs.values()) != sorted(inputs.values()):
        raise InputError(
            loaded.marked.file,
            "the lock",
            wanted="the files that the release was made from",
            got="files with other contents",
            remedy="restore them, or run the specification itself",
        )
