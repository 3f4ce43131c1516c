"""Hold our attacks beside those of anonymeter and SDMetrics, on rows of Adult of which a known share is copied.

    python bench/anonymeter.py --peer PYTHON

PYTHON is the interpreter (3.11 or later) of an environment of its own with `anonymeter`, `sdmetrics` and `pyarrow`:
nothing of the project depends on them. Adult as it ships in `examples/adult` is split at random into 4,000 training,
4,000 held-out and 4,000 other real rows; the latter stand for synthetic rows, as they are (honest), with some of them
replaced by training rows (at random, or the 40 that are farthest from their nearest neighbour), or all of them. Both
sides get the same files; processor seconds are those of the attacks alone, on one thread. Writes `anonymeter.md` beside
this file.
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
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ADULT = HERE.parent / "examples" / "adult" / "adult.parquet"
ROWS = 4_000
CASES = {"honest": 0, "1 % copied": 40, "40 most isolated copied": 40, "5 % copied": 200, "all copied": ROWS}
"""How many rows are training rows."""
ATTACKS = 1_000
"""Attacks that anonymeter makes, twice what it does by default."""
OURS = {
    "singling-out": "singling_out:SinglingOut",
    "linkability": "linkability:Linkability",
    "attribute-inference": "attribute_inference:AttributeInference",
}


class Said(NamedTuple):
    """What one attack came to on one case."""

    attack: str
    risk: float
    low: float
    high: float
    seconds: float
    seen: bool


# ------------------------------------------------------------------------------------------- in the peers' interpreter
def peers(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what every attack of the peers came to; the control rows are attacked as the training rows are."""
    import warnings

    import numpy as np
    import pyarrow.parquet as pq
    from anonymeter import evaluators  # type: ignore[import-not-found]
    from sdmetrics.single_table import DisclosureProtectionEstimate  # type: ignore[import-not-found]

    warnings.simplefilter("ignore")
    np.random.seed(0)  # noqa: NPY002 - anonymeter and SDMetrics draw from the global stream
    train, holdout, fake = (pq.read_table(folder / f"{n}.parquet").to_pandas() for n in ("train", "holdout", "fake"))
    names = list(train.columns)
    common = {"ori": train, "syn": fake, "control": holdout, "n_attacks": ATTACKS}

    def told(attack: str, evaluator: Any, **mode: Any) -> dict[str, Any]:
        before = time.process_time()
        evaluator.evaluate(**mode)
        risk = evaluator.risk()
        spent = time.process_time() - before
        return {"attack": attack, "risk": risk.value, "low": risk.ci[0], "high": risk.ci[1], "seconds": spent}

    yield told("singling out, one column", evaluators.SinglingOutEvaluator(**common, seed=0), mode="univariate")
    yield told(
        "singling out, 4 columns", evaluators.SinglingOutEvaluator(**common, n_cols=4, seed=0), mode="multivariate"
    )
    halves = (names[::2], names[1::2])
    yield told("linkability", evaluators.LinkabilityEvaluator(**common, aux_cols=halves, n_neighbors=1), n_jobs=1)
    for secret in names:
        known = [c for c in names if c != secret]
        number = train[secret].dtype.kind in "iuf"
        attack = evaluators.InferenceEvaluator(**common, aux_cols=known, secret=secret, regression=number)
        yield told(f"inference of {secret}", attack, n_jobs=1)
    numbers = [c for c in names if train[c].dtype.kind in "iuf"]
    before = time.process_time()
    asked = {
        "known_column_names": [c for c in names if c != "occupation"],
        "sensitive_column_names": ["occupation"],
        "continuous_column_names": numbers,
        "num_rows_subsample": 1_000,
        "num_iterations": 4,
    }
    one, other = (DisclosureProtectionEstimate.compute(r, fake, **asked, verbose=False) for r in (train, holdout))
    gain, spent = other - one, time.process_time() - before
    yield {"attack": "disclosure of occupation", "risk": gain, "low": gain, "high": gain, "seconds": spent}


def versions() -> dict[str, str]:
    """Return the versions of the peers."""
    from importlib.metadata import version

    return {name: version(name) for name in ("anonymeter", "sdmetrics")}


# ----------------------------------------------------------------------------------------------------- in our own
def write_cases(folder: Path) -> None:
    """Write the training, held-out and synthetic rows of every case."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from synthwright.core.context import Context
    from synthwright.core.dataset import Dataset
    from synthwright.kit.neighbours import nearest, points

    whole = pq.read_table(ADULT).replace_schema_metadata()
    order = Context(seed=1).at("split").rng.permutation(whole.num_rows)
    train, holdout, second = (whole.take(pa.array(order[i * ROWS : (i + 1) * ROWS])) for i in range(3))
    held = Dataset.of(train, name="person")
    (rows,) = points([held.tables["person"]], held.schema.tables["person"].fields, among=(0,))
    lonely = np.argsort(-nearest(rows, rows, 2)[0][:, 1], kind="stable")
    for name, count in CASES.items():
        chosen = lonely[:count] if "isolated" in name else np.arange(count)
        fake = pa.concat_tables([train.take(pa.array(chosen)), second.slice(count)])
        (folder / name).mkdir()
        for part, table in (("train", train), ("holdout", holdout), ("fake", fake)):
            pq.write_table(table, folder / name / f"{part}.parquet")


def ours(folder: Path) -> Iterator[Said]:
    """Yield what our attacks came to."""
    import importlib

    import pyarrow.parquet as pq

    from synthwright.core.context import Context
    from synthwright.core.contracts import Case
    from synthwright.core.dataset import Dataset

    train = Dataset.of(pq.read_table(folder / "train.parquet"), name="person")
    others = (pq.read_table(folder / f"{n}.parquet") for n in ("holdout", "fake"))
    holdout, fake = (Dataset.of({"person": table}, train.schema) for table in others)
    for name, place in OURS.items():
        module, _, cls = place.partition(":")
        metric = getattr(importlib.import_module(f"synthwright.metrics.{module}"), cls)()
        before = time.process_time()
        score = metric.measure(Case(train, holdout, fake), Context(seed=0))[0]
        spent = time.process_time() - before
        yield Said(name, score.value, score.low, score.high, spent, score.value > score.chance)


def theirs(folder: Path, python: str) -> Iterator[Said]:
    """Yield what the peers' attacks came to; of the inferences, the worst secret by the end of its interval."""
    found = json.loads(_peer(python, "--run", str(folder)))
    each = [Said(f["attack"], f["risk"], f["low"], f["high"], f["seconds"], f["low"] > 0) for f in found]
    guesses = [s for s in each if s.attack.startswith("inference")]
    worst = max(guesses, key=lambda s: s.low)
    yield from (s for s in each if s.attack.startswith(("singling", "link")))
    yield worst._replace(attack="inference, worst of 15 secrets", seconds=sum(s.seconds for s in guesses))
    mean = sum(s.risk for s in guesses) / len(guesses)
    yield Said("inference, mean of 15 secrets", mean, mean, mean, 0.0, seen=False)
    yield from (s for s in each if s.attack.startswith("disclosure"))


def _peer(python: str, *words: str) -> str:
    """Return what this file prints in the peers' interpreter, which must not take it for the package of its name."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS"), "1")
    done = subprocess.run([python, "-P", __file__, *words], env={**os.environ, **threads}, check=True,
                          stdout=subprocess.PIPE, text=True)  # fmt: skip
    return done.stdout.splitlines()[-1]


INTRO = """# Our attacks beside anonymeter's and SDMetrics'

Written by `python bench/anonymeter.py --peer PYTHON`: Adult, 4,000 training, 4,000 held-out and 4,000 synthetic rows,
which are other real rows, of which a known share was replaced by training rows. Synthwright, anonymeter {anonymeter}
(Clear BSD licence) with 1,000 attacks each, SDMetrics {sdmetrics} (MIT). One thread. Processor seconds are of the
attacks alone, on a busy machine.

The risk is (trained - control) / (1 - control) everywhere, but for SDMetrics: there it is how much more protected it
finds occupation in held-out than in training rows, and no interval is given. *Seen*: ours where the risk exceeds what
chance does in one of 20,000 honest samples, all parts of the metric together; anonymeter where the 95 % interval of
that attack excludes 0, which one of 40 honest samples does too (of 15 secrets, one of three).

"""


def table(folder: Path, python: str) -> str:
    """Run everything and return it as a table for each side."""
    sides = (
        ("Synthwright", {c: list(ours(folder / c)) for c in CASES}),
        ("anonymeter and SDMetrics", {c: list(theirs(folder / c, python)) for c in CASES}),
    )
    out = []
    for title, found in sides:
        head = f"| {title} | {' | '.join(CASES)} | CPU s |"
        lines = [head, "|---|" + "---:|" * (len(CASES) + 1)]
        for place, said in enumerate(found["honest"]):
            column = [found[c][place] for c in CASES]
            cells = [f"{s.risk:.4f}{' **seen**' if s.seen else ''}" for s in column]
            seconds = max(s.seconds for s in column)
            lines.append(f"| {said.attack} | {' | '.join(cells)} | {seconds:.1f} |")
        out.append("\n".join(lines))
    return "\n\n".join(out) + "\n"


def main() -> None:
    """Write the tables; or, in the peers' interpreter, print what one case came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="the interpreter of the environment with anonymeter and sdmetrics")
    parser.add_argument("--run", type=Path, help="in the peers' interpreter: the folder of a case")
    parser.add_argument("--versions", action="store_true", help="in the peers' interpreter: print its versions")
    asked = parser.parse_args()
    if asked.versions or asked.run:
        print(json.dumps(versions() if asked.versions else list(peers(asked.run))))
        return
    if not asked.peer:
        sys.exit("bench/anonymeter.py: give --peer, an interpreter with anonymeter and sdmetrics installed")
    with tempfile.TemporaryDirectory() as place:
        write_cases(Path(place))
        text = INTRO.format(**json.loads(_peer(asked.peer, "--versions"))) + table(Path(place), asked.peer)
    (HERE / "anonymeter.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
