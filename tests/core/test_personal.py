"""Personal data is recognised by its values and by what it is called; ordinary columns are left alone."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from faker import Faker

from synthwright.core.infer import infer
from synthwright.core.personal import MARKS, Cells, hinted, mark_of, plain_name
from synthwright.core.schema import Kind

ROWS = 120
RNG = np.random.default_rng(5)


def _made(what: str, locale: str = "en_US") -> list[str]:
    faker = Faker(locale)
    faker.seed_instance(1)
    return [str(getattr(faker, what)()) for _ in range(ROWS)]


def _mark(values: object, name: str = "c") -> str | None:
    return infer({"t": pa.table({name: values})}).schema.tables["t"].fields[name].sensitive


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "sv_SE", "pt_BR"])
@pytest.mark.parametrize(
    ("what", "mark"),
    [("name", "name"), ("email", "email"), ("ipv4", "ip"), ("ipv6", "ip"), ("url", "url"), ("iban", "iban")],
)
def test_marks_are_told_by_values_alone(what: str, mark: str, locale: str) -> None:
    """A column with a meaningless name is marked where its values leave no doubt."""
    assert _mark(_made(what, locale)) == mark


@pytest.mark.parametrize("locale", ["en_US", "de_DE", "fr_FR"])
@pytest.mark.parametrize(("what", "mark"), [("first_name", "first-name"), ("last_name", "last-name")])
def test_single_names_are_told_by_lists(what: str, mark: str, locale: str) -> None:
    """Given and family names are told from other words, and from each other, by lists of names."""
    assert _mark(_made(what, locale)) == mark


@pytest.mark.parametrize(
    ("what", "locale"),
    [("pesel", "pl_PL"), ("cpf", "pt_BR"), ("nie", "es_ES"), ("ssn", "it_IT"), ("ssn", "sv_SE"), ("ssn", "en_US")],
)
def test_national_numbers_are_told_by_check_digits(what: str, locale: str) -> None:
    """Numbers of a national system are marked by their layout and check digits."""
    assert _mark(_made(what, locale)) == "national-number"


@pytest.mark.parametrize(
    ("name", "what", "mark"),
    [
        *(
            ("CustomerPhone", "phone_number", "phone"),
            ("Telefon", "phone_number", "phone"),
            ("SSN", "ssn", "national-number"),
        ),
        *(
            ("card_number", "credit_card_number", "card"),
            ("street", "street_address", "address"),
            ("login", "user_name", "username"),
        ),
        *(("Vorname", "first_name", "first-name"), ("surname", "last_name", "last-name"), ("FullName", "name", "name")),
    ],
)
def test_clear_names_help(name: str, what: str, mark: str) -> None:
    """Where a column's name is clear and its values can be such, they are marked."""
    assert _mark(_made(what), name) == mark


@pytest.mark.parametrize(
    ("name", "said", "mark"),
    [
        ("cell", "262-01-{:05d}-1", None),  # cells of a network
        ("tel", "8-15-{:05d}-7", None),
        ("cell", "+49 160 12{:05d}", "phone"),
        ("mobile", "0160 12{:05d}", "phone"),
        ("phone", "262-01-{:05d}-1", "phone"),
        ("cell phone", "262-01-{:05d}-1", "phone"),
    ],
)
def test_codes_that_come_back_are_no_telephones(name: str, said: str, mark: str | None) -> None:
    """A name that other things have too is enough for numbers that hardly repeat, or that one can dial."""
    assert _mark([said.format(i % 30 * 111) for i in range(300)], name) == mark
    assert _mark([said.format(i) for i in range(300)], name) == "phone"


def test_numbers_may_be_personal_too() -> None:
    """Phone, card and insurance numbers that are kept as numbers are text inside, and numbers outside."""
    faker = Faker()
    faker.seed_instance(2)
    table = pa.table({
        "phone": [int(faker.numerify("%#########")) for _ in range(ROWS)],
        "c": [int(faker.credit_card_number("visa16")) for _ in range(ROWS)],
        "tel": [None if i % 5 == 0 else float(faker.numerify("%#########")) for i in range(ROWS)],
    })  # fmt: skip
    fields = infer({"t": table}).schema.tables["t"].fields
    assert [f.sensitive for f in fields.values()] == ["phone", "card", "phone"]
    assert {f.kind for f in fields.values()} == {Kind.TEXT}
    assert fields["c"].type == "int64"


CODES = np.concatenate([np.arange(60), RNG.integers(0, 60, 340)]) * 37 + 1_000
KNOWN = [f"K-{v}" for v in CODES]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *((name, KNOWN) for name in ("Kundennr", "kunden_nr", "Kunden-Nummer", "KdNr", "CustomerID", "client no")),
        *((name, CODES) for name in ("CustomerID", "patient_nbr", "userId", "account_number", "Kontonummer", "MRN")),
        *((name, CODES) for name in ("customer_unique_id", "Personalnummer", "policy key", "SUBJECT_ID", "my_user_id")),
        ("passenger_code", [f"{v:x}" + "0a" for v in CODES * 9_999]),
        ("customer_id", ["".join(chr(65 + (v // 26**i) % 26) for i in range(5)) for v in CODES * 777]),
        ("member_id", [None if i % 9 == 0 else float(v) for i, v in enumerate(CODES)]),
        ("member_id", [None, *map(float, range(5_000, 5_119))]),
        ("employee_no", pa.array(KNOWN).dictionary_encode()),
        ("employee_no", pa.array(CODES).dictionary_encode()),
        ("account_no", [Decimal(int(v)) for v in CODES]),
        ("student_id", [f"{v:06}" for v in CODES]),
    ],
)  # fmt: skip
def test_repeating_identifiers_are_personal(name: str, values: object) -> None:
    """Numbers and codes that stand for people and accounts in many rows are made anew."""
    assert _mark(values, name) == "identifier"
    if isinstance(values, list) and not isinstance(values[0], float | Decimal | None):  # the same in a file
        cells = pa.table({name: pa.array([str(v) for v in values])})
        assert infer({"t": cells}, text=True).schema.tables["t"].fields[name].sensitive == "identifier"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("product_id", CODES),
        ("order_no", KNOWN),
        ("customer_count", CODES),
        ("num_customers", CODES),
        ("customer_zip_code", CODES),
        ("VendorID", CODES),
        ("subject_code", CODES),
        ("user_id", CODES % 12),
        ("customer_id", RNG.choice(["gold", "silver", "bronze"], 400)),
        ("patient_no", RNG.normal(size=400)),
        ("account_key", [f"a value of {v % 40} words" for v in CODES]),
    ],
)
def test_other_numbers_are_no_identifiers(name: str, values: object) -> None:
    """Things, counts, places and groups of people are modelled as ever."""
    assert _mark(values, name) is None


def test_keys_and_references_are_no_identifiers() -> None:
    """What never repeats names the rows, and what points to another table's key is a reference."""
    customers = pa.table({"customer_id": np.unique(CODES), "age": np.arange(60) % 9})
    orders = pa.table({"order_id": np.arange(400), "customer_id": CODES})
    tables = infer({"customers": customers, "orders": orders}).schema.tables
    assert tables["customers"].fields["customer_id"].kind is Kind.KEY
    assert tables["orders"].fields["customer_id"].kind is Kind.REFERENCE
    assert tables["orders"].fields["customer_id"].sensitive is None


def test_user_names_are_no_codes() -> None:
    """What people call themselves is a user name, also in a column called user_id."""
    words = _made("user_name")
    assert _mark([*words, *words], "user_id") == "username"


def test_e_mails_are_unique() -> None:
    """Addresses that never repeat may not repeat when they are made anew; names may."""
    table = pa.table(
        {"e": [f"p{i}@example.org" for i in range(ROWS)], "first_name": [f"Ann{chr(97 + i % 9)}" for i in range(ROWS)]}
    )
    fields = infer({"t": table}).schema.tables["t"].fields
    assert fields["e"].unique
    assert not fields["first_name"].unique


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("amount", RNG.integers(1_000, 90_000, ROWS)),
        ("timestamp", RNG.integers(1_500_000_000, 1_700_000_000, ROWS)),
        ("account", RNG.integers(10**15, 10**16, ROWS)),
        ("phone_calls", RNG.integers(0, 50, ROWS)),
        ("phone", RNG.integers(0, 2, ROWS)),
        ("cell", ["round", "flat", "oval"] * 40),
        ("country", _made("country")),
        ("company", _made("company")),
        ("city", _made("city")),
        ("job", _made("job")),
        ("text", _made("sentence")),
        ("weekday", _made("day_of_week")),
        ("version", [f"{a}.{b}.{c}.0" for a, b, c in RNG.integers(0, 20, (ROWS, 3))]),
        ("price", [f"${v:,.2f}" for v in RNG.gamma(2, 900, ROWS)]),
        ("when", _made("iso8601")),
        ("isbn", _made("isbn13")),
        ("address_count", RNG.integers(0, 9, ROWS)),
        ("name", ["Laptop Pro 15", "Desk Lamp", "Office Chair", "USB Cable"] * 30),
        ("measure", RNG.normal(size=ROWS)),
    ],
)
def test_ordinary_columns_are_left_alone(name: str, values: object) -> None:
    """Amounts, instants, products, places and versions are not taken for personal data."""
    assert _mark(values, name) is None


def test_pages_of_things_are_not_of_people() -> None:
    """Addresses that differ in their numbers alone keep their site; those of people, and of many sites, do not."""
    pages = [f"https://shop.example/p/{1000 + 7 * i}?ref={'ab'[i % 2]}" for i in range(300)]
    files = [f"https://cdn.example/i/{i * 2654435761 % 2**32:08x}.png" for i in range(300)]
    people = [f"https://shop.example/users/{1000 + 7 * i}" for i in range(300)]
    assert (_mark(pages), _mark(files), _mark(people)) == (None, None, "url")


def test_a_tenth_of_all_numbers_passes_a_check_digit() -> None:
    """Numbers of a card's length are no cards where only some have a valid check digit."""
    words = [str(v) for v in RNG.integers(4 * 10**15, 5 * 10**15, 200)]
    assert mark_of(Cells("c", words, 200, 200, digits=True)) is None


def test_names_are_compared_in_plain_words() -> None:
    """Case, camels, underscores and accents do not matter, but whole words do."""
    assert plain_name("CustomerE-Mail_2") == "customer e mail 2"
    assert plain_name("Straße") == "strasse"
    assert hinted("Home_Phone", "phone")
    assert not hinted("phone_type", "phone")
    assert not hinted("hotel", "phone")
    assert not hinted("span", "card")
    assert all(MARKS.values())


def test_real_tables_hold_no_marks(real_tables: Path) -> None:
    """No column of the medical, financial and other tables here is taken for personal data."""
    files = [*real_tables.glob("tabular/*/data.parquet"), *real_tables.glob("healthcare/heart_*/data.parquet")]
    files += real_tables.glob("benchmark/*/train.parquet")
    assert files
    for file in files:
        fields = infer({"t": pq.read_table(file)}).schema.tables["t"].fields
        assert {c: f.sensitive for c, f in fields.items() if f.sensitive} == {}, file.parent.name
