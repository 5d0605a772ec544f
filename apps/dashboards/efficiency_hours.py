"""The hours of the day on the page of efficiency: when most is used, asked for and held."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from apps.charts.capacity import HeldHour, HeldWords, held_hours, week_heat
from apps.charts.figures import Figure
from apps.dashboards.efficiency import RESOURCE_WORDS, EfficiencyAsk
from apps.dashboards.templatetags import costs as written
from apps.dashboards.trends import FigureLink
from apps.finops.windows import Window
from apps.insights.hours import MOST_DAYS, Hourly, HourOfDay, by_hour

DAYS_OF_A_WEEK = 7
MONDAY = date(2024, 1, 1)
VIEWS = ("hours", "week")


@dataclass(frozen=True)
class HourLine:
    """One hour of the day in the table."""

    hour: str
    told: HourOfDay


@dataclass(frozen=True)
class HoursPart:
    """The hours of a page: its figures, the table, and the days they are of where the period is longer."""

    figures: tuple[FigureLink, ...]
    lines: tuple[HourLine, ...]
    time_zone: str
    unit: str
    cut_to: Window | None
    csv_url: str

    @property
    def has_capacity(self) -> bool:
        return any(line.told.capacity is not None for line in self.lines)


def part(ask: EfficiencyAsk) -> HoursPart | None:
    """The hours of a question; None where no hour of them is known."""
    found, window = _found(ask)
    if not any(one.seen for one in found.day):
        return None
    weekdays = {one.weekday for one in found.week if one.seen}
    views = VIEWS if len(weekdays) == DAYS_OF_A_WEEK else VIEWS[:1]
    return HoursPart(
        figures=tuple(_figure_link(ask, found, view) for view in views),
        lines=tuple(HourLine(_clock(one.hour), one) for one in found.day),
        time_zone=found.time_zone,
        unit=str(RESOURCE_WORDS[ask.resource][1]),
        cut_to=window if window != ask.asked.window else None,
        csv_url=_csv_url(ask, window),
    )


def figure(ask: EfficiencyAsk, view: str) -> Figure:
    """The day, or the week."""
    found, _window = _found(ask)
    unit = str(RESOURCE_WORDS[ask.resource][1])
    if view == "week":
        rows = [found.week[24 * day : 24 * day + 24] for day in range(7)]
        used = [[_number(one.used) for one in row] for row in rows]
        return week_heat([_weekday(day) for day in range(7)], [_clock(hour) for hour in range(24)], used, unit)
    hours = [
        HeldHour(_clock(one.hour), *map(_number, (one.capacity, one.requested, one.used_high, one.used)))
        for one in found.day
    ]
    words = HeldWords(_("Capacity"), _("Requested"), _("Used"), unit)
    return held_hours(hours, words=words, high=_("Used, 95th percentile"))


def _found(ask: EfficiencyAsk) -> tuple[Hourly, Window]:
    """The last days of the period, as many as hours are told of."""
    window = ask.asked.window
    cut = Window(max(window.start, window.end - timedelta(days=MOST_DAYS)), window.end)
    return by_hour(ask.query(cut), ask.resource), cut


def _figure_link(ask: EfficiencyAsk, found: Hourly, view: str) -> FigureLink:
    told = urlencode({"resource": ask.resource, "by": ask.by, **dict(ask.filters)})
    titles = {"hours": _("By the hour of the day"), "week": _("By weekday and hour")}
    return FigureLink(
        id=f"figure-efficiency-{view}",
        url=f"{reverse('figure-efficiency-hours', args=[view])}?{ask.asked.figure_params()}&{told}",
        title=titles[view],
        unit=str(RESOURCE_WORDS[ask.resource][1]),
        summary=_summary(found, view, str(RESOURCE_WORDS[ask.resource][1])),
    )


def _summary(found: Hourly, view: str, unit: str) -> str:
    known = [one for one in (found.day if view == "hours" else found.week) if one.used is not None]
    most, least = max(known, key=_used), min(known, key=_used)
    return _("Most is used at %(most)s, %(much)s %(unit)s on average, and least at %(least)s, %(little)s.") % {
        "most": _said(most), "much": _written(most), "unit": unit, "least": _said(least), "little": _written(least),
    }  # fmt: skip


def _used(one: HourOfDay) -> Decimal:
    return one.used or Decimal(0)


def _written(one: HourOfDay) -> str:
    return written.quantity(_used(one).quantize(Decimal("0.1")))


def _said(one: HourOfDay) -> str:
    return _clock(one.hour) if one.weekday < 0 else f"{_weekday(one.weekday)} {_clock(one.hour)}"


def _clock(hour: int) -> str:
    return f"{hour:02d}:00"


def _weekday(day: int) -> str:
    return date_format(MONDAY + timedelta(days=day), "l")


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _csv_url(ask: EfficiencyAsk, window: Window) -> str:
    told = {"resource": ask.resource, "start": window.start, "end": window.end, "as_of": ask.asked.publication}
    return f"{reverse('api-efficiency-hours')}?{urlencode(told | dict(ask.filters) | {'format': 'csv'})}"
