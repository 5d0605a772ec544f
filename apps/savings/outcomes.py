"""What is measured beside the money of an initiative: kept day by day, told before and after its start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any

from django.contrib.auth.models import User

from apps.calendars.selectors import today
from apps.finops.measurements import BadOutcome, day_of, value_of
from apps.finops.money import plain
from apps.savings.models import Initiative, Outcome
from apps.savings.people import must_change
from apps.teams.approval import Actor

MOST = Decimal(10) ** 12


@dataclass(frozen=True)
class Beside:
    """One outcome: how often it was measured, its median before the start and from the first day that counts on."""

    name: str
    unit: str
    count: int
    before: Decimal | None
    after: Decimal | None
    newest: Outcome

    @property
    def change(self) -> Decimal | None:
        """In hundredths of what it was before."""
        if not self.before or self.after is None:
            return None
        return (100 * (self.after - self.before) / self.before).quantize(Decimal("0.1"))


def beside(one: Initiative) -> list[Beside]:
    """Every outcome of an initiative, in the order they were first measured."""
    by_name: dict[tuple[str, str], list[Outcome]] = {}
    for row in one.outcomes.order_by("day", "pk"):
        by_name.setdefault((row.name, row.unit), []).append(row)
    return [
        Beside(
            name, unit, len(rows),
            before=_median(row.value for row in rows if row.day < one.start),
            after=_median(row.value for row in rows if row.day >= one.measured_from),
            newest=rows[-1],
        )
        for (name, unit), rows in by_name.items()
    ]  # fmt: skip


def _median(values: Any) -> Decimal | None:
    found = list(values)
    return median(found) if found else None


def keep(one: Initiative, given: Mapping[str, Any], *, by: Actor, now: datetime) -> Outcome:
    """Keep a measurement: `name`, `value`, and where given its `unit`, the `day` it is of (today) and a `note`."""
    must_change(by, one.team)
    name = str(given.get("name") or "").strip()
    if not name or len(name) > 80:
        raise BadOutcome("name: say what was measured in 1 to 80 characters, such as delivery lead time.")
    texts = {"unit": str(given.get("unit") or "").strip()[:30], "note": str(given.get("note") or "").strip()[:300]}
    if any("\x00" in text for text in (name, *texts.values())):
        raise BadOutcome("name: a character that no database keeps.")
    return Outcome.objects.create(
        initiative=one, name=name, day=day_of(given.get("day"), today(now)),
        value_text=plain(value_of(given.get("value"), least=-MOST, most=MOST)),
        by=User.objects.filter(username=by.name).first(), at=now, **texts,
    )  # fmt: skip
