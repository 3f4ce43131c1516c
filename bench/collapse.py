"""Ten generations on two tables and on texts: what is lost by regime, and when it is flagged; a marked file is refused.

    nice python bench/collapse.py --data ../shared/data [--only NAME …] [--out bench/collapse.md] [--pages FOLDER]

Tables: Adult by `forest` and `copula`, MAGIC by `forest`, 5,000 rows a generation. Texts: snips (7 intents), 3,000
a generation, by a small writer that learns runs of three words by intent (it is this bench's own: no generator that
works without a language model learns texts), and by `text-augmentation`, with its deletions and without; beside them
texts that are drawn with replacement, with nothing changed. The rule that flags a generation is that of `synthwright
collapse`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

import synthwright as sw
from synthwright import __version__
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.errors import InputError
from synthwright.core.schema import Schema
from synthwright.generators.text_augmentation import TextAugmentation
from synthwright.report.collapsed import (
    DEPENDENCE,
    LIKENESS,
    PAIRS,
    RARE_WORDS,
    TAIL_MASS,
    TAILS,
    UTILITY,
    VOCABULARY,
    Collapse,
)
from synthwright.report.collapsed_shown import flag_of
from synthwright.studies.collapse import Wish, collapse
from synthwright.studies.collapse_makers import Maker, varying

SETS = (
    ("adult", "forest"),
    ("adult", "copula"),
    ("magic", "forest"),
    ("snips", "writer"),
    ("snips", "text-augmentation"),
    ("snips", "no-deletion"),
    ("snips", "draws"),
)
SHOWN = (1, 2, 3, 5, 10)
"""Generations that the page shows."""
_WORDS = 60
"""Words of a written text at most."""
_BEGIN, _END = "", "\n"
TEXTS = Schema.model_validate({"tables": {"request": {"fields": {
    "text": {"kind": "text", "nulls": False}, "intent": {"kind": "category", "nulls": False}}}}})  # fmt: skip


def written(rows: Dataset, many: int, ctx: Context) -> Dataset:
    """Write texts by runs of three words, which follow each other by intent as in the rows.

    Two words that were never seen together cannot follow: what is lost in one generation is lost for good.
    """
    held, rng = rows.tables["request"], ctx.rng
    after: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for text, intent in zip(held.column("text").to_pylist(), held.column("intent").to_pylist(), strict=True):
        said = [_BEGIN, _BEGIN, *text.split(), _END]
        for one, two, three in zip(said, said[1:], said[2:], strict=False):
            after[intent, one, two].append(three)
    intents = held.column("intent").take(pa.array(rng.integers(0, held.num_rows, many))).to_pylist()
    texts = [_text(after, intent, rng) for intent in intents]
    kind = held.schema
    return Dataset(rows.schema, {"request": pa.table({"text": texts, "intent": intents}).cast(kind)})


def drawn(rows: Dataset, many: int, ctx: Context) -> Dataset:
    """Draw texts with replacement: what chance alone takes, whoever reads so many texts."""
    held = rows.tables["request"]
    return Dataset(rows.schema, {"request": held.take(pa.array(ctx.rng.integers(0, held.num_rows, many)))})


def _text(after: dict[tuple[str, str, str], list[str]], intent: str, rng: np.random.Generator) -> str:
    said = [_BEGIN, _BEGIN]
    while len(said) < _WORDS + 2:
        able = after[intent, said[-2], said[-1]]
        word = able[int(rng.integers(len(able)))]
        if word == _END:
            break
        said.append(word)
    return " ".join(said[2:])


KEEPING = TextAugmentation(operations={"synonym": 0.1, "insertion": 0.1, "swap": 0.1})
"""As it is by default, but for deletions."""
OWN: dict[str, Maker] = {"writer": written, "draws": drawn, "no-deletion": varying(KEEPING, TEXTS, ("text",))}
"""What makes generations here, and is no registered generator."""


def requests(data: Path) -> pa.Table:
    """Return texts and their intents."""
    with gzip.open(data / "text" / "snips_nlu" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return pa.table({"text": [" ".join(r["text"].split()) for r in rows], "intent": [r["intent"] for r in rows]})


def benchmark(data: Path, name: str) -> pa.Table:
    """Return all rows of a benchmark table."""
    folder = data / "benchmark" / name
    return pa.concat_tables([pq.read_table(folder / f"{part}.parquet") for part in ("train", "test")])


def shown(found: Collapse, measures: tuple[str, ...]) -> str:
    """Return what every regime kept, as a table."""
    generations = _of(found)
    lines = [f"| measure | regime | {' | '.join(f'gen. {g}' for g in generations)} |",
             f"|---|---|{'---|' * len(generations)}"]  # fmt: skip
    for measure in measures:
        for regime in found.regimes:
            steps = [regime.steps[g - 1] for g in generations]
            cells = [f"{found.kept(measure, s) or 0.0:.3f}{'*' if measure in s.fallen else ''}" for s in steps]
            lines.append(f"| {measure} | {regime.title} | {' | '.join(cells)} |")
    flagged = (f"{r.title} {flag_of(r)}" for r in found.regimes)
    return "\n".join([*lines, "", f"First flags: {'; '.join(flagged)}."])


def _of(found: Collapse) -> list[int]:
    return [g for g in SHOWN if g <= found.generations]


def refused() -> str:
    """Return what a run says of a marked file as its source, and that the override is taken; which generation it is."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        rng = np.random.default_rng(1)
        age = rng.integers(18, 90, 400)
        pq.write_table(pa.table({"age": age, "income": np.where(age > 50, "high", "low")}), at / "people.parquet")
        spec: dict[str, Any] = {
            "synthwright": 1, "name": "people", "source": {"use": "parquet", "with": {"path": "people.parquet"}},
            "start": {"rows": {"people": 300}}, "parts": [{"make": ["people.*"], "use": "marginals"}],
            "evaluate": {"metrics": ["integrity"]}}  # fmt: skip
        (at / "people.yaml").write_text(yaml.safe_dump(spec), encoding="utf-8")
        sw.run(at / "people.yaml", at / "one")
        (at / "one" / "data" / "people" / "part-00000.parquet").rename(at / "people.parquet")
        try:
            sw.run(at / "people.yaml", at / "two")
            said = "it was taken"
        except InputError as error:
            said = str(error)
        (at / "people.yaml").write_text(yaml.safe_dump(spec | {"accept_synthetic": True}), encoding="utf-8")
        report = sw.run(at / "people.yaml", at / "two")
        mark = pq.read_schema(at / "two" / "data" / "people" / "part-00000.parquet").metadata
        return (f"A released file as the source of a run: `{said}` With `accept_synthetic: true` the run goes on; its "
                f"file carries `synthwright.generation = {mark[b'synthwright.generation'].decode()}`, and its report "
                f"says: “{report.warnings[0]}”")  # fmt: skip


def main() -> None:
    """Make the generations and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--only", nargs="*", choices=[f"{name}-{use}" for name, use in SETS])
    asked = parser.parse_args()
    about = (
        f"`bench/collapse.py`, Synthwright {__version__}, {platform.system()}, Python {platform.python_version()}, one "
        f"thread of {os.cpu_count()} cores, seed 0. A number is what a generation still has "
    )
    about += "of a measure, as a share of what a second real sample has (1 is all); * flags the generation."
    out = ["# Generations that learn from each other", "", about, ""]
    for name, use in SETS:
        if asked.only and f"{name}-{use}" not in asked.only:
            continue
        table = requests(asked.data) if name == "snips" else benchmark(asked.data, name)
        rows = asked.rows if name != "snips" else min(asked.rows, 3_000)
        schema = TEXTS if name == "snips" else None
        wish = Wish(asked.generations, use, None if name != "snips" else "intent", (0.1, 0.5), rows, schema)
        began = time.process_time()
        place = None if asked.pages is None else asked.pages / f"{name}-{use}"
        found = collapse(table, wish, place, make=OWN.get(use))
        spent = time.process_time() - began
        few = pc.min(pa.array([len(table), 3 * rows])).as_py()
        measures = (TAIL_MASS, RARE_WORDS, VOCABULARY, PAIRS, LIKENESS, UTILITY) if name == "snips" else \
            (TAILS, DEPENDENCE, LIKENESS, UTILITY)  # fmt: skip
        said = f"{rows:,} rows a generation, of {few:,} real ones; {spent:.0f} s of CPU."
        if name == "snips":
            has = ", ".join(f"{found.chance[m].reference:.3f} of the {m}" for m in measures[:3])
            said += f" Of the texts that judge a second real sample has {has}."
        out += [f"## {name}, by `{use}`", "", said, "", shown(found, measures), "", found.because, ""]  # fmt: skip
        print(f"{name} {use}: {spent:.0f} s; {[(r.title, r.flagged) for r in found.regimes]}", flush=True)
        if asked.out is not None:
            asked.out.write_text("\n".join(out), encoding="utf-8")
    out += ["## A marked file", "", refused(), ""]
    print("\n".join(out) if asked.out is None else out[-2])
    if asked.out is not None:
        asked.out.write_text("\n".join(out), encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
