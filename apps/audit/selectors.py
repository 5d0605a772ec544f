"""Reading what was done."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from apps.audit.chain import Verdict, verify
from apps.audit.models import AuditEntry, ChainEnd


@dataclass(frozen=True)
class Asked:
    """Which entries: of somebody, of an action, on days from `start` through `last` of `zone`; before a number."""

    zone: ZoneInfo
    actor: str = ""
    action: str = ""
    start: date | None = None
    last: date | None = None
    before: int | None = None


def entries(asked: Asked) -> QuerySet[AuditEntry]:
    """The newest first."""
    found = AuditEntry.objects.order_by("-number")
    if asked.actor:
        found = found.filter(actor=asked.actor)
    if asked.action:
        found = found.filter(action__icontains=asked.action)
    if asked.start:
        found = found.filter(at__gte=_beginning(asked.start, asked.zone))
    if asked.last:
        found = found.filter(at__lt=_beginning(asked.last + timedelta(days=1), asked.zone))
    if asked.before is not None:
        found = found.filter(number__lt=asked.before)
    return found


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def whole_chain() -> Iterator[AuditEntry]:
    """Every entry, from the first on."""
    return AuditEntry.objects.order_by("number").iterator(chunk_size=2000)


def verdict() -> Verdict:
    """Whether the chain holds from its first entry to its end, which is told twice: entries cut off are missed.

    The end is read first: what is written while the chain is walked follows on it.
    """
    end = ChainEnd.objects.filter(pk=ChainEnd.THE_ONE).first() or ChainEnd()
    found = verify(whole_chain())
    if found.wrong or end.number == found.entries == 0:
        return found
    if not end.number:
        return replace(found, wrong="The end is missing: entries may have been cut off.")
    if end.number > found.entries:
        return replace(found, wrong=f"The chain ends with entry {found.entries}; entry {end.number} was written.")
    if not AuditEntry.objects.filter(number=end.number, hash=end.hash).exists():
        return replace(found, wrong=f"Entry {end.number} is not the one that was written.")
    return found


def holds(head: str) -> bool:
    """Whether an entry has this hash."""
    return AuditEntry.objects.filter(hash=head).exists()
