"""What is known before an initiative begins: what to compare it with, and the smallest effect that could be told."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from apps.calendars.selectors import calendar
from apps.learning.effects.controls import suggest_controls
from apps.learning.effects.measuring import detectable
from apps.learning.effects.study import EffectError
from apps.marts.models import Publication
from apps.savings.costs import CELL
from apps.savings.measuring import study_of
from apps.savings.models import Initiative
from apps.savings.series import Series, known_window, read_series, untouched
from apps.savings.statements import scope_of
from apps.savings.states import LIVE

NOTHING_KNOWN = "no day before its start is published"


@dataclass(frozen=True)
class Expected:
    """`controls` are scopes as JSON, `percent` the smallest detectable change; where it is not known, `why`."""

    controls: list[dict[str, Any]]
    percent: str
    publication: int
    why: str = ""


def expect(one: Initiative, pinned: Publication, *, today: date) -> Expected:
    """Choose controls by rule where none are named, and tell what could be detected: from days before the start alone
    that are over, up to the last whose cost is known."""
    one.controls = one.controls or suggested(one, pinned, today=today)
    series = _before(one, pinned, today)
    if series is None or not series.days:
        return Expected(one.controls, "", pinned.number, NOTHING_KNOWN)
    end = one.start + timedelta(days=one.window_days)
    study = study_of(series, start=one.start, end=end, calendar=calendar())
    try:
        percent = detectable(study, days_after=one.window_days)
    except EffectError as missing:
        return Expected(one.controls, "", pinned.number, str(missing))
    return Expected(one.controls, f"{percent:.1f}", pinned.number)


def _before(one: Initiative, pinned: Publication, today: date) -> Series | None:
    series = read_series(one, pinned, min(one.start, today), today=today)
    return None if series is None else series.cut()


def suggested(one: Initiative, pinned: Publication, *, today: date) -> list[dict[str, Any]]:
    """What no initiative touches and whose history goes with the cost of this one."""
    window = known_window(pinned, one.start, min(one.start, today))
    if window is None:
        return []
    others = [scope_of(other) for other in Initiative.objects.filter(state__in=LIVE).exclude(pk=one.pk)]
    cells = untouched(scope_of(one), one.currency, window, pinned, others, today=today)
    series = _before(one, pinned, today)
    if series is None:
        return []
    candidates = {str(number): array for number, array in enumerate(cells.values())}
    names = list(cells)
    try:
        found = suggest_controls(series.cost, candidates, before=len(series.days))
    except EffectError:
        return []
    chosen = [names[int(each.name)] for each in found if each.is_suggested]
    return [dict(zip(CELL, ([part] for part in cell), strict=True)) for cell in chosen]
