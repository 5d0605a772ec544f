"""The admin as an app: its title, and names of tables in the language of whoever reads."""

from django.apps import apps
from django.contrib.admin.apps import AdminConfig
from django.core.checks import register
from django.db import models
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language, gettext_lazy

from costops import starting
from costops.names import APPS, CHOICES, COLUMNS, TABLES


class CostOpsAdmin(AdminConfig):
    """Django's admin under our name. Names of tables, columns and choices are given here, where no migration follows
    from them."""

    default_site = "costops.site.CostOpsSite"

    def ready(self) -> None:
        super().ready()
        register(starting.words)
        register(starting.amounts)
        from django.contrib import admin

        admin.site.site_header = admin.site.site_title = "CostOps"
        for label, name in APPS.items():
            apps.get_app_config(label).verbose_name = name
        for label, many in TABLES.items():
            options = apps.get_model(label)._meta
            options.verbose_name = _one_of(str(options.verbose_name), many)
            options.verbose_name_plural = many
        for model in apps.get_models():
            if model.__module__.startswith("apps."):
                _name_columns(model)


def _name_columns(model: type[models.Model]) -> None:
    """Say columns and their choices in the language of whoever reads; what the terminal says is English."""
    for field in model._meta.concrete_fields:
        name = str(field.verbose_name)
        field.verbose_name = _one_of(name, COLUMNS.get(name) or gettext_lazy(name))
        called = CHOICES.get(f"{model._meta.label_lower}.{field.name}", {})
        if isinstance(field.choices, list):  # those of a function tell themselves
            field.choices = [
                (value, _one_of(str(label), called.get(value) or gettext_lazy(str(label))))
                for value, label in field.flatchoices
            ]


def _one(single: str, many: Promise) -> str:
    """English tells one from many, Chinese does not. Columns and choices, too, have a name in English already."""
    return single if (get_language() or "en").startswith("en") else str(many)


_one_of = lazy(_one, str)
