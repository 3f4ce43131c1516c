"""How fast people are made: an eight-column person record to Parquet, in rows per second of one processor.

Name, e-mail address, address, date, UUID, amount, category and telephone number are made four ways on the same machine,
one thread each: by our generators (by themselves, and as a whole run of the command line), by Faker and by Mimesis
called row by row, and by bare numpy and pyarrow with alias tables and dictionary columns, which is the ceiling: its
names, addresses and numbers are drawn whole from 20,000 that were made beforehand. Ours are written as the product
writes them (zstd, statistics, checksums), the bare ones as it is fastest. Imports and the reading of dictionaries are
not counted, except for the whole run, where all is. The ways run in turns, each in a process of its own, several times;
the best counts. Mimesis is no dependency: it is installed into a folder of its own for the time of the measurement.

    python bench/people.py                       # prints a Markdown table
    python bench/people.py --write               # and keeps it in bench/people.md
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
ROWS = {"generators": 500_000, "faker": 5_000, "mimesis": 25_000, "bare": 500_000, "run": 1_000_000}
SHOWN = {"generators": "ours, the generators", "run": "ours, a whole `synthwright run`",
         "mimesis": "Mimesis, row by row", "faker": "Faker, row by row", "bare": "bare numpy and pyarrow"}  # fmt: skip
COLUMNS = ("name", "email", "address", "date", "uuid", "amount", "category", "phone")
CATEGORIES = {"books": 5, "toys": 3, "garden": 2, "home": 4, "sports": 2, "music": 1, "games": 2, "food": 6}
TIMES, ROUNDS = 4, 4
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "ARROW_IO_THREADS": "1"}
SPEC = f"""
synthwright: 1
name: people
schema:
  tables:
    person:
      fields:
        name: {{kind: text}}
        email: {{kind: text}}
        address: {{kind: text}}
        date: {{kind: date}}
        uuid: {{kind: text}}
        amount: {{kind: number, step: 0.01}}
        category: {{kind: category}}
        phone: {{kind: text}}
start: {{rows: {{person: {ROWS["run"]}}}}}
parts:
- {{make: [person.name, person.email, person.phone], use: person}}
- {{make: [person.address], use: address}}
- {{make: [person.date], use: distribution, with: {{uniform: {{low: "2020-01-01", high: "2024-12-31"}}}}}}
- {{make: [person.amount], use: distribution, with: {{lognormal: {{mu: 3, sigma: 1}}}}}}
- {{make: [person.category], use: choice, with: {{values: {json.dumps(CATEGORIES)}}}}}
- {{make: [person.uuid], use: uuid}}
curate: []
evaluate: {{metrics: [rows]}}
release: {{use: parquet}}
"""
"""The record as a specification: what the generators are, and what the whole run runs."""


def generators() -> Callable[[int, int], pa.Table]:
    """Return what makes the record by the generators of the specification."""
    from synthwright.core.context import Context
    from synthwright.core.dataset import Dataset
    from synthwright.core.loading import load_spec
    from synthwright.line import check

    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary, "people.yaml").write_text(SPEC, encoding="utf-8")
        planned = check(load_spec(Path(temporary, "people.yaml")))
    assert planned is not None
    context = Context(seed=1)
    models = [p.generator.fit(Dataset.empty(planned.schema), p.part, context) for p in planned.parts]

    def make(rows: int, shard: int) -> pa.Table:
        data = Dataset.blank(planned.schema, {"person": rows}, {"person": shard * rows})
        for planned_part, model in zip(planned.parts, models, strict=True):
            data = model.sample(data, context.at(planned_part.name, shard)).data
        return data.tables["person"].select(list(COLUMNS))

    return make


def faker() -> Callable[[int, int], pa.Table]:
    """Return what makes the record by Faker, row by row."""
    from faker import Faker

    made = Faker("en_US")
    labels = list(CATEGORIES)

    def make(rows: int, shard: int) -> pa.Table:
        made.seed_instance(shard)
        return pa.Table.from_pylist([
            {"name": made.name(), "email": made.email(), "address": made.address(), "date": made.date_object(),
             "uuid": made.uuid4(), "amount": made.pyfloat(min_value=1, max_value=500, right_digits=2),
             "category": made.random_element(labels), "phone": made.phone_number()}
            for _ in range(rows)
        ])  # fmt: skip

    return make


def mimesis() -> Callable[[int, int], pa.Table]:
    """Return what makes the record by Mimesis, row by row."""
    from mimesis import Address, Choice, Cryptographic, Datetime, Numeric, Person  # type: ignore[import-not-found]
    from mimesis.locales import Locale  # type: ignore[import-not-found]

    person, address, day = Person(Locale.EN, seed=1), Address(Locale.EN, seed=1), Datetime(Locale.EN, seed=1)
    number, secret, choice = Numeric(seed=1), Cryptographic(seed=1), Choice(seed=1)
    labels = list(CATEGORIES)

    def make(rows: int, _: int) -> pa.Table:
        return pa.Table.from_pylist([
            {"name": person.full_name(), "email": person.email(), "address": address.address(), "date": day.date(),
             "uuid": secret.uuid(), "amount": number.float_number(1, 500, precision=2), "category": choice(labels),
             "phone": person.telephone()}
            for _ in range(rows)
        ])  # fmt: skip

    return make


def bare() -> Callable[[int, int], pa.Table]:
    """Return what makes the record by numpy and pyarrow alone, from words that are made beforehand."""
    from faker import Faker

    made, rng = Faker("en_US"), np.random.Generator(np.random.Philox(1))
    made.seed_instance(1)
    firsts, lasts = ([getattr(made, w)() for _ in range(400)] for w in ("first_name", "last_name"))
    people = [(f, last) for f in firsts[:200] for last in lasts[:100]]
    names = pa.array([f"{f} {last}" for f, last in people])
    emails = pa.array([f"{f}.{last}@example.com".lower() for f, last in people])
    addresses = pa.array([made.address() for _ in range(20_000)])
    phones = pa.array([f"+1 {a}-555-01{n:02d}" for a in range(201, 401) for n in range(100)])
    labels = pa.array(list(CATEGORIES))
    weights = np.array(list(CATEGORIES.values()), dtype=np.float64)
    limits, other = alias(weights), alias_of(weights)
    few, few_other = alias(1 / (1 + np.arange(len(people)))), alias_of(1 / (1 + np.arange(len(people))))
    pairs = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), dtype=np.uint16)
    at = [i for i in range(36) if i not in (8, 13, 18, 23)]

    def drawn(rows: int, limit: np.ndarray, beyond: np.ndarray) -> np.ndarray:
        wide = rng.integers(0, 2**32, rows, dtype=np.uint32).astype(np.uint64) * np.uint64(len(limit))
        place = (wide >> np.uint64(32)).astype(np.int32)
        return np.where(wide.astype(np.uint32) < limit[place], place, beyond[place]).astype(np.int32)

    def make(rows: int, _: int) -> pa.Table:
        who = pa.array(drawn(rows, few, few_other))
        bits = rng.integers(0, 256, (rows, 16), dtype=np.uint8)
        bits[:, 6], bits[:, 8] = bits[:, 6] & 0x0F | 0x40, bits[:, 8] & 0x3F | 0x80
        chars = np.full((rows, 36), ord("-"), dtype=np.uint8)
        chars[:, at] = pairs[bits].view(np.uint8)
        ends = np.arange(rows + 1, dtype=np.int32) * 36
        uuids = pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(ends), pa.py_buffer(chars)])
        made = (
            pa.DictionaryArray.from_arrays(who, names), pa.DictionaryArray.from_arrays(who, emails),
            pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 20_000, rows, dtype=np.int32)), addresses),
            pa.array(rng.integers(18_262, 20_089, rows, dtype=np.int32)).cast(pa.date32()), uuids,
            pa.array(np.round(np.exp(3 + rng.standard_normal(rows)), 2)),
            pa.DictionaryArray.from_arrays(pa.array(drawn(rows, limits, other)), labels),
            pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 20_000, rows, dtype=np.int32)), phones),
        )  # fmt: skip
        return pa.table(dict(zip(COLUMNS, made, strict=True)))

    return make


def alias(weights: np.ndarray) -> np.ndarray:
    """Return the limits of an alias table, as fractions of 2**32."""
    return _alias(weights)[0]


def alias_of(weights: np.ndarray) -> np.ndarray:
    """Return what is beyond the limits of an alias table."""
    return _alias(weights)[1]


def _alias(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = weights / weights.sum() * len(weights)
    limits, other = np.full(len(weights), 2**32 - 1, dtype=np.uint32), np.arange(len(weights))
    small, large = list(np.flatnonzero(share < 1)), list(np.flatnonzero(share >= 1))
    while small and large:
        low, high = small.pop(), large.pop()
        limits[low], other[low] = int(share[low] * (2**32 - 1)), high
        share[high] -= 1 - share[low]
        (small if share[high] < 1 else large).append(high)
    return limits, other


WAYS = {"generators": generators, "faker": faker, "mimesis": mimesis, "bare": bare}


def written(way: str, table: pa.Table, path: Path) -> None:
    """Write a table: ours as the product does, others as pyarrow does by itself, the bare one as it is fastest."""
    if way == "generators":
        from synthwright.sinks.parquet import Parquet

        Parquet().write_file(table, path, {})
    elif way == "bare":
        coded = [name for name in COLUMNS if pa.types.is_dictionary(table.schema.field(name).type)]
        pq.write_table(table, path, use_dictionary=coded, write_statistics=False)
    else:
        pq.write_table(table, path)


def measured(way: str) -> dict[str, float]:
    """Make the record and write it, several times; return the seconds of the processor that the best took."""
    pa.set_cpu_count(1)
    make, rows = WAYS[way](), ROWS[way]
    with tempfile.TemporaryDirectory() as temporary:
        written(way, make(1_000, 0), Path(temporary, "warm.parquet"))
        best = {"made": float("inf"), "whole": float("inf")}
        for i in range(1, TIMES + 1):
            begun = time.process_time()
            table = make(rows, i)
            made = time.process_time()
            written(way, table, Path(temporary, f"{i}.parquet"))
            best["made"] = min(best["made"], made - begun)
            best["whole"] = min(best["whole"], time.process_time() - begun)
        held = pq.read_table(Path(temporary, f"{TIMES}.parquet"))
    assert held.num_rows == rows
    assert tuple(held.column_names) == COLUMNS
    return {"rows": rows, **best}


def whole_run() -> dict[str, float]:
    """Run the specification by the command line; return the seconds of the processor that it took, imports and all."""
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary, "people.yaml").write_text(SPEC, encoding="utf-8")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [str(Path(sys.executable).with_name("synthwright")), "run", "people.yaml", "--workers", "1"]
        subprocess.run(command, cwd=temporary, env=os.environ | ONE_THREAD, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        held = pq.read_table(Path(temporary, "out", "people", "data", "person"))
    assert held.num_rows == ROWS["run"]
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"rows": ROWS["run"], "whole": seconds}


def every() -> tuple[dict[str, dict[str, float]], str]:
    """Measure every way in a process of its own; return what each took, and the version of Mimesis."""
    found: dict[str, dict[str, float]] = {"run": whole_run()}
    with tempfile.TemporaryDirectory() as packages:
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", packages, "mimesis"]
        subprocess.run(install, check=True)
        mimesis_version = next(Path(packages).glob("mimesis-*.dist-info")).name.split("-")[1].removesuffix(".dist")
        for way in [*WAYS] * ROUNDS:  # in turns: what else the machine does then slows all of them
            extra = {"PYTHONPATH": packages} if way == "mimesis" else {}
            command = [sys.executable, __file__, "--way", way]
            environment = os.environ | ONE_THREAD | extra
            out = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            took = json.loads(out.splitlines()[-1])
            found[way] = min(took, found.get(way, took), key=lambda t: t["whole"])
    return found, mimesis_version


def report(found: dict[str, dict[str, float]], mimesis_version: str) -> str:
    """Return the figures as Markdown."""
    speed = {way: took["rows"] / took["whole"] for way, took in found.items()}
    ours = speed["generators"]
    lines = [_HEAD]
    for way in ("generators", "run", "mimesis", "faker", "bare"):
        took = found[way]
        lines.append(f"| {SHOWN[way]} | {took['rows']:,} | {took['whole']:.2f} s | {speed[way]:,.0f} | "
                     f"{ours / speed[way]:,.2f} |")  # fmt: skip
    goals = {"150 × Faker": ours / speed["faker"] / 150, "12 × Mimesis": ours / speed["mimesis"] / 12,
             "a third of the bare figure": ours / speed["bare"] * 3}  # fmt: skip
    said = [f"- {goal}: {'yes' if share >= 1 else 'no'}, {share:.1f} times that" for goal, share in goals.items()]
    made = found["generators"]["made"] / found["generators"]["whole"]
    versions = ", ".join(f"{p} {version(p)}" for p in ("synthwright", "faker", "numpy", "pyarrow"))
    machine = f"{_processor()}; {platform.system()}, Python {platform.python_version()}"
    lines += ["", "Asked for, of ours:", "", *said, "", f"Writing Parquet is {1 - made:.0%} of our time.", "",
              f"{machine}, {versions}, mimesis {mimesis_version}."]  # fmt: skip
    return "\n".join(lines) + "\n"


_HEAD = """# People: an eight-column record to Parquet

Name, e-mail address, address, date, UUID, amount, category, telephone number (`bench/people.py`): rows per second of
one processor, one thread. Imports and dictionaries are counted only in the whole run. The bare way draws whole names,
addresses and numbers from 20,000 that were made beforehand; ours puts every value together.

| | rows | processor | rows/s | ours, the generators, is so many times as fast |
|---|---|---|---|---|"""


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    named = [line for line in path.read_text().splitlines() if line.startswith("model name")] if path.exists() else []
    return f"{named[0].partition(':')[2].strip() if named else platform.processor()}, {os.cpu_count()} cores"


def main() -> None:
    """Measure and print; keep where it is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="keep the table in bench/people.md")
    parser.add_argument("--way", choices=sorted(WAYS), help="measure one way only, and print JSON")
    asked = parser.parse_args()
    if asked.way:
        print(json.dumps(measured(asked.way)))
        return
    said = report(*every())
    print(said)
    if asked.write:
        (HERE / "people.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
