"""What a token may do: everything read, everything written, or both of single areas only."""

from django.urls import get_resolver
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.api.models import ApiToken

READ, WRITE = "read", "write"
_V1 = "api/v1/"
_COMPAT = "api/compat/"
_BY_NAME = ("access",)
"""What tokens for all areas do not open: it must be named."""
_FOR_ALL = ("", "me")
"""What explains the API, and the token itself."""


class InsufficientScope(PermissionDenied):
    """The token lacks a scope; it is named."""

    default_code = "insufficient_scope"

    def __init__(self, scope: str) -> None:
        area, _, kind = scope.partition(":")
        more = "" if area in _BY_NAME else f", or {kind} for all areas"
        super().__init__(f"The token needs the scope {scope}{more}.")
        self.scope = scope


class InScope(BasePermission):
    """Whether the token of a request may do what is asked; a session may do what its user may."""

    def has_permission(self, request: Request, view: object) -> bool:
        match = request.resolver_match
        area = area_of(match.route if match else "")
        token = request.auth
        if not isinstance(token, ApiToken) or area in _FOR_ALL:
            return True
        kind = READ if request.method in SAFE_METHODS else WRITE
        wanted = {f"{area}:{kind}"} if area in _BY_NAME else {kind, f"{area}:{kind}"}
        if not wanted & set(token.scopes.split()):
            raise InsufficientScope(f"{area}:{kind}")
        return True


def area_of(route: str) -> str:
    """The area of an address: `costs` of `api/v1/costs/`; empty for what explains the API itself."""
    for start in (_V1, _COMPAT):
        if route.startswith(start):
            return route.removeprefix(start).partition("/")[0]
    return ""


def every_scope() -> tuple[str, ...]:
    """All scopes there are, those for everything first."""
    included = [each for each in get_resolver().url_patterns if str(each.pattern) == "api/"]
    routes = [f"api/{one.pattern}" for each in included for one in getattr(each, "url_patterns", ())]
    areas = sorted({area_of(route) for route in routes} - {*_FOR_ALL})
    return (READ, WRITE, *(f"{area}:{kind}" for area in areas for kind in (READ, WRITE)))
