"""Every registered plug-in keeps its contract, those of other distributions too."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest

from synthwright.core import registry
from synthwright.core.registry import Group
from synthwright.testing import check_curator, check_generator, check_metric, check_process, check_sink, check_source

EXTRAS = {"aim": ("opendp", "privacy"), "ctgan": ("torch", "neural"), "diffusion": ("torch", "neural"),
          "dp-network": ("opacus", "neural-private"), "mst": ("opendp", "privacy"),
          "tvae": ("torch", "neural")}  # fmt: skip
"""Plug-ins that need an extra: the package that is missed first, and the extra's name."""


def every(group: Group) -> list[str]:
    """Return the names of a group."""
    return list(registry.names(group))


def found(group: Group, name: str) -> Any:
    """Return the class that a name stands for."""
    return registry.find(group, name)


@pytest.mark.parametrize("name", every("generators"))
def test_generator(name: str) -> None:
    """Every generator keeps the contract of generators."""
    package, extra = EXTRAS.get(name, ("numpy", ""))
    if find_spec(package) is None:
        pytest.skip(f"{name} needs the extra {extra!r}: pip install 'synthwright[{extra}]'")
    assert "travels" in check_generator(found("generators", name))


@pytest.mark.parametrize("name", every("processes"))
def test_process(name: str) -> None:
    """Every process keeps the contract of processes."""
    assert "nobody-there" in check_process(found("processes", name))


@pytest.mark.parametrize("name", every("curators"))
def test_curator(name: str) -> None:
    """Every curator keeps the contract of curators."""
    assert "shards-do-not-count" in check_curator(found("curators", name))


@pytest.mark.parametrize("name", every("metrics"))
def test_metric(name: str) -> None:
    """Every metric keeps the contract of metrics."""
    assert "right-way-round" in check_metric(found("metrics", name))


@pytest.mark.parametrize("name", every("sources"))
def test_source(name: str) -> None:
    """Every source keeps the contract of sources."""
    assert "stays-inside" in check_source(found("sources", name))


@pytest.mark.parametrize("name", every("sinks"))
def test_sink(name: str) -> None:
    """Every sink keeps the contract of sinks."""
    assert "comes-back" in check_sink(found("sinks", name))


def test_plugin_found() -> None:
    """The recipes of another distribution are found by its entry points."""
    assert "histogram" in registry.names("generators")
    assert "sparse" in registry.names("curators")
    assert "null-gap" in registry.names("metrics")
    assert found("generators", "histogram").__module__ == "orchard.histogram"
