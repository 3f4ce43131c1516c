"""Check digits are those of a reference, at every length."""

from __future__ import annotations

from string import ascii_uppercase, digits
from typing import Any

import numpy as np
import pytest
from stdnum import ean, luhn, verhoeff
from stdnum.iso7064 import mod_97_10

from synthwright.kit.entities.check_digits import ALGORITHMS


@pytest.mark.parametrize(("name", "module", "lengths"), [
    ("luhn", luhn, range(1, 22)), ("verhoeff", verhoeff, range(1, 22)), ("ean13", ean, [12]), ("isbn13", ean, [12]),
    ("mod97", mod_97_10, range(1, 30)),
])  # fmt: skip
def test_reference(name: str, module: Any, lengths: Any) -> None:
    """What is computed for columns of characters is what the reference accepts, and a wrong digit is not."""
    algorithm = ALGORITHMS[name]
    letters = digits + ascii_uppercase
    rng = np.random.default_rng(6)
    for length in lengths:
        body = rng.integers(0, len(algorithm.reads), (40, length)).astype(np.uint8)
        check = algorithm.compute(list(body.T))
        assert len(check) == algorithm.length
        for i, row in enumerate(body):
            said = "".join(letters[v] for v in row)
            whole = said + "".join(str(c[i]) for c in check)
            assert module.is_valid(whole)
            assert not module.is_valid(whole[:-1] + str((int(whole[-1]) + 1) % 10))
