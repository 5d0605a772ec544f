"""The rules of alerts: the page to read first."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from apps.alerts.facts import Ask, Fact, Rule, told_of
from apps.alerts.rules import anomalies, budgets, data

PERCENT, HOURS, MONEY = "%", "h", "money"


def _failed_runs(ask: Ask) -> Iterable[Fact]:
    return told_of("failed_run", ask)


RULES: tuple[Rule, ...] = (
    Rule(
        "budget_actual", _("Budget spent"), _("of a budget is spent"), budgets.actual, PERCENT,
        {"info": Decimal(80), "warning": Decimal(90), "critical": Decimal(100)}, by_team=True,
    ),
    Rule(
        "budget_forecast", _("Budget by forecast"), _("of a budget is where its period is expected to land"),
        budgets.forecast, PERCENT, {"warning": Decimal(100), "critical": Decimal(120)}, by_team=True,
    ),
    Rule(
        "anomaly", _("Anomaly"), _("more than expected so far, in the anomaly's own currency"), anomalies.facts, MONEY,
        {"warning": Decimal(1000), "critical": Decimal(10000)}, by_team=True,
    ),
    Rule(
        "late_source", _("Late source"), _("after a day of a source was due and has not come"), data.late_sources,
        HOURS, {"warning": Decimal(0), "critical": Decimal(24)}, every=timedelta(minutes=15),
    ),
    Rule(
        "silent_cluster", _("Silent cluster"), _("of a cluster are not known that are of others"),
        data.silent_clusters, HOURS, {"warning": Decimal(48), "critical": Decimal(96)},
    ),
    Rule(
        "coverage", _("Coverage"), _("of a cluster's samples of the last seven days were observed, or fewer"),
        data.coverage, PERCENT, {"warning": Decimal(95), "critical": Decimal(80)}, falls=True,
    ),
    Rule(
        "unallocated", _("Unallocated cost"), _("of the cost of the last thirty days belongs to nobody"),
        data.unallocated, PERCENT, {"warning": Decimal(10), "critical": Decimal(25)},
    ),
    Rule(
        "failed_run", _("Failed run"), _("A run failed, or was set aside after workers died on it"), _failed_runs,
        every=timedelta(minutes=5),
    ),
)  # fmt: skip
BY_NAME = {rule.name: rule for rule in RULES}
NAMES = tuple(BY_NAME)


def title_of(name: str) -> str:
    """What a rule is called; that of an earlier version by its name."""
    return str(BY_NAME[name].title) if name in BY_NAME else name
