"""The kinds of recommendations: where the findings of each come from, and how soon they are to be decided."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.finops.errors import CostOpsError
from apps.finops.findings import Finding
from apps.insights.anomalies import findings as anomalies
from apps.marts.models import Publication
from apps.operations.models import Recommendation
from apps.operations.sources import landing, ownership, plans, unused
from apps.planning.registry import PLANNERS

Findings = Callable[[Publication, datetime], tuple[Finding, ...]]
Answered = Callable[[Publication, datetime], Callable[[Recommendation], bool]]
NOT_FOUND = "It is no longer found"


class BadDays(CostOpsError):
    """COSTOPS_RECOMMENDATION_DAYS cannot be read."""


@dataclass(frozen=True)
class Kind:
    """A kind: `findings` of a publication as things are now, `days` until one is due, `gone` why one closes itself;
    `answered` tells of each, by a publication as things are now, whether it could be looked for; None: all could."""

    name: str
    title: Promise
    findings: Findings
    days: int
    gone: str = NOT_FOUND
    answered: Answered | None = None


KINDS: tuple[Kind, ...] = (
    Kind("ownership", _("Ownership"), ownership.findings, 14, ownership.GONE),
    Kind("anomaly", _("Anomaly"), anomalies.findings, 3, anomalies.GONE),
    Kind("idle", _("Idle"), unused.idle, 14, unused.GONE, unused.idle_answered),
    Kind("schedule", _("Schedule"), unused.schedules, 14, unused.GONE, unused.schedule_answered),
    Kind("landing", _("Landing"), landing.findings, 7, landing.GONE),
    *(
        Kind(one.name, one.title, plans.findings_of(one.name), one.days, plans.GONE, plans.answered_of(one.name))
        for one in PLANNERS
    ),
)

BY_NAME = {kind.name: kind for kind in KINDS}
NAMES = tuple(BY_NAME)


def title_of(name: str) -> str:
    """What a kind is called; that of an earlier version by its name."""
    return str(BY_NAME[name].title) if name in BY_NAME else name


def days_until_due() -> dict[str, int]:
    """The days of every kind: those of the table, but for what COSTOPS_RECOMMENDATION_DAYS says otherwise."""
    return {kind.name: kind.days for kind in KINDS} | dict(
        _days(text) for text in settings.COSTOPS_RECOMMENDATION_DAYS if text.strip()
    )


def _days(text: str) -> tuple[str, int]:
    name, _, days = (part.strip() for part in text.partition("="))
    if name not in BY_NAME or not days.isascii() or not days.isdigit() or not 0 < int(days) <= 3650:
        raise BadDays(
            f"COSTOPS_RECOMMENDATION_DAYS: {text!r} is not a kind and its days, such as ownership=14; the kinds are "
            f"{', '.join(NAMES)}."
        )
    return name, int(days)
