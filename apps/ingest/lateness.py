"""How bills arrive, and what is late: by what was learned of a source, or by what its option `late_after` says."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.finops.arrivals import ArrivalCurve, Seen, learn
from apps.finops.windows import ONE_DAY, Window
from apps.ingest.models import Arrival, Source

LEARNED_FROM = timedelta(days=100)
"""How far back it is looked to learn how bills arrive."""
SLACK_HOURS = 6
"""How much later than nine days of ten a day may be before it is called late."""
USUAL_SHARE = 0.97


@dataclass(frozen=True)
class Late:
    """A day of which nothing has come `hours` after its end, though it is usually there, or should be, after `due`."""

    day: date
    hours: int
    due: int
    is_learned: bool

    def __str__(self) -> str:
        due = f"usually there after {self.due} h" if self.is_learned else f"due after {self.due} h"
        return f"Nothing of {self.day} has come, {self.hours} h after its end; {due}."


@dataclass(frozen=True)
class Arrivals:
    """How a source's days arrive: the learned curve, if any; the newest day that came, and how complete a bill's newest
    day usually is by now; what is late."""

    curve: ArrivalCurve | None = None
    last_day: date | None = None
    expected_share: float | None = None
    late: Late | None = None

    @property
    def usual(self) -> tuple[int, int] | None:
        """After how many hours a day is usually how many hundredths complete: as good as whole, or as whole as it
        gets while its cost goes on changing."""
        if self.curve is None:
            return None
        hours = self.curve.complete_after(USUAL_SHARE)
        if hours is not None:
            return hours, round(USUAL_SHARE * 100)
        last = max(self.curve.share)
        return last, int(self.curve.share[last] * 100)

    @property
    def sentence(self) -> str:
        """What is usual, in one sentence; empty while it is not known."""
        return "Usually {1} % complete after {0} h".format(*self.usual) if self.usual else ""


def arrivals_of(source: Source, now: datetime, last_day: date | None = None) -> Arrivals:
    """How the days of a source arrive, learned from every time its bills were read; `last_day` of what is no bill."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    seen = _seen(source, now, zone) if source.is_billing else []
    curve = learn(seen, watched_since=source.created_at, now=now) if seen else None
    today = now.astimezone(zone).date()
    came = [one.day for one in seen if one.day <= today]  # a purchase may be dated ahead
    last = max(came, default=last_day if last_day and last_day <= today else None)
    share = curve.expected(_hours_since(last, now, zone)) if curve and last else None
    return Arrivals(curve, last, share, _late(source, curve, last, now, zone))


def _seen(source: Source, now: datetime, zone: ZoneInfo) -> list[Seen]:
    """Every sight of the days of late, in the currency most of them are billed in."""
    rows = Arrival.objects.filter(source=source, day__gte=(now - LEARNED_FROM).date()).order_by("seen_at")
    currencies = Counter(rows.values_list("currency", flat=True))
    rows = rows.filter(currency=max(currencies, key=lambda name: currencies[name], default=""))
    return [Seen(one.day, _end_of(one.day, zone), one.seen_at, Decimal(one.effective_cost)) for one in rows]


def _late(source: Source, curve: ArrivalCurve | None, last: date | None, now: datetime, zone: ZoneInfo) -> Late | None:
    told = source.options.get("late_after")
    due = int(told) if told else round(curve.first_after) if curve else None
    if due is None or not source.is_active:
        return None
    awaited = last + ONE_DAY if last else source.created_at.astimezone(zone).date()
    hours = _hours_since(awaited, now, zone)
    limit = due if told else due + SLACK_HOURS
    return Late(awaited, int(hours), due, is_learned=not told) if hours > limit else None


def _hours_since(day: date, now: datetime, zone: ZoneInfo) -> float:
    return (now - _end_of(day, zone)).total_seconds() / 3600


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return Window(day, day + ONE_DAY).hours(zone)[1]
