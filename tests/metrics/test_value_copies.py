"""Values of single training people are found in rows that are new otherwise, and a second real sample passes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Score
from synthwright.core.dataset import Dataset
from synthwright.core.gates import PROOF_GATES
from synthwright.core.schema import Field, Kind
from synthwright.kit.texts.passages import LONG, RUN, Passages, read
from synthwright.metrics import value_copies
from synthwright.metrics.value_copies import ValueCopies
from synthwright.testing import check_metric, toys

ROWS, HELD = 2_000, 600
WORDS = np.array([f"word{i}" for i in range(3_000)])
PIECES = np.array(
    [f"{a}{b}{c}" for a in "bdfgklmnrst" for b in ("a", "e", "i", "ou") for c in ("n", "rt", "lla", "ck")]
)
TOWNS = np.array([f"{a.title()}{b} on Sea" for a in PIECES[:40] for b in PIECES[40:60]])
JOBS = np.array([f"{a} {b}" for a in ("senior", "junior", "chief") for b in ("nurse", "engineer", "teacher", "driver")])
Change = Callable[[list[str]], list[str]]


def zipf(size: int) -> np.ndarray:
    """Return falling shares."""
    shares = 1 / np.arange(1, size + 1)
    return np.asarray(shares / shares.sum())


def written(rng: np.random.Generator, rows: int) -> list[str]:
    """Return texts of 14 to 40 words."""
    lengths = rng.integers(14, 41, rows)
    words = WORDS[rng.choice(len(WORDS), lengths.sum(), p=zipf(len(WORDS)))]
    return [" ".join(part) for part in np.split(words, np.cumsum(lengths)[:-1])]


def people(rows: int, *seed: int) -> Dataset:
    """Return people whose names and towns repeat as real ones do, with e-mails, notes, letters by template and jobs."""
    rng = Context(seed=hash(seed) % 2**32).rng
    first, last = (PIECES[rng.choice(len(PIECES), rows, p=zipf(len(PIECES)))] for _ in range(2))
    ends = PIECES[rng.choice(len(PIECES), rows)]
    towns = TOWNS[rng.choice(len(TOWNS), rows, p=zipf(len(TOWNS)))]
    marks, days = rng.integers(0, 10**7, rows), rng.integers(1, 29, rows)
    text, label = Field(kind=Kind.TEXT), Field(kind=Kind.CATEGORY)
    return toys.dataset({"people": {
        "id": (Field(kind=Kind.KEY, nulls=False, unique=True), [f"customer-{i}" for i in range(rows)]),
        "name": (Field(kind=Kind.TEXT, sensitive="name"),
                 [f"{a.title()} {b.title()}{c}" for a, b, c in zip(first, last, ends, strict=True)]),
        "email": (Field(kind=Kind.TEXT, sensitive="email"),
                  [f"{a}.{m}@example.org" for a, m in zip(last, marks, strict=True)]),
        "notes": (text, written(rng, rows)),
        "letter": (text, [f"Dear {a}, your parcel was left on day {d} with a neighbour in {t}; thank you for your trust"
                          for a, d, t in zip(first, days, towns, strict=True)]),
        "city": (label, towns),
        "job": (label, JOBS[rng.choice(len(JOBS), rows)]),
        "age": (Field(kind=Kind.INTEGER), rng.integers(18, 90, rows)),
    }})  # fmt: skip


@pytest.fixture(scope="module")
def real() -> Case:
    """Return training and held-out people, and a second real sample for synthetic ones."""
    return Case(people(ROWS, 1), people(HELD, 2), people(ROWS, 3))


def told(case: Case, seed: int = 0) -> dict[str, Score]:
    """Return the scores by what they are about."""
    return {s.about: s for s in ValueCopies().measure(case, Context(seed=seed))}


def refused(score: Score) -> bool:
    """Return whether a score does not meet its gate."""
    assert score.value is not None
    assert score.reference is not None
    assert score.chance is not None
    return score.value > score.reference + score.chance + 1e-12


def texts(data: Dataset | None, column: str) -> list[str]:
    """Return a column."""
    assert data is not None
    return list(next(iter(data.tables.values())).column(column).to_pylist())


def replaced(data: Dataset, column: str, values: Sequence[str | None]) -> Dataset:
    """Return data with these values at the end of a column."""
    (table,) = data.tables
    kept = texts(data, column)[: data.rows(table) - len(values)]
    return data.with_columns(table, {column: pa.array([*kept, *values], pa.large_string())})


def copied(case: Case, column: str, rows: int, change: Change = list) -> Case:
    """Return a case with the values of so many training rows in the synthetic ones."""
    return case._replace(synthetic=replaced(case.synthetic, column, change(texts(case.train, column)[:rows])))


def reworded(values: list[str]) -> list[str]:
    """Return texts with a third of their words changed, anywhere."""
    rng, out = Context(seed=7).rng, []
    for value in values:
        words = value.split()
        for i in rng.choice(len(words), len(words) // 3, replace=False):
            words[i] = str(rng.choice(WORDS))
        out.append(" ".join(words))
    return out


def test_contract() -> None:
    """It keeps to what every metric keeps to, and a gate rules on it by default."""
    check_metric(ValueCopies)
    assert "value-copies <= reference + chance" in PROOF_GATES


@pytest.mark.parametrize("held", [True, False])
def test_second_real_samples_pass(held: bool) -> None:  # noqa: FBT001
    """No second real sample is refused, in any column, with held-out rows and without."""
    for seed in range(20):
        case = Case(people(600, seed, 1), people(200, seed, 2) if held else None, people(600, seed, 3))
        scores = told(case, seed)
        assert [a for a, s in scores.items() if refused(s)] == []
        assert len(scores) == 8
        assert 0 < (scores["people.city"].reference or 0) < 0.5


@pytest.mark.parametrize(
    ("column", "rows", "change"),
    [
        ("email", 30, list),
        ("email", 30, lambda v: [f" {x.upper()} " for x in v]),
        ("name", ROWS // 3, list),
        ("notes", 40, list),
        ("notes", 50, reworded),
        ("notes", 50, lambda v: [" ".join(x.split()[: max(LONG, len(x.split()) // 2)]) for x in v]),
        ("notes", 50, lambda v: [f"{x} {y}" for x, y in zip(v, written(Context(seed=1).rng, 50), strict=True)]),
    ],
)
def test_copies_are_refused(real: Case, column: str, rows: int, change: Change) -> None:
    """Values of training people are refused and their column is named, whole, spelled otherwise, reworded or cut."""
    scores = told(copied(real, column, rows, change))
    assert not refused(told(real)[""])
    assert refused(scores[""])
    assert refused(scores[f"people.{column}"])
    assert scores["worst"].problem == f"people.{column}"
    assert [a for a, s in scores.items() if refused(s)] == ["", "worst", f"people.{column}"]


def test_copies_are_refused_without_held_out_rows(real: Case) -> None:
    """Training rows that are left out tell what is natural where no others do."""
    for column in ("email", "notes"):
        assert refused(told(copied(real, column, 60)._replace(holdout=None))[f"people.{column}"])


def test_one_percent_of_a_larger_table() -> None:
    """One e-mail in a hundred is refused among 4,000, and so are notes of two in a hundred that were reworded."""
    case = Case(people(4_000, 4), people(1_000, 5), people(4_000, 6))
    assert refused(told(copied(case, "email", 40))["people.email"])
    assert refused(told(copied(case, "notes", 80, reworded))["people.notes"])


def test_rows_of_one_person(real: Case) -> None:
    """An e-mail that a person's rows share is that person's too, where the held-out rows are other people's."""
    table = np.repeat(np.arange(ROWS // 4), 4)
    assert real.train is not None
    case = real._replace(train=real.train.take("people", table))
    assert not refused(told(case)["people.email"])
    emails = texts(case.train, "email")[::4][:60]
    assert refused(told(case._replace(synthetic=replaced(case.synthetic, "email", emails)))["people.email"])


def test_templates_are_nobodys(real: Case) -> None:
    """Letters that share a template are no copies of each other, though nearly all of their words are the same."""
    score = told(real)["people.letter"]
    assert (score.value or 0) < 0.1
    assert not refused(score)
    assert refused(told(copied(real, "letter", ROWS))["people.letter"])


def test_a_boosted_label_is_one_copy(real: Case) -> None:
    """A label that one training row has may be frequent: it counts as often as it would be in a table of that size."""
    assert real.train is not None
    train = replaced(real.train, "job", ["lighthouse keeper"])
    case = real._replace(train=train, synthetic=replaced(real.synthetic, "job", ["lighthouse keeper"] * 500))
    assert told(case)["people.job"].value == pytest.approx(1 / ROWS)


def codes(numbers: np.ndarray) -> Dataset:
    """Return rows with a code each."""
    fields = {"code": (Field(kind=Kind.TEXT), [f"TICKET-{n:05}" for n in numbers])}
    return toys.dataset({"t": {**fields, "size": (Field(kind=Kind.NUMBER), numbers * 0.5)}})


def test_codes_in_use_are_met_by_luck() -> None:
    """Codes nearly all of which are in use meet all people alike and are no copies; those of training are."""
    rng = Context(seed=1).rng
    order = rng.permutation(5_000)
    train, holdout = codes(order[:2_000]), codes(order[2_000:2_600])
    fresh = Case(train, holdout, codes(rng.integers(0, 5_000, 2_000)))
    score = told(fresh)["t.code"]
    assert (score.value or 0) > 0.3
    assert not refused(score)
    mixed = np.concatenate([rng.integers(0, 5_000, 1_200), order[:800]])
    for taken in (rng.choice(order[:2_000], 2_000), mixed):
        assert refused(told(fresh._replace(synthetic=codes(taken)))["t.code"])


def test_only_produced_columns_of_text_count(real: Case) -> None:
    """Columns that were kept are not looked at; those made anew are; keys and numbers never are."""
    everything = real._replace(synthetic=copied(real, "email", ROWS).synthetic)
    assert set(told(everything)) == {"", "worst", *(f"people.{c}" for c in
                                                    ("name", "email", "notes", "letter", "city", "job"))}  # fmt: skip
    partial = everything._replace(produced=("people.name", "people.age"))
    assert set(told(partial)) == {"", "worst", "people.name"}
    assert not refused(told(partial)[""])
    assert told(everything._replace(produced=("people.age",)))[""].status == "not-applicable"
    assert refused(told(everything._replace(produced=("people.email",)))[""])


def test_nothing_to_look_at(real: Case) -> None:
    """No real rows, no texts, nulls alone, and lacking columns are told; no synthetic rows are a failure."""
    assert told(real._replace(train=None, holdout=None))[""].status == "not-applicable"
    plain = toys.plain()
    assert told(Case(plain, plain, toys.plain(0)))[""].status == "failed"
    numbers = toys.one_column()
    assert told(Case(numbers, numbers, numbers))[""].status == "not-applicable"
    empty = replaced(real.synthetic, "email", [None] * ROWS)
    assert "people.email" not in told(real._replace(synthetic=empty))
    lacking = Dataset(real.schema, {"people": real.synthetic.tables["people"].drop_columns(["email", "notes"])})
    found = told(real._replace(synthetic=lacking))
    assert "people.email" not in found
    assert not refused(found["people.name"])
    assert real.holdout is not None
    assert not refused(told(real._replace(holdout=real.holdout.take("people", np.zeros(0, np.int64))))[""])


def test_other_scripts_nulls_and_dictionaries(real: Case) -> None:
    """Values in any script are compared, composed or not; nulls are left out; dictionaries are as good as texts."""
    assert real.train is not None
    odd = [
        "Zoë Ångström-日本",
        "Дмитрий Иванов",
        "王小明・東京都千代田区",
        "é" * 8,
        "नमस्ते दुनिया",
        "\N{GRINNING FACE}" * 7,
    ]
    odd = [f"{o} {i}" for i in range(10) for o in odd]
    train = replaced(real.train, "email", odd)
    mine = replaced(real.synthetic, "email", [*(o.lower().replace(" ", "-") for o in odd), *([None] * 40)])
    case = real._replace(train=train, synthetic=mine)
    before = told(case)
    assert before["people.email"].value == pytest.approx(len(odd) / (ROWS - 40), abs=1e-5)
    assert refused(before["people.email"])
    coded = {c: mine.tables["people"].column(c).dictionary_encode() for c in ("email", "notes", "city")}
    tables = {"people": pa.table({c: coded.get(c, mine.tables["people"].column(c)) for c in mine.columns("people")})}
    assert told(case._replace(synthetic=Dataset(real.schema, tables))) == before


def test_larger_columns_are_sampled(real: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not looked at is said, with the copies that would not be seen."""
    monkeypatch.setattr(value_copies, "_BYTES", 150_000)
    scores = told(copied(real, "notes", ROWS // 2))
    assert re.fullmatch(
        r"measured on [\d,]+ of 2,000 synthetic texts, [\d,]+ of 2,000 training texts: copies of less than "
        r"[\d.]+% of the texts would not be seen", scores["people.notes"].problem or "")  # fmt: skip
    assert refused(scores["people.notes"])
    assert scores["people.job"].problem is None


def spelled(text: str) -> list[str]:
    """Return the words of a text, slowly."""
    return re.findall(r"[0-9a-zäöüß]+", text.lower())


def slow(known: list[str], text: str, but: int = -1) -> float:
    """Return how much of a text lies in runs that one of some texts has and no other, slowly."""
    lists = [spelled(k) if i != but else [] for i, k in enumerate(known)]
    runs = [{tuple(w[i : i + RUN]) for i in range(len(w) - RUN + 1)} if len(w) >= LONG else set() for w in lists]
    counts = Counter(r for each in runs for r in each)
    words = spelled(text)
    best = 0.0
    for each in runs:
        at = [i for i in range(len(words) - RUN + 1) if (r := tuple(words[i : i + RUN])) in each and counts[r] == 1]
        best = max(best, len({i + k for i in at for k in range(RUN)}) / len(words))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_passages_are_those_of_a_slow_search(seed: int) -> None:
    """Shares of passages are what a plain search finds, in others and within, whatever the spaces and marks."""
    rng = Context(seed=seed).rng
    letters = np.array(["a", "Bä", "c", "dö-", "e,", " F ", "ß", "9"])

    def drawn(rows: int) -> list[str]:
        return [" ".join(letters[rng.integers(0, len(letters), rng.integers(0, 24))]) for _ in range(rows)]

    known, others = drawn(25), drawn(30)
    one, two = (read(pa.chunked_array([v[:9], v[9:]], pa.large_string())) for v in (known, others))
    assert one.words.tolist() == [len(spelled(k)) for k in known]
    assert one.letters.tolist() == [len("".join(spelled(k))) for k in known]
    same = [["".join(spelled(k)) == "".join(spelled(o)) for o in others] for k in known]
    assert (one.hashes[:, None] == two.hashes).tolist() == same
    found = Passages(one)
    assert found.repeated_by(two).share == pytest.approx([slow(known, o) for o in others if len(spelled(o)) >= LONG])
    within = [slow(known, k, i) for i, k in enumerate(known) if len(spelled(k)) >= LONG]
    assert found.repeated_within(one).share == pytest.approx(within)
    assert max(within) > 0


def test_scripts_without_blanks_have_words() -> None:
    """In Chinese and Japanese every character is a word, and marks are none."""
    texts = read(pa.array(["日本語の文章です。", "a-b—c", "“Ça va?”", "", None, "e\u0301te\u0301", "ÉTÉ"]))
    assert texts.words.tolist() == [8, 3, 2, 0, 1, 1]
    assert texts.letters.tolist() == [8, 3, 4, 0, 3, 3]
    assert texts.hashes[4] == texts.hashes[5]
