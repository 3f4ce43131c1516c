"""Ten real texts of each label, varied without a language model: does a classifier gain?

usage: few_shot.py --data ../shared/data/text [--sets banking77,trec] [--seeds 5] [--out bench/few_shot.md]

For every set and seed, ten texts of each label are drawn at random. `synthwright.run` varies them (`text-augmentation`,
each text four times) by its default settings, and by those of EDA (Wei and Zou, EDA: easy data augmentation techniques
for boosting performance on text classification tasks, EMNLP 2019, arXiv:1901.11196): one operation a text, a twentieth
of its words, one at least. Plain copies, each text four times more, are the control: what they gain is no variety,
but a weaker penalty. Classifiers learn from the ten texts alone and from these and the made ones, and label the real
test rows: scikit-learn's logistic regression (C = 10) over TF-IDF of words and pairs of words, its naive Bayes over the
same, and the classifier of the metric `text-utility`, in the run itself. Needs scikit-learn, which Synthwright does
not.

The interval of a difference is for other draws of the ten texts and for other test rows at once: the error is the root
of the sum of the variance of seeds' means over seeds and that of rows' means over rows (an upper bound: Owen, The
pigeonhole bootstrap, Annals of Applied Statistics 1, 2007, arXiv:0712.1111), widened as Student's t with as many
degrees of freedom as seeds less one.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import platform
import resource
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PER_LABEL = 10
COPIES = 4
MOST_TESTED = 3_080
EDA = ("synonym", "insertion", "swap", "deletion")
SETS = {
    "banking77": ("train.jsonl.gz", "test.jsonl.gz", "text", "label"),
    "trec": ("train.jsonl.gz", "test.jsonl.gz", "text", "label_id"),
    "snips": ("train.jsonl.gz", "validate.jsonl.gz", "text", "intent"),
    "sms_spam": ("data.jsonl.gz", "", "text", "label"),
    "speaker": ("data.jsonl.gz", "", "", ""),
}
FOLDERS = {"trec": "trec_questions", "snips": "snips_nlu", "speaker": "taskmaster4_coffee_dialogs"}
SPEC = """
synthwright: 1
name: few
seed: {seed}
schema:
  tables: {{{tables}}}
source: {{use: csv, with: {{path: {source}}}{holdout}}}
start: {{from: source, keep: [{kept}], repeat: {copies}}}
parts: [{parts}]
curate: []
evaluate: {{{evaluate}}}
release: {{use: jsonl}}
"""
_TABLE = "{0}: {{fields: {{text: {{kind: text}}, label: {{kind: category}}}}}}"
Pair = tuple[str, str]


class Made(NamedTuple):
    """What a run made, and what it cost."""

    rows: list[Pair]
    seconds: float
    scores: dict[str, list[float | None]]
    """`text-utility` by what it is about: value, reference, low, high."""


# --------------------------------------------------------------------------------------------------------------- data
def read(data: Path, name: str) -> tuple[list[Pair], list[Pair]]:
    """Return the texts to draw from, and those to test on, with their labels."""
    train, test, text, label = SETS[name]
    folder = data / FOLDERS.get(name, name)

    def lines(file: str) -> Iterable[dict[str, Any]]:
        with gzip.open(folder / file, "rt", encoding="utf-8") as held:
            yield from map(json.loads, held)

    if name == "speaker":
        rows = sorted({(t["text"], t["speaker"]) for line in lines(train) for t in line["turns"]})
    else:
        rows = [(line[text], str(line[label])) for line in lines(train)]
    if test:
        return _clean(rows), _clean([(line[text], str(line[label])) for line in lines(test)])[:MOST_TESTED]
    rows = _clean(rows)
    order = np.random.default_rng(0).permutation(len(rows))
    cut = len(rows) // 2
    return [rows[i] for i in order[:cut]], [rows[i] for i in order[cut:]][:MOST_TESTED]


def _clean(rows: list[Pair]) -> list[Pair]:
    """Return rows on one line each, every text once, labels as words: a CSV file holds them as they are."""
    found = {" ".join(text.split()): f"is {label}" for text, label in rows}
    return [(text, label) for text, label in found.items() if text]


def few(rows: list[Pair], rng: np.random.Generator) -> list[Pair]:
    """Return so many texts of each label."""
    by: dict[str, list[Pair]] = {}
    for row in rows:
        by.setdefault(row[1], []).append(row)
    return [held[i] for _, held in sorted(by.items()) for i in rng.choice(len(held), PER_LABEL, replace=False)]


# --------------------------------------------------------------------------------------------------------------- runs
def write(at: Path, rows: list[Pair]) -> None:
    """Write rows as CSV."""
    with at.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("text", "label"), *rows])


def by_default(at: Path, some: list[Pair], test: list[Pair], seed: int) -> Made:
    """Return texts varied by the default settings, with the proof of the run."""
    seen = {text for text, _ in some}
    write(at / "few.csv", some)
    write(at / "test.csv", [row for row in test if row[0] not in seen])
    parts = "{make: [few.text], use: text-augmentation}"
    proof = (
        "target: few.label, metrics: [integrity, text-utility], waive: {diversity: the benchmark asks for use alone}"
    )
    spec = SPEC.format(seed=seed, tables=_TABLE.format("few"), source="few.csv", holdout=", holdout: {path: test.csv}",
                       kept="few.label", copies=COPIES, parts=parts, evaluate=proof)  # fmt: skip
    return run(at, spec)


def by_eda(at: Path, some: list[Pair], test: list[Pair], seed: int) -> Made:
    """Return texts varied by the settings of EDA: a table for each operation, for one operation changes a text."""
    seen = {text for text, _ in some}
    for folder, rows in (("few", some), ("held", [row for row in test if row[0] not in seen][:50])):
        (at / folder).mkdir()
        for name in EDA:
            write(at / folder / f"{name}.csv", rows)
    parts = ", ".join(
        f"{{make: [{n}.text], use: text-augmentation, with: {{operations: {{{n}: 0.05}}, at_least_one: true}}}}"
        for n in EDA
    )
    tables = ", ".join(map(_TABLE.format, EDA))
    spec = SPEC.format(seed=seed, tables=tables, source="few", holdout=", holdout: {path: held}",
                       kept=", ".join(f"{n}.label" for n in EDA), copies=COPIES // len(EDA), parts=parts,
                       evaluate="metrics: [integrity], waive: {diversity: only use is asked about}")  # fmt: skip
    return run(at, spec)


def run(at: Path, spec: str) -> Made:
    """Return what a specification makes."""
    import synthwright as sw

    (at / "few.yaml").write_text(spec, encoding="utf-8")
    begun = _seconds()
    report = sw.run(at / "few.yaml", at / "out")
    spent = _seconds() - begun
    if not (at / "out" / "data").is_dir():
        raise SystemExit(f"nothing was released: {report.summary}")
    lines = [json.loads(line) for file in sorted((at / "out" / "data").rglob("*.jsonl"))
             for line in file.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    found = {s.about: [s.value, s.reference, s.low, s.high] for s in report.scores if s.metric == "text-utility"}
    made = [(line["text"], line["label"]) for line in lines]
    return Made([row for row in made if row[0]], spent, found)


def _seconds() -> float:
    """Return the processor seconds of this process and its children."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


# -------------------------------------------------------------------------------------------------------- classifiers
def classifiers() -> dict[str, Callable[[], Any]]:
    """Return what makes each classifier."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    def over(learner: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), learner())

    return {"logistic regression": over(lambda: LogisticRegression(C=10)),
            "naive Bayes": over(lambda: MultinomialNB(alpha=0.1))}  # fmt: skip


def right(learner: Callable[[], Any], rows: list[Pair], test: list[Pair]) -> np.ndarray:
    """Return which test rows a classifier labels rightly that learned from some rows."""
    found = learner().fit([text for text, _ in rows], [label for _, label in rows]).predict([text for text, _ in test])
    return np.asarray(found == np.array([label for _, label in test]))


def measured(data: Path, name: str, seed: int) -> dict[str, Any]:
    """Return what came of one draw: for each classifier and way, which test rows are right."""
    rows, test = read(data, name)
    some = few(rows, np.random.default_rng([seed, 1]))
    with tempfile.TemporaryDirectory() as folder:
        made = {}
        for way, make in {"defaults": by_default, "EDA": by_eda}.items():
            at = Path(folder, way)
            at.mkdir()
            made[way] = make(at, some, test, seed)
    if {len(m.rows) for m in made.values()} != {COPIES * len(some)}:
        raise SystemExit(f"{[len(m.rows) for m in made.values()]} texts were made of {len(some)}")
    learned = {"alone": some, "copies": some * (1 + COPIES)} | {way: some + m.rows for way, m in made.items()}
    hits = {c: {way: right(make, rows, test).tolist() for way, rows in learned.items()}
            for c, make in classifiers().items()}  # fmt: skip
    return {"hits": hits, "seconds": {w: m.seconds for w, m in made.items()}, "scores": made["defaults"].scores,
            "labels": len({label for _, label in some}), "tested": len(test),
            "same": {w: float(np.mean([t in dict(some) for t, _ in m.rows])) for w, m in made.items()}}  # fmt: skip


def difference(gain: np.ndarray) -> tuple[float, float]:
    """Return the mean of a matrix (seeds × test rows), and half the width of its 95 % interval."""
    from scipy.special import stdtrit

    seeds, rows = gain.shape
    by_rows = gain.mean(axis=0).var(ddof=1) / rows if rows > 1 else 0.0
    error = np.sqrt(gain.mean(axis=1).var(ddof=1) / seeds + by_rows)
    return float(gain.mean()), float(stdtrit(seeds - 1, 0.975) * error)


# --------------------------------------------------------------------------------------------------------------- page
def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Return a row for each set and classifier."""
    ways = ("copies", "EDA", "defaults")
    lines = ["| set | labels | tested | classifier | ten real texts a label | " + " | ".join(
        {"copies": "+ plain copies", "EDA": "+ EDA settings", "defaults": "+ `text-augmentation`"}[w] for w in ways)
        + " |", "|---|---:|---:|---|---:|" + "---:|" * len(ways)]  # fmt: skip
    for name, runs in found.items():
        for kind in runs[0]["hits"]:
            hits = {w: np.array([r["hits"][kind][w] for r in runs], dtype=float) for w in ("alone", *ways)}
            gains = [difference(hits[w] - hits["alone"]) for w in ways]
            said = " | ".join(f"{100 * g:+.1f} ± {100 * e:.1f}{'' if abs(g) <= e else ' **'}" for g, e in gains)
            lines.append(f"| {name} | {runs[0]['labels']} | {runs[0]['tested']:,} | {kind} | "
                         f"{100 * hits['alone'].mean():.1f} % | {said} |")  # fmt: skip
    return "\n".join(lines)


def proofs(found: dict[str, list[dict[str, Any]]]) -> str:
    """Return what `text-utility` said in the runs, by set and seed."""
    lines = ["| set | seed | real alone | varied alone | both | both less real |", "|---|---:|---:|---:|---:|---|"]
    for name, runs in found.items():
        for seed, one in enumerate(runs):
            whole, both, gain = (one["scores"][about] for about in ("", "both", "both less real"))
            shown = [f"{100 * n:.1f} %" for n in (both[1], whole[0], both[0])]
            lines.append(f"| {name} | {seed} | {' | '.join(shown)} | "
                         f"{100 * gain[0]:+.1f} ({100 * gain[2]:+.1f} to {100 * gain[3]:+.1f}) |")  # fmt: skip
        gains = np.array([[one["scores"]["both less real"][0]] for one in runs])
        mean, half = difference(gains)
        lines.append(f"| {name} | all | | | | **{100 * mean:+.1f} ± {100 * half:.1f}** |")
    return "\n".join(lines)


def page(found: dict[str, list[dict[str, Any]]], seeds: int) -> str:
    """Return the page."""
    import sklearn

    import synthwright

    said = "\n\n".join(" ".join(p.split()) for p in str(__doc__).split("\n\n")[2:])
    costs = {n: np.mean([r["seconds"]["defaults"] for r in runs]) for n, runs in found.items()}
    same = {n: np.mean([r["same"]["defaults"] for r in runs]) for n, runs in found.items()}
    machine = (
        f"{platform.system()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"synthwright {synthwright.__version__}, numpy {np.__version__}, scikit-learn {sklearn.__version__}. "
        f"{seeds} seeds. Accuracy on real test rows; beside it the difference in percentage points with its 95 % "
        "interval; two stars where the interval leaves out 0."
    )
    cost = ", ".join(f"{s:.0f} s ({n})" for n, s in costs.items())
    equal = ", ".join(f"{100 * s:.0f} % ({n})" for n, s in same.items())
    spent = (
        f"A run of `text-augmentation` with its proof took {cost} of CPU. Of the varied texts so many are equal to the "
        f"real one: {equal}."
    )
    metric = (
        "`text-utility`: its own classifier, over pieces of words too. The interval of a seed is for "
        "other test rows alone, that of all for other draws. Of the varied texts of banking77 it reads 1,500."
    )
    return "\n".join(["# Ten real texts of each label, varied: does a classifier gain?", "", said, "", machine, "",
                      table(found), "", spent, "", "## What the metric said in each run", "", metric, "",
                      proofs(found), ""])  # fmt: skip


def main() -> None:
    """Measure what was asked for, keep each draw in a file beside, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", default="banking77,trec,snips,sms_spam")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "synthwright-few-shot"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    asked.cache.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[dict[str, Any]]] = {}
    for name in asked.sets.split(","):
        for seed in range(asked.seeds):
            at = asked.cache / f"{name}-{seed}.json"
            if not at.exists():
                begun = time.monotonic()
                at.write_text(json.dumps(measured(asked.data, name, seed)), encoding="utf-8")
                print(f"{name} {seed}: {time.monotonic() - begun:.0f} s", flush=True)
            found.setdefault(name, []).append(json.loads(at.read_text(encoding="utf-8")))
    text = page(found, asked.seeds)
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
