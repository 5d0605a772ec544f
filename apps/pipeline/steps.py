"""The steps of a fill, in their order: the page to read first."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from apps.finops.steps import Queue
from apps.pipeline import due, work
from apps.pipeline.work import DayInputs, Run, Work

Unit = Literal["source", "days"]


@dataclass(frozen=True)
class Step:
    """One stage of a fill.

    `run` does a piece of work; repeating it changes nothing. `due` says which pieces there are to do now. A step of
    `unit` "source" runs for one source at a time, different sources side by side; one of `unit` "days" runs alone, or
    beside other windows of its own where it is `side_by_side`, and `inputs` are the fingerprints of what it fills days
    from. Workers of `queue` do it. `all_or_nothing`: an error-level problem fails the whole
    run; otherwise it concerns one file, and the rest counts.
    """

    name: str
    does: str
    run: Run
    due: Callable[[due.Ask], Iterable[Work]]
    unit: Unit
    queue: Queue
    after: tuple[str, ...] = ()
    inputs: DayInputs | None = None
    all_or_nothing: bool = True
    side_by_side: bool = False


STEPS = (
    Step("land", "copies new and changed files of a source, byte by byte", work.land, due.land, "source", "io"),
    Step(
        "normalize", "reads landed bills into charges", work.normalize, due.normalize, "source", "compute",
        after=("land",), all_or_nothing=False,
    ),
    Step(
        "meter", "reads landed usage files, or pulls usage from an API, day by day", work.meter, due.meter, "source",
        "compute", after=("land",), all_or_nothing=False,
    ),
    Step(
        "allocate", "divides the charges of changed days between teams", work.allocate, due.allocate, "days", "compute",
        after=("normalize", "meter"), inputs=due.inputs_of_allocation, side_by_side=True,
    ),
    Step(
        "estimate", "estimates the days whose bill has not come", work.estimate, due.estimate, "days", "compute",
        after=("allocate",), inputs=due.inputs_of_estimates,
    ),
    Step(
        "publish", "rebuilds the marts of changed months and pins a publication", work.publish, due.publish, "days",
        "compute", after=("allocate", "estimate"), inputs=due.inputs_of_publication,
    ),
    Step(
        "forecast", "forecasts the newest publication, day by day and for the end of month and quarter", work.forecast,
        due.forecast, "days", "learn", after=("publish",),
    ),
    Step(
        "budgets", "looks ahead for budgets that no forecast of the newest publication tells of", work.budgets,
        due.budgets, "days", "learn", after=("forecast",),
    ),
    Step(
        "anomalies", "looks through the newest publication for what departs from its usual", work.anomalies,
        due.anomalies, "days", "learn", after=("publish", "forecast"),
    ),
    Step(
        "idle", "finds what is paid for and not used in the newest publication", work.idle, due.idle, "days", "learn",
        after=("publish",),
    ),
    Step(
        "plan", "plans how the same work could cost less, for the newest publication", work.plan, due.plan, "days",
        "learn", after=("publish",),
    ),
    Step(
        "recommend", "makes what was found in the newest publication into recommendations with owners", work.recommend,
        due.recommend, "days", "learn", after=("forecast", "anomalies", "idle", "plan"),
    ),
    Step(
        "verify", "measures what initiatives and finished recommendations saved, by the newest publication",
        work.verify, due.verify, "days", "learn", after=("recommend",),
    ),
    Step(
        "alert", "tells people what asks for attention in the newest publication", work.alert, due.alert, "days", "io",
        after=("recommend", "verify"),
    ),
)  # fmt: skip

BY_NAME = {step.name: step for step in STEPS}
PLACE = {step.name: place for place, step in enumerate(STEPS)}
NAMES = tuple(BY_NAME)
QUEUE_OF = {step.name: step.queue for step in STEPS}
EXCLUSIVE = frozenset(step.name for step in STEPS if step.unit == "days")
