"""Who looked at which teams' cost and took files of it: written and kept for days where `COSTOPS_READ_LOG` says so.

It stands beside the chain, for it is forgotten again: a chain from which entries are taken would not hold.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.audit.models import ReadEntry
from apps.teams.access import access_of
from apps.teams.roles import Can

NAMED_BY = ("team", "filter[team]")
MOST_QUESTION = 1000


def note_read(
    request: HttpRequest, *, is_export: bool, way: str, address: str, at: datetime, question: str = ""
) -> None:
    """Write down who saw what; nothing of those who see no cost."""
    access, match = access_of(request.user), request.resolver_match
    seen, accounts = access.teams(Can.SEE_COST), access.accounts()
    if match is None or (seen == frozenset() and not accounts):
        return
    named = _named(request, match.kwargs)
    teams = (named or None) if seen is None else sorted(seen.intersection(named or seen))
    ReadEntry.objects.create(
        at=at, actor=access.name, way=way, action=(match.url_name or match.view_name)[:80], teams=teams,
        accounts=sorted(accounts), is_export=is_export, address=address[:45], question=question[:MOST_QUESTION],
    )  # fmt: skip


def over(now: datetime) -> QuerySet[ReadEntry]:
    """What is older than the log is to be: all of it where none is written any more."""
    return ReadEntry.objects.filter(at__lt=now - timedelta(days=settings.COSTOPS_READ_LOG))


def _named(request: HttpRequest, kwargs: dict[str, str]) -> list[str]:
    """The teams that an address names."""
    given: Iterable[str] = (text for name in NAMED_BY for text in request.GET.getlist(name))
    told = [kwargs.get("team", ""), *(part for text in given for part in text.split(","))]
    return sorted({name.strip()[:60] for name in told if name.strip()})[:100]
