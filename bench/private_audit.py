"""What `mst` and `aim` tell of one row, at least, beside what they claim; and whether planted faults are caught.

    python bench/private_audit.py [--times 20000] [--runs 40] [--out bench/private_audit.md]

Needs the extra `privacy`. The worst case there is: a part of one column, so that all of the budget goes into its
counts, and one row alone has its value. `synthwright.testing.audit` measures neighbours many times and gives a lower
bound of epsilon with 95 % confidence.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Part
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Schema
from synthwright.core.spend import Release, Spend
from synthwright.generators.aim import Aim
from synthwright.generators.mst import Mst
from synthwright.kit.private import noise
from synthwright.kit.private.domains import Known
from synthwright.testing.audit import Audited, audit

SCHEMA = Schema.model_validate({"tables": {"t": {"fields": {"x": {"kind": "category", "nulls": False}}}}})
PART, DOMAIN = Part(("t.x",)), {"x": Known(values=("a", "b"))}


def rows(*values: str) -> Dataset:
    """Return a table of one column."""
    return Dataset(SCHEMA, {"t": pa.table({"x": pa.array(values, pa.large_string())})})


NEIGHBOURS = rows(*["a"] * 20), rows(*["a"] * 20, "b")


class Peeking(Mst):
    """A planted fault: the domain is read off real rows."""

    def measure(self, data: Dataset, part: Part, *, budget: Spend, ctx: Context) -> Release:
        seen = sorted(set(data.column("t.x").to_pylist()))
        return Mst(domain={"x": Known(values=tuple(seen))}).measure(data, part, budget=budget, ctx=ctx)


class Cheaper:
    """A planted fault: a quarter of the noise, at the usual price."""

    def __init__(self, priced: Any, drawn: Any) -> None:
        self.map, self.drawn = priced.map, drawn

    def __call__(self, counts: object) -> object:
        return self.drawn(counts)


def quarter(usual: Callable[..., tuple[Any, float]]) -> Callable[..., tuple[Any, float]]:
    """Return what makes measurements with a quarter of the noise."""

    def made(*, rho: float) -> tuple[Any, float]:
        measurement, sigma = usual(rho=rho)
        return Cheaper(measurement, usual(rho=16 * rho)[0]), sigma

    return made


def main() -> None:
    """Audit, and write the page."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--times", type=int, default=20_000)
    asked.add_argument("--runs", type=int, default=40)
    asked.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    said = asked.parse_args()
    begun = time.process_time()

    def one(maker: Mst | Aim, times: int, epsilon: float, *, gaussian: bool = True) -> Audited:
        return audit(maker, NEIGHBOURS, PART, budget=Spend(epsilon, 1e-9), times=times, gaussian=gaussian)

    honest = [("mst", one(Mst(domain=DOMAIN), said.times, e)) for e in (1.0, 3.0)]
    honest += [("aim", one(Aim(domain=DOMAIN), said.times // 10, e)) for e in (1.0, 3.0)]
    usual = noise._gaussian  # noqa: SLF001  where every noisy count comes from
    noise._gaussian = quarter(usual)  # type: ignore[assignment]  # noqa: SLF001
    quiet = [one(Mst(domain=DOMAIN), 800, 1.0) for _ in range(said.runs)]
    noise._gaussian = usual  # noqa: SLF001
    peeking = [one(Peeking(), 400, 1.0, gaussian=False) for _ in range(said.runs)]
    innocent = [one(Mst(domain=DOMAIN), 800, 1.0) for _ in range(said.runs)]
    about = (
        f"Written by `python bench/private_audit.py`. {platform.system()}, Python {platform.python_version()}, opendp "
        f"{version('opendp')}; {time.process_time() - begun:.0f} s of CPU. A part of one column, 20 rows, delta 1e-9; "
        "neighbours differ by one row, which alone has its value. Lower bounds hold with 95 % confidence."
    )
    lines = ["# What private generators tell of one row, at least", "", about, ""]
    lines += ["| generator | measured | claimed epsilon | at least | of the claim |", "|---|---:|---:|---:|---:|"]
    for name, found in honest:
        many = 2 * (said.times if name == "mst" else said.times // 10)
        lines.append(f"| {name} | {many:,} times | {found.claim:.3f} | {found.lower:.3f} | "
                     f"{found.lower / found.claim:.2f} |")  # fmt: skip
    lines += ["", "| planted | runs | caught | median bound (claimed: 1) |", "|---|---:|---:|---:|"]
    planted = {"a quarter of the noise": quiet, "a domain read off the rows": peeking, "nothing": innocent}
    for name, every in planted.items():
        median = sorted(f.lower for f in every)[len(every) // 2]
        lines.append(f"| {name} | {len(every)} | {sum(f.caught for f in every)} | {median:.2f} |")
    said.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
