"""What a person asks of the machine: to look and fill now, and to try a failed run again. Nobody is kept waiting."""

from datetime import datetime

from apps.finops.errors import CostOpsError
from apps.pipeline import leases, selectors
from apps.pipeline.due import Ask
from apps.pipeline.models import StepRun
from apps.pipeline.services import ask_for, is_busy
from apps.pipeline.steps import BY_NAME, STEPS
from apps.pipeline.work import Work


class NotToBeRetried(CostOpsError):
    """The run did not fail, or a newer one of the same work is at hand."""


def fill_now(*, now: datetime) -> int:
    """Plan all that is due at once, whatever failed lately; how many pieces of work are at hand then.

    What becomes due by that work is planned when it is done.
    """
    with leases.the_clock() as clock:
        clock.looked_at = now
        clock.save()
        leases.set_aside_exhausted()
        for step in STEPS:
            if step.unit == "source" or not is_busy(step):
                ask_for(list(step.due(Ask(now))), now)
        return StepRun.objects.filter(state__in=StepRun.ACTIVE).count()


def retry(number: int, *, now: datetime) -> None:
    """Ask for the work of a failed run again."""
    with leases.the_clock():
        run = StepRun.objects.filter(pk=number, step__in=BY_NAME).first()
        if run is None or not selectors.retriable([run]):
            raise NotToBeRetried("Only the newest run of its work is tried again, and only where it failed.")
        ask_for([Work(run.step, run.source, run.window, run.fingerprint)], now)
