"""Several methods on one table: what fails is a row, what finished is kept, and the advice says why."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthwright as sw
from synthwright.core import registry
from synthwright.core.errors import InputError, StoreError, UnknownNameError
from synthwright.report.compared import Comparison, Measured, Method, advise
from synthwright.report.compared_shown import comparison_html, comparison_markdown
from synthwright.studies import compare as study
from synthwright.studies.compare import Wish, compare
from synthwright.studies.data import Task, files_of, task_of
from synthwright.studies.method import run_method

ENDINGS = '''
"""Runs that end in every way, in the place of runs of the line."""
import os, time
from synthwright.engine.apart import allow

def ended(order):
    made = {"outcome": "passed", "gates": 3, "rows": 9, "fit": 1.0, "sample": 2.0}
    if order["name"] == "copula":
        raise RuntimeError("a value of a real row")
    if order["name"] == "forest":
        allow(order["seconds"])
        time.sleep(60)
    if order["name"] == "raising":
        os._exit(7)
    return {"name": order["name"], **made}
'''
"""What stands in for `WORK`: quick, for it imports next to nothing."""
METHODS = '''
"""A method that goes wrong."""
from synthwright.generators.marginals import Marginals

class Raising(Marginals):
    name = "raising"
    def fit(self, data, part, ctx):
        import no_such_package
'''


def people(rows: int = 120) -> pd.DataFrame:
    """Make a small frame with a target."""
    rng = np.random.default_rng(5)
    age = rng.integers(18, 80, rows)
    return pd.DataFrame(
        {
            "age": age,
            "weight": rng.normal(70, 12, rows).round(1),
            "income": np.where(age + rng.normal(0, 9, rows) > 50, "high", "low"),
        }
    )


@pytest.fixture
def going_wrong(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install a distribution with a method that goes wrong, for this process and those that it starts."""
    at = tmp_path_factory.mktemp("site")
    (at / "going_wrong.py").write_text(METHODS, encoding="utf-8")
    (at / "endings.py").write_text(ENDINGS, encoding="utf-8")
    (at / "going_wrong-1.dist-info").mkdir()
    (at / "going_wrong-1.dist-info" / "METADATA").write_text("Name: going-wrong\nVersion: 1\n", encoding="utf-8")
    entry = "[synthwright.generators]\nraising = going_wrong:Raising\n"
    (at / "going_wrong-1.dist-info" / "entry_points.txt").write_text(entry, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(at))
    monkeypatch.syspath_prepend(str(at))
    monkeypatch.setattr(study, "WORK", "endings:ended")
    registry.places.cache_clear()
    yield
    monkeypatch.undo()
    registry.places.cache_clear()
    sys.modules.pop("going_wrong", None)


def test_what_goes_wrong_is_a_row(going_wrong: None, tmp_path: Path) -> None:
    """A method that raises, hangs or takes its process with it is a row that says so, and the others are compared."""
    told: list[Method | str] = []
    names = ("copula", "forest", "raising", "marginals")
    found = compare(people(), Wish(methods=names, seconds=0.2), tmp_path / "out", told.append)
    rows = {m.name: m for m in found.methods}
    assert [m.outcome for m in found.methods] == ["failed", "stopped", "failed", "passed"]
    assert "RuntimeError" in rows["copula"].reason
    assert rows["forest"].reason == "stopped after 0.2 seconds"
    assert "code 7" in rows["raising"].reason
    assert found.recommended == "marginals"
    assert told[0] == "copula"
    assert told[-1] == found.methods[-1]
    files = {f.name: f.read_text(encoding="utf-8") for f in (tmp_path / "out").glob("compare.*")}
    assert sorted(files) == ["compare.html", "compare.json", "compare.md"]
    assert all(m.reason in files["compare.html"] for m in found.methods)
    assert not any("a value of a real row" in text for text in files.values())


def test_it_goes_on_where_it_was(going_wrong: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What finished is kept for the same data and seed; another comparison is not written over it unless forced."""
    data, out = _file(tmp_path), tmp_path / "out"
    compare(data, Wish(methods=("marginals",)), out)
    monkeypatch.setattr(study, "WORK", "endings:never_called")
    assert compare(data, Wish(methods=("marginals",)), out).methods[0].outcome == "passed"
    with pytest.raises(StoreError, match="--force"):
        compare(data, Wish(methods=("marginals",), seed=1), out)
    anew = compare(data, Wish(methods=("marginals",), seed=1, force=True), out)
    assert anew.methods[0].outcome == "failed"


def test_what_is_not_installed_is_told(going_wrong: None, tmp_path: Path) -> None:
    """A method that wants a package that is not there says which; nobody asked for it, so it is no row."""
    (tmp_path / "method").mkdir()
    task = task_of(_file(tmp_path), tmp_path, None, None, None)
    order = _order(task, "raising", tmp_path)
    found = Method.model_validate(run_method(order))
    assert (found.outcome, found.lacking) == ("failed", True)
    assert found.reason == "it needs the package no_such_package, which is not installed."


def _order(task: Task, name: str, folder: Path) -> dict[str, Any]:
    spec = files_of(task, name, 0, folder / "specs")
    waived = ", ".join(f"{group}: measured elsewhere" for group in ("privacy", "utility", "diversity"))
    quick = f"evaluate:\n  waive: {{{waived}}}\n"
    text = spec.read_text(encoding="utf-8").replace("evaluate:\n", quick)
    spec.write_text(re.sub(r"metrics:\n(  - \w+\n)+", "metrics: [shape]\n", text), encoding="utf-8")
    return {"name": name, "spec": str(spec), "allowed": str(task.allowed), "folder": str(folder / "method"),
            "seconds": 100, "workers": 1}  # fmt: skip


def _file(folder: Path) -> Path:
    people().to_parquet(folder / "frame.parquet")
    return folder / "frame.parquet"


def test_a_run_of_the_line_is_what_is_measured(tmp_path: Path) -> None:
    """A method's row is what the report of its run says; nothing is released, and no clock is left running."""
    (tmp_path / "method").mkdir()
    task = task_of(_file(tmp_path), tmp_path, "income", None, 60)
    found = Method.model_validate(run_method(_order(task, "marginals", tmp_path)))
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert (found.made, found.rows) == (True, 60)
    report = json.loads((tmp_path / "method" / "report.json").read_bytes())
    shape = next(s for s in report["scores"] if (s["metric"], s["about"]) == ("shape", ""))
    assert (found.scores["shape"].value, found.scores["shape"].reference) == (shape["value"], shape["reference"])
    assert len(found.missed) == sum(not g["passed"] for g in report["gates"])
    assert (tmp_path / "method" / "report.html").is_file()
    assert found.seconds == pytest.approx(sum(report["seconds"][s] for s in ("fit", "generate", "curate")))


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    """Unknown methods, methods that learn nothing, targets and seconds that there are not are told before any run."""
    with pytest.raises(UnknownNameError, match="marginals"):
        sw.compare(people(), ["marginal"])
    with pytest.raises(UnknownNameError, match="learns from real rows"):
        sw.compare(people(), ["uuid"])
    with pytest.raises(InputError, match="incom"):
        sw.compare(people(), ["marginals"], target="incom")
    with pytest.raises(InputError, match="seconds"):
        sw.compare(people(), ["marginals"], seconds=float("nan"))
    with pytest.raises(InputError, match="list of text"):
        sw.compare(people(), "marginals")
    with pytest.raises(InputError, match="at least 10 rows"):
        sw.compare(people(5), ["marginals"])


def test_methods_are_found_by_what_they_can() -> None:
    """By default every generator for whole tables is compared, the default one first; what cannot make one is told."""
    able = [n for n in registry.names("generators") if study._whole(n)]  # noqa: SLF001
    assert {"forest", "copula", "marginals"} <= set(able)
    assert not {"anew", "few-shot", "text-augmentation", "uuid"} & set(able)


def method(name: str, told: float, used: float, seconds: float, missed: tuple[str, ...] = ()) -> Method:
    """Return a method with these numbers."""
    scores = {"detection": Measured(value=told, reference=0.5, chance=0.02),
              "tstr": Measured(value=used, reference=0.9, chance=0.01, better="higher"),
              "membership": Measured(value=0.51, reference=0.5)}  # fmt: skip
    return Method(name=name, outcome="refused" if missed else "passed", scores=scores, gates=40, missed=missed,
                  rows=100, fit=seconds, sample=0.0)  # fmt: skip


def test_the_advice_follows_its_rule() -> None:
    """Gates first; then use, beyond chance; then likeness, beyond chance; then seconds. The sentence says which."""
    useful, other = method("a", 0.7, 0.88, 5), method("b", 0.5, 0.8, 1)
    assert advise([useful, other]).recommended == "a"
    assert "the most useful" in advise([useful, other]).because
    like = method("c", 0.55, 0.875, 9)
    assert advise([useful, other, like]).recommended == "c"
    assert "hardest to tell from real rows" in advise([useful, other, like]).because
    quick = method("d", 0.56, 0.872, 2)
    assert advise([useful, other, like, quick]).recommended == "d"
    assert "the quickest" in advise([useful, other, like, quick]).because
    assert "it alone" in advise([other, method("e", 0.5, 0.9, 1, ("shape",))]).because


def test_where_none_passes_the_nearest_is_named() -> None:
    """Nothing is recommended that misses a gate; of those that do, one that gives nothing away comes nearest."""
    found = advise([method("a", 0.5, 0.9, 1, ("near-copies",)), method("b", 0.6, 0.8, 1, ("shape", "trend.worst"))])
    assert (found.recommended, found.nearest) == (None, "b")
    assert "misses 2 (shape, trend.worst), none of them about privacy" in found.because
    assert advise([Method(name="x", outcome="stopped")]).recommended is None


def test_what_is_shown_is_text_only() -> None:
    """Names and reasons are escaped, on the page and in Markdown; the table is a frame; JSON gives the same back."""
    bad = Method(name="x", outcome="failed", reason="<script>alert(1)</script> | *")
    found = Comparison(synthwright="0", data="<b>t</b>", real=100, wanted=100, target="t.<i>", because="None.",
                       methods=(method("a", 0.6, 0.8, 1), bad))  # fmt: skip
    page, text = comparison_html(found), comparison_markdown(found)
    assert "<script" not in page + found._repr_html_()
    assert "<b>t</b>" not in page
    assert "<script>" not in text
    assert found.table.to_pandas().set_index("method").loc["a", "tstr"] == 0.8
    assert Comparison.model_validate(found.to_json()) == found


def test_public_names_say_what_they_do(capsys: pytest.CaptureFixture[str]) -> None:
    """`show` prints methods, reasons and advice."""
    found = Comparison(synthwright="0", data="t", real=100, wanted=100, because="Take a: it alone meets every gate.",
                       recommended="a", methods=(method("a", 0.6, 0.8, 1), Method(name="x", outcome="stopped",
                       reason="stopped after 3 seconds")))  # fmt: skip
    found.show()
    said = capsys.readouterr().out
    assert "stopped after 3 seconds" in said
    assert "Take a" in said
    assert "second real sample" in said
