"""Django's registration of `savings`."""

from django.apps import AppConfig


class SavingsConfig(AppConfig):
    name = "apps.savings"
    label = "savings"
