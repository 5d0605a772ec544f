"""Reading anomalies, for those who may see them, with what was said of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.finops.errors import CostOpsError
from apps.finops.once import once
from apps.insights.anomalies.cells import FIELDS, LEVELS
from apps.insights.anomalies.feedback import answering, newest_feedback
from apps.insights.models import Anomaly, AnomalyFeedback, AnomalyRun
from apps.marts.query import Scope

STATES = ("open", "over", "reviewed")
"""Going on and unanswered; over and unanswered; answered."""
LEVEL_NAMES = tuple(LEVELS)


class NoAnomaly(CostOpsError):
    """Nothing was looked through yet, or there is no such anomaly among those one may see."""


@dataclass(frozen=True)
class Seen:
    """An anomaly as things are: `said` is what answers it, if anybody did."""

    anomaly: Anomaly
    said: AnomalyFeedback | None

    @property
    def state(self) -> str:
        if self.said is not None:
            return "reviewed"
        return "open" if self.anomaly.is_going_on else "over"

    @property
    def so_far(self) -> Decimal:
        return Decimal(self.anomaly.so_far)


def is_any() -> bool:
    """Whether anything was looked through yet."""
    return _newest() is not None


def newest_run(publication: int | None = None) -> AnomalyRun:
    """What was found in a publication, by default the newest."""
    found = _newest() if publication is None else AnomalyRun.objects.filter(publication=publication).first()
    if found is None:
        what = "" if publication is None else f" {publication}"
        raise NoAnomaly(
            f"Publication{what} was not looked through; `manage.py fill --step anomalies` does so with the newest."
        )
    return found


def _newest() -> AnomalyRun | None:
    return once(("newest run of anomalies",), lambda: AnomalyRun.objects.order_by("-publication").first())


def anomalies(
    run: AnomalyRun, scope: Scope, *, team: str | None = None, level: str | None = None, state: str | None = None
) -> list[Seen]:
    """The anomalies somebody may see, the most money first, then by measure: those who see some teams see what is of
    one of these teams alone."""
    rows = Anomaly.objects.filter(run=run).select_related("run")
    if scope.teams is not None:
        rows = rows.filter(owner__in=scope.teams)
    for name, value in (("owner", team), ("level", level)):
        if value is not None:
            rows = rows.filter(**{name: value})
    said, end = newest_feedback(), run.end_day
    seen = [Seen(row, answering(row, said, end) if end else None) for row in rows]
    return sorted((one for one in seen if state is None or one.state == state), key=place_of)


def anomaly(run: AnomalyRun, scope: Scope, slug: str) -> Seen:
    """One of them."""
    for one in anomalies(run, scope):
        if one.anomaly.slug == slug:
            return one
    raise NoAnomaly(f"There is no anomaly {slug} in publication {run.publication}; it is over, or not for you to see.")


def told_of(found: Anomaly) -> list[AnomalyFeedback]:
    """All that was ever said of an anomaly, in order."""
    return list(AnomalyFeedback.objects.filter(slug=found.slug).order_by("pk"))


def title_of(found: Anomaly | AnomalyFeedback, titles: Mapping[str, str] | None = None) -> str:
    """The place of an anomaly in one line; its team by its key, or as `titles` call it."""
    team = (titles or {}).get(found.team, found.team)
    return " · ".join(part for part in (team, *(getattr(found, name) for name in FIELDS[1:])) if part) or "total"


def place_of(one: Seen) -> tuple[int, str, str, Decimal, str]:
    found = one.anomaly
    return (
        STATES.index(one.state),
        "" if found.measure == "cost" else found.measure,
        found.unit,
        -abs(one.so_far),
        found.slug,
    )
