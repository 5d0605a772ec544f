"""Who asks: a token in the `Authorization` header."""

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.api import selectors, services
from apps.api.models import ApiToken

SCHEME = "Token"
MAX_HEADER = 300


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token costops_<id>_<secret>`. Whatever is wrong with a token, the answer is the same."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        scheme, _, key = header.partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        now = timezone.now()  # noqa: TID251  # authentication is an entry point: tokens expire
        if len(header) > MAX_HEADER or not header.isascii() or "\x00" in header:
            raise AuthenticationFailed
        token = selectors.valid_token(key.strip(), now)
        if token is None:
            raise AuthenticationFailed
        services.note_use(token, now=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return SCHEME
