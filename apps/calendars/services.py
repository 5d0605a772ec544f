"""Bringing days to the calendar, and withdrawing what was brought."""

from datetime import datetime

from django.db import transaction

from apps.calendars import reading, selectors
from apps.calendars.models import CalendarImport, Span
from apps.teams.approval import Actor, NotYours


def bring(content: bytes, name: str, *, by: Actor, now: datetime, kind: str = "") -> CalendarImport | None:
    """Take a file of terms, promotions, days off and days worked; all of it or nothing, and None where all of it holds
    already."""
    _must_be_finance(by)
    found = reading.read(content, name, today=selectors.today(now), kind=kind)
    held = {(span.name, span.kind, span.first, span.last) for span in selectors.spans()}
    if all((one.name, one.kind, one.first, one.last) in held for one in found):
        return None
    with transaction.atomic():
        kept = CalendarImport.objects.create(name=name[-255:], by=by.name[:150], at=now)
        Span.objects.bulk_create(
            Span(brought=kept, line=one.line, name=one.name, kind=one.kind, first=one.first, last=one.last)
            for one in found
        )
    return kept


def withdraw(number: int, *, by: Actor, now: datetime) -> CalendarImport:
    """Undo what was brought: what it replaced holds again. Withdrawing again changes nothing."""
    _must_be_finance(by)
    kept = selectors.brought(number)
    CalendarImport.objects.filter(number=number, withdrawn_at=None).update(withdrawn_by=by.name[:150], withdrawn_at=now)
    kept.refresh_from_db()
    return kept


def _must_be_finance(by: Actor) -> None:
    if by.teams is not None:
        raise NotYours("Finance keeps the calendar; nothing was changed.")
