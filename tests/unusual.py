"""Unusual tables: what each is, and what must be true of rows that are made after it.

Every entry gives a pandas, polars or Arrow frame, or None for a table that must be refused; `checks` are sentences and
predicates over (real, made) as Arrow tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

N = 300
RNG = np.random.default_rng(11)
Check = Callable[[pa.ChunkedArray, pa.ChunkedArray], bool]


def _values(column: pa.ChunkedArray) -> list[Any]:
    return list(column.drop_null().to_pylist())


def within(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
    """Every value lies between the least and the greatest real one."""
    values = _values(made)
    low, high = min(_values(real)), max(_values(real))
    return all(bool(low <= v <= high) for v in values)


def subset(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
    """Every value is a real one."""
    return set(_values(made)) <= set(_values(real))


def disjoint(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
    """No value is a real one."""
    return not set(_values(made)) & set(_values(real))


def same_type(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
    """The Arrow type is the same, the order of a dictionary's labels apart."""
    if pa.types.is_dictionary(real.type):
        return pa.types.is_dictionary(made.type) and real.type.ordered == made.type.ordered
    return bool(real.type == made.type)


def like_nulls(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
    """Nulls are about as frequent; none stay none, all stay all."""
    a, b = real.null_count / len(real), made.null_count / len(made)
    return bool(a == b if a in (0, 1) else abs(a - b) < 0.12)


def multiples(step: float) -> Check:
    """Every value is a multiple of a step."""

    def check(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
        found = np.array([float(v) for v in _values(made)])
        return bool(np.allclose(found / step, np.rint(found / step), atol=1e-6))

    return check


def share(value: Any, off: float = 0.08) -> Check:
    """A value is about as frequent as in the real rows."""

    def check(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
        a, b = (c.to_pylist().count(value) / len(c) for c in (real, made))
        return bool(abs(a - b) <= off)

    return check


def pattern(regex: str) -> Check:
    """Every value has the shape."""

    def check(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
        text = made.drop_null().cast(pa.large_string())
        return bool(pc.all(pc.match_substring_regex(text, f"^(?:{regex})$")).as_py())

    return check


def unique(real: pa.ChunkedArray, made: pa.ChunkedArray) -> bool:
    """No value comes twice."""
    return len(set(made.to_pylist())) == len(made)


def below(limit: float) -> Check:
    """No value is above a limit."""
    return lambda _, made: all(float(v) <= limit for v in _values(made))


def gap(low: float, high: float) -> Check:
    """Nothing lies in a gap."""
    return lambda _, made: not any(low < float(v) < high for v in _values(made))


def _nulled(values: Any, rate: float = 0.2) -> list[Any]:
    absent = RNG.random(len(values)) < rate
    return [None if a else v for v, a in zip(values, absent, strict=True)]


def _normal(n: int = N) -> np.ndarray:
    return np.round(RNG.normal(50, 12, n), 4)


def _words(n: int, k: int = 4) -> list[str]:
    return [f"w{RNG.integers(k)}" for _ in range(n)]


def _with(column: Any, checks: list[Check], **more: Any) -> tuple[pa.Table, dict[str, list[Check]]]:
    """Put one unusual column between two ordinary ones."""
    n = len(column)
    table = pa.table({"before": _normal(n), "c": column, "after": _words(n)})
    return table, {"c": [same_type, like_nulls, *checks]}


def _pandas(series: Any, checks: list[Check]) -> tuple[pd.DataFrame, dict[str, list[Check]]]:
    n = len(series)
    return pd.DataFrame({"before": _normal(n), "c": series, "after": _words(n)}), {"c": [like_nulls, *checks]}


_BASE = dt.datetime(2023, 5, 1, 8, 30, 15, 123456)
_STAMPS = [_BASE + dt.timedelta(minutes=int(m), microseconds=int(u))
           for m, u in zip(RNG.integers(0, 500_000, N), RNG.integers(0, 10**6, N), strict=True)]  # fmt: skip
_DAYS = [dt.date(2020, 1, 1) + dt.timedelta(days=int(d)) for d in RNG.integers(0, 900, N)]
_INTS = RNG.integers(0, 100, N)


def _arrow_cases() -> dict[str, Any]:
    whole = RNG.integers(-100, 100, N)
    cases: dict[str, Any] = {}
    for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()):
        cases[f"arrow {kind}"] = _with(pa.array(np.abs(whole)).cast(kind), [within])
    for kind in (pa.float16(), pa.float32(), pa.float64()):
        cases[f"arrow {kind}"] = _with(pa.array(_normal().astype(kind.to_pandas_dtype()), kind), [])
    for kind in (pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()),
                 pa.dictionary(pa.int32(), pa.large_string())):  # fmt: skip
        cases[f"arrow {kind}"] = _with(pa.array(_words(N)).cast(kind), [subset])
    for kind in (pa.date32(), pa.date64()):
        cases[f"arrow {kind}"] = _with(pa.array(_DAYS).cast(kind), [])
    for unit in ("s", "ms", "us", "ns"):
        for zone in (None, "UTC", "Europe/Berlin", "+05:30"):
            cases[f"arrow timestamp {unit} {zone}"] = _with(
                pa.array(_STAMPS, pa.timestamp("us"))
                .cast(pa.timestamp(unit), safe=False)
                .cast(pa.timestamp(unit, zone)),
                [],
            )
        spans = pa.array(RNG.integers(0, 10**6, N), pa.duration(unit))
        cases[f"arrow duration {unit}"] = _with(spans, [])
    cases["arrow time32 s"] = _with(pa.array(RNG.integers(0, 86400, N), pa.int32()).cast(pa.time32("s")), [])
    cases["arrow time64 ns"] = _with(pa.array(RNG.integers(0, 86400 * 10**9, N)).cast(pa.time64("ns")), [])
    cases["arrow binary"] = _with(pa.array([RNG.bytes(8) for _ in range(N)], pa.binary()), [disjoint])
    cases["constant bytes"] = _with(pa.array([b"q"] * N), [subset])
    cases["two bytes"] = _with(pa.array([b"ab", b"cd", b"cd"] * (N // 3)), [subset, share(b"ab", 0.12)])
    cases["arrow fixed binary"] = _with(pa.array([RNG.bytes(16) for _ in range(N)], pa.binary(16)), [disjoint])
    cases["arrow null type"] = _with(pa.nulls(N), [])
    cases["arrow bool with nulls"] = _with(pa.array(_nulled([bool(v > 0) for v in whole])), [subset])
    cases["arrow decimal"] = _with(
        pa.array([Decimal(int(v)) / 4 for v in whole], pa.decimal128(10, 2)), [multiples(0.25)]
    )
    cases["arrow decimal256"] = _with(pa.array([Decimal(int(v)) for v in whole], pa.decimal256(50, 3)), [])
    big = [Decimal("123456789012345678901234567890.12") + int(v) for v in whole]
    cases["arrow decimal of 32 digits"] = _with(pa.array(big, pa.decimal128(38, 2)), [])
    cases["arrow negative scale"] = _with(
        pa.array([Decimal(int(v) * 100) for v in whole], pa.decimal128(10, 0)), [multiples(100)]
    )
    return cases


def _number_cases() -> dict[str, Any]:
    special = _normal()
    special[:40] = np.inf
    special[40:60] = -np.inf
    tiny = np.where(RNG.random(N) < 0.5, 5e-324, 1e-310) * RNG.integers(1, 5, N)
    outlier = _normal()
    outlier[7] = 1e15
    masses = np.where(RNG.random(N) < 0.6, 0.0, np.round(RNG.gamma(2, 300, N), 2))
    two = np.where(RNG.random(N) < 0.5, RNG.normal(0, 1, N), RNG.normal(1000, 1, N))
    huge = RNG.integers(2**53, 2**62, N)
    return {
        "infinities": _with(special, [share(np.inf, 0.06)]),
        "denormals": _with(tiny, []),
        "very large floats": _with(RNG.normal(0, 1, N) * 1e307, []),
        "one absurd outlier": _with(outlier, [below(1e6)]),
        "point mass at zero": _with(masses, [share(0.0), multiples(0.01)]),
        "a gap in the middle": _with(two, [gap(10, 990)]),
        "cents": _with(np.round(RNG.gamma(2, 20, N), 2), [multiples(0.01)]),
        "multiples of fifty": _with(RNG.integers(1, 60, N) * 50, [multiples(50)]),
        "halves": _with(RNG.integers(1, 60, N) * 0.5, [multiples(0.5)]),
        "integers over 2**53": _with(huge, []),
        "uint64 near its end": _with(pa.array([2**64 - 1 - int(v) for v in _INTS], pa.uint64()), []),
        "int64 ends": _with(pa.array([(-1) ** i * (2**63 - 1 - int(v)) for i, v in enumerate(_INTS)], pa.int64()), []),
        "negative zero": _with(np.where(RNG.random(N) < 0.5, -0.0, 1.5), []),
        "constant number": _with(np.full(N, 3.25), [subset]),
        "constant text": _with(["only"] * N, [subset]),
        "constant and null": _with(pa.array(_nulled([7] * N)), [subset]),
        "two values": _with(RNG.integers(0, 2, N), [subset]),
        "rare class": _with(["common"] * (N - 6) + ["rare"] * 6, [subset]),
        "almost all null": _with(pa.array([None] * (N - 20) + [float(v) for v in range(20)]), []),
        "odd numbers": _with(
            RNG.integers(0, 3000, N) * 2 + 1, [within, lambda _, m: all(v % 2 == 1 for v in _values(m))]
        ),
        "fives": _with(RNG.integers(0, 600, N) * 50 + 7, [within, lambda _, m: all(v % 50 == 7 for v in _values(m))]),
        "quarters and a tenth": _with(
            np.round(RNG.integers(0, 2000, N) * 0.25 + 0.1, 2),
            [lambda _, m: all(abs((v - 0.1) * 4 - round((v - 0.1) * 4)) < 1e-9 for v in _values(m))],
        ),
        "years": _with(RNG.integers(1990, 2024, N), [within]),
        "percent 0 to 1": _with(np.round(RNG.random(N), 2), [within, multiples(0.01)]),
        "skewed over nine decades": _with(10 ** RNG.uniform(-3, 6, N), []),
        "all different integers": _with(RNG.permutation(10 * N)[:N], []),
        "sorted index": _with(np.arange(N), []),
    }


def _text_cases() -> dict[str, Any]:
    digits = [f"{v:05d}" for v in RNG.integers(0, 99999, N)]
    labels = ["ja/nein", "Größe", "名前", "مرحبا", "\U0001f642 smile", "", " lead", "a\nb", 'q"uote', "tab\there"]
    return {
        "leading zeros": _with(digits, [pattern(r"\d{5}")]),
        "few codes with leading zeros": _with([f"{v:05d}" for v in RNG.integers(0, 3000, N)], [pattern(r"\d{5}")]),
        "unusual labels": _with([labels[v % 10] for v in _INTS], [subset]),
        "e-mails": _with(
            [f"user{i}.{v}@mail{v % 9}.example" for i, v in enumerate(_INTS)], [disjoint, pattern(r"[^@\s]+@[^@\s]+")]
        ),
        "free text": _with([" ".join(_words(int(v) % 9 + 3, 500)) + f" {i}" for i, v in enumerate(_INTS)], [disjoint]),
        "codes by pattern": _with([f"AB-{v:04d}" for v in RNG.integers(0, 9999, N)], [pattern(r"[A-Z]{2}-\d{4}")]),
        "iso dates as text": _with([str(d) for d in _DAYS], [pattern(r"\d{4}-\d\d-\d\d")]),
        "german dates": _with([d.strftime("%d.%m.%Y") for d in _DAYS], [pattern(r"\d\d\.\d\d\.\d{4}")]),
        "american dates": _with([d.strftime("%m/%d/%Y") for d in _DAYS], [pattern(r"\d\d/\d\d/\d{4}")]),
        "money": _with([f"${v:,.2f}" for v in RNG.gamma(2, 900, N)], [pattern(r"\$[\d,]+\.\d\d")]),
        "euro": _with([f"{v:.2f} €".replace(".", ",") for v in RNG.gamma(2, 90, N)], [pattern(r"\d+,\d\d €")]),
        "percentages": _with([f"{v}%" for v in _INTS], [pattern(r"\d+%")]),
        "yes and no": _with([["yes", "no"][v % 2] for v in _INTS], [subset]),
        "Y N with nulls": _with(pa.array(_nulled([["Y", "N"][v % 2] for v in _INTS])), [subset]),
        "TRUE FALSE": _with([["TRUE", "FALSE"][v % 2] for v in _INTS], [subset]),
        "the word NA is a label in a frame": _with(
            [["NA", "EU", "AS"][v % 3] for v in _INTS], [subset, share("NA", 0.1)]
        ),
        "numbers and words": _with([str(v) if v % 2 else "n/a" for v in _INTS], []),
        "clock times": _with([f"{v % 24:02d}:{v % 60:02d}" for v in _INTS], [pattern(r"\d\d:\d\d")]),
        "uuids": _with(
            [f"{RNG.integers(2**32):08x}-0000-4000-8000-{RNG.integers(2**47):012x}" for _ in range(N)],
            [disjoint, unique, pattern(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")],
        ),
        "phones": _with(
            [f"+49 30 {v:07d}" for v in RNG.integers(10**6, 10**7, N)], [disjoint, pattern(r"\+[\d ()-]+")]
        ),
        "ip addresses": _with(
            [f"10.{v}.{i % 250}.{(i * 7) % 250}" for i, v in enumerate(_INTS)], [pattern(r"\d+\.\d+\.\d+\.\d+")]
        ),
        "one rare label": _with(
            ["a"] * 200 + ["b"] * 99 + ["Mr Unique"], [lambda _, m: "Mr Unique" not in m.to_pylist()]
        ),
        "two thousand labels": _with([f"sku{i % 90}" for i in range(N)], []),
        "formulas": _with([["=1+1", "@x", "+y", "-z"][v % 4] for v in _INTS], [subset]),
        "html": _with([["<b>x</b>", "<script>1</script>"][v % 2] for v in _INTS], [subset]),
        "very long text": _with(["x" * 5000 + str(v % 5) for v in _INTS], []),
        "booleans as 0/1 text": _with([str(v % 2) for v in _INTS], [subset]),
        "integers as text": _with([str(v) for v in RNG.integers(0, 10**6, N)], [pattern(r"\d+")]),
    }


def _polars_cases(absent: np.ndarray) -> dict[str, Any]:
    return {
        "polars categorical": (
            pl.DataFrame({"c": _words(N), "d": _normal()}, schema_overrides={"c": pl.Categorical}),
            {"c": [subset]},
        ),
        "polars enum": (
            pl.DataFrame(
                {"c": _words(N), "d": _normal()}, schema_overrides={"c": pl.Enum([f"w{i}" for i in range(4)])}
            ),
            {"c": [subset]},
        ),
        "polars duration": (pl.DataFrame({"c": pl.Series(_INTS).cast(pl.Duration("ms")), "d": _normal()}), {}),
        "polars time": (pl.DataFrame({"c": pl.Series([dt.time(v % 24, v % 60) for v in _INTS]), "d": _normal()}), {}),
        "polars nan": (pl.DataFrame({"c": np.where(absent, np.nan, _normal()), "d": _words(N)}), {}),
    }


def _frame_cases() -> dict[str, Any]:
    ordered = pd.Categorical([["low", "mid", "high"][v % 3] for v in _INTS], ["low", "mid", "high"], ordered=True)
    absent = RNG.random(N) < 0.2
    cases: dict[str, Any] = {
        **_polars_cases(absent),
        "pandas ordered categories": _pandas(pd.Series(ordered), [subset]),
        "pandas unused level": _pandas(
            pd.Series(pd.Categorical(_words(N), ["w3", "w0", "w1", "w2", "never"])), [subset]
        ),
        "pandas sparse": _pandas(pd.Series(pd.arrays.SparseArray(np.where(absent, 0, _INTS))), []),
        "pandas Int64": _pandas(pd.array(np.where(absent, 0, _INTS), "Int64"), [within]),
        "pandas Int8 with NA": _pandas(pd.arrays.IntegerArray((_INTS % 50).astype("int8"), absent), [within]),
        "pandas boolean with NA": _pandas(pd.arrays.BooleanArray(_INTS > 50, absent), [subset]),
        "pandas string": _pandas(pd.Series(_words(N), dtype="string"), [subset]),
        "pandas object bools with None": _pandas(
            pd.Series(_nulled([bool(v % 2) for v in _INTS]), dtype=object), [subset]
        ),
        "pandas timedelta": _pandas(pd.Series(pd.to_timedelta(_INTS, unit="min")), []),
        "pandas zone": _pandas(
            pd.Series(pd.DatetimeIndex(_STAMPS).tz_localize("America/New_York", ambiguous="NaT", nonexistent="NaT")), []
        ),
        "pandas float with nan": _pandas(pd.Series(np.where(absent, np.nan, _normal())), []),
        "pandas Decimal objects": _pandas(
            pd.Series([Decimal(int(v)) / 100 for v in _INTS], dtype=object), [multiples(0.01)]
        ),
        "pandas dates as objects": _pandas(pd.Series(_DAYS, dtype=object), []),
        "pandas numbers as columns": (pd.DataFrame({0: _normal(), 1: _words(N), 2: _INTS}), {}),
        "pandas with an index": (pd.DataFrame({"c": _INTS, "d": _words(N)}, index=[f"r{i}" for i in range(N)]), {}),
    }
    names = [
        "",
        " ",
        "a.b",
        "select",
        "a b",
        "naïve",
        "名",
        "x\ny",
        "a`b",
        'a"b',
        "a'b",
        "#",
        "%s",
        "{x}",
        "a,b",
        "[c]",
    ]
    cases["unusual names"] = (pa.table({n: (_normal() if i % 2 else _words(N)) for i, n in enumerate(names)}), {})
    nothing = pa.schema([pa.field("c", pa.int64(), nullable=False), pa.field("d", pa.string())])
    cases["a field without nulls"] = (pa.table({"c": _INTS, "d": _words(N)}, schema=nothing), {"c": [within]})
    cases["pandas instants as objects"] = _pandas(pd.Series(list(_STAMPS), dtype=object), [])
    cases["pandas spans as objects"] = _pandas(
        pd.Series([dt.timedelta(minutes=int(v)) for v in _INTS], dtype=object), []
    )
    cases["polars without a name"] = (pl.DataFrame({"": _words(N), "d": _normal()}), {"": [subset]})
    cases["one column"] = (pa.table({"only": _normal()}), {})
    cases["one text column"] = (pa.table({"only": _words(N)}), {})
    cases["ten rows"] = (pa.table({"a": list(range(10)), "b": _words(10)}), {})
    cases["two hundred columns"] = (pa.table({f"c{i}": _normal(60) if i % 3 else _words(60) for i in range(200)}), {})
    return cases


REFUSED: dict[str, Any] = {
    "no rows": pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}),
    "no columns": pa.table({}),
    "no columns in pandas": pd.DataFrame(),
    "nine rows": pa.table({"a": list(range(9))}),
    "all rows alike": pa.table({"a": [1] * 50, "b": ["x"] * 50}),
    "all null": pa.table({"a": pa.nulls(50), "b": pa.array([None] * 50, pa.string())}),
    "nested lists": pa.table({"a": [[1, 2]] * 50, "b": list(range(50))}),
    "nested structs": pa.table({"a": [{"x": 1}] * 50, "b": list(range(50))}),
    "duplicate names": pd.DataFrame(np.arange(100).reshape(50, 2), columns=["a", "a"]),
    "duplicate names in arrow": pa.Table.from_arrays([pa.array(range(50))] * 2, names=["a", "a"]),
    "mixed objects": pd.DataFrame({"a": [1, "x", None, 2.5, object] * 10}),
    "no frame": [1, 2, 3],
    "none": None,
    "a row number column": pa.table({"#row": list(range(50)), "b": _words(50)}),
    "python objects": pd.DataFrame({"a": [{1, 2}] * 50}),
}
"""Tables that must be refused with a typed error."""

WORKS: dict[str, Any] = {**_arrow_cases(), **_number_cases(), **_text_cases(), **_frame_cases()}
"""Tables that must work: a frame, and what must be true of each column that is made."""
