"""What is passed down instead of being global: randomness, place, engine, store, progress, project folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from synthwright.core.errors import InputError, PathError

if TYPE_CHECKING:
    from synthwright.core.chat import Models
    from synthwright.core.dataset import Dataset


class Engine(Protocol):
    """Where work runs."""

    def map(self, work: str, items: Sequence[Any], done: Callable[[int], None] | None = None) -> list[Any]:
        """Call `work` ("module:function") on every item and return the answers in order.

        Items and answers are JSON; data travels through the store. `done` is told how many are finished. Work may be
        run twice.
        """


class Store(Protocol):
    """Where artefacts stay: folders that exist whole or not at all."""

    def get(self, key: str) -> Path | None:
        """Return the folder under this key, or None."""

    def put(self, key: str, write: Callable[[Path], None]) -> Path:
        """Let `write` fill an empty folder, then give it its place under `key` at once; return that place."""


class Progress(Protocol):
    """Where long work says how far it is."""

    def __call__(self, done: float, total: float, what: str) -> None:
        """Say that `done` of `total` are finished."""


def silent(done: float, total: float, what: str) -> None:
    """Say nothing."""


def unheard(sentence: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Context:
    """Seed, place and the tools of a run; frozen, passed, never global.

    `rng` depends on the seed and the place alone: not on order, worker or shard count. `at` gives a place of its own.
    """

    seed: int = 0
    place: tuple[str, ...] = ()
    engine: Engine | None = None
    store: Store | None = None
    progress: Progress = silent
    root: Path = field(default_factory=Path.cwd)
    """The project folder: relative paths are resolved against it and may not leave it."""
    home: Path | None = None
    """The specification's folder, where it is another: relative paths are looked for there first."""
    allowed: tuple[Path, ...] = ()
    """Files and folders outside the project that the command line named."""
    models: Models | None = None
    """The language models that the specification names; only the driver has them."""
    before: Dataset | None = None
    """The rows of earlier waves that stayed, for generators that look at them; nothing: there are none."""
    note: Callable[[str], None] = unheard
    """Takes a sentence that readers of the report must know; the same sentence is told once."""

    def at(self, *names: str | int) -> Context:
        """Return the context of a place below this one, with its own stream of randomness."""
        return replace(self, place=(*self.place, *map(str, names)))

    @cached_property
    def rng(self) -> np.random.Generator:
        """The random stream of this place; asking twice continues the same stream."""
        said = "\x1f".join((str(self.seed), *self.place)).encode()
        words = np.frombuffer(hashlib.sha256(said).digest(), dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=words[:2], counter=[0, 0, *words[2:]]))

    def open_path(self, path: str | Path) -> Path:
        """Return where `path` is, if it may be read: inside the project folder or named on the command line.

        Raises:
            PathError: it leaves the project folder (by `..`, from the root, through a link), or is no plain path.
            InputError: nobody could read it: links in a circle, a name that is too long.
        """
        said = str(path)
        if "://" in said or "\0" in said:
            raise PathError("specification", f"path {said!r}", wanted="a plain path", got="an address")
        given = Path(said)
        places = [base / given for base in (self.home, self.root) if base is not None]  # an absolute path stays itself
        try:
            real = next((p for p in places if p.exists()), places[-1]).resolve()
        except (OSError, RuntimeError) as error:  # links in a circle, names that are too long
            raise InputError(
                "specification", "a path", wanted="one that can be read", got=type(error).__name__
            ) from None
        for base in (*(b for b in (self.home, self.root) if b is not None), *self.allowed):
            if real == base.resolve() or base.resolve() in real.parents:
                return real
        raise PathError(
            "specification",
            f"path {said!r}",
            wanted=f"a path inside {self.root.resolve()}",
            got="one that leaves it",
            remedy="move the file, or name a folder that holds both with --root",
        )
