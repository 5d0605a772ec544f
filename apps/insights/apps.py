"""Django's registration of `insights`."""

from django.apps import AppConfig


class InsightsConfig(AppConfig):
    name = "apps.insights"
    label = "insights"

    def ready(self) -> None:
        """The newest forecast is drawn behind the cost it was made from, however long ago that was."""
        from apps.insights.models import ForecastRun  # not before all apps are there
        from apps.marts import keeping

        runs = ForecastRun.objects.order_by("-publication")
        keeping.rest("forecast", lambda: runs.values_list("publication", flat=True)[:1])
