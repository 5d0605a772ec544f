"""Who asks: a token in the `Authorization` header."""

import base64
import binascii

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.api import selectors, services
from apps.api.models import ApiToken
from apps.audit.requests import begin_of_token

SCHEME = "Token"
MAX_HEADER = 300


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token costops_<id>_<secret>`. Whatever is wrong with a token, the answer is the same.

    Programs that know other schemes only may send it as `Bearer`, or as the password of `Basic` with any user name.
    What such a header holds and is no token of ours is somebody else's (a proxy's in front of us): the session decides.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        key = key_of(header)
        if key is None:
            return None
        now = timezone.now()  # noqa: TID251  # authentication is an entry point: tokens expire
        if len(header) > MAX_HEADER or not key.isascii() or "\x00" in key:
            raise AuthenticationFailed
        token = selectors.valid_token(key, now)
        if token is None:
            raise AuthenticationFailed
        services.note_use(token, now=now)
        begin_of_token(request._request, token.user.get_username(), token.public_id)
        return selectors.speaker_of(token), token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


def key_of(header: str) -> str | None:
    """What a header shows as a key of ours; None where it does not mean us."""
    scheme, _, shown = header.partition(" ")
    if scheme.lower() == SCHEME.lower():
        return shown.strip()
    key = {"bearer": shown.strip(), "basic": _password(shown)}.get(scheme.lower(), "")
    return key if key.startswith(f"{selectors.KEY_PREFIX}_") else None


def _password(shown: str) -> str:
    """The password of `Basic`, base64 of `user:password`; nothing where it is not that."""
    try:
        return base64.b64decode(shown.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
