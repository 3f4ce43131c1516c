"""The command line: a command for each step and a few more, all thin."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Optional

import typer

from synthwright import __version__

app = typer.Typer(
    name="synthwright", no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False,
    help="One specification in; synthetic data, and the proof that it may be used, out.\n\n"
    "[bold]Start:[/bold]  synthwright demo   ·   synthwright init data.csv   ·   synthwright run data.yaml",
    epilog="Exit codes: 0 released or passed, 1 fault in input or specification, 2 wrong usage, 3 gates not met, "
    "130 interrupted.",
)  # fmt: skip

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Root = Annotated[
    Path | None,
    typer.Option("--root", help="The project folder, which paths may not leave; by default the specification's."),
]
Seed = Annotated[Optional[int], typer.Option("--seed", min=0, help="Overrides the specification's seed.")]  # noqa: UP045
Workers = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--workers", min=1, max=256, help="Processes: they change no byte. By default one a core."),
]
Draw = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]


class Form(StrEnum):
    """What a report can be written as."""

    json = "json"
    md = "md"
    html = "html"
    png = "png"
    all = "all"


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"synthwright {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Examples:  synthwright init people.csv;  synthwright init --from payments")
def init(
    data: Annotated[Optional[Path], typer.Argument(help="A file or folder: CSV, Parquet, JSONL, Arrow, Excel, SQLite.")] = None,  # noqa: E501, UP045
    *,
    example: Annotated[Optional[str], typer.Option("--from", metavar="NAME", help="In place of data, a complete example: payments, ehr, shop, text-intents, …; `synthwright list examples` shows all.")] = None,  # noqa: E501, UP045
    force: Force = False, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Guess what data is, or take a complete example; write a specification, ready to run."""
    from synthwright.commands.making import init_example, init_project
    from synthwright.commands.saying import Say

    say = Say(json=json, quiet=quiet)
    if (data is None) == (example is None):
        raise typer.BadParameter("say the data to begin with, or an example with --from")
    if example is not None:
        init_example(example, force=force, say=say)
    elif data is not None:
        init_project(data, force=force, say=say)


@app.command(epilog="Example:  synthwright check adult.yaml")
def check(spec: Annotated[Path, typer.Argument(help="The specification.")], *, root: Root = None,
          json: Json = False, quiet: Quiet = False) -> None:  # fmt: skip
    """Find every fault of a specification at once; show the plan where there is none."""
    from synthwright.commands.asking import check_spec
    from synthwright.commands.saying import Say

    check_spec(spec, root, Say(json=json, quiet=quiet))


@app.command(epilog="Example:  synthwright plan intents.yaml")
def plan(spec: Annotated[Path, typer.Argument(help="The specification.")], *, root: Root = None,
         json: Json = False, quiet: Quiet = False) -> None:  # fmt: skip
    """Estimate what language models will take: calls, tokens, money and time; ask none."""
    from synthwright.commands.rehearsing import rehearse_spec
    from synthwright.commands.saying import Say

    rehearse_spec(spec, root, 20, Say(json=json, quiet=quiet), shown=0)


@app.command(epilog="Example:  synthwright run adult.yaml --out out/adult --workers 2")
def run(
    spec: Annotated[Path, typer.Argument(help="The specification.")],
    *,
    out: Annotated[Optional[Path], typer.Option("--out", "-o", help="Where release and report go; by default out/NAME.")] = None,  # noqa: E501, UP045
    seed: Seed = None,
    workers: Workers = None,
    store: Annotated[Optional[Path], typer.Option("--store", help="Where finished steps are kept; by default OUT/.store.")] = None,  # noqa: E501, UP045
    dry: Annotated[bool, typer.Option("--dry-run", help="Show the first prompts and what all will cost; ask no language model.")] = False,  # noqa: E501
    force: Force = False, root: Root = None, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Make the data and prove it, or refuse it; a stopped run goes on where it was."""
    from synthwright.commands.making import run_spec
    from synthwright.commands.rehearsing import rehearse_spec
    from synthwright.commands.saying import Say

    if dry:
        rehearse_spec(spec, root, 3, Say(json=json, quiet=quiet))
        raise typer.Exit
    run_spec(spec, out, {"seed": seed, "workers": workers, "store": store, "force": force, "root": root},
             Say(json=json, quiet=quiet))  # fmt: skip


@app.command(epilog="Example:  synthwright evaluate --real train.parquet --holdout test.parquet --synthetic fake.csv")
def evaluate(
    *,
    synthetic: Annotated[Path, typer.Option("--synthetic", help="The rows to judge, made by anybody.")],
    real: Annotated[Optional[Path], typer.Option("--real", help="The real rows they were made from; none for rows made by rules alone.")] = None,  # noqa: E501, UP045
    holdout: Annotated[Optional[Path], typer.Option("--holdout", help="Real rows that no generator saw.")] = None,  # noqa: UP045
    target: Annotated[Optional[str], typer.Option("--target", help="The column to predict.")] = None,  # noqa: UP045
    sensitive: Annotated[Optional[list[str]], typer.Option("--sensitive", help="A column whose groups are compared. May be said more than once.")] = None,  # noqa: E501, UP045
    gate: Annotated[Optional[list[str]], typer.Option("--gate", help="What must hold: 'shape <= 0.05'. May be said more than once.")] = None,  # noqa: E501, UP045
    out: Annotated[Optional[Path], typer.Option("--out", "-o", help="The folder that the report goes to.")] = None,  # noqa: UP045
    form: Annotated[Optional[list[Form]], typer.Option("--format", help="What to write into --out, by default json, md and html; png is every chart. Without --out, json or md is printed. May be said more than once.")] = None,  # noqa: E501, UP045
    seed: Draw = 0, workers: Workers = None, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Judge synthetic rows, made by any tool, against real ones."""
    from synthwright.commands.making import evaluate_files
    from synthwright.commands.saying import Say

    evaluate_files({"real": real, "holdout": holdout, "synthetic": synthetic}, target, out,
                   {"gates": gate or [], "seed": seed, "forms": form or [], "sensitive": sensitive or [],
                    "workers": workers}, Say(json=json, quiet=quiet))  # fmt: skip


@app.command(epilog="Example:  synthwright compare people.parquet --with forest,copula --target income")
def compare(
    data: Annotated[Path, typer.Argument(help="The real rows: CSV, Parquet, JSONL, Arrow, Excel, SQLite.")],
    *,
    with_: Annotated[Optional[list[str]], typer.Option("--with", metavar="NAME,…", help="Generators to compare; by default all that learn and can make the table.")] = None,  # noqa: E501, UP045
    target: Annotated[Optional[str], typer.Option("--target", help="The column to predict; by default guessed.")] = None,  # noqa: E501, UP045
    rows: Annotated[Optional[int], typer.Option("-n", "--rows", min=1, help="Rows that each makes; by default as many as there are.")] = None,  # noqa: E501, UP045
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="How long each may learn and make rows.")] = 900,
    out: Annotated[Optional[Path], typer.Option("--out", "-o", help="Where the page and the reports go; by default out/compare-NAME.")] = None,  # noqa: E501, UP045
    seed: Draw = 0, workers: Workers = None, force: Force = False, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Run several generators on one table; show the trade-off, and recommend one."""
    from synthwright.commands.comparing import compare_methods
    from synthwright.commands.saying import Say

    compare_methods(data, with_, out, {"target": target, "rows": rows, "seconds": seconds, "seed": seed,
                                       "workers": workers, "force": force}, Say(json=json, quiet=quiet))  # fmt: skip


@app.command(epilog="Example:  synthwright mix --real payments.parquet --target fraud --with smote,forest")
def mix(
    *,
    real: Annotated[Path, typer.Option("--real", help="The real rows: one table.")],
    target: Annotated[str, typer.Option("--target", help="The column that a model is to predict.")],
    positive: Annotated[Optional[str], typer.Option("--positive", metavar="VALUE", help="The class to be found; by default the rarer of two.")] = None,  # noqa: E501, UP045
    with_: Annotated[Optional[list[str]], typer.Option("--with", metavar="NAME,…", help="Generators to try; by default smote, forest, copula and bayes-net.")] = None,  # noqa: E501, UP045
    shares: Annotated[Optional[list[str]], typer.Option("--shares", metavar="SHARE,…", help="Shares of rows of a rare class, else of synthetic rows; by default three.")] = None,  # noqa: E501, UP045
    test: Annotated[Optional[Path], typer.Option("--test", help="Real rows that confirm the choice; by default a fifth of --real.")] = None,  # noqa: E501, UP045
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="How long a method may take to be tried, and again to be confirmed.")] = 900,  # noqa: E501
    out: Annotated[Optional[Path], typer.Option("--out", "-o", help="Where page and recipe go; by default out/mix-NAME.")] = None,  # noqa: E501, UP045
    seed: Draw = 0, workers: Workers = None, force: Force = False, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Find which generator and which share of synthetic rows help a model, or that none does."""
    from synthwright.commands.mixing import mix_file
    from synthwright.commands.saying import Say

    mix_file(real, target, {"methods": with_, "shares": shares}, out, {"positive": positive, "test": test,
             "seconds": seconds, "seed": seed, "workers": workers, "force": force},
             Say(json=json, quiet=quiet))  # fmt: skip


@app.command(epilog="Example:  synthwright collapse people.parquet --generations 10 --target income --share-fresh 0.5")
def collapse(
    data: Annotated[Optional[Path], typer.Argument(help="The real rows, one table: CSV, Parquet, JSONL, Arrow, Excel, SQLite.")] = None,  # noqa: E501, UP045
    *,
    data_: Annotated[Optional[Path], typer.Option("--data", help="The same, said as an option.")] = None,  # noqa: UP045
    generations: Annotated[int, typer.Option("--generations", min=2, max=100, help="How many.")] = 10,
    use: Annotated[Optional[str], typer.Option("--use", help="The generator; by default the one for tables, or what varies texts.")] = None,  # noqa: E501, UP045
    target: Annotated[Optional[str], typer.Option("--target", help="The column to predict; by default guessed.")] = None,  # noqa: E501, UP045
    share_fresh: Annotated[Optional[list[float]], typer.Option("--share-fresh", help="The share of fresh real rows that is mixed in, by default 0.1. May be said more than once.")] = None,  # noqa: E501, UP045
    rows: Annotated[Optional[int], typer.Option("-n", "--rows", min=50, help="Rows of a generation; by default a third of the real ones, 5,000 at most.")] = None,  # noqa: E501, UP045
    out: Annotated[Optional[Path], typer.Option("--out", "-o", help="Where the page goes; by default out/collapse-NAME.")] = None,  # noqa: E501, UP045
    seed: Draw = 0, force: Force = False, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Let generations learn from each other; show what is lost, and what keeps it."""
    from synthwright.commands.collapsing import collapse_file
    from synthwright.commands.saying import Say

    real = data or data_
    if real is None or (data and data_):
        raise typer.BadParameter("say the data, once")
    collapse_file(real, out, {"generations": generations, "use": use, "target": target, "rows": rows, "seed": seed,
                              "share_fresh": tuple(share_fresh or (0.1,)), "force": force},
                  Say(json=json, quiet=quiet))  # fmt: skip


@app.command(epilog="Example:  synthwright fit people.parquet -o people.model")
def fit(
    data: Annotated[Path, typer.Argument(help="The real rows.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for the model.")],
    generator: Annotated[str, typer.Option("--generator", "-g", help="See `synthwright list generators`.")] = "default",
    given: Annotated[Optional[list[str]], typer.Option("--given", help="A column that `sample` will set. May be said more than once.")] = None,  # noqa: E501, UP045
    seed: Draw = 0, force: Force = False, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Learn from a table and save the model."""
    from synthwright.commands.making import fit_file
    from synthwright.commands.saying import Say

    fit_file(data, out, generator, given or [], {"seed": seed, "force": force}, Say(json=json, quiet=quiet))


@app.command(epilog="Example:  synthwright sample people.model -n 10000 -o fake.parquet --set income='>50K'")
def sample(
    model: Annotated[Path, typer.Argument(help="A model that `fit` saved.")],
    *,
    rows: Annotated[Optional[int], typer.Option("-n", "--rows", min=0, help="Rows to make; by default as many as were learned from.")] = None,  # noqa: E501, UP045
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write: .parquet, .csv, .jsonl, …")],
    set_: Annotated[Optional[list[str]], typer.Option("--set", help="COLUMN=VALUE, or COLUMN=balanced. May be said more than once.")] = None,  # noqa: E501, UP045
    seed: Draw = 0, force: Force = False, json: Json = False, quiet: Quiet = False,
) -> None:  # fmt: skip
    """Make rows with a saved model."""
    from synthwright.commands.making import sample_file
    from synthwright.commands.saying import Say

    sample_file(model, out, rows, set_ or [], {"seed": seed, "force": force}, Say(json=json, quiet=quiet))


@app.command(epilog="Example:  synthwright verify out/adult")
def verify(folder: Annotated[Path, typer.Argument(help="A release.")], *, json: Json = False,
           quiet: Quiet = False) -> None:  # fmt: skip
    """Check that a release is byte for byte what its manifest says."""
    from synthwright.commands.asking import verify_release
    from synthwright.commands.saying import Say

    verify_release(folder, Say(json=json, quiet=quiet))


@app.command(epilog="Example:  synthwright ledger people.csv.privacy")
def ledger(folder: Annotated[Path, typer.Argument(help="The ledger of a source, or the source that it is beside.")], *,
           json: Json = False, quiet: Quiet = False) -> None:  # fmt: skip
    """Show what was spent of the privacy of a source, whom that protects, and what is left."""
    from synthwright.commands.ledgers import show_ledger
    from synthwright.commands.saying import Say

    show_ledger(folder, Say(json=json, quiet=quiet))


@app.command(name="list", epilog="Example:  synthwright list generators")
def list_(
    group: Annotated[Optional[str], typer.Argument(help="generators, processes, curators, metrics, sources, sinks, providers or examples; nothing: all recipes.")] = None,  # noqa: E501, UP045
    *, json: Json = False,
) -> None:  # fmt: skip
    """Show what there is: generators, processes, curators, metrics, sources, sinks, providers; or the examples."""
    from synthwright.commands.asking import list_plugins
    from synthwright.commands.saying import Say

    list_plugins(group, Say(json=json))


@app.command(epilog="Example:  synthwright explain forest")
def explain(name: Annotated[str, typer.Argument(help="A name that `list` shows.")], *, json: Json = False) -> None:
    """Show what a recipe does, and its parameters with bounds, defaults and meaning."""
    from synthwright.commands.asking import explain_plugin
    from synthwright.commands.saying import Say

    explain_plugin(name, Say(json=json))


@app.command(epilog="Example:  synthwright schema > synthwright.schema.json")
def schema() -> None:
    """Print the JSON Schema of the specification, for editors."""
    import json as to_json

    from synthwright.core.describe import spec_schema

    typer.echo(to_json.dumps(spec_schema(), indent=1, ensure_ascii=False))


@app.command(epilog="Example:  synthwright demo")
def demo(*, out: Annotated[Path, typer.Option("--out", "-o", help="Where release and report go.")] = Path("out/adult"),
         json: Json = False, quiet: Quiet = False) -> None:  # fmt: skip
    """Run the whole line on a real census table that comes with the package."""
    from synthwright.commands.making import run_spec
    from synthwright.commands.saying import Say
    from synthwright.examples import folder

    run_spec(folder("adult") / "adult.yaml", out, {"force": True}, Say(json=json, quiet=quiet))


def main() -> None:
    """Run the command line; whatever goes wrong is a message and an exit code, never a traceback."""
    from synthwright.commands.saying import guarded

    sys.exit(guarded(app))
