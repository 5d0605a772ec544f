"""Who looked at which teams' cost and took files of it: written and kept for days where `COSTOPS_READ_LOG` says so.

It stands beside the chain, for it is forgotten again: a chain from which entries are taken would not hold.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.audit.models import ReadEntry
from apps.teams.access import Access, access_of
from apps.teams.roles import Can

SHOWN = "shown_teams"
"""What a view sets on a request whose answer is of some of the teams that its reader may see: their names."""
MOST_QUESTION = 1000


def note_read(
    request: HttpRequest, *, is_export: bool, way: str, address: str, at: datetime, question: str = ""
) -> None:
    """Write down who saw what; nothing of those who see nothing of any team."""
    access, match = access_of(request.user), request.resolver_match
    seen, accounts = _known(access), access.accounts()
    if match is None or (seen == frozenset() and not accounts):
        return
    shown = _shown(request, match.kwargs)
    teams = shown if seen is None else seen if shown is None else seen & shown
    ReadEntry.objects.create(
        at=at, actor=access.name, way=way, action=(match.url_name or match.view_name)[:80],
        teams=None if teams is None else sorted(teams), accounts=sorted(accounts), is_export=is_export,
        address=address[:45], question=question[:MOST_QUESTION],
    )  # fmt: skip


def over(now: datetime) -> QuerySet[ReadEntry]:
    """What is older than the log is to be: all of it where none is written any more."""
    return ReadEntry.objects.filter(at__lt=now - timedelta(days=settings.COSTOPS_READ_LOG))


def _known(access: Access) -> frozenset[str] | None:
    """The teams of which somebody may see anything: their cost, or what is to be decided; None for all."""
    seen, decided = access.teams(Can.SEE_COST), access.teams(Can.DECIDE)
    return None if seen is None or decided is None else seen | decided


def _shown(request: HttpRequest, named: dict[str, str]) -> frozenset[str] | None:
    """The teams that an answer is of, as far as its view knew; None: all that its reader may see. What an address
    asks for besides is not believed: views read it in their own ways, or not at all."""
    return frozenset({named["team"]}) if "team" in named else getattr(request, SHOWN, None)
