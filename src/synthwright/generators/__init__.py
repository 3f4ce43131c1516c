"""Generators, one file each: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "anew": "synthwright.generators.anew:Anew",
    "copula": "synthwright.generators.copula:Copula",
    "forest": "synthwright.generators.forest:Forest",
    "marginals": "synthwright.generators.marginals:Marginals",
}
"""Every generator of this distribution and where its class is."""
