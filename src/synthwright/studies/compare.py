"""Several methods on one table, each a run of the line of its own; whatever becomes of one, the others go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from synthwright import __version__
from synthwright.core import registry
from synthwright.core.contracts import Generator
from synthwright.core.errors import InputError, SpecError, SynthwrightError, UnknownNameError
from synthwright.core.plan import plan
from synthwright.core.schema import Kind, Schema, fingerprint
from synthwright.core.spec import DEFAULT_GENERATOR
from synthwright.engine.apart import apart
from synthwright.engine.local import cores
from synthwright.report.compared import Comparison, Method, advise
from synthwright.report.released import write_whole
from synthwright.store.folder import said_plainly
from synthwright.store.out import Out
from synthwright.studies.data import Task, files_of, refuse_seconds, specification, task_of

WORK = "synthwright.studies.method:run_method"
SECONDS = 900.0
"""How long a method may learn and make rows where nothing is said."""
METHODS, SPECS, RESULT = "methods", "specs", "method.json"
_NEEDED = frozenset({Kind.NUMBER, Kind.CATEGORY})
"""What a method for whole tables can make at least."""


class Wish(NamedTuple):
    """How methods are compared."""

    methods: tuple[str, ...] | None = None
    """Names of generators; None: all that learn and can make the table."""
    target: str | None = None
    """The column to predict; None: guessed."""
    schema: Schema | None = None
    """What the data is; None: inferred."""
    seed: int = 0
    rows: int | None = None
    """Rows that each method makes; None: as many as there are."""
    seconds: float = SECONDS
    """How long a method may learn and make rows."""
    workers: int | None = None
    """Processes; None: one a core."""
    force: bool = False
    """Replace what another comparison left."""


Tell = Callable[[Method | str], None]
"""Who is told: the name of the method that begins, and what became of it."""


def compare(data: Any, wish: Wish, out: Path | None, tell: Tell = lambda _: None) -> Comparison:
    """Run every method on the data, one after another, and compare what they made.

    Nothing is released. What a method came to is kept in `out`: the same comparison, begun again, goes on with the
    methods that have not finished.

    Args:
        data: the path of a file or folder, or frames.
        wish: how methods are compared.
        out: the folder for the comparison and each method's report; None: nothing is kept.
        tell: who is told how far it is.

    Raises:
        InputError: data that cannot be compared on, a column that it has not.
        UnknownNameError: a method that nobody registered.
        StoreError: a folder that holds something else.
    """
    if out is None:
        with TemporaryDirectory(prefix="synthwright-") as folder:
            whole = compare(data, wish, Path(folder) / "compare", tell)
            methods = tuple(m.model_copy(update={"report": ""}) for m in whole.methods)
            return whole.model_copy(update={"methods": methods})
    refuse_seconds("compare", wish.seconds)
    for name in wish.methods or ():
        _known(name)
    with Out.open(out) as place, TemporaryDirectory(prefix="synthwright-") as beside:
        task = task_of(data, Path(beside), wish.target, wish.schema, wish.rows)
        names, left_out = _methods(wish.methods, task)
        if not names:
            raise InputError(task.name, "the table", wanted="one that a registered method can make", got="none",
                             remedy="name methods with --with to see what stands in their way")  # fmt: skip
        place.claim(fingerprint(["compare", __version__, *task.identity(), wish.seed]), force=wish.force)
        done = []
        for name in names:
            tell(name)
            found = _one(name, task, wish, out)
            tell(found)
            if found.lacking and wish.methods is None:
                left_out[name] = found.reason
            else:
                done.append(found)
        compared = Comparison(
            synthwright=__version__, data=task.name, real=task.real, wanted=sum(task.rows.values()),
            target=task.target, seed=wish.seed, budget=wish.seconds, methods=tuple(done), left_out=left_out,
            notes=task.notes, **advise(done).model_dump(),
        )  # fmt: skip
        with said_plainly(out):
            compared.write(out)
        return compared


def _known(name: str) -> type[Generator]:
    kind = registry.find("generators", name)
    assert issubclass(kind, Generator)  # noqa: S101  the registry looked
    if not kind.abilities.learns:
        able = ", ".join(n for n in registry.names("generators") if _whole(n))
        raise UnknownNameError("compare", repr(name), wanted="a generator that learns from real rows",
                               got="one that does not", remedy=f"those that do: {able}")  # fmt: skip
    return kind


def _whole(name: str) -> bool:
    """Return whether a generator learns whole tables, from nothing but their rows, and keeps none of them."""
    kind = registry.find("generators", name)
    if not issubclass(kind, Generator) or any(f.is_required() for f in kind.model_fields.values()):
        return False
    able = kind.abilities
    fitting = able.learns and able.random and not (able.replaces or able.changes or able.keeps_rows)
    return fitting and able.kinds >= _NEEDED and Kind.KEY not in able.kinds and not kind().asks()


def _methods(asked: Sequence[str] | None, task: Task) -> tuple[list[str], dict[str, str]]:
    """Return the methods to run, and why others are left out."""
    if asked is not None:
        return list(dict.fromkeys(asked)), {}
    out: dict[str, str] = {}
    for name in (n for n in registry.names("generators") if _whole(n)):
        kind = _known(name)
        if kind.abilities.private:
            out[name] = f"it spends a privacy budget: name it with --with {name}"
            continue
        try:
            plan(specification(task, name, 0), task.schema)
        except SpecError as error:
            out[name] = error.faults[0].message
    found = [n for n in registry.names("generators") if _whole(n) and n not in out]
    return sorted(found, key=lambda n: (n != DEFAULT_GENERATOR, n)), out


def _one(name: str, task: Task, wish: Wish, out: Path) -> Method:
    """Return what becomes of one method: what is kept of it, or else of a run in a process of its own."""
    here = out / METHODS / name
    identity = fingerprint(
        [__version__, *task.identity(), registry.find("generators", name)().fingerprint(), wish.seed]
    )
    kept = _kept(here, identity)
    if kept is not None:
        return kept
    with said_plainly(out):
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir(parents=True, mode=0o700)
        spec = files_of(task, name, wish.seed, out / SPECS)
    order = {"name": name, "spec": str(spec), "allowed": str(task.allowed), "folder": str(here),
             "seconds": wish.seconds, "workers": wish.workers or cores()}  # fmt: skip
    log = here / "log.txt"
    try:
        found = Method.model_validate(apart(WORK, order, log))
        found = found.model_copy(update={"report": f"{METHODS}/{name}/report.html" if found.made else ""})
    except TimeoutError:
        found = Method(name=name, outcome="stopped", reason=f"stopped after {wish.seconds:g} seconds")
    except SynthwrightError as error:
        found = Method(name=name, outcome="failed", reason=f"{error.got or error.thing}.")
    for word in ("run", "store"):
        shutil.rmtree(here / word, ignore_errors=True)
    if not log.stat().st_size:
        log.unlink()
    write_whole(here / RESULT, json.dumps({"identity": identity, "method": found.model_dump(mode="json")}, indent=1))
    return found


def _kept(here: Path, identity: str) -> Method | None:
    """Return what a method came to in an earlier comparison on the same data; one that did not finish tries again."""
    try:
        said = json.loads((here / RESULT).read_bytes())
        found = Method.model_validate(said["method"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if said.get("identity") == identity and found.made else None
