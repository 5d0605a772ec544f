"""Findings of a kind made for tests, and the people who decide about them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User

from apps.finops.findings import Finding, Sentence
from apps.finops.steps import StepResult
from apps.marts.models import Publication
from apps.operations import services
from apps.operations.kinds import Kind
from apps.operations.models import Recommendation
from apps.teams.approval import Actor
from apps.teams.models import Membership, Team
from apps.teams.roles import FINANCE

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
LEILI = Actor("lilei", frozenset({"live"}))
ANYBODY = Actor("han", None)


def a_finding(subject: str = "disk-1", **given: Any) -> Finding:
    """A disk of the team `live` that would save 100 CNY a month, unless something else is given."""
    facts = {
        "kind": "idle", "subject": subject, "team": "live", "title": Sentence("Delete %(name)s", {"name": subject}),
        "evidence": (Sentence("Nobody read it since %(day)s", {"day": "2026-10-01"}),), "currency": "CNY",
        "saving_per_month": Decimal("100.000000000001"), "since": date(2026, 10, 1), "link": "/forecasts/",
    }  # fmt: skip
    return Finding(**(facts | given))


def recommend(*found: Finding, days: int = 0, **kind: Any) -> StepResult:
    """A publication, so many days later, in which this is found and nothing else."""
    at = NOW + timedelta(days=days)
    Publication.objects.create(created_at=at, versions={}, ruleset=1, status="final")
    return services.recommend(now=at, kinds=(Kind(**({"name": "idle", "title": "Idle", "days": 14,
                                                     "findings": lambda _pinned, _now: found} | kind)),))  # fmt: skip


def one(subject: str = "disk-1") -> Recommendation:
    return Recommendation.objects.get(subject=subject)


def history(subject: str = "disk-1") -> list[str]:
    """The steps of a recommendation, in short."""
    return [f"{step.by or 'machine'}: {step.action} → {step.to_state}" for step in one(subject).steps.order_by("pk")]


def hire() -> dict[str, User]:
    """A lead, a member of another team, and finance."""
    found = {name: User.objects.create_user(name) for name in ("lilei", "meimei", "finance")}
    for name, team in (("lilei", "live"), ("meimei", "data")):
        Membership.objects.create(user=found[name], team=Team.objects.create(name=team))
    found["finance"].groups.add(Group.objects.get_or_create(name=FINANCE)[0])
    return found
