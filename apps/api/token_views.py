"""The page of tokens: whoever is signed in makes keys that speak for them, and revokes them."""

from collections.abc import Iterator
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.generic import View

from apps.api import selectors, services
from apps.api.scopes import READ, WRITE
from apps.api.services import TokenRefusedError
from apps.teams.models import Team
from apps.teams.selectors import active_teams, visible_teams

DAYS = (7, 30, 90, 180, 365)
MAY: dict[str, tuple[str, ...]] = {"read": (READ,), "write": (READ, WRITE)}
"""What the form offers; single areas are for `manage.py token add --scope`."""


def _offered() -> Iterator[int]:
    """The days that tokens may live, among them the default."""
    most = settings.COSTOPS_TOKEN_MAX_DAYS
    yield from sorted({*(days for days in DAYS if days <= most), services.default_days()})


@method_decorator(never_cache, name="dispatch")
class Tokens(LoginRequiredMixin, View):
    """One's tokens, never their keys; a new one's key is in the answer to its making, and nowhere else."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponseBase:
        try:
            if revoked := request.POST.get("revoke", ""):
                self._revoke(revoked)
                return redirect("api-tokens")
            return self._page(key=self._issue())
        except TokenRefusedError as refused:
            return self._page(400, refused=str(refused))

    @property
    def _user(self) -> User:
        return cast(User, self.request.user)

    def _issue(self) -> str:
        name, days = self.request.POST.get("name", "").strip(), self.request.POST.get("days", "")
        scopes = MAY.get(self.request.POST.get("may", "read"))
        if not name or days not in map(str, _offered()) or scopes is None:
            raise TokenRefusedError(_("Say what the token is for, and how long it lives."))
        now = timezone.now()
        if services.is_full(self._user, name[:120], now=now):
            raise TokenRefusedError(_("Two live tokens are called so already: revoke one, or name this one otherwise."))
        teams = self.request.POST.getlist("team") or None
        if teams and not {*teams} <= {team.name for team in self._teams()}:
            raise TokenRefusedError(_("You see no such team."))
        return services.issue_token(self._user, now=now, name=name, days=int(days), scopes=scopes, teams=teams)

    def _teams(self) -> list[Team]:
        """The teams a token can be made for."""
        seen = visible_teams(self._user)
        return [team for team in active_teams() if seen is None or team.name in seen]

    def _revoke(self, public_id: str) -> None:
        """Somebody else's token is not there."""
        if not any(one.public_id == public_id for one in selectors.tokens_of(self._user)):
            raise TokenRefusedError(_("You have no such token."))
        services.revoke_token(public_id, now=timezone.now())

    def _page(self, status: int = 200, **said: Any) -> HttpResponseBase:
        now = timezone.now()
        tokens = [
            (one, "revoked" if one.revoked_at else "over" if one.expires_at <= now else "valid")
            for one in selectors.tokens_of(self._user)
        ]
        context = {
            "tokens": tokens, "days": [*_offered()], "default_days": services.default_days(),
            "teams": self._teams(), **said,
        }  # fmt: skip
        return render(self.request, "api/tokens.html", context, status=status)
