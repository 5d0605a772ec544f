"""The answer to `cloudCost`: every charge's cost by account, service, region and resource, in all cost bases."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.api.compat import facts
from apps.api.compat.allocations import instants, ratio
from apps.api.compat.books import Books
from apps.api.compat.columns import compared, matching
from apps.api.compat.filters import UNALLOCATED, Comparison, Filter
from apps.api.compat.parameters import CLOUD_KEYS
from apps.api.compat.parts import few_rows, set_of
from apps.finops.money import add_up
from apps.finops.tables import COSTS, MONEY
from apps.finops.windows import Window
from apps.warehouse.engine import Workspace

COLUMNS = {
    "invoiceEntityID": "account",
    "accountID": "sub_account",
    "provider": "provider",
    "providerID": "resource",
    "category": "category",
    "service": "service",
    "regionID": "region",
}
METRICS = {
    "listCost": "list_cost",
    "netCost": "billed_cost",
    "amortizedNetCost": "effective_cost",
    "invoicedCost": "billed_cost",
    "amortizedCost": "effective_cost",
}
"""OpenCost's cost metric → our basis: what is invoiced is what was billed, amortised is effective."""


def answer(
    books: Books, sets: Sequence[Window], aggregate: Sequence[str], tree: Filter | None, zone: ZoneInfo
) -> dict[str, Any]:
    """The sets of a window, each with its cloud costs by key."""
    keys = tuple(dict.fromkeys(aggregate)) or CLOUD_KEYS
    found: dict[date, dict[str, list[Any]]] = defaultdict(dict)
    for start, *row in _rows(books, sets, keys, tree):
        values, amounts = row[: len(keys)], row[len(keys) :]
        name = "/".join(value or UNALLOCATED for value in values)
        same = found[start].setdefault(name, [dict(zip(keys, values, strict=True)), [Decimal(0)] * len(amounts)])
        same[1] = [add_up(pair) for pair in zip(same[1], amounts, strict=True)]
    begin, end = instants(Window(sets[0].start, sets[-1].end), zone)
    told = [_set(each, found[each.start], keys, zone) for each in sets]
    return {"sets": told, "window": {"start": begin, "end": end}}


def _set(window: Window, found: dict[str, list[Any]], keys: Sequence[str], zone: ZoneInfo) -> dict[str, Any]:
    begin, end = instants(window, zone)
    place = {"start": begin, "end": end}
    costs = {
        name: {"properties": {key: value for key, value in known.items() if value}, "window": place} | _metrics(amounts)
        for name, (known, amounts) in sorted(found.items())
    }
    return {"cloudCosts": costs, "window": place, "aggregationProperties": list(keys)}


def _metrics(amounts: Sequence[Decimal]) -> dict[str, Any]:
    """Each metric's cost, and how much of it belongs to a cluster (0 to 1)."""
    whole = dict(zip(COSTS, amounts, strict=False))
    in_clusters = dict(zip(COSTS, amounts[len(COSTS) :], strict=True))
    return {
        metric: {"cost": whole[basis], "kubernetesPercent": ratio(in_clusters[basis], whole[basis])}
        for metric, basis in METRICS.items()
    }


def _rows(books: Books, sets: Sequence[Window], keys: Sequence[str], tree: Filter | None) -> list[tuple[Any, ...]]:
    """Set, keys, the four costs, and what of them belongs to a cluster."""
    with Workspace() as workspace:
        rows = facts.described(books, books.visible(books.allocated()), workspace)

        def test(comparison: Comparison) -> Any:
            found = compared(rows[COLUMNS[comparison.field]], comparison)
            return ~found if comparison.is_negated else found

        rows = rows.filter(matching(tree, test))
        group = {"set_start": set_of(rows.day, sets), **{f"key_{key}": rows[COLUMNS[key]] for key in keys}}
        is_kubernetes = rows.cluster != ""
        summed = rows.group_by(**group).aggregate(
            **{basis: rows[basis].sum().cast(MONEY) for basis in COSTS},
            **{f"{basis}_kubernetes": rows[basis].sum(where=is_kubernetes).fill_null(0).cast(MONEY) for basis in COSTS},
        )
        return few_rows(summed.order_by(list(group)))
