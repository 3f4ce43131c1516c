"""`synthwright evaluate --format`: what is written where, and what is printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthwright import cli

Evaluate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Evaluate:
    """Return a function that judges one small table against another; exit code, output and errors."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    rng = np.random.default_rng(3)
    for name in ("real", "holdout", "fake"):
        age = rng.integers(18, 80, 120)
        pq.write_table(pa.table({"age": age, "job": rng.choice(["a", "b"], 120)}), f"{name}.parquet")

    def run(*words: str, real: bool = True) -> tuple[int, str, str]:
        files: tuple[str, ...] = ("--real", "real.parquet", "--holdout", "holdout.parquet") if real else ()
        files += ("--synthetic", "fake.parquet")
        monkeypatch.setattr(sys, "argv", ["synthwright", "evaluate", *files, *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return int(left.value.code or 0), out, err

    return run


def test_markdown_alone_goes_to_the_terminal(evaluate: Evaluate) -> None:
    """Nothing but Markdown is printed, so that it can be piped."""
    code, out, _ = evaluate("--format", "md")
    assert code in (0, 3)
    assert out.startswith("# Synthwright report\n")
    assert "## What the scores mean" in out
    assert not Path("report.md").exists()


def test_json_alone_goes_to_the_terminal(evaluate: Evaluate) -> None:
    """`--format json` prints what `--json` prints."""
    _, out, _ = evaluate("--format", "json")
    assert json.loads(out)["rows"] == {"real": 120}


def test_forms_are_written_where_a_folder_is_named(evaluate: Evaluate) -> None:
    """Said twice, both are written and nothing else; `all` has the charts too."""
    _, out, _ = evaluate("--out", "few", "--format", "md", "--format", "json")
    assert {p.name for p in Path("few").iterdir()} == {"report.json", "report.md", "officer.md"}
    assert "wrote few/report.md" in out
    evaluate("--out", "all", "--format", "all", "--quiet")
    assert {p.name for p in Path("all").iterdir()} == {
        "report.json", "report.md", "officer.md", "report.html", "officer.html", "charts",
    }  # fmt: skip
    assert (Path("all") / "charts" / "gates.png").exists()


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("--format", "html"), "html needs --out"),
        (("--format", "all"), "html needs --out"),
        (("--format", "png", "--format", "md"), "png needs --out"),
        (("--format", "md", "--format", "json"), "more than one form needs --out"),
        (("--format", "md", "--json"), "more than one form needs --out"),
        (("--format", "pdf"), "'pdf'"),
    ],
)
def test_what_has_no_place_to_go_is_wrong_usage(evaluate: Evaluate, words: tuple[str, ...], wrong: str) -> None:
    """Pages, charts and several forms at once need a folder; what there is not is told apart."""
    code, out, err = evaluate(*words)
    assert code == 2
    assert wrong in " ".join(err.split())
    assert not out


def test_without_real_rows_what_does_not_apply_fails_nothing(evaluate: Evaluate) -> None:
    """Rows made by rules alone are judged by rules and keys; everything else says that it was not measured."""
    code, _, _ = evaluate("--out", "rules", real=False)
    assert code == 0
    text = Path("rules/report.md").read_text(encoding="utf-8")
    assert "may be used as far as rules, keys and number go" in text
    assert "| Private | Withstood every attack that was tried? | Not measured |" in text
    assert "computed from real" not in Path("rules/report.html").read_text(encoding="utf-8").lower()
