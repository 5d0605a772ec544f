"""Runs of whatever looks through publications: kept by publication, and taken over where nothing they saw changed."""

import hashlib
import itertools
from collections.abc import Iterable
from datetime import date, datetime
from typing import TypeVar

from django.db import transaction

from apps.insights.models import Anomaly, AnomalyRun, Forecast, ForecastRun, IdleFinding, IdleRun
from apps.marts.finished import finished
from apps.marts.models import Publication
from apps.warehouse import fencing

Run = ForecastRun | AnomalyRun | IdleRun
R = TypeVar("R", ForecastRun, AnomalyRun, IdleRun)
Found = Forecast | Anomaly | IdleFinding
AT_ONCE = 500


def looked_at(pinned: Publication, identity: str, *, today: date) -> str:
    """What is looked at, as one fingerprint: the days that are over, and what findings depend on besides."""
    return hashlib.sha256(f"{finished(pinned, today=today)} {identity}".encode()).hexdigest()


@transaction.atomic
def taken_over(kind: type[R], number: int, now: datetime, **same: str) -> R | None:
    """What was found in an earlier publication, if that saw the same: it is found in this one from now on."""
    fencing.check()
    runs = kind._default_manager
    before = runs.filter(**same).order_by("-pk").first()
    if before is not None:
        runs.filter(publication=number).exclude(pk=before.pk).delete()
        before.publication, before.created_at = number, now
        before.save()
    return before


def newest_inputs() -> list[str]:
    """What the newest of every kind was found from."""
    newest = (kind._default_manager.order_by("-publication").first() for kind in (ForecastRun, AnomalyRun, IdleRun))
    return [run.inputs if run else "" for run in newest]


@transaction.atomic
def keep(run: Run, found: Iterable[Found], *, most: int) -> int:
    """Save what a run found, in place of what an earlier one found in its publication; `most` newest runs stay. How
    much it was."""
    fencing.check()
    runs = type(run)._default_manager
    runs.filter(publication=run.publication).delete()
    run.save()
    count, rest = 0, iter(found)
    while some := list(itertools.islice(rest, AT_ONCE)):
        for one in some:
            one.run = run
        type(some[0])._default_manager.bulk_create(some)  # type: ignore[arg-type]  # all of one kind
        count += len(some)
    newest = runs.order_by("-publication").values_list("pk", flat=True)[:most]
    runs.exclude(pk__in=list(newest)).delete()
    return count
