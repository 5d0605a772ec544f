"""Issuing and revoking tokens."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User

from apps.api.models import ApiToken
from apps.api.scopes import READ, every_scope
from apps.api.selectors import KEY_PREFIX, hash_of
from apps.finops.errors import CostOpsError
from apps.teams.access import is_service
from apps.teams.models import Team

DEFAULT_DAYS = 90
MOST_LIVE = 2
"""Of one name: the one in use, and the one that is to follow it."""


class TokenRefusedError(CostOpsError):
    """The token cannot be issued or revoked as asked."""


def issue_token(
    user: User,
    *,
    now: datetime,
    name: str = "",
    days: int | None = None,
    scopes: Sequence[str] = (READ,),
    teams: Sequence[str] | None = None,
) -> str:
    """A new token's key: the only time that anybody sees it. It may read only, unless scopes say otherwise; with
    `teams` it speaks for its user over these teams only."""
    days = default_days() if days is None else days
    _check(user, name[:120], days, scopes, teams, now)
    public_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    ApiToken.objects.create(
        public_id=public_id,
        secret_hash=hash_of(secret),
        user=user,
        name=name[:120],
        scopes=" ".join(dict.fromkeys(scopes)),
        teams=None if teams is None else sorted(set(teams)),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return f"{KEY_PREFIX}_{public_id}_{secret}"


def default_days() -> int:
    """How long a token lives of which nobody says it."""
    return min(DEFAULT_DAYS, settings.COSTOPS_TOKEN_MAX_DAYS)


def _check(user: User, name: str, days: int, scopes: Sequence[str], teams: Sequence[str] | None, now: datetime) -> None:
    most = settings.COSTOPS_TOKEN_MAX_DAYS
    if not 1 <= days <= most:
        raise TokenRefusedError(f"A token lives between 1 and {most} days (COSTOPS_TOKEN_MAX_DAYS), not {days}.")
    if unknown := [scope for scope in scopes if scope not in every_scope()]:
        raise TokenRefusedError(f"There is no scope {unknown[0][:60]!r}; there is {', '.join(every_scope())}.")
    if teams is not None and not teams:
        raise TokenRefusedError("teams: name at least one, or none at all for every team its user sees.")
    known = set(Team.objects.filter(name__in=teams or ()).values_list("name", flat=True))
    if strangers := sorted(set(teams or ()) - known):
        raise TokenRefusedError(f"There is no team {strangers[0][:60]!r}.")
    if not name and is_service(user):
        raise TokenRefusedError("A token of a service account has a name: say which program bears it.")
    if name and is_full(user, name, now=now):
        raise TokenRefusedError(
            f"{user.get_username()} has {MOST_LIVE} live tokens called {name!r}, one in use and one to follow it; "
            "revoke one, or name this one otherwise."
        )


def is_full(user: User, name: str, *, now: datetime) -> bool:
    """Whether somebody has as many live tokens of a name as there may be."""
    return ApiToken.objects.filter(user=user, name=name, revoked_at=None, expires_at__gt=now).count() >= MOST_LIVE


def revoke_token(public_id: str, *, now: datetime) -> None:
    """Make a token worthless from the next request on; revoking it again changes nothing."""
    found = ApiToken.objects.filter(public_id=public_id)
    if not found.exists():
        raise TokenRefusedError(f"There is no token {public_id}; `manage.py token list` shows all.")
    found.filter(revoked_at=None).update(revoked_at=now)


def note_use(token: ApiToken, *, now: datetime) -> None:
    """Remember the day a token was last used; written once a day, not once a request."""
    if token.last_used_day != now.date():
        ApiToken.objects.filter(pk=token.pk).update(last_used_day=now.date())
