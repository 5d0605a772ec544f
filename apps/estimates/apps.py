"""Django's registration of `estimates`."""

from django.apps import AppConfig


class EstimatesConfig(AppConfig):
    name = "apps.estimates"
    label = "estimates"
