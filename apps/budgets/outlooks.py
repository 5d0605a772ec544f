"""What is ahead of budgets: the forecast of the same where there is one, else an outlook made for the budget."""

from collections.abc import Iterable

from apps.budgets.models import Budget, Outlook
from apps.finops.findings import Sentence
from apps.insights.landing import Ahead, ahead_of
from apps.insights.models import Forecast, ForecastRun
from apps.insights.selectors import LEVELS
from apps.marts.models import Publication

TOTAL = "total"
FORECAST_OF = "effective_cost"


def run_of(pinned: Publication) -> ForecastRun | None:
    """The newest forecasts that a publication, or one before it, was told with."""
    return ForecastRun.objects.filter(publication__lte=pinned.number).order_by("-publication").first()


def forecast_ahead(budgets: Iterable[Budget], run: ForecastRun | None) -> dict[int, Ahead]:
    """What forecasts say of budgets, of those whose cost is all in their own currency."""
    if run is None:
        return {}
    budgets = [one for one in budgets if one.metric == FORECAST_OF]
    rows = Forecast.objects.filter(run=run, key__in={one.value for one in budgets})
    by_series: dict[tuple[str, str], list[Forecast]] = {}
    for row in rows.only("level", "key", "currency", "first_day", "days", "sums", "beyond"):
        row.run = run
        by_series.setdefault((row.level, row.key), []).append(row)
    found = {}
    for budget in budgets:
        level = budget.dimension or TOTAL
        told = by_series.get((level, budget.value), []) if level in LEVELS else []
        one = told[0] if len(told) == 1 and told[0].currency == budget.currency else None
        if one and one.sums and one.begin:
            found[budget.pk] = ahead_of(one.begin, [day[0] for day in one.days], one.sums, one.beyond)
    return found


def own_ahead(budgets: Iterable[Budget], pinned: Publication) -> dict[int, tuple[Ahead | None, Sentence | None]]:
    """What was made for budgets themselves: the newest outlook of each, or why there is none."""
    rows = Outlook.objects.filter(budget__in=list(budgets), publication__lte=pinned.number).order_by("publication")
    found: dict[int, tuple[Ahead | None, Sentence | None]] = {}
    for row in rows:
        ahead = ahead_of(row.first_day, row.days, row.sums) if row.first_day and row.days else None
        found[row.budget_id] = (ahead, Sentence(**row.why_not) if row.why_not else None)
    return found
