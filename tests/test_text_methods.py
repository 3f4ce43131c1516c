"""The page of methods is complete: every example of text, and every part that asks a language model, is on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from synthwright.core import registry
from synthwright.core.contracts import Recipe

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = (CHECKOUT / "docs" / "text-methods.md").read_text(encoding="utf-8")
METHODS = (
    "Few-shot", "Self-Instruct", "Evol-Instruct", "Personas", "Back-translation", "Self-consistency",
    "Chain of thought with an answer check", "Textbook", "Preference pairs", "Simulated dialogue", "Tool calls",
    "Questions from documents", "Red team", "Augmentation without a model",
)  # fmt: skip


def asking(group: registry.Group) -> list[str]:
    """Return the plug-ins of this distribution that ask a language model, whatever their parameters are by default."""
    ours = [name for name, at in registry.places(group).items() if at.startswith("synthwright.")]
    return [name for name in ours if registry.find(group, name).asks is not Recipe.asks]


def test_every_example_is_named() -> None:
    """Whoever looks for an example by its method finds it."""
    there = sorted(p.name for p in (CHECKOUT / "examples").glob("text-*") if (p / f"{p.name}.yaml").is_file())
    assert len(there) >= 10
    assert [name for name in there if f"`{name}`" not in PAGE] == []


def test_every_generator_that_asks_is_named() -> None:
    """Whoever looks for a part by its method finds it."""
    assert {"prompt", "reasoned"} <= set(asking("generators"))
    assert [name for name in (*asking("generators"), *asking("curators")) if f"`{name}`" not in PAGE] == []


def test_what_is_named_is_there() -> None:
    """Examples that the page names are some."""
    named = set(re.findall(r"`(text-[a-z-]+)`", PAGE)) - set(registry.names("generators"))
    assert [name for name in sorted(named) if not (CHECKOUT / "examples" / name).is_dir()] == []


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_what_it_is(method: str) -> None:
    """A method has a row that says what it is for, its part, an example and its price; and a section with its paper."""
    section = re.search(rf"^## {method}\n\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert re.search(r"\d{4},\s.*\[arXiv \d{4}\.\d{5}\]\(https://arxiv\.org/abs/", section[1], re.DOTALL)
    link = method.lower().replace(" ", "-")
    row = next(line for line in PAGE.splitlines() if line.startswith("| [") and f"(#{link})" in line)
    assert all(cell.strip() for cell in row.strip("|").split("|"))
    assert len(row.strip("|").split("|")) == 5
