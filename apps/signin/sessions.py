"""How long a sign-in lasts: not for ever, not unused for long, and not beyond a change of the second factor."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.internal.flows import sessions as flows
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone

BEGAN, SEEN = "access_began", "access_seen"
NOTED_EVERY = 60.0
"""Seconds between two notes of somebody being there: reading pages is not writing all the time."""


def begin(sender: Any, *, request: HttpRequest, **_told: Any) -> None:
    """Somebody signed in, whichever way."""
    session = getattr(request, "session", None)
    if session is not None:
        now = timezone.now()  # noqa: TID251  # a sign-in happens now
        session[BEGAN] = session[SEEN] = now.timestamp()


def is_over(session: SessionBase, now: datetime) -> bool:
    """Whether a session was unused, or is there, for longer than the installation wants."""
    moment = now.timestamp()
    began, seen = session.get(BEGAN, moment), session.get(SEEN, moment)
    idle = timedelta(minutes=settings.COSTOPS_SESSION_IDLE_MINUTES).total_seconds()
    longest = timedelta(hours=settings.COSTOPS_SESSION_HOURS).total_seconds()
    return moment - began > longest or bool(idle and moment - seen > idle)


def note(request: HttpRequest, now: datetime, *, address: str) -> None:
    """Note that somebody is there, once a minute at most."""
    session = request.session
    session.setdefault(BEGAN, now.timestamp())
    if now.timestamp() - session.get(SEEN, 0.0) < NOTED_EVERY:
        return
    session[SEEN] = now.timestamp()
    UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=now, ip=address)


def end_others(sender: Any, *, request: HttpRequest, user: User, **_told: Any) -> None:
    """Somebody's second factor changed: whoever else uses the account has to sign in anew."""
    flows.end_other_sessions(request, user)


def sessions_of(user: User) -> list[UserSession]:
    """Where somebody is signed in, the newest sign-in first."""
    return sorted(UserSession.objects.purge_and_list(user), key=lambda one: one.created_at, reverse=True)


BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")
"""What a browser says of itself names others too: the first that is there is meant."""


def browser_of(user_agent: str) -> str:
    """Which browser on which system; what it says itself where we do not know it."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    system = next((name for name in SYSTEMS if name in user_agent), "")
    return " · ".join(filter(None, (browser, system))) if browser else user_agent


def end(request: HttpRequest, sessions: Iterable[UserSession]) -> None:
    """End sessions; ending one's own is signing out."""
    flows.end_sessions(request, list(sessions))


def end_all(user: User) -> int:
    """End every session of somebody."""
    found = list(UserSession.objects.filter(user=user))
    for one in found:
        one.end()
    return len(found)


def forget_over(now: datetime) -> int:
    """Delete the sessions that are over, and what was told of them; how many."""
    forgotten, _ = Session.objects.filter(expire_date__lt=now).delete()
    alive = Session.objects.filter(session_key=OuterRef("session_key"))
    UserSession.objects.filter(~Exists(alive), last_seen_at__lt=now - timedelta(hours=1)).delete()
    return forgotten
