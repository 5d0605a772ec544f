"""The time zone that moments are shown in: that of the business, or the one that whoever looks has chosen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from apps.teams.models import Preference
from apps.teams.preferring import preference_of

_chosen: ContextVar[str] = ContextVar("time_zone", default="")


def shown_in() -> ZoneInfo:
    """The zone of whoever looks; that of the business outside of requests, and where theirs is none any more."""
    with suppress(ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(_chosen.get() or settings.COSTOPS_TIME_ZONE)
    return ZoneInfo(settings.COSTOPS_TIME_ZONE)


@contextmanager
def shown(zone: str) -> Iterator[None]:
    """Show moments in a zone, meanwhile."""
    before = _chosen.set(zone)
    try:
        yield
    finally:
        _chosen.reset(before)


class AsPreferred:
    """Middleware: pages know what whoever looks prefers (`request.preference`), and show moments in their zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_page = not request.path.startswith("/api/") and request.user.is_authenticated
        preference = preference_of(request.user) if is_page else Preference()
        request.preference = preference  # type: ignore[attr-defined]  # for templates
        with shown(preference.time_zone):
            return self.get_response(request)
