"""What will go wrong when rows are made is told before: with its line, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthwright.core.errors import SpecError
from synthwright.core.loading import load_spec
from synthwright.core.plan import Plan
from synthwright.line import check

SPEC = """\
synthwright: 1
name: shop
schema:
  tables:
    customer:
      key: id
      fields:
        id: {kind: key, type: int64, nulls: false}
        region: {kind: category}
        locale: {kind: category}
        name: {kind: text}
        born: {kind: integer}
    order:
      key: id
      rules: ["status != 'open' or paid == 0"]
      fields:
        id: {kind: key, type: int64, nulls: false}
        customer: {kind: reference, to: customer.id, type: int64}
        status: {kind: category}
        code: {kind: text}
        paid: {kind: number}
        size: {kind: integer}
        extra: {kind: category}
start:
  rows: {customer: 2000}
  children:
    order: {of: order.customer, use: each, with: {count: 3}}
parts:
  - {make: [customer.id, order.id], use: counter}
  - {make: [customer.region], use: choice, with: {values: [north, south]}}
  - {make: [customer.locale], use: choice, with: {values: [de_DE, FR]}}
  - {make: [customer.name], use: person, with: {locale_from: locale}}
  - {make: [customer.born], use: distribution, with: {uniform: {low: 1950, high: 2000}}}
  - {make: [order.status], use: choice, with: {values: {open: 1, shipped: 3, never: 0}}}
  - {make: [order.code], use: pattern, with: {pattern: "[A-Z]{4}", unique: true}}
  - {make: [order.paid], use: formula, with: {formula: "if(status == 'open', 0, 9)"}}
  - {make: [order.size], use: choice, with: {values: [1, 2, 5]}}
  - {make: [order.extra], use: choice, with: {by: status, table: {open: [a], shipped: [b]}}}
evaluate: {metrics: [integrity]}
"""


def planned(folder: Path, *changes: tuple[str, str]) -> Plan:
    """Return the plan of the specification with some changes."""
    text = SPEC
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "shop.yaml").write_text(text)
    plan = check(load_spec(folder / "shop.yaml"))
    assert plan is not None
    return plan


def refused(folder: Path, *changes: tuple[str, str]) -> str:
    """Return the only fault of the specification with some changes, with its line."""
    with pytest.raises(SpecError) as caught:
        planned(folder, *changes)
    (fault,) = caught.value.faults
    assert str(folder) in fault.file
    return f"{fault.line}: {fault.message}"


def test_nothing_is_foreseen_where_all_is_well(tmp_path: Path) -> None:
    """The specification as it stands has no fault and no doubt."""
    assert planned(tmp_path).doubts == ()


def test_a_case_without_an_entry(tmp_path: Path) -> None:
    """Values of a column that another part makes need an entry each, or `otherwise`."""
    old = "table: {open: [a], shipped: [b]}"
    said = refused(tmp_path, (old, "table: {open: [a], shiped: [b]}"))
    assert said == (
        "38: choice: no entry for 'status' 'shipped', and no `otherwise`: is 'shiped' meant to be 'shipped'?"
    )
    assert planned(tmp_path, (old, "table: {open: [a]}, otherwise: [c]")).doubts == ()
    assert "has no value: say `otherwise`" in refused(tmp_path, ("shipped: 3, never: 0}", "shipped: 3}, nulls: 0.1"))
    assert "'shipped'" in refused(tmp_path, ("status, table: {open: [a], shipped: [b]}",
                                             "[status, size], table: {open: {1-5: [a]}}"))  # fmt: skip


def test_bands_and_the_numbers_that_come(tmp_path: Path) -> None:
    """Of numbers, each value that may come needs a band."""
    old = "by: status, table: {open: [a], shipped: [b]}"
    assert "no entry for 'size' '5'" in refused(tmp_path, (old, "by: size, table: {1-2: [a], 3-4: [b]}"))
    assert planned(tmp_path, (old, "by: size, table: {1-2: [a], 3+: [b]}")).doubts == ()


def test_of_rows_of_other_tables_some_may_have_no_rows(tmp_path: Path) -> None:
    """What a reference leads to may lack values that the other table has: nothing is refused."""
    old = "by: status, table: {open: [a], shipped: [b]}"
    assert planned(tmp_path, (old, "by: customer.region, table: {north: [a]}")).doubts == ()
    (doubt,) = planned(tmp_path, (old, "by: customer.region, table: {nort: [a], south: [b]}")).doubts
    assert "no row has 'nort' in `customer.region`: did you mean 'north'?" in doubt.message


@pytest.mark.parametrize(("count", "sure"), [("count: 3", True), ("count: 3, where: region == 'north'", False)])
def test_fewer_codes_than_rows(tmp_path: Path, count: str, sure: bool) -> None:  # noqa: FBT001
    """A pattern that is unique needs as many codes as there are rows; where these are not known, it is a doubt."""
    changes = (("[A-Z]{4}", "[A-Z]{2}"), ("count: 3", count))
    if sure:
        assert (
            refused(tmp_path, *changes)
            == "35: pattern: it gives 676 different codes, for 6,000 rows of 'order': lengthen it"
        )
    else:
        (doubt,) = planned(tmp_path, *changes).doubts
        assert "676 different codes, for up to 6,000 rows" in doubt.message


def test_locales_that_are_none(tmp_path: Path) -> None:
    """The column that says where people are from must hold locales or countries."""
    assert "32: person: 'en_UK' in 'locale': wanted locales or countries" in refused(
        tmp_path, ("[de_DE, FR]", "[de_DE, en_UK]")
    )
    assert "'born' is of kind 'integer': wanted a column of locales" in refused(
        tmp_path, ("locale_from: locale", "locale_from: born")
    )


def test_locales_of_people_in_texts(tmp_path: Path) -> None:
    """What fills the slots of a template is looked at too; a sink of spans wants a table that has some."""
    part = (
        "template, with: {rules: {x: ['{who.full_name}']}, slots: {who: {use: person, make: [full_name], "
        "with: {locale_from: status}}}}"
    )
    old = "choice, with: {by: status, table: {open: [a], shipped: [b]}}"
    assert "'open', 'shipped' in 'status': wanted locales" in refused(tmp_path, (old, part))
    release = ("evaluate: {metrics: [integrity]}", "release: {use: spacy}")
    assert "spacy: no table has texts in a column 'text' and their spans in 'spans'" in refused(tmp_path, release)


def test_more_rows_than_can_be(tmp_path: Path) -> None:
    """Rows that multiply beyond measure are told with table and number."""
    said = refused(tmp_path, ("customer: 2000", "customer: 200000"), ("count: 3", "count: 100 * 100"),
                   (", unique: true", ""))  # fmt: skip
    assert said == ("27: start.children.order: about 2,000,000,000 rows of 'order' would come to be for 200,000 of "
                    "'customer', wanted at most 1,000,000,000: say fewer for each, or fewer of 'customer'")  # fmt: skip
    events = "use: arrivals, with: {per_day: 100000, between: ['2024-01-01', '2024-12-31']}"
    assert "about 73,200,000,000 rows" in refused(tmp_path, ("use: each, with: {count: 3}", events))


def test_labels_that_no_maker_gives(tmp_path: Path) -> None:
    """Rules, formulas and conditions that compare with what no row has are doubts, with what was meant."""
    found = planned(tmp_path, ("status != 'open'", "status != 'opne'"), ("if(status == 'open", "if(status == 'shiped"),
                    ("count: 3", "count: 3, where: \"region in ['nord', 'west']\"")).doubts  # fmt: skip
    said = {d.line: d.message for d in found}
    assert "rule" in said[15]
    assert "did you mean 'open'?" in said[15]
    assert "no row has 'shiped' in `status`: did you mean 'shipped'?" in said[36]
    assert "no row has 'nord' in `region`: did you mean 'north'?" in said[27]
    assert "start.children.order.with.where" in said[27]


def test_lists_may_name_more_than_there_is(tmp_path: Path) -> None:
    """A list that holds a value that there is, and others unlike it, is meant so."""
    assert planned(tmp_path, ("status != 'open'", "status in ['open', 'returned']")).doubts == ()
    (doubt,) = planned(tmp_path, ("status != 'open'", "status in ['returned']")).doubts
    assert "it is 'open' or 'shipped'" in doubt.message


def test_too_few_values_for_a_unique_column(tmp_path: Path) -> None:
    """A column that must differ in every row needs as many values as there are rows."""
    said = refused(tmp_path, ("extra: {kind: category}", "extra: {kind: category, unique: true}"))
    assert said == "38: column 'order.extra' must differ in every row, and has 2 values for 6,000 rows"


def test_at_most_once_each(tmp_path: Path) -> None:
    """`degrees: once` needs as many rows to point to as there are rows; matched columns must share a value."""
    start = ("order: {of: order.customer, use: each, with: {count: 3}}", "{}")
    rows = ("rows: {customer: 2000}", "rows: {customer: 2000, order: 6000}")
    part = "parts:\n  - {make: [order.customer], use: reference, with: %s}\n"
    said = refused(tmp_path, start, rows, ("parts:\n", part % "{degrees: once}"))
    assert "6,000 rows of 'order' cannot each have a row of 'customer', of which there are 2,000" in said
    (doubt,) = planned(tmp_path, start, rows, ("parts:\n", part % "{match: {region: status}}")).doubts
    assert "no row of 'customer' has in `region` what rows of 'order' have in `status`" in doubt.message


def test_faults_do_not_wait_for_one_another(tmp_path: Path) -> None:
    """What is foreseen is told together with other faults."""
    with pytest.raises(SpecError) as caught:
        planned(tmp_path, ("[A-Z]{4}", "[A-Z]{2}"), ("low: 1950", "low: 2050"), ("status == 'open', 0, 9", "nope"))
    said = [f.message for f in caught.value.faults]
    assert any("676 different codes" in s for s in said)
    assert len(said) >= 3
