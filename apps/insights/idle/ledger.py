"""What things cost in the last complete days: every part of it is promised once."""

# ruff: noqa: S608  # identifiers are declared columns of our own; every value is a parameter

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from apps.finops.money import add_up, less, rounded
from apps.finops.tables import ALLOCATED, MONEY, PASSED_ON, LakeTable
from apps.finops.windows import Window
from apps.insights.history import complete_until
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, connect

COSTED_DAYS = 28
"""Four whole weeks of complete days say what a month costs."""
_USUAL_DAYS = 60


class Part(NamedTuple):
    """A part of the cost: what one resource cost one workload (or nobody, in a namespace or none), and one team."""

    pool: str
    resource: str
    cluster: str
    namespace: str
    workload: str
    kind: str
    team: str
    currency: str


WHOLE = Fraction(1)
Shares = dict[tuple[str, str], Decimal]
"""By team and currency."""


def per_month(cost: Decimal, days: int) -> Decimal:
    """The cost of so many days as that of a month: × 365 / 12 / days, rounded once to twelve decimals."""
    return rounded(Fraction(cost) * 365 / (12 * days))


def complete_window(pinned: Publication, *, today: date) -> Window | None:
    """The last 28 complete days, or what there is; None where nothing is published."""
    if pinned.first_day is None or pinned.came_until is None:
        return None
    over = min(pinned.came_until, today)
    start = max(pinned.first_day, over - timedelta(days=_USUAL_DAYS))
    if start >= over:
        return None
    asked = CostQuery(start, over, group_by=("day", "source"), as_of=pinned.number)
    costs: dict[str, dict[str, dict[date, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for day, source, currency, cost in answer(asked).rows:
        costs[currency][source][day] = cost
    ends = [complete_until(known, start=start, end=over, today=today) for known in costs.values()]
    end = min(ends, default=start)
    return Window(max(start, end - timedelta(days=COSTED_DAYS)), end) if end > start else None


@dataclass
class Ledger:
    """The cost of a window by parts; what was taken of a part is not there a second time."""

    window: Window
    left: dict[Part, Decimal]

    def __post_init__(self) -> None:
        self._places: dict[tuple[str, str], list[Part]] = defaultdict(list)
        self._resources: dict[str, list[Part]] = defaultdict(list)
        for part in self.left:
            self._places[part.cluster, part.namespace].append(part)
            self._resources[part.resource].append(part)

    @classmethod
    def read(
        cls, pinned: Publication, window: Window, places: Iterable[tuple[str, str]], resources: Iterable[str]
    ) -> "Ledger":
        """The parts of some namespaces (cluster, namespace) and resources: as teams caused them, before policies
        passed anything on."""
        columns = ", ".join(Part._fields)
        both = " UNION ALL ".join(
            f"SELECT {columns}, effective_cost FROM ({query}) WHERE {extra}"
            for query, extra in (
                (_days(ALLOCATED, pinned, window), "pool <> 'shared'"),
                (_days(PASSED_ON, pinned, window), "pool <> 'cluster'"),
            )
            if query
        )
        if not both:
            return cls(window, {})
        with Workspace() as workspace:
            wanted = workspace.keep_query(
                "SELECT unnest(?::VARCHAR[]) AS cluster, unnest(?::VARCHAR[]) AS namespace", _columns(places, 2)
            )
            named = workspace.keep_query("SELECT unnest(?::VARCHAR[]) AS resource", [sorted(set(resources))])
            rows = (
                connect()
                .con.execute(f"""
                SELECT {columns}, sum(effective_cost)::{MONEY} FROM ({both}) p
                WHERE (namespace <> '' AND (cluster, namespace) IN (SELECT (cluster, namespace) FROM {wanted}))
                    OR resource IN (SELECT resource FROM {named} WHERE resource <> '')
                GROUP BY ALL""")
                .fetchall()
            )
        return cls(window, {Part(*row[:-1]): row[-1] for row in rows})

    def of_namespace(self, cluster: str, namespace: str) -> list[Part]:
        """What a namespace claimed, without capacity nobody did."""
        return [part for part in self._places.get((cluster, namespace), ()) if part.kind != "idle"]

    def of_workload(self, cluster: str, namespace: str, workload: str) -> list[Part]:
        return [part for part in self.of_namespace(cluster, namespace) if part.workload == workload]

    def of_resource(self, resource: str) -> list[Part]:
        return list(self._resources.get(resource, ()))

    def unclaimed(self, resource: str) -> list[Part]:
        """What nobody claimed of a node."""
        return [part for part in self.of_resource(resource) if part.pool == "node" and part.kind == "idle"]

    def take(self, parts: Iterable[Part], share: Fraction = WHOLE) -> Shares:
        """What is left of some parts, or a share of it (each part rounded once), by team and currency; it is not left
        any more."""
        found: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for part in parts:
            taken = self.left[part] if share == WHOLE else rounded(Fraction(self.left[part]) * share)
            self.left[part] = less(self.left[part], taken)
            found[part.team, part.currency].append(taken)
        sums = {key: add_up(costs) for key, costs in sorted(found.items())}
        return {key: cost for key, cost in sums.items() if cost > 0}


def _days(table: LakeTable, pinned: Publication, window: Window) -> str:
    """A table's days as a query; '' where there are none."""
    at = pinned.versions.get(table.name)
    if at is None:
        return ""
    low, high = str(window.start), str(window.end)
    chosen = [file for file in lake.files(table, at=at) if low <= file.partition["day"] < high]
    return lake.query_of(table, chosen) if chosen else ""


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    listed = sorted(set(rows))
    return [[row[place] for row in listed] for place in range(width)]
