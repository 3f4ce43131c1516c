"""The example `ehr`: prevalence by age and sex beside published figures, what it covers, and whether its FHIR is valid.

The example is run twice by the command line: with 20,000 patients, released as Parquet, for the prevalences; and as it
is, released as FHIR R4B, for the resources. `fhir.resources` is no dependency: it is installed into a folder of its own
for the time of the measurement. What is compared with, and where it is from, stands in `bench/ehr_figures.py`.

    python bench/ehr.py                       # prints Markdown; about three minutes of one processor
    python bench/ehr.py --write               # and keeps it in bench/ehr.md
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ehr_figures import COVERED, FIGURES, SOURCES, STANDARD, Figure

from synthwright.core import safe_yaml
from synthwright.core.writing import document

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "ehr" / "ehr.yaml"
SAMPLE = HERE.parent.parent / "shared" / "data" / "healthcare" / "synthea_small"
PATIENTS = 20_000
EACH = 2_000
"""Resources of each type that are validated."""
RELATIVE, POINTS = 0.10, 0.5
"""Where a source gives no interval: this part of the figure, or so many points, whichever is more."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "ARROW_IO_THREADS": "1"}
Z = 1.959964


# -------------------------------------------------------------------------------------------------------- running
def run(folder: Path, said: dict[str, Any]) -> tuple[Path, float]:
    """Run a specification by the command line; return where its data is, and the seconds of the processor it took."""
    folder.mkdir()
    (folder / "ehr.yaml").write_text(document(said), encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "synthwright", "run", "ehr.yaml", "--workers", "1"]
    subprocess.run(command, cwd=folder, env=os.environ | ONE_THREAD, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return folder / "out" / "ehr" / "data", after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def example() -> dict[str, Any]:
    """Return the example's specification."""
    said: dict[str, Any] = safe_yaml.load(EXAMPLE.read_bytes(), EXAMPLE.name).data
    return said


# ----------------------------------------------------------------------------------------------------- prevalence
class People:
    """Who lives on the last day: sex, age, and who has what."""

    def __init__(self, data: Path) -> None:
        held = pq.read_table(data / "patient", columns=["id", "sex", "age", "died_on"])
        held = held.filter(pc.is_null(held["died_on"]))
        found = pq.read_table(data / "condition", columns=["patient", "module", "status"])
        found = found.filter(pc.equal(found["status"], "active"))
        self.female = np.asarray(pc.equal(held["sex"], "F"))
        self.age = held["age"].to_numpy()
        self.has = {
            m: np.asarray(pc.is_in(held["id"], value_set=found.filter(pc.equal(found["module"], m))["patient"]))
            for m in dict.fromkeys(f.module for f in FIGURES)
        }  # fmt: skip

    def _there(self, figure: Figure, low: int, high: int) -> np.ndarray:
        sex = {"F": self.female, "M": ~self.female}.get(figure.sex, np.ones(len(self.age), dtype=bool))
        return np.asarray(sex & (self.age >= low) & (self.age <= high))

    def measured(self, figure: Figure) -> tuple[int, float, float, float]:
        """Return how many people a figure is about here, the percentage that has it, and its 95% interval."""
        has = self.has[figure.module]
        if not figure.adjusted:
            there = self._there(figure, figure.low, figure.high)
            return int(there.sum()), *(100 * v for v in wilson(int(has[there].sum()), int(there.sum())))
        people = [self._there(figure, *band) for band in STANDARD]
        weights = np.array(list(STANDARD.values())) / sum(STANDARD.values())
        shares = np.array([has[t].mean() for t in people])
        error = Z * np.sqrt((weights**2 * shares * (1 - shares) / [t.sum() for t in people]).sum())
        value = float(weights @ shares)
        return int(sum(t.sum() for t in people)), 100 * value, 100 * (value - error), 100 * (value + error)


def wilson(hits: int, count: int) -> tuple[float, float, float]:
    """Return a share and its 95% interval."""
    share, half = hits / count, Z * Z / count
    middle = (share + half / 2) / (1 + half)
    width = Z / (1 + half) * float(np.sqrt(share * (1 - share) / count + half / (4 * count)))
    return share, middle - width, middle + width


def tolerated(figure: Figure) -> tuple[float, float]:
    """Return from where to where a percentage may be."""
    if figure.least is not None and figure.most is not None:
        return figure.least, figure.most
    by = max(RELATIVE * figure.percent, POINTS)
    return max(figure.percent - by, 0), figure.percent + by


def prevalences(people: People) -> tuple[list[str], int, int]:
    """Return the table of prevalences, how many figures hold, and how often our value itself is where it may be."""
    lines = [
        "| module | who | people | cited | may be | ours (95% interval) | holds |",
        "|---|---|---|---|---|---|---|",
    ]
    met = inside = 0
    for figure in FIGURES:
        count, value, low, high = people.measured(figure)
        least, most = tolerated(figure)
        holds = low <= most and high >= least
        met += holds
        inside += least <= value <= most
        band = f"{figure.low}–{figure.high}" if figure.high < 120 else f"{figure.low}+"
        who = {"F": "women ", "M": "men "}.get(figure.sex, "") + band + (", age-adjusted" if figure.adjusted else "")
        lines.append(f"| {figure.module} | {who} | {count:,} | {figure.percent} | {least:.1f} to {most:.1f} | "
                     f"{value:.1f} ({low:.1f} to {high:.1f}) | {'yes' if holds else 'NO'} |")  # fmt: skip
    return lines, met, inside


# ------------------------------------------------------------------------------------------------------- coverage
def covered(schema: dict[str, Any]) -> list[str]:
    """Return which tables and columns of the Synthea sample are covered; a ValueError where one is forgotten."""
    lines = ["| table of the sample | columns | held by | left out |", "|---|---|---|---|"]
    ours = {f"{t}.{c}" for t, table in schema["tables"].items() for c in table["fields"]}
    for table, columns in sample():
        said = COVERED[table]
        if isinstance(said, str):
            lines.append(f"| {table} | {len(columns)} | – | all of it: {said} |")
            continue
        lost = [c for c in columns if c not in said] + [v for v in said.values() if v[0] != "!" and v not in ours]
        if lost:
            raise ValueError(f"{table}: nothing is said of {lost}")
        held = {c: v for c, v in said.items() if v[0] != "!"}
        left: dict[str, list[str]] = {}
        for column, why in said.items():
            if why[0] == "!":
                left.setdefault(why[1:], []).append(column)
        out = "; ".join(f"{', '.join(names)} ({why})" for why, names in left.items()) or "–"
        lines.append(
            f"| {table} | {len(columns)} | {len(held)} in `{next(iter(held.values())).split('.')[0]}` | {out} |"
        )
    return lines


def sample() -> Iterator[tuple[str, list[str]]]:
    """Yield the tables of the sample and their columns."""
    for path in sorted(SAMPLE.iterdir()):
        if path.suffix == ".csv":
            with path.open(encoding="utf-8") as file:
                yield path.stem, next(csv.reader(file))
        elif path.suffix == ".parquet":
            yield path.stem, pq.read_schema(path).names


# ----------------------------------------------------------------------------------------------------------- FHIR
def validated(data: Path, each: int) -> dict[str, Any]:
    """Return how many resources of each type there are, how many were validated, and what was wrong with which."""
    from fhir.resources.R4B import get_fhir_model_class

    found: dict[str, Any] = {}
    kept: dict[str, set[str]] = {}
    pointed: dict[str, set[str]] = {}
    begun = time.process_time()
    for path in sorted(data.glob("*/part-*.*.ndjson")):
        kind, problems, count = path.name.split(".")[1], [], 0
        model = get_fhir_model_class(kind)
        for line in path.open(encoding="utf-8"):
            said = json.loads(line)
            kept.setdefault(kind, set()).add(said["id"])
            for target in references(said):
                pointed.setdefault(target.partition("/")[0], set()).add(target.partition("/")[2])
            if count < each:
                try:
                    problems += list(outside(model.model_validate(said)))
                except ValueError as error:
                    problems.append(str(error))
            count += 1
        found[kind] = {"there": count, "validated": min(count, each), "wrong": problems[:5]}
    lost = {kind: len(ids - kept.get(kind, set())) for kind, ids in pointed.items()}
    bundles = [json.loads(line) for path in sorted(data.glob("Patient-bundles/*.ndjson"))[:1]
               for line in path.open(encoding="utf-8")][:30]  # fmt: skip
    for bundle in bundles:
        get_fhir_model_class("Bundle").model_validate(bundle)
    return {"types": found, "lost": sum(lost.values()), "bundles": len(bundles), "version": version("fhir.resources"),
            "seconds": time.process_time() - begun}  # fmt: skip


def references(said: Any) -> Iterator[str]:
    """Yield every reference in a resource."""
    if isinstance(said, dict):
        if isinstance(said.get("reference"), str):
            yield said["reference"]
        for inner in said.values():
            yield from references(inner)
    elif isinstance(said, list):
        for inner in said:
            yield from references(inner)


def outside(model: Any) -> Iterator[str]:
    """Yield codes that are none of those that FHIR allows at their place, as far as the library knows them."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        allowed = (field.json_schema_extra or {}).get("enum_values")
        if allowed and isinstance(value, str) and value not in allowed:
            yield f"{type(model).__name__}.{name}: {value!r}"
        for inner in value if isinstance(value, list) else [value]:
            if hasattr(type(inner), "model_fields"):
                yield from outside(inner)


def library(data: Path) -> dict[str, Any]:
    """Validate with fhir.resources, which is installed into a folder of its own."""
    with tempfile.TemporaryDirectory() as packages:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", packages, "fhir.resources"]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
        command = [sys.executable, __file__, "--validate", str(data)]
        environment = os.environ | {"PYTHONPATH": packages}
        out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


# --------------------------------------------------------------------------------------------------------- report
def report() -> str:
    """Measure everything; return it as Markdown."""
    said = example()
    with tempfile.TemporaryDirectory() as temporary:
        many = said | {"release": {"use": "parquet"}, "start": said["start"] | {
            "rows": said["start"]["rows"] | {"patient": PATIENTS, "organization": 200, "provider": 1_000}}}  # fmt: skip
        data, seconds = run(Path(temporary, "many"), many)
        rows = {t: pq.ParquetDataset(data / t).read(columns=["id"]).num_rows for t in said["schema"]["tables"]}
        people = People(data)
        bundled = said | {"release": {"use": "fhir", "with": said["release"]["with"] | {"bundle": "Patient"}}}
        written, fhir_seconds = run(Path(temporary, "few"), bundled)
        checked = library(written)
        size = sum(p.stat().st_size for p in written.rglob("*.ndjson") if "bundles" not in p.parent.name)
    table, met, inside = prevalences(people)
    kinds = [f"| {kind} | {of['there']:,} | {of['validated']:,} | {len(of['wrong']) or 'none'} |"
             for kind, of in checked["types"].items()]  # fmt: skip
    versions = ", ".join(f"{p} {version(p)}" for p in ("synthwright", "numpy", "pyarrow", "polars"))
    prevalence = (
        f"{sum(rows.values()):,} rows in {len(rows)} tables for {PATIENTS:,} patients, in {seconds:.0f} seconds of one "
        f"processor, everything counted. Percentages of the {len(people.age):,} who live at the end of 2024; who has "
        f"what is read from `condition`. {met} of {len(FIGURES)} figures hold; in {inside} our value itself is where "
        "it may be."
    )
    fhir = (
        f"The example as it is ({said['start']['rows']['patient']} patients): {size / 1e6:.0f} MB of NDJSON, and "
        f"Bundles; {fhir_seconds:.0f} seconds of one processor, everything counted. Validated with fhir.resources "
        f"{checked['version']} (R4B), codes against the values that it lists; {checked['seconds']:.0f} seconds. "
        f"References that lead nowhere, of all resources: {checked['lost'] or 'none'}. {checked['bundles']} Bundles "
        "are valid."
    )
    machine = (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, shared; {platform.system()}, "
        f"Python {platform.python_version()}, {versions}."
    )
    sources = [f"- {name}: {text}" for name, text in _sources()]
    heads = ["| resource | there | validated | wrong |", "|---|---|---|---|"]
    lines = [_HEAD, "", "## Prevalence by age and sex", "", fill(prevalence, 120), "", *table, "", "Sources:", "",
             *sources, "", "## The Synthea sample's tables and columns", "", *covered(said["schema"]), "",
             "## FHIR R4B", "", fill(fhir, 120), "", *heads, *kinds, "", machine]  # fmt: skip
    return "\n".join(lines) + "\n"


def _sources() -> Iterator[tuple[str, str]]:
    """Yield which modules a source is of, and the source."""
    for source, text in SOURCES.items():
        yield ", ".join(dict.fromkeys(f.module for f in FIGURES if f.source == source)), text


_HEAD = f"""# EHR: patients, visits and what is found

The example `ehr` (`bench/ehr.py`). A figure holds if the 95% binomial interval of ours meets what it may be: the 95%
interval of the source where that gives one, else ± {RELATIVE:.0%} of the figure or ± {POINTS} points, the greater.
Where few people are of an age, that says little: the interval is wide."""


def main() -> None:
    """Measure and print; keep where it is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the report in bench/ehr.md")
    parser.add_argument("--validate", type=Path, help="validate the FHIR resources in a folder only, and print JSON")
    asked = parser.parse_args()
    if asked.validate:
        print(json.dumps(validated(asked.validate, EACH)))
        return
    said = report()
    print(said)
    if asked.write:
        (HERE / "ehr.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
