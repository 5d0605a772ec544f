"""The admin: every model has its pages, for staff; nothing but memberships is changed there."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from apps.alerts.models import Alert
from apps.channels.models import Channel
from apps.ingest.models import Source
from apps.teams.models import Grant, ServiceAccount
from costops.names import CHOICES

MODELS = [model for model in apps.get_models() if model.__module__.startswith("apps.")]
CHANGED_HERE = {"teams.membership", "teams.unitmembership"}
"""What is added, changed and removed in the admin."""
REMOVED_HERE = CHANGED_HERE | {"teams.grant"}
"""What is given and taken there, besides."""
ADDED_HERE = REMOVED_HERE | {"teams.serviceaccount"}
"""What is made there, besides; the rest of it belongs to the terminal."""
MEMBERS_CHANGED_HERE = {"teams.team", "teams.unit"}
"""What is to be read there, but for its members."""
SECRET = "not-for-the-admin"
SOURCE_MAY_HOLD_IT = ("location", "options")
QUERIES_FOR_A_LIST = 17
"""Session, user and how the reader likes to see pages among them."""
WHEN = datetime(2026, 10, 31, 4, 30, tzinfo=UTC)
PLAIN: dict[type[models.Field], Callable[[models.Field], Any]] = {
    models.BooleanField: lambda _: False,
    models.FloatField: lambda _: 0.5,
    models.DecimalField: lambda _: 1,
    models.IntegerField: lambda _: 1,
    models.DateTimeField: lambda _: WHEN,
    models.DateField: lambda _: date(2026, 10, 31),
    models.TimeField: lambda _: time(8),
    models.BinaryField: lambda _: b"x",
    models.JSONField: lambda field: field.get_default() if field.has_default() else [],
    models.CharField: lambda field: "1",
    models.TextField: lambda field: "1",
}
ALLOWED: dict[str, dict[str, Any]] = {
    "api.ApiToken": {"expires_at": datetime(2027, 1, 1, tzinfo=UTC)},
    "books.Dispute": {"settled_by": ""},
    "books.ManualEntry": {"to_team": "search"},
    "budgets.Budget": {"grain": "month"},
    "budgets.BudgetVersion": {"rollover": "none", "profile": "even"},
    "calendars.Span": {"kind": "term"},
    "insights.PlannedChange": {"first_day": date(2026, 11, 1)},
    "rates.Rate": {"from_currency": "USD", "to_currency": "CNY"},
    "rates.RateVersion": {"kind": "rates"},
    "teams.Grant": {"value": ""},
    "teams.Unit": {"kind": "unit"},
}
"""What the constraints of a table ask for beyond the plain values."""


def value_of(field: models.Field) -> Any:
    if "secret" in field.name or (field.model is Source and field.name in SOURCE_MAY_HOLD_IT):
        return {"password": SECRET} if isinstance(field, models.JSONField) else SECRET
    if field.choices:
        return field.flatchoices[0][0]
    if field.has_default() and not isinstance(field, models.CharField | models.TextField):
        return field.get_default()
    return next(make(field) for kind, make in PLAIN.items() if isinstance(field, kind))


def make(model: type[models.Model]) -> models.Model:
    """A row of any table, with rows of the tables it refers to; the same one for every referrer."""
    values = dict(ALLOWED.get(model._meta.label, {}))
    if model in (Channel, Grant):
        values["user"] = User.objects.first()  # of a user, or of a team or group
    if model is ServiceAccount:
        values["user"] = User.objects.create_user("robot")  # who may not sign in from now on
    for field in model._meta.concrete_fields:
        if field.name in values or isinstance(field, models.AutoField):
            continue
        if field.null:
            continue
        if not field.is_relation:
            values[field.name] = value_of(field)
        else:
            other = field.related_model
            values[field.name] = other.objects.first() or make(other)
    return model.objects.create(**values)


@pytest.fixture
def staff(people, client_of):
    return client_of("staff")


def test_every_model_is_in_the_admin():
    assert len(MODELS) > 60
    assert [model._meta.label for model in MODELS if not admin.site.is_registered(model)] == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_every_page_of_a_model_answers(staff, model):
    row = make(model)
    name = model._meta.label_lower
    page = f"/admin/{name.replace('.', '/')}/"
    with CaptureQueriesContext(connection) as asked:
        listed = staff.get(page)
    assert listed.status_code == 200
    assert len(asked) <= QUERIES_FOR_A_LIST
    assert staff.get(f"{page}?q=x").status_code == 200
    changed = staff.get(f"{page}{row.pk}/change/")
    assert changed.status_code == 200
    assert SECRET not in listed.content.decode() + changed.content.decode()
    assert staff.get(f"{page}add/").status_code == (200 if name in ADDED_HERE else 403)
    assert staff.post(f"{page}{row.pk}/delete/", {"post": "yes"}).status_code == (302 if name in REMOVED_HERE else 403)
    can_change = name in CHANGED_HERE | MEMBERS_CHANGED_HERE
    assert (b'name="_save"' in changed.content) is can_change


OURS = {model: found for model, found in admin.site._registry.items() if found.list_filter or found.date_hierarchy}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label_lower)
def test_a_list_is_filtered_by_what_it_offers(staff, rf, model):
    request = rf.get("/")
    request.user = User.objects.get(username="staff")
    shown = OURS[model].get_changelist_instance(request)
    asked = {name for one in shown.filter_specs for name in one.expected_parameters()}
    if shown.date_hierarchy:
        asked |= {f"{shown.date_hierarchy}__{part}" for part in ("year", "month", "day")}
    page = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
    for name in asked:
        assert staff.get(page, {name: "2026" if name.endswith("__year") else "1"}).status_code == 200, name
        assert staff.get(page, {name: "no such"}).status_code in (200, 302), name


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label_lower)
def test_a_list_is_filtered_by_nothing_else(staff, model):
    page = f"/admin/{model._meta.label_lower.replace('.', '/')}/"
    for name in ("pk__range", "pk__regex", *(f"{field.name}__startswith" for field in model._meta.fields)):
        assert staff.get(page, {name: "1"}).status_code == 400, name


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_every_table_has_a_chinese_name(model):
    """In costops/names.py, and translated."""
    with translation.override("zh-hans"):
        names = model._meta.verbose_name, model._meta.verbose_name_plural, model._meta.app_config.verbose_name
        assert [str(name) for name in names if str(name).isascii() and name != "REST API"] == []
    with translation.override("en"):
        assert str(model._meta.verbose_name).isascii()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label_lower)
def test_every_column_has_a_chinese_name(model):
    """Its name is translated, or what costops/names.py calls it."""
    columns = [field for field in model._meta.concrete_fields if field.name != "id"]
    with translation.override("zh-hans"):
        assert [str(one.verbose_name) for one in columns if str(one.verbose_name).isascii()] == []
    with translation.override("en"):
        assert [one.name for one in columns if str(one.verbose_name) != one.name.replace("_", " ")] == []


CHOSEN = {
    f"{model._meta.label_lower}.{field.name}": field
    for model in MODELS
    for field in model._meta.concrete_fields
    if field.choices
}
THE_SAME = {"GPU", "Prometheus", "Serverless"}
"""What is called so in Chinese as well."""


@pytest.mark.parametrize("column", CHOSEN)
def test_every_choice_has_a_chinese_name(column):
    """Its label is translated, or what costops/names.py calls it."""
    with translation.override("zh-hans"):
        said = [str(name) for _value, name in CHOSEN[column].flatchoices]
    assert [name for name in said if name.isascii() and name not in THE_SAME] == []
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("column", CHOICES)
def test_choices_that_are_named_are_there(column):
    assert CHOICES[column].keys() <= {value for value, _name in CHOSEN[column].flatchoices}


@pytest.mark.parametrize(("language", "told"), [("en", "open"), ("zh-hans", "待确认")])
def test_a_list_tells_choices_in_the_readers_language(staff, language, told):
    make(Alert)
    body = staff.get("/admin/alerts/alert/", headers={"accept-language": language}).content.decode()
    assert f'class="field-state">{told}<' in body
    assert ("发起时间" in body) is (language != "en")
