"""What one column is: its kind, form and lattice, guessed from its values and its name."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthwright.core.casting import as_text, is_binary, is_text
from synthwright.core.check_digits import checked
from synthwright.core.forms import MONTHS, clock_of, plausible_days
from synthwright.core.lattice import step_of
from synthwright.core.moments import EPOCHS, parse_moments
from synthwright.core.personal import Cells, hinted, mark_of, plain_name
from synthwright.core.schema import Field, Kind

SHARED = 3
"""As many rows must share a value before it may be known outside."""
SOME = 300
"""As many distinct values are looked at where looking is slow."""
NAMES_ROWS = re.compile(
    r"(?:.* )?(?:id|ids|uid|key|pk|uuid|guid|identifier|kennung|index|idx)|row ?(?:id|number|nr|num|names?)?|rn"
    r"|unnamed(?: [0-9]+)*|index level 0|record (?:number|no|nr|id)|"  # an index that was written to a file has no name
)
"""What columns that name rows are called, in plain words."""
NUMBERS_ROWS = re.compile(
    r"(?:.* )?(?:no|nr|num|number|nummer|code|ref|reference|sku|isbn|ean|serial|ticket|token|hash|account)(?: id)?"
)
"""What columns that may name rows are called."""
_CENTURY = (946_684_800, 2_145_916_800)
"""The seconds of 1970 at which 2000 and 2038 begin."""
_MOMENT_NAMES = re.compile(
    r"(?:^|\b)(?:ts|t|time|timestamp|times?tamp|epoch|unix|utc|date|datetime|when|at|on|created|updated|modified|seen|start"
    r"|started|end|ended|begin|last|first|login|logout|expires?|zeit|zeitstempel|datum)(?:$|\b)"
)
"""Words in what columns of instants are called."""
_FEW_MOMENTS = 10
_CODES = re.compile(r"(?:.* )?(?:\w*codes?|zip|postal|postcode|plz|sic|naics|icd|isin|hts)")
_MEASURES = re.compile(
    r"(?:.* )?(?:years?|months?|days?|weeks?|quarter|hours?|minutes?|seconds?|time|date|t|period|age|x|y|z|steps?"
    r"|epoch|iteration|value|amount|price|score|count|size|dose|distance|temperature|jahr|monat|tag)(?: [0-9]+)?"
)
_MOMENTS = (
    *((pa.types.is_date, Kind.DATE), (pa.types.is_time, Kind.TIME), (pa.types.is_timestamp, Kind.DATETIME)),
    (pa.types.is_duration, Kind.DURATION),
)
_TYPES = (
    *((pa.types.is_boolean, Kind.BOOLEAN), (pa.types.is_integer, Kind.INTEGER), (pa.types.is_floating, Kind.NUMBER)),
    *((pa.types.is_decimal, Kind.NUMBER), (is_binary, Kind.BYTES), *_MOMENTS),
)


class Column(NamedTuple):
    """A column that is asked about."""

    name: str
    outside: pa.DataType
    values: Any
    """The values, flat (see `core.door.flat`), in an Arrow array."""
    text: bool = False
    """Whether they were cells of a text file."""
    typed: bool = False
    """Whether that file has numbers and truth values of its own."""
    order: tuple[str, ...] = ()
    """The labels of an ordered dictionary, in their order."""
    beside: frozenset[str] = frozenset()
    """What the columns of the table are called, in plain words."""
    nan: bool = False
    """Whether some of the missing values were NaN."""

    @property
    def plain(self) -> str:
        """The name in plain words."""
        return plain_name(self.name)


class Guess(NamedTuple):
    """A field, and what in it was guessed and why."""

    field: Field
    said: str = ""
    why: str = ""
    identity: int = 0
    """How surely the values name the rows: 3 by name, 2 by look, 1 perhaps, 0 not."""


def guess_column(column: Column) -> Guess:
    """Return what a column is."""
    kind, values = column.values.type, column.values
    if pa.types.is_dictionary(column.outside) or is_text(kind):
        from synthwright.core.guess_text import guess_labels, guess_text

        return guess_labels(column) if pa.types.is_dictionary(column.outside) else guess_text(column)
    if values.null_count == len(values):
        return empty(column)
    if pa.types.is_boolean(kind) or column.outside == pa.bool8():
        return Guess(field_of(column, Kind.BOOLEAN))
    if pa.types.is_integer(kind):
        return _integer(column)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _real(column)
    if is_binary(kind):
        return Guess(field_of(column, Kind.BYTES), "bytes", "made anew, for what they mean is not known")
    return stepped(column, next(k for test, k in _MOMENTS if test(kind)))


def field_of(column: Column, kind: Kind, **more: Any) -> Field:
    """Return a field of the column's type, with nulls and NaN where it has some."""
    said = {"kind": kind, "type": str(column.outside), "nulls": bool(column.values.null_count), **more}
    return Field(**said, nan=column.nan and kind is Kind.NUMBER)


def empty(column: Column) -> Guess:
    """Guess from the type alone."""
    kind = next((k for test, k in _TYPES if test(column.values.type)), Kind.CATEGORY)
    return Guess(field_of(column, kind, nulls=True), "nothing but nulls", "no row has a value")


def stepped(column: Column, kind: Kind, **more: Any) -> Guess:
    """Guess the lattice of an ordered column."""
    step = step_of(column.values, column.outside)
    said = (f"steps of {_shown(step, column.values.type)}", "every value is a multiple") if step else ("", "")
    return Guess(field_of(column, kind, step=step, **more), *said)


def _shown(step: float, kind: pa.DataType) -> str:
    if pa.types.is_date(kind):
        return f"{step:g} days"
    if not pa.types.is_temporal(kind):
        return f"{step:g}"
    seconds = step / (10**9 if getattr(kind, "unit", "us") == "ns" else 10**6)
    units = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
    size, unit = next((u for u in units if seconds % u[0] == 0), units[-1])
    return f"{seconds / size:g} {unit}{'' if seconds == size else 's'}"


def some_of(present: Any) -> Any:
    """Return the distinct ones of a few values from everywhere."""
    return pc.unique(present[:: max(1, len(present) // SOME)])


def _integer(column: Column) -> Guess:
    """Guess what whole numbers are: days (20240131), months, times, personal numbers, names of rows, or amounts."""
    present = column.values.drop_null()
    if moments := _coded_moments(column, present):
        return moments
    found = marked(column, as_text(some_of(present)).to_pylist(), len(present), _distinct(column, present))
    if found is not None:
        return found
    if checked(some_of(present)):
        return _numbered_goods(column, present)
    if _CODES.fullmatch(column.plain) and _are_codes(present):
        return Guess(
            field_of(column, Kind.CATEGORY),
            "codes, not amounts",
            "it is called so, and its numbers repeat and have gaps",
        )
    return stepped(column, Kind.INTEGER)._replace(identity=row_numbers(column))


def _coded_moments(column: Column, present: Any) -> Guess | None:
    """Guess whether whole numbers are days (20240131), months (202401), instants since 1970, or times of day (930)."""
    if _are_days(present):
        return Guess(field_of(column, Kind.DATE, form="%Y%m%d"), "dates", "every number is a day: year, month, day")
    if epoch := _epoch(column, present):
        return epoch
    if _are_months(present):
        return Guess(field_of(column, Kind.DATE, form="%Y%m"), "months", "every number is a month: year, month")
    form = clock_of(np.asarray(present)) if len(present) else None
    if form is None:
        return None
    times = parse_moments(as_text(column.values.cast(pa.int64())), form, Kind.TIME)
    step = step_of(times, times.type)
    field = field_of(column, Kind.TIME, form=form, step=step)
    return Guess(field, "times of day", f"every number is one, hours first, like {form}; none has 60 minutes or more")


def _numbered_goods(column: Column, present: Any) -> Guess:
    """Guess what numbers with a check digit are: labels where they repeat, else made anew with a right digit."""
    counts = np.asarray(pc.value_counts(present).field(1))
    if counts[counts >= SHARED].sum() >= 0.5 * len(present):
        kind, said = Kind.CATEGORY, "codes, not amounts"
    else:
        kind, said = Kind.TEXT, "codes, made anew"
    unique = kind is Kind.TEXT and len(counts) == len(column.values)
    return Guess(field_of(column, kind, unique=unique), said, "its numbers end in a check digit, as those of goods do")


def _distinct(column: Column, present: Any) -> int:
    """Return how many values differ: of a part, where there are many, as if the rest were like it.

    All are counted where it matters whether a single one repeats.
    """
    part = present if hinted(column.name, "identifier") else present.slice(0, 20_000)
    return int(pc.count_distinct(part).as_py() / len(part) * len(present))


def _are_codes(present: Any) -> bool:
    """Return whether whole numbers repeat and leave more numbers between them unused than they use."""
    counted = pc.value_counts(present)
    bounds, counts = pc.min_max(present).as_py(), np.asarray(counted.field(1))
    sparse = len(counts) < 0.5 * (bounds["max"] - bounds["min"] + 1)
    return sparse and counts[counts >= SHARED].sum() >= 0.5 * len(present)


def _are_days(present: Any) -> bool:
    bounds = pc.min_max(present).as_py()
    if bounds["min"] < 18_000_101 or bounds["max"] > 21_991_231:
        return False
    return plausible_days(as_text(some_of(present))) and plausible_days(as_text(pc.unique(present)))


def _epoch(column: Column, present: Any) -> Guess | None:
    """Guess whether whole numbers are seconds or milliseconds since 1970, from this century, and called so."""
    bounds = {end: int(value) for end, value in pc.min_max(present).as_py().items()}
    form = next((f for f, unit in EPOCHS.items() if _CENTURY[0] * 10**6 <= bounds["min"] * unit
                 and bounds["max"] * unit < _CENTURY[1] * 10**6), None)  # fmt: skip
    if form is None or not _MOMENT_NAMES.search(column.plain) or pc.count_distinct(present).as_py() < _FEW_MOMENTS:
        return None
    instants = parse_moments(as_text(column.values.cast(pa.int64())), form, Kind.DATETIME)
    guess = stepped(column._replace(outside=instants.type, values=instants), Kind.DATETIME, form=form)
    field = guess.field.model_copy(update={"type": str(column.outside)})
    return Guess(field, f"instants, spelled like {form}", "every number is a time since 1970, and it is called so")


def _are_months(present: Any) -> bool:
    """Return whether whole numbers are months of years that people write about, and not a few that look so."""
    bounds = pc.min_max(present).as_py()
    if bounds["min"] < 1800_01 or bounds["max"] > 2199_12:
        return False
    months = np.unique(np.asarray(present))
    return len(months) >= MONTHS and bool(np.isin(months % 100, np.arange(1, 13)).all())


def marked(column: Column, words: list[str], rows: int, distinct: int, *, digits: bool = True) -> Guess | None:
    """Guess whether values are personal data; `words` are some distinct ones as text."""
    missing = bool(column.values.null_count)
    found = mark_of(Cells(column.name, words, rows, distinct, digits, column.beside, missing))
    if found is None:
        return None
    own = found.mark in ("email", "username", "card", "iban", "national-number", "phone")
    unique = own and not digits and distinct == rows >= 20 and not column.values.null_count
    field = field_of(column, Kind.TEXT, sensitive=found.mark, unique=unique)
    return Guess(field, f"personal data ({found.mark}), made anew", found.why)


def row_numbers(column: Column) -> int:
    """Return how surely whole numbers name the rows (see `Guess.identity`)."""
    present, rows = column.values, len(column.values)
    if present.null_count or rows < 2 or pc.count_distinct(present.slice(0, 100)).as_py() < min(rows, 100):
        return 0
    if _MEASURES.fullmatch(column.plain) or pc.count_distinct(present).as_py() < rows:
        return 0
    if NAMES_ROWS.fullmatch(column.plain):
        return 3
    numbers = np.asarray(present.cast(pa.float64(), safe=False))
    called = NUMBERS_ROWS.fullmatch(column.plain) is not None
    if rows >= 5 and (np.diff(numbers) == 1).all() and (numbers[0] in (0, 1) or called):
        return 2
    return 1 if called and numbers.min() >= 0 and rows >= 10 else 0


def _real(column: Column) -> Guess:
    """Guess what floats and decimals are: no names of rows, unless they are whole and called so."""
    present = column.values.drop_null()
    guess = stepped(column, Kind.NUMBER)
    if pa.types.is_decimal(present.type):
        whole = present.type.scale == 0 and hinted(column.name, "identifier")  # databases keep whole numbers so
        words = as_text(some_of(present)).to_pylist() if whole else []
        return marked(column, words, len(present), _distinct(column, present)) or guess if whole else guess
    if not _is_whole(present):
        return guess
    if moments := _coded_moments(column, present.cast(pa.int64())):
        return moments
    whole = present[:: max(1, len(present) // SOME)].cast(pa.int64())
    found = marked(column, as_text(pc.unique(whole)).to_pylist(), len(present), _distinct(column, present))
    if found is not None:
        return found
    if NAMES_ROWS.fullmatch(column.plain):
        guess = guess._replace(identity=row_numbers(column))
    if column.values.null_count and guess.field.step == 1:
        return guess._replace(said="whole numbers", why="floats only because some are missing")
    return guess


def _is_whole(present: Any) -> bool:
    numbers = np.asarray(present)
    if not (numbers[:100] == np.rint(numbers[:100])).all():
        return False
    return bool(((np.abs(numbers) < 2.0**53) & (numbers == np.rint(numbers))).all())
