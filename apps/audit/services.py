"""Writing down what was done."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from apps.audit.chain import END_MISSING, hash_of
from apps.audit.models import AuditEntry, Begun, ChainEnd
from apps.audit.redaction import shown

GRACE = {
    AuditEntry.Way.PAGE: timedelta(minutes=15),
    AuditEntry.Way.TOKEN: timedelta(minutes=15),
    AuditEntry.Way.COMMAND: timedelta(days=2),
}
"""How long what has begun is waited for: nobody waits so long for an answer, a command may fill a year."""


@dataclass(frozen=True)
class Deed:
    """What somebody does, as far as is known by `at`; `subject` and `details` may hold secrets, which are not kept."""

    at: datetime
    actor: str
    way: str
    action: str
    subject: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""
    request_id: str = ""

    def row(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "at": self.at,
            "actor": self.actor[:150],
            "way": self.way,
            "action": self.action[:80],
            "subject": shown(self.subject),
            "details": shown(self.details),
            "address": self.address[:45],
            "request_id": self.request_id,
        }


def begin(deed: Deed) -> str:
    """Note that it begins, under a key that `record` or `forget` takes: a killed process leaves a note, not nothing."""
    return Begun.objects.create(key=uuid4().hex, **deed.row()).key


def forget(begun: str) -> None:
    """It changed nothing, or its entry is there."""
    if begun:
        Begun.objects.filter(key=begun).delete()


def record(deed: Deed, outcome: int, *, begun: str = "") -> AuditEntry:
    """Append one entry, in place of what was noted when it began. Others who append wait for it."""
    return _append(deed.row(), outcome, begun)


def _append(row: dict[str, Any], outcome: int, begun: str) -> AuditEntry:
    with transaction.atomic():
        entry = _add(_end_of_chain(row["at"]), row, outcome)
        forget(begun)
    return entry


def _end_of_chain(at: datetime) -> ChainEnd:
    """Locked: others who append wait. Where it was taken away the chain goes on, behind an entry that says so."""
    _, is_new = ChainEnd.objects.get_or_create(pk=ChainEnd.THE_ONE)
    end = ChainEnd.objects.select_for_update().get(pk=ChainEnd.THE_ONE)
    if is_new and (newest := AuditEntry.objects.order_by("number").last()):
        end.number, end.hash = newest.number, newest.hash
        _add(end, Deed(at, "", AuditEntry.Way.COMMAND, END_MISSING).row(), AuditEntry.UNKNOWN)
    return end


def _add(end: ChainEnd, row: dict[str, Any], outcome: int) -> AuditEntry:
    entry = AuditEntry(number=end.number + 1, outcome=outcome, previous=end.hash, **row)
    entry.hash = hash_of(entry)
    entry.save(force_insert=True)
    end.number, end.hash = entry.number, entry.hash
    end.save()
    return entry


def finish(now: datetime) -> int:
    """Make entries of what began and whose process died before it could say how it ended; how many. What ends after
    all has an entry of its own besides."""
    made = 0
    for way, grace in GRACE.items():
        for left in Begun.objects.filter(way=way, at__lt=now - grace).order_by("at"):
            with transaction.atomic():
                _end_of_chain(now)  # whoever records locks it before the note
                if Begun.objects.select_for_update().filter(key=left.key).exists():  # nobody else was faster
                    row = {one.name: getattr(left, one.name) for one in fields(Deed)}  # cut and cleaned already
                    _append(row, AuditEntry.UNKNOWN, left.key)
                    made += 1
    return made
