"""A week of bills and two days of usage after them, made of numbers one can add up on paper."""

from decimal import Decimal
from typing import Any

from django.core.cache import cache

from apps.allocation.services import allocate
from apps.estimates.services import estimate
from apps.finops.steps import StepResult
from apps.finops.tables import CHARGES
from apps.finops.windows import ONE_DAY, Window
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.marts.services import publish
from tests.allocation.worlds import DAY, OWNED_BY_NAME, Row, charge, claim, moved, node, pod, put, put_usage
from tests.books.worlds import NOW, put_rules

RULES = OWNED_BY_NAME + "  - {name: logs, when: {service: Log Service}, team: ops}\n"
FRIDAY, SATURDAY = DAY + 8 * ONE_DAY, DAY + 9 * ONE_DAY
"""DAY is a Thursday; its bill reaches to the Thursday after, of which only a part has come."""
WINDOW = Window(DAY, DAY + 10 * ONE_DAY)
LOG = {"ServiceName": "Log Service"}
NOON = range(12)


def charges() -> list[Row]:
    """A node for 36, on the last whole day (number 6) for 48; a volume for 2.40; logs for 7 on Friday, 3 on Saturday,
    10 on other days. Of day 7 a sixth of the node has come. On day 1 something was bought."""
    rows: list[Row] = []
    for number in range(8):
        node_cost = {6: "48", 7: "8"}.get(number, "36")
        rows += moved([charge(node_cost, "i-n1", ListCost="60"), charge("2.40", "d-1", ServiceName="Disk")], number)
        rows += moved([charge({1: "7", 2: "3"}.get(number, "10"), "log-1", **LOG)], number)
    bought = charge("1000", "log-1", ChargeCategory="Purchase", **LOG)
    return rows + moved([bought], 1)


def usage() -> dict[str, list[Row]]:
    """The node has 4 cores, so 96 core-hours a day, and 48 price units an hour: `web` claims 16, `data` 8, 24 are idle.
    The volume has 10 GiB. On Friday there is half a day of the node, 20 GiB, and four nodes more."""
    found: dict[str, list[Row]] = {"workload_hours": [], "node_hours": [], "volume_hours": []}

    def add(number: int, hours: range, size: str) -> None:
        found["workload_hours"] += moved(pod("web", "2", hours=hours) + pod("data", "1", hours=hours), number)
        found["node_hours"] += moved(node(hours=hours), number)
        found["volume_hours"] += moved(claim("web", size), number)

    for number in range(8):
        add(number, range(24), "10")
    add(8, NOON, "20")
    add(9, range(24), "10")
    new = [("n2", {}), ("n3", {"node_pool": "other"}), ("n4", {"instance_type": "huge"}), ("n5", {"cluster": "far"})]
    for name, given in new:
        found["node_hours"] += moved(node(name, [0], **given), 8)
    return found


def publish_all(rows: list[Row], measured: dict[str, list[Row]] | None = None) -> tuple[StepResult, Publication]:
    """Put a world into the lake; allocate, estimate and publish it."""
    put(CHARGES, rows)
    put_usage(**(usage() if measured is None else measured))
    put_rules(RULES)
    allocate(WINDOW)
    told = estimate(WINDOW)
    cache.clear()
    publish(None, now=NOW)
    return told, publication()


def bill_of_waiting_days(**costs: str) -> list[Row]:
    """What the bill says in the end of Friday and Saturday."""
    friday = [charge(costs.get("node", "30"), "i-n1"), charge("4.80", "d-1", ServiceName="Disk")]
    friday += [charge("2", "i-n2"), charge("9", "log-1", **LOG), charge("500", "log-1", ChargeCategory="Tax", **LOG)]
    saturday = [charge("48", "i-n1"), charge("2.40", "d-1", ServiceName="Disk"), charge("3", "log-1", **LOG)]
    return moved(friday, 8) + moved(saturday, 9)


def amounts(rows: Any) -> dict[tuple[Any, ...], Decimal]:
    """Rows of an answer by their groups, without the currency."""
    return {row[:-2]: row[-1] for row in rows}
