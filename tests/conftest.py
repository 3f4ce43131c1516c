"""What tests of every part share: where the checkout is, and real tables where this machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="session")
def own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what Synthwright remembers of this user apart from what tests make it remember."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the folder of the checkout."""
    return CHECKOUT


@pytest.fixture(scope="session")
def real_tables() -> Path:
    """Return the folder with real tables, which is no part of the checkout; skip where the machine has none."""
    folder = Path(os.environ.get("SYNTHWRIGHT_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"there are no real tables on this machine: {folder} (SYNTHWRIGHT_DATA names another place)")
    return folder
