"""Holding a new issue back: what is much smaller than what counts now is asked about, not published."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from apps.finops.money import add_up

HOLD_BELOW = Decimal("0.8")
"""A window that keeps less than this share of its rows or cost is held back, unless the source says otherwise."""


@dataclass
class Totals:
    """Rows and effective cost by currency of one window (a billing month), or of a day of it.

    `days` are those of a window; None where a file was read before its days were kept apart.
    """

    rows: int = 0
    cost: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    days: dict[str, "Totals"] | None = field(default_factory=dict)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Add a window of a file, as `LandedFile.contents` keeps it."""
        self._count(entry["rows"], {currency: costs["effective_cost"] for currency, costs in entry["cost"].items()})
        if "accounts" not in entry:
            self.days = None
        if self.days is None:
            return
        for by_day in entry["accounts"].values():
            for day, told in by_day.items():
                self.days.setdefault(day, Totals())._count(told["rows"], told["cost"])

    def _count(self, rows: int, cost: Mapping[str, str]) -> None:
        self.rows += rows
        for currency, amount in cost.items():
            self.cost[currency] = add_up((self.cost[currency], Decimal(amount)))

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
    """The windows that lost too much → what was there, and what would be; of a window that did not, its days that did.

    With `below` 0 nothing is held.
    """
    if not below:
        return {}
    lost = {window: _lost(window, held, after.get(window, Totals()), below) for window, held in before.items()}
    return {window: "; ".join(told) for window, told in lost.items() if told}


def _lost(window: str, before: Totals, after: Totals, below: Decimal) -> list[str]:
    if _has_shrunk(before, after, below):
        return [f"{window}: {after} instead of {before}"]
    if before.days is None or after.days is None:
        return []
    days = ((day, held, after.days.get(day, Totals())) for day, held in sorted(before.days.items()))
    return [f"{day}: {now} instead of {held}" for day, held, now in days if _has_shrunk(held, now, below)]


def _has_shrunk(before: Totals, after: Totals, below: Decimal) -> bool:
    if after.rows < below * before.rows:
        return True
    return any(
        amount > 0 and after.cost.get(currency, Decimal(0)) < below * amount for currency, amount in before.cost.items()
    )
