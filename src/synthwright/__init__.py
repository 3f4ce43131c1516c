"""One specification in; synthetic data, and the proof that it may be used, out.

>>> import synthwright as sw
>>> sw.__version__
'0.1.0'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from synthwright.core.context import Context
    from synthwright.core.contracts import Curator, Generator, Judge, Metric, Model, Part, Sample, Score, Verdict
    from synthwright.core.dataset import Dataset
    from synthwright.core.errors import SynthwrightError
    from synthwright.core.schema import Field, Kind, Rule, Schema, Table
    from synthwright.face import check, compare, evaluate, fit, load, read, run
    from synthwright.report.collapsed import Collapse
    from synthwright.report.compared import Comparison
    from synthwright.report.mixed import Mixed
    from synthwright.report.report import Report
    from synthwright.studies.collapse_face import collapse
    from synthwright.studies.mix import mix
    from synthwright.synthesizer import Synthesizer

_PLACES = {
    "Context": "core.context",
    **dict.fromkeys(
        ("Curator", "Generator", "Judge", "Metric", "Model", "Part", "Sample", "Score", "Verdict"), "core.contracts"
    ),
    "Collapse": "report.collapsed",
    "Comparison": "report.compared",
    "Dataset": "core.dataset",
    "SynthwrightError": "core.errors",
    **dict.fromkeys(("Field", "Kind", "Rule", "Schema", "Table"), "core.schema"),
    "Mixed": "report.mixed",
    "Report": "report.report",
    "Synthesizer": "synthesizer",
    "collapse": "studies.collapse_face",
    **dict.fromkeys(("check", "compare", "evaluate", "fit", "load", "read", "run"), "face"),
    "mix": "studies.mix",
}

__all__ = [
    "Collapse",
    "Comparison",
    "Context",
    "Curator",
    "Dataset",
    "Field",
    "Generator",
    "Judge",
    "Kind",
    "Metric",
    "Mixed",
    "Model",
    "Part",
    "Report",
    "Rule",
    "Sample",
    "Schema",
    "Score",
    "Synthesizer",
    "SynthwrightError",
    "Table",
    "Verdict",
    "__version__",
    "check",
    "collapse",
    "compare",
    "evaluate",
    "fit",
    "load",
    "mix",
    "read",
    "run",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for: importing the package stays quick."""
    if name not in _PLACES:
        raise AttributeError(f"module 'synthwright' has no attribute {name!r}")
    return getattr(importlib.import_module(f"synthwright.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
