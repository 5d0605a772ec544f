"""What people may only look at in the admin, whoever they are."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.http import HttpRequest

LOOKUPS = ("exact", "id__exact", "isnull", "year", "month", "day")
"""What filters and the hierarchy of dates ask for. All others cost more, or fail, and nothing offers them."""


class OwnFilters(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Lists that are filtered by what they offer alone: any other filter would tell, letter by letter, what no column
    shows, as the key of somebody's session."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        offered = {*map(str, self.get_list_filter(request)), self.date_hierarchy}
        name, _, asked = lookup.partition("__")
        return name in offered and (not asked or asked in LOOKUPS)


class ToRead(OwnFilters):
    """Rows that are made and changed elsewhere."""

    show_full_result_count = False  # counting a long table takes longer than to read a page of it

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:
        """What a list shows of another table comes with it, not row by row."""
        return tuple(filter(self._is_foreign, map(str, self.get_list_display(request))))

    def _is_foreign(self, name: str) -> bool:
        try:
            return bool(self.opts.get_field(name).is_relation)
        except FieldDoesNotExist:
            return False
