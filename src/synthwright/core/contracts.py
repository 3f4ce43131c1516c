"""What a plug-in is: recipes, what they learn, and the values they exchange.

A *recipe* is frozen parameters, without data and state; what it learned is another object. Only the context is random.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
from pydantic import Field as Setting

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.foresight import Foreseen, Known, Rows
from synthwright.core.schema import Frozen, Kind, Rule, Schema, fingerprint
from synthwright.core.spec import SetTo
from synthwright.core.spend import Spend

Place = tuple[str | int, ...]
"""Where something stands among parameters: names and positions, from the outside in."""
Scope = Literal["row", "entity", "table"]
"""Which rows of a table are made together."""
NONE: Mapping[str, int] = MappingProxyType({})
FREE: Mapping[str, SetTo] = MappingProxyType({})


class Recipe(Frozen):
    """Parameters under a name. Field docstrings are the documentation; the first docstring line is the summary."""

    name: ClassVar[str]
    """What a specification calls it, in kebab-case."""
    version: ClassVar[int] = 1
    """Raised when the same parameters would give different data."""

    def fingerprint(self) -> str:
        """Return the identity of name, version and parameters."""
        return fingerprint([type(self).name, type(self).version, self.model_dump(mode="json")])

    def faults(self, schema: Schema) -> list[str]:
        """Return what its parameters cannot mean under a schema, a sentence each: unknown columns, wrong rules."""
        return []

    def asks(self) -> tuple[str, ...]:
        """Return the names of the language models that it asks; it then runs in the driver."""
        return ()

    def files(self, ctx: Context) -> list[Path]:
        """Return the files that it reads: their contents are part of the identity of what it learns."""
        return []


class Part(NamedTuple):
    """Which columns a generator produces, and from which."""

    produce: tuple[str, ...]
    """The columns to make, as `table.column`."""
    given: tuple[str, ...] = ()
    """The columns it may look at, as `table.column`."""
    mode: Literal["make", "fill", "replace"] = "make"
    """make: the column is absent; fill: only nulls are replaced; replace: the present value is an implicit given."""
    scope: Scope = "row"
    """row: rows are independent; entity: those of one parent are made, and drawn again, together; table: all are."""
    budget: Spend | None = None
    """What may be spent of the privacy of real rows; nothing: there is no formal guarantee."""


@dataclass(frozen=True)
class Abilities:
    """What a generator can do: declared, so that the planner refuses the rest before anything runs."""

    kinds: frozenset[Kind]
    """The kinds of field it can produce."""
    given: Literal["none", "declared", "any"] = "none"
    """Which columns it can be given: none; those named in the part; any, also ones chosen when sampling."""
    tables: Literal["one", "many"] = "one"
    """Whether one part may produce columns of several tables."""
    learns: bool = True
    """Whether `fit` looks at real values at all."""
    private: bool = False
    """Whether it keeps a formal privacy budget."""
    keeps_rows: bool = False
    """Whether its model holds real rows, or what it makes holds most of the real values that it replaces."""
    random: bool = True
    """Whether other seeds give other rows."""
    changes: bool = False
    """Whether it can change columns that other parts made (`change:`), and make columns beside them."""
    replaces: bool = False
    """Whether it makes nothing where nothing is: it only varies values that are there, in mode `replace`."""
    masks: bool = False
    """Whether it varies them so that nobody can tell whose they are: gates of privacy then rule on how well it does."""
    reads_texts: bool = False
    """Whether it learns from real texts too, which are else made anew; never from personal data."""


class Verdict(NamedTuple):
    """The ruling on every row of one table: rows are ruled on, never removed."""

    table: str
    keep: np.ndarray
    """Booleans, one per row."""
    reason: pa.Array
    """A reason code for every row that goes, null for those that stay; text."""
    score: np.ndarray | None = None
    """What the ruling was made on, one number per row, so that a threshold can move."""

    @staticmethod
    def of(table: str, drop: np.ndarray, reason: str, score: np.ndarray | None = None) -> Verdict:
        """Return the ruling that the rows where `drop` is true go, all for one reason."""
        codes = pa.array(np.where(drop, reason, ""), pa.string())
        null = pa.nulls(len(drop), pa.string())
        return Verdict(table, ~drop, pa.compute.if_else(pa.array(drop), codes, null), score)


class Sample(NamedTuple):
    """What a model made: the completed data (as many rows as were given), and rulings on rows that failed."""

    data: Dataset
    problems: tuple[Verdict, ...] = ()


class Model(ABC):
    """What a generator learned. Plain files hold it; no real row is in them unless `Abilities.keeps_rows`."""

    spend: Spend = Spend()

    @abstractmethod
    def sample(self, given: Dataset, ctx: Context) -> Sample:
        """Return `given` with the produced columns filled, row for row, in the same order.

        The same context (seed and place) and the same rows give the same values.
        """

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model into an existing empty folder, as JSON, npz or safetensors, byte for byte repeatable."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Return the model that `save` wrote."""


class Generator(Recipe, ABC):
    """A recipe that learns to produce columns."""

    abilities: ClassVar[Abilities]
    model: ClassVar[type[Model]]
    """What `fit` returns and `load` reads."""

    def looks_at(self, schema: Schema, table: str) -> tuple[str, ...]:
        """Return the columns that its parameters name, as `table.column`: they are made before, in other tables too."""
        return ()

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        """Return what its parameters cannot mean for columns of a table: where among them, and a sentence."""
        return []

    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        """Return the values that a column it makes may have, None among them for no value; None: they are not known."""
        return None

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        """Return what will go wrong, or is hardly meant, beside the columns that other parts make."""
        return []

    def scope(self, schema: Schema, table: str, produce: tuple[str, ...]) -> Scope:
        """Return which rows of a table it must make together to produce these columns of it."""
        return "row"

    def looks_back(self) -> bool:
        """Return whether it looks at rows of earlier waves that stayed (`ctx.before`)."""
        return False

    def entity(self, schema: Schema, table: str, produce: tuple[str, ...]) -> str | None:
        """Return the reference whose rows it is enough to make together, where they stand together: else the table."""
        return None

    @abstractmethod
    def fit(self, data: Dataset, part: Part, ctx: Context) -> Model:
        """Learn to produce `part.produce` from `part.given`; recipe and data stay as they were.

        Raises:
            FitError: the data cannot be learned from (too few rows, a kind it cannot make).
        """


class Unfolded(NamedTuple):
    """The rows that came to be for some parents: those of one parent stand together, in the order of the parents."""

    whose: np.ndarray
    """Which of the parents each row belongs to, by position from 0: int64, never falling."""
    columns: Mapping[str, Any]
    """The columns that the process fills, each as long as `whose`: numpy numbers (NaN is null), or Arrow values."""


class Process(Recipe, ABC):
    """A recipe by which rows of a table come to be for every row of another: events, visits, payments, steps.

    It decides how many rows each parent gets, and may fill some of their columns; parts make the others.
    """

    def makes(self) -> tuple[str, ...]:
        """Return the columns of the rows' own table that it fills."""
        return ()

    def looks_at(self, schema: Schema, parent: str) -> tuple[str, ...]:
        """Return the columns that its parameters name, as `table.column`, of the parent too: they are made before."""
        return ()

    def misused(self, schema: Schema, table: str, parent: str) -> list[tuple[Place, str]]:
        """Return what its parameters cannot mean for rows of `table`: where among them, and a sentence."""
        return []

    def vocabulary(self, schema: Schema, table: str, column: str) -> tuple[str | None, ...] | None:
        """Return the values that a column it fills may have, None among them for no value; None: they are not known."""
        return None

    def foreseen(self, schema: Schema, table: str, parent: str, known: Known) -> list[Foreseen]:
        """Return what will go wrong, or is hardly meant, beside the columns that parts make."""
        return []

    def arising(self, parents: Rows) -> Rows:
        """Return how many rows come to be for so many parents."""
        return Rows()

    @abstractmethod
    def unfold(self, given: Dataset, table: str, parent: str, ctx: Context) -> Unfolded:
        """Return the rows of `table` that come to be for the rows of `parent`, which are in `given`.

        The same context and the same parents give the same rows. It is called for some thousands of parents at a time.
        """


class Judge(ABC):
    """What a curator learned: rules on rows."""

    @abstractmethod
    def judge(self, data: Dataset, ctx: Context) -> list[Verdict]:
        """Return rulings on the rows of `data`, at most one per table, each as long as the table."""

    def notes(self) -> tuple[str, ...]:
        """Return what readers of the report must know about the rulings, a sentence each."""
        return ()


class Curator(Recipe, ABC):
    """A recipe that learns to tell which rows may stay."""

    reads_real: ClassVar[bool] = False
    """Whether it compares with real rows; the release is then outside any privacy guarantee of its models."""
    reasons: ClassVar[dict[str, str]]
    """Every reason code it may give, and what it means."""

    def remarks(self, called: Mapping[str, str], writers: Collection[str]) -> tuple[str, ...]:
        """Return what readers of the report must know about the language models that it asks, a sentence each.

        Args:
            called: what each model of the specification is called by its endpoint.
            writers: those that parts ask.
        """
        return ()

    def about(self, data: Dataset, table: str, reason: str) -> Sequence[str]:
        """Return for each row of a table, all of which went for one of its reasons, what that was about, for people."""
        return ()

    @abstractmethod
    def fit(self, data: Dataset, evidence: Dataset | None, ctx: Context, settled: Mapping[str, int] = NONE) -> Judge:
        """Learn from synthetic rows and, where `reads_real`, from the real training rows.

        Args:
            data: all synthetic rows so far, with `#row` numbers: those of earlier waves that stay, then the new ones.
            evidence: the real training rows; None where `reads_real` is false or there are none.
            ctx: the randomness.
            settled: how many rows at the beginning of each table have been ruled on and stay: only later ones can go.
        """


class Case(NamedTuple):
    """What a metric looks at. Columns of kinds in `ANEW` and those with `sensitive` are made anew, not modelled."""

    train: Dataset | None
    """The real rows the generator learned from; nothing for rule-only data."""
    holdout: Dataset | None
    """Real rows the generator never saw."""
    synthetic: Dataset
    target: str | None = None
    """The column to predict, `table.column`."""
    sensitive: tuple[str, ...] = ()
    """Columns whose groups are compared."""
    rules: tuple[tuple[str, Rule], ...] = ()
    """What must hold: (table, rule)."""
    produced: tuple[str, ...] = ()
    """The columns that were generated; empty means all. Copy measures look only at these."""
    asked: dict[str, int] | None = None
    """How many rows of each table were asked for."""
    refit: Callable[[Dataset, int], Dataset] | None = None
    """Fits the same parts on other real rows and samples as many: for attacks that need shadow models."""
    chosen: Mapping[str, SetTo] = FREE
    """The columns that the start set (`table.column`), and what was asked of each; others were free."""

    @property
    def schema(self) -> Schema:
        """The schema that all three share."""
        return self.synthetic.schema


class Score(NamedTuple):
    """One number of a report, with what a second real sample of the training size would have scored."""

    metric: str
    about: str = ""
    """What it is about: "" the whole, `worst`, `table.column`, `table.a ~ table.b`, a rule, a group."""
    value: float | None = None
    reference: float | None = None
    low: float | None = None
    """Lower end of the 95 % interval of `value`."""
    high: float | None = None
    """Upper end of the 95 % interval of `value`."""
    status: Literal["ok", "not-applicable", "failed"] = "ok"
    problem: str | None = None
    """Why there is no value, or what the reader must know; never a value of a real row."""
    chance: float | None = None
    """How much worse than the reference a second real sample scores by chance alone in one of 20,000 cases."""


class Metric(Recipe, ABC):
    """A recipe that measures a case. A failure is a row with a problem, never a skipped number."""

    group: ClassVar[Literal["fidelity", "utility", "privacy", "bias", "diversity", "integrity"]]
    """The group that specifications and reports name it by."""
    goal: ClassVar[Literal["lower", "higher"]]
    bounds: ClassVar[tuple[float, float]]
    """The least and the greatest value it can have."""
    not_shown: ClassVar[str]
    """A sentence that says what it does not show."""
    parts: ClassVar[tuple[str, ...] | None] = None
    """What scores are about beside the whole and tables, where that is fixed: gates on anything else are faults."""

    @abstractmethod
    def measure(self, case: Case, ctx: Context) -> list[Score]:
        """Return the scores; what cannot be measured is a score with status and problem."""


class Source(Recipe, ABC):
    """A recipe that reads real tables."""

    text: ClassVar[bool] = False
    """Whether cells are spelled as text, so that a few words mean null and types are to be recognised."""
    typed: ClassVar[bool] = False
    """Whether cells are text only where they are no numbers or truth values: text that spells such stays text."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Endings of file names that mean this source, such as `.csv`."""
    path: str = Setting(default="")
    """The file, folder or glob to read, relative to the project folder."""

    @abstractmethod
    def tables(self, ctx: Context) -> dict[str, pa.Table]:
        """Return the tables by name, as they are outside; files are opened through `ctx.open_path` only."""

    @abstractmethod
    def files(self, ctx: Context) -> list[Path]:
        """Return the files that are read, sorted: their contents are the identity of the source."""

    def read(self, ctx: Context, schema: Schema | None = None) -> Dataset:
        """Read the tables and bring them in through the door."""
        return Dataset.of(self.tables(ctx), schema, text=self.text, typed=self.typed)


class Sink(Recipe, ABC):
    """A recipe that writes a release."""

    suffixes: ClassVar[tuple[str, ...]] = ()
    """Endings of file names that mean this sink."""
    spells: ClassVar[frozenset[Kind]] = frozenset()
    """Kinds of columns that are written as the schema's `form` says: `TRUE|FALSE`, `%Y-%m-%dT%H:%M:%SZ`."""

    @abstractmethod
    def write(self, data: Dataset, folder: Path, metadata: dict[str, str]) -> list[Path]:
        """Write `folder/<table>/part-00000.<suffix>` …, the same bytes for the same data; return the files."""

    def notes(self) -> tuple[str, ...]:
        """Return what whoever opens the files must know, for the manifest."""
        return ()

    @abstractmethod
    def write_file(self, table: pa.Table, path: Path, metadata: dict[str, str]) -> None:
        """Write one table (as it looks outside) into one file."""


def recipe_of(kind: type[Recipe], settings: dict[str, Any]) -> Recipe:
    """Return the recipe with these settings; pydantic's ValidationError where they do not fit."""
    return kind.model_validate(settings)
