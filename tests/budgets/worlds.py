"""A small company with budgets: two teams, a forecast that can be added up on paper, and who sets and who sees."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from apps.budgets import services
from apps.budgets.drafts import Draft
from apps.budgets.models import Budget
from apps.insights.models import Forecast, ForecastRun
from apps.teams.approval import Actor
from apps.teams.models import Team
from tests.worlds import publish_costs

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
FINANCE = Actor("hanmeimei", None)
NOVEMBER, TWENTY_FIRST = date(2026, 11, 1), date(2026, 11, 21)


def hire() -> None:
    for name in ("web", "data"):
        Team.objects.create(name=name)


def costs(first: date = NOVEMBER, end: date = TWENTY_FIRST, **more: Any) -> list[dict[str, Any]]:
    """Ten a day of `web`."""
    days = [first + timedelta(days=number) for number in range((end - first).days)]
    return [{"day": day, "team": "web", "effective_cost": "10"} | more for day in days]


def forecast_ten_a_day(
    publication: int, *, level: str = "team", key: str = "web", width: int = 10, **more: Any
) -> None:
    """Ten a day ahead from 21 November; so many days together lie within ± width, in 95 cases within ± 2 × width."""
    run, _ = ForecastRun.objects.get_or_create(
        publication=publication, model_version="t",
        defaults={"inputs": "", "first_day": TWENTY_FIRST, "created_at": NOW},
    )  # fmt: skip
    Forecast.objects.create(
        run=run, level=level, key=key, is_naive=False, days=[["10", "9", "11", "8", "12"]] * 92,
        sums=[[f"-{width}", f"{width}", f"-{2 * width}", f"{2 * width}"]] * 92, landings=[], origins=1, total_days=28,
        backtest_first_day=NOVEMBER, **{"currency": "CNY"} | more,
    )  # fmt: skip


def budget(name: str = "web", **more: Any) -> Budget:
    told: dict[str, Any] = {
        "dimension": "team", "value": "web", "amount": "300", "currency": "CNY", "valid_from": NOVEMBER,
    }  # fmt: skip
    return services.create(Draft(name=name, **told | more), by=FINANCE, now=NOW)


def publish(rows: list[dict[str, Any]] | None = None) -> int:
    return publish_costs(costs() if rows is None else rows).number


def total(parts: Any) -> Decimal:
    return sum(parts, Decimal(0))
