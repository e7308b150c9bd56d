"""A published result computed again: what was published and what we measure, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from overt.audit.dots import Mark, Panel
from overt.audit.dots import page as dots_page


@dataclass(frozen=True)
class Compared:
    """One row. `published` is None where nobody has published this figure."""

    name: str
    published: float | None
    measured: float
    low: float | None = None
    high: float | None = None
    """95 % interval of what we measure, where one can be given."""


@dataclass(frozen=True)
class Reproduced:
    """All rows of one reproduction."""

    name: str
    title: str
    metric: str
    source: str
    """Who published it, and where."""
    protocol: str
    counts: dict[str, int]
    rows: tuple[Compared, ...]
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON; a figure that could not be computed is null."""
        rows = [
            {key: _plain(value) for key, value in vars(row).items() if key != "name"}
            | {"name": row.name}
            for row in self.rows
        ]
        return {**vars(self), "rows": rows, "notes": list(self.notes)}


def _plain(value: float | None) -> float | None:
    return round(float(value), 6) if value is not None and isfinite(value) else None


def page(found: Reproduced) -> str:
    """Return a page with the plot: published and measured on one axis."""
    marks = tuple(
        Mark(row.name, row.measured, row.low, row.high, row.published) for row in found.rows
    )
    lead = f"{found.source}. {found.protocol}"
    return dots_page(found.title, lead, [Panel(found.metric, marks)], found.notes)
