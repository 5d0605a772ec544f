"""Tokens in the admin: to see whose they are, and to revoke them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.api.models import ApiToken
from apps.api.services import revoke_token


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Never a key, nor its hash. A token is revoked, not deleted: who had one stays known."""

    fields = list_display = (
        "public_id",
        "user",
        "name",
        "created_at",
        "expires_at",
        "last_used_day",
        "revoked_at",
    )
    search_fields = ("public_id", "user__username", "name")
    actions = ("revoke",)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, chosen: "QuerySet[ApiToken]") -> None:
        for token in chosen:
            revoke_token(token.public_id, now=timezone.now())  # noqa: TID251  # a button is an entry point

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
