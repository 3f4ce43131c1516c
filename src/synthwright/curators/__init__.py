"""Curators, one file each: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "copies": "synthwright.curators.copies:Copies",
    "duplicates": "synthwright.curators.duplicates:Duplicates",
    "rules": "synthwright.curators.rules:Rules",
}
