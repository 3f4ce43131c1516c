"""Which language models a specification names, and who asks them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Protocol, cast

from synthwright.core import registry
from synthwright.core.chat import Provider
from synthwright.core.contracts import Curator, Recipe
from synthwright.core.safe_yaml import Place
from synthwright.core.spec import Spec

WRITER = (
    "models: {writer: {use: openai, with: {model: qwen3:8b, url: 'http://localhost:11434/v1', allow_private: true}}}"
)
"""How a model is named, in one line."""


class Resolver(Protocol):
    """Turns names into recipes and collects faults."""

    def recipe(self, group: registry.Group, name: str, settings: dict[str, Any], place: Place) -> Recipe | None:
        """Return a recipe with its settings, or note why there is none."""

    def tell(self, place: Place, message: str) -> None:
        """Note a fault."""


def models_of(spec: Spec, planner: Resolver) -> Mapping[str, Provider]:
    """Return the language models that a specification names; faults go to the planner."""
    found = {name: planner.recipe("providers", use.use, use.settings, ("models", name))
             for name, use in spec.models.items()}  # fmt: skip
    return {name: cast(Provider, provider) for name, provider in found.items() if provider is not None}


def remarks(models: Mapping[str, Provider], makers: Iterable[Recipe], curators: Iterable[Curator]) -> tuple[str, ...]:
    """Return what readers must know about the language models that curators ask, beside those that makers ask."""
    called = {name: provider.model for name, provider in models.items()}
    writers = {name for maker in makers for name in maker.asks()}
    return tuple(dict.fromkeys(note for curator in curators for note in curator.remarks(called, writers)))


def unnamed(spec: Spec, asking: Iterable[tuple[Place, Recipe]], tell: Callable[[Place, str], None]) -> None:
    """Tell every model that a recipe asks and the specification does not name."""
    for place, recipe in asking:
        for name in recipe.asks():
            if name in spec.models:
                continue
            near = get_close_matches(name, spec.models, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"add for example {WRITER}"
            tell(place, f"{type(recipe).name} asks the model {name!r}, which 'models' does not name: {hint}")
