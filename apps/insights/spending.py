"""Cost by what evidence of ownership can be read from: workloads, node pools, charges; as of one publication."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from apps.allocation.matching import billed_resource
from apps.finops.tables import ALLOCATED, BILLED, CHARGES, LABEL_HOURS, MONEY
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.teams.models import UNALLOCATED
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, rows_of


class WorkloadCost(NamedTuple):
    """Cost of a workload in a cluster; `first_day` is the first with cost of this team."""

    team: str
    currency: str
    cluster: str
    namespace: str
    workload: str
    first_day: date
    cost: Decimal


class IdleCost(NamedTuple):
    """What nobody claimed of a node pool."""

    team: str
    currency: str
    cluster: str
    node_pool: str
    service: str
    first_day: date
    cost: Decimal


class ChargeCost(NamedTuple):
    """Charges outside clusters; `tags` as JSON, '' where charges of one resource have several owners."""

    team: str
    currency: str
    account: str
    sub_account: str
    service: str
    resource: str
    tags: str
    first_day: date
    cost: Decimal


class NodeNeighbour(NamedTuple):
    """What a team's workloads cost on the nodes that a namespace, or a node pool (namespace ''), runs on."""

    cluster: str
    node_pool: str
    namespace: str
    team: str
    currency: str
    cost: Decimal


class AccountCost(NamedTuple):
    """What a team costs in an account, by service."""

    team: str
    currency: str
    account: str
    sub_account: str
    service: str
    cost: Decimal


Place = tuple[str, str, str]
"""Cluster, namespace, workload; an empty workload means the namespace itself."""


@dataclass(frozen=True)
class Spending:
    """The cost of a window as a publication has it; each list is read when it is first asked for."""

    publication: Publication
    window: Window

    @cached_property
    def _rows(self) -> ir.Table:
        at = self.publication.versions.get(ALLOCATED.name)
        return lake.between(ALLOCATED, "day", self.window.start, self.window.end, at=at)

    def _summed(self, rows: ir.Table, *columns: str) -> list[tuple[object, ...]]:
        summed = rows.group_by(columns).aggregate(first_day=rows.day.min(), cost=rows.effective_cost.sum().cast(MONEY))
        return rows_of(summed.order_by(columns))

    @cached_property
    def workloads(self) -> list[WorkloadCost]:
        rows = self._rows.filter(self._rows.kind != "idle", self._rows.pool.isin(["node", "serverless", "volume"]))
        found = self._summed(rows, "team", "currency", "cluster", "namespace", "workload")
        return [WorkloadCost(*row) for row in found]  # type: ignore[arg-type]  # the engine says the types

    @cached_property
    def idle(self) -> list[IdleCost]:
        rows = self._rows.filter(self._rows.kind == "idle")
        found = self._summed(rows, "team", "currency", "cluster", "node_pool", "service")
        return [IdleCost(*row) for row in found]  # type: ignore[arg-type]  # the engine says the types

    @cached_property
    def platform(self) -> list[WorkloadCost]:
        """What platform namespaces gave to teams, by their name."""
        rows = self._rows.filter(self._rows.pool == "shared")
        found = self._summed(rows, "team", "currency", "cluster", "namespace")
        return [WorkloadCost(*row[:4], "", *row[4:]) for row in found]  # type: ignore[arg-type,call-arg]  # as above

    @cached_property
    def accounts(self) -> list[AccountCost]:
        rows = self._rows.filter(self._rows.team != UNALLOCATED, self._rows.kind == "direct")
        found = self._summed(rows, "team", "currency", "account", "sub_account", "service")
        return [AccountCost(*row[:5], row[6]) for row in found]  # type: ignore[arg-type,call-arg]  # as above

    @cached_property
    def nodes(self) -> list[NodeNeighbour]:
        """Who works on the nodes of namespaces and node pools that have no owner."""
        rows = self._rows.filter(self._rows.pool == "node", self._rows.resource != "")
        place = ("cluster", "node_pool", "namespace")
        nobody = rows.filter(rows.team == UNALLOCATED).select(*place, "resource").distinct()
        used = rows.filter(rows.kind == "direct", rows.team != UNALLOCATED)
        used = used.group_by("resource", "team", "currency").aggregate(cost=used.effective_cost.sum().cast(MONEY))
        joined = nobody.join(used, "resource")
        summed = joined.group_by(*place, "team", "currency").aggregate(cost=joined.cost.sum().cast(MONEY))
        return [NodeNeighbour(*row) for row in rows_of(summed.order_by(*place, "team", "currency"))]

    @cached_property
    def charges(self) -> list[ChargeCost]:
        """Charges by what they name. Tags are told where all charges alike have one owner: there they are theirs."""
        rows = self._rows.filter(self._rows.pool == "charge")
        with Workspace() as workspace:
            # The least and the greatest tell whether it is one team: to count teams takes more memory than there is.
            keys = workspace.keep(rows.group_by(_CHARGE_KEY).aggregate(team=rows.team.min(), last=rows.team.max()))
            single = keys.filter(keys.team == keys.last).drop("last")
            bill = self._bill().join(single, _CHARGE_KEY)
            mixed = rows.semi_join(keys.filter(keys.team != keys.last), _CHARGE_KEY)
            columns = ("team", "currency", "account", "sub_account", "service", "resource", "tags")
            both = (bill, mixed.mutate(tags=ibis.literal("")))
            parts = [part.select(*columns, "day", "effective_cost") for part in both]
            return [ChargeCost(*row) for row in self._summed(ibis.union(*parts), *columns)]  # type: ignore[arg-type]

    def _bill(self) -> ir.Table:
        rows = lake.scan(CHARGES, at=self.publication.versions.get(CHARGES.name))
        rows = rows.filter(rows.x_ChargeDay >= self.window.start, rows.x_ChargeDay < self.window.end)
        return rows.select(
            day=rows.x_ChargeDay,
            **{name: rows[column].fill_null("") for name, column in BILLED.items()},
            resource=billed_resource(rows.ResourceId.fill_null("")),
            tags=rows.Tags.fill_null(""),
            effective_cost=rows.EffectiveCost.fill_null(0),
        )

    @cached_property
    def labels(self) -> dict[Place, str]:
        """The last labels of every workload and namespace, as JSON."""
        at = self.publication.versions.get(LABEL_HOURS.name)
        rows = lake.between(LABEL_HOURS, "day", self.window.start, self.window.end, at=at)
        last = rows.labels.last(order_by=[rows.hour, rows.labels])
        found = rows.group_by("cluster", "namespace", "workload").aggregate(labels=last)
        return {(cluster, namespace, workload): text for cluster, namespace, workload, text in rows_of(found)}


_CHARGE_KEY = ("day", *BILLED, "resource")
