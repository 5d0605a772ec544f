"""What a page says of its days: how final they are, and what those are estimated to cost whose bill has not come."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from django.utils.translation import gettext as _

from apps.books.statuses import FINAL, Statuses, statuses
from apps.charts import figures
from apps.dashboards import naming, trends, words
from apps.dashboards.asking import Asked
from apps.dashboards.templatetags.costs import day_range
from apps.estimates.selectors import Estimated, estimates, waits_of
from apps.finops.windows import ONE_DAY, contiguous
from apps.marts.models import Publication
from apps.marts.query import PublicationFacts
from apps.marts.selectors import publication
from apps.rates.selectors import MissingRate


@dataclass(frozen=True)
class Waiting:
    """Days whose bill has not come, and what they are estimated to cost, by currency; never a part of a total."""

    first: date
    last: date
    totals: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class DayNews:
    """The facts of a page with the status of its days, the sentence that says which are how final, and what waits."""

    facts: PublicationFacts
    sentence: str
    waiting: Waiting | None
    by_day: Mapping[date, str]


def tell(asked: Asked, facts: PublicationFacts, now: datetime, **filters: str) -> DayNews:
    """The news of the days of a page of cost."""
    pinned = publication(asked.publication)
    found = statuses(pinned, asked.window.start, asked.window.end, now)
    return DayNews(
        facts=replace(facts, status=found.weakest or facts.status),
        sentence=sentence(found),
        waiting=_waiting(asked, pinned, **filters),
        by_day=found.by_day,
    )


def sentence(found: Statuses) -> str:
    """Which days have which status, in words; empty where all have the same."""
    spans = _spans(found.by_day)
    if len({status for _, _, status in spans}) < 2:
        return ""
    told = [
        _("%(days)s %(status)s") % {"days": day_range(first, last), "status": words.STATUSES[status]}
        for first, last, status in spans
    ]
    return naming.joined(told) + _(".")


def _spans(by_day: Mapping[date, str]) -> list[tuple[date, date, str]]:
    """Runs of days with one status: first day, last day, status."""
    runs = [(status, list(run)) for status, run in groupby(sorted(by_day.items()), key=lambda one: one[1])]
    return [(run[0][0], run[-1][0], status) for status, run in runs]


def _reaching(asked: Asked, pinned: Publication) -> Asked:
    """A question that ends with the last day billed also means the days that wait after it."""
    late = [day for _, day in waits_of(pinned)]
    if not late or asked.window.end != pinned.came_until:
        return asked
    return replace(asked, window=replace(asked.window, end=max(asked.window.end, max(late) + ONE_DAY)))


def _estimated(asked: Asked, *groups: str, **filters: str) -> Estimated | None:
    """What waits of a question; None where it cannot be converted."""
    try:
        return estimates(asked.query(*groups, **filters))
    except MissingRate:
        return None


def _waiting(asked: Asked, pinned: Publication, **filters: str) -> Waiting | None:
    wide = _reaching(asked, pinned)
    found = _estimated(wide, "day", **filters) or _estimated(wide.as_billed, "day", **filters)
    if found is None or not found.answer.rows:
        return None
    days = [row[0] for row in found.answer.rows]
    return Waiting(min(days), max(days), tuple(sorted(found.answer.totals.items())))


def mark(figure: figures.Figure, asked: Asked, now: datetime, **filters: str) -> figures.Figure:
    """A figure of cost over time with its unsettled days shaded, and what is estimated after them as a band."""
    pinned = publication(asked.publication)
    wide = _reaching(asked, pinned)
    found = _estimated(wide, wide.grain, **filters) if figure["data"] else None
    if found is not None:
        costs = {row[0]: row[-1] for row in found.answer.rows if row[-2] == asked.currency or not asked.currency}
        points = [(trends.moment(step), float(cost)) for step, cost in sorted(costs.items())]
        if points:
            figure = figures.with_estimates(figure, points, title=_("Estimated, no bill yet"), currency=asked.currency)
    if asked.grain != "day":
        return figure
    by_day = statuses(pinned, asked.window.start, asked.window.end, now).by_day
    unsettled = [day for day, status in by_day.items() if status != FINAL]
    if len(unsettled) == len(by_day):
        return figure  # where nothing is final there is nothing to tell apart
    runs = contiguous(unsettled, at_most=len(by_day))
    return figures.with_shades(figure, [(run.start, run.end) for run in runs])
