"""The charges and the usage of a company of any size, in four clusters: thirteen months, where nothing else is said."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

CLUSTERS = ("online", "batch", "gpu", "edge")
START, END = date(2025, 10, 1), date(2026, 11, 1)


@dataclass(frozen=True)
class Size:
    """How large a company is, and its first day. Days before `hourly_from` stand in one hour each: their sums by the day are the same, and
    nothing reads their hours. `resources` are billed by the day, and each belongs to a service and a team."""

    teams: int = 120
    namespaces: int = 400
    pods: int = 1_500
    pods_per_workload: int = 1
    nodes: int = 200
    cores_per_node: int = 16
    services: int = 60
    resources: int = 1_200
    hourly_from: date = date(2026, 8, 1)
    first: date = START


COMPANY = Size()


class days:  # noqa: N801  # a group of functions
    """The days of the company."""

    @staticmethod
    def between(first: date, end: date) -> Iterator[date]:
        """Every day from the first to the one before the last."""
        yield from (first + timedelta(days=n) for n in range((end - first).days))

    @staticmethod
    def months(first: date, end: date) -> Iterator[tuple[str, date, date]]:
        """Name, first day and end of every month from a first of one to an end."""
        while first < end:
            until = min((first + timedelta(days=32)).replace(day=1), end)
            yield f"{first:%Y-%m}", first, until
            first = until


def _hours(first: date, end: date, size: Size) -> str:
    """Rows `hour`, `day`, `h` (of the day) and `width` (hours it stands for)."""
    step, width = ("1 HOUR", 1) if first >= size.hourly_from else ("1 DAY", 24)
    return (
        f"(SELECT timezone('UTC', range) AS hour, CAST(range AS DATE) AS day, hour(range) AS h, {width} AS width "
        f"FROM range(TIMESTAMP '{first}', TIMESTAMP '{end}', INTERVAL {step}))"
    )


_CLUSTER = "['online','batch','gpu','edge'][(n % 4) + 1]"
_NODE = "printf('%s-node-%02d', " + _CLUSTER + ", {number})"
_USED = "(0.15 + 0.5 * ((n * 7919) % 100) / 100.0) * (1 + CASE WHEN width = 1 THEN 0.5 * sin(h * 0.2618 + n % 24) ELSE 0 END)"
"""Of the request: by workload, and by the hour."""
_LIVES = "(n % 50 <> 17 OR day < DATE '2026-09-15')"
"""Some workloads stop being used, and stay."""


def workload_hours(first: date, end: date, file: str, size: Size = COMPANY) -> str:
    """Pods, each on a node of its cluster; in `gpu` every other one has a card."""
    used = f"CASE WHEN {_LIVES} THEN {_USED} ELSE 0.002 END"
    workload = f"n // {4 * size.pods_per_workload} * 4 + n % 4"
    return f"""
        SELECT hour, {_CLUSTER}, 'ns-' || (({workload}) % {size.namespaces}), 'app-' || ({workload}), 'Deployment',
               'app-' || ({workload}) || '-' || (n // 4 % {size.pods_per_workload}),
               {_NODE.format(number=f"(n // 4) % {size.nodes // 4}")}, '',
               (width * request * {used})::DECIMAL(18, 6), (width * request)::DECIMAL(18, 6),
               (width * request * 3 * {used})::DECIMAL(18, 6), (width * request * 4)::DECIMAL(18, 6),
               (width * card * {used})::DECIMAL(18, 6), (width * card)::DECIMAL(18, 6), 'usage', day, '{file}'
        FROM {_hours(first, end, size)},
             (SELECT range AS n, 0.5 + (range * 31 % 6) * 0.5 AS request, CASE WHEN range % 8 = 2 THEN 1 ELSE 0 END AS card
              FROM range({size.pods}))"""


def node_hours(first: date, end: date, file: str, size: Size = COMPANY) -> str:
    """As many nodes in each cluster."""
    return f"""
        SELECT hour, {_CLUSTER}, {_NODE.format(number="n // 4")}, {_CLUSTER} || '-pool', 'i-' || n, 'ecs.g7.4xlarge',
               ({size.cores_per_node} * width)::DECIMAL(18, 6), ({4 * size.cores_per_node} * width)::DECIMAL(18, 6),
               (CASE WHEN n % 4 = 2 THEN 8 ELSE 0 END * width)::DECIMAL(18, 6), '{{}}', 'usage', day, '{file}'
        FROM {_hours(first, end, size)}, range({size.nodes}) t(n)"""


def coverage_hours(first: date, end: date, file: str, size: Size = COMPANY) -> str:
    """Monitoring saw nearly everything."""
    return f"""
        SELECT hour, {_CLUSTER}, 59 * width, 60 * width, 'usage', day, '{file}'
        FROM {_hours(first, end, size)}, range({len(CLUSTERS)}) t(n)"""


def label_hours(first: date, end: date, file: str, size: Size = COMPANY) -> str:
    """Every namespace says whose it is, but for one in fifty."""
    return f"""
        SELECT hour, {_CLUSTER}, 'ns-' || n, '', '{{"team":"' || printf('team-%03d', n % {size.teams}) || '"}}', 'usage', day, '{file}'
        FROM {_hours(first, end, size)}, range({size.namespaces}) t(n) WHERE h = 0 AND n % 50 <> 49"""


USAGE_ROWS: dict[str, Callable[[date, date, str, Size], str]] = {
    "workload_hours": workload_hours,
    "node_hours": node_hours,
    "coverage_hours": coverage_hours,
    "label_hours": label_hours,
}


def charges(first: date, end: date, file: str, size: Size = COMPANY) -> str:
    """The nodes, day by day, and resources of services of which each team has some; growing, less at weekends."""
    from apps.finops.tables import CHARGES

    cost = f"({{base}} * (1 + date_diff('day', DATE '{START}', day) / 1500.0) * CASE WHEN isodow(day) > 5 THEN 0.8 ELSE 1 END * (0.95 + (hash(day, n) % 1000) / 10000.0))::DECIMAL(38, 12)"
    month = first.replace(day=1)
    start, until = (
        f"timezone('UTC', TIMESTAMP '{day}')" for day in (month, (month + timedelta(days=32)).replace(day=1))
    )
    common = {
        "ProviderName": "'Alibaba Cloud'", "PublisherName": "'Alibaba Cloud'", "InvoiceIssuerName": "'Alibaba Cloud'",
        "InvoiceId": f"'INV-{first:%Y%m}'", "BillingAccountId": "'acct'", "BillingCurrency": "'CNY'", "SubAccountId": "'sub-' || (n % 8)",
        "BillingPeriodStart": start, "BillingPeriodEnd": until, "ChargePeriodStart": "timezone('UTC', CAST(day AS TIMESTAMP))",
        "ChargePeriodEnd": "timezone('UTC', CAST(day AS TIMESTAMP) + INTERVAL 1 DAY)", "ChargeCategory": "'Usage'",
        "RegionId": "'cn-beijing'", "x_ChargeDay": "day", "x_Row": "1", "x_SourceName": "'bill'", "x_BillingMonth": f"'{first:%Y-%m}'",
        "x_FileId": f"'{file}'",
    }  # fmt: skip
    compute = common | {
        "ServiceName": "'Elastic Compute Service'", "ServiceCategory": "'Compute'", "ResourceId": "'i-' || n", "Tags": "'{}'",
        "SkuId": "'ecs.g7.4xlarge'", "PricingQuantity": "24", "PricingUnit": "'Hours'", "ConsumedQuantity": "24", "ConsumedUnit": "'Hours'",
        **dict.fromkeys(("BilledCost", "EffectiveCost"), cost.format(base="CASE WHEN n % 4 = 2 THEN 900 ELSE 80 END")),
        **dict.fromkeys(("ListCost", "ContractedCost"), cost.format(base="CASE WHEN n % 4 = 2 THEN 1200 ELSE 110 END")),
    }  # fmt: skip
    other = common | {
        "ServiceName": f"printf('Service %02d', n % {size.services})", "ServiceCategory": "'Databases'", "ResourceId": "'r-' || n",
        "Tags": f"'{{\"team\":\"' || printf('team-%03d', ((n // {size.services}) * 6 + n % 6) % {size.teams}) || '\"}}'",
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), cost.format(base="(20 + n % 90)")),
    }  # fmt: skip
    every = f"(SELECT CAST(range AS DATE) AS day FROM range(TIMESTAMP '{first}', TIMESTAMP '{end}', INTERVAL 1 DAY))"
    selects = (
        f"SELECT {', '.join(known.get(name, 'NULL') for name in CHARGES.columns)} FROM {every}, range({count}) t(n)"
        for known, count in ((compute, size.nodes), (other, size.resources))
    )
    return " UNION ALL ".join(selects)
