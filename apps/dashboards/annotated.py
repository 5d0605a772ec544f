"""Annotations on the figures of cost over time."""

from collections.abc import Iterable
from datetime import date

from apps.charts.breakdown import with_marks
from apps.charts.figures import Figure
from apps.dashboards.asking import Asked
from apps.explorer.models import Annotation
from apps.explorer.selectors import MOST_MARKS, annotations
from apps.finops.once import once


def written(asked: Asked, **filters: str) -> tuple[Annotation, ...]:
    """What somebody wrote about the days of a figure: of the company, and of the teams it is of."""
    team, first, last = filters.get("team", ""), asked.window.start, asked.last_day
    found = annotations(asked.scope.teams, first=first, last=last, team=team)
    key = ("annotations", asked.scope.identity, first, last, team)
    return once(key, lambda: tuple(found[:MOST_MARKS]))


def mark(figure: Figure, asked: Asked, **filters: str) -> Figure:
    """A figure with the numbers of what was written, in order, on its days."""
    if not figure["data"]:
        return figure
    return with_marks(figure, marks(written(asked, **filters), asked.window.start, asked.last_day))


def marks(kept: Iterable[Annotation], first: date, last: date) -> list[tuple[date, date, str]]:
    """What figures draw of annotations: within the days they show."""
    return [(max(one.first, first), min(one.last, last), one.text) for one in kept]
