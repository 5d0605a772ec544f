"""Asking the restatement ledger: what new issues of bills changed, by day and service."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from apps.ingest.models import Restatement


@dataclass(frozen=True)
class Change:
    """What one new issue of a billing month changed for a day, service and currency; `at` is when it was read."""

    source: str
    billing_month: str
    at: datetime
    day: date
    service: str
    currency: str
    rows_before: int
    rows_after: int
    billed_before: Decimal
    billed_after: Decimal
    effective_before: Decimal
    effective_after: Decimal

    @property
    def billed_difference(self) -> Decimal:
        return self.billed_after - self.billed_before

    @property
    def effective_difference(self) -> Decimal:
        return self.effective_after - self.effective_before


COLUMNS = (
    "source", "billing_month", "at", "day", "service", "currency", "rows_before", "rows_after", "billed_before",
    "billed_after", "billed_difference", "effective_before", "effective_after", "effective_difference",
)  # fmt: skip
"""Of a change, in the order they are told."""


@dataclass(frozen=True)
class Wanted:
    """Which changes: of a source, billing month or service, of days from `start` to before `end`."""

    source: str | None = None
    billing_month: str | None = None
    service: str | None = None
    start: date | None = None
    end: date | None = None

    def allows(self, change: Change) -> bool:
        return (
            self.service in (None, change.service)
            and (self.start is None or self.start <= change.day)
            and (self.end is None or change.day < self.end)
        )


def changes(wanted: Wanted) -> Iterator[Change]:
    """The changes, those of the newest issues first, by day and service."""
    if "\0" in f"{wanted.source}{wanted.billing_month}":
        return  # no name holds it, and PostgreSQL refuses to be asked
    asked = {"source__name": wanted.source, "billing_month": wanted.billing_month}
    kept = Restatement.objects.filter(**{name: value for name, value in asked.items() if value is not None})
    for one in kept.select_related("source").order_by("-pk"):
        yield from (change for change in changes_of(one) if wanted.allows(change))


def changes_of(one: Restatement) -> list[Change]:
    """The changes of one new issue, by day and service."""
    return [
        Change(
            source=one.source.name,
            billing_month=one.billing_month,
            at=one.at,
            day=date.fromisoformat(cell["day"]),
            service=cell["service"],
            currency=cell["currency"],
            rows_before=cell["rows_before"],
            rows_after=cell["rows_after"],
            **{
                f"{basis}_{when}": Decimal(cell[f"{basis}_{when}"])
                for basis in ("billed", "effective")
                for when in ("before", "after")
            },
        )
        for cell in one.changes
    ]
