"""Models are data, specifications are data, nobody is spoken to, and real values stay where they are.

What concerns one part is tested beside that part: YAML and file parsers, paths, the spreadsheet profile, the manifest.
`tools/check_house.py` reads the source for pickle and its kin; this file watches what happens when it runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthwright as sw
from synthwright.core.errors import SpecError, SynthwrightError
from synthwright.core.loading import load_spec
from synthwright.core.schema import Field, Kind, Schema, Table

CYCLE = r'''
import json, sys
from pathlib import Path

OURS = "/synthwright/"
seen = []

def caller():
    """Return the file of the code that did it: the nearest frame above this hook."""
    return sys._getframe(2).f_code.co_filename

def watch(event, args):
    if event == "pickle.find_class" and "/numba/" in caller():
        return  # its own compiled kernels, kept beside our code as Python keeps its own
    if event.startswith(("socket.", "urllib.", "http.", "smtplib.", "ftplib.")) or event == "pickle.find_class":
        seen.append(f"{event} from {caller()}")
    elif event in ("marshal.loads", "marshal.dumps", "exec", "compile", "os.system", "os.exec", "ctypes.dlopen"):
        if OURS in caller():
            seen.append(f"{event} from {caller()}")

import synthwright as sw
sys.addaudithook(watch)

data = sw.read("data.parquet")
for generator in ("marginals", "copula", "forest"):
    model = sw.fit(data, generator=generator, seed=1)
    model.save(f"{generator}.model")
    again = sw.load(f"{generator}.model")
    assert again.sample(50, seed=2).to_arrow().equals(model.sample(50, seed=2).to_arrow())
report = sw.run("spec.yaml", out="out", seed=3)
Path("seen.json").write_text(json.dumps(seen))
'''

SPEC = """
synthwright: 1
name: people
source: {use: parquet, with: {path: data.parquet}, holdout: {share: 0.25}}
start: {rows: {data: 200}}
evaluate: {target: data.income}
"""


def people(rows: int = 400) -> pa.Table:
    """Return an ordinary table with a column of every troublesome sort."""
    rng = np.random.Generator(np.random.Philox(7))
    age = rng.integers(18, 90, rows)
    return pa.table({
        "age": age,
        "weight": rng.normal(70, 12, rows).round(1),
        "income": np.where(age + rng.normal(0, 15, rows) > 55, "high", "low"),
        "email": [f"person{i}@example.org" for i in range(rows)],
        "joined": pa.array(18_000 + rng.integers(0, 900, rows), pa.int32()).cast(pa.date32()),
    })  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder with a table and a specification."""
    pq.write_table(people(), tmp_path / "data.parquet")
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a saved model."""
    folder = tmp_path_factory.mktemp("models") / "people.model"
    sw.fit(people(), seed=1).save(folder)
    return folder


def test_cycle_is_silent(desk: Path) -> None:
    """Fit, save, load, sample and run unpickle nothing, run no text as code, and speak to nobody."""
    scratch = desk / "scratch"
    scratch.mkdir(mode=0o700)
    (desk / "cycle.py").write_text(CYCLE)
    done = subprocess.run([sys.executable, "cycle.py"], cwd=desk, env=os.environ | {"TMPDIR": str(scratch)},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((desk / "seen.json").read_text()) == []
    assert list(scratch.iterdir()) == []  # temporary files are gone


def test_watch_can_see(desk: Path) -> None:
    """The hook that watches the cycle sees what it is to see."""
    (desk / "synthwright").mkdir()
    (desk / "synthwright" / "guilty.py").write_text(
        "import marshal, pickle, socket\n"
        "def do():\n"
        "    pickle.loads(b'cpathlib\\nPath\\n.')\n"
        "    marshal.loads(marshal.dumps(1))\n"
        "    exec('1')\n"
        "    with socket.socket() as s:\n"
        "        s.connect_ex(('127.0.0.1', 9))\n"
    )
    hook = CYCLE.partition("import synthwright")[0] + "sys.addaudithook(watch)\n"
    run = (
        "import runpy\nrunpy.run_path(str(Path('synthwright/guilty.py').absolute()))['do']()\nprint(json.dumps(seen))\n"
    )
    done = subprocess.run([sys.executable, "-c", hook + run], cwd=desk, capture_output=True, text=True, check=True)
    events = {e.partition(" ")[0] for e in json.loads(done.stdout)}
    assert {"pickle.find_class", "marshal.loads", "exec", "socket.connect"} <= events


def files(folder: Path) -> list[str]:
    """Return the names of the files of a saved model."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_model_files_are_plain(model: Path) -> None:
    """A model is JSON and arrays, nothing else."""
    assert {Path(f).suffix for f in files(model)} <= {".json", ".npz", ".npy", ".safetensors"}


def copied(model: Path, to: Path) -> Path:
    """Return a copy of a model's folder."""
    for name in files(model):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes((model / name).read_bytes())
    return to


def test_altered_model_refused(model: Path, tmp_path: Path) -> None:
    """Changing any byte of a model, or taking a file away, makes loading it an error."""
    for i, name in enumerate(files(model)):
        changed = copied(model, tmp_path / f"changed{i}")
        held = bytearray((changed / name).read_bytes())
        held[len(held) // 2] ^= 1
        (changed / name).write_bytes(bytes(held))
        with pytest.raises(SynthwrightError):
            sw.load(changed)
        gone = copied(model, tmp_path / f"gone{i}")
        (gone / name).unlink()
        with pytest.raises(SynthwrightError):
            sw.load(gone)


class Bomb:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


def test_forged_model_runs_nothing(model: Path, tmp_path: Path) -> None:
    """A model whose files are swapped for pickles, with hashes to match, is refused and runs nothing."""
    mark = tmp_path / "mark"
    for i, name in enumerate(n for n in files(model) if n != "hashes.json"):
        forged = copied(model, tmp_path / f"forged{i}")
        if name.endswith((".npy", ".npz")):
            with (forged / name).open("wb") as file:
                np.save(file, np.array([Bomb(mark)], dtype=object), allow_pickle=True)
        else:
            (forged / name).write_bytes(pickle.dumps(Bomb(mark)))
        hashes = {f: hashlib.sha256((forged / f).read_bytes()).hexdigest() for f in files(forged) if f != "hashes.json"}
        (forged / "hashes.json").write_text(json.dumps(hashes, indent=1) + "\n")
        with pytest.raises(SynthwrightError):
            sw.load(forged).sample(5, seed=1)
        assert not mark.exists(), name


@pytest.mark.parametrize("word", ["os:system", "os.system", "../evil", "synthwright.cli:main", "__import__('os')", ""])
@pytest.mark.parametrize(
    "place",
    [
        "source: {{use: {0!r}, with: {{path: data.parquet}}}}",
        "parts: [{{make: ['data.*'], use: {0!r}}}]",
        "curate: [{{use: {0!r}}}]",
        "evaluate: {{metrics: [{0!r}]}}",
        "release: {{use: {0!r}}}",
    ],
)
def test_specification_names_no_code(desk: Path, place: str, word: str) -> None:
    """A specification names registered plug-ins; a module, a path or code is an unknown name, with its place."""
    line = place.format(word)
    key = line.partition(":")[0]
    kept = [text for text in SPEC.splitlines() if not text.startswith(key)]
    (desk / "spec.yaml").write_text("\n".join([*kept, line]))
    with pytest.raises(SpecError) as caught:
        sw.check(desk / "spec.yaml")
    assert any(fault.line > 0 for fault in caught.value.faults)


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!!binary aGk="]
)
def test_specification_has_no_tags(desk: Path, tag: str) -> None:
    """Tags of YAML that make objects are faults."""
    (desk / "spec.yaml").write_text(SPEC.replace("name: people", f"name: {tag}"))
    with pytest.raises(SpecError):
        load_spec(desk / "spec.yaml")


SECRET = "canary-e51f-value"


def said_by(failing: pytest.ExceptionInfo[SynthwrightError]) -> str:
    """Return everything that an error says: its message, its parts and what it came from."""
    error: BaseException | None = failing.value
    words = [json.dumps(failing.value.to_json())]
    while error is not None:
        words += [str(error), repr(error.args)]
        error = error.__cause__ if error.__cause__ or error.__suppress_context__ else error.__context__
    return " ".join(words)


@pytest.mark.parametrize(
    ("kind", "outside"),
    [(Kind.INTEGER, None), (Kind.NUMBER, None), (Kind.DATE, None), (Kind.DATETIME, None), (Kind.BOOLEAN, None),
     (Kind.NUMBER, "decimal128(4, 2)"), (Kind.TIME, None), (Kind.DURATION, None)],
)  # fmt: skip
def test_value_that_does_not_fit_is_not_shown(kind: Kind, outside: str | None) -> None:
    """A cell that does not fit its field is named by place, never by its value."""
    schema = Schema(tables={"data": Table(fields={"column": Field(kind=kind, type=outside)})})
    with pytest.raises(SynthwrightError) as caught:
        sw.Dataset.of(pa.table({"column": ["1", SECRET]}), schema)
    assert SECRET not in said_by(caught)
    assert "column" in str(caught.value)


def test_mixed_frame_is_not_shown() -> None:
    """A pandas column of several types is named, its values are not."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"fine": [1, 2], "mixed": [SECRET, {"a": [SECRET, 1]}]})
    with pytest.raises(SynthwrightError) as caught:
        sw.Dataset.of(frame)
    assert SECRET not in said_by(caught)
    assert "mixed" in str(caught.value)


def test_ragged_line_is_not_shown(tmp_path: Path) -> None:
    """A ragged line of a CSV file is named by its number, never by its text."""
    (tmp_path / "data.csv").write_text(f"a,b\n1,2\n{SECRET},3,4\n5,6\n")
    with pytest.raises(SynthwrightError) as caught:
        sw.read(tmp_path / "data.csv")
    assert SECRET not in said_by(caught)
    assert "3" in str(caught.value)


def test_rare_value_leaves_nowhere(tmp_path: Path) -> None:
    """A value that one real row has is in no model, no sample and no released file, and no log says it."""
    table = people()
    income = table.column("income").to_pylist()
    income[5] = SECRET
    table = table.set_column(2, "income", pa.array(income))
    pq.write_table(table, tmp_path / "data.parquet")
    (tmp_path / "spec.yaml").write_text(SPEC)
    command = [str(Path(sys.executable).with_name("synthwright")), "run", "spec.yaml", "--out", "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    assert SECRET not in done.stdout + done.stderr
    told = [p for p in (tmp_path / "out").rglob("*") if p.is_file() and ".store" not in p.parts]
    assert told
    for path in told:
        assert SECRET.encode() not in path.read_bytes(), path
    model = sw.fit(table, seed=1)
    model.save(tmp_path / "m.model")
    for name in files(tmp_path / "m.model"):
        assert SECRET.encode() not in (tmp_path / "m.model" / name).read_bytes(), name
    assert SECRET not in set(model.sample(500, seed=2).column("income").to_pylist())
