"""Commands that make something: init, run, evaluate, fit, sample."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from synthwright.commands.saying import Say
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError, RefusedError, StoreError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Schema
from synthwright.store.folder import said_plainly

if TYPE_CHECKING:
    from synthwright.core.contracts import Sink
    from synthwright.report.formats import Form


def init_project(data: Path, *, force: bool, say: Say) -> None:
    """Guess a schema; write it and a specification beside it into the present folder."""
    from synthwright.core.context import Context
    from synthwright.core.infer import infer
    from synthwright.core.relation_running import parts_of, rising
    from synthwright.core.writing import guessed_target_of, schema_yaml, spec_yaml
    from synthwright.sources.choose import folder_of, for_path
    from synthwright.sources.places import PathSource
    from synthwright.steps.source import left_out, told_left_out
    from synthwright.trust import allow

    here = Path.cwd()
    at = data.absolute()
    source = for_path(str(at))
    ctx = Context(root=folder_of(at))
    tables = source.tables(ctx)
    remarks = source.remarks(ctx) if isinstance(source, PathSource) else []
    guessed = infer(tables, text=source.text, typed=source.typed)
    dataset = Dataset.of(tables, guessed.schema, text=source.text)
    weak, adding = left_out(dataset), parts_of(dataset, told=True)
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", data.name.split(".")[0]).strip("-.") or "data"
    spec_file, schema_file = here / f"{name}.yaml", here / f"{name}.schema.yaml"
    _refuse_present((spec_file, schema_file), force=force)
    inside = here.resolve() in at.resolve().parents
    path = at.resolve().relative_to(here.resolve()).as_posix() if inside else str(at.resolve())
    reasons = {(n.table, n.column): f"{n.guess}; {n.why}" for n in guessed.notes if n.column}
    target = guessed_target_of(dataset)
    rows = {t: dataset.rows(t) for t in dataset.schema.tables if t not in weak}
    head = f"What the columns of {data.name} are, as guessed. Correct it: the specification follows it."
    written = {schema_file: schema_yaml(guessed.schema, reasons, head),
               spec_file: spec_yaml(name, source.name, path, schema_file.name, rows, target, list(weak),
                                    adding)}  # fmt: skip
    _write({file: text.encode() for file, text in written.items()})
    said = [*remarks, *map(told_left_out, weak)]
    said += [f"{p.make[0]} adds up the rows before, and made rows are made one by one: the part that "
             f"{spec_file.name} holds as a comment keeps it" for p in adding]  # fmt: skip
    said += [f"{column} never falls as {order} goes on, and made rows are made one by one: theirs may"
             for column, order in rising(dataset)]  # fmt: skip
    if not inside:
        remembered = allow(here, at)
        said.append("the data is outside this folder; that you named it here is remembered" if remembered else
                    f"the data is outside this folder: run with --root {at.parent}")  # fmt: skip
    _show_guesses(guessed.schema, reasons, say)
    say.result({"spec": spec_file.name, "schema": schema_file.name, "target": target, "notes": said,
                "guesses": [n._asdict() for n in guessed.notes]})  # fmt: skip
    for line in said:
        say.line(f"Note: {line}.")
    say.line(f"Wrote {spec_file.name} and {schema_file.name}. Next: synthwright run {spec_file.name}")


def init_example(name: str, *, force: bool, say: Say) -> None:
    """Copy an example into the present folder: its specification, what it reads, and what is to know about it."""
    from synthwright.examples import files as files_of

    here = Path.cwd()
    files = {here / where: at for where, at in files_of(name).items()}
    _refuse_present(files, force=force)
    _write({file: at.read_bytes() for file, at in files.items()})
    named = [f.relative_to(here).as_posix() for f in files]
    say.result({"spec": f"{name}.yaml", "files": named})
    say.line(f"Wrote {', '.join(named)}. Next: synthwright run {name}.yaml")


def _refuse_present(files: Iterable[Path], *, force: bool) -> None:
    for file in files:
        if file.exists() and not force:
            raise StoreError(
                file.name, "the file", wanted="a new file", got="one that is there", remedy="--force replaces it"
            )


def _write(files: Mapping[Path, bytes]) -> None:
    """Write files, each of them whole or not at all; their folders come to be."""
    for file, held in files.items():
        with said_plainly(file.parent):
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_name(f".{file.name}.new")
            unfinished.write_bytes(held)
            unfinished.replace(file)


def _show_guesses(schema: Schema, reasons: dict[tuple[str, str], str], say: Say) -> None:
    from rich.table import Table

    most = 60
    for name, table in schema.tables.items():
        shown = Table("column", "kind", "why", title=name.replace("[", r"\["), title_justify="left")
        for column, field in list(table.fields.items())[:most]:
            kind = field.kind.value + (f" ({field.sensitive}: made anew)" if field.sensitive else "")
            shown.add_row(*(w.replace("[", r"\[") for w in (column, kind, reasons.get((name, column), ""))))
        say.console.print(shown)
        if len(table.fields) > most:
            say.line(f"… and {len(table.fields) - most} columns more")
        for rule in table.rules:
            say.line(f"rule: {rule.rule}  ({rule.why})")


def run_spec(path: Path, out: Path | None, switches: dict[str, Any], say: Say) -> None:
    """Run the line, show the verdict, and say where everything is; exit code 3 where gates are not met."""
    from synthwright.engine.local import cores
    from synthwright.line import run
    from synthwright.trust import allowed_for

    loaded = load_spec(path, switches.pop("root", None), allowed_for(path.parent))
    at = out or Path("out") / loaded.spec.name
    workers = switches.pop("workers", None) or cores()
    with say.steps() as watcher:
        report = run(loaded, at, workers=workers, watcher=watcher, **switches)
    say.result(report.to_json() | {"out": str(at)})
    if not say.json:
        report.show(say.console)
    if report.passed:
        say.line(f"data:   {at / 'data'}\ncard:   {at / 'README.md'}")
    alone = "" if loaded.spec.source is None else " (for you alone: it shows real rows in aggregate)"
    say.line(f"report: {at / 'internal' / 'report.html'}{alone}\n"
             f"scores: {at / 'internal' / 'report.json'}")  # fmt: skip
    if not report.passed:
        raise typer.Exit(RefusedError.exit_code)


def evaluate_files(files: dict[str, Path | None], target: str | None, out: Path | None, switches: dict[str, Any],
                   say: Say) -> None:  # fmt: skip
    """Judge a file of synthetic rows; write the report where asked, or print it."""
    from synthwright.core.spec import DEFAULT_METRICS
    from synthwright.engine.local import cores
    from synthwright.face import case_of, judge, read
    from synthwright.report.formats import write_report
    from synthwright.report.markdown import report_markdown

    forms, printed = _forms(switches["forms"], out, json=say.json)
    if printed:
        say = Say(json=printed == "json", quiet=True)
    missing = [f"--{word} {path}" for word, path in files.items() if path is not None and not path.exists()]
    if missing:
        raise InputError("evaluate", missing[0], wanted="a file", got="no such file")
    real = read(files["real"]) if files["real"] else None
    schema = real.schema if real else None
    made, unjudged = _as(files["synthetic"], schema)
    held, _ = _as(files["holdout"], schema)
    case, _ = case_of(real, made, held, schema, target, switches["sensitive"])
    with say.steps() as watcher:
        watcher.begin("evaluate")
        report, seconds = judge(case, DEFAULT_METRICS, switches["gates"], switches["seed"], watcher, guessed=True,
                                workers=switches["workers"] or cores(), warned=unjudged)  # fmt: skip
        watcher.end("evaluate", sum(seconds.values()))
    if out is not None:
        with said_plainly(out):
            out.mkdir(parents=True, exist_ok=True, mode=0o700)
            written = write_report(report, case, out, forms)
        shown = [p for p in written if p.parent == out]
        say.line("\n".join(f"wrote {p}" for p in [*shown, *([out / "charts"] if "png" in forms else [])]))
    say.result(report.to_json())
    if printed == "md":
        sys.stdout.write(report_markdown(report, case))
    elif not say.json:
        report.show(say.console)
    if not report.passed:
        raise typer.Exit(RefusedError.exit_code)


def _forms(asked: Sequence[str], out: Path | None, *, json: bool) -> tuple[tuple[Form, ...], Form | None]:
    """Return the forms to write and the one to print; a usage error where they have no place to go."""
    from synthwright.report.formats import FORMS, USUAL

    forms = tuple(f for f in FORMS if f in asked or "all" in asked)
    if out is not None or not forms:
        return forms or USUAL, None
    if json:
        forms = tuple(f for f in FORMS if f in (*forms, "json"))
    if forms in (("json",), ("md",)):
        return forms, forms[0]
    files = [f for f in forms if f not in ("json", "md")]
    what = f"{files[0]} needs" if files else "more than one form needs"
    raise typer.BadParameter(f"{what} --out, the folder to write to", param_hint="'--format'")


def _as(path: Path | None, schema: Schema | None) -> tuple[Dataset | None, list[str]]:
    """Read a file under a schema, and say what that has no place for; a single table has the name that it gives it."""
    if path is None:
        return None, []
    from synthwright.core.context import Context
    from synthwright.face import left_out
    from synthwright.sources.choose import folder_of, for_path

    at = path.absolute()
    source = for_path(str(at))
    tables = source.tables(Context(root=folder_of(at)))
    if schema is not None and len(schema.tables) == 1 and len(tables) == 1:
        tables = {schema.only: next(iter(tables.values()))}
    unjudged = [] if schema is None else left_out({t: held.column_names for t, held in tables.items()}, schema)
    return Dataset.of(tables, schema, text=source.text), unjudged


def fit_file(data: Path, out: Path, generator: str, given: list[str], switches: dict[str, Any], say: Say) -> None:
    """Learn from a file and save the model; one that says its rows are synthetic is refused."""
    from synthwright.core.context import Context
    from synthwright.face import fit, read
    from synthwright.sources.choose import folder_of, for_path
    from synthwright.sources.provenance import refuse_synthetic

    if out.exists() and not switches["force"]:
        raise StoreError(
            str(out), "the model", wanted="a new folder", got="one that is there", remedy="--force replaces it"
        )
    at = data.absolute()
    refuse_synthetic(for_path(str(at)).files(Context(root=folder_of(at))), "the file",
                     "learn from real rows, or run a specification that says 'accept_synthetic: true'")  # fmt: skip
    model = fit(read(data), generator, given=given, seed=switches["seed"])
    model.save(out)
    say.result({"model": str(out), "rows": dict(model.rows)})
    say.line(f"Learned from {sum(model.rows.values()):,} rows. Next: synthwright sample {out} -n 1000 -o fake.parquet")


def sample_file(
    model: Path, out: Path, rows: int | None, set_to: list[str], switches: dict[str, Any], say: Say
) -> None:  # fmt: skip
    """Make rows with a saved model and write them into one file; one for each table where it cannot hold several."""
    from synthwright.face import load
    from synthwright.sinks.choose import for_path
    from synthwright.sources.provenance import mark_beside, synthetic_origin

    _refuse_there([out], switches)
    sink = for_path(str(out))
    held = load(model)
    asked = {}
    for said in set_to:
        column, equals, value = said.partition("=")
        if not equals:
            raise InputError("sample", f"--set {said!r}", wanted="COLUMN=VALUE", got="no '='")
        asked[column] = value
    made = held.sample_dataset(rows, asked, switches["seed"])
    from synthwright import __version__

    metadata = {
        "synthwright.synthetic": "true",
        "synthwright.version": __version__,
        "synthwright.seed": str(switches["seed"]),
    }
    if held.generation > 1:
        metadata["synthwright.generation"] = str(held.generation)
    if out.parent != Path() and not out.parent.is_dir():
        raise StoreError(
            str(out.parent), "the folder", wanted="a folder that is there", got="none", remedy="make it first"
        )
    written = _written(sink, made, out, metadata, switches)
    for at in written:
        if synthetic_origin([at]) is None:  # the format has no place for the mark
            mark_beside(at, held.generation)
    say.result({"file": str(out), "rows": {t: made.rows(t) for t in made.schema.tables}})
    say.line(f"Wrote {made.rows():,} rows to {', '.join(map(str, written))}.")


def _refuse_there(files: list[Path], switches: dict[str, Any]) -> None:
    """Refuse to replace files, unless that is asked for."""
    there = next((at for at in files if at.exists()), None)
    if there is not None and not switches["force"]:
        raise StoreError(
            str(there), "the file", wanted="a new file", got="one that is there", remedy="--force replaces it"
        )


def _written(sink: Sink, made: Dataset, out: Path, metadata: dict[str, str], switches: dict[str, Any]) -> list[Path]:
    """Write the tables of made rows, and return the files."""
    from synthwright.core.door import spell_table
    from synthwright.kit.files import folder_names, split_name
    from synthwright.sinks.parts import Part, Together

    specs = made.schema.tables
    tables = {t: spell_table(rows, t, specs[t], sink.spells) for t, rows in made.to_arrow_tables().items()}
    if isinstance(sink, Together):
        sink.write_tables([Part(t, rows, specs[t]) for t, rows in tables.items()], out, metadata)
        return [out]
    stem = split_name(out)[0]
    names = {t: f"{stem}.{said}{out.name[len(stem) :]}" for t, said in folder_names(tables).items()}
    files = {t: out.with_name(names[t]) if len(tables) > 1 else out for t in tables}
    _refuse_there(list(files.values()), switches)
    for table, rows in tables.items():
        sink.write_file(rows, files[table], metadata)
    return list(files.values())
