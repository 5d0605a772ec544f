"""What is measured beside plans and is no money: added day by day, told against the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.finops.errors import CostOpsError
from apps.planning.drafts import OutcomeShape
from apps.planning.models import Outcome
from apps.planning.registry import planner_of
from apps.planning.selectors import NoPlan, newest
from apps.teams.approval import Actor, NotYours

MOST = Decimal(10) ** 9


class BadOutcome(CostOpsError):
    """A measurement cannot be read; nothing was kept."""


@dataclass(frozen=True)
class Measured:
    """One outcome of a subject: the first measurement, the newest, and how many there are."""

    shape: OutcomeShape
    first: Outcome
    last: Outcome
    count: int

    @property
    def change(self) -> Decimal | None:
        """In hundredths of the first."""
        return 100 * (self.last.value - self.first.value) / self.first.value if self.first.value else None


def measured(planner: str, subject: str) -> list[Measured]:
    """The outcomes of a subject that were measured, in the planner's order."""
    rows = Outcome.objects.filter(planner=planner, subject=subject).order_by("day", "pk")
    by_name: dict[str, list[Outcome]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    shapes = [shape for shape in planner_of(planner).outcomes if shape.name in by_name]
    return [Measured(one, by_name[one.name][0], by_name[one.name][-1], len(by_name[one.name])) for one in shapes]


def measure(planner: str, subject: str, given: Mapping[str, Any], *, by: Actor, now: datetime) -> Outcome:
    """Keep a measurement: `name`, `value`, and, where given, the `day` it is of (today) and a `note`."""
    if by.teams is not None:
        raise NotYours("Finance keeps what was measured beside plans; nothing was kept.")
    known = {shape.name for shape in planner_of(planner).outcomes}
    name = str(given.get("name", ""))
    if name not in known:
        raise BadOutcome(f"{name[:40]!r} is not measured here; there are {', '.join(sorted(known)) or 'none'}.")
    if not any(one.subject == subject for one in newest(planner)):
        raise NoPlan(f"{planner} plans nothing named {subject[:60]!r}.")
    return Outcome.objects.create(
        planner=planner, subject=subject, name=name, value=_value(given.get("value")),
        day=_day(given.get("day"), now.date()), note=str(given.get("note", ""))[:1000], by=by.name, at=now,
    )  # fmt: skip


def _value(given: Any) -> Decimal:
    try:
        value = Decimal(str(given))
    except InvalidOperation:
        raise BadOutcome(f"{str(given)[:20]!r} is no number.") from None
    if not value.is_finite() or not 0 <= value <= MOST:
        raise BadOutcome(f"{str(given)[:20]} is not between 0 and {MOST:,}.")
    return value


def _day(given: Any, today: date) -> date:
    try:
        day = date.fromisoformat(str(given)) if given else today
    except ValueError:
        raise BadOutcome(f"{str(given)[:20]!r} is no date; write it such as 2026-12-01.") from None
    if day > today:
        raise BadOutcome(f"{day} is still to come; a measurement is of a day that was.")
    return day
