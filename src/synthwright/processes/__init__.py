"""Processes, one file each: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "each": "synthwright.processes.each:Each",
}
