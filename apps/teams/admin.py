"""Teams and who may see them, in the admin. Teams come from imported files; memberships are edited here."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.teams import granting
from apps.teams.access import manages_access
from apps.teams.granting import CannotGrant, Wish
from apps.teams.keepers import LastKeeper
from apps.teams.models import (
    DraftTrail,
    Grant,
    Membership,
    Organisation,
    Preference,
    RuleCount,
    RuleDraft,
    RuleSet,
    ServiceAccount,
    Team,
    Unit,
    UnitMembership,
)
from apps.teams.reading import OwnFilters, ToRead


class KeepsSomebody(OwnFilters):
    """Says why the last who looks after people stays; nothing is changed then."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return self._refused(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return self._refused(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        return self._refused(request, super().changelist_view, *args, **kwargs)

    def _refused(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        try:
            with transaction.atomic() if request.method == "POST" else nullcontext():
                return view(request, *args, **kwargs)
        except LastKeeper as last:
            self.message_user(request, str(_(str(last))), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]  # generic for the checker only
    """The people who may see a team."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Team)
class TeamAdmin(OwnFilters):
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
class UnitAdmin(OwnFilters):
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
class MembershipAdmin(OwnFilters):
    """Who may see the cost of which team."""

    list_display = ("user", "team")
    list_filter = ("team",)
    search_fields = ("user__username", "team__name", "team__title")
    autocomplete_fields = ("user", "team")
    list_select_related = ("user", "team")


@admin.register(UnitMembership)
class UnitMembershipAdmin(OwnFilters):
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


class OfAccess(OwnFilters):
    """For whoever manages access, without any permission of Django."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return manages_access(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return manages_access(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return manages_access(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return manages_access(request)


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker only
    """A role as somebody gives it, checked as everywhere."""

    class Meta:
        model = Grant
        fields = ("user", "group", "role", "reach", "value", "valid_from", "valid_to")

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if bool(given.get("user")) == bool(given.get("group")):
            raise ValidationError("Name a user or a group.")
        wanted: dict[str, Any] = {name: given.get(name) or "" for name in ("role", "reach", "value")}
        wanted |= {name: given.get(name) for name in ("valid_from", "valid_to")}
        try:
            granting.check(Wish("", **wanted))
        except CannotGrant as refused:
            raise ValidationError(str(refused)) from refused
        return given


@admin.register(Grant)
class GrantAdmin(KeepsSomebody, OfAccess):
    """Who holds which role, over what. A grant is given and taken back, not changed."""

    form = GrantForm
    list_display = ("__str__", "user", "group", "role", "reach", "value", "valid_from", "valid_to", "given_by")
    list_filter = ("role", "reach")
    search_fields = ("user__username", "group__name", "value")
    autocomplete_fields = ("user",)
    list_select_related = ("user", "group")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.given_by, obj.given_at = request.user.get_username(), timezone.now()  # noqa: TID251  # a form is an entry
        super().save_model(request, obj, form, change)


class ServiceAccountForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the checker only
    """A user for a program."""

    name = forms.CharField(max_length=64)

    class Meta:
        model = ServiceAccount
        fields = ("purpose",)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        try:
            granting.check_service_account(given.get("name", ""), given.get("purpose", ""))
        except CannotGrant as refused:
            raise ValidationError(str(refused)) from refused
        return given


@admin.register(ServiceAccount)
class ServiceAccountAdmin(OfAccess):
    """Users of programs: they bear tokens and cannot sign in."""

    form = ServiceAccountForm
    list_display = ("user", "purpose", "made_by", "made_at")
    search_fields = ("user__username", "purpose")
    list_select_related = ("user",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        now = timezone.now()  # noqa: TID251  # a form is an entry point
        by, given = request.user.get_username(), form.cleaned_data
        obj.user = granting.service_user(given["name"])
        obj.made_by, obj.made_at = by, now
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its user is switched off instead: what it did keeps its name


admin.site.unregister([User, Group])


@admin.register(Group)
class PeopleAdmin(KeepsSomebody, GroupAdmin):
    """Groups of people, to whom roles can be given."""


@admin.register(User)
class PersonAdmin(KeepsSomebody, UserAdmin):  # type: ignore[type-arg]  # generic for the checker only
    """People, for superusers and whoever manages access; these cannot make themselves or others superusers."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or manages_access(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or manages_access(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) or manages_access(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if super().has_change_permission(request, obj) and request.user.is_superuser:
            return True
        return manages_access(request) and not (obj is not None and (obj.is_superuser or obj.is_staff))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self.has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        own = () if request.user.is_superuser else ("is_superuser", "is_staff", "groups", "user_permissions")
        return (*super().get_readonly_fields(request, obj), *own)
