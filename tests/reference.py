"""The plain reference of attribution: row by row, in fractions, written from docs/data.md alone.

It reads what the product reads (FOCUS rows, usage rows, the teams file) and shares no code with it. Where the true
parts have at most twelve decimals its answer is the only right one; elsewhere parts may differ by units of 10^-12.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]
Key = tuple[date, str, str, str]
"""Day, team, namespace ("" outside namespaces, `__overhead__` of idle cost that nodes keep to themselves), kind."""

UNALLOCATED = "unallocated"
UNIT = 10**12
HOUR = timedelta(hours=1)
IDLE = ("", "", "")
OVERHEAD = ("", "", "__overhead__")
CLUSTER = "__cluster__"


def attribute(
    charges: Iterable[Row],
    usage: Mapping[str, list[Row]],
    teams: Mapping[str, Any],
    *,
    zone: str = "UTC",
    metric: str = "EffectiveCost",
) -> dict[Key, Decimal]:
    """Cost by day, team, namespace and kind, in one currency; zero amounts are left out.

    `charges` are rows with FOCUS column ids (text or typed), `usage` rows by table name, `teams` the parsed teams file.
    """
    allocator = _Allocator(usage, teams, ZoneInfo(zone), metric)
    pools: dict[tuple[str, date, str], list[Row]] = defaultdict(list)
    of_clusters: dict[tuple[str, date, str, str], list[Row]] = defaultdict(list)
    for charge in charges:
        month = _time(charge["BillingPeriodStart"]).astimezone(allocator.zone).strftime("%Y-%m")
        day = _time(charge["ChargePeriodStart"]).astimezone(allocator.zone).date()
        resource = charge.get("ResourceId") or ""
        if not allocator.knows(day, resource):
            resource = allocator.disks.get((day, resource), resource)
        if place := allocator.cluster_of(day, charge):
            of_clusters[month, day, *place].append(charge)
            continue
        whose = resource if allocator.knows(day, resource) else ""
        pools[month, day, whose].append(charge)
    for (month, day, resource), rows in sorted(pools.items()):
        allocator.attribute_pool(month, day, resource, rows)
    for (month, day, cluster, basis), rows in sorted(of_clusters.items()):
        allocator.attribute_to_cluster(month, day, cluster, basis, rows)
    allocator.share()
    return {key: amount for key, amount in sorted(allocator.answer.items()) if amount}


def divide(cost: Fraction, weights: Mapping[Any, Fraction]) -> dict[Any, Decimal]:
    """The documented division: differences of the rounded running sums, in units of 10^-12, half away from zero."""
    if not any(weights.values()):
        weights = dict.fromkeys(weights, Fraction(1))
    total = sum(weights.values())
    parts: dict[Any, Decimal] = {}
    running = Fraction(0)
    before = 0
    for claimant in sorted(weights):
        running += weights[claimant]
        upto = _round(cost * UNIT * running / total)
        parts[claimant] = Decimal(upto - before).scaleb(-12)
        before = upto
    return parts


def _round(value: Fraction) -> int:
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return whole if value >= 0 else -whole


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value).replace("Z", "+00:00"))


def _number(value: Any) -> Fraction:
    return Fraction(str(value or 0))


def _same(pattern: str, value: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in str(pattern).split("*")), value, re.DOTALL) is not None


def resource_of(provider_id: str) -> str:
    """`cn-beijing.i-2ze…` and `aws:///zone/i-0ab…` name the resource `i-…`."""
    last = provider_id.rsplit("/", 1)[-1]
    return last.rsplit(".", 1)[-1] if re.match(r"[a-z]{2}-[a-z0-9-]+\.i-", last) else last


class _Allocator:
    def __init__(self, usage: Mapping[str, list[Row]], teams: Mapping[str, Any], zone: ZoneInfo, metric: str) -> None:
        self.zone, self.metric = zone, metric
        self.rules, self.shared = teams.get("rules") or [], teams.get("shared") or []
        self.cluster_rules = teams.get("clusters") or []
        ratio = (teams.get("policy") or {}).get("price_ratio") or {"cpu_core": 8, "memory_gib": 1, "gpu": 320}
        self.ratio = tuple(Fraction(ratio[name]) for name in ("cpu_core", "memory_gib", "gpu"))
        self.answer: dict[Key, Decimal] = defaultdict(Decimal)
        self.platform: dict[tuple[str, date, str, str], Decimal] = defaultdict(Decimal)
        self.base: dict[tuple[str, date, str], dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        self.nodes: dict[tuple[date, str], list[Row]] = defaultdict(list)
        self.pods: dict[tuple[date, str], list[Row]] = defaultdict(list)
        self.services: dict[tuple[date, str], list[Row]] = defaultdict(list)
        self.overhead: dict[tuple[str, str, datetime], list[Row]] = defaultdict(list)
        self.sent: dict[tuple[date, str], list[Row]] = defaultdict(list)
        self.clusters: set[tuple[date, str]] = set()
        self.disks: dict[tuple[date, str], str] = {}
        self.on_node: dict[tuple[str, str, datetime], list[Row]] = defaultdict(list)
        self.volumes: dict[tuple[date, str], list[Row]] = defaultdict(list)
        self.labels: dict[tuple[date, str, str, str], dict[str, str]] = {}
        self._index(usage)
        self._index_beside_pods(usage)

    def _index(self, usage: Mapping[str, list[Row]]) -> None:
        for row in usage.get("node_hours", []):
            self.nodes[self._day(row), resource_of(row["provider_id"])].append(row)
            self.clusters.add((self._day(row), row["cluster"]))
        for row in usage.get("workload_hours", []):
            if row["resource_id"]:
                self.pods[self._day(row), row["resource_id"]].append(row)
            else:
                self.on_node[row["cluster"], row["node"], _time(row["hour"])].append(row)
        for row in usage.get("volume_hours", []):
            self.volumes[self._day(row), row["volume"]].append(row)
        for row in usage.get("label_hours", []):
            key = (self._day(row), row["cluster"], row["namespace"], row["workload"] or "")
            self.labels[key] = json.loads(row["labels"] or "{}")

    def _index_beside_pods(self, usage: Mapping[str, list[Row]]) -> None:
        for row in usage.get("disk_hours", []):
            for day, resource in [key for key in self.nodes if key[0] == self._day(row)]:
                if any(node["node"] == row["node"] for node in self.nodes[day, resource]):
                    self.disks[day, row["disk"]] = resource
        for row in usage.get("service_hours", []):
            self.services[self._day(row), row["load_balancer"]].append(row)
        for row in usage.get("overhead_hours", []):
            self.overhead[row["cluster"], row["node"], _time(row["hour"])].append(row)
        for row in usage.get("network_hours", []):
            self.sent[self._day(row), row["cluster"]].append(row)

    def _day(self, row: Row) -> date:
        return _time(row["hour"]).astimezone(self.zone).date()

    def knows(self, day: date, resource: str) -> bool:
        key = (day, resource)
        claimed = key in self.pods or key in self.volumes or key in self.services
        return bool(resource) and (self._measured(day, resource) > 0 or claimed)

    def cluster_of(self, day: date, charge: Row) -> tuple[str, str] | None:
        """The cluster a charge belongs to as a whole, and by what it is divided."""
        for rule in self.cluster_rules:
            if self._is_valid(rule, day) and self._holds(rule["when"], self._bill_subject(charge)):
                return rule["cluster"], rule.get("by") or "claims"
        resource = charge.get("ResourceId") or ""
        is_cluster = (day, resource) in self.clusters and not self.knows(day, resource)
        return (resource, "claims") if is_cluster else None

    def _measured(self, day: date, resource: str) -> Fraction:
        return sum((self._units(row) for row in self.nodes.get((day, resource), [])), Fraction(0))

    # --- pools ---------------------------------------------------------------------------------------------------
    def attribute_pool(self, month: str, day: date, resource: str, charges: list[Row]) -> None:
        if not resource:
            for charge in charges:
                self._give(day, "", self._owners(day, self._bill_subject(charge)), _number(charge[self.metric]))
        elif (day, resource) in self.nodes:
            self._node_pool(month, day, resource, charges)
        elif (day, resource) in self.pods:
            self._by_rows(month, day, self.pods[day, resource], charges, self._claimed_units, weighs=True)
        elif (day, resource) in self.volumes:
            self._by_rows(month, day, self.volumes[day, resource], charges, _column("capacity_gib_hours"))
        else:
            self._by_rows(month, day, self.services[day, resource], charges, _column("attached_hours"))

    def attribute_to_cluster(self, month: str, day: date, cluster: str, basis: str, charges: list[Row]) -> None:
        """Traffic by what was sent; everything else is the platform's, until it is shared."""
        column = "sent_gib" if basis == "traffic" else f"{basis}_gib"
        rows = [] if basis == "claims" else [row for row in self.sent[day, cluster] if _number(row[column]) > 0]
        for charge in charges:
            nodes = {node["node"] for node in self.nodes.get((day, charge.get("ResourceId") or ""), [])}
            if mine := [row for row in rows if row["node"] in nodes] or rows:
                self._by_rows(month, day, mine, [charge], _column(column))
            else:
                self.platform[month, day, cluster, CLUSTER] += _money(_number(charge[self.metric]))

    def _by_rows(
        self,
        month: str,
        day: date,
        rows: list[Row],
        charges: list[Row],
        weight_of: Callable[[Row], Fraction],
        *,
        weighs: bool = False,
    ) -> None:
        """Divide charges between the workloads of some rows of usage."""
        weights: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
        for row in rows:
            name = row.get("workload") or row.get("claim") or row.get("service") or ""
            weights[row["cluster"], row["namespace"], name] += weight_of(row)
        cost = sum((_number(charge[self.metric]) for charge in charges), Fraction(0))
        for (cluster, namespace, workload), part in divide(cost, weights).items():
            self._claimed(month, day, cluster, namespace, workload, Fraction(part), weighs=weighs)

    def _claimed_units(self, pod: Row) -> Fraction:
        wanted = (max(_number(pod[used]), _number(pod[request])) for used, request, _ in _RESOURCES)
        return sum((weight * amount for weight, amount in zip(self.ratio, wanted, strict=True)), Fraction(0))

    def _node_pool(self, month: str, day: date, resource: str, charges: list[Row]) -> None:
        """Divide by price x claimed units of the measured hours; unmeasured hours follow them."""
        rows = self.nodes[day, resource]
        cost = sum((_number(charge[self.metric]) for charge in charges), Fraction(0))
        prices = self._prices(charges, {_time(row["hour"]): self._units(row) for row in rows})
        weights: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
        for row in rows:
            price = prices.get(_time(row["hour"]), Fraction(0))
            weights[IDLE] += price * self._units(row)
            weights[OVERHEAD] += price * min(self._kept(row), self._units(row))
            for claimant, claim in self._claims(row).items():
                weights[claimant] += price * claim
                weights[IDLE] -= price * claim
        weights[OVERHEAD] = min(weights[OVERHEAD], weights[IDLE])
        weights[IDLE] -= weights[OVERHEAD]
        first = rows[0]
        for (cluster, namespace, workload), part in divide(cost, weights).items():
            if (cluster, namespace, workload) not in (IDLE, OVERHEAD):
                self._claimed(month, day, cluster, namespace, workload, Fraction(part), weighs=True)
            else:
                place = {"cluster": first["cluster"], "node_pool": first["node_pool"]}
                owners = self._owners(day, self._bill_subject(charges[0]) | place)
                for team, share in divide(Fraction(part), owners).items():
                    self.answer[day, team, workload, "idle"] += share

    def _prices(self, charges: list[Row], units: dict[datetime, Fraction]) -> dict[datetime, Fraction]:
        """Price per unit of every measured hour: hourly charges as they are, longer ones spread over hours by units.

        Where prices cannot weigh, because credits outweigh or nothing was charged, every hour's is 1.
        """
        prices = {hour: Fraction(0) for hour, size in units.items() if size}
        for charge in charges:
            start, end = _time(charge["ChargePeriodStart"]), _time(charge["ChargePeriodEnd"])
            covered = [hour for hour in prices if hour < end and start < hour + HOUR]
            total = sum(units[hour] for hour in covered)
            for hour in covered:
                prices[hour] += _number(charge[self.metric]) / total
        usable = min(prices.values()) >= 0 and max(prices.values()) > 0
        return prices if usable else dict.fromkeys(prices, Fraction(1))

    def _claims(self, node: Row) -> dict[tuple[str, str, str], Fraction]:
        """Units claimed on a node in one hour by (cluster, namespace, workload); overuse is scaled down."""
        pods = self.on_node.get((node["cluster"], node["node"], _time(node["hour"])), [])
        claims: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
        for weight, (used, request, capacity) in zip(self.ratio, _RESOURCES, strict=True):
            wanted = [max(_number(pod[used]), _number(pod[request])) for pod in pods]
            room = _number(node[capacity])
            scale = min(Fraction(1), room / sum(wanted)) if sum(wanted) else Fraction(1)
            for pod, amount in zip(pods, wanted, strict=True):
                claims[pod["cluster"], pod["namespace"], pod["workload"]] += weight * amount * scale
        return claims

    def _units(self, node: Row) -> Fraction:
        return sum(
            (w * _number(node[capacity]) for w, (_, _, capacity) in zip(self.ratio, _RESOURCES, strict=True)),
            Fraction(0),
        )

    def _kept(self, node: Row) -> Fraction:
        """Units that a node keeps to itself in an hour."""
        rows = self.overhead.get((node["cluster"], node["node"], _time(node["hour"])), [])
        names = ("cpu_overhead_core_hours", "memory_overhead_gib_hours", "gpu_overhead_hours")
        return sum(
            (w * _number(row[name]) for row in rows for w, name in zip(self.ratio, names, strict=True)), Fraction(0)
        )

    # --- owners --------------------------------------------------------------------------------------------------
    def _claimed(
        self, month: str, day: date, cluster: str, namespace: str, workload: str, cost: Fraction, *, weighs: bool
    ) -> None:
        """Cost claimed by a workload: to its team, or to the platform's account until it is shared."""
        own = self.labels.get((day, cluster, namespace, workload), {})
        labels = self.labels.get((day, cluster, namespace, ""), {}) | own
        subject = {"cluster": cluster, "namespace": namespace} | {
            f"label.{key}": value for key, value in labels.items()
        }
        if any(self._holds(rule["when"], subject) for rule in self.shared):
            self.platform[month, day, cluster, namespace] += _money(cost)
            return
        owners = self._owners(day, subject)
        self._give(day, namespace, owners, cost)
        if weighs:
            for team, share in divide(cost, owners).items():
                self.base[month, day, cluster][team] += Fraction(share)

    def _give(self, day: date, namespace: str, owners: dict[str, Fraction], cost: Fraction) -> None:
        for team, share in divide(cost, owners).items():
            self.answer[day, team, namespace, UNALLOCATED if team == UNALLOCATED else "direct"] += share

    def share(self) -> None:
        """Divide the platform's cost between teams on the same cluster and day; who costs nothing or less has none."""
        for (month, day, cluster, namespace), cost in sorted(self.platform.items()):
            own = self.base.get((month, day, cluster), {})
            weights = {team: amount for team, amount in own.items() if amount > 0}
            if not weights:
                self.answer[day, UNALLOCATED, namespace, UNALLOCATED] += cost
                continue
            for team, part in divide(Fraction(cost), weights).items():
                self.answer[day, team, namespace, "shared"] += part

    def _owners(self, day: date, subject: Row) -> dict[str, Fraction]:
        for rule in self.rules:
            if not self._is_valid(rule, day) or not self._holds(rule["when"], subject):
                continue
            return {k: Fraction(str(v)) for k, v in (rule.get("split") or {rule.get("team"): 100}).items()}
        return {UNALLOCATED: Fraction(100)}

    @staticmethod
    def _is_valid(rule: Mapping[str, Any], day: date) -> bool:
        since, until = _date(rule.get("valid_from")), _date(rule.get("valid_to"))
        return not (since and day < since) and not (until and day >= until)

    @staticmethod
    def _holds(when: Mapping[str, Any], subject: Row) -> bool:
        for condition, wanted in when.items():
            value = subject.get(condition)
            patterns = wanted if isinstance(wanted, list) else [wanted]
            if value in (None, "") or not any(_same(pattern, str(value)) for pattern in patterns):
                return False
        return True

    @staticmethod
    def _bill_subject(charge: Row) -> dict[str, Any]:
        tags = charge.get("Tags") or "{}"
        parsed = json.loads(tags) if isinstance(tags, str) else tags
        plain = {name: charge.get(column) for name, column in _BILL_CONDITIONS.items()}
        return plain | {f"tag.{key}": value for key, value in parsed.items()}


def _column(name: str) -> Callable[[Row], Fraction]:
    return lambda row: _number(row[name])


_RESOURCES = (
    ("cpu_used_core_hours", "cpu_request_core_hours", "cpu_capacity_core_hours"),
    ("memory_used_gib_hours", "memory_request_gib_hours", "memory_capacity_gib_hours"),
    ("gpu_used_hours", "gpu_request_hours", "gpu_capacity_hours"),
)
_BILL_CONDITIONS = {
    "account": "BillingAccountId",
    "sub_account": "SubAccountId",
    "service": "ServiceName",
    "region": "RegionId",
    "resource": "ResourceId",
    "charge_category": "ChargeCategory",
}


def _date(value: Any) -> date | None:
    return value if isinstance(value, date) or value is None else date.fromisoformat(str(value))


def _money(cost: Fraction) -> Decimal:
    return Decimal(_round(cost * UNIT)).scaleb(-12)
