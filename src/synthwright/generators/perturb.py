"""Statistical disclosure control: values of real rows are changed enough that it is hard to tell whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field as Setting
from pydantic import model_validator

from synthwright.core.context import Context
from synthwright.core.contracts import Abilities, Generator, Model, Part, Place, Sample
from synthwright.core.dataset import Dataset
from synthwright.core.errors import FitError, StoreError
from synthwright.core.foresight import Foreseen, Known
from synthwright.core.schema import DISCRETE, ORDERED, Field, Frozen, Kind, Schema
from synthwright.kit.learning import artefacts
from synthwright.kit.learning.completion import completed, names_of, refuse_unfit, table_of

if TYPE_CHECKING:
    from synthwright.kit.learning.masking import Mask

KINDS = frozenset({*ORDERED, *DISCRETE})
CALENDAR = ("hour", "day", "week", "month", "quarter", "year")
_DATED = frozenset({Kind.DATE, Kind.DATETIME})


class Method(Frozen):
    """What is done to the values of a column: one of the first four, then what coarsens."""

    noise: float | None = Setting(default=None, gt=0, le=10)
    """Noise is added, with so many standard deviations of the column, and the correlations that the columns have to
    which noise is added (Kim 1986); means and standard deviations stay."""
    swap: float | None = Setting(default=None, gt=0, le=1)
    """Each value becomes that of a row whose rank is at most this share of the rows away (rank swapping, Moore
    1996)."""
    pram: float | None = Setting(default=None, gt=0, le=1)
    """The chance that a value is drawn anew from the shares of the column (Gouweleeuw et al. 1998), which stay."""
    microaggregate: int | None = Setting(default=None, ge=2, le=10_000)
    """Values become the mean, labels the most frequent one, of a group of at least so many near rows. Columns with the
    same number are grouped together (MDAV, Domingo-Ferrer and Mateo-Sanz 2002)."""
    recode: dict[str, str] = Setting(default_factory=dict)
    """Labels that become others: `{Lyon: south}`."""
    others: int | None = Setting(default=None, ge=2)
    """Labels that fewer rows have become `other`."""
    bottom: float | None = Setting(default=None, gt=0, lt=0.5)
    """The share of the least values that become the least of the others."""
    top: float | None = Setting(default=None, gt=0, lt=0.5)
    """The share of the greatest values that become the greatest of the others."""
    round: float | Literal["hour", "day", "week", "month", "quarter", "year"] | None = None
    """Values become multiples of a number (days for dates; seconds for instants, times and durations), or begin with
    the calendar's hour, day, week, month, quarter or year."""

    @model_validator(mode="after")
    def _one_way(self) -> Method:
        said = self.model_dump(exclude_defaults=True)
        main = [word for word in ("noise", "swap", "pram", "microaggregate") if word in said]
        if len(main) > 1:
            raise ValueError(f"say one of noise, swap, pram, microaggregate, got {' and '.join(main)}")
        if not said:
            raise ValueError("wanted something to do, as in {swap: 0.1}")
        if isinstance(self.round, float | int) and not self.round > 0:
            raise ValueError(f"wanted a number above 0 to round to, got {self.round:g}")
        return self

    def wrong(self, field: Field) -> Iterator[tuple[str, str]]:
        """Yield what cannot be done to a column of a kind: the word, and why not."""
        kind = field.kind
        for word in self.model_dump(exclude_defaults=True):
            if kind in DISCRETE and word in ("noise", "swap", "bottom", "top", "round"):
                yield word, f"its values have no order (kind {kind.value!r}): use pram, microaggregate or others"
            if kind in ORDERED and word in ("recode", "others"):
                yield word, f"its values are no labels (kind {kind.value!r}): use round, bottom or top"
            if kind is Kind.BOOLEAN and word in ("recode", "others"):
                yield word, "true and false cannot become anything else: use pram"
        if isinstance(self.round, str) and kind in ORDERED - _DATED:
            yield "round", f"a calendar is for dates and instants, not for kind {kind.value!r}: say a number"
        if self.round == "hour" and kind is Kind.DATE:
            yield "round", "dates have no hours: say week, month, quarter or year"


@dataclass(frozen=True)
class PerturbModel(Model):
    """What the values of each column are changed by."""

    table: str
    mode: str
    mask: Mask

    def sample(self, given: Dataset, ctx: Context) -> Sample:
        held = given.tables[self.table]
        present = {*held.column_names}
        names = [n for n in self.mask.names if self.mode != "make" or n not in present]
        there = {n: held.column(n) for n in names if n in present}
        made: dict[str, pa.Array] = self.mask.applied(names, there, held.num_rows, ctx, fill=self.mode == "fill")
        return Sample(completed(given, self.table, made, self.mode))

    def save(self, folder: Path) -> None:
        head, arrays = self.mask.to_json()
        said = {"holds": "real values: keep it where the data may be kept that it was learned from",
                "table": self.table, "mode": self.mode, "mask": head}  # fmt: skip
        artefacts.save(folder, said, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        from synthwright.kit.learning.masking import Mask

        head, arrays = artefacts.load(folder)
        try:
            return cls(head["table"], head["mode"], Mask.of_json(head["mask"], arrays))
        except (KeyError, ValueError, TypeError, IndexError):
            raise StoreError(folder.name, "the perturbation", wanted="what Synthwright saved", got="something else",
                             remedy="fit the model again") from None  # fmt: skip


class Perturb(Generator):
    """Changes values of real rows by the classical methods of statistical disclosure control.

    ::

        start: {from: source, keep: [person.sex]}
        parts:
          - make: [person.*]
            use: perturb
            with: {methods: {age: {microaggregate: 5}, income: {noise: 0.3, top: 0.01}, town: {pram: 0.3, others: 50}}}

    Every row stays one person's row, changed: it starts from real rows, and gates of privacy rule on how well it can
    still be told whose each is. Where nothing is, nothing is changed: what is missing stays missing, but that labels
    may come and go with `pram`. Rules are kept. Its model holds the values of each column, and what it makes holds
    many of them.

    Ranks and shares are those of the training rows. Values are not exchanged in pairs: each row gets one that some row
    near in rank has, so that the distribution of a column stays but for chance, and rows can be made again.

    References: Hundepool et al., Statistical Disclosure Control, Wiley 2012.
    """

    name: ClassVar[str] = "perturb"
    version: ClassVar[int] = 2
    abilities: ClassVar[Abilities] = Abilities(kinds=KINDS, keeps_rows=True, replaces=True, masks=True)
    model: ClassVar[type[Model]] = PerturbModel

    methods: dict[str, Method] = Setting(default={}, examples=[{"size": {"noise": 0.5}}])
    """What is done to each column, by its name."""
    ordered: Method = Setting(default=Method(swap=0.4), examples=[{"swap": 0.5}])
    """What is done to columns of numbers, dates and times that `methods` does not name."""
    labels: Method = Setting(default=Method(pram=0.5), examples=[{"pram": 0.8}])
    """What is done to columns of labels that `methods` does not name."""
    protect: int = Setting(default=3, ge=1)
    """How many rows must share a value before `swap` may give it to another row, else one beside it is given, and a
    label before `pram` may keep or draw it; and the how manieth value from either end noise may reach."""

    def method(self, name: str, field: Field) -> Method:
        """Return what is done to a column."""
        return self.methods.get(name) or (self.ordered if field.kind in ORDERED else self.labels)

    def misused(self, schema: Schema, table: str, produce: tuple[str, ...]) -> list[tuple[Place, str]]:
        fields, found = schema.tables[table].fields, list[tuple[Place, str]]()
        for name, method in self.methods.items():
            if name not in produce:
                near = get_close_matches(name, produce, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"it makes {', '.join(map(repr, produce))}"
                found.append((("methods", name, "#key"), f"the part does not make {name!r}: {hint}"))
                continue
            found += [(("methods", name, word), f"{name!r}: {why}") for word, why in method.wrong(fields[name])]
        rest = [fields[n] for n in produce if n not in self.methods]
        for place, kinds in (("ordered", ORDERED), ("labels", DISCRETE)):
            wrong = dict.fromkeys(w for f in rest if f.kind in kinds for w in getattr(self, place).wrong(f))
            found += [((place, word), why) for word, why in wrong]
        return found

    def foreseen(self, schema: Schema, table: str, produce: tuple[str, ...], known: Known) -> list[Foreseen]:
        said = f"its model holds the real values of {table!r}, and what it makes holds many of them"
        return [*super().foreseen(schema, table, produce, known), Foreseen((), said, sure=False)]

    def fit(self, data: Dataset, part: Part, ctx: Context) -> PerturbModel:
        """Learn what ranks, shares, spreads and groups the values have.

        Raises:
            FitError: fewer than ten rows, rows that are all alike, a label to recode that no row has, or no label that
                enough rows share.
        """
        from synthwright.kit.learning.masking import masked

        table = table_of(data, part, self.name)
        produce = names_of(data, part.produce, table)
        refuse_unfit(data, table, produce, self.name, self.abilities.kinds)
        fields = data.schema.tables[table].fields
        how: Mapping[str, Mapping[str, Any]] = {
            n: self.method(n, fields[n]).model_dump(mode="json", exclude_defaults=True) for n in produce
        }
        try:
            mask = masked({n: (fields[n], data.tables[table].column(n)) for n in produce}, how, self.protect)
        except ValueError as error:
            column, wanted, remedy = error.args
            raise FitError(self.name, f"column {column!r}", wanted=wanted, got="none", remedy=remedy) from None
        return PerturbModel(table, part.mode, mask)
