"""Django's registration of `reports`."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    name = "apps.reports"
    label = "reports"

    def ready(self) -> None:
        """What a letter links to can be read as long as the letter."""
        from apps.marts import keeping
        from apps.reports.models import Delivery  # not before all apps are there

        letters = Delivery.objects.filter(parts__isnull=False)
        keeping.rest("letters", lambda: letters.values_list("publication", flat=True).distinct())
