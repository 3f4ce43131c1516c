"""Metrics, one file each: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "coverage": "synthwright.metrics.coverage:Coverage",
    "dcr-share": "synthwright.metrics.dcr_share:DcrShare",
    "detection": "synthwright.metrics.detection:Detection",
    "exact-copies": "synthwright.metrics.exact_copies:ExactCopies",
    "keys": "synthwright.metrics.keys:Keys",
    "rows": "synthwright.metrics.rows:Rows",
    "rules": "synthwright.metrics.rules:Rules",
    "shape": "synthwright.metrics.shape:Shape",
    "trend": "synthwright.metrics.trend:Trend",
    "tstr": "synthwright.metrics.tstr:Tstr",
}
"""What `synthwright list metrics` shows, and where its class is: "module:Class"."""
