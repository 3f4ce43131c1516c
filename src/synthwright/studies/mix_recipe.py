"""The specification that makes the rows which a study of mixing recommends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synthwright.core import registry
from synthwright.core.contracts import Generator
from synthwright.core.spec import Spec
from synthwright.core.writing import document, schema_yaml
from synthwright.report.released import write_whole
from synthwright.studies.data import HELD_OUT, SCHEMA
from synthwright.studies.mix_data import Dose, Ground, said
from synthwright.studies.mix_work import added

FRAME = "real.parquet"
"""Where a specification looks for rows that came as a frame."""
SPECS = "specs"
_NEAR = """It stays near real rows, so that default gates of privacy refuse its rows. Where they only train your own
model, say so under `evaluate`:  waive: {privacy: "the rows train our own model, and go to nobody"}"""


def recipe(ground: Ground, method: str, dose: Dose, seed: int, out: Path, *, named: bool) -> str:
    """Write the specification and its schema into a folder of `out`; return the file, as it is called from `out`.

    Args:
        ground: the real rows.
        method: the generator.
        dose: how much is to be added.
        seed: the seed of the run.
        out: the folder.
        named: whether the real rows are a file, which the specification then names.
    """
    aim, task = ground.aim, ground.task
    rows = added(ground.train, aim, dose)
    if not ground.given:  # a fifth of the rows only confirmed: a model that is put to use learns from all
        rows = round(rows * (1 + ground.test.rows(aim.table) / ground.train.rows(aim.table)))
    source = {"use": task.use if named else "parquet", "with": {"path": task.path if named else FRAME},
              "holdout": {"share": HELD_OUT}}  # fmt: skip
    whole: dict[str, Any] = {
        "synthwright": 1, "name": f"mix-{method}", "seed": seed, "schema": SCHEMA, "source": source,
        **said(aim, method, dose, rows), "evaluate": {"target": aim.column},
    }  # fmt: skip
    Spec.model_validate(whole | {"schema": task.schema})
    kind = registry.find("generators", method)
    assert issubclass(kind, Generator)  # noqa: S101  the registry looked
    head = [f"The rows to learn from beside the real ones of {task.name}; the release holds the new rows alone."]
    head += _NEAR.splitlines() if kind.abilities.keeps_rows else []
    folder = out / SPECS
    folder.mkdir(exist_ok=True, mode=0o700)
    write_whole(folder / SCHEMA, schema_yaml(task.schema, {}, f"What the columns of {task.name} are."))
    write_whole(folder / f"mix-{method}.yaml", "".join(f"# {line}\n" for line in head) + document(whole))
    return f"{SPECS}/mix-{method}.yaml"
