"""Measure the example `payments`: how long ten million payments take, whether all is right, whether fraud is found.

    python bench/payments.py [--branches 2420] [--only speed,right,found] [--out bench/payments.md]

Speed: `synthwright run` with two workers in a process of its own; memory is the sum of what all its processes hold,
shared pages once (PSS), looked at twice a second. Right: every reference leads to a row, every balance is the balance
before and what was booked, recomputed here; each pattern's share of rows; the first payments are the same where only
the first cards pay, and there are few shards. Found: LightGBM learns each pattern from one run, and is tested on a run
with another seed and other parameters (rates lower, episodes longer, other habits); features are what a bank would
compute from a card's history, never the pattern's own mark. The same with the labels of the training rows shuffled.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "examples" / "payments" / "payments.yaml"
PATTERNS = ("card testing", "account takeover", "structuring", "mule chain", "refund abuse")
RATE = 0.0006
LEGITIMATE = 0.05
"""The share of other rows that a pattern is learned against: rare labels among all rows make trees unsteady."""
HOW_TREES = {
    "objective": "binary", "num_leaves": 31, "learning_rate": 0.06, "min_data_in_leaf": 20, "lambda_l2": 5.0,
    "num_threads": 1, "verbosity": -1, "seed": 1, "deterministic": True,
}  # fmt: skip
FIRST = 200_000
"""Payments that are compared between runs of two sizes: fewer than a shard has."""
PAYING = 16_384
"""Cards that pay in a run with fewer shards of payments: as many as come to be at once."""


def specification(
    folder: Path, name: str, *, branches: int, seed: int = 1, other: bool = False, paying: int | None = None
) -> Path:
    """Write the example with so many branches; `other`: with other parameters; `paying`: only so many cards pay."""
    text = EXAMPLE.read_text(encoding="utf-8")
    text = re.sub(r"rows: \{branch: \d+, merchant: \d+\}", f"rows: {{branch: {branches}, merchant: 2000}}", text)
    text = re.sub(r"^seed: \d+$", f"seed: {seed}", text, flags=re.MULTILINE)
    if other:
        for was, now in (
            ("rate: 0.0006", "rate: 0.0004"), ("rows: {between: [4, 15]}", "rows: {between: [3, 10]}"),
            ("rows: {between: [3, 8]}", "rows: {between: [4, 10]}"), ("excites: 0.25", "excites: 0.35"),
            ("median: 28", "median: 35"), ("purchase: 78", "purchase: 70"), ("0.5 + 4.5", "1 + 6"),
        ):  # fmt: skip
            assert was in text, was
            text = text.replace(was, now)
    if paying is not None:
        assert "per_day: per_day\n" in text
        text = text.replace("per_day: per_day\n", f'per_day: "if(id <= {paying}, per_day, 0)"\n')
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def ran(spec: Path, out: Path, workers: int = 2) -> dict[str, Any]:
    """Run a specification in a process of its own; return seconds, processor seconds and megabytes."""
    shutil.rmtree(out, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("synthwright")), "run", str(spec), "--out", str(out),
               "--workers", str(workers), "--quiet"]  # fmt: skip
    begun, before = time.monotonic(), os.times()
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    most = 0.0
    while process.poll() is None:
        most = max(most, _held(process.pid))
        time.sleep(0.5)
    after = os.times()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    said = json.loads((out / "internal" / "report.json").read_bytes())
    return {"wall": time.monotonic() - begun, "cpu": spent, "mb": most, "rows": said["rows"]}


def _held(pid: int) -> float:
    """Return the megabytes that a process and all below it hold, shared pages once."""
    total, waiting = 0.0, [pid]
    while waiting:
        at = Path(f"/proc/{waiting.pop()}")
        try:
            total += int(re.findall(r"^Pss:\s+(\d+)", (at / "smaps_rollup").read_text(), re.MULTILINE)[0]) / 1024
            waiting += [int(c) for task in (at / "task").iterdir() for c in (task / "children").read_text().split()]
        except (OSError, IndexError, ValueError):
            continue
    return total


def table(out: Path, name: str, columns: list[str] | None = None) -> pl.DataFrame:
    """Return a released table."""
    frame = pl.from_arrow(pq.read_table(out / "data" / name, columns=columns))
    assert isinstance(frame, pl.DataFrame)
    return frame


def right(out: Path) -> dict[str, Any]:
    """Return what is wrong in a release: references, balances, rates."""
    cards, merchants = table(out, "card", ["id", "customer", "opening"]), table(out, "merchant", ["id"])
    paid = table(out, "payment", ["id", "card", "merchant", "counterparty", "at", "booked", "balance", "fraud"])
    customers, branches = table(out, "customer", ["id", "branch"]), table(out, "branch", ["id"])
    lost = {
        "payment.card": paid.join(cards, left_on="card", right_on="id", how="anti").height,
        "payment.merchant": paid.drop_nulls("merchant").join(merchants, left_on="merchant", right_on="id",
                                                             how="anti").height,
        "payment.counterparty": paid.drop_nulls("counterparty").join(cards, left_on="counterparty", right_on="id",
                                                                     how="anti").height,
        "card.customer": cards.join(customers, left_on="customer", right_on="id", how="anti").height,
        "customer.branch": customers.join(branches, left_on="branch", right_on="id", how="anti").height,
    }  # fmt: skip
    cents = paid.select("id", "card", "at", (pl.col("booked") * 100).round(0).cast(pl.Int64),
                        (pl.col("balance") * 100).round(0).cast(pl.Int64)).sort("card", "at", "id")  # fmt: skip
    opening = cards.select(pl.col("id").alias("card"), (pl.col("opening") * 100).round(0).cast(pl.Int64))
    held = cents.join(opening, on="card", how="left", maintain_order="left")
    wrong = held.filter(pl.col("opening") + pl.col("booked").cum_sum().over("card") != pl.col("balance")).height
    shares = {p: paid.filter(pl.col("fraud") == p).height / paid.height for p in PATTERNS}
    return {"rows": paid.height, "lost": lost, "balances": wrong, "shares": shares,
            "repeated": paid.height - paid["id"].n_unique()}  # fmt: skip


def features(out: Path) -> tuple[pl.DataFrame, pl.Series]:
    """Return what a bank would compute for each payment from its card's history, and the truth."""
    paid = table(out, "payment")
    merchants = table(out, "merchant").select(pl.col("id").alias("merchant"), "sector", "online", "typical")
    cards = table(out, "card").select(pl.col("id").alias("card"), "card_limit", "customer")
    customers = table(out, "customer").select(pl.col("id").alias("customer"), "income")
    held = paid.join(merchants, on="merchant", how="left").join(cards, on="card", how="left")
    held = held.join(customers, on="customer", how="left").sort("card", "at", "id")
    amount = pl.col("amount").cast(pl.Float64)
    held = held.with_columns(amount.alias("amount"))
    seconds = pl.col("at").dt.epoch("s")
    made = held.with_columns(
        (seconds - seconds.shift(1)).over("card").alias("since"),
        (seconds - seconds.shift(3)).over("card").alias("since3"),
        (seconds.shift(-1) - seconds).over("card").alias("until"),
        (pl.col("amount") / pl.col("amount").shift(1)).over("card").alias("ratio"),
        (pl.col("amount") / pl.col("amount").rolling_mean(10, min_samples=1).shift(1)).over("card").alias("usual"),
        (pl.col("merchant") == pl.col("merchant").shift(1)).over("card").cast(pl.Int8).alias("same"),
        (pl.col("kind") == pl.col("kind").shift(1)).over("card").cast(pl.Int8).alias("again"),
        (pl.col("kind") == "refund").cast(pl.Int8).rolling_sum(8, min_samples=1).over("card").alias("refunds"),
        (pl.col("kind") == "cash in").cast(pl.Int8).rolling_sum(8, min_samples=1).over("card").alias("deposits"),
        pl.col("at").dt.hour().alias("hour"), pl.col("at").dt.weekday().alias("weekday"),
        (pl.col("amount") / pl.col("card_limit")).alias("of_limit"),
        (pl.col("amount") / pl.col("income")).alias("of_income"),
        (pl.col("amount") / pl.col("typical").cast(pl.Float64)).alias("of_typical"),
    )  # fmt: skip
    codes = [pl.col(c).cast(pl.Categorical).to_physical().alias(c) for c in ("kind", "channel", "country", "sector")]
    kinds = sorted(held["kind"].unique())
    made = made.with_columns(*codes[1:], pl.col("kind").replace_strict(kinds, range(len(kinds))).alias("kind"))
    names = ["amount", "since", "since3", "until", "ratio", "usual", "same", "again", "refunds", "deposits", "hour",
             "weekday", "of_limit", "of_income", "of_typical", "kind", "new_device", "online"]  # fmt: skip
    return made.select(pl.col(n).cast(pl.Float64) for n in names), made["fraud"]


def found(train: Path, test: Path) -> list[dict[str, Any]]:
    """Return how well each pattern is found in another run, and with shuffled labels."""
    import lightgbm as lgb

    (seen, truth), (unseen, unseen_truth) = features(train), features(test)
    rows = []
    for pattern in PATTERNS:
        label, wanted = (truth == pattern).to_numpy(), (unseen_truth == pattern).to_numpy()
        scores = {}
        for how in ("learned", "shuffled"):
            target = label if how == "learned" else np.random.default_rng(1).permutation(label)
            kept = target | (np.random.default_rng(2).random(len(target)) < LEGITIMATE)
            data = lgb.Dataset(seen.to_numpy()[kept], target[kept].astype(float))
            model = lgb.train(HOW_TREES, data, num_boost_round=120)
            scores[how] = average_precision(wanted, np.asarray(model.predict(unseen.to_numpy())))
        single = max(_alone(unseen[c].to_numpy(), wanted) for c in unseen.columns)
        rows.append({"pattern": pattern, "prevalence": float(wanted.mean()), "single": single, **scores})
    return rows


def _alone(values: np.ndarray, wanted: np.ndarray) -> float:
    """Return the average precision of one column by itself, whichever way round."""
    filled = np.nan_to_num(values, nan=float(np.nanmedian(values)), posinf=1e12, neginf=-1e12)
    return max(average_precision(wanted, filled), average_precision(wanted, -filled))


def average_precision(wanted: np.ndarray, score: np.ndarray) -> float:
    """Return the mean precision over the rows that are wanted, those with equal scores taken together."""
    order = np.argsort(-score, kind="stable")
    hits, ends = np.cumsum(wanted[order]), np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    found = hits[ends]
    return float((np.diff(found, prepend=0) * found / (ends + 1)).sum() / max(found[-1], 1))


def same_beginning(one: Path, two: Path) -> bool:
    """Return whether the first payments of two runs are equal in every column."""
    first, second = (table(p, "payment").head(FIRST) for p in (one, two))
    return bool(first.equals(second))


def machine() -> str:
    """Return what it was measured with."""
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())  # fmt: skip
    versions = ", ".join(f"{p} {version(p)}" for p in ("synthwright", "numpy", "pyarrow", "polars", "lightgbm"))
    return f"{cpu}, {os.cpu_count()} cores; {platform.system()}, Python {platform.python_version()}, {versions}."


def page(said: dict[str, Any]) -> str:
    """Return the page."""
    how = " ".join(str(__doc__).split("\n\n")[2].split())
    lines = ["# Payments: ten million, in time, all right, and fraud that can be learned", "", how, ""]
    if "speed" in said:
        s = said["speed"]
        kept = f"≤ 60 s: {_yes(s['wall'] <= 60)}; ≤ 4 GiB: {_yes(s['mb'] <= 4096)}"
        row = [
            f"{s['rows']['payment']:,}",
            f"{s['wall']:.1f} s",
            f"{s['cpu']:.1f} s",
            f"{s['mb'] / 1024:.2f} GiB",
            kept,
        ]
        lines += _table(["payments", "wall", "processor", "memory", "asked for"], [row])
    if "right" in said:
        r = said["right"]
        lost = ", ".join(f"{k} {v}" for k, v in r["lost"].items())
        same = f"The first {FIRST:,} are the same where there are {said['few']:,} in all: {_yes(said['same'])}."
        lines += [f"Of {r['rows']:,} payments, references that lead nowhere: {sum(r['lost'].values())} ({lost});",
                  f"keys that repeat: {r['repeated']}; wrong balances: {r['balances']}. {same}", ""]  # fmt: skip
        error = (RATE / r["rows"]) ** 0.5
        rows = [[p, f"{v:.6f}", f"{RATE}", f"{(v - RATE) / error:+.1f}"] for p, v in r["shares"].items()]
        lines += _table(["pattern", "share of rows", "asked for", "off by, standard errors"], rows)
        lines += ["Standard errors as if rows were fraud by themselves; they come in episodes.", ""]
    if "found" in said:
        head = ["pattern", "prevalence", "average precision", "× prevalence", "labels shuffled", "best single column"]
        rows = [[f["pattern"], f"{f['prevalence']:.5f}", f"{f['learned']:.3f}", f"{f['learned'] / f['prevalence']:.0f}",
                 f"{f['shuffled']:.4f}", f"{f['single']:.3f}"] for f in said["found"]]  # fmt: skip
        lines += _table(head, rows)
        lines += ["Asked for: at least 10 × the prevalence, below 0.95; shuffled, no more than a few times it.", ""]
    return "\n".join([*lines, machine(), ""])


def _yes(kept: object) -> str:
    return "yes" if kept else "NO"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def main() -> None:
    """Run what was asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--branches", type=int, default=2420)
    parser.add_argument("--small", type=int, default=240, help="branches of the runs that fraud is learned from")
    parser.add_argument("--only", default="speed,right,found")
    parser.add_argument("--folder", type=Path, help="where runs are kept; nothing: a folder that is removed")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    only = asked.only.split(",")
    said: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        folder.mkdir(exist_ok=True)
        if "speed" in only or "right" in only:
            spec = specification(folder, "large", branches=asked.branches)
            said["speed"] = ran(spec, folder / "large")
        if "right" in only:
            said["right"] = right(folder / "large")
            few = specification(folder, "few", branches=asked.branches, paying=PAYING)
            said["few"] = ran(few, folder / "few")["rows"]["payment"]
            said["same"] = same_beginning(folder / "large", folder / "few")
        if "found" in only:
            ran(specification(folder, "train", branches=asked.small), folder / "train")
            ran(specification(folder, "test", branches=asked.small, seed=2, other=True), folder / "test")
            said["found"] = found(folder / "train", folder / "test")
    text = page(said)
    print(text)
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
