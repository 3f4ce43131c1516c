"""The command line: what people type, what they read, and the exit code."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from synthwright import cli, examples


class Said(NamedTuple):
    """What a command left: exit code and both streams."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs the command line in an empty folder, with a user's own state folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["synthwright", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Said(int(left.value.code or 0), out, err)

    return run


def table(rows: int = 300) -> pa.Table:
    """Make a small table with a target."""
    rng = np.random.default_rng(3)
    age = rng.integers(18, 80, rows)
    return pa.table(
        {
            "age": age,
            "weight": rng.normal(70, 12, rows).round(2),
            "city": rng.choice(["Ulm", "Bonn", "Kiel"], rows),
            "income": np.where(age + rng.normal(0, 4, rows) > 50, "high", "low"),
        }
    )


def test_from_a_file_to_a_release(command: Command, tmp_path: Path) -> None:
    """`init`, `check`, `run` and `verify` follow each other without a hand edit, from a CSV file."""
    csv.write_csv(table(), "people.csv")
    assert command("init", "people.csv").code == 0
    assert "target: people.income" in (tmp_path / "people.yaml").read_text()
    assert "kind: integer" in (tmp_path / "people.schema.yaml").read_text()
    checked = command("check", "people.yaml")
    assert checked.code == 0
    assert "No fault found" in checked.out
    ran = command("run", "people.yaml", "--workers", "1")
    assert ran.code == 0, ran
    assert "Released" in ran.out
    assert "out/people/internal/report.html" in ran.out
    assert command("verify", "out/people").code == 0
    (tmp_path / "out/people/README.md").write_text("changed")
    again = command("verify", "out/people")
    assert again.code == 1
    assert "README.md" in again.err


def test_init_says_that_an_encoding_is_a_guess(command: Command) -> None:
    """Text that is not UTF-8 is read as what it seems to be, and `init` says as what and how to correct it."""
    rows = "".join(f"{i},{'Łódź' if i % 2 else 'Kraków'}\n" for i in range(60))
    Path("towns.csv").write_bytes(f"n,town\n{rows}".encode("cp1250"))
    said = command("init", "towns.csv")
    assert said.code == 0
    assert "is read as cp125" in " ".join(said.out.split())
    assert "encoding:" in said.out


def test_init_does_not_overwrite(command: Command) -> None:
    """A second `init` leaves what was corrected by hand alone, unless forced."""
    csv.write_csv(table(), "people.csv")
    command("init", "people.csv")
    Path("people.yaml").write_text("mine")
    again = command("init", "people.csv")
    assert again.code == 1
    assert "--force" in again.err
    assert Path("people.yaml").read_text() == "mine"
    assert command("init", "people.csv", "--force").code == 0


def test_data_outside_the_folder_is_remembered(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naming a file outside once is enough for `run`; a specification alone cannot reach it."""
    (tmp_path / "far").mkdir()
    (tmp_path / "here").mkdir()
    pq.write_table(table(), tmp_path / "far" / "people.parquet")
    monkeypatch.chdir(tmp_path / "here")
    made = command("init", "../far/people.parquet")
    assert made.code == 0
    assert "remembered" in made.out
    assert command("run", "people.yaml", "--quiet").code == 0
    shutil.rmtree(tmp_path / "state")
    refused = command("run", "people.yaml", "--out", "other")
    assert refused.code == 1
    assert "leaves" in refused.err
    assert command("check", "people.yaml", "--root", tmp_path).code == 0


def test_gates_that_are_not_met(command: Command) -> None:
    """A refusal names the gate and by how much, leaves no data, and exits with 3."""
    pq.write_table(table(), "people.parquet")
    command("init", "people.parquet")
    spec = Path("people.yaml").read_text()
    Path("people.yaml").write_text(spec.replace("evaluate:", 'evaluate:\n  gates: ["shape <= 0.00001"]'))
    ran = command("run", "people.yaml")
    assert ran.code == 3
    assert "Refused: shape is" in ran.out
    assert not Path("out/people/data").exists()
    assert Path("out/people/internal/report.html").exists()


def test_json_and_quiet(command: Command) -> None:
    """`--json` prints nothing but JSON, `--quiet` nothing at all."""
    pq.write_table(table(), "people.parquet")
    assert json.loads(command("init", "people.parquet", "--json").out)["target"] == "people.income"
    assert json.loads(command("check", "people.yaml", "--json").out)["ok"] is True
    said = json.loads(command("run", "people.yaml", "--json").out)
    assert said["verdict"] == "released"
    again = command("run", "people.yaml", "--quiet")
    assert (again.code, again.out, again.err) == (0, "", "")
    assert json.loads(command("verify", "out/people", "--json").out) == {"ok": True, "differences": []}


def test_fit_and_sample(command: Command) -> None:
    """The two halves by hand: a model, and rows of it, on condition too."""
    pq.write_table(table(), "people.parquet")
    assert command("fit", "people.parquet", "-o", "people.model").code == 0
    assert command("sample", "people.model", "-n", "50", "-o", "fake.csv", "--set", "income=high").code == 0
    fake = csv.read_csv("fake.csv")
    assert fake.num_rows == 50
    assert set(fake["income"].to_pylist()) == {"high"}
    assert command("sample", "people.model", "-n", "50", "-o", "fake.csv").code == 1
    wrong = command("sample", "people.model", "-n", "5", "-o", "other.csv", "--set", "incme=high")
    assert wrong.code == 1
    assert "'income'" in wrong.err


def test_several_tables_are_written_where_they_belong(command: Command) -> None:
    """Into one database under their names, with their references; else a file each, none of which is replaced."""
    with sqlite3.connect("shop.db") as base:
        base.execute("CREATE TABLE customer (id INTEGER NOT NULL PRIMARY KEY, land TEXT)")
        base.execute("CREATE TABLE bill (no INTEGER NOT NULL PRIMARY KEY, customer_id INTEGER, sum REAL)")
        base.executemany("INSERT INTO customer VALUES (?, ?)", [(i, "DE" if i % 3 else "FR") for i in range(1, 61)])
        bills = [(i, i * 7 % 60 + 1, i * 31 % 97 / 4) for i in range(1, 121)]
        base.executemany("INSERT INTO bill VALUES (?, ?, ?)", bills)
    base.close()
    assert command("fit", "shop.db", "-o", "shop.model").code == 0
    assert "rows to fake.db." in command("sample", "shop.model", "-o", "fake.db").out
    with sqlite3.connect("fake.db") as base:
        names = {n for (n,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        links = base.execute('SELECT "table", "from", "to" FROM pragma_foreign_key_list(\'bill\')').fetchall()
        lost = base.execute("SELECT count(*) FROM bill WHERE customer_id NOT IN (SELECT id FROM customer)").fetchone()
    base.close()
    assert (names, links, lost) == ({"customer", "bill"}, [("customer", "customer_id", "id")], (0,))
    Path("fake.bill.csv.gz").write_text("mine")
    there = command("sample", "shop.model", "-o", "fake.csv.gz")
    assert there.code == 1
    assert "fake.bill.csv.gz" in there.err
    assert Path("fake.bill.csv.gz").read_text() == "mine"
    assert "fake.customer.csv.gz" in command("sample", "shop.model", "-o", "fake.csv.gz", "--force").out


def test_sampled_text_files_are_spelled_as_the_real_one(command: Command) -> None:
    """`TRUE`, `+1.5` and ISO instants with a `T` come back so, and as JSON a truth value is one."""
    lines = [f"{'TRUE' if i % 3 else 'FALSE'},{i % 9 - 4:+.1f},2024-01-{i % 28 + 1:02d}T10:00:00Z" for i in range(60)]
    Path("real.csv").write_text("\n".join(["ok,by,at", *lines]) + "\n")
    assert command("fit", "real.csv", "-o", "real.model").code == 0
    assert command("sample", "real.model", "-o", "fake.csv").code == 0
    for line in Path("fake.csv").read_text().splitlines()[1:]:
        assert re.fullmatch(r"(TRUE|FALSE),[+-]\d\.\d,2024-01-\d\dT10:00:00Z", line), line
    assert command("sample", "real.model", "-o", "fake.jsonl").code == 0
    first = json.loads(Path("fake.jsonl").read_text().splitlines()[0])
    assert isinstance(first["ok"], bool)
    assert isinstance(first["by"], float)
    assert re.fullmatch(r"2024-01-\d\dT10:00:00Z", first["at"])


def test_evaluate_judges_rows_of_any_tool(command: Command) -> None:
    """Real rows pass for synthetic ones; noise does not, and the exit code says so."""
    real = table(900)
    pq.write_table(real.slice(0, 300), "train.parquet")
    csv.write_csv(real.slice(300, 300), "holdout.csv")
    pq.write_table(real.slice(600), "second.parquet")
    files = ["--real", "train.parquet", "--holdout", "holdout.csv", "--target", "income"]
    good = command("evaluate", *files, "--synthetic", "second.parquet", "--out", "judged", "--gate", "shape <= 0.2")
    assert good.code == 0, good
    assert "Passed: 300 rows" in good.out
    assert json.loads(Path("judged/report.json").read_text())["verdict"] == "released"
    assert Path("judged/report.html").exists()
    bad = command("evaluate", *files, "--synthetic", "train.parquet")
    assert bad.code == 3
    assert "exact-copies" in bad.out


def test_an_example_brings_its_folders(command: Command) -> None:
    """What an example reads may lie in folders of its own; nothing there is written over."""
    name = "text-questions-from-documents"
    made = command("init", "--from", name)
    assert made.code == 0, made
    assert {"documents/rooms.html", f"{name}.yaml", f"{name}.md"} <= set(examples.files(name))
    assert all(Path(where).is_file() for where in examples.files(name))
    assert command("check", f"{name}.yaml").code == 0
    assert command("init", "--from", name).code == 1


def test_what_there_is(command: Command) -> None:
    """`list`, `explain` and `schema` tell of every plug-in."""
    listed = command("list")
    for name in ("copula", "duplicates", "tstr", "sqlite"):
        assert name in listed.out
    assert "copula" not in command("list", "metrics").out
    assert command("list", "metricks").code == 1
    shown = command("list", "examples")
    assert shown.code == 0
    assert all(name in shown.out for name in examples.names())
    assert "The Adult census table, made anew" in " ".join(shown.out.split())
    told = command("explain", "copula")
    assert told.code == 0
    assert "protect" in told.out
    wrong = command("explain", "copla")
    assert wrong.code == 1
    assert "'copula'" in wrong.err
    assert json.loads(command("schema").out)["title"] == "Synthwright specification"


def test_a_specification_with_five_faults(command: Command) -> None:
    """All of them are told, each with its place, and the exit code is 1."""
    Path("bad.yaml").write_text(
        "synthwright: 2\nname: 'a b'\nsource: {use: parquett}\nparts: [{make: [t.x], use: copla}]\ncolour: red\n"
        "evaluate: {gates: ['shape < = 1']}\n"
    )
    found = command("check", "bad.yaml")
    assert found.code == 1
    lines = found.err.strip().splitlines()
    assert len(lines) >= 5
    assert all(line.startswith("bad.yaml:") for line in lines)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "empty"),
        ("header.csv", b"a,b\n", "rows"),
        ("twice.csv", b"a,a\n1,2\n", "'a'"),
        ("ragged.csv", b"a,b\n1,2\n3\n4,5,6\n", "3"),
        ("nothing.parquet", b"", ""),
        ("broken.parquet", b"PAR1 nonsense PAR1", ""),
        ("broken.jsonl", b'{"a": 1}\n{"a": \n', "2"),
        ("nested.jsonl", b'{"a": {"b": 1}}\n' * 20, "'a'"),
        ("what.docx", b"PK\x03\x04", ""),
    ],
)
def test_files_that_cannot_be_read(command: Command, name: str, content: bytes, said: str) -> None:
    """A message that says what is wrong, exit code 1, and nothing half-written."""
    Path(name).write_bytes(content)
    found = command("init", name)
    assert found.code == 1
    assert said in found.err
    assert found.err.startswith("error: ")
    assert sorted(p.name for p in Path().iterdir() if p.name != "state") == [name]


def test_a_folder_that_cannot_be_written(command: Command, tmp_path: Path) -> None:
    """A folder without rights, or a file in its place, is said plainly."""
    pq.write_table(table(), "people.parquet")
    command("init", "people.parquet")
    (tmp_path / "file").write_text("x")
    found = command("run", "people.yaml", "--out", "file")
    assert found.code == 1
    assert "wanted a folder" in found.err
    if os.geteuid() != 0:  # root may write anywhere
        (tmp_path / "locked").mkdir(mode=stat.S_IRUSR)
        assert command("run", "people.yaml", "--out", "locked/out").code == 1


def test_a_full_disk(command: Command, tmp_path: Path) -> None:
    """A disk without room ends the run with a message, and leaves no release behind."""
    pq.write_table(table(), "people.parquet")
    command("init", "people.parquet")
    code = ("import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
            "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
            "sys.argv = ['synthwright', 'run', 'people.yaml']; from synthwright.cli import main; main()")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert "room" in done.stderr or "large" in done.stderr
    assert not (tmp_path / "out/people/data").exists()
    assert not (tmp_path / "out/people/manifest.json").exists()


def test_wrong_usage(command: Command) -> None:
    """A missing argument or an unknown option exits with 2."""
    assert command("run").code == 2
    assert command("run", "x.yaml", "--colour").code == 2
    assert command("run", "none.yaml").code == 1
    assert command("--version").code == 0


def test_no_value_of_a_real_row_is_told(command: Command) -> None:
    """A cell that does not fit is named by column and row; what it holds is not repeated."""
    lines = [b"age,city"] + [b"%d,Ulm" % i for i in range(50)] + [b"CANARY-4711,Ulm"]
    Path("people.csv").write_bytes(b"\n".join(lines[:-1]))
    command("init", "people.csv")
    Path("people.csv").write_bytes(b"\n".join(lines))
    found = command("run", "people.yaml")
    assert found.code == 1
    assert "'age'" in found.err
    assert "CANARY" not in found.out + found.err


def test_an_interrupt_says_that_nothing_is_lost(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 130, and a line that says how to go on."""
    from synthwright.core import registry

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "names", interrupted)
    said = command("list", "generators")
    assert said.code == 130
    assert said.err == "error: interrupted; the same command goes on where it was\n"
