"""The adjusting entries that people booked, as statements and pages tell them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from apps.books.models import Close, ManualEntry
from apps.books.statement import Entry, entry
from apps.finops.money import add_up
from apps.finops.tables import COSTS

MANUAL, DISPUTED = "manual", "disputed"
CLASSES = (MANUAL, DISPUTED)
"""The classes of entries people booked, beside those of `explaining.CLASSES`."""
ADJUSTED = "adjusted"
"""The kind of cost such an entry moves: it is no part of any pool."""


def waiting() -> QuerySet[ManualEntry]:
    """Entries that no closed month holds yet, the oldest first."""
    return ManualEntry.objects.filter(close=None).select_related("dispute").order_by("pk")


def of_team(team: str) -> list[ManualEntry]:
    """Every entry that moves cost of a team, the newest first."""
    mine = ManualEntry.objects.filter(Q(from_team=team) | Q(to_team=team))
    return list(mine.select_related("dispute", "close").order_by("-pk"))


def rows(booked: Iterable[ManualEntry], month: str) -> list[Entry]:
    """The two rows of each entry in the statement of a month; together they are zero on every cost basis."""
    found = []
    for one in booked:
        kind = MANUAL if one.dispute_id is None else DISPUTED
        for team, amount in ((one.from_team, one.amount.copy_negate()), (one.to_team, one.amount)):
            key = (team, "", one.service, ADJUSTED, one.currency)
            found.append(entry(month, one.original_month, kind, key, [amount] * len(COSTS)))
    return found


def document(booked: Iterable[ManualEntry]) -> list[dict[str, Any]]:
    """What a statement says of the entries people booked: who moved what, and why."""
    return [
        {
            "entry": one.pk,
            "from_team": one.from_team,
            "to_team": one.to_team,
            "amount": one.amount_text,
            "currency": one.currency,
            "original_month": one.original_month,
            "service": one.service,
            "reason": one.reason,
            "dispute": one.dispute_id,
            "booked_at": one.booked_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "booked_by": one.booked_by,
        }
        for one in booked
    ]


def problem(closed: Close) -> str:
    """What is wrong with the manual entries of a closed month; empty when they are as they were booked."""
    booked = list(closed.manual_entries.order_by("pk"))
    held = [row for row in closed.entries if row["class"] in CLASSES]
    if closed.manual != document(booked) or sorted(held, key=_spelled) != sorted(
        rows(booked, closed.month), key=_spelled
    ):
        return "The manual entries are not those that were booked."
    for currency in {row["currency"] for row in held}:
        if any(add_up(Decimal(row[basis]) for row in held if row["currency"] == currency) for basis in COSTS):
            return f"The manual entries in {currency} do not add up to zero."
    return ""


def net(booked: Sequence[ManualEntry], team: str) -> dict[str, Decimal]:
    """By currency, what entries add to the cost of a team."""
    currencies = sorted({one.currency for one in booked})
    return {
        currency: add_up(
            one.amount if one.to_team == team else one.amount.copy_negate()
            for one in booked
            if one.currency == currency and team in (one.from_team, one.to_team)
        )
        for currency in currencies
    }


def _spelled(row: Mapping[str, Any]) -> str:
    """A row as text; a database may give its keys in another order."""
    return str(sorted(row.items()))
