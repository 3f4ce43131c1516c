"""Months and weekdays in other languages: read, written, valid, on their weekday."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import synthwright as sw
from synthwright.core.forms import check, exact, parse, recognise, spell
from synthwright.core.moment_words import ENGLISH, names, translated
from synthwright.core.schema import Kind

DAYS = np.datetime64("2015-01-01") + np.random.default_rng(3).integers(0, 4_000, 200)
MOMENTS = pa.array(DAYS.astype("datetime64[D]").astype(object), pa.date32())


@pytest.mark.parametrize(
    "form",
    [
        *("%-d. %B{de} %Y", "%d. %b{de} %Y", "%A{de}, %-d. %B{de} %Y", "%A{de}, den %-d. %B{de} %Y", "%d-%^b{de}-%y"),
        *("%-d %B{fr} %Y", "%a{fr.} %-d %b{fr.} %Y", "%A{fr} %-d %B{fr} %Y", "%-d %B{Fr} %Y", "%d-%^b{fr}-%Y"),
        *("%-d de %B{es} de %Y", "%A{es}, %-d de %B{es} de %Y", "%d-%b{es}-%Y", "%d/%b{Es}/%Y", "%B{es} %Y"),
        *("%-d %B{it} %Y", "%a{it} %-d %b{it} %Y", "%-d %B{nl} %Y", "%A{nl} %-d %B{nl} %Y", "%-d de %B{pt} de %Y"),
        "%A{pt}, %-d de %B{pt} de %Y",
    ],
)
def test_names_of_other_languages(form: str) -> None:
    """What is written in another language is read as the same days, by a form that says so."""
    strings = spell(MOMENTS, form, Kind.DATE).unique()
    found = recognise(strings)
    assert found is not None
    assert found.kind is Kind.DATE
    assert found.form == form
    assert exact(strings, form, Kind.DATE)


def test_wrong_weekdays_are_none() -> None:
    """A weekday that the day has not, and a month of another language, are refused."""
    said = pa.array(["lun. 12 août 2024", "mar. 12 août 2024", "lun. 12 August 2024", "lun. 32 août 2024"])
    read = parse(said, "%a{fr.} %-d %B{fr} %Y", Kind.DATE)
    assert read.to_pylist() == [dt.date(2024, 8, 12), None, None, None]


def test_made_days_are_valid() -> None:
    """Made texts are days in the same words, each with its weekday."""
    form = "%a{de.}, %-d. %B{de} %Y"
    model = sw.fit(pa.table({"am": spell(MOMENTS, form, Kind.DATE), "x": ["a", "b"] * 100}), generator="marginals")
    made = model.sample(300, seed=1)["am"].combine_chunks()
    assert exact(made, form, Kind.DATE)
    assert len(made.unique()) > 150


def test_styles() -> None:
    """Every style has all names, all different; others are told, and a text without names has no translation."""
    for style in ("de", "de.", "fr", "fr.", "Fr", "es", "es.", "it", "it.", "nl", "nl.", "pt", "pt.", "Pt."):
        for letter in "BbAa":
            found = names(letter, style)
            assert len(set(found)) == len(ENGLISH[letter.upper()]), (style, letter)
    assert [*translated("the plan of 12 parts")] == []
    assert ("3. March 2024", "de") in [*translated("3. März 2024")]
    with pytest.raises(ValueError, match="no language"):
        check("%B{xx} %Y", Kind.DATE)
