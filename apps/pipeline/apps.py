"""Django's registration of `pipeline`."""

from collections.abc import Iterable

from django.apps import AppConfig

from apps.alerts.facts import Ask, Fact, tell_of


class PipelineConfig(AppConfig):
    name = "apps.pipeline"
    label = "pipeline"

    def ready(self) -> None:
        """Alerts stand below and cannot ask: which runs failed is told them from here."""
        tell_of("failed_run", _failed_runs)


def _failed_runs(ask: Ask) -> Iterable[Fact]:
    from apps.pipeline.failing import facts  # with every step, which no command need wait for at its start

    return facts(ask)
