"""Teams and who may see them, in the admin. Teams come from imported files; memberships are edited here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.teams.models import (
    DraftTrail,
    Membership,
    Organisation,
    Preference,
    RuleCount,
    RuleDraft,
    RuleSet,
    Team,
    Unit,
    UnitMembership,
)
from apps.teams.reading import ToRead


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # generic for the checker only
    """The people who may see a team."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """A team: to read, but for its members."""

    list_display = ("name", "title", "department", "cost_center", "lead_name", "lead_email", "is_active")
    list_filter = ("is_active", "department")
    search_fields = ("name", "title", "lead_name")
    readonly_fields = list_display
    inlines = (MembershipInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UnitMembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # generic for the checker only
    """The people who may see the teams below a unit."""

    model = UnitMembership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Unit)
class UnitAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """A company, unit or department: to read, but for its members."""

    list_display = ("name", "kind", "title", "lead_name", "lead_email", "is_active")
    list_filter = ("is_active", "kind")
    search_fields = ("name", "title", "lead_name")
    readonly_fields = list_display
    inlines = (UnitMembershipInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Organisation)
class OrganisationAdmin(ToRead):
    """Imported versions of the tree, to read."""

    list_display = ("number", "imported_at", "sha256")
    date_hierarchy = "imported_at"


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Who may see the cost of which team."""

    list_display = ("user", "team")
    list_filter = ("team",)
    search_fields = ("user__username", "team__name", "team__title")
    autocomplete_fields = ("user", "team")
    list_select_related = ("user", "team")


@admin.register(UnitMembership)
class UnitMembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """Who may see the cost of the teams below which unit."""

    list_display = ("user", "unit")
    list_filter = ("unit",)
    search_fields = ("user__username", "unit__name", "unit__title")
    autocomplete_fields = ("user", "unit")
    list_select_related = ("user", "unit")


@admin.register(RuleSet)
class RuleSetAdmin(ToRead):
    """Imported versions of the rules, to read."""

    list_display = ("number", "imported_at", "sha256")
    date_hierarchy = "imported_at"


@admin.register(RuleDraft)
class RuleDraftAdmin(ToRead):
    """Drafts of rules, to read; they are decided about on their page."""

    list_display = ("id", "state", "valid_from", "base", "ruleset", "drafted_by", "drafted_at")
    list_filter = ("state",)
    search_fields = ("reason", "drafted_by")
    date_hierarchy = "drafted_at"


@admin.register(DraftTrail)
class DraftTrailAdmin(ToRead):
    """What was done to drafts, to read."""

    list_display = ("at", "by", "action", "draft", "why", "outcome")
    list_filter = ("action",)
    search_fields = ("by", "why", "outcome")
    date_hierarchy = "at"


@admin.register(RuleCount)
class RuleCountAdmin(ToRead):
    """What rules decided, counted once for the page of rules."""

    list_display = ("ruleset", "start", "end", "counted_at")
    date_hierarchy = "counted_at"


@admin.register(Preference)
class PreferenceAdmin(ToRead):
    """How people like to see pages; they change it on their page of settings."""

    list_display = ("user", "language", "theme", "time_zone", "team", "period", "currency")
    list_select_related = ("user",)
    search_fields = ("user__username",)
