"""A writer with known faults, built from real texts: what each curator finds of them, and what else it drops.

Real rows stand for written ones. Some of them get a fault, in place: `planted`. Each curator rules by itself on the
whole, with its defaults, and on the real rows that these were made from: what it drops of those, too, is natural.

    OMP_NUM_THREADS=1 python bench/text_faults.py [--sets banking77 …] [--rows 5000] [--seeds 3] [--out FILE]
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from text_faults_rows import (
    COPIED,
    DUPLICATE,
    LEAKED,
    MALFORMED,
    OFF,
    PERSONAL,
    REFUSAL,
    SHARES,
    SHORT,
    Planted,
    Rng,
    Rows,
    planted,
    written,
)  # fmt: skip

from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table

HERE = Path(__file__).resolve()
DATA = Path(os.environ.get("SYNTHWRIGHT_DATA", HERE.parents[2] / "shared" / "data")) / "text"
SETS = {"banking77": ("train", "test", "label"), "snips_nlu": ("train", "validate", "intent"),
        "trec_questions": ("train", "test", "label_id"), "sms_spam": ("data", "", "label")}  # fmt: skip
"""File to write from, file of the test split (none: every fifth row), and column of the label."""


class Counts(NamedTuple):
    """What a curator dropped, counted."""

    planted: int
    """Rows with the fault it looks for."""
    found: int
    """Of these, those it dropped."""
    other: int
    """Dropped rows with another planted fault; refusals that repeat an earlier one are right for duplicates."""
    right: int
    """Dropped rows with its own fault, planted or by such a repetition."""
    clean: int
    """Dropped rows without a fault."""
    natural: int
    """Dropped rows without its fault whose real texts it drops, too, where nothing was changed."""
    honest: int
    """Rows without a fault."""

    def plus(self, other: Counts) -> Counts:
        """Return both together."""
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def recall(self) -> float:
        """The share of the planted rows that it dropped."""
        return self.found / self.planted if self.planted else float("nan")

    @property
    def strict(self) -> float:
        """The share of its own fault among all that it dropped."""
        return self.precision_of(self.right + self.other + self.clean)

    @property
    def precision(self) -> float:
        """The same, without what is natural."""
        return self.precision_of(self.right + self.other + self.clean - self.natural)

    def precision_of(self, dropped: int) -> float:
        """Return the share of its own fault among so many; none dropped: no share."""
        return self.right / dropped if dropped else float("nan")


def counted(made: Planted, fault: str, drop: np.ndarray, before: np.ndarray) -> Counts:
    """Count what a curator dropped of planted rows, and of the real rows that these were made from."""
    own, clean = (made.fault == fault) & (fault != ""), made.fault == ""
    right = own | (made.again & (fault == DUPLICATE))
    natural = drop & before & made.made & ~right
    return Counts(*(int(m.sum()) for m in (own, own & drop, drop & ~right & ~clean, right & drop, drop & clean,
                                           natural, clean)))  # fmt: skip


class Tried(NamedTuple):
    """A curator, what it is told beside its defaults, and the fault it looks for."""

    name: str
    fault: str
    told: Mapping[str, Any] = {}
    column: str = "t.text"


CURATORS = (
    Tried("near-duplicates", DUPLICATE), Tried("same-meaning", DUPLICATE), Tried("off-label", OFF),
    Tried("off-label-real", OFF), Tried("personal-data", PERSONAL),
    Tried("contamination", LEAKED, {"sets": ("test.txt",)}), Tried("overlap", COPIED), Tried("boilerplate", REFUSAL),
    Tried("format", MALFORMED, {"as": "json"}, "t.details"), Tried("length", SHORT, {"least_words": 3}),
    Tried("wording", ""),
)  # fmt: skip
ORDER = ("length", "format", "boilerplate", "wording", "personal-data", "contamination", "overlap", "near-duplicates",
         "same-meaning", "off-label-real")  # fmt: skip
"""In which order all rule together: what a text alone tells comes first."""
SCHEMA = Schema(tables={"t": Table(fields={"text": Field(kind=Kind.TEXT), "label": Field(kind=Kind.CATEGORY),
                                           "details": Field(kind=Kind.TEXT)})})  # fmt: skip


def dataset(rows: Rows) -> Dataset:
    """Return numbered rows as curators get them."""
    held = {n: pa.array(c, pa.large_string()) for n, c in zip(("text", "label", "details"), rows, strict=True)}
    return Dataset(SCHEMA, {"t": pa.table({**held, ROW: pa.array(range(len(rows.texts)), pa.int64())})})


def dropped(tried: Tried, rows: Rows, shown: Rows, root: Path) -> tuple[np.ndarray, float]:
    """Let a curator rule on rows; return which it drops, and the processor's seconds."""
    data, real, ctx = dataset(rows), dataset(shown), Context(root=root)
    curator: Any = registry.find("curators", tried.name).model_validate({"columns": (tried.column,), **tried.told})
    begun = time.process_time()
    judge = curator.fit(data, real if curator.reads_real else None, ctx)
    found = judge.judge(data, ctx)
    return ~found[0].keep, time.process_time() - begun


def one_after_another(rows: Rows, shown: Rows, root: Path) -> np.ndarray:
    """Let the curators rule one after another, each on what those before it left; return which rows went."""
    left = np.arange(len(rows.texts))
    for name in ORDER:
        rest = Rows(*([column[i] for i in left] for column in rows))
        left = left[~dropped(next(t for t in CURATORS if t.name == name), rest, shown, root)[0]]
    return ~np.isin(np.arange(len(rows.texts)), left)


def real_rows(name: str, rows: int, rng: Rng) -> tuple[Rows, Rows, Rows]:
    """Return rows that stand for written ones, rows of the test split, and rows that the writer was shown."""
    train, test, label = SETS[name]

    def read(file: str) -> list[tuple[str, str]]:
        with gzip.open(DATA / name / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
            return [(r["text"], str(r[label])) for r in map(json.loads, lines)]

    whole = read(train)
    pairs = [whole[i] for i in rng.permutation(len(whole))]
    tests = read(test) if test else pairs[: len(pairs) // 5]
    pairs = pairs if test else pairs[len(tests) :]
    half = min(rows, len(pairs) // 2)
    parts = (pairs[:half], tests, pairs[half : 2 * half])
    made = [written([t for t, _ in p], [y for _, y in p], rng) for p in parts]
    return made[0], made[1], made[2]


class Measured(NamedTuple):
    """What was measured on one set, over all seeds."""

    rows: int
    counts: dict[str, Counts]
    seconds: dict[str, float]
    variants: dict[tuple[str, str], tuple[int, int]]
    """By curator and variant: found, planted."""
    missed: Counter[str]
    """Refusals that `boilerplate` left, and how often."""
    passed: dict[str, tuple[int, int]]
    """What all of them drop one after another, by fault (an empty text: rows without one): dropped, of how many."""


def measured(name: str, rows: int, seeds: int, tell: Callable[[str], None]) -> Measured:
    """Plant faults in a set and let every curator rule, with several seeds."""
    out = Measured(0, {}, {}, {}, Counter(), {})
    for seed in range(1, seeds + 1):
        rng = np.random.default_rng([seed, len(name)])
        before, tests, shown = real_rows(name, rows, rng)
        made, first = planted(before, tests, shown, rng), Rows(*(c[:300] for c in before))
        out = out._replace(rows=len(made.fault))
        with tempfile.TemporaryDirectory() as folder:
            lines = (" ".join(t.split()) for t in tests.texts)
            (Path(folder) / "test.txt").write_text("\n".join(lines), encoding="utf-8")
            for tried in CURATORS:
                dropped(tried, first, shown, Path(folder))  # what is loaded late is loaded before it is timed
                drop, took = dropped(tried, made.rows, shown, Path(folder))
                naturally, _ = dropped(tried, made.before, shown, Path(folder))
                counts = counted(made, tried.fault, drop, naturally)
                tell(f"{name} {seed} {tried.name} {counts} {took:.2f} s")
                none = Counts(*[0] * len(counts))
                out.counts[tried.name] = out.counts.get(tried.name, none).plus(counts)
                out.seconds[tried.name] = out.seconds.get(tried.name, 0.0) + took / seeds
                for i in np.flatnonzero(made.fault == tried.fault) if tried.fault else ():
                    found, of = out.variants.get((tried.name, str(made.variant[i])), (0, 0))
                    out.variants[tried.name, str(made.variant[i])] = (found + int(drop[i]), of + 1)
                    if tried.fault == REFUSAL and not drop[i]:
                        out.missed[made.rows.texts[i]] += 1
            gone = one_after_another(made.rows, shown, Path(folder))
        for fault in np.unique(made.fault):
            mine, (went, of) = made.fault == fault, out.passed.get(str(fault), (0, 0))
            out.passed[str(fault)] = (went + int((gone & mine).sum()), of + int(mine.sum()))
    return out


def share(value: float, digits: int = 3) -> str:
    """Return a share as text; a dash where there is none."""
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


HEADS = ("planted", "found", "recall", "dropped in all", "other faults", "clean", "natural",
         "precision without natural", "precision, strict", "clean rows lost", "CPU s")  # fmt: skip


def together(found: Mapping[str, Measured]) -> list[str]:
    """Return the table of what all curators drop, one after another."""
    said = ["### All of them, one after another: share of rows dropped", "", "| fault | " + " | ".join(found) + " |",
            "|---|" + "---:|" * len(found)]  # fmt: skip
    for fault in (*SHARES, ""):
        cells = (one.passed[fault] for one in found.values())
        said.append(f"| {fault or 'none'} | " + " | ".join(f"{went / of:.1%}" for went, of in cells) + " |")
    return [*said, ""]


def page(found: Mapping[str, Measured], seeds: int) -> str:
    """Return the tables."""
    said = []
    for name, one in found.items():
        said += [f"### {name}: {one.rows:,} rows", "",
                 "| curator | " + " | ".join(HEADS) + " |", "|---|" + "---:|" * len(HEADS)]  # fmt: skip
        for tried in CURATORS:
            c = one.counts[tried.name]
            said.append(f"| {tried.name} | {c.planted} | {c.found} | {share(c.recall)} | {c.right + c.other + c.clean} "
                        f"| {c.other} | {c.clean} | {c.natural} | {share(c.precision)} | {share(c.strict)} "
                        f"| {c.clean / c.honest:.2%} | {one.seconds[tried.name]:.2f} |")  # fmt: skip
        said.append("")
    said += together(found)
    said += ["### By variant: found of planted", "", "| curator | variant | " + " | ".join((*found, "recall")) + " |",
             "|---|---|" + "---:|" * (len(found) + 1)]  # fmt: skip
    keys = sorted({k for one in found.values() for k in one.variants})
    for tried in CURATORS:
        for key in (k for k in keys if k[0] == tried.name):
            cells = [one.variants.get(key, (0, 0)) for one in found.values()]
            went, of = (sum(c) for c in zip(*cells, strict=True))
            told = " | ".join(f"{a} of {b}" if b else "–" for a, b in cells)
            said.append(f"| {key[0]} | {key[1]} | {told} | {went / of:.3f} |")
    missed = sum((one.missed for one in found.values()), Counter[str]())
    about = (
        f"Refusals that `boilerplate` left: {len(missed)} of 30. `--missed` tells which; who works on it does not look."
    )
    said += ["", about]
    names = ("synthwright", "numpy", "pyarrow", "scipy", "python-stdnum", "phonenumbers")
    said += ["", f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, "
             + ", ".join(f"{n} {version(n)}" for n in names) + f"; {seeds} seeds: counts are sums over them, seconds "
             "means, one thread."]  # fmt: skip
    return "\n".join(said) + "\n"


def main() -> None:
    """Measure everything; print the tables, or put them below the heading `## Figures` of a page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--missed", action="store_true", help="print the refusals that were left, on the terminal only")
    told = parser.parse_args()
    found = {name: measured(name, told.rows, told.seeds, lambda said: print(said, flush=True)) for name in told.sets}
    if told.missed:
        print(*sorted({text for one in found.values() for text in one.missed}), sep="\n")
    tables, head = page(found, told.seeds), "## Figures\n\n"
    if told.out is None:
        print(tables)
    else:
        above = told.out.read_text(encoding="utf-8").partition(head)[0] if told.out.exists() else ""
        told.out.write_text(above + head + tables, encoding="utf-8")


if __name__ == "__main__":
    main()
