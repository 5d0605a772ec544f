"""The business calendar as its page shows it: a year of months, what its days are, and what was brought."""

from calendar import monthcalendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Max, Min
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.calendars import selectors
from apps.calendars.models import HOLIDAY, KINDS, PROMOTION, TERM, WORKDAY, CalendarImport
from apps.charts.labels import plain
from apps.dashboards.templatetags import costs as written
from apps.finops.windows import ONE_DAY, Window
from apps.marts.query import BadQuestion
from apps.teams.approval import Actor

KIND_WORDS: dict[str, Promise] = {
    TERM: gettext_lazy("School term"),
    PROMOTION: gettext_lazy("Promotion"),
    HOLIDAY: gettext_lazy("Day off"),
    WORKDAY: gettext_lazy("Worked weekend"),
    "season": gettext_lazy("Season of the settings"),
}
MARKS = (WORKDAY, HOLIDAY, PROMOTION, TERM, "season")
"""What a day is shown as: the first of these that it is."""
FIRST_YEAR, LAST_YEAR = 1990, 2100


@dataclass(frozen=True)
class DayCell:
    """A day of a month: how it is shown, whether it is not worked, and what it is in words."""

    day: date
    mark: str
    is_off: bool
    is_today: bool
    told: str


@dataclass(frozen=True)
class Month:
    """A month as rows of weeks from Monday on, None where the week is of another month; how many days are worked."""

    first: date
    weeks: tuple[tuple[DayCell | None, ...], ...]
    worked: int


@dataclass(frozen=True)
class SpanLine:
    """Days that are like each other, for the list below the months."""

    kind: str
    title: str
    name: str
    first: date
    last: date
    origin: str


@dataclass(frozen=True)
class CalendarPage:
    """A year; `kinds` are what a form may bring, empty for whoever may not."""

    year: int
    before: int | None
    after: int | None
    months: tuple[Month, ...]
    summary: str
    spans: tuple[SpanLine, ...]
    imports: tuple[CalendarImport, ...]
    legend: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, str], ...]
    weekdays: tuple[str, ...]


def page(given: Mapping[str, str], by: Actor, today: date) -> CalendarPage:
    """The year an address names, else this one."""
    text = given.get("year", "") or str(today.year)
    if not (text.isascii() and text.isdigit() and FIRST_YEAR <= int(text[:5]) <= LAST_YEAR):
        bounds = {"first": FIRST_YEAR, "last": LAST_YEAR}
        raise BadQuestion(_("year: write a year between %(first)s and %(last)s.") % bounds)
    year = int(text)
    days = Window(date(year, 1, 1), date(year + 1, 1, 1))
    spans = sorted(selectors.told_of(days))
    working = selectors.working_days(days)
    months = tuple(_month(year, number, spans, working, today) for number in range(1, 13))
    worked = sum(month.worked for month in months)
    return CalendarPage(
        year=year,
        before=year - 1 if year > FIRST_YEAR else None,
        after=year + 1 if year < LAST_YEAR else None,
        months=months,
        summary=_("%(worked)s of %(days)s days are worked.") % {"worked": worked, "days": (days.end - days.start).days},
        spans=tuple(_lines(spans, working)),
        imports=tuple(selectors.imports()),
        legend=tuple((kind, str(KIND_WORDS[kind])) for kind in MARKS if any(span[2] == kind for span in spans)),
        kinds=tuple((kind, str(KIND_WORDS[kind])) for kind in KINDS) if by.teams is None else (),
        weekdays=tuple(str(word) for word in WEEKDAYS),
    )


def brought(told: str) -> str:
    """What became of a file, by the number of its import; 0 where it said nothing new."""
    number = int(told) if told.isascii() and told.isdigit() and len(told) < 16 else None
    if number == 0:
        return _("Nothing was changed: all of the file holds already.")
    found = selectors.imports().filter(number=number).first() if number else None
    if found is None:
        return ""
    days = found.spans.aggregate(first=Min("first"), last=Max("last"), count=Count("pk"))
    words = _("The file %(name)s was taken: %(count)s entries between %(first)s and %(last)s.")
    bounds = {name: written.day(days[name]) for name in ("first", "last")}
    return words % (bounds | {"name": plain(found.name), "count": days["count"]})


WEEKDAYS: tuple[Promise, ...] = (
    gettext_lazy("Mo"), gettext_lazy("Tu"), gettext_lazy("We"), gettext_lazy("Th"), gettext_lazy("Fr"),
    gettext_lazy("Sa"), gettext_lazy("Su"),
)  # fmt: skip
Told = tuple[date, date, str, str, str]


def _month(year: int, number: int, spans: Iterable[Told], working: selectors.WorkingDays, today: date) -> Month:
    weeks = tuple(
        tuple(_cell(date(year, number, day), spans, working, today) if day else None for day in week)
        for week in monthcalendar(year, number)
    )
    days = [cell.day for week in weeks for cell in week if cell]
    return Month(days[0], weeks, sum(working.is_working(day) for day in days))


def _cell(day: date, spans: Iterable[Told], working: selectors.WorkingDays, today: date) -> DayCell:
    here = [span for span in spans if span[0] <= day <= span[1]]
    kinds = {span[2] for span in here}
    mark = next((kind for kind in MARKS if kind in kinds), "")
    told = _(", ").join(dict.fromkeys(f"{KIND_WORDS[span[2]]}: {_named(span)}" for span in here))
    return DayCell(
        day, mark, not working.is_working(day), day == today, f"{written.day(day)}{': ' if told else ''}{told}"
    )


def _named(span: Told) -> str:
    """The name of a span; what holidays and weekends are called is known in the reader's language."""
    return _(span[3]) if not span[4].startswith("import ") else span[3]


def _lines(spans: Iterable[Told], working: selectors.WorkingDays) -> Iterable[SpanLine]:
    """The spans, days off of one name with no day of work between them as one line."""
    lines: list[SpanLine] = []
    for first, last, kind, name, origin in sorted(spans, key=lambda span: (span[2], span[3], span[0])):
        named = _named((first, last, kind, name, origin))
        if lines and (lines[-1].kind, lines[-1].name, lines[-1].origin) == (kind, named, origin):
            before = lines[-1]
            between = Window(before.last + ONE_DAY, first).days() if before.last + ONE_DAY < first else ()
            if kind == HOLIDAY and not any(working.is_working(day) for day in between):
                lines[-1] = SpanLine(kind, before.title, named, before.first, last, origin)
                continue
        lines.append(SpanLine(kind, str(KIND_WORDS[kind]), named, first, last, origin))
    return sorted(lines, key=lambda line: (line.first, line.kind, line.name))
