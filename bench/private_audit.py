"""What `mst` and `aim` tell of one row, at least, beside what they claim; and whether planted faults are caught.

    python bench/private_audit.py [--times 12000] [--runs 40] [--out bench/private_audit.md]

Needs the extra `privacy`. The worst case there is: a table as small as a run takes, and a row more that alone has its
values; of one column, so that all of the budget goes into its counts, and of two, so that there is something to choose.
`synthwright.testing` measures neighbours many times and gives a lower bound of epsilon with 95 % confidence.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

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
from synthwright.testing.audit_known import Attack, Currency, audit_known, evidence_of_counts

SCHEMA = Schema.model_validate(
    {"tables": {"t": {"fields": {n: {"kind": "category", "nulls": False} for n in ("x", "y")}}}}
)
PART, BOTH = Part(("t.x",)), Part(("t.x", "t.y"))
KNOWN = Known(values=("a", "b"))
WORDS = {"gaussian": "Gaussian noise", "concentrated": "any zCDP"}
HEAD = """# What private generators tell of one row, at least

Written by `python bench/private_audit.py`. {machine}; {seconds:.0f} s of CPU.
Ten rows, as few as a run takes, all alike; the neighbour has one row more, which alone has its values. Delta 1e-9.
Lower bounds hold with 95 % confidence.

Both are audited by someone who knows all rows but one, and weighs every noisy count in which that one would be
(`synthwright.testing.audit_known`). With one column nothing is chosen: all there is is Gaussian noise, whose tight
bound holds, also where how much of it comes next depends on what came before (Smith and Thakurta 2022, arXiv
2210.17520). With two, `aim` chooses what to measure by the exponential mechanism, and the bound assumes nothing but
that privacy is concentrated: the least rho that error rates prove, as the epsilon that the accountant makes of it.
What is claimed is not tight, so noise that is just as it should be does not reach 1.
"""
PLANTED = """Planted faults are looked for by an audit that is told nothing: it learns from one half of the releases
what to look at, and tests the other (`synthwright.testing.audit`)."""
FEW, TELLING = 400, 800
"""How often planted faults are measured: a domain that shows needs few."""


def rows(*values: str) -> Dataset:
    """Return a table of two columns that are the same."""
    column = pa.array(values, pa.large_string())
    return Dataset(SCHEMA, {"t": pa.table({"x": column, "y": column})})


NEIGHBOURS = rows(*["a"] * 10), rows(*["a"] * 10, "b")


class Asked(NamedTuple):
    """One audit."""

    what: str
    columns: str
    epsilon: float
    times: int
    currency: Currency


def asked_of(times: int) -> list[Asked]:
    """Return the audits of what is shipped, the slow generator less often where its bound needs less."""
    return [
        Asked("mst", "one", 1.0, 2 * times, "gaussian"),
        Asked("mst", "one", 3.0, times // 3, "gaussian"),
        Asked("aim", "one", 1.0, times, "gaussian"),
        Asked("aim", "one", 3.0, times // 6, "gaussian"),
        Asked("aim", "two", 1.0, times // 2, "concentrated"),
        Asked("aim", "two", 3.0, times // 12, "concentrated"),
    ]


def run(asked: Asked) -> Audited:
    """Audit a generator by who knows all rows but one."""
    part = PART if asked.columns == "one" else BOTH
    domain = dict.fromkeys([c.partition(".")[2] for c in part.produce], KNOWN)
    maker = Mst(domain=domain) if asked.what == "mst" else Aim(domain=domain)
    evidence = evidence_of_counts(*NEIGHBOURS, "t")
    budget = Spend(asked.epsilon, 1e-9)
    return audit_known(
        maker, NEIGHBOURS, part, budget=budget, times=asked.times, attack=Attack(evidence, asked.currency)
    )


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


def planted(runs: int) -> dict[str, list[Audited]]:
    """Return what audits find that learn what to look at: of planted faults, and of none."""

    def one(maker: Mst, times: int, *, gaussian: bool = True) -> Audited:
        return audit(maker, NEIGHBOURS, PART, budget=Spend(1.0, 1e-9), times=times, gaussian=gaussian)

    usual = noise._gaussian  # noqa: SLF001  where every noisy count comes from
    noise._gaussian = quarter(usual)  # type: ignore[assignment]  # noqa: SLF001
    quiet = [one(Mst(domain={"x": KNOWN}), TELLING) for _ in range(runs)]
    noise._gaussian = usual  # noqa: SLF001
    peeking = [one(Peeking(), FEW, gaussian=False) for _ in range(runs)]
    innocent = [one(Mst(domain={"x": KNOWN}), TELLING) for _ in range(runs)]
    return {"a quarter of the noise": quiet, "a domain read off the rows": peeking, "nothing": innocent}


def main() -> None:
    """Audit, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=12_000)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".md"))
    said = parser.parse_args()
    begun = time.process_time()
    lines = ["| generator | columns | measured | claimed epsilon | at least | of the claim | bound of |",
             "|---|---|---:|---:|---:|---:|---|"]  # fmt: skip
    for asked in asked_of(said.times):
        found = run(asked)
        lines.append(f"| {asked.what} | {asked.columns} | {2 * asked.times:,} times | {found.claim:.3f} | "
                     f"{found.lower:.3f} | {found.lower / found.claim:.2f} | {WORDS[asked.currency]} |")  # fmt: skip
        print(lines[-1], flush=True)
    lines += ["", PLANTED, "", "| planted | runs | caught | median bound (claimed: 1) |", "|---|---:|---:|---:|"]
    for name, every in planted(said.runs).items():
        median = sorted(f.lower for f in every)[len(every) // 2]
        lines.append(f"| {name} | {len(every)} | {sum(f.caught for f in every)} | {median:.2f} |")
    machine = (f"Synthwright {version('synthwright')}, {platform.system()}, Python {platform.python_version()}, opendp "
               f"{version('opendp')}, one thread")  # fmt: skip
    head = HEAD.format(machine=machine, seconds=time.process_time() - begun)
    said.out.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
