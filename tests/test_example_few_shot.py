"""The example of few real texts, varied: it passes, its proof is there, and a language model may take over."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import synthwright as sw
from synthwright.examples import folder

FEW = "text-augment-few-shot"


@pytest.mark.slow
def test_few_texts_are_varied_and_proven(tmp_path: Path) -> None:
    """Of eighteen real texts come 144 others with their labels, and the report says what they are worth."""
    shutil.copytree(folder(FEW), tmp_path / FEW)
    report = sw.run(tmp_path / FEW / f"{FEW}.yaml", tmp_path / "out")
    assert report.passed, (report.summary, report.dropped)
    files = sorted((tmp_path / "out" / "data").rglob("*.jsonl"))
    lines = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len({json.dumps(line) for line in lines}) == report.rows["request"] == 144
    real, unseen = (pl.read_csv(folder(FEW) / f"{name}.csv") for name in ("few", "holdout"))
    assert not set(unseen["text"]) & ({line["text"] for line in lines} | set(real["text"]))
    assert len(real) + len(unseen) == 60
    scores = {(s.metric, s.about): s for s in report.scores}
    for about in ("", "both", "both less real", "macro F1", "class 3"):
        assert scores["text-utility", about].value is not None
    assert (scores["text-utility", ""].value or 0) > 0.7  # 0.33 is guessing
    assert (scores["label-noise", ""].value or 0) < 0.1


def test_few_texts_may_be_written_by_a_model(tmp_path: Path) -> None:
    """The lines of the remark, put in the place of those that vary, make a sound specification."""
    shutil.copytree(folder(FEW), tmp_path / FEW)
    file = tmp_path / FEW / f"{FEW}.yaml"
    text = file.read_text(encoding="utf-8")
    remark = re.search(r"^# {3}models:(?:.*\n#)+.*\n", text, re.MULTILINE)
    assert remark is not None
    instead = "".join(f"{line[4:]}\n" for line in remark[0].splitlines())
    parts = re.search(r"^start: (?:.*\n)+?\n(?=# To have)", text, re.MULTILINE)
    assert parts is not None
    file.write_text(text.replace(remark[0], "").replace(parts[0], instead), encoding="utf-8")
    assert "few-shot" in file.read_text(encoding="utf-8").partition("curate:")[0].partition("source:")[2]
    assert sw.check(file) is not None
