"""What is measured beside plans and is no money: added day by day, told against the first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.calendars.selectors import today
from apps.finops.measurements import BadOutcome, day_of, value_of
from apps.planning.drafts import OutcomeShape
from apps.planning.models import Outcome
from apps.planning.registry import planner_of
from apps.planning.selectors import NoPlan, newest
from apps.teams.approval import Actor, NotYours

MOST = Decimal(10) ** 9
KEPT = Decimal("0.000001")
"""A measurement is kept to the millionth."""


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
    """Keep a measurement: `name`, `value` to the millionth, and, where given, its `day` (today) and a `note`."""
    if by.teams is not None:
        raise NotYours("Finance keeps what was measured beside plans; nothing was kept.")
    known = {shape.name for shape in planner_of(planner).outcomes}
    name = str(given.get("name", ""))
    if name not in known:
        raise BadOutcome(f"{name[:40]!r} is not measured here; there are {', '.join(sorted(known)) or 'none'}.")
    if not any(one.subject == subject for one in newest(planner)):
        raise NoPlan(f"{planner} plans nothing named {subject[:60]!r}.")
    value = value_of(given.get("value"), least=Decimal(0), most=MOST)
    return Outcome.objects.create(
        planner=planner, subject=subject, name=name, value=value.quantize(KEPT),
        day=day_of(given.get("day"), today(now)), note=str(given.get("note", ""))[:1000], by=by.name, at=now,
    )  # fmt: skip
