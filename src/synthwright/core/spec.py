"""The specification: one file that says what to make, from what, within which bounds, and what proves it.

`core.loading` reads it from a file, and answers a wrong one with every fault at once.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, field_validator, model_validator
from pydantic import Field as Setting

from synthwright.core import rules
from synthwright.core.cells import Cells
from synthwright.core.schema import Frozen, Schema, fingerprint

DEFAULT_GENERATOR = "forest"
"""What `use:` means where it is left out."""
DEFAULT_CURATORS = ("rules", "duplicates", "copies")
PACE = ("in_flight", "requests_per_minute", "tokens_per_minute", "seconds", "tries", "price")
"""Parameters of language models that do not decide what is answered."""
ACCESS = ("key", "allow_private")
"""Parameters by which a language model may be reached; they do not decide what is answered either."""
DEFAULT_METRICS = ("integrity", "fidelity", "utility", "privacy", "diversity")


class Use(Frozen):
    """A plug-in by name, with its parameters."""

    use: str
    """The registered name; `synthwright list` shows them."""
    settings: dict[str, Any] = Setting(default_factory=dict, alias="with")
    """Its parameters; `synthwright explain NAME` shows them."""


class Holdout(Frozen):
    """Which real rows the generator never sees."""

    share: float | None = Setting(default=None, gt=0, lt=1)
    """A share of the rows (0.2), in the same proportions of the target."""
    by: str | None = None
    """Whole entities: rows that agree in this column (`table.column`) stay together; `share` of them are held out."""
    after: str | None = None
    """Rows after this date or instant, in ISO form."""
    column: str | None = None
    """The column that `after` looks at; nothing: the only date or datetime column."""
    path: str | None = None
    """A file with the held-out rows, read like the source."""

    @model_validator(mode="after")
    def _one_way(self) -> Holdout:
        ways = [w for w in ("after", "path") if getattr(self, w) is not None]
        ways += ["share"] if self.share is not None or self.by is not None else []
        if len(ways) > 1:
            raise ValueError(f"say one of share, by, after, path; got {' and '.join(ways)}")
        if self.column is not None and self.after is None:
            raise ValueError("'column' goes with 'after'")
        return self


class PrivacyBudget(Frozen):
    """What may be spent of the privacy of real rows: (epsilon, delta)-differential privacy."""

    epsilon: float = Setting(gt=0, le=1_000, strict=True)
    """How much more likely any outcome may become, as its logarithm, because one row is there: 1 is strict, 10 weak."""
    delta: float = Setting(default=1e-9, ge=0, lt=0.1, strict=True)
    """The probability that the guarantee fails; far below one in the number of rows."""
    unit: str | None = None
    """Whose presence is hidden: the column that says whose a row is (`table.column`), so that all rows of one are
    hidden together; nothing: each row by itself. Said for the source, it holds for the parts."""
    rows: int | None = Setting(default=None, ge=1, le=100_000)
    """With a unit, how many rows of one count, at most; the others are left out by chance before anything is measured.
    Choose it without looking at real rows: what it hides costs its square."""


class SourceUse(Use):
    """Where real rows come from, and which of them are held out."""

    holdout: Holdout = Holdout(share=0.2)
    """Which real rows the generator never sees; by default a fifth."""
    budget: PrivacyBudget | None = None
    """What may be spent of the source's privacy in all, by this and every other run that uses its ledger; nothing: what
    the parts of the first such run may."""
    ledger: str | None = None
    """The folder that says what was spent of it, and holds the noisy releases; nothing: `PATH.privacy`, beside it."""


class Shares(Frozen):
    """A column's values are drawn in these shares."""

    shares: dict[str, Annotated[float, Setting(ge=0)]] = Setting(min_length=1)
    """Values and their weights; they are made to sum to one."""


class Between(Frozen):
    """A column's values lie evenly between two ends."""

    between: tuple[float | str, float | str]
    """The least and the greatest value; ISO dates for dates."""


SetTo = Shares | Between | str | int | float | bool | None


def _condition(text: str) -> str:
    """Return what rows of one table are to meet; a ValueError where it is no condition on one row."""
    try:
        parsed = rules.parse(text)
    except ValueError as error:
        raise ValueError(str(error).replace("rule ", "condition ", 1)) from None
    if parsed.form != "row":
        raise ValueError(f"condition {text!r}: it is about several rows: write one on one row, like `label == 1`")
    return text


Condition = Annotated[str, AfterValidator(_condition)]


class Children(Frozen):
    """How rows of a table come to be for each row of another."""

    of: str
    """The reference (`table.column`) that says whose they are; it is filled, and no part makes it."""
    count: int | str | None = None
    """How many rows each parent has: a number, or the whole number in a column of the parent (`table.column`).
    Nothing: as many as the process of `use` makes, or one."""
    use: str | None = None
    """The process by which they come to be, in place of a count; `synthwright list processes` shows them."""
    settings: dict[str, Any] = Setting(default_factory=dict, alias="with")
    """The parameters of the process."""

    @field_validator("count")
    @classmethod
    def _some(cls, count: int | str | None) -> int | str | None:
        if isinstance(count, int) and not 0 < count <= 10**9:
            raise ValueError("wanted at least one row for each parent, or a column of the parent that says how many")
        return count

    @model_validator(mode="after")
    def _one_way(self) -> Children:
        if self.count is not None and self.use is not None:
            raise ValueError("say 'count' or 'use', not both: the process says how many rows there are")
        if self.settings and self.use is None:
            raise ValueError("'with' goes with 'use'")
        return self


class Start(Frozen):
    """What is there before the first part runs: row numbers only, or real rows that are completed."""

    rows: dict[str, Annotated[int, Setting(ge=1, le=10**10)]] = Setting(default_factory=dict)
    """Rows to make of each table; a table left out gets as many as there are training rows."""
    cells: dict[str, Cells] = Setting(default_factory=dict)
    """Tables of which so many rows of each combination of values are wanted: the rows that stay are counted."""
    children: dict[str, Children] = Setting(default_factory=dict)
    """Tables whose rows belong to rows of another, so many for each: the rows of one parent stand together."""
    origin: Literal["blank", "source"] = Setting(default="blank", alias="from")
    """`blank`: new rows; `source`: the real training rows, whose columns stay where `keep` names them. Tables that
    `rows`, `cells` or `children` name get new rows all the same: questions beside the real passages they are about."""
    keep: tuple[str, ...] = ()
    """With `from: source`, the columns that stay as they are (`table.column`; `table.*`: those that no part names)."""
    repeat: int = Setting(default=1, ge=1, le=1000)
    """With `from: source`, how many times each real row is taken."""
    where: dict[str, Condition] = Setting(default_factory=dict)
    """With `from: source`, the condition that real rows of a table meet to be taken, as in `{fraud: "label == 1"}`, in
    the language of rules. Rows that refer to rows which are not taken are not taken either."""
    set_: dict[str, SetTo] = Setting(default_factory=dict, alias="set")
    """Values chosen before sampling (`table.column`): a value, `balanced`, `{shares: …}` or `{between: [a, b]}`."""

    @model_validator(mode="after")
    def _source_words(self) -> Start:
        if self.origin == "blank" and (self.keep or self.where or self.repeat != 1):
            raise ValueError("'keep', 'where' and 'repeat' go with 'from: source'")
        if self.origin == "source" and "*" in self.rows:
            raise ValueError(
                "a number alone goes with new rows, not with 'from: source': use 'repeat', or name a table"
            )
        ways = {"rows": set(self.rows), "cells": set(self.cells), "children": set(self.children)}
        for table in sorted(set().union(*ways.values())):
            said = [word for word, tables in ways.items() if table in tables]
            if len(said) > 1:
                raise ValueError(f"table {table!r} is in {said[0]!r} and in {said[1]!r}: say one of them")
        for table, cells in self.cells.items():
            for column in cells.columns:
                if f"{table}.{column}" in self.set_:
                    raise ValueError(f"column '{table}.{column}' is in 'cells' and in 'set': say one of them")
        return self

    @property
    def beside(self) -> frozenset[str]:
        """The tables of new rows beside real ones: `{from: source, keep: [passage.*], rows: {question: 50}}`."""
        return frozenset({*self.rows, *self.cells, *self.children}) if self.origin == "source" else frozenset()

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns whose values are chosen before sampling, as `table.column`."""
        return (*self.set_, *(f"{t}.{c}" for t, cells in self.cells.items() for c in cells.columns))


class PartUse(Frozen):
    """Columns to make, and by which generator."""

    make: tuple[str, ...] = Setting(default=(), min_length=1)
    """The columns, as `table.column`; `table.*` means every column that no other part makes."""
    change: tuple[str, ...] = ()
    """Columns that another part makes, and this one changes afterwards; who looks at them sees them changed."""
    use: str = DEFAULT_GENERATOR
    """The generator."""
    settings: dict[str, Any] = Setting(default_factory=dict, alias="with")
    """Its parameters."""
    given: tuple[str, ...] = ()
    """The columns it may look at; they are made before."""
    mode: Literal["make", "fill", "replace"] | None = None
    """make: new values; fill: only nulls; replace: every value. Nothing: make, or replace with `from: source`."""
    budget: PrivacyBudget | None = None
    """What may be spent of the privacy of real rows, for generators that keep a budget: `mst`, `aim`."""

    @model_validator(mode="after")
    def _something(self) -> PartUse:
        if not (self.make or self.change):
            raise ValueError("wanted columns to 'make'")
        if self.change and self.mode not in (None, "replace"):
            raise ValueError(f"'change' goes with mode 'replace', not {self.mode!r}")
        return self


class Evaluate(Frozen):
    """What proves the data."""

    target: str | None = None
    """The column that models are trained to predict (`table.column`)."""
    sensitive: tuple[str, ...] = ()
    """Columns whose groups are compared."""
    metrics: tuple[str, ...] = DEFAULT_METRICS
    """Groups (`fidelity`, `utility`, `privacy`, …) or single metrics."""
    gates: tuple[str, ...] = ()
    """What must hold for a release, beside the default gates: `shape <= reference + 0.01 + chance`."""
    waive: dict[str, Annotated[str, Setting(min_length=10)]] = Setting(default_factory=dict)
    """Default gates that do not rule, by the score they are about (`detection`, `shape.worst`) or by group
    (`fidelity`), each with the reason: the card tells it to whoever gets the data."""
    seconds: int = Setting(default=3_600, ge=1, le=10**7)
    """How long one metric may take; what takes longer has failed, and so have its gates."""


class Diversity(Frozen):
    """What is done where texts become less varied from wave to wave."""

    columns: tuple[str, ...] = ()
    """Columns of text that are watched, as `table.column`; nothing: those that language models write."""
    bound: float = Setting(default=0.8, gt=0, lt=1)
    """How varied the texts of a wave must be, as a share of what equally many texts of the first wave are."""
    then: Literal["warn", "stop", "reseed"] = "warn"
    """Below it: warn, in the report; stop, with the rows that are there; or reseed, so that the writer of the column is
    told in the following waves which phrases are worn out."""
    by: str = Setting(default="words", min_length=1)
    """What tells how alike texts are, for `vendi` and `nearest`: `words`, or an embedding model that `models` names."""

    def asks(self) -> tuple[str, ...]:
        """Return the models that it asks."""
        return () if self.by == "words" else (self.by,)


class Budget(Frozen):
    """What a run may spend."""

    usd: float = Setting(ge=0)
    """US dollars for language models; what was answered before it was spent is kept."""


class Lock(Frozen):
    """What a release was made from; written into `spec.lock.yaml`, and held against what is there when it is run."""

    version: str
    """The Synthwright that made the release."""
    inputs: dict[str, str]
    """The SHA-256 of every file that was read, by name."""
    releases: dict[str, str] = Setting(default_factory=dict)
    """The noisy releases of parts with a privacy budget, by the part's name, packed as text: the same rows are made of
    them without another look at real ones."""


class Spec(Frozen):
    """A specification: everything that decides the bytes of a release."""

    synthwright: Literal[1]
    """The version of this language."""
    name: str = Setting(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    """What the release is called; the output folder, unless `--out` says otherwise."""
    seed: int = Setting(default=0, ge=0, le=2**63 - 1)
    """The same seed gives the same bytes."""
    schema_: str | Schema | None = Setting(default=None, alias="schema")
    """The schema, or the file that holds it; nothing: inferred from the source."""
    source: SourceUse | None = None
    """The real rows."""
    start: Start = Start()
    """What is there before the first part runs."""
    parts: tuple[PartUse, ...] = ()
    """How columns are made; nothing: every column by the default generator."""
    ignore: tuple[str, ...] = ()
    """Columns of the source that are left out (`table.column`)."""
    keep: tuple[str, ...] = ()
    """Columns that are left alone: the same as `start: {from: source, keep: […]}`."""
    curate: tuple[Use, ...] = tuple(Use(use=name) for name in DEFAULT_CURATORS)
    """Who rules on the rows, in this order."""
    evaluate: Evaluate = Evaluate()
    """What proves the data."""
    release: Use = Use(use="parquet")
    """The format of the released data."""
    models: dict[str, Use] = Setting(default_factory=dict)
    """The language models that parts and curators ask, by the names they use: `writer`, `judge`, `embedder`."""
    budget: Budget | None = None
    """What may be spent on them; nothing: no limit."""
    diversity: Diversity = Diversity()
    """What is done where texts become less varied from wave to wave."""
    waves: int = Setting(default=30, ge=1, le=1000)
    """How often missing rows are made again before the run is refused."""
    lock: Lock | None = None
    """In a lock file: what the release was made from."""
    accept_synthetic: bool = False
    """Whether a source that says it is synthetic may be learned from."""

    @field_validator("start", mode="before")
    @classmethod
    def _rows_of_one(cls, start: Any) -> Any:
        return {"rows": {"*": start}} if isinstance(start, int) and not isinstance(start, bool) else start

    @model_validator(mode="after")
    def _something_to_go_by(self) -> Spec:
        if self.source is None and self.schema_ is None:
            raise ValueError("say where the data comes from: a 'source', or a 'schema' for data from rules alone")
        if absent := [name for name in self.diversity.asks() if name not in self.models]:
            raise ValueError(f"diversity: by: {absent[0]!r} is no model that 'models' names: say `words`, or name it")
        if self.keep and self.start.origin == "blank" and self.start.rows:
            raise ValueError("'keep' starts from the real rows: leave out 'start: {rows: …}'")
        return self

    @property
    def begin(self) -> Start:
        """The start, with `keep` of the top level worked in."""
        if not self.keep:
            return self.start
        return self.start.model_copy(update={"origin": "source", "keep": (*self.start.keep, *self.keep)})

    def to_json(self) -> dict[str, Any]:
        """Return the specification as JSON data, under the names that a file uses."""
        said: dict[str, Any] = self.model_dump(mode="json", by_alias=True)
        for part in said["parts"]:
            if not part["make"]:  # it only changes columns, and an empty list is none that a file may hold
                del part["make"]
        return said

    def fingerprint(self) -> str:
        """Return the identity of what the specification says; its name, the schema's notes and budgets are none."""
        said = self.to_json()
        said.pop("name")
        said.pop("lock")
        said.pop("budget")
        for model in said["models"].values():
            model["with"] = {word: value for word, value in model["with"].items() if word not in (*PACE, *ACCESS)}
        if isinstance(self.schema_, Schema):
            said["schema"] = self.schema_.fingerprint()
        return fingerprint(said)
