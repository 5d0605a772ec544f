"""Annotations on the figures of cost over time."""

from collections.abc import Iterable
from datetime import date

from apps.charts.breakdown import with_marks
from apps.charts.figures import Figure
from apps.dashboards.asking import Asked
from apps.explorer.models import Annotation
from apps.explorer.selectors import MOST_MARKS, annotations


def mark(figure: Figure, asked: Asked, **filters: str) -> Figure:
    """A figure with numbered marks on the days that somebody wrote about: of the company, and of the teams it is of."""
    found = annotations(asked.scope.teams, first=asked.window.start, last=asked.last_day, team=filters.get("team", ""))
    return (
        with_marks(figure, marks(found[:MOST_MARKS], asked.window.start, asked.last_day)) if figure["data"] else figure
    )


def marks(kept: Iterable[Annotation], first: date, last: date) -> list[tuple[date, date, str]]:
    """What figures draw of annotations: within the days they show."""
    return [(max(one.first, first), min(one.last, last), one.text) for one in kept]
