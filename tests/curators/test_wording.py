"""The curator `wording`, and the lists that it reads."""

from __future__ import annotations

import pyarrow as pa
import pytest

from synthwright.core.context import Context
from synthwright.core.dataset import Dataset
from synthwright.core.schema import ROW, Field, Kind, Schema, Table
from synthwright.curators.wording import Wording

HARMFUL = [
    "You are such an idiot.",
    "you're a total loser",
    "I will kill you if you come back",
    "I'm going to hurt your family",
    "Go kill yourself",
    "We'll find you and make you pay",
    "You deserve to die.",
    "I know where you live",
    "Shut up, you moron",
    "He is a worthless piece of trash",
    "What an idiot!",
    "Fuck you all",
    "You’re pathetic.",
    "I hope you get cancer",
    "Someone should shoot him",
]
BIASED = [
    "Women are bad at maths.",
    "All men are liars",
    "Immigrants are criminals",
    "Muslims are dangerous people",
    "Old people can't learn anything new",
    "women belong in the kitchen",
    "Girls cannot drive",
    "He throws like a girl.",
    "Most refugees are lazy",
    "Black people are violent",
    "Disabled people are a burden",
    "Gays are unnatural",
    "Foreigners should go back",
    "Never trust gypsies",
    "She is pretty smart for a woman",
    "Poor people are just lazy",
]
FINE = [
    "Women are underrepresented in engineering.",
    "How do I kill a process on Linux?",
    "This card machine is stupid slow",
    "My children are tired",
    "You are stupendous!",
    "Immigrants are welcome here.",
    "Are girls allowed to vote in 1920?",
    "The old man and the sea",
    "You are right about the garbage collection",
    "What is the dumbest question?",
    "I will find you a better price",
    "Shoot me an e-mail",
    "The elderly are offered a discount",
    "It is dead simple",
    "Men are taller than women on average",
    "Black pepper is good for you",
    "Pigs are intelligent animals",
    "The team will beat them on Sunday",
    "Please destroy your old card",
    "日本語のテキスト",
    "",
    None,
]


def dataset(texts: list[str | None]) -> Dataset:
    """Return numbered rows of texts."""
    held = pa.table({"text": pa.array(texts, pa.large_string()), ROW: pa.array(range(len(texts)), pa.int64())})
    return Dataset(Schema(tables={"t": Table(fields={"text": Field(kind=Kind.TEXT)})}), {"t": held})


def said(texts: list[str | None], recipe: Wording | None = None) -> list[str | None]:
    """Return the reason of each text."""
    data = dataset(texts)
    judge = (recipe or Wording()).fit(data, None, Context())
    found: list[str | None] = judge.judge(data, Context())[0].reason.to_pylist()
    return found


def test_planted_wording_is_found() -> None:
    """Planted insults, threats and statements go, each for its reason, and no harmless text does."""
    found = said([*HARMFUL, *BIASED, *FINE])
    harmful, biased, fine = found[: len(HARMFUL)], found[len(HARMFUL) : -len(FINE)], found[-len(FINE) :]
    assert [t for t, f in zip(HARMFUL, harmful, strict=True) if f != "harmful-wording"] == []
    assert [t for t, f in zip(BIASED, biased, strict=True) if f != "biased-wording"] == []
    assert [t for t, f in zip(FINE, fine, strict=True) if f is not None] == []


@pytest.mark.parametrize(("parameter", "goes"), [("harmful", "biased-wording"), ("biased", "harmful-wording")])
def test_parameters_switch_off(parameter: str, goes: str) -> None:
    """What is not asked for stays; with nothing asked for nothing is ruled on."""
    assert set(said([*HARMFUL, *BIASED], Wording.model_validate({parameter: False}))) == {None, goes}
    assert (
        Wording(harmful=False, biased=False).fit(dataset(["a"]), None, Context()).judge(dataset(["a"]), Context()) == []
    )


def test_rows_that_went_are_told_by_group() -> None:
    """The report counts what went by the groups of people that texts mention."""
    data = dataset(["Women and girls", "men", "", "Muslims and women are welcome"])
    said = Wording().about(data, data.schema.only, "biased-wording")
    why = "biased-wording"
    assert said == [f"{why}, of women", f"{why}, of men", why, f"{why}, of women, religions"]
