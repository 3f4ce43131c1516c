"""Processes, one file each: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "arrivals": "synthwright.processes.arrivals:Arrivals",
    "each": "synthwright.processes.each:Each",
    "states": "synthwright.processes.states:States",
    "turns": "synthwright.processes.turns:Turns",
}
