"""Anomalies as findings: what somebody should look at, and what it costs while it goes on."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from django.urls import reverse

from apps.finops.findings import Finding, Sentence
from apps.insights.anomalies import selectors
from apps.insights.anomalies.selectors import Seen
from apps.insights.models import Anomaly
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING
from apps.teams.selectors import team_titles

MONTH_DAYS = 30
TITLES = {
    (Anomaly.Kind.SPIKE, True): "Find out why %(place)s spiked",
    (Anomaly.Kind.STEP, True): "Find out why %(place)s rose",
    (Anomaly.Kind.DRIFT, True): "Stop the rise of %(place)s",
}
"""What should be done, of what went up."""
SINCE = "%(actual)s %(unit)s since %(first)s where %(expected)s were expected"
MONTH_END = "%(month_end)s %(unit)s more than expected by the end of the month, if it goes on"
PART = "%(share)s of it is %(part)s"
DRIVERS = {
    "usage": "Usage rose as well: %(change)s",
    "price": "Usage did not rise with it: it became dearer",
}
GONE = "It went back to what is usual, or somebody said what it is"
TEXTS = (*TITLES.values(), SINCE, MONTH_END, PART, *DRIVERS.values(), GONE)
"""Every sentence, for translation."""


def findings(pinned: Publication, _now: datetime) -> tuple[Finding, ...]:
    """What costs more than expected, goes on, and was not answered: the most money first."""
    found = selectors.anomalies(selectors.newest_run(pinned.number), EVERYTHING, state="open")
    titles = team_titles()
    return tuple(_finding(one.anomaly, titles) for one in found if _is_costly(one))


def _is_costly(one: Seen) -> bool:
    return one.anomaly.measure == "cost" and one.anomaly.is_upward


def _finding(found: Anomaly, titles: Mapping[str, str]) -> Finding:
    place = selectors.title_of(found, titles)
    return Finding(
        kind="anomaly",
        subject=found.slug,
        team=found.owner or "unallocated",
        title=Sentence(TITLES[Anomaly.Kind(found.kind), True], {"place": place}),
        evidence=tuple(evidence(found)),
        currency=found.unit,
        saving_per_month=Decimal(0),
        since=found.first_day,
        link=reverse("anomaly", args=[found.slug]),
        at_stake=" ".join(found.place),
        amount_per_month=max(Decimal(found.per_day) * MONTH_DAYS, Decimal(0)),
    )


def evidence(found: Anomaly) -> Iterable[Sentence]:
    """What was seen of an anomaly, strongest first."""
    money = {name: f"{Decimal(getattr(found, name)):,.2f}" for name in ("actual", "expected", "month_end")}
    yield Sentence(SINCE, money | {"unit": found.unit, "first": found.first_day.isoformat()})
    yield Sentence(MONTH_END, {"month_end": money["month_end"], "unit": found.unit})
    for part, _, share in found.cause["parts"][:1]:
        yield Sentence(PART, {"share": f"{share:.0%}", "part": part})
    if found.cause["driver"]:
        yield Sentence(DRIVERS[found.cause["driver"]], {"change": f"{found.cause['usage_change'] or 0:+.0%}"})
