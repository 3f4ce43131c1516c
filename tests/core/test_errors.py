"""Errors: what they say, and that other processes can hand them on."""

from __future__ import annotations

import pickle

import pytest

from synthwright.core.errors import Fault, RefusedError, SampleError, SpecError, SynthwrightError


@pytest.mark.parametrize(
    "error",
    [
        SampleError("sample", "table 'data'", wanted="5 rows", got="3", remedy="loosen a rule"),
        RefusedError("evaluate", "2 gates"),
        SpecError([Fault("a.yaml", 3, 1, "no such column")]),
    ],
)
def test_errors_leave_a_process(error: SynthwrightError) -> None:
    """A pool of the caller's own gets the error itself, not one about errors that cannot be read."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  how `concurrent.futures` hands errors on
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__
    assert again.exit_code == error.exit_code
