"""What reading one file gave: its parts in the lake (not committed yet), what it holds, and what is wrong with it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.finops.money import add_up
from apps.finops.problems import Problem
from apps.warehouse import lake


@dataclass(frozen=True)
class BilledDay:
    """A day of an account: its charges, when the first and the last of them begin (microseconds since 1970), and their
    effective cost by currency."""

    rows: int
    first: int
    last: int
    cost: dict[str, Decimal] = field(default_factory=dict)

    def __add__(self, other: "BilledDay") -> "BilledDay":
        cost = {
            currency: add_up(told.cost[currency] for told in (self, other) if currency in told.cost)
            for currency in self.cost | other.cost
        }
        first, last = min(self.first, other.first), max(self.last, other.last)
        return BilledDay(self.rows + other.rows, first, last, cost)

    def to_json(self) -> dict[str, Any]:
        cost = {currency: str(amount) for currency, amount in self.cost.items()}
        return {"rows": self.rows, "first": self.first, "last": self.last, "cost": cost}


@dataclass(frozen=True)
class Content:
    """A window of a file: a billing month (bills) or a table (usage), its days, rows and cost by currency.

    `accounts` tells a bill by account and day.
    """

    window: str
    days: tuple[str, ...]
    rows: int
    cost: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    accounts: dict[str, dict[str, BilledDay]] = field(default_factory=dict)

    def begins_at_midnight(self, zone: str) -> bool:
        """Whether every charge does, in this time zone."""
        moments = {(day.first, day.last) for by_day in self.accounts.values() for day in by_day.values()}
        return all(first == last and _is_midnight(first, zone) for first, last in moments)

    def to_json(self, *, counts: bool) -> dict[str, Any]:
        cost = {currency: {basis: str(amount) for basis, amount in by.items()} for currency, by in self.cost.items()}
        told = {"window": self.window, "days": list(self.days), "rows": self.rows, "cost": cost, "counts": counts}
        if self.accounts:
            told["accounts"] = {
                account: {day: billed.to_json() for day, billed in by_day.items()}
                for account, by_day in self.accounts.items()
            }
        return told


def _is_midnight(microseconds: int, zone: str) -> bool:
    seconds, rest = divmod(microseconds, 10**6)
    return rest == 0 and datetime.fromtimestamp(seconds, ZoneInfo(zone)).time() == time()


@dataclass(frozen=True)
class Reading:
    """One file as read. An error-level problem refuses the whole file: then it has no parts and no contents."""

    parts: dict[str, list[lake.WrittenFile]] = field(default_factory=dict)
    contents: tuple[Content, ...] = ()
    problems: tuple[Problem, ...] = ()
    content_sha256: str = ""

    @property
    def rows(self) -> int:
        return sum(content.rows for content in self.contents)

    @property
    def is_refused(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)


def refused(problems: Iterable[Problem]) -> Reading:
    return Reading(problems=tuple(problems))


def problems_to_json(problems: Iterable[Problem]) -> list[dict[str, str]]:
    return [asdict(problem) for problem in problems]
