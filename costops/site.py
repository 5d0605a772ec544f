"""The admin's site: for staff, and for whoever manages access, who finds there what is theirs to manage."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from apps.teams.access import manages_access


class CostOpsSite(AdminSite):
    """Django's, with one more way in."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) or manages_access(request)
