"""Issuing and revoking tokens."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from apps.api.models import ApiToken
from apps.api.scopes import READ, every_scope
from apps.api.selectors import KEY_PREFIX, hash_of
from apps.finops.errors import CostOpsError

DEFAULT_DAYS = 90
MAX_DAYS = 365


class TokenRefusedError(CostOpsError):
    """The token cannot be issued or revoked as asked."""


def issue_token(
    user: User, *, now: datetime, name: str = "", days: int = DEFAULT_DAYS, scopes: Sequence[str] = (READ,)
) -> str:
    """A new token's key: the only time that anybody sees it. It may read only, unless scopes say otherwise."""
    if not 1 <= days <= MAX_DAYS:
        raise TokenRefusedError(f"A token lives between 1 and {MAX_DAYS} days, not {days}.")
    if unknown := [scope for scope in scopes if scope not in every_scope()]:
        raise TokenRefusedError(f"There is no scope {unknown[0][:60]!r}; there is {', '.join(every_scope())}.")
    public_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    ApiToken.objects.create(
        public_id=public_id,
        secret_hash=hash_of(secret),
        user=user,
        name=name[:120],
        scopes=" ".join(dict.fromkeys(scopes)),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    return f"{KEY_PREFIX}_{public_id}_{secret}"


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
