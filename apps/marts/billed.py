"""Which days the bill of each source reaches, and which days of usage still wait for it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from apps.finops.late import ENDED_DAYS
from apps.finops.tables import CHARGES, NODE_HOURS, VOLUME_HOURS, WORKLOAD_HOURS
from apps.finops.windows import ONE_DAY
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

RECENT_DAYS = 28
"""The last days of a bill that say whether it comes day by day, and what a unit costs."""
MOST_WAITING = ENDED_DAYS
"""A source that has told nothing for so many days is waited for no more."""
MEASURED = (NODE_HOURS, WORKLOAD_HOURS, VOLUME_HOURS)
"""The usage that has a price."""


@dataclass(frozen=True)
class Reach:
    """How far the bill of a source reaches.

    `period_ends`: every day with charges → the end of the latest billing period they stand in. `days`: those on which
    usage is charged, in order; a purchase or a fee may be dated ahead.
    """

    period_ends: Mapping[date, datetime]
    days: tuple[date, ...]

    @property
    def recent(self) -> tuple[date, ...]:
        """The days of usage among the last RECENT_DAYS."""
        return tuple(day for day in self.days if day > self.days[-1] - RECENT_DAYS * ONE_DAY)

    @property
    def is_daily(self) -> bool:
        """Whether there is usage on half of the last days: a bill that comes once a month leaves no day waiting."""
        if not self.days:
            return False
        recent = self.recent
        return 2 * len(recent) >= (recent[-1] - recent[0]).days + 1


def reaches(at: int) -> dict[str, Reach]:
    """By source, as the charges of one version say it."""
    return _reaches(str(lake.location(CHARGES)), at)


@lru_cache(maxsize=16)
def _reaches(_location: str, at: int) -> dict[str, Reach]:
    bill = lake.scan(CHARGES, at=at)
    told = bill.group_by("x_SourceName", "x_ChargeDay").aggregate(
        end=bill.BillingPeriodEnd.max(), month=bill.x_BillingMonth.max(), used=(bill.ChargeCategory == "Usage").any()
    )
    ends: dict[str, dict[date, datetime]] = {}
    days: dict[str, list[date]] = {}
    for source, day, end, month, is_used in rows_of(told.order_by("x_SourceName", "x_ChargeDay")):
        ends.setdefault(source, {})[day] = end or _end_of(month)
        days.setdefault(source, []).extend([day] if is_used else [])
    return {source: Reach(ends[source], tuple(days[source])) for source in ends}


def _end_of(month: str) -> datetime:
    first = datetime.fromisoformat(f"{month}-01").replace(tzinfo=UTC)
    return (first + timedelta(days=32)).replace(day=1)


def usage_days(versions: Mapping[str, int]) -> set[date]:
    """The days of which usage with a price is there, told by the partitions alone."""
    return {
        date.fromisoformat(file.partition["day"])
        for table in MEASURED
        if table.name in versions
        for file in lake.files(table, at=versions[table.name])
    }


def waiting(
    found: Mapping[str, Reach], usage: Iterable[date], *, but: Collection[str] = ()
) -> dict[str, tuple[date, ...]]:
    """The days of usage after the last billed one, by source: of those that bill day by day, `but` these."""
    days = sorted(usage)
    told = {
        source: tuple(day for day in days if reach.days[-1] < day <= reach.days[-1] + MOST_WAITING * ONE_DAY)
        for source, reach in sorted(found.items())
        if source not in but and reach.is_daily
    }
    return {source: late for source, late in told.items() if late}
