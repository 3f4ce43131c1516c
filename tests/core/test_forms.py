"""Spelled values are recognised only where they come back exactly as they were."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synthwright.core.forms import check, exact, means_null, parse, recognise, spell
from synthwright.core.lengths import parse_lengths
from synthwright.core.schema import Kind

TEXT = pa.large_string()
SPELLED = [
    (["1", "2", "30", "-5"], Kind.INTEGER, "1234"),
    (["1,234", "5", "12"], Kind.INTEGER, "1,234"),
    (["1 234", "5 000 000"], Kind.INTEGER, "1 234"),
    (["-5", "+3", "+0"], Kind.INTEGER, "+1234;-1234"),
    (["(5)", "3"], Kind.INTEGER, "1234;(1234)"),
    (["5 kg", "70 kg"], Kind.INTEGER, "1234 kg"),
    (["1.50", "22.25", "3.00"], Kind.NUMBER, "1234.50"),
    (["1.5", "2.25", "3"], Kind.NUMBER, "1234.#"),
    (["1.0", "2.25"], Kind.NUMBER, "1234.5#"),
    (["0,5", "1,25"], Kind.NUMBER, "1234,#"),
    (["$1,234.50", "$2.00"], Kind.NUMBER, "$1,234.50"),
    (["$1,234.50", "-$2.00"], Kind.NUMBER, "$1,234.50"),
    (["$1,234.50", "($2.00)"], Kind.NUMBER, "$1,234.50;($1,234.50)"),
    (["$-5.00", "$3.00"], Kind.NUMBER, "$1234.50;$-1234.50"),
    (["1.234,50 €", "2,00 €"], Kind.NUMBER, "1.234,50 €"),
    (["CHF 1'234.50", "CHF 20.00"], Kind.NUMBER, "CHF 1'234.50"),
    (["12.5%", "3%", "100%"], Kind.NUMBER, "1234.#%"),
    (["12%", "3%"], Kind.INTEGER, "1234%"),
    (["yes", "no"], Kind.BOOLEAN, "yes|no"),
    (["N", "Y"], Kind.BOOLEAN, "Y|N"),
    (["0", "1"], Kind.BOOLEAN, "1|0"),
    (["FALSE", "TRUE"], Kind.BOOLEAN, "TRUE|FALSE"),
    (["2020-01-31", "1999-12-01"], Kind.DATE, "%Y-%m-%d"),
    (["31/12/2020", "01/01/2020"], Kind.DATE, "%d/%m/%Y"),
    (["12/31/2020", "01/01/2020"], Kind.DATE, "%m/%d/%Y"),
    (["31.12.2020", "01.02.2020"], Kind.DATE, "%d.%m.%Y"),
    (["5/31/20", "12/1/99"], Kind.DATE, "%-m/%-d/%y"),
    (["01-Jan-2020", "28-Feb-2021"], Kind.DATE, "%d-%b-%Y"),
    (["Jan 5, 2020", "Dec 15, 2020"], Kind.DATE, "%b %-d, %Y"),
    (["20200131", "20211231", "19990101"], Kind.DATE, "%Y%m%d"),
    (["2020-01", "2020-12"], Kind.DATE, "%Y-%m"),
    (["12:30", "01:15"], Kind.TIME, "%H:%M"),
    (["9:30", "14:05"], Kind.TIME, "%-H:%M"),
    (["09:30 PM", "10:00 AM"], Kind.TIME, "%I:%M %p"),
    (["2020-01-01 10:00:00", "2020-01-01 11:00:05"], Kind.DATETIME, "%Y-%m-%d %H:%M:%S"),
    (["2020-01-01T10:00:00.123+02:00"], Kind.DATETIME, "%Y-%m-%dT%H:%M:%S.%3f+02:00"),
    (["1/31/2020 9:05 pm", "12/1/2020 12:00 am"], Kind.DATETIME, "%-m/%-d/%Y %-I:%M %P"),
    (["1 days 00:00:05", "-1 days +23:00:00"], Kind.DURATION, "%D days %H:%M:%S"),
    (["26:15:00", "07:00:59"], Kind.DURATION, "%H:%M:%S"),
    (["126:15:00.25", "07:00:59.50"], Kind.DURATION, "%H:%M:%S.%2f"),
    (["PT90.500S", "-PT1.500S"], Kind.DURATION, "PT%s.%3fS"),
]
NOTHING = [
    *(["007", "12"], ["01234", "00501"], ["+4915123", "+49151234"], ["1.2.3", "1.2.4"], ["192.168.1.1"]),
    *(["12345678901234567890"], ["5", "-0"], ["0.10", "0.1"], ["1e5", "2"], ["5th", "6th"], ["A1", "A2"], ["1\n", "2"]),
    *(["2020-02-30"], ["25:00", "12:61"], ["2020-13-01"], ["yes", "no", "maybe"], ["yes"], ["Yes", "yes", "no"]),
    *(["２", "３"], ["12A", "13A"]),
    *(["12345678", "20201301", "23456789x"], ["$5", "€6"], ["a", "b"], [""], ["2020-01-0110:00", "2020-01-0211:00"]),
]  # fmt: skip


def _array(words: list[str]) -> pa.Array:
    return pa.array(words, TEXT)


@pytest.mark.parametrize(("words", "kind", "form"), SPELLED, ids=str)
def test_forms_are_recognised(words: list[str], kind: Kind, form: str) -> None:
    """Numbers, booleans, dates, times and lengths are seen for what they are, and come back as they were."""
    found = recognise(_array(words))
    assert found is not None
    assert (found.kind, found.form) == (kind, form)
    check(found.form, found.kind)
    assert spell(parse(_array(words), form, kind), form, kind).to_pylist() == words


@pytest.mark.parametrize("words", NOTHING, ids=str)
def test_what_would_change_is_text(words: list[str]) -> None:
    """Leading zeros, phone numbers, versions, days that do not exist: nothing is taken for what it is not quite."""
    assert recognise(_array(words)) is None


@pytest.mark.parametrize(
    ("words", "form", "word"),
    [
        (["01/02/2020", "01/03/2021"], "%d/%m/%Y", "first number is always the same"),
        (["02/01/2020", "03/01/2021"], "%m/%d/%Y", "second number is always the same"),
        (["03/02/2020", "01/03/2020"], "%m/%d/%Y", "month before day"),
        (["03.02.2020", "01.03.2020"], "%d.%m.%Y", ""),
        (["03-02-2020", "01-03-2020"], "%d-%m-%Y", "day before month"),
    ],
)
def test_day_or_month_first(words: list[str], form: str, word: str) -> None:
    """Where every date can be read in two ways, the choice is told."""
    found = recognise(_array(words))
    assert found is not None
    assert found.form == form
    assert word in found.why


@settings(max_examples=100, deadline=None)
@example(values=[1, -1], pattern="${:,.2f}")
@given(
    values=st.lists(st.integers(-(10**11), 10**11), min_size=2, max_size=30, unique=True),
    pattern=st.sampled_from(["{:.2f}", "${:,.2f}", "{:,.2f} €", "{:.1f}%", "{:.0f}", "{:,.0f}"]),
)
def test_numbers_come_back_exactly(values: list[int], pattern: str) -> None:
    """However numbers were spelled: what is recognised gives the same strings and the same numbers."""
    numbers = [v / 100 for v in values]
    words = list(dict.fromkeys(pattern.format(n) for n in numbers))
    found = recognise(_array(words))
    if found is None:
        assert any(w.strip("$€%") in ("-0", "-0.0", "-0.00") for w in words) or len(words) < 2
        return
    assert exact(_array(words), found.form, found.kind)
    if found.kind is Kind.NUMBER and "," not in found.form.replace(",234", ""):
        read = parse(_array(words), found.form, found.kind).to_pylist()
        assert read == [float(w.strip("$€% -").replace(",", "")) * (-1 if "-" in w else 1) for w in words]


@settings(max_examples=60, deadline=None)
@given(
    days=st.lists(st.dates(dt.date(1, 1, 1)), min_size=1, max_size=20, unique=True),
    form=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y", "%d-%b-%Y"]),
)
def test_dates_are_read_as_python_reads_them(days: list[dt.date], form: str) -> None:
    """Every day of years 1 to 9999 is read and written as strptime and strftime do."""
    words = [d.strftime(form.replace("%Y", f"{d.year:04d}")) for d in days]
    assert parse(_array(words), form, Kind.DATE).to_pylist() == days
    assert spell(pa.array(days), form, Kind.DATE).to_pylist() == words


@settings(max_examples=60, deadline=None)
@given(moments=st.lists(st.datetimes(dt.datetime(1, 1, 1)), min_size=1, max_size=20))
def test_instants_are_read_as_python_reads_them(moments: list[dt.datetime]) -> None:
    """Instants with all their microseconds, also before 1970, are read and written exactly."""
    form = "%Y-%m-%dT%H:%M:%S.%f"
    words = [m.isoformat(timespec="microseconds") for m in moments]
    assert parse(_array(words), form, Kind.DATETIME).to_pylist() == moments
    assert spell(pa.array(moments, pa.timestamp("us")), form, Kind.DATETIME).to_pylist() == words


def test_halves_of_the_day() -> None:
    """Midnight and noon are the twelves of a clock with two halves."""
    words = ["12:00 AM", "01:00 AM", "12:00 PM", "11:59 PM"]
    read = parse(_array(words), "%I:%M %p", Kind.TIME)
    assert read.to_pylist() == [dt.time(0), dt.time(1), dt.time(12), dt.time(23, 59)]
    assert spell(read, "%I:%M %p", Kind.TIME).to_pylist() == words


def test_made_numbers_are_spelled_as_the_form_has_it() -> None:
    """Numbers with more decimals than the form are rounded, large ones grouped, infinite ones no crash, nulls null."""
    made = pa.array([1234567.891, -0.001, -2.5, 1e17, np.inf, None])
    assert spell(made, "$1,234.50", Kind.NUMBER).to_pylist()[:4] == [
        "$1,234,567.89",
        "$0.00",
        "-$2.50",
        "$100,000,000,000,000,000.00",
    ]
    assert spell(made, "$1,234.50", Kind.NUMBER).null_count == 1
    small = spell(pa.array([1e-7, 0.1 + 0.2, 1e16]), "1234.#", Kind.NUMBER).to_pylist()
    assert small == ["0.0000001", "0.30000000000000004", "10000000000000000"]


def test_lengths_of_time() -> None:
    """Lengths are read in the spellings of pandas, clocks and ISO 8601."""
    words = [
        "1 days 02:03:04.5",
        "-1 days +23:00:00",
        "26:15:00",
        "-00:30:00",
        "PT90.5S",
        "P1DT2H",
        "-PT1M",
        "two hours",
    ]
    seconds = [93_784.5, -3600.0, 94_500.0, -1800.0, 90.5, 93_600.0, -60.0]
    read = parse_lengths(_array(words)).to_pylist()
    assert [r.total_seconds() for r in read[:-1]] == seconds
    assert read[-1] is None


def test_words_that_mean_nothing() -> None:
    """Spellings of null are told from words, whatever their case."""
    assert means_null(_array(["NA", " n/a ", "-", "", "None", "x", "0"])).to_pylist() == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        *(
            ("", Kind.NUMBER),
            ("99", Kind.INTEGER),
            ("1234;99", Kind.NUMBER),
            ("yes", Kind.BOOLEAN),
            ("a|a", Kind.BOOLEAN),
        ),
        *(("%Q", Kind.DATE), ("today", Kind.DATE), ("%-d%-m", Kind.DATE), ("PT", Kind.DURATION), ("x", Kind.TEXT)),
    ],
)
def test_wrong_forms_are_refused(form: str, kind: Kind) -> None:
    """What is no form is refused with an example of one."""
    with pytest.raises(ValueError, match=r"."):
        check(form, kind)
