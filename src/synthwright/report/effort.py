"""What language models cost, and how the cells that were asked for were filled: rows of the report."""

from __future__ import annotations

from pydantic import Field as Setting

from synthwright.core.schema import Frozen


class CostRow(Frozen):
    """What the questions of one part to one language model cost."""

    part: str
    recipe: str = ""
    """The generator or curator that asked; nothing: neither (embeddings are shared)."""
    model: str
    calls: int
    """Questions that were answered, now or in an earlier run of the same specification."""
    asked: int
    """Tokens of the requests."""
    wrote: int
    """Tokens of the answers."""
    usd: float | None = Setting(default=None, allow_inf_nan=False)
    """US dollars; nothing: the price is unknown."""
    rows: int | None = None
    """Rows that stayed; nothing: it has to do with no table alone."""

    @property
    def sentence(self) -> str:
        """What it took, and what an accepted row cost."""
        took = f"{self.part}: {self.calls:,} answers of {self.model}, {self.asked + self.wrote:,} tokens"
        if self.usd is None:
            cost = "at an unknown price"
        else:
            cost = dollars(self.usd)
        if not self.rows:
            return f"{took}, {cost}"
        each = f"{self.calls / self.rows:.2f} answers"
        if self.usd is not None:
            each = f"{dollars(self.usd / self.rows)} and {each}"
        return f"{took}, {cost}: {each} for each of the {self.rows:,} rows that stayed"


class CellRow(Frozen):
    """How one cell that the specification asks for was filled."""

    table: str
    cell: str
    wanted: int
    kept: int
    """Rows that stayed."""
    gone: dict[str, int] = Setting(default_factory=dict)
    """Rows that went, by reason."""
    usd: float | None = Setting(default=None, allow_inf_nan=False)
    """What a row that stayed cost, in US dollars: the table's cost, shared by the rows that were made."""

    @property
    def made(self) -> int:
        """Rows that were made."""
        return self.kept + sum(self.gone.values())


def dollars(usd: float) -> str:
    """Return a sum of money with as many digits as it takes to see it."""
    if usd == 0 or usd >= 0.01:
        return f"${usd:,.2f}"
    return f"${usd:.2g}" if usd >= 1e-6 else "under $0.000001"
