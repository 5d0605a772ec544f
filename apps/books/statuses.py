"""The rule by which a day's cost is estimated, provisional or final, and the status of whole answers.

A (source, day) is

* **final** when the month is closed in the books, or when every billing period that charges the day ended at least
  DAYS_UNTIL_FINAL days ago and the day's cost has usually arrived by now;
* **estimated** when usage of the day is there and the bill does not reach it yet;
* **provisional** otherwise: the bill is there and can still change.

What covers several is as weak as the weakest of them.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.books.models import Close
from apps.books.readiness import COMPLETE
from apps.finops.arrivals import SETTLED_AFTER, ArrivalCurve
from apps.finops.tables import CHARGES
from apps.finops.windows import ONE_DAY, Window
from apps.ingest.lateness import arrivals_of
from apps.ingest.models import Source
from apps.ingest.selectors import retired_sources
from apps.marts.billed import reaches, usage_days, waiting
from apps.marts.models import Publication
from apps.marts.query import Answer, CostQuery
from apps.marts.selectors import publication
from apps.marts.services import DAYS_UNTIL_FINAL

ESTIMATED, PROVISIONAL, FINAL = "estimated", "provisional", "final"
WEAKEST_FIRST = (ESTIMATED, PROVISIONAL, FINAL)


def weakest(statuses: Collection[str]) -> str:
    """The weakest of some statuses; empty where there is none."""
    return min(statuses, key=WEAKEST_FIRST.index, default="")


@dataclass(frozen=True)
class Statuses:
    """The status of every (source, day) of a window that has a bill or waits for one."""

    by_source_day: Mapping[tuple[str, date], str]

    @property
    def weakest(self) -> str:
        """The status of all days together; empty where there is neither bill nor usage."""
        return weakest(set(self.by_source_day.values()))

    @cached_property
    def by_day(self) -> dict[date, str]:
        """Every day's status, in the order of days."""
        found: dict[date, set[str]] = {}
        for (_source, day), status in self.by_source_day.items():
            found.setdefault(day, set()).add(status)
        return {day: weakest(said) for day, said in sorted(found.items())}


def statuses(pinned: Publication, first: date, end: date, now: datetime) -> Statuses:
    """The rule above for the days `first` <= day < `end` of a publication, as of now."""
    if CHARGES.name not in pinned.versions:
        return Statuses({})
    found = reaches(pinned.versions[CHARGES.name])
    waits = waiting(found, usage_days(pinned.versions), but=retired_sources())
    closed = set(Close.objects.values_list("month", flat=True))
    usual = _Usual(now)

    def judged() -> Iterator[tuple[tuple[str, date], str]]:
        for source, reach in found.items():
            late = set(waits.get(source, ()))
            for day in {*reach.period_ends, *late}:
                if not first <= day < end:
                    continue
                if f"{day:%Y-%m}" in closed:
                    yield (source, day), FINAL
                elif day in late:
                    yield (source, day), ESTIMATED
                else:
                    settled = reach.period_ends[day] + timedelta(days=DAYS_UNTIL_FINAL) <= now
                    yield (source, day), FINAL if settled and usual.has_arrived(source, day) else PROVISIONAL

    return Statuses(dict(judged()))


class _Usual:
    """Whether days have usually arrived by now; looks at how bills arrive only where the answer depends on it."""

    def __init__(self, now: datetime) -> None:
        self._now, self._zone = now, ZoneInfo(settings.COSTOPS_TIME_ZONE)
        self._curve = lru_cache(self._learned)

    def has_arrived(self, source: str, day: date) -> bool:
        since = self._now - Window(day, day + ONE_DAY).hours(self._zone)[1]
        if since >= SETTLED_AFTER:
            return True
        curve = self._curve(source)
        return curve is None or curve.expected(since.total_seconds() / 3600) >= COMPLETE

    def _learned(self, name: str) -> ArrivalCurve | None:
        source = Source.objects.filter(name=name).first()
        return arrivals_of(source, self._now).curve if source else None


def of_query(query: CostQuery, now: datetime) -> Statuses:
    """The statuses of the days a question covers, of the sources it is about."""
    found = statuses(publication(query.as_of), query.start, query.end, now)
    asked = [set(values) for name, values in query.filters if name == "source"]
    left_out = {value for name, values in query.excludes if name == "source" for value in values}
    return Statuses(
        {
            (source, day): status
            for (source, day), status in found.by_source_day.items()
            if all(source in values for values in asked) and source not in left_out
        }
    )


def with_status(found: Answer, statuses_of_days: Statuses) -> Answer:
    """An answer grouped by day with a column `status` before the currency and the amount."""
    if "day" not in found.query.group_by:
        return found
    by_day = statuses_of_days.by_day
    place = found.query.group_by.index("day")
    cut = len(found.query.group_by)
    rows = tuple((*row[:cut], by_day.get(row[place], found.publication.status), *row[cut:]) for row in found.rows)
    columns = (*found.columns[:cut], "status", *found.columns[cut:])
    return Answer(found.query, found.publication, columns, rows, found.rates)
