"""Looking ahead for budgets that no forecast tells of: of another dimension, basis or currency, or of a year."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import numpy as np
from django.db import transaction
from django.utils.translation import gettext_noop

from apps.budgets.models import Budget, BudgetVersion, Outlook
from apps.budgets.outlooks import forecast_ahead, run_of
from apps.budgets.selectors import NO_RATE, budgets, end_of, untold
from apps.budgets.spending import Spent, spending
from apps.calendars.periods import period_of
from apps.calendars.selectors import calendar
from apps.finops.findings import Sentence
from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.finops.windows import Window
from apps.insights.forecasting import SEED, bounds_of_sums
from apps.insights.history import HORIZON, MOST_DAYS
from apps.insights.landing import Ahead
from apps.insights.selectors import first_days
from apps.learning.calendars import FEWEST_DAYS, TooShort
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.marts.tagging import tag_dimensions
from apps.rates.selectors import newest_version
from apps.warehouse import fencing
from apps.warehouse.sentences import kept

MODEL_VERSION = "2"
"""Raised whenever the same costs would be told otherwise."""
KEPT = 30
"""Outlooks of so many publications stay."""
_UNIT = Decimal("0.000001")
NO_COST = gettext_noop("No forecast of it can be made: it has no cost yet.")
TOO_FEW = gettext_noop("No forecast of it can be made: that needs %(needed)s days of cost, and there are %(known)s.")
TOO_FAR = gettext_noop(
    "No forecast of it can be made: %(known)s days of cost tell nothing of the %(ahead)s days to the end of its period."
)


def identity() -> str:
    """What outlooks depend on besides costs and forecasts."""
    newest = BudgetVersion.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    tags = f" {tag_dimensions()}" if tag_dimensions() else ""
    return f"{MODEL_VERSION} {newest} {newest_version()}{tags}"


def look_ahead(*, now: datetime) -> StepResult:
    """Make the outlooks that budgets need of the newest publication, in place of those made of it before."""
    pinned = publication()
    run = run_of(pinned)
    problems: list[Problem] = []
    if run is None or run.first_day is None or pinned.first_day is None:
        return StepResult(versions={"publication": pinned.number})
    newest = run.first_day
    needed = _needed(pinned, newest)
    first = max(pinned.first_day, newest - timedelta(days=MOST_DAYS))
    costs = spending(needed, Window(first, newest), pinned) if needed and first < newest else {}
    rows = []
    for (end, horizon), many in _alike(needed, costs, first_days(run), newest).items():
        complete = {one.pk: costs[one.pk].until(end) for one in many}
        made = _made(many, complete, first, end, horizon)
        rows += [_row(one, pinned, now, end, *made[one.pk]) for one in many]
        problems += [
            Problem("note", "no_outlook", one.name, f"{why}") for one in many if (why := made[one.pk][1]) is not None
        ]
    with transaction.atomic():
        fencing.check()
        Outlook.objects.filter(publication=pinned.number).delete()
        Outlook.objects.filter(publication__lte=pinned.number - KEPT).delete()
        Outlook.objects.bulk_create(rows, batch_size=200)
    return StepResult(rows=len(rows), problems=tuple(problems), versions={"publication": pinned.number})


def _needed(pinned: Publication, end: date) -> list[Budget]:
    """The budgets in force that no forecast tells of, or not up to the end of their period."""
    alive = [one for one in budgets() if (until := end_of(one)) is None or until > end]
    told = forecast_ahead(alive, run_of(pinned))
    return [one for one in alive if one.pk not in told or told[one.pk].end < _end_of_period(one, end)]


def _end_of_period(budget: Budget, end: date) -> date:
    """The end of the period that is told of next: of the last known day, and of the first day ahead."""
    return period_of(budget.grain, end).end


def _alike(
    needed: Sequence[Budget], costs: dict[int, Spent], ends: dict[str, date], newest: date
) -> dict[tuple[date, int], list[Budget]]:
    """The budgets learned together: by the end of the complete days of their currency, of all currencies where others
    are converted into it, and by how many days they look ahead."""
    found: dict[tuple[date, int], list[Budget]] = defaultdict(list)
    for one in needed:
        is_converted = costs[one.pk].is_converted
        end = min(ends.values(), default=newest) if is_converted else ends.get(one.currency, newest)
        found[end, max(HORIZON, (_end_of_period(one, newest) - end).days)].append(one)
    return found


Made = dict[int, tuple[Ahead | None, Sentence | None]]


def _made(many: Sequence[Budget], costs: dict[int, Spent], first: date, end: date, horizon: int) -> Made:
    """The outlook of each budget, or why there is none."""
    known = [one for one in many if costs[one.pk].days]
    made: Made = {one.pk: (None, _why_not(costs[one.pk])) for one in many}
    length = (end - first).days
    if known and horizon > max(HORIZON, length):
        told = Sentence(TOO_FAR, {"known": f"{length}", "ahead": f"{horizon}"})
        return made | {one.pk: (None, told) for one in known}
    try:
        return made | (_fitted(known, costs, first, end, horizon) if known else {})
    except TooShort:
        few = Sentence(TOO_FEW, {"known": f"{length}", "needed": f"{FEWEST_DAYS}"})
        return made | {one.pk: (None, few) for one in known}


def _why_not(spent: Spent) -> Sentence:
    if spent.untold:
        return untold(spent)
    if spent.missing is None:
        return Sentence(NO_COST)
    source, target, day = spent.missing
    return Sentence(NO_RATE, {"source": source, "target": target, "day": f"{day}"})


def _fitted(known: Sequence[Budget], costs: dict[int, Spent], first: date, end: date, horizon: int) -> Made:
    from apps.learning.forecaster import Forecaster  # two seconds that only learning needs to wait for

    days = list(Window(first, end).days())
    table = np.zeros((len(days), len(known)))
    for place, one in enumerate(known):
        spent = costs[one.pk].days
        for day, cost in spent.items():
            table[(day - first).days, place] = float(cost)
        table[: (min(spent) - first).days, place] = np.nan
    fitted = Forecaster(calendar(), horizon=horizon, random_state=SEED).fit(np.array(days), table)
    sums = np.stack(bounds_of_sums(fitted, np.ones((horizon, len(known)))), axis=-1)
    return {
        one.pk: (
            Ahead(
                end,
                [_exact(mean) for mean in fitted.forecast_[:, place]],
                [(_exact(day[0]), _exact(day[1]), _exact(day[2]), _exact(day[3])) for day in sums[:, place]],
            ),
            None,
        )
        for place, one in enumerate(known)
    }


def _exact(amount: float) -> Decimal:
    return Decimal(float(amount)).quantize(_UNIT)


def _row(
    budget: Budget, pinned: Publication, now: datetime, end: date, ahead: Ahead | None, why: Sentence | None
) -> Outlook:
    return Outlook(
        publication=pinned.number, budget=budget, created_at=now, why_not=kept(why) if why else {},
        first_day=end if ahead else None, days=[f"{mean:f}" for mean in ahead.means] if ahead else [],
        sums=[[f"{edge:f}" for edge in day] for day in ahead.sums] if ahead else [],
    )  # fmt: skip
