"""Holding a new issue back: what is much smaller than what counts now is asked about, not published."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

HOLD_BELOW = Decimal("0.8")
"""A window that keeps less than this share of its rows or cost is held back, unless the source says otherwise."""


@dataclass
class Totals:
    """Rows and effective cost by currency of one window (a billing month)."""

    rows: int = 0
    cost: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add a window of a file, as `LandedFile.contents` keeps it."""
        self.rows += entry["rows"]
        for currency, costs in entry["cost"].items():
            self.cost[currency] += Decimal(costs["effective_cost"])

    def __str__(self) -> str:
        cost = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(self.cost.items()))
        return f"{self.rows:,} charges, {cost or 'no cost'}"


def totals(entries: Iterable[Mapping[str, Any]]) -> dict[str, Totals]:
    """By window, of the windows of files that count."""
    by_window: dict[str, Totals] = defaultdict(Totals)
    for entry in entries:
        by_window[entry["window"]].add(entry)
    return by_window


def shrunken(before: Mapping[str, Totals], after: Mapping[str, Totals], *, below: Decimal) -> dict[str, str]:
    """The windows that lost too much → what was there, and what would be."""
    return {
        window: f"{window}: {now} instead of {held}"
        for window, held in before.items()
        if _has_shrunk(held, now := after.get(window, Totals()), below)
    }


def _has_shrunk(before: Totals, after: Totals, below: Decimal) -> bool:
    if after.rows < below * before.rows:
        return True
    return any(
        amount > 0 and after.cost.get(currency, Decimal(0)) < below * amount for currency, amount in before.cost.items()
    )
