"""Hold your own plug-ins to the contracts that ours keep, on small data with awkward shapes.

::

    from synthwright.testing import check_generator

    def test_contract():
        check_generator(Orchard)

Each `check_…` takes a recipe (or its class, which then gets its defaults), runs a list of named checks, and raises a
ContractError that names the check, what was wanted and what was got. `toys` holds the data, `strategies` makes more
with hypothesis.
"""

from __future__ import annotations

from synthwright.testing.contract import ContractError
from synthwright.testing.curators import check_curator
from synthwright.testing.files import check_sink, check_source
from synthwright.testing.generators import check_generator
from synthwright.testing.metrics import check_metric
from synthwright.testing.processes import check_process

__all__ = [
    "ContractError",
    "check_curator",
    "check_generator",
    "check_metric",
    "check_process",
    "check_sink",
    "check_source",
]
