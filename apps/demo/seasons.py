"""The year of the simulated company, whatever year it is: school terms, vacations, holidays, exams and sales."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from apps.learning.calendars import known_holidays

TERM, PROMOTION = "term", "promotion"
"""The kinds that a business calendar is told of; what else there is, public calendars know."""
ONE_DAY = timedelta(days=1)
FESTIVAL = timedelta(days=7)
LANTERNS = timedelta(days=14)
"""Schools close two weeks before Spring Festival and open after the Lantern Festival, two weeks after it began."""
FIRST_DAY, END = date(1952, 1, 1), date(2097, 1, 1)
"""The lunar calendar is known from 1950 to 2099; of years before the days and after them terms are told, too."""

SPRING_FESTIVAL = {"live": 0.50, "search": 0.40}
WINTER = {"live": 1.15, "search": 0.75}
SUMMER = {"live": 1.35, "search": 0.55}
DAYS_OFF = {"live": 0.70, "search": 0.80}
EXAMS = {"live": 0.60, "search": 1.30}
SALES = (
    ("618", (6, 1), (6, 18)),
    ("暑期招生", (7, 9), (7, 25)),
    ("开学季", (9, 12), (9, 16)),
    ("秋季续报", (10, 20), (10, 26)),
    ("双十一", (11, 1), (11, 11)),
    ("寒假招生", (12, 10), (12, 25)),
)


@dataclass(frozen=True)
class Season:
    """Days from `first` to `last`, both within. `factors` is how much of the usual load they have, by profile; lessons
    follow the weekend timetable where there are any."""

    name: str
    kind: str
    first: date
    last: date
    factors: Mapping[str, float] = field(default_factory=dict)

    def holds(self, day: date) -> bool:
        return self.first <= day <= self.last


@lru_cache(maxsize=32)
def year_of(year: int) -> tuple[Season, ...]:
    """The seasons that begin in a year; of those that hold the same day, the first tells its load."""
    return tuple(_seasons(year))


def told(day: date) -> Mapping[str, float] | None:
    """What a day that is not an ordinary school day has of the usual load, by profile; None of an ordinary one."""
    return next((one.factors for one in year_of(day.year) if one.factors and one.holds(day)), None)


def is_promotion(day: date) -> bool:
    return any(one.kind == PROMOTION and one.holds(day) for one in year_of(day.year))


def _seasons(year: int) -> Iterator[Season]:
    festival = _spring_festival(year)
    closing, opening = festival - LANTERNS, festival + LANTERNS
    yield Season("春节", "holiday", festival, festival + FESTIVAL, SPRING_FESTIVAL)
    yield Season("寒假", "vacation", closing, opening, WINTER)
    yield Season("劳动节", "holiday", date(year, 5, 1), date(year, 5, 5), DAYS_OFF)
    yield Season("高考", "exams", date(year, 6, 7), date(year, 6, 9), EXAMS)
    yield Season("暑假", "vacation", date(year, 7, 9), date(year, 8, 31), SUMMER)
    yield Season("国庆节", "holiday", date(year, 10, 1), date(year, 10, 7), DAYS_OFF)
    yield Season("春季学期", TERM, opening + ONE_DAY, date(year, 7, 8))
    yield Season("秋季学期", TERM, date(year, 9, 1), _spring_festival(year + 1) - LANTERNS - ONE_DAY)
    for name, first, last in SALES:
        yield Season(name, PROMOTION, date(year, *first), date(year, *last))


def _spring_festival(year: int) -> date:
    """Its first day off, by the lunar calendar."""
    off = known_holidays(("CN",), year, year).off
    return min(day for day, names in off.items() if "CN Chinese New Year" in names)
