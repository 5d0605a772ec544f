"""Reading tokens."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.api.models import ApiToken
from apps.teams.access import only_of

KEY_PREFIX = "costops"
_NO_HASH = "0" * 64


def hash_of(secret: str) -> str:
    """The keyed hash under which a secret is kept: without the installation's key a stolen database proves nothing."""
    return salted_hmac("apps.api.token", secret, algorithm="sha256").hexdigest()


def valid_token(key: str, now: datetime) -> ApiToken | None:
    """The token a key `costops_<id>_<secret>` opens, unless unknown, revoked, expired, or its user may not sign in."""
    prefix, public_id, secret = [*key.split("_", 2), "", ""][:3]
    token = ApiToken.objects.select_related("user").filter(public_id=public_id).first()
    matches = constant_time_compare(hash_of(secret), token.secret_hash if token else _NO_HASH)
    if token is None or not matches or prefix != KEY_PREFIX:
        return None
    return token if token.revoked_at is None and token.expires_at > now and token.user.is_active else None


def speaker_of(token: ApiToken) -> User:
    """Whoever speaks by a token: its user, or its user for some teams."""
    return token.user if token.teams is None else only_of(token.user, token.teams)


def tokens() -> Iterable[ApiToken]:
    """Every token, the newest first."""
    return ApiToken.objects.select_related("user").order_by("-created_at", "-pk")


def tokens_of(user: User) -> list[ApiToken]:
    """Somebody's own tokens, the newest first."""
    return list(ApiToken.objects.filter(user=user).order_by("-created_at", "-pk"))
