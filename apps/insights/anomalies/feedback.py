"""What people said of anomalies: kept for ever, respected at once, and learned from."""

from datetime import date, datetime

from apps.finops.errors import CostOpsError
from apps.insights.anomalies.cells import FIELDS, Cells
from apps.insights.models import Anomaly, AnomalyFeedback
from apps.learning.anomalies.reviews import Review
from apps.marts.query import Scope
from apps.teams.approval import Actor, NotYours

Verdict = AnomalyFeedback.Verdict
IS_ANOMALY: dict[str, bool | None] = {
    Verdict.EXPECTED: False, Verdict.FALSE_ALARM: False, Verdict.PLANNED: None, Verdict.CONFIRMED: True,
}  # fmt: skip
"""What the detector learns from a verdict; nothing from something planned: it was unusual, and right."""


class BadFeedback(CostOpsError):
    """The feedback cannot be taken as given; nothing was kept."""


def say(
    found: Anomaly, verdict: str, *, by: str, now: datetime, reason: str, until: date | None = None
) -> AnomalyFeedback:
    """Keep what somebody said of an anomaly, and why."""
    if verdict not in Verdict.values:
        raise BadFeedback(f"verdict: {verdict!r} is not one of {', '.join(Verdict.values)}")
    if not reason.strip():
        raise BadFeedback("reason: say why; it is kept, and the next to look reads it.")
    if not by:
        raise BadFeedback("by: say who you are; feedback is kept under a name.")
    if until is not None and until < found.first_day:
        raise BadFeedback(f"until: {until} is before the anomaly began, on {found.first_day}.")
    return AnomalyFeedback.objects.create(
        slug=found.slug, verdict=verdict, until=until, reason=reason.strip(), by=by, at=now,
        **{name: getattr(found, name) for name in ("measure", "unit", "level", *FIELDS, "first_day", "last_day")},
    )  # fmt: skip


def speaker(actor: Actor, found: Anomaly) -> str:
    """The name of somebody who may say what an anomaly is: of the team it is of, or of finance."""
    if not actor.speaks_for({found.owner} if found.owner else ()) and actor.teams is not None:
        raise NotYours("What an anomaly is, members of the team it is of say, or finance.")
    return actor.name


def newest_feedback() -> dict[str, AnomalyFeedback]:
    """What counts of every anomaly, by slug."""
    return {one.slug: one for one in AnomalyFeedback.objects.order_by("pk")}


def log(scope: Scope, limit: int = 20) -> list[AnomalyFeedback]:
    """The newest that was said, of the teams somebody may see."""
    rows = AnomalyFeedback.objects.order_by("-pk")
    if scope.teams is not None:
        rows = rows.filter(team__in=scope.teams)
    return list(rows[:limit])


def answering(found: Anomaly, said: dict[str, AnomalyFeedback], end: date) -> AnomalyFeedback | None:
    """What settles an anomaly as things are on the day `end`: said of itself, or of its place for these days.

    Something planned or expected until a day speaks for whatever begins in the same place by then.
    """
    own = said.get(found.slug)
    if own is not None:
        is_past = own.until is not None and own.until < end and found.is_going_on and found.last_day > own.until
        return None if own.verdict == Verdict.CONFIRMED or is_past else own
    for one in said.values():
        covers = one.until is not None and one.first_day <= found.first_day <= one.until
        if covers and one.verdict in (Verdict.PLANNED, Verdict.EXPECTED) and one.place == found.place:
            return one
    return None


def reviews_of(cells: Cells) -> list[Review]:
    """What was said of the series of a measure, as the detector learns it."""
    numbers = {(one.level, *one.cell): number for number, one in enumerate(cells.series)}
    found = []
    for one in newest_feedback().values():
        place = numbers.get((one.level, *(getattr(one, name) for name in FIELDS)))
        if place is None or (one.measure, one.unit) != (cells.measure, cells.unit):
            continue
        first, last = cells.place(one.first_day), cells.place(min(one.last_day, cells.day(len(cells.days) - 1)))
        if last >= max(first, 0):
            found.append(Review(place, max(first, 0), last, IS_ANOMALY[one.verdict]))
    return found
