"""Which gates rule on a release: the default ones less those that are waived, and those of the specification."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple, cast

from synthwright.core import registry
from synthwright.core.contracts import Metric
from synthwright.core.gates import DEFAULT_GATES, GROUP_GATES, GUESSED_GATES, Gate, parse
from synthwright.core.spec import Spec

Say = Callable[[tuple[str | int, ...], str], None]
"""Notes a fault at a place of the specification."""


class Waived(NamedTuple):
    """A default gate that does not rule on the release."""

    gate: str
    because: str


class Ruling(NamedTuple):
    """The gates of a run."""

    gates: tuple[Gate, ...]
    waived: tuple[Waived, ...]


def ruling(spec: Spec, say: Say, *, guessed: bool = False) -> Ruling:
    """Return the gates that rule, and the default ones that do not.

    Args:
        spec: its `evaluate` adds gates and waives others.
        say: is told of every fault.
        guessed: whether the schema was guessed from the rows at hand, and so are rules and keys.
    """
    texts = (*DEFAULT_GATES, *(GROUP_GATES if spec.evaluate.sensitive else ()))
    defaults = [parse(GUESSED_GATES.get(text, text) if guessed else text) for text in texts]
    known = {n: cast(type[Metric], registry.find("metrics", n)) for n in registry.names("metrics")}
    reasons: dict[str, str] = {}
    for name, because in spec.evaluate.waive.items():
        meant = [g.name for g in defaults if name in (g.name, known[g.metric].group)]
        reasons |= dict.fromkeys(meant, because)
        if not meant:
            words = [*(g.name for g in defaults), *dict.fromkeys(known[g.metric].group for g in defaults)]
            near = get_close_matches(name, words, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(words)}"
            say(("evaluate", "waive", name, "#key"), f"no default gate is about {name!r}: {hint}")
    added = [gate for i, text in enumerate(spec.evaluate.gates) for gate in _gate(text, known, say, i)]
    said = {g.text for g in added}
    kept = [g for g in defaults if g.name not in reasons and g.text not in said]
    return Ruling((*kept, *added), tuple(Waived(g.text, reasons[g.name]) for g in defaults if g.name in reasons))


def _gate(text: str, known: dict[str, type[Metric]], say: Say, at: int) -> list[Gate]:
    """Return a gate of the specification, or note why it is none."""
    place = ("evaluate", "gates", at)
    try:
        gate = parse(text)
    except ValueError as error:
        say(place, str(error))
        return []
    if gate.metric not in known:
        near = get_close_matches(gate.metric, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`synthwright list metrics` shows them"
        say(place, f"no metric is called {gate.metric!r}: {hint}")
        return []
    return [gate]
