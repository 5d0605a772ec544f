"""Runs that failed and were not made good since, as facts for alerts."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from apps.alerts.facts import Ask, Fact
from apps.finops.findings import Sentence
from apps.finops.windows import Window
from apps.ingest.selectors import retired_sources
from apps.pipeline import retries
from apps.pipeline.models import StepRun

LOOKED_BACK = timedelta(days=14)
MOST_MESSAGE = 400
LINK = "/sources/"

FAILED = "The run %(run)s failed"
SET_ASIDE = "The run %(run)s was set aside: workers died on it"
AT = "Last on %(moment)s, attempt %(attempt)s"
SAID = "%(message)s"
TEXTS = (FAILED, SET_ASIDE, AT)
"""Every sentence, for translation."""


def facts(ask: Ask) -> Iterator[Fact]:
    """The newest run of every piece of work that failed, while nothing like it has succeeded since."""
    retired = retired_sources()
    finished = StepRun.objects.exclude(state__in=StepRun.ACTIVE).filter(finished_at__gte=ask.now - LOOKED_BACK)
    newest: dict[str, StepRun] = {run.key: run for run in finished.order_by("pk")}
    done = [run for run in finished if run.state == StepRun.State.DONE]
    for run in newest.values():
        is_failed = run.state == StepRun.State.FAILED and run.source not in retired
        if is_failed and not any(_mends(one, run) for one in done):
            yield _fact(run)


def set_aside() -> Counter[str]:
    """By step, how many pieces of work are set aside, as `facts` tells them; one that is tried again still is."""
    finished = StepRun.objects.exclude(state__in=StepRun.ACTIVE)
    aside = finished.filter(
        ~Exists(finished.filter(key=OuterRef("key"), pk__gt=OuterRef("pk"))),
        state=StepRun.State.FAILED, failure=retries.QUARANTINED, finished_at__gte=Now() - LOOKED_BACK,
    ).exclude(source__in=retired_sources())  # fmt: skip
    return Counter(run.step for run in aside if not any(_mends(done, run) for done in _done_since(run)))


def _done_since(failed: StepRun) -> list[StepRun]:
    done = StepRun.objects.filter(step=failed.step, source=failed.source, state=StepRun.State.DONE, pk__gt=failed.pk)
    return list(done.only("step", "source", "window_start", "window_end"))


def _mends(done: StepRun, failed: StepRun) -> bool:
    """Whether a later run of the same step and source did what the failed one was to do, or part of it."""
    if (done.step, done.source) != (failed.step, failed.source) or done.pk < failed.pk:
        return False
    theirs, ours = _days(done), _days(failed)
    return theirs is None or ours is None or (theirs.start < ours.end and ours.start < theirs.end)


def _days(run: StepRun) -> Window | None:
    return Window(run.window_start, run.window_end) if run.window_start and run.window_end else None


def _fact(run: StepRun) -> Fact:
    is_aside = run.failure == retries.QUARANTINED
    moment = f"{run.finished_at:%Y-%m-%d %H:%M}Z"
    return Fact(
        subject=run.key,
        severity="critical" if is_aside else "warning",
        title=Sentence(SET_ASIDE if is_aside else FAILED, {"run": run.key}),
        lines=(
            Sentence(AT, {"moment": moment, "attempt": str(run.attempt)}),
            Sentence(SAID, {"message": run.message[:MOST_MESSAGE]}),
        ),
        link=LINK,
    )
