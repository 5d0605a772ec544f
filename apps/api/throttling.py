"""How often somebody may ask."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

if TYPE_CHECKING:  # the framework's views read the settings that name this module
    from rest_framework.views import APIView

WINDOW_SECONDS = 60


class UserThrottle(BaseThrottle):
    """At most `COSTOPS_API_REQUESTS_PER_MINUTE` requests a minute of one user; 0 means any number.

    The count is one atomic increment in the cache, which all processes share when it is Redis.
    """

    counted = "api-requests"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        if not settings.COSTOPS_API_REQUESTS_PER_MINUTE:
            return True
        most = int(settings.COSTOPS_API_REQUESTS_PER_MINUTE)
        key = f"{self.counted}:{request.user.pk}:{_seconds() // WINDOW_SECONDS}"
        cache.add(key, 0, 2 * WINDOW_SECONDS)
        try:
            count = cache.incr(key)
        except ValueError:  # a full cache threw the count away in between
            count = 1
        told = {"Limit": most, "Remaining": max(0, most - count), "Reset": int(self.wait())}
        view.headers |= {f"RateLimit-{name}": str(number) for name, number in told.items()}
        return count <= most

    def wait(self) -> float:
        return WINDOW_SECONDS - _seconds() % WINDOW_SECONDS


def _seconds() -> int:
    return int(timezone.now().timestamp())  # noqa: TID251  # counting requests by the minute needs the clock
