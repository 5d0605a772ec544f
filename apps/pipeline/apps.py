"""Django's registration of `pipeline`."""

from collections.abc import Iterable

from django.apps import AppConfig

from apps.alerts.facts import Ask, Fact, tell_of
from apps.warehouse import database


class PipelineConfig(AppConfig):
    name = "apps.pipeline"
    label = "pipeline"

    def ready(self) -> None:
        """What is done stays. Alerts stand below and cannot ask: which runs failed is told them from here."""
        database.keep_what_is_committed()
        database.leave_standbys()
        tell_of("failed_run", _failed_runs)


def _failed_runs(ask: Ask) -> Iterable[Fact]:
    from apps.pipeline.failing import facts  # with every step, which no command need wait for at its start

    return facts(ask)
