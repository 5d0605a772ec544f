"""The time zone that moments are shown in: that of the business, or the one that whoever looks has chosen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.teams.preferring import preference_of

_chosen: ContextVar[str] = ContextVar("time_zone", default="")


def shown_in() -> ZoneInfo:
    """The zone of whoever looks; outside of requests that of the business."""
    return ZoneInfo(_chosen.get() or settings.COSTOPS_TIME_ZONE)


@contextmanager
def shown(zone: str) -> Iterator[None]:
    """Show moments in a zone, meanwhile."""
    before = _chosen.set(zone)
    try:
        yield
    finally:
        _chosen.reset(before)


class ShowOwnZone:
    """Middleware: the pages of somebody show moments in the zone they have chosen."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_page = not request.path.startswith("/api/") and request.user.is_authenticated
        with shown(preference_of(request.user).time_zone if is_page else ""):
            return self.get_response(request)
