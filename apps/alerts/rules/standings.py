"""Where budgets stand, as far as there are budgets in this installation."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast


class Standing(Protocol):
    """A budget in its period (`apps.budgets.selectors.Standing`): what is spent, and where it is expected to land."""

    @property
    def budget(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def team(self) -> str: ...
    @property
    def period_name(self) -> str: ...
    @property
    def amount(self) -> Decimal: ...
    @property
    def currency(self) -> str: ...
    @property
    def spent(self) -> Decimal: ...
    @property
    def spent_until(self) -> date | None: ...
    @property
    def landing(self) -> Decimal | None: ...
    @property
    def lower(self) -> Decimal | None: ...
    @property
    def upper(self) -> Decimal | None: ...
    @property
    def exceeds_on(self) -> date | None: ...
    @property
    def probability(self) -> Decimal | None: ...
    @property
    def link(self) -> str: ...


def standings(now: datetime) -> Iterable[Standing]:
    """All budgets in their current periods."""
    if find_spec("apps.budgets.selectors") is None:
        return ()
    return cast(Iterable[Standing], import_module("apps.budgets.selectors").standings(now=now))
