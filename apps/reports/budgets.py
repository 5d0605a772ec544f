"""How budgets stand and what savings are verified, for letters: asked of the apps that keep them, where they do."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Any, Protocol


class Budget(Protocol):
    """What money was set aside for."""

    number: int
    name: str
    team: str


class Standing(Protocol):
    """How a budget stands in its period. `landing`, its 80 % interval, `exceeds_on` and `probability` are None where
    they are not known."""

    budget: Budget
    period_name: str
    amount: Decimal
    currency: str
    spent: Decimal
    landing: Decimal | None
    lower: Decimal | None
    upper: Decimal | None
    exceeds_on: date | None
    probability: Decimal | None
    state: str
    link: str


def standings(*, now: datetime, teams: frozenset[str] | None) -> tuple[Standing, ...]:
    """How the budgets of some teams stand, None for all; none where nobody keeps budgets."""
    ask = _asked("apps.budgets.selectors", "standings")
    return tuple(ask(now=now, teams=teams)) if ask else ()


def verified(teams: frozenset[str] | None, start: date, end: date) -> dict[str, Decimal] | None:
    """What some teams verifiably saved on days, by currency; None where nobody keeps a ledger of savings."""
    ask = _asked("apps.savings.selectors", "verified")
    return dict(ask(teams, start, end)) if ask else None


def _asked(module: str, name: str) -> Callable[..., Any] | None:
    try:
        return getattr(import_module(module), name, None)
    except ModuleNotFoundError:
        return None
