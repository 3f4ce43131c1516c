"""One run of another program, in an environment of its own: `python private_peers.py PROGRAM EPSILON DELTA IN OUT`.

IN holds the real rows as cells (columns × rows) and how many cells each column has; OUT gets as many rows made.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def dpmm(method: str, frame: object, sizes: dict[str, int], epsilon: float, delta: float) -> object:
    """Run dpmm on cells: its own binning is left out, for the domain is known."""
    from dpmm import pipelines

    kinds = {"aim": "AIMPipeline", "mst": "MSTPipeline", "privbayes": "PrivBayesPipeline"}
    maker = getattr(pipelines, kinds[method])(epsilon=epsilon, delta=delta, disable_processing=True, n_jobs=1)
    maker.fit(frame, domain=sizes)
    return maker.generate(n_records=len(frame))  # type: ignore[arg-type]


def smartnoise(method: str, frame: object, sizes: dict[str, int], epsilon: float, delta: float) -> object:
    """Run smartnoise-synth on cells: no budget is spent on the domain."""
    from snsynth import Synthesizer
    from snsynth.transform import LabelTransformer, TableTransformer

    steps = []
    for size in sizes.values():
        step = LabelTransformer(nullable=False)
        step.fit(list(range(size)))
        steps.append(step)
    maker = Synthesizer.create(method, epsilon=epsilon, delta=delta)
    maker.fit(frame, transformer=TableTransformer(steps), preprocessor_eps=0.0)
    return maker.sample(len(frame))  # type: ignore[arg-type]


def opendp(method: str, frame: object, sizes: dict[str, int], epsilon: float, delta: float) -> object:
    """Run OpenDP's own contingency tables."""
    import opendp.prelude as dp
    import polars as pl

    dp.enable_features("contrib")
    rho = _rho(dp, epsilon, delta)  # it takes no delta where every key is given: it then counts in rho
    context = dp.Context.compositor(
        data=pl.from_pandas(frame).lazy(), privacy_unit=dp.unit_of(contributions=1),
        privacy_loss=dp.loss_of(rho=rho), split_evenly_over=1)  # fmt: skip
    names = list(sizes)
    algorithm = dp.mbi.AIM() if method == "aim" else dp.mbi.MST()
    keys = {n: list(range(size)) for n, size in sizes.items()}
    made = context.query().select(*names).contingency_table(keys=keys, algorithm=algorithm)
    return _filled(made.release().synthesize().to_pandas())


def _filled(frame: Any) -> Any:
    """Return rows with a cell for no value, which OpenDP adds to every column, drawn like the others of the column."""
    rng = np.random.default_rng()
    for name in frame:
        missing = frame[name].isna()
        told = frame.loc[~missing, name].to_numpy()
        frame.loc[missing, name] = rng.choice(told, int(missing.sum()))
    return frame


def _rho(dp: Any, epsilon: float, delta: float) -> float:
    """Return the concentrated privacy that is epsilon at delta, by OpenDP's own conversion."""
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="i64")
    low, high = 0.0, epsilon
    for _ in range(40):
        middle = (low + high) / 2
        noise = dp.m.make_gaussian(*space, scale=(2 * middle) ** -0.5)
        spent = dp.c.make_zCDP_to_approxDP(noise).map(1).epsilon(delta)
        low, high = (middle, high) if spent <= epsilon else (low, middle)
    return low


def main() -> None:
    """Read cells, make others, write them."""
    import pandas as pd

    program, epsilon, delta, into, out = sys.argv[1:]
    held = np.load(into)
    names = [f"c{i}" for i in range(len(held["rows"]))]
    frame = pd.DataFrame(dict(zip(names, held["rows"], strict=True)))
    sizes = dict(zip(names, held["sizes"].tolist(), strict=True))
    package, _, method = program.partition("-")
    run = {"dpmm": dpmm, "smartnoise": smartnoise, "opendp": opendp}[package]
    made = run(method, frame, sizes, float(epsilon), float(delta))
    rows = made[names].to_numpy().astype(np.int64).T[:, : len(frame)]  # type: ignore[index]
    np.save(out, rows)


if __name__ == "__main__":
    main()
