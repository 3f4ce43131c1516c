"""Fitted parts come back as they were saved, or are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthwright.core import registry
from synthwright.core.errors import StoreError
from synthwright.kit.learning import artefacts
from synthwright.steps.fit import load_fitted


@pytest.mark.parametrize("name", ["marginals", "copula", "anew"])
@pytest.mark.parametrize(
    "head", [{}, {"part": 1, "columns": 2, "tables": 3}, {"part": [], "columns": [1], "kinds": {}}]
)
def test_content_that_makes_no_model(tmp_path: Path, name: str, head: dict[str, Any]) -> None:
    """A model whose files are sound, with hashes that fit, but hold something else is refused with what to do."""
    for folder in ("model", "keeper"):
        (tmp_path / folder).mkdir()
        artefacts.save(tmp_path / folder, head, {})
    with pytest.raises(StoreError, match="fit the model again"):
        load_fitted(registry.find("generators", name)(), tmp_path)
