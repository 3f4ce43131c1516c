"""What every metric keeps to."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from synthwright.core.context import Context
from synthwright.core.contracts import Case, Metric, Score
from synthwright.core.dataset import Dataset
from synthwright.core.schema import Rule
from synthwright.testing import toys
from synthwright.testing.contract import RECIPE, Check, Subject, broken, made, on, run, want

Subjects = Subject[Metric]
SLACK = 0.05
"""What a score may be off by where two real samples are compared."""


def check_metric(metric: Metric | type[Metric]) -> tuple[str, ...]:
    """Hold a metric to its contract; return the names of the checks it passed.

    Raises:
        ContractError: naming the check, what was wanted and what was got.
    """
    return run((*RECIPE, *CHECKS), made(metric))


# ------------------------------------------------------------------------------------------------ what checks share
def case(synthetic: Dataset | None = None, **other: object) -> Case:
    """Return an ordinary case: training rows, held-out rows and synthetic rows of the same sort."""
    given = Case(
        toys.plain(300, "train"),
        toys.plain(150, "holdout"),
        synthetic or toys.plain(300, "synthetic"),
        target="thing.colour",
        rules=(("thing", Rule(rule="size >= 0")),),
        asked={"thing": 300},
    )
    return given._replace(**other)  # type: ignore[arg-type]  # names and types of fields are the caller's


def measured(subject: Subjects, given: Case, seed: int = 0) -> list[Score]:
    """Return the scores, checked one by one."""
    scores = subject.recipe.measure(given, subject.ctx("measure", seed=seed))
    want(scores, "at least one score", "none")
    want(any(s.about == "" for s in scores), "a score about the whole", "none")
    twice = len(scores) - len({s.about for s in scores})
    want(not twice, "one score for each thing it is about", f"{twice} more")
    for score in scores:
        check_score(subject, score)
    return scores


def check_score(subject: Subjects, score: Score) -> None:
    """Fail unless a score is complete, and its numbers lie where numbers of this metric lie."""
    who = f"{score.metric}[{score.about}]"
    want(score.metric == subject.kind.name, f"the name {subject.kind.name!r}", repr(score.metric))
    want(score.status in ("ok", "not-applicable", "failed"), f"a status of {who}", repr(score.status))
    want((score.value is not None) == (score.status == "ok"), f"a value of {who} where its status is ok", score.status)
    want(score.status == "ok" or score.problem, f"a problem where {who} has no value", "none")
    least, most = subject.kind.bounds
    for word in ("value", "reference", "low", "high"):
        number = getattr(score, word)
        if number is not None:
            want(isinstance(number, float | int) and math.isfinite(number), f"a finite {word} of {who}", repr(number))
            want(least <= number <= most, f"a {word} of {who} from {least} to {most}", number)
    if score.value is not None and score.low is not None and score.high is not None:
        want(score.low <= score.value <= score.high, f"an interval around {who}", (score.low, score.value, score.high))


def overall(scores: list[Score]) -> float | None:
    """Return the value about the whole."""
    return next(s.value for s in scores if s.about == "")


def shuffled(data: Dataset) -> Dataset:
    """Return data whose columns no longer know each other, numbers turned upside down."""
    rng = Context(seed=2, place=("shuffled",)).rng
    tables = {}
    for name, held in data.tables.items():
        columns = {c: held.column(c).take(pa.array(rng.permutation(held.num_rows) // 2)) for c in held.column_names}
        tables[name] = pa.table(columns)
    return Dataset(data.schema, tables)


# --------------------------------------------------------------------------------------------------------- checks
def declared(subject: Subjects) -> None:
    """Fail unless group, goal, bounds and what it does not show are declared."""
    kind = subject.kind
    want(
        kind.group in ("fidelity", "utility", "privacy", "bias", "diversity", "integrity"), "a known group", kind.group
    )
    want(kind.goal in ("lower", "higher"), "a goal, lower or higher", kind.goal)
    want(len(kind.bounds) == 2 and kind.bounds[0] < kind.bounds[1], "bounds, the least first", kind.bounds)
    want(kind.not_shown.endswith("."), "a sentence that says what it does not show", repr(kind.not_shown))


def pure(subject: Subjects) -> None:
    """Fail if measuring changes recipe or data."""
    given = case()
    every = [d for d in (given.train, given.holdout, given.synthetic) if d is not None]
    before = [d.fingerprint() for d in every], subject.recipe.fingerprint()
    measured(subject, given)
    want(([d.fingerprint() for d in every], subject.recipe.fingerprint()) == before, "inputs as they were", "changes")


def deterministic(subject: Subjects) -> None:
    """Fail unless the same context gives the same scores."""
    want(measured(subject, case()) == measured(subject, case()), "the same scores from the same context", "others")


def works_at_all(subject: Subjects) -> None:
    """Fail unless an ordinary case is measured."""
    keyed, holey = toys.two_tables(), toys.every_kind()
    others = (Case(keyed, keyed, keyed, asked={t: keyed.rows(t) for t in keyed.tables}),
              Case(holey, holey, holey), case(sensitive=("thing.flag",)),
              case(chosen={"thing.flag": "balanced"}), Case(holey, holey, holey, "mixed.level"))  # fmt: skip
    said = []
    for given in (case(), *others):
        whole = next(s for s in measured(subject, given) if s.about == "")
        said.append(f"{whole.status}: {whole.problem}")
        if whole.status == "ok":
            return
    broken("a value for an ordinary case", " / ".join(said))


def right_way_round(subject: Subjects) -> None:
    """Fail if a second real sample scores worse than the same rows with their columns shuffled.

    Shuffled rows copy nobody, so privacy is not asked.
    """
    if subject.kind.group == "privacy":
        return
    good, bad = overall(measured(subject, case())), overall(measured(subject, case(shuffled(case().synthetic))))
    if good is None or bad is None:
        return
    width = min(subject.kind.bounds[1] - subject.kind.bounds[0], 1.0)
    better = good - bad if subject.kind.goal == "higher" else bad - good
    want(better >= -SLACK * width, f"a second real sample no worse than shuffled rows ({bad:.3f})", f"{good:.3f}")


def without_real_rows(subject: Subjects) -> None:
    """Fail if missing real rows are an exception, or a number out of nothing."""
    measured(subject, case(holdout=None))
    scores = measured(subject, case(train=None, holdout=None))
    if subject.kind.group in ("fidelity", "utility", "privacy", "diversity"):
        want(overall(scores) is None, "no value where there are no real rows", overall(scores))


def few_rows(subject: Subjects) -> None:
    """Fail if few rows, or none, are an exception."""
    for rows in (0, 1, 2, 11):
        with on(f"{rows} rows"):
            few = toys.plain(rows)
            measured(subject, case(few))
            measured(subject, case(holdout=few))
            measured(subject, case(train=few, holdout=few, synthetic=few))


def awkward_tables(subject: Subjects) -> None:
    """Fail if a toy is an exception, with a target and without."""
    for name, toy in toys.TOYS.items():
        with on(f"the toy {name!r}"):
            data = toy()
            rows = {t: h.num_rows for t, h in data.tables.items()}
            measured(subject, Case(data, data, data, asked=rows))
            for column in data.schema.columns:
                if name == "every kind" and not data.schema.field(column).anew:
                    measured(subject, Case(data, data, data, target=column, asked=rows))


def says_no_value(subject: Subjects) -> None:
    """Fail if a problem or a name shows a value of a real row."""
    data = toys.canaries()
    fake = data.filter("rare", np.arange(data.rows("rare")) % 2 == 0)
    words = (*toys.CANARY_LABELS, toys.CANARY_TEXT, str(toys.CANARY_WHOLE), str(toys.CANARY_NUMBER))
    for target in (None, "rare.tree", "rare.weight"):
        for score in measured(subject, Case(data, data, fake, target=target, asked={"rare": fake.rows("rare")})):
            text = f"{score.about} {score.problem}"
            want(
                not any(w in text for w in words),
                "no value of a real row in a score",
                f"one about {score.about[:40]!r}",
            )


CHECKS: tuple[Check[Metric], ...] = (
    declared, pure, deterministic, works_at_all, right_way_round, without_real_rows, few_rows, awkward_tables,
    says_no_value,
)  # fmt: skip
"""What holds for every metric, in this order."""
