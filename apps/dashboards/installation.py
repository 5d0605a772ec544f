"""The page of the installation itself: is it ready, what does it take, what does it cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.monitoring import selectors as monitoring
from apps.monitoring.readiness import Check, checks, free_bytes

CHECKS: Mapping[str, Promise] = {
    "database": _("Database"),
    "migrations": _("Migrations"),
    "folders": _("Folders"),
    "store": _("Object store"),
    "disk": _("Disk"),
    "broker": _("Broker"),
}


@dataclass(frozen=True)
class CheckRow:
    """A check by its title."""

    title: str | Promise
    check: Check


@dataclass(frozen=True)
class OwnLine:
    """What CostOps costs in a currency; `share` is of all cost in it, None where that is not above zero."""

    currency: str
    own: Decimal
    everything: Decimal
    share: Decimal | None


@dataclass(frozen=True)
class InstallationPage:
    """What the page shows; `own` is None where nobody said where CostOps runs, `complaint` says what is wrong there."""

    checks: tuple[CheckRow, ...]
    stored: tuple[monitoring.Stored, ...]
    landed_bytes: int
    database_bytes: int | None
    free_bytes: int
    steps: tuple[monitoring.StepTime, ...]
    own: monitoring.OwnCost | None
    own_lines: tuple[OwnLine, ...]
    complaint: str

    @property
    def last_own_day(self) -> date | None:
        return self.own.end - timedelta(days=1) if self.own else None

    @property
    def is_ready(self) -> bool:
        return all(row.check.is_ok for row in self.checks)

    @property
    def answers(self) -> bool:
        """Whether pages can be answered, be it that work waits."""
        return all(row.check.is_ok for row in self.checks if row.check.is_needed)


def installation_page() -> InstallationPage:
    """Everything, looked at now."""
    own, complaint = monitoring.own_cost(), ""
    if own and not own.own:  # misspelled, or not metered: unknown is no zero
        own, complaint = None, gettext("The namespaces that COSTOPS_OWN_NAMESPACES names have no cost in these days.")
    return InstallationPage(
        checks=tuple(CheckRow(CHECKS.get(check.name, check.name), check) for check in checks()),
        stored=tuple(monitoring.stored()),
        landed_bytes=monitoring.landed_bytes(),
        database_bytes=monitoring.database_bytes(),
        free_bytes=free_bytes(),
        steps=tuple(monitoring.step_times()),
        own=own,
        own_lines=tuple(_lines(own)) if own else (),
        complaint=complaint,
    )


def _lines(own: monitoring.OwnCost) -> list[OwnLine]:
    """By currency; one in which CostOps costs nothing is told as nothing, for its cost is known."""
    paired = [
        (currency, own.own.get(currency, Decimal(0)), whole) for currency, whole in sorted(own.everything.items())
    ]
    return [OwnLine(currency, cost, whole, cost / whole if whole > 0 else None) for currency, cost, whole in paired]
