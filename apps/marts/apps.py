"""Django's registration of `marts`."""

from django.apps import AppConfig


class MartsConfig(AppConfig):
    name = "apps.marts"
    label = "marts"
