"""The log of answers: nothing that was written is lost, whatever happens to who wrote it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import pytest

from synthwright.core.errors import StoreError
from synthwright.store import replies
from synthwright.store.replies import Replies


def _key(i: int) -> str:
    return hashlib.sha256(str(i).encode()).hexdigest()


def _at(store: Path) -> Path:
    return store / "replies" / "answers.jsonl"


def _filled(store: Path, many: int) -> bytes:
    """Write some answers; return the bytes of the log."""
    with Replies.open(store) as log:
        for i in range(many):
            log.put(_key(i), {"text": f"answer {i}"})
    return _at(store).read_bytes()


def test_what_was_put_is_found(tmp_path: Path) -> None:
    """Answers are found under their keys, in this process and in the next; the first one under a key stays."""
    long = {"text": "x" * 100_000 + "\n\ud800é", "key": ["a", 1], "seconds": 0.5}
    with Replies.open(tmp_path) as log:
        assert log.get(_key(1)) is None
        assert log.put(_key(1), {"text": "first"}) == {"text": "first"}
        assert log.put(_key(1), {"text": "second"}) == {"text": "first"}
        log.put(_key(2), long)
        assert (log.get(_key(1)), log.get(_key(2)), len(log)) == ({"text": "first"}, long, 2)
    with Replies.open(tmp_path) as log:
        assert (log.get(_key(1)), log.get(_key(2)), log.get(_key(3)), len(log)) == ({"text": "first"}, long, None, 2)
    log.close()  # twice does no harm


def test_lines_are_json_for_people(tmp_path: Path) -> None:
    """A line is JSON that begins with the key; files and folder are private."""
    (line,) = _filled(tmp_path, 1).splitlines()
    said = json.loads(line)
    assert (said["sha256"], said["text"]) == (_key(0), "answer 0")
    assert stat.S_IMODE(_at(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE(_at(tmp_path).parent.stat().st_mode) == 0o700


def test_every_torn_tail_is_cut_off(tmp_path: Path) -> None:
    """Wherever a line was torn, the ones before it stay, and what is written next stands on a line of its own."""
    whole = _filled(tmp_path, 3)
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in (*range(last + 1, len(whole), 7), len(whole) - 1):
        for rest in (b"", b"\0" * 20):  # a power failure may leave zeros
            _at(tmp_path).write_bytes(whole[:cut] + rest)
            with Replies.open(tmp_path) as log:
                assert (len(log), log.get(_key(1))) == (2, {"text": "answer 1"})
                assert _at(tmp_path).read_bytes() == whole[:last]
                log.put(_key(2), {"text": "answer 2"})
            assert _at(tmp_path).read_bytes() == whole


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_damaged_line_is_named(tmp_path: Path, line: int) -> None:
    """A line that is not what was written is named with its file and number; every changed byte is seen."""
    whole = _filled(tmp_path, 4)
    lines = whole.splitlines(keepends=True)
    for at in range(0, len(lines[line - 1]) - 1, 5):
        damaged = [*lines]
        damaged[line - 1] = lines[line - 1][:at] + b"#" + lines[line - 1][at + 1 :]
        _at(tmp_path).write_bytes(b"".join(damaged))
        with pytest.raises(StoreError, match=rf"answers\.jsonl:{line}: .*a damaged line.*delete the line"):
            Replies.open(tmp_path)
        assert _at(tmp_path).read_bytes() == b"".join(damaged)
    _at(tmp_path).write_bytes(b"".join(lines[: line - 1] + lines[line:]))
    with Replies.open(tmp_path) as log:
        assert len(log) == 3


def test_runs_share_a_log(tmp_path: Path) -> None:
    """What one run was answered another one finds without opening the log anew; neither overwrites the other."""
    with Replies.open(tmp_path) as one, Replies.open(tmp_path) as other:
        one.put(_key(1), {"text": "of one"})
        assert other.get(_key(1)) == {"text": "of one"}
        other.put(_key(2), {"text": "of other"})
        assert one.put(_key(2), {"text": "too late"}) == {"text": "of other"}
        assert one.get(_key(2)) == {"text": "of other"}
    assert len(_at(tmp_path).read_bytes().splitlines()) == 2


def test_half_a_line_of_another_run(tmp_path: Path) -> None:
    """Where another run was killed in the middle of a line, the next answer does not stick to it."""
    with Replies.open(tmp_path) as log:
        log.put(_key(1), {"text": "1"})
        with _at(tmp_path).open("ab") as file:
            file.write(b'{"sha256": "0123')
        assert log.get(_key(2)) is None
        log.put(_key(2), {"text": "2"})
    with Replies.open(tmp_path) as log:
        assert (log.get(_key(1)), log.get(_key(2))) == ({"text": "1"}, {"text": "2"})


def test_a_log_that_is_taken_away(tmp_path: Path) -> None:
    """A log that is removed or cut off while a run writes to it is told, and not written to any longer."""
    with Replies.open(tmp_path) as log:
        log.put(_key(1), {"text": "1"})
        log.put(_key(2), {"text": "2"})
        os.truncate(_at(tmp_path), 10)
        with pytest.raises(StoreError, match="cut off or removed"):
            log.put(_key(3), {"text": "3"})
        with pytest.raises(StoreError, match="changed while it was open"):
            log.get(_key(2))
        _at(tmp_path).unlink()
        with pytest.raises(StoreError, match="cut off or removed"):
            log.put(_key(3), {"text": "3"})


def test_no_links(tmp_path: Path) -> None:
    """A link in the place of the log or its folder is refused, and what it leads to stays as it is."""
    secret = tmp_path / "secret"
    secret.write_text("mine")
    (tmp_path / "a" / "replies").mkdir(parents=True)
    (tmp_path / "a" / "replies" / "answers.jsonl").symlink_to(secret)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "replies").symlink_to(tmp_path / "elsewhere")
    for store in ("a", "b"):
        with pytest.raises(StoreError, match="a link"):
            Replies.open(tmp_path / store)
    assert secret.read_text() == "mine"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full in the middle of a line the line is taken back, and it is said plainly."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 40:
            raise OSError(errno.ENOSPC, "no space")
        return write(descriptor, data[:30])

    with Replies.open(tmp_path) as log:
        log.put(_key(1), {"text": "1"})
        before = _at(tmp_path).read_bytes()
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(StoreError, match="free some space"):
            log.put(_key(2), {"text": "2"})
        assert _at(tmp_path).read_bytes() == before
        monkeypatch.undo()
        log.put(_key(2), {"text": "2"})
        assert len(_at(tmp_path).read_bytes().splitlines()) == 2


class AtOnce:
    """Does at once what would be done aside."""

    def __init__(self, *_: object) -> None: ...

    def submit(self, business: Callable[[int], None], descriptor: int) -> Future[None]:
        """Do it."""
        business(descriptor)
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def shutdown(self) -> None:
        """Wait for nothing."""


def test_the_disk_is_asked_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is told to hold what was written at most once a second, and at the end."""
    times: list[float] = []
    clock = [1000.0]
    monkeypatch.setattr(replies, "ThreadPoolExecutor", AtOnce)
    monkeypatch.setattr(os, "fsync", lambda _: times.append(clock[0]))
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with Replies.open(tmp_path) as log:
        for i in range(300):
            clock[0] += 0.01
            log.put(_key(i), {"text": "1"})
    assert 3 <= len(times) <= 4
    assert all(b - a >= 1.0 - 1e-6 for a, b in pairwise(times[:-1]))


KILLED = """
import json, os, random, signal, sys, time
from hashlib import sha256
from pathlib import Path
from synthwright.store.replies import Replies

def write(told, first):
    with Replies.open(Path(sys.argv[1])) as log:
        for i in range(first, first + 10**6):
            log.put(sha256(str(i).encode()).hexdigest(), {"text": f"answer {i} " + "x" * (i % 3000)})
            os.write(told, b"%d\\n" % i)

dice, confirmed = random.Random(1), []
for turn in range(15):
    writers = []
    for first in (turn * 10**7, turn * 10**7 + 5 * 10**6):
        said, told = os.pipe()
        pid = os.fork()
        if not pid:
            write(told, first)
        os.close(told)
        writers.append((pid, said))
    for pid, said in writers:
        time.sleep(dice.uniform(0.0, 0.08))
        os.kill(pid, signal.SIGKILL)
    for pid, said in writers:
        os.waitpid(pid, 0)
        with os.fdopen(said) as lines:
            confirmed += [int(line) for line in lines if line.endswith("\\n")]
print(json.dumps(confirmed))
"""


def test_kill_nine(tmp_path: Path) -> None:
    """Killed at 30 random moments, two writers at a time: what was put is there, once, and nothing is damaged."""
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], capture_output=True, check=True)
    confirmed = json.loads(done.stdout)
    with Replies.open(tmp_path) as log:
        for i in confirmed:
            assert log.get(_key(i)) == {"text": f"answer {i} " + "x" * (i % 3000)}
        assert len(confirmed) <= len(log) <= len(confirmed) + 30  # one put and not yet told, for each that was killed
        assert len(_at(tmp_path).read_bytes().splitlines()) == len(log)
    assert len(confirmed) > 100


def test_many_answers_take_little_memory(tmp_path: Path) -> None:
    """Opening keeps the places of answers, and not what they say: 200 bytes for each, about."""
    many = 3_000
    with Replies.open(tmp_path) as log:
        for i in range(many):
            log.put(_key(i), {"text": "x" * 2_000})
    tracemalloc.start()
    with Replies.open(tmp_path) as log:
        held, _ = tracemalloc.get_traced_memory()
        assert len(log) == many
    tracemalloc.stop()
    assert held < 300 * many
