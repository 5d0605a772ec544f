"""The burn-down of a budget: the link to its figure, and the figure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.budgets.selectors import Standing, Whole
from apps.charts import colours
from apps.charts.burndown import BurnAhead, BurnWords, burn_down
from apps.charts.figures import Figure
from apps.dashboards import naming
from apps.dashboards.budget_words import sentence
from apps.dashboards.trends import DAY_FORMAT, FigureLink
from apps.finops.money import add_up
from apps.insights.landing import path


def figure_link(whole: Whole, one: Standing) -> FigureLink:
    """Where the figure is asked for, and the sentence that works without it."""
    return FigureLink(
        "figure-budget", reverse("figure-budget", args=[whole.budget.pk]),
        _("Burn-down of %(period)s") % {"period": one.period_name}, one.currency, sentence(one),
    )  # fmt: skip


def figure(whole: Whole) -> Figure | None:
    """The burn-down of the period told of."""
    one = whole.standing
    if one is None:
        return None
    budget, known = whole.budget, whole.known
    ahead = known.ahead
    is_open = one.lower != one.upper and ahead is not None
    told_until = min(one.end, ahead.first_day) if is_open and ahead else one.end
    spent = [(day, cost) for day, cost in sorted(known.spent.days.items()) if one.start <= day < told_until]
    days = path(known.spent.days, ahead, one.start, one.end) if is_open and ahead else []
    colour = naming.directory().colour(budget.value) if budget.dimension == "team" else colours.KINDS["direct"]
    return burn_down(
        _running(spent), _running(sorted(whole.parts.items())),
        [BurnAhead(day, float(at.mean), float(at.low_80), float(at.high_80)) for day, at in days],
        amount=float(one.amount), exceeds_on=one.exceeds_on, colour=colour, currency=one.currency,
        words=BurnWords(
            _("Spent"), _("Allowed by the profile"), _("Forecast"), _("80 of 100 cases"), _("Budget"),
            _("Exceeded") if one.state == "exceeded" else _("Will exceed (80 %)"),
        ),
        day_format=str(DAY_FORMAT["day"]),
    )  # fmt: skip


def _running(days: Sequence[tuple[date, Decimal]]) -> list[tuple[date, float]]:
    """The sum up to the end of every day."""
    total, found = Decimal(0), []
    for day, amount in days:
        total = add_up([total, amount])
        found.append((day, float(total)))
    return found
