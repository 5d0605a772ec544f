"""Small worlds that are published, changed and published again."""

import json
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache

from apps.allocation.services import allocate
from apps.finops.tables import CHARGES
from apps.finops.windows import ONE_DAY, Window
from apps.marts.services import publish
from apps.teams.documents import parse_teams
from apps.teams.models import RuleSet
from tests.allocation.worlds import DAY, OWNED_BY_NAME, TEAMS, Row, charge, import_rules, node, pod, put, put_usage

NOW = datetime(2026, 12, 20, 3, tzinfo=UTC)
RULES = OWNED_BY_NAME
LOG = {"ServiceName": "Log Service", "SkuId": "log"}

Usage = dict[str, list[Row]]


def bill(node_cost: str = "48", log_cost: str | None = "10") -> list[Row]:
    """A node and a log service, of nobody."""
    rows = [charge(node_cost, "i-n1")]
    return rows if log_cost is None else [*rows, charge(log_cost, "log-1", **LOG)]


def usage(web: str = "2", data: str = "1", **given: list[Row]) -> Usage:
    """A node of 4 cores and 16 GiB: 48 price units an hour. A core is 8 of them: `web` claims 16, `data` 8, 24 idle."""
    return {"workload_hours": pod("web", web) + pod("data", data), "node_hours": node()} | given


def published(
    charges: list[Row] | None = None,
    measured: Usage | None = None,
    rules: str = RULES,
    *,
    days: int = 1,
    now: datetime = NOW,
) -> int:
    """Put a world into the lake, allocate the days from DAY on and publish; the number of the publication."""
    put(CHARGES, bill() if charges is None else charges)
    put_usage(**(usage() if measured is None else measured))
    put_rules(rules)
    allocate(Window(DAY, DAY + days * ONE_DAY))
    cache.clear()  # a test's database begins to count publications anew
    return int(publish(None, now=now).versions["publication"])


def put_rules(rules: str) -> None:
    """Import rules, unless they are in force."""
    _teams, book = parse_teams(TEAMS + rules, file="teams.yaml")
    newest = RuleSet.objects.order_by("-number").first()
    told: dict[str, Any] = json.loads(json.dumps(book.to_document()))
    if newest is None or newest.document != told:
        import_rules(rules)
