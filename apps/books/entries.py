"""Booking adjusting entries: cost moved from one team to another in the open month, always on two sides."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.books.changes import month_window
from apps.books.models import Dispute, ManualEntry, TrailEntry
from apps.books.people import Actor
from apps.books.selectors import open_month
from apps.books.statement import written
from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, parse_amount
from apps.marts.query import BadQuestion
from apps.marts.selectors import publication
from apps.teams.models import UNALLOCATED, Team


class CannotBook(CostOpsError):
    """The entry cannot be booked as asked; nothing was."""


@dataclass(frozen=True)
class Draft:
    """An entry to book: `amount` as somebody wrote it, more than zero; `service` may be empty."""

    from_team: str
    to_team: str
    amount: str
    currency: str
    original_month: str
    reason: str
    service: str = ""


def book(draft: Draft, *, actor: Actor, now: datetime, dispute: Dispute | None = None) -> ManualEntry:
    """Book an entry in the open month. With a dispute that was accepted it settles the dispute."""
    actor.must_book()
    amount = _checked(draft)
    pinned = publication()
    month = open_month(pinned)
    if month is None or draft.original_month > month:
        raise CannotBook(f"original_month: {draft.original_month} is later than the open month, {month or 'none'}.")
    if draft.currency not in pinned.totals:
        raise CannotBook(
            f"currency: nothing is billed in {draft.currency[:20]!r}; there is {', '.join(sorted(pinned.totals))}."
        )
    if dispute is not None:
        _check_dispute(dispute, draft)
    with transaction.atomic():
        booked = ManualEntry.objects.create(
            from_team=draft.from_team,
            to_team=draft.to_team,
            amount_text=written(amount),
            currency=draft.currency,
            original_month=draft.original_month,
            service=draft.service,
            reason=draft.reason.strip(),
            dispute=dispute,
            booked_at=now,
            booked_by=actor.name,
        )
        TrailEntry.objects.create(
            at=now, by=actor.name, action="booked an entry", subject=f"entry {booked.pk}", why=booked.reason,
            outcome=f"{booked.amount_text} {booked.currency} of {booked.original_month} from {booked.from_team} to "
            f"{booked.to_team}" + (f", for dispute {dispute.pk}" if dispute else ""),
        )  # fmt: skip
    return booked


def _checked(draft: Draft) -> Decimal:
    """The amount of a draft that can be booked, apart from the publication; raises CannotBook with what is wrong."""
    for name in ("from_team", "to_team"):
        team = getattr(draft, name)
        if team != UNALLOCATED and not Team.objects.filter(name=team).exists():
            raise CannotBook(f"{name}: there is no team {team[:60]!r}.")
    if draft.from_team == draft.to_team:
        raise CannotBook(f"to_team: {draft.to_team} is the team the cost is taken from.")
    if not draft.reason.strip():
        raise CannotBook("reason: say why; the trail keeps it.")
    try:
        month_window(draft.original_month)
    except BadQuestion:
        raise CannotBook(f"original_month: {draft.original_month[:20]!r} is no month; write it as 2026-10.") from None
    if len(draft.service) > 200 or re.search(r"[\x00-\x1f\x7f]", draft.service):
        raise CannotBook("service: at most 200 characters, none of them a control character.")
    try:
        amount, is_rounded = parse_amount(draft.amount)
    except NotAnAmount:
        raise CannotBook(f"amount: {draft.amount[:40]!r} is not an amount; write digits, like 1234.50.") from None
    if is_rounded or amount <= 0:
        raise CannotBook("amount: more than zero, with at most twelve decimals; swap the teams for the opposite.")
    return amount


def _check_dispute(dispute: Dispute, draft: Draft) -> None:
    if dispute.state not in (Dispute.State.ACCEPTED, Dispute.State.SETTLED):
        raise CannotBook(f"dispute: {dispute.pk} is {dispute.state}; accept it before an entry settles it.")
    if dispute.team not in (draft.from_team, draft.to_team):
        raise CannotBook(f"dispute: {dispute.pk} is of {dispute.team}, which is on neither side of the entry.")
