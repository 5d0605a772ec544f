"""Facts of a rule made for tests, and who is told of them."""

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.alerts import services
from apps.alerts.facts import Fact
from apps.alerts.models import Alert
from apps.budgets.selectors import Named, Standing
from apps.channels.models import Channel, Entry
from apps.finops.findings import Sentence

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
RULE = "budget_actual"


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def a_fact(subject: str = "7", **given: Any) -> Fact:
    """The budget of `live` is spent to 90 %."""
    facts = {
        "subject": subject, "severity": "warning", "team": "live", "period": "2026",
        "title": Sentence("%(share)s of the budget %(budget)s is spent", {"share": "91.0 %", "budget": "live"}),
        "lines": (), "link": "/budgets/7/",
    }  # fmt: skip
    return Fact(**(facts | given))


def so(*facts: Fact, hours: float = 0, rule: str = RULE) -> bool:
    """So many hours later this is so, and nothing else of the rule."""
    return services.apply(rule, facts, at(hours))


def one(subject: str = "7") -> Alert:
    return Alert.objects.get(subject=subject)


def history(subject: str = "7") -> list[str]:
    return [f"{step.by or 'machine'}: {step.action} {step.severity}" for step in one(subject).steps.order_by("pk")]


def keys(channel: Channel | None = None) -> list[str]:
    """What was told, in short: the key without the number of the alert."""
    found = Entry.objects.filter(channel=channel) if channel else Entry.objects.all()
    return [key.split(" ", 2)[2] for key in found.order_by("pk").values_list("key", flat=True)]


def standing(**given: Any) -> Standing:
    """A budget as it stands: 1000 CNY of 2026, of `live`."""
    nothing = dict.fromkeys(
        ("spent_until", "landing", "lower", "upper", "exceeds_on", "probability", "missing"), None
    )  # fmt: skip
    facts: dict[str, Any] = nothing | {
        "budget": Named(7, "live 2026", "live", ""), "period_name": "2026", "start": date(2026, 1, 1),
        "end": date(2027, 1, 1), "amount": Decimal(1000), "currency": "CNY", "spent": Decimal(0), "state": "on_track",
        "link": "/budgets/7/", "dimension": "team", "value": "live", "grain": "year", "metric": "effective_cost",
        "base": Decimal(1000), "carried": Decimal(0), "planned": Decimal(0), "estimated": Decimal(0),
        "estimated_days": 0, "is_converted": False,
    }  # fmt: skip
    known = {field.name for field in fields(Standing)}
    return Standing(**{name: value for name, value in (facts | given).items() if name in known})
