"""Tokens in the admin, to see whose they are and to revoke them; kept answers to read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.api.models import ApiToken, KeptAnswer
from apps.api.services import revoke_token
from apps.teams.access import manages_access
from apps.teams.reading import ToRead


@admin.register(ApiToken)
class ApiTokenAdmin(ToRead):
    """Never a key, nor its hash. A token is revoked, not deleted: who had one stays known."""

    fields = list_display = (
        "public_id",
        "user",
        "name",
        "scopes",
        "teams",
        "created_at",
        "expires_at",
        "last_used_day",
        "revoked_at",
    )
    search_fields = ("public_id", "user__username", "name")
    date_hierarchy = "created_at"
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return manages_access(request) or request.user.has_perm("api.change_apitoken")

    @admin.action(description="Revoke the selected tokens", permissions=("revoke",))
    def revoke(self, request: HttpRequest, chosen: "QuerySet[ApiToken]") -> None:
        for token in chosen:
            revoke_token(token.public_id, now=timezone.now())  # noqa: TID251  # a button is an entry point


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ToRead):
    """What answers a write that is sent again; the answers themselves are for who asked."""

    fields = list_display = ("user", "key", "claimed_at", "status")
    search_fields = ("key", "user__username")
