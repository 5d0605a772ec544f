"""Anomalies that go on, cost more than expected, and that nobody answered."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from django.urls import reverse

from apps.alerts.facts import Ask, Fact
from apps.finops.findings import Sentence
from apps.insights.anomalies import findings, selectors
from apps.insights.models import Anomaly
from apps.marts.query import EVERYTHING
from apps.marts.selectors import publication
from apps.teams.models import UNALLOCATED
from apps.teams.selectors import team_titles

TITLE = "%(place)s costs %(so_far)s %(unit)s more than expected"
TEXTS = (TITLE,)
"""Every sentence of its own, for translation."""


def facts(ask: Ask) -> Iterator[Fact]:
    """Each open anomaly of cost in the newest publication that is large enough for its team."""
    titles = team_titles()
    for seen in selectors.anomalies(selectors.newest_run(publication().number), EVERYTHING, state="open"):
        found = seen.anomaly
        team = "" if found.owner == UNALLOCATED else found.owner
        severity = ask.of(team).severity(seen.so_far) if found.measure == "cost" and found.is_upward else None
        if severity is not None:
            yield _fact(found, titles, team, severity, seen.so_far)


def _fact(found: Anomaly, titles: Mapping[str, str], team: str, severity: str, so_far: Decimal) -> Fact:
    written = {"place": selectors.title_of(found, titles), "so_far": f"{so_far:,.2f}", "unit": found.unit}
    return Fact(
        subject=found.slug,
        team=team,
        severity=severity,
        title=Sentence(TITLE, written),
        lines=tuple(findings.evidence(found)),
        link=reverse("anomaly", args=[found.slug]),
    )
