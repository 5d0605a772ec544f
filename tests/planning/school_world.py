"""A school of one module: ten cores while a hundred students are in class, one else.

Beside it run a board that asks for no cores, a door that is a bare pod, marks that keep data, a guard on every node.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.core.cache import cache

from apps.finops.tables import (
    ALLOCATED,
    AUTOSCALER_HOURS,
    CHARGES,
    COST_MART,
    NODE_HOURS,
    PASSED_ON,
    WORKLOAD_HOURS,
    WORKLOAD_PEAKS,
)
from apps.marts.models import Publication
from apps.planning import timetable
from apps.planning.drafts import Draft, checked
from apps.planning.planners.timetable import PLANNER
from apps.teams.approval import Actor
from tests.insights.idle_world import write

FINANCE = Actor("fin", None)
HEAD = "module,class,start,end,expected_students"
FIRST, DAYS = date(2026, 9, 7), 28  # a Monday
NOW = datetime(2026, 10, 5, 3, tzinfo=UTC)


def is_class(at: datetime) -> bool:
    return at.weekday() < 5 and at.hour in (10, 11, 18, 19, 20)


def classes(weeks: int, *, first: int = 0) -> bytes:
    """Fifty minutes each, of so many weeks: four were, the others come."""
    lines = [HEAD]
    for number in range(7 * first, 7 * weeks):
        for hour in range(24):
            at = datetime(2026, 9, 7, hour, tzinfo=UTC) + timedelta(days=number)
            if is_class(at):
                lines.append(f"school,{at:%a %H},{at.isoformat()},{(at + timedelta(minutes=50)).isoformat()},100")
    return "\n".join(lines).encode()


def make() -> None:
    publish()
    User.objects.create_superuser("han")


def publish(metered: int = DAYS, silent: int = 0) -> Publication:
    """The school with its bills, and the usage of its last days but the `silent` ones, when only another is metered."""
    nodes, usage, bounds, peaks = [], [], [], []
    for number in range(DAYS - metered, DAYS):
        day = FIRST + timedelta(days=number)
        for hour in range(24):
            at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            common = {"source": "h", "day": day, "file_id": str(day), "hour": at, "cluster": "online"}
            if number >= DAYS - silent:
                usage.append(common | {"cluster": "other", "namespace": "lab", "workload": "lab", "pod": "l",
                                       "workload_kind": "Pod", "node": "o1"})  # fmt: skip
                nodes.append(common | {"cluster": "other", "node": "o1", "provider_id": "cn-beijing.i-o1",
                                       "cpu_capacity_core_hours": Decimal(16)})  # fmt: skip
                continue
            busy = is_class(at)
            live = common | {"namespace": "school", "workload": "live"}
            bounds.append(live | {"min_replicas": 4, "max_replicas": 8, "autoscaler": "live-hpa"})
            usage += [
                common | {"namespace": "school", "workload": name, "workload_kind": kind, "pod": name, "node": "n1",
                          "cpu_used_core_hours": Decimal("0.1"), "cpu_request_core_hours": Decimal(request)}
                for name, kind, request in (("board", "Deployment", 0), ("door", "Pod", 1), ("marks", "StatefulSet", 1),
                                            ("guard", "DaemonSet", 1))
            ]  # fmt: skip
            for node in ("n1", *(["e1"] if 8 <= hour < 23 else [])):
                nodes.append(common | {
                    "node": node, "node_pool": "p", "provider_id": f"cn-beijing.i-{node}", "instance_type": "g7",
                    "cpu_capacity_core_hours": Decimal(16), "memory_capacity_gib_hours": Decimal(64),
                })  # fmt: skip
            count = 12 if 8 <= hour < 23 else 4  # whoever watches the clock runs twelve all day
            used = Decimal(10 * 50 + 10) / 60 if busy else Decimal(1)  # ten for fifty minutes, one for ten
            for pod in range(count):
                one = live | {"pod": f"p{pod}", "node": "n1" if pod < 4 else "e1"}
                usage.append(one | {
                    "workload_kind": "Deployment", "cpu_request_core_hours": Decimal(1),
                    "cpu_used_core_hours": round(used / count, 6),
                })  # fmt: skip
                peaks.append(one | {"cpu_peak_cores": round(Decimal(10 if busy else 1) / count, 6)})
    costs = [
        {"day": FIRST + timedelta(days=number), "pool": "node", "resource": f"i-{node}", "cluster": "online",
         "namespace": "school", "workload": "live", "kind": "direct", "team": "teachers", "currency": "CNY",
         "source": "bill", "billing_month": "2026-09", "charge_category": "Usage", "effective_cost": Decimal(amount)}
        for number in range(DAYS) for node, amount in (("n1", "24"), ("e1", "30"))
    ]  # fmt: skip
    for row in costs:
        row["billing_month"] = f"{row['day']:%Y-%m}"
    tables = (
        (ALLOCATED, costs), (PASSED_ON, []), (CHARGES, []),
        (COST_MART, [row | {"month": row["billing_month"]} for row in costs]), (WORKLOAD_HOURS, usage),
        (NODE_HOURS, nodes), (AUTOSCALER_HOURS, bounds), (WORKLOAD_PEAKS, peaks),
    )  # fmt: skip
    versions = {table.name: write(table, rows) for table, rows in tables}
    cache.clear()
    end = FIRST + timedelta(days=DAYS)
    return Publication.objects.create(
        created_at=NOW, versions=versions, ruleset=0, status="final", first_day=FIRST, end_day=end
    )


def planned(school: Publication, **given: float) -> Draft:
    """The plan of the one workload that a schedule can be made for."""
    (case,) = [case for case in PLANNER.read(school, NOW) if not case.withheld]
    assert case.subject == "school/live"
    return checked(PLANNER.make(case.data, PLANNER.defaults | given))


def bring(content: bytes, *, at: datetime = NOW) -> None:
    timetable.bring(content, "t.csv", by=FINANCE, now=at)
