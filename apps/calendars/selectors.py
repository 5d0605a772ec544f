"""Reading the business calendar: named spans, working days, and what a learner is told of both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from apps.calendars.models import HOLIDAY, WORKDAY, CalendarImport, Span
from apps.finops.errors import CostOpsError
from apps.finops.windows import ONE_DAY, Window
from apps.learning.calendars import KNOWN_COUNTRIES, Calendar, KnownHolidays, Season, known_holidays


class BadSeason(CostOpsError):
    """COSTOPS_SEASONS cannot be read."""


class BadCountry(CostOpsError):
    """COSTOPS_HOLIDAYS names a country whose holidays are not known."""


class NoSuchImport(CostOpsError):
    """Nothing was brought under this number."""


def imports() -> QuerySet[CalendarImport]:
    """Everything that was brought, the newest first, what was withdrawn too."""
    return CalendarImport.objects.order_by("-number")


def spans(*, first: date | None = None, last: date | None = None) -> tuple[Span, ...]:
    """The spans that hold, those that touch some days: of the same name and kind that overlap, the newest."""
    held: list[Span] = []
    known = Span.objects.filter(brought__withdrawn_at=None)
    for span in known.select_related("brought").order_by("brought_id", "line"):
        held = [one for one in held if not _is_replaced(one, span)]
        held.append(span)
    chosen = [one for one in held if (last is None or one.first <= last) and (first is None or first <= one.last)]
    return tuple(sorted(chosen, key=lambda one: (one.first, one.kind, one.name)))


def _is_replaced(one: Span, by: Span) -> bool:
    same = (one.name, one.kind) == (by.name, by.kind)
    return same and one.brought_id != by.brought_id and one.first <= by.last and by.first <= one.last


def seasons() -> tuple[Season, ...]:
    """The seasons of the settings, and every span that was brought."""
    return told_seasons() + tuple(Season(span.name, span.first, span.last) for span in spans())


def told_seasons() -> tuple[Season, ...]:
    """The seasons of the settings."""
    return tuple(_season(text) for text in settings.COSTOPS_SEASONS)


def countries() -> tuple[str, ...]:
    """The countries of the settings."""
    for code in settings.COSTOPS_HOLIDAYS:
        if code not in KNOWN_COUNTRIES:
            raise BadCountry(f"COSTOPS_HOLIDAYS: {code!r} is not a country whose holidays are known, such as CN.")
    return tuple(settings.COSTOPS_HOLIDAYS)


def _season(text: str) -> Season:
    name, _, days = text.partition(":")
    first, _, last = days.partition("..")
    try:
        return Season(name.strip(), date.fromisoformat(first.strip()), date.fromisoformat(last.strip()))
    except ValueError:
        raise BadSeason(
            f"COSTOPS_SEASONS: {text!r} is not a season; write school term:2026-09-01..2027-01-15"
        ) from None


def calendar() -> Calendar:
    """What forecasts are told of days: holidays, worked weekends, and seasons."""
    return Calendar(countries(), seasons())


def public_holidays(first_year: int, last_year: int) -> KnownHolidays:
    """The public holidays and worked weekends of the company's countries."""
    return known_holidays(countries(), first_year, last_year)


@dataclass(frozen=True)
class WorkingDays:
    """Which days of some years are worked. What a company brought goes before what its countries say."""

    public: KnownHolidays
    own: Sequence[Span]

    def is_working(self, day: date) -> bool:
        kinds = {span.kind for span in self.own if span.first <= day <= span.last}
        if WORKDAY in kinds:
            return True
        if HOLIDAY in kinds:
            return False
        return day in self.public.working or (day.weekday() < 5 and day not in self.public.off)

    def count(self, days: Window) -> int:
        return sum(self.is_working(day) for day in days.days())


def working_days(days: Window) -> WorkingDays:
    """The working days of a window."""
    last = days.end - ONE_DAY
    own = [one for one in spans(first=days.start, last=last) if one.kind in (HOLIDAY, WORKDAY)]
    return WorkingDays(public_holidays(days.start.year, last.year), own)


def brought(number: int) -> CalendarImport:
    found = CalendarImport.objects.filter(number=number).first()
    if found is None:
        raise NoSuchImport(f"There is no calendar import {number}; `manage.py calendar list` names them.")
    return found


def told_of(days: Window) -> Iterator[tuple[date, date, str, str, str]]:
    """Everything a calendar says of some days: first, last, kind, name, and where that is from."""
    public = public_holidays(days.start.year, days.end.year)
    for day in days.days():
        for name in public.off.get(day, ()):
            country, _, celebrated = name.partition(" ")
            yield day, day, HOLIDAY, celebrated, country
        if day in public.working:
            yield day, day, WORKDAY, "worked weekend", " ".join(settings.COSTOPS_HOLIDAYS)
    last = days.end - ONE_DAY
    for season in told_seasons():
        if season.first <= last and days.start <= season.last:
            yield season.first, season.last, "season", season.name, "COSTOPS_SEASONS"
    for span in spans(first=days.start, last=last):
        yield span.first, span.last, span.kind, span.name, f"import {span.brought_id}"


def time_zone() -> str:
    """The zone whose midnight days end at."""
    return str(settings.COSTOPS_TIME_ZONE)


def today(now: datetime) -> date:
    """The day it is for the business."""
    return now.astimezone(ZoneInfo(settings.COSTOPS_TIME_ZONE)).date()
