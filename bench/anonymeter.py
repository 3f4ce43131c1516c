"""Hold our privacy attacks beside those of anonymeter and SDMetrics, on rows of which a known part is copied.

    python -m venv E && E/bin/pip install anonymeter==1.1.0 sdmetrics==0.32.0 pyarrow
    python bench/anonymeter.py --data ../shared/data/benchmark --peer E/bin/python

The peers run in an environment of their own (Python 3.11 or later), for nothing of the project depends on them. Both
sides get the same rows. Tables are split as `proof.py` splits them: 1,600 rows to learn from, 800 held out, and 1,600
that stand for synthetic rows, honest or with rows copied. Results are kept line by line in `--cache`, so that a run
goes on where it was stopped. Writes `anonymeter.md` beside this file; `anonymeter_report.py` says what is in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TABLES = {"adult": "occupation", "shoppers": "Region"}
"""The tables, and of each the column that SDMetrics takes for the secret."""
CASES = {"honest": None, "1 % copied": ("train-copied", 0), "5 % copied": ("train-copied", 1),
         "40 isolated copied": ("isolated-leaked", 2), "all, noise 0.02 sd": ("train-copied-with-noise", 2),
         "all copied": None}  # fmt: skip
"""The synthetic tables: faults of `faults.py` with their strength; honest rows; the training rows, shuffled."""
SPLITS = 3
"""Splits of every table whose honest rows are looked at; faults are planted in the first."""
ATTACKS, COLUMNS = 500, 3
"""Attacks that anonymeter makes, and columns of its queries: both its defaults."""
OURS = ("exact-copies", "near-copies", "rare-copies", "holdout-copies", "membership", "membership, tpr at 1 % fpr",
        "membership, tpr at 0.1 % fpr", "singling-out", "linkability", "attribute-inference", "dcr-share")  # fmt: skip
"""Our scores: the metric and, behind a comma, what the score is about."""
Found = dict[str, Any]
"""What one side said of one case: of every score its value, interval, and whether it sees something."""
Known = dict[str, dict[str, Found]]
"""That of all cases, by side and case."""


# ------------------------------------------------------------------------------------------- in the peers' interpreter
def peers(folder: Path) -> Found:
    """Return what every attack of the peers came to; the control rows are attacked as the training rows are."""
    import warnings
    from importlib.metadata import version

    import numpy as np
    import polars as pl
    import pyarrow.parquet as pq

    warnings.simplefilter("ignore")
    np.random.seed(0)  # noqa: NPY002 - both peers draw from the global stream
    pl.set_random_seed(0)
    begun = time.process_time()
    train, control, fake = (pq.read_table(folder / f"{n}.parquet").to_pandas() for n in ("train", "holdout", "fake"))
    scores = attacks(train, control, fake)
    between = time.process_time()
    scores |= protections(train, control, fake, TABLES[folder.name.split()[0]])
    used = {name: version(name) for name in ("anonymeter", "sdmetrics")}
    spent = {"anonymeter": between - begun, "sdmetrics": time.process_time() - between}
    return {"scores": scores, "versions": used, "seconds": spent}


def attacks(train: Any, control: Any, fake: Any) -> Found:
    """Return the risks that anonymeter finds.

    Singling out depends on how many rows there are. The correction for unequal sides is fitted on control samples of
    1,000 rows and more, so on a single size where the control has 800: hence twice, with equal sides and as called.
    """
    from anonymeter import evaluators  # type: ignore[import-not-found]

    def told(evaluator: Any, level: float = 0.95, **mode: Any) -> Found:
        evaluator.evaluate(**mode)
        risk = evaluator.risk(confidence_level=level)
        low, high = map(float, risk.ci)
        return {"value": float(risk.value), "low": low, "high": high, "seen": low > 0,
                "plain": float(evaluator.risk().ci[0]) > 0}  # fmt: skip

    common = {"syn": fake, "control": control, "n_attacks": ATTACKS}
    out = {}
    for suffix, real in (("", train.iloc[: len(control)]), (", all", train)):
        for name, mode in (("one", "univariate"), ("several", "multivariate")):
            asked = evaluators.SinglingOutEvaluator(ori=real, **common, n_cols=COLUMNS, seed=0)
            out[name + suffix] = told(asked, mode=mode)
    names = list(train.columns)
    halves = (names[::2], names[1::2])
    out["link"] = told(evaluators.LinkabilityEvaluator(ori=train, **common, aux_cols=halves, n_neighbors=1), n_jobs=1)
    guesses = {}
    for secret in names:
        known = [c for c in names if c != secret]
        number = train[secret].dtype.kind in "iuf"
        asked = evaluators.InferenceEvaluator(ori=train, **common, aux_cols=known, secret=secret, regression=number)
        guesses[secret] = told(asked, 1 - 0.05 / len(names), n_jobs=1)
    worst = max(guesses, key=lambda s: (guesses[s]["low"], guesses[s]["value"]))
    out["worst"] = guesses[worst] | {"note": worst}
    mean = sum(g["value"] for g in guesses.values()) / len(guesses)
    out["mean"] = {"value": mean, "alone": sum(g["plain"] for g in guesses.values()), "of": len(guesses)}
    return out


def protections(train: Any, control: Any, fake: Any, secret: str) -> Found:
    """Return how protected SDMetrics finds the training rows; labels as codes, which are the same and cost less."""
    import pandas as pd
    from sdmetrics import single_table as sd  # type: ignore[import-not-found]

    class Baseline(sd.DCRBaselineProtection):  # type: ignore[misc]
        _seed = 0

    whole = pd.concat([train, control, fake])
    numbers = [c for c in train.columns if train[c].dtype.kind in "iuf"]
    labels = {c: pd.factorize(whole[c])[1] for c in train.columns if c not in numbers}
    coded = [side.assign(**{c: at.get_indexer(side[c]) for c, at in labels.items()}) for side in (train, control, fake)]
    about = {"columns": {c: {"sdtype": "categorical" if c in labels else "numerical"} for c in train.columns}}
    real, rest, made = coded
    same = len(rest)  # nearer to the larger side is what honest rows are too
    over = sd.DCROverfittingProtection.compute(real[:same], made[:same], rest, about, None)
    base = Baseline.compute(real, made[:400], about, None)
    cap = sd.DisclosureProtectionEstimate.compute_breakdown(
        train, fake, [c for c in train.columns if c != secret], [secret], "generalized_cap", numbers,
        num_rows_subsample=600, num_iterations=2, verbose=False)["cap_protection"]  # fmt: skip
    return {n: {"value": float(v)} for n, v in (("disclosure", cap), ("baseline", base), ("overfitting", over))}


# ----------------------------------------------------------------------------------------------------- in our own
def cases() -> list[str]:
    """Return the cases: a table, a split and the synthetic rows, with slashes."""
    faults = [f"{table}/0/{case}" for table in TABLES for case in CASES]
    return faults + [f"{table}/{split}/honest" for table in TABLES for split in range(1, SPLITS)]


def planted(name: str, data: Path) -> tuple[Any, Any]:
    """Return the split of a case and its synthetic rows."""
    import numpy as np
    from faults import FAULTS
    from faults_other import Split
    from proof import load

    table, seed, case = name.split("/")
    whole, target = load(data, table)
    split = Split.of(whole, target, np.random.default_rng([int(seed), 1]))
    fault = CASES[case]
    if fault:
        rng = np.random.default_rng([int(seed), 2, fault[1]])
        return split, FAULTS[fault[0]].make(split, fault[1], rng)
    copied = split.train.take(np.random.default_rng([int(seed), 3]).permutation(split.train.num_rows))
    return split, copied if case == "all copied" else split.second


def ours(name: str, data: Path) -> Found:
    """Return our scores, and which default gates refuse."""
    from synthwright.face import case_of, judge

    split, fake = planted(name, data)
    begun = time.process_time()
    case, _ = case_of(split.train, fake, split.holdout, None, split.target, ())
    asked = ("singling-out", "linkability", "attribute-inference", "dcr-share")
    report = judge(case, asked, (), int(name.split("/")[1]), guessed=True)[0]
    scores = {(s.metric, s.about): s for s in report.scores}
    out: Found = {}
    for label in OURS:
        s = scores[label.partition(", ")[::2]]
        assert s.value is not None and s.reference is not None and s.chance is not None, s  # noqa: PT018
        seen = s.value > s.reference + s.chance
        out[label] = {"value": s.value, "low": s.low, "high": s.high, "seen": seen, "note": s.problem}
    refused = sorted({g.gate.replace("[", " ").replace(".", " ").split()[0] for g in report.gates if not g.passed})
    return {"scores": out, "refused": refused, "seconds": {"ours": time.process_time() - begun}}


def theirs(names: list[str], data: Path, python: str) -> Iterator[tuple[str, Found]]:
    """Yield what the peers say of the cases: one process, which compiles once."""
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as place:
        folders = {str(Path(place, name.replace("/", " "))): name for name in names}
        for folder, name in folders.items():
            split, fake = planted(name, data)
            Path(folder).mkdir()
            for part, rows in (("train", split.train), ("holdout", split.holdout), ("fake", fake)):
                pq.write_table(rows.replace_schema_metadata(), Path(folder, f"{part}.parquet"))
        for line in _peer(python, "--run", *folders):
            folder, found = json.loads(line)
            yield folders[folder], found


def _peer(python: str, *words: str) -> Iterator[str]:
    """Yield the lines that this file prints in the peers' interpreter, which must not take it for their package."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS"), "1")
    with subprocess.Popen([python, "-P", __file__, *words], env={**os.environ, **threads},
                          stdout=subprocess.PIPE, text=True) as process:  # fmt: skip
        yield from process.stdout or ()
    if process.returncode:
        sys.exit(f"bench/anonymeter.py: the peers ended with {process.returncode}")


def done(data: Path, python: str, cache: Path) -> Known:
    """Return what both sides say of all cases; what the cache holds is not worked again."""
    known: Known = {"ours": {}, "theirs": {}}
    if cache.exists():
        for side, name, found in map(json.loads, cache.read_text(encoding="utf-8").splitlines()):
            known[side][name] = found
    waiting = [name for name in cases() if name not in known["theirs"]]
    with cache.open("a", encoding="utf-8") as out:
        for side, found in (
            ("ours", ((name, ours(name, data)) for name in cases() if name not in known["ours"])),
            ("theirs", theirs(waiting, data, python) if waiting else iter(())),
        ):
            for name, one in found:
                known[side][name] = one
                out.write(json.dumps([side, name, one]) + "\n")
                out.flush()
                print(side, name, flush=True)
    return {side: {name: found[name] for name in cases()} for side, found in known.items()}


def main() -> None:
    """Work what is not in the cache and write the page; or, in the peers' interpreter, print what cases came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the tables")
    parser.add_argument("--peer", help="the interpreter of the environment with anonymeter and sdmetrics")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir(), "synthwright-anonymeter.jsonl"))
    parser.add_argument("--run", nargs="+", help="in the peers' interpreter: the folders of cases")
    asked = parser.parse_args()
    for folder in asked.run or ():
        print(json.dumps([folder, peers(Path(folder))]), flush=True)
    if asked.run:
        return
    if not asked.peer or not asked.data:
        sys.exit("bench/anonymeter.py: give --data, and --peer: an interpreter with anonymeter and sdmetrics installed")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from anonymeter_report import page

    text = page(done(asked.data, asked.peer, asked.cache), TABLES, ATTACKS, COLUMNS)
    (HERE / "anonymeter.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
