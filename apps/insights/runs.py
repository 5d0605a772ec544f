"""Runs of whatever looks through publications: kept by publication, and taken over where nothing they saw changed."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from apps.insights.models import Anomaly, AnomalyRun, Forecast, ForecastRun, IdleFinding, IdleRun

Run = ForecastRun | AnomalyRun | IdleRun
Found = Forecast | Anomaly | IdleFinding


@transaction.atomic
def take_over(before: Run, number: int, now: datetime) -> None:
    """What was found in an earlier publication is found in this one: it saw the same."""
    type(before)._default_manager.filter(publication=number).exclude(pk=before.pk).delete()
    before.publication, before.created_at = number, now
    before.save(update_fields=["publication", "created_at"])


@transaction.atomic
def keep(run: Run, found: Sequence[Found], *, most: int) -> None:
    """Save what a run found, in place of what an earlier one found in its publication; `most` newest runs stay."""
    runs = type(run)._default_manager
    runs.filter(publication=run.publication).delete()
    run.save()
    for one in found:
        one.run = run
    if found:
        type(found[0])._default_manager.bulk_create(found, batch_size=500)  # type: ignore[arg-type]  # all of one kind
    newest = runs.order_by("-publication").values_list("pk", flat=True)[:most]
    runs.exclude(pk__in=list(newest)).delete()
