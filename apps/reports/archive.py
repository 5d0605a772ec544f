"""The archive: every letter as it was sent, for those who may read the report."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse

from apps.finops.errors import CostOpsError
from apps.operations.people import seen_teams
from apps.reports.letters import Letter
from apps.reports.mail import HTML, TEXT, Piece, pieces
from apps.reports.models import Content, Delivery, Part, Report
from apps.reports.recipients import is_manager
from apps.reports.weeks import Week

WITHHELD = rb"\g<1>withheld"
"""What stands for the signature of a link in a letter that another than its recipient reads."""
_LINK = re.compile(rb"(/reports/unsubscribe/)[^/\s\"<>]+")

Reader = AbstractBaseUser | AnonymousUser


class NoSuchLetter(CostOpsError):
    """There is no such letter, or it is not for the caller to know of."""


@dataclass(frozen=True)
class Wanted:
    """Which letters: of a report, of a team, of a week; empty for any."""

    role: str = ""
    team: str = ""
    week: str = ""


def keep(delivery: Delivery, letter: Letter) -> None:
    """Keep a letter as it is about to be sent."""
    made = pieces(letter)
    sums = [hashlib.sha256(piece.data).hexdigest() for piece in made]
    contents = [Content(sha256=sha256, data=piece.data) for sha256, piece in zip(sums, made, strict=True)]
    with transaction.atomic():
        Content.objects.bulk_create({one.sha256: one for one in contents}.values(), ignore_conflicts=True)
        Part.objects.bulk_create(
            Part(
                delivery=delivery, place=place, name=piece.name, content_type=piece.content_type, cid=piece.cid,
                size_bytes=len(piece.data), content_id=sha256,
            )
            for place, (sha256, piece) in enumerate(zip(sums, made, strict=True))
        )  # fmt: skip
        Delivery.objects.filter(pk=delivery.pk).update(subject=letter.subject, publication=letter.publication)
    delivery.subject = letter.subject


def kept(delivery: Delivery) -> list[Piece]:
    """The parts of a letter as they were sent, in their order; none where it was not written yet, or not kept."""
    rows = delivery.parts.select_related("content").order_by("place")
    return [Piece(row.name, row.content_type, bytes(row.content.data), row.cid) for row in rows]


def letters(reader: Reader, wanted: Wanted = Wanted()) -> QuerySet[Delivery]:
    """The letters somebody may read that are kept, the newest week first."""
    found = of_everybody(wanted)
    seen = seen_teams(reader)
    if seen is None:
        return found
    mine = Q(report=Report.LEAD, team__in=seen)
    return found.filter(mine | Q(report=Report.MANAGEMENT) if is_manager(reader) else mine)


def of_everybody(wanted: Wanted = Wanted()) -> QuerySet[Delivery]:
    """The same for whoever sits at the terminal."""
    found = Delivery.objects.filter(parts__place=0).order_by("-period", "report", "team", "recipient")
    asked = {"report": wanted.role, "team": wanted.team, "period": wanted.week}
    if "\0" in "".join(asked.values()):
        return found.none()  # no name holds it, and PostgreSQL refuses to be asked
    return found.filter(**{name: value for name, value in asked.items() if value})


def letter(number: int, reader: Reader | None) -> Delivery:
    """One letter; that of another team is as good as none. Without a reader, whoever's it is."""
    rows = of_everybody() if reader is None else letters(reader)
    found = rows.filter(pk=number).first()
    if found is None:
        raise NoSuchLetter(f"There is no letter {number}.")
    return found


def part(delivery: Delivery, name: str) -> Part:
    """One part of a letter."""
    found = delivery.parts.select_related("content").filter(name=name).first() if "\0" not in name else None
    if found is None:
        raise NoSuchLetter(f"Letter {delivery.pk} has no part {name[:60]!r}.")
    return found


def shown(found: Part, reader: Reader | None) -> bytes:
    """The bytes of a part as they were sent. To others than its recipient the link that ends the report is withheld:
    whoever holds it can use it."""
    data = bytes(found.content.data)
    address = getattr(reader, "email", "") or ""
    if found.content_type not in (TEXT, HTML) or address.casefold() == found.delivery.recipient.casefold():
        return data
    return _LINK.sub(WITHHELD, data)


def page(delivery: Delivery, reader: Reader) -> str:
    """The HTML of a letter as a page: its pictures are fetched from beside it, its links leave the frame."""
    html = shown(part(delivery, "letter.html"), reader).decode()
    for one in delivery.parts.exclude(cid=""):
        html = html.replace(f"cid:{one.cid}", reverse("report-part", args=[delivery.pk, one.name]))
    return html.replace("<head>", '<head>\n    <base target="_top">', 1)


def prune(today: date, weeks: int) -> int:
    """Forget what letters older than so many weeks said; that they were sent is kept, so that none is sent twice."""
    oldest = str(Week.last_full(today).before(weeks))
    forgotten, _by_model = Part.objects.filter(delivery__period__lt=oldest).delete()
    Content.objects.filter(parts=None).delete()
    return forgotten


def weeks_of(found: Sequence[Delivery]) -> list[str]:
    return sorted({one.period for one in found}, reverse=True)
