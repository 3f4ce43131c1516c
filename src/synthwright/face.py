"""The functions for notebooks: frames in, frames out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from synthwright.core import registry
from synthwright.core.contracts import Case, Generator
from synthwright.core.dataset import Dataset, to_arrow
from synthwright.core.errors import Fault, InputError, UnknownNameError
from synthwright.core.loading import load_spec
from synthwright.core.plan import Plan, plan
from synthwright.core.schema import Schema
from synthwright.core.spec import DEFAULT_GENERATOR, DEFAULT_METRICS, Evaluate, PartUse, Spec, Use
from synthwright.line import Watcher
from synthwright.line import check as check_line
from synthwright.line import run as run_line
from synthwright.report.compared import Comparison
from synthwright.report.report import Report
from synthwright.synthesizer import Frame, Synthesizer, columns_of, learn

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check", "compare", "evaluate", "fit", "load", "read", "run"]


def read(path: str | Path, schema: Schema | None = None, **settings: Any) -> Dataset:
    """Read a file or folder (CSV, Parquet, JSONL, Arrow, Excel, SQLite) as a dataset; the schema is inferred.

    Args:
        path: the file, folder or glob.
        schema: what the data is; nothing: inferred.
        settings: parameters of the source, as `synthwright explain csv` shows them.

    Raises:
        InputError: it cannot be read.
    """
    from synthwright.sources.generations import as_read

    return as_read(Path(path).absolute(), schema, settings)


def fit(
    data: Any,
    generator: str | Generator = "default",
    *,
    given: Sequence[str] = (),
    schema: Schema | None = None,
    seed: int = 0,
    **settings: Any,
) -> Synthesizer:
    """Learn from real rows; return what can `sample` as many synthetic rows as you like.

    Args:
        data: a pandas, polars or Arrow frame, a `Dataset`, or a mapping of table names to frames.
        generator: a registered name, or a recipe; `default` is the best there is for tables.
        given: columns that later calls of `sample` set, for generators that must know it beforehand.
        schema: what the data is; nothing: inferred.
        seed: the same seed gives the same model.
        settings: parameters of the generator, as `synthwright explain NAME` shows them.

    Raises:
        InputError: fewer than ten rows, all rows alike, or data that no frame should hold.
        FitError: the generator cannot learn from it.
    """
    from synthwright.core.relation_running import parts_of
    from synthwright.steps.source import refuse_poor

    dataset = data if isinstance(data, Dataset) and schema is None else Dataset.of(data, schema)
    refuse_poor(dataset)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise InputError("fit", "seed", wanted="a whole number", got=f"a {type(seed).__name__}")
    recipe = _recipe(generator, settings)
    if recipe.abilities.private:
        raise InputError(recipe.name, "fitting", wanted="a specification, whose source has a ledger of what is spent",
                         got="a frame", remedy="give a part of one a budget, and run it with `sw.run`")  # fmt: skip
    adding = parts_of(dataset, columns_of(dataset.schema, given))
    return learn(_planned(dataset.schema, recipe, given, adding), dataset, Frame.of(data), seed)


def _recipe(generator: str | Generator, settings: Mapping[str, Any]) -> Generator:
    if isinstance(generator, Generator):
        return generator
    from pydantic import ValidationError

    name = DEFAULT_GENERATOR if generator == "default" else generator
    try:
        return cast(Generator, registry.find("generators", name).model_validate(dict(settings)))
    except ValidationError as error:
        one = error.errors(include_url=False)[0]
        raise UnknownNameError(
            name,
            f"parameter {'.'.join(map(str, one['loc']))!r}",
            wanted=one["msg"],
            got=repr(one["input"]),
            remedy=f"see `synthwright explain {name}`",
        ) from None


def _planned(schema: Schema, recipe: Generator, given: Sequence[str], adding: Sequence[PartUse]) -> Plan:
    """Return the plan that makes every column; given ones are made first where the generator must know, sums last."""
    first = columns_of(schema, given)
    settings = recipe.model_dump(mode="json")
    rest = PartUse(make=tuple(f"{t}.*" for t in schema.tables), use=recipe.name, settings=settings, given=first)
    parts = [rest]
    if first and recipe.abilities.given == "none":
        raise InputError(recipe.name, "given", wanted="a generator that can be given columns", got=f"{recipe.name!r}")
    if first:
        parts = [PartUse(make=(c,), use=recipe.name, settings=settings, given=first[:i]) for i, c in enumerate(first)]
        parts.append(rest)
    spec = Spec(synthwright=1, name="notebook", schema_=schema, parts=(*parts, *adding))
    return plan(spec, schema)


def load(path: str | Path) -> Synthesizer:
    """Read a model that `Synthesizer.save` wrote; nothing in it can run code."""
    if not isinstance(path, str | Path):
        raise InputError("load", "the path", wanted="the folder of a model", got=f"a {type(path).__name__}")
    return Synthesizer.load(Path(path))


def evaluate(  # noqa: PLR0913  the parameters of a notebook function
    *,
    real: Any = None,
    synthetic: Any,
    holdout: Any = None,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    metrics: Sequence[str] = DEFAULT_METRICS,
    gates: Sequence[str] = (),
    waive: Mapping[str, str] | None = None,
    schema: Schema | None = None,
    seed: int = 0,
    workers: int = 1,
) -> Report:
    """Judge synthetic rows, made by anybody, against real ones.

    Args:
        real: the rows the generator learned from.
        synthetic: the rows to judge.
        holdout: real rows the generator never saw; without them every score is weaker evidence.
        target: the column to predict.
        sensitive: columns whose groups are compared.
        metrics: groups or single metrics.
        gates: what must hold, beside the default gates.
        waive: default gates that do not rule, by the score they are about, and why.
        schema: what the data is; nothing: inferred from the real rows.
        seed: of the samples that metrics draw.
        workers: processes; the scores do not depend on it.

    Raises:
        InputError: data that cannot be read, tables that do not match, or held-out rows that are training rows.
        SpecError: metrics, gates or waivers that there are not, all of them at once.
    """
    _whole(seed, "seed", 0)
    _whole(workers, "workers", 1)
    if schema is not None and not isinstance(schema, Schema):
        raise InputError("evaluate", "schema", wanted="a Schema", got=f"a {type(schema).__name__}")
    case, unjudged = case_of(real, synthetic, holdout, schema, target, sensitive)
    return judge(case, metrics, gates, seed, guessed=schema is None, waive=waive, workers=workers, warned=unjudged)[0]


def case_of(
    real: Any, synthetic: Any, holdout: Any, schema: Schema | None, target: str | None, sensitive: Sequence[str]
) -> tuple[Case, list[str]]:  # fmt: skip
    """Bring real, held-out and synthetic rows under one schema; say too what of the synthetic ones it has no place for.

    Raises:
        InputError: what is no data, or columns that there are not, or held-out rows that are training rows.
    """
    from synthwright.kit.measuring.overlap import refuse_overlap

    if real is None and holdout is not None:
        raise InputError("evaluate", "held-out rows", wanted="the rows that were learned from beside them", got="none",
                         remedy="give them as the real rows, or leave the held-out ones out")  # fmt: skip
    train = None if real is None else Dataset.of(real, schema)
    agreed = schema or (train.schema if train else None)
    unjudged: list[str] = []
    if agreed is None:
        made = Dataset.of(synthetic)
    else:
        tables = _called(synthetic, agreed)
        unjudged = left_out({t: held.column_names for t, held in tables.items()}, agreed)
        made = Dataset.of(tables, agreed)
    rest = None if holdout is None else Dataset.of(_called(holdout, made.schema), made.schema)
    if train is not None and rest is not None:
        refuse_overlap(train, rest, "evaluate")
    rules = tuple((t, r) for t, table in made.schema.tables.items() for r in table.rules)
    named = columns_of(made.schema, [] if target is None else _texts([target], "target"))
    groups = columns_of(made.schema, _texts(sensitive, "sensitive"))
    return Case(train, rest, made, next(iter(named), None), groups, rules), unjudged


def left_out(columns: Mapping[str, Sequence[str]], schema: Schema) -> list[str]:
    """Return a sentence for the tables and one for the columns of synthetic data that the schema has no place for."""
    tables = [t for t in columns if t not in schema.tables]
    strange = [f"{t}.{c}" for t, names in columns.items() if t in schema.tables
               for c in names if c not in schema.tables[t].fields]  # fmt: skip
    said = []
    for word, found in (("table", tables), ("column", strange)):
        many, more = ("s", "were") if len(found) > 1 else ("", "was"), " …" if len(found) > 20 else ""
        if found:
            said.append(f"{len(found)} {word}{many[0]} of the synthetic data that the real data lacks {many[1]} not "
                        f"judged: {', '.join(map(repr, found[:20]))}{more}.")  # fmt: skip
    return said


def judge(  # noqa: PLR0913  what `evaluate` is told
    case: Case,
    metrics: Sequence[str],
    gates: Sequence[str],
    seed: int,
    watcher: Watcher | None = None,
    *,
    guessed: bool = False,
    waive: Mapping[str, str] | None = None,
    workers: int = 1,
    warned: Sequence[str] = (),
) -> tuple[Report, dict[str, float]]:
    """Measure a case and hold it against gates; return the report and the seconds of each metric.

    Args:
        case: what is measured.
        metrics: groups or single metrics.
        gates: what must hold, beside the default gates.
        seed: of the samples that metrics draw.
        watcher: who is told how far it is.
        guessed: whether the schema was guessed, so that the rules are no more than guesses.
        waive: why which default gates do not rule.
        workers: processes; the scores do not depend on it.
        warned: what the reader must know beside what is measured, a sentence each.
    """
    from synthwright.core.schema import fingerprint
    from synthwright.report.verdict import settle
    from synthwright.steps.judging import measured

    asked = _asked(metrics, gates, waive, case.sensitive)
    release = Use(use="parquet")
    spec = Spec(synthwright=1, name="evaluate", schema_=case.schema, evaluate=asked, curate=(), release=release)
    made = plan(spec, case.schema, _fault, guessed=guessed)
    many = len(made.metrics)
    told = None if watcher is None else lambda done, name: watcher.progress(done, many, name)
    scores, seconds = measured(case, made.metrics, seed, spec.evaluate.seconds, workers=workers, told=told)
    identity = fingerprint([d.fingerprint() for d in (case.train, case.holdout, case.synthetic) if d is not None])
    rows = {t: case.synthetic.rows(t) for t in case.schema.tables}
    settled = settle(scores, [g.text for g in made.gates])
    report = Report.of(
        scores,
        settled,
        rows=rows,
        fingerprint=identity,
        seconds={"evaluate": sum(seconds.values())},
        judged=True,
        waived=made.waived,
    )
    return report.model_copy(update={"warnings": (*warned, *report.warnings)}), seconds


def _called(data: Any, schema: Schema) -> dict[str, pa.Table]:
    """Return the tables of some data as they are outside; a single one under the name of the schema's single table."""
    if isinstance(data, Dataset):
        data = data.to_arrow_tables()
    if not isinstance(data, Mapping):
        if len(schema.tables) > 1:
            raise InputError("evaluate", "the data", wanted=f"a mapping of the {len(schema.tables)} tables' names to "
                             "frames", got=f"a {type(data).__name__}")  # fmt: skip
        data = {schema.only: data}
    if len(data) == 1 and len(schema.tables) == 1:
        data = {schema.only: next(iter(data.values()))}
    return {str(t): to_arrow(frame, str(t)) for t, frame in data.items()}


def _asked(metrics: Any, gates: Any, waive: Any, sensitive: tuple[str, ...]) -> Evaluate:
    """Return what is asked of some data, as a specification would say it."""
    from pydantic import ValidationError

    from synthwright.core.phrases import sentence

    if waive is not None and not isinstance(waive, Mapping):
        raise InputError("evaluate", "waive", wanted="a mapping of scores to reasons", got=f"a {type(waive).__name__}")
    try:
        return Evaluate(metrics=_texts(metrics, "metrics"), gates=_texts(gates, "gates"), waive=dict(waive or {}),
                        sensitive=sensitive)  # fmt: skip
    except ValidationError as error:
        one = error.errors(include_url=False)[0]
        word, *name = map(str, one["loc"])
        raise InputError("evaluate", f"{word} {name[0]!r}: {sentence(one)}" if name else f"{word}: {sentence(one)}",
                         remedy="a waiver says why, in the words that the card repeats" if word == "waive" else "",
                         ) from None  # fmt: skip


def _fault(place: tuple[str | int, ...], message: str) -> Fault:
    """Return a fault of what `evaluate` was told."""
    return Fault("evaluate", 0, 0, f"{place[1] if len(place) > 1 else place[0]}: {message}")


def _texts(said: Any, word: str, *, owner: str = "evaluate") -> tuple[str, ...]:
    """Return a list of texts; an InputError for anything else."""
    if isinstance(said, str) or not isinstance(said, Iterable):
        remedy = f"write [{said!r}]" if isinstance(said, str) else ""
        raise InputError(owner, word, wanted="a list of text", got=f"a {type(said).__name__}", remedy=remedy)
    found = tuple(said)
    if wrong := [one for one in found if not isinstance(one, str)]:
        raise InputError(owner, word, wanted="text", got=f"a {type(wrong[0]).__name__}")
    return found


def _whole(said: Any, word: str, least: int, *, owner: str = "evaluate") -> None:
    """Refuse what is no whole number, or too small a one."""
    if isinstance(said, bool) or not isinstance(said, int) or said < least:
        got = repr(said) if isinstance(said, int | float) else f"a {type(said).__name__}"
        raise InputError(owner, word, wanted=f"a whole number from {least}", got=got)


def check(spec: str | Path) -> Plan | None:
    """Check a specification without touching data; a SpecError holds every fault. The plan, if the schema is known."""
    return check_line(load_spec(Path(spec)))


def run(  # noqa: PLR0913  the parameters of a notebook function
    spec: str | Path,
    out: str | Path | None = None,
    *,
    seed: int | None = None,
    workers: int = 1,
    store: str | Path | None = None,
    force: bool = False,
    root: str | Path | None = None,
    watcher: Watcher | None = None,
) -> Report:
    """Run a specification: data and proof, or a refusal, in `out` (by default `out/<name>`).

    Args:
        spec: the file.
        out: where release and report go.
        seed: overrides the specification's.
        workers: processes; the bytes do not depend on it.
        store: where finished steps are kept; nothing: `out/.store`.
        force: replace what another run left in `out`.
        root: the project folder, which the specification's paths may not leave; nothing: the file's folder.
        watcher: who is told how far the run is.

    Raises:
        SynthwrightError: whatever is wrong. Gates that are not met raise nothing: `report.passed` is false.
    """
    from synthwright.trust import allowed_for

    path = Path(spec)
    loaded = load_spec(path, Path(root) if root else None, allowed_for(path.parent))
    at = Path(out) if out else Path("out") / loaded.spec.name
    return run_line(loaded, at, seed=seed, workers=workers, store=Path(store) if store else None, force=force,
                    watcher=watcher)  # fmt: skip


def compare(  # noqa: PLR0913  the parameters of a notebook function
    data: Any,
    methods: Sequence[str] | None = None,
    *,
    target: str | None = None,
    schema: Schema | None = None,
    seed: int = 0,
    rows: int | None = None,
    seconds: float = 900.0,
    workers: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
) -> Comparison:
    """Run several generators on the same real rows, and compare fidelity, utility, privacy and seconds.

    Each is judged against rows that none of them saw. One that fails, or takes too long, is a row that says so.

    Args:
        data: a path, a pandas, polars or Arrow frame, a `Dataset`, or a mapping of table names to frames.
        methods: names of generators that learn; nothing: all that can make the data.
        target: the column to predict; nothing: guessed.
        schema: what the data is; nothing: inferred.
        seed: the same seed gives the same split and the same rows.
        rows: how many rows each makes; nothing: as many as there are.
        seconds: how long each may learn and make rows.
        workers: processes; nothing: one a core.
        out: the folder for the page and each method's report; a stopped comparison goes on there.
        force: replace what another comparison left in `out`.

    Raises:
        InputError: data that nothing can be learned from, or a target that it has not.
        UnknownNameError: a method that nobody registered, or one that does not learn.
    """
    from synthwright.studies.compare import Wish
    from synthwright.studies.compare import compare as compare_runs

    _whole(seed, "seed", 0, owner="compare")
    for said, word in ((rows, "rows"), (workers, "workers")):
        if said is not None:
            _whole(said, word, 1, owner="compare")
    named = None if methods is None else _texts(methods, "methods", owner="compare")
    wish = Wish(named, target, schema, seed, rows, seconds, workers, force)
    return compare_runs(data, wish, Path(out) if out else None)
