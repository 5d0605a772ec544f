"""Django's registration of `savings`."""

from django.apps import AppConfig


class SavingsConfig(AppConfig):
    name = "apps.savings"
    label = "savings"

    def ready(self) -> None:
        """What was stated and measured can be looked at again as long as it is in the ledger."""
        from apps.marts import keeping
        from apps.savings.models import Initiative, Measurement  # not before all apps are there

        keeping.rest("statements", lambda: Initiative.objects.values_list("stated_in", flat=True))
        keeping.rest("measurements", lambda: Measurement.objects.values_list("publication", flat=True))
