"""Django's registration of `pipeline`."""

from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "apps.pipeline"
    label = "pipeline"

    def ready(self) -> None:
        """Alerts stand below and cannot ask: which runs failed is told them from here."""
        from apps.alerts.rules import tell_of
        from apps.pipeline.failing import facts

        tell_of("failed_run", facts)
