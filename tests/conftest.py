"""What tests of every part share: where the checkout is, and real tables where this machine has them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
KERNELS = ("kernels", "splits", "trees", "draws", "additive")
"""Files under `kit/learning` with compiled kernels that call each other."""


def pytest_configure() -> None:
    """Drop compiled kernels that are older than a file they come from.

    The compiler caches each kernel with its own file and does not notice that one it calls, in another file, has
    changed. Only the first process does this: workers start after it, and would take each other's fresh kernels away.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    kit = CHECKOUT / "src" / "synthwright" / "kit" / "learning"
    cached = [p for p in (kit / "__pycache__").glob("*.nb[ic]") if p.name.partition(".")[0] in KERNELS]
    compiled = [p.stat().st_mtime for p in cached if p.suffix == ".nbi"]
    changed = max((p.stat().st_mtime for p in (kit / f"{name}.py" for name in KERNELS) if p.exists()), default=0.0)
    if compiled and changed > min(compiled):
        for path in cached:
            path.unlink(missing_ok=True)


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
