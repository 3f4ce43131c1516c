"""How many synthetic rows, and whose, help a model on real data: chosen on folds, confirmed once on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from synthwright import __version__
from synthwright.core import registry
from synthwright.core.context import Context
from synthwright.core.contracts import Generator
from synthwright.core.errors import InputError, SynthwrightError, UnknownNameError
from synthwright.core.schema import Schema, fingerprint
from synthwright.kit.tables import save_dataset
from synthwright.report.mixed import (
    DUPLICATE,
    REAL,
    SCORES,
    WEIGHTS,
    Candidate,
    Confirmed,
    Interval,
    Mixed,
    advise,
    finalists,
    threshold_told,
)
from synthwright.store.folder import said_plainly
from synthwright.studies.data import entered, refuse_seconds
from synthwright.studies.mix_data import EVEN, SECONDS, Aim, Dose, Ground, Wish, doses, ground_of, shown
from synthwright.studies.mix_recipe import recipe
from synthwright.studies.mix_runs import CONFIRMING, FOLDS, REPEATS, Runs, cleared
from synthwright.studies.mix_score import (
    DRAWS,
    Draws,
    Scored,
    Truth,
    at_threshold,
    caught,
    matched,
    scored,
    span,
    tuned,
    usual,
)
from synthwright.studies.mix_work import TEST, TRAIN, added, folds

METHODS = ("smote", "forest", "copula", "bayes-net")
"""Generators that are tried where none are named."""
WORKING = "work"
REAL_LABEL = Candidate(name=REAL).label
_UNABLE = Candidate(name="", outcome="failed", reason="it cannot be asked for rows of one class.")


Tell = Callable[[str | Sequence[Candidate]], None]
"""Who is told: what begins, and what became of a method."""


class Study(NamedTuple):
    """A study as it goes."""

    ground: Ground
    wish: Wish
    out: Path
    truth: Truth
    draws: Draws

    @property
    def aim(self) -> Aim:
        """What models are to predict."""
        return self.ground.aim

    runs: Runs


def mix_rows(data: Any, wish: Wish, out: Path | None, tell: Tell = lambda _: None) -> Mixed:
    """Try ways of mixing synthetic with real rows, choose on folds, and confirm the choice once on held-out rows.

    A study that was stopped goes on with the methods that had not finished.

    Args:
        data: the path of a file, or a frame: one table.
        wish: what is studied, and how.
        out: the folder for the page; None: nothing is kept.
        tell: who is told how far it is.

    Raises:
        InputError: data or a target that cannot be studied.
        UnknownNameError: a generator that nobody registered, or one that does not learn.
        StoreError: a folder that holds something else.
    """
    if out is None:
        with TemporaryDirectory(prefix="synthwright-") as folder:
            return mix_rows(data, wish, Path(folder) / "mix", tell).model_copy(update={"recipe": ""})
    refuse_seconds("mix", wish.seconds)
    names = tuple(dict.fromkeys(wish.methods if wish.methods is not None else METHODS))
    for name in names:
        _known(name)
    with entered(out) as place, TemporaryDirectory(prefix="synthwright-") as beside:
        ground = ground_of(data, wish, Path(beside))
        truth = ground.aim.coded(ground.train)
        tried = doses(ground.aim, float((truth == 1).mean()), wish.shares, ground.task.name)
        identity = ["mix", __version__, *ground.task.identity(), ground.test.fingerprint(), wish.positive, wish.seed]
        place.claim(fingerprint(identity), force=wish.force)
        here = out / WORKING
        runs = Runs(here, ground.aim, wish, fingerprint(identity))
        with said_plainly(out):
            cleared(here)
            save_dataset(ground.train, here / TRAIN)
            save_dataset(ground.test, here / TEST)
        ctx = Context(seed=wish.seed).at("mix", "draws")
        study = Study(ground, wish, out, Truth(truth, folds(truth, ground.aim, FOLDS, wish.seed), ground.aim.many,
                      ground.aim.judged), Draws(ctx.at("folds"), len(truth), DRAWS), runs)  # fmt: skip
        try:
            found = _studied(study, names, tried, tell)
        except BaseException as error:
            runs.tidy(keep=not isinstance(error, SynthwrightError))
            raise
        runs.tidy(keep=False)
        with said_plainly(out):
            if found.recommended is not None and found.recommended.name in names:
                way, named = found.recommended, isinstance(data, str | Path)
                file = recipe(ground, way.name, Dose(way.of, way.share or 0.0), wish.seed, out, named=named)
                found = found.model_copy(update={"recipe": file})
            found.write(out)
        return found


def _known(name: str) -> None:
    kind = registry.find("generators", name)
    assert issubclass(kind, Generator)  # noqa: S101  the registry looked
    if kind.abilities.private:
        raise UnknownNameError("mix", repr(name), wanted="a generator that may look at real rows again and again",
                               got="one with a privacy budget, which folds and seeds would spend many times over",
                               remedy="run a specification with its budget, and give the rows to a model")  # fmt: skip
    if not kind.abilities.learns or kind.abilities.replaces or kind.abilities.changes or kind().asks():
        raise UnknownNameError("mix", repr(name), wanted="a generator that learns to make new rows from real ones",
                               got="one that does not", remedy=f"see `synthwright explain {name}`")  # fmt: skip


def _plans(aim: Aim, names: Iterable[str], tried: tuple[Dose, ...]) -> list[tuple[str, tuple[Dose, ...]]]:
    """Return methods with what is tried of each, the simple ones first."""
    rare = tuple(d for d in tried if d.of == "positives")
    plans: list[tuple[str, tuple[Dose, ...]]] = []
    if rare:
        even = Dose("positives", EVEN)
        plans = [(DUPLICATE, rare), (WEIGHTS, rare if even in rare else (*rare, even))]
    elif aim.task == "many classes":
        plans = [(WEIGHTS, (Dose("nothing"),))]
    return [*plans, *((n, tuple(d for d in tried if d.of == "rows" or _given(n))) for n in names)]


def _given(name: str) -> bool:
    """Return whether a generator can be asked for rows of one class."""
    kind = registry.find("generators", name)
    assert issubclass(kind, Generator)  # noqa: S101  the registry looked
    return kind.abilities.given != "none"


def _studied(study: Study, names: Sequence[str], tried: tuple[Dose, ...], tell: Tell) -> Mixed:
    """Run all methods on the folds, and those that are worth it on the held-out rows."""
    tell(REAL)
    first, failed = next(study.runs.each([(REAL, (Dose("nothing"),))]))
    if first is None:
        raise InputError(study.ground.task.name, "real rows alone", wanted="a model of the target", got=failed.reason,
                         remedy="give it more --seconds" if failed.outcome == "stopped" else "")  # fmt: skip
    two = study.aim.task == "two classes"
    base = _baseline(study, first[0])
    candidates: list[Candidate] = []
    thresholds = {REAL_LABEL: tuned(first[0].mean(axis=0), study.truth)} if two else {}
    plans = _plans(study.aim, names, tried)
    coming = study.runs.each([plan for plan in plans if plan[1]])
    for name, mine in plans:
        tell(name)
        said, row = next(coming) if mine else (None, _UNABLE.model_copy(update={"name": name}))
        rows = [row]
        if said is not None:
            rows = [_measured(study, base, row, dose, one) for dose, one in zip(mine, said, strict=True)]
        if two and said is not None:
            thresholds |= {c.label: tuned(s.mean(axis=0), study.truth) for c, s in zip(rows, said, strict=True)}
        candidates += rows
        tell(rows)
    confirmed = _confirmed(study, finalists(candidates), thresholds, tell)
    score = SCORES[study.aim.task]
    found = advise(candidates, confirmed, score, study.ground.test.rows(study.aim.table))
    return _told(study, base, tuple(candidates), confirmed).model_copy(
        update={"recommended": found.recommended, "because": found.because,
                "threshold": threshold_told(confirmed)})  # fmt: skip


class _Baseline(NamedTuple):
    """What real rows alone come to on the folds."""

    score: Scored
    least: float | None
    """Their precision, at which recall is compared."""
    matched: Scored | None


def _baseline(study: Study, said: np.ndarray) -> _Baseline:
    score = scored(said, study.truth, study.draws)
    if study.aim.task != "two classes":
        return _Baseline(score, None, None)
    least = at_threshold(said, study.truth, usual(said.mean(axis=0), study.truth))[1]
    return _Baseline(score, least, matched(said, study.truth, least, study.draws))


def _measured(study: Study, base: _Baseline, row: Candidate, dose: Dose, said: np.ndarray) -> Candidate:
    mine = scored(said, study.truth, study.draws)
    rows = 0 if row.name == WEIGHTS else added(study.ground.train, study.aim, dose)
    more: dict[str, Any] = {}
    if base.matched is not None and base.least is not None:
        reached = matched(said, study.truth, base.least, study.draws)
        more = {"matched": float(reached.values.mean()), "matched_gain": _interval(reached, study.draws, base.matched)}
    return row.model_copy(update={
        "of": dose.of, "share": dose.share or None, "rows": rows, "score": float(mine.values.mean()),
        "gain": _interval(mine, study.draws, base.score), **more})  # fmt: skip


def _interval(one: Scored, draws: Draws, other: Scored | None = None) -> Interval:
    found = span(one, draws, other)
    return Interval(value=found.value, low=found.low, high=found.high)


def _confirmed(
    study: Study, ways: Sequence[Candidate], thresholds: dict[str, float], tell: Tell
) -> tuple[Confirmed, ...]:  # fmt: skip
    """Learn from all training rows and judge on the held-out ones: real rows alone, and what was best on the folds."""
    tell("held-out rows")
    values = study.aim.coded(study.ground.test)
    truth = Truth(values, np.zeros(len(values), dtype=np.int64), study.aim.many, study.aim.judged)
    draws = Draws(study.draws.ctx.at("confirm"), len(values), 4 * study.draws.many)
    said: dict[str, np.ndarray] = {}
    asked = [Candidate(name=REAL), *reversed(ways)]
    coming = study.runs.each([(w.name, (Dose(w.of, w.share or 0.0),)) for w in asked], whole=True)
    for way, (found, _) in zip(asked, coming, strict=True):
        if found is not None:
            said[way.label] = found[0]
    if REAL_LABEL not in said:
        return ()
    scores = {label: scored(one, truth, draws) for label, one in said.items()}
    simple = next((w.label for w in ways[1:] if w.label in said), None)
    rows, least = [], None
    if study.aim.task == "two classes":
        half = usual(said[REAL_LABEL].mean(axis=0), truth)
        least = at_threshold(said[REAL_LABEL], truth, half)[1]
        first = Confirmed(name=REAL, tuned=False, score=_interval(scores[REAL_LABEL], draws))
        rows.append(_caught(first, said[REAL_LABEL], truth, draws, (half, least)))
    for way in (Candidate(name=REAL), *ways):
        if way.label not in said:
            continue
        one = scores[way.label]
        row = Confirmed(
            name=way.name, of=way.of, share=way.share, rows=way.rows, score=_interval(one, draws),
            gain=None if way.name == REAL else _interval(one, draws, scores[REAL_LABEL]),
            over=_interval(one, draws, scores[simple]) if simple and way is ways[0] else None,
        )  # fmt: skip
        if least is not None:
            row = _caught(row, said[way.label], truth, draws, (thresholds[way.label], least))
        rows.append(row)
    return tuple(rows)


def _caught(row: Confirmed, said: np.ndarray, truth: Truth, draws: Draws, at: tuple[float, float]) -> Confirmed:
    """Return a row with recall and precision above a threshold, and with recall at the precision of real rows."""
    threshold, least = at
    recall, right = caught(said, truth, threshold, draws)
    return row.model_copy(update={
        "threshold": threshold, "recall": _interval(recall, draws), "precision": _interval(right, draws),
        "matched": _interval(matched(said, truth, least, draws), draws)})  # fmt: skip


def _told(
    study: Study, base: _Baseline, candidates: tuple[Candidate, ...], confirmed: tuple[Confirmed, ...]
) -> Mixed:  # fmt: skip
    ground, aim, wish = study.ground, study.aim, study.wish
    sides = (ground.train, ground.test)
    field = ground.train.schema.field(aim.column)
    two = aim.task == "two classes"
    return Mixed(
        synthwright=__version__, data=ground.task.name, target=aim.column, task=aim.task, score=SCORES[aim.task],
        positive=shown(aim.positive, field) if two else None,
        train=sides[0].rows(aim.table), test=sides[1].rows(aim.table),
        positives=(int((aim.coded(sides[0]) == 1).sum()), int((aim.coded(sides[1]) == 1).sum())) if two else None,
        folds=FOLDS, repeats=REPEATS, confirming=CONFIRMING, seed=wish.seed, budget=wish.seconds,
        alone=float(base.score.values.mean()), precision=base.least, candidates=candidates, confirmed=confirmed,
        matched=None if base.matched is None else float(base.matched.values.mean()), notes=ground.notes,
    )  # fmt: skip


def mix(  # noqa: PLR0913  the parameters of a notebook function
    real: Any,
    target: str,
    methods: Sequence[str] | None = None,
    *,
    positive: str | float | None = None,
    shares: Sequence[float] | None = None,
    test: Any = None,
    schema: Schema | None = None,
    seed: int = 0,
    seconds: float = SECONDS,
    out: str | Path | None = None,
    force: bool = False,
    workers: int = 1,
) -> Mixed:
    """Find which generator and which share of synthetic rows help a model on real rows, or that none does.

    Ways of mixing are chosen on folds of the training rows, and what is best there is confirmed once on held-out rows.
    Models are always judged on real rows that neither they nor a generator saw.

    Args:
        real: a path, or a pandas, polars or Arrow frame: one table.
        target: the column to predict: two classes, up to twenty, or numbers.
        methods: names of generators; nothing: `smote`, `forest`, `copula` and `bayes-net`.
        positive: the class to be found; nothing: the rarer of two.
        shares: shares of positive rows where these are rare, else of synthetic rows; nothing: three of each.
        test: real rows that confirm; nothing: a fifth of `real`.
        schema: what the data is; nothing: inferred.
        seed: the same seed gives the same result.
        seconds: how long a method may take on the folds, and again on all training rows.
        out: the folder for the page and the recipe.
        force: replace what another study left in `out`.
        workers: how many methods run at a time; it changes no number but seconds.

    Raises:
        InputError: several tables, a target that is not there, too few rows of a class.
        UnknownNameError: a generator that nobody registered, or one that does not learn.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError("mix", "seed", wanted="a whole number from 0", got=f"a {type(seed).__name__}")
    for said, word in ((methods, "methods"), (shares, "shares")):
        if isinstance(said, str | float | int):
            raise InputError("mix", word, wanted="a list", got=f"a {type(said).__name__}", remedy=f"write [{said!r}]")
    wish = Wish(target, None if positive is None else str(positive), None if methods is None else tuple(methods),
                None if shares is None else tuple(shares), test, schema, seed, seconds, force, workers)  # fmt: skip
    return mix_rows(real, wish, Path(out) if out else None)
