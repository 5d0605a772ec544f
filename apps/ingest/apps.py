"""Django's registration of `ingest`."""

from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "apps.ingest"
    label = "ingest"

    def ready(self) -> None:
        """The ledger of restatements compares with what the lake held of a source when it was kept last."""
        from apps.finops.tables import CHARGES
        from apps.ingest.models import Source
        from apps.warehouse import reclaiming

        reclaiming.hold(
            "sources", lambda: ((CHARGES.name, at) for at in Source.objects.values_list("charges_version", flat=True))
        )
