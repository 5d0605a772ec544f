"""Facts of a rule made for tests, and who is told of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.alerts import services
from apps.alerts.facts import Fact
from apps.alerts.models import Alert
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


class Standing:
    """A budget as `apps.budgets.selectors.standings` tells of it: 1000 CNY of 2026, of `live`."""

    def __init__(self, **given: Any) -> None:
        facts: dict[str, Any] = {
            "budget": 7, "name": "live 2026", "team": "live", "period_name": "2026", "amount": Decimal(1000),
            "currency": "CNY", "spent": Decimal(0), "spent_until": None, "landing": None, "lower": None, "upper": None,
            "exceeds_on": None, "probability": None, "link": "/budgets/7/",
        }  # fmt: skip
        self.__dict__.update(facts | given)
