"""Four months of cost with something done in the last: a known effect, or none, and the people around it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from apps.marts.models import Publication
from apps.savings import services
from apps.savings.models import Initiative
from apps.savings.statements import read_statement
from apps.teams.approval import Actor
from apps.teams.models import Team
from tests.worlds import publish_costs

FIRST, START, END = date(2026, 6, 1), date(2026, 9, 7), date(2026, 10, 8)
"""Fourteen weeks before the start, and four weeks and three days after it."""
NOW = datetime(2026, 10, 8, 3, tzinfo=UTC)
BEFORE = datetime(2026, 9, 1, 3, tzinfo=UTC)
FINANCE = Actor("han", None)
LILEI = Actor("lilei", frozenset({"live"}))
WEEK = (1.0, 1.1, 1.15, 1.1, 1.05, 0.6, 0.5)
CELLS = {("live", "OSS"): 800, ("live", "CDN"): 300, ("data", "ECS"): 900, ("data", "OSS"): 500, ("search", "ECS"): 700,
         ("search", "RDS"): 400, ("quality", "ECS"): 250}  # fmt: skip
Change = Mapping[tuple[str, str], float]


def costs(change: Change | None = None, *, until: date = END, seed: int = 1) -> list[dict[str, Any]]:
    """Every cell follows the week and what a day is like for all (3 %), with 1.5 % of noise of its own; from START on
    it costs so many times as much as `change` says, or as usual."""
    drawn, rows = np.random.default_rng(seed), []
    days = [FIRST + timedelta(number) for number in range((until - FIRST).days)]
    swing = drawn.normal(0, 0.03, len(days))
    for (team, service), base in CELLS.items():
        noise = drawn.normal(0, 0.015, len(days))
        for number, day in enumerate(days):
            amount = base * WEEK[day.weekday()] * (1 + swing[number] + noise[number])
            amount *= (change or {}).get((team, service), 1.0) if day >= START else 1.0
            rows.append({"day": day, "team": team, "service": service, "namespace": team, "region": "bj",
                         "effective_cost": f"{Decimal(amount):.6f}"})  # fmt: skip
    return rows


def publish(change: Change | None = None, **more: Any) -> Publication:
    return publish_costs(costs(change, **more))


def truth(change: Change, cell: tuple[str, str], start: date = START, end: date = END) -> float:
    """What a cell cost less than it would have on some days."""

    def spent(rows: list[dict[str, Any]]) -> float:
        return sum(
            float(row["effective_cost"]) for row in rows
            if (row["team"], row["service"]) == cell and start <= row["day"] < end
        )  # fmt: skip

    return spent(costs()) - spent(costs(change))


def given(**more: Any) -> dict[str, Any]:
    """What somebody states: the object storage of `live` will cost 4,000 CNY a month less."""
    return {
        "name": "Compress recordings", "hypothesis": "Half the bytes, the same lessons.", "team": "live",
        "scope": "team=live; service=OSS", "currency": "CNY", "promised_per_month": "4000", "start": f"{START}",
    } | more  # fmt: skip


def stated(*, by: Actor = FINANCE, now: datetime = BEFORE, **more: Any) -> Initiative:
    """An initiative, stated before it began."""
    for name in {team for team, _ in CELLS}:
        Team.objects.get_or_create(name=name)
    one = services.write(read_statement(given(**more)), by=by, now=now)
    return services.take(one, "state", by=by, now=now)
