"""What people may only look at in the admin, whoever they are."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class ToRead(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Rows that are made and changed elsewhere."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
