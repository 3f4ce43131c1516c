"""The default gates rule, less those that are waived, and with those of the specification."""

from __future__ import annotations

from typing import Any

import pytest

from synthwright.core.gates import DEFAULT_GATES, GROUP_GATES, GUESSED_GATES
from synthwright.core.ruling import Ruling, ruling
from synthwright.core.spec import Spec

WHY = "a reason that is long enough"


def ruled(guessed: bool = False, **said: Any) -> tuple[Ruling, list[str]]:  # noqa: FBT001, FBT002
    """Return what rules under a specification, and the faults."""
    spec = {"synthwright": 1, "name": "x", "source": {"use": "csv"}, **said}
    faults: list[str] = []
    return ruling(Spec.model_validate(spec), lambda _, told: faults.append(told), guessed=guessed), faults


def test_default_gates_rule() -> None:
    """All of them, once; with sensitive columns those of groups too; lenient with rules that were guessed."""
    assert [g.text for g in ruled()[0].gates] == list(DEFAULT_GATES)
    assert [g.text for g in ruled(evaluate={"sensitive": ["t.sex"]})[0].gates] == [*DEFAULT_GATES, *GROUP_GATES]
    guessed = {g.text for g in ruled(guessed=True)[0].gates}
    assert guessed == {GUESSED_GATES.get(t, t) for t in DEFAULT_GATES}


def test_gates_are_added() -> None:
    """A gate of the specification comes last; one that is a default gate already is not there twice."""
    found, faults = ruled(evaluate={"gates": ["shape <= 0.1", DEFAULT_GATES[0]]})
    assert not faults
    assert [g.text for g in found.gates] == [*DEFAULT_GATES[1:], "shape <= 0.1", DEFAULT_GATES[0]]


@pytest.mark.parametrize("name", ["detection", "shape.worst", "membership[tpr at 1 % fpr]"])
def test_a_gate_is_waived_by_name(name: str) -> None:
    """It does not rule, and the reason is kept; all others do."""
    found, faults = ruled(evaluate={"waive": {name: WHY}})
    assert not faults
    assert [w.because for w in found.waived] == [WHY]
    assert found.waived[0].gate.startswith(name)
    assert len(found.gates) == len(DEFAULT_GATES) - 1


def test_a_group_is_waived() -> None:
    """A group stands for all its gates."""
    found, _ = ruled(evaluate={"waive": {"privacy": WHY}})
    assert {w.gate.split()[0].split("[")[0] for w in found.waived} >= {"exact-copies", "membership", "near-copies"}
    assert "shape" in {g.name for g in found.gates}


def test_faults_are_told() -> None:
    """A waiver of nothing, a gate that is none, and a metric that nobody knows; a reason is a must."""
    _, faults = ruled(evaluate={"waive": {"detektion": WHY}, "gates": ["shape <", "shapes <= 1"]})
    assert len(faults) == 3
    assert "did you mean 'detection'" in faults[0]
    assert "did you mean 'shape'" in faults[2]
    with pytest.raises(ValueError, match="at least 10 characters"):
        ruled(evaluate={"waive": {"detection": "because"}})


def test_likeness_is_asked_of_what_was_set_too() -> None:
    """Where the start sets a column, every default gate rules all the same, unless the specification waives it."""
    found, faults = ruled(start={"set": {"t.income": "balanced"}}, evaluate={"waive": {"fidelity": WHY}})
    assert not faults
    assert {"conditions", "rules", "exact-copies", "tstr", "coverage"} <= {g.metric for g in found.gates}
    assert {w.because for w in found.waived} == {WHY}
    assert "shape" in {w.gate.split()[0] for w in found.waived}
    assert [g.text for g in ruled(start={"set": {"t.income": "balanced"}})[0].gates] == list(DEFAULT_GATES)
