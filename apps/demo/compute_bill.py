"""The bill of a day's servers and serverless containers."""

import numpy as np
import pyarrow as pa

from apps.demo.account import DayAccount, serverless_units
from apps.demo.columns import hour_texts, pick, same
from apps.demo.fleet import SERVERLESS, Fleet
from apps.demo.focus_rows import Period, Value, bill_number, costs, ones, rows
from apps.demo.identity import PodNames, ServerNames
from apps.demo.pools import CLUSTER_IDS, POOL_INDEX, POOLS, Pool
from apps.demo.prices import (
    CONTRACTED_PRICE,
    ECI_CORES,
    ECI_GIB,
    ECI_LIST_PRICE,
    ECI_PRICE,
    ECI_UNITS,
    LIST_PRICE,
    MILLI,
    REFUND_PRICE,
    SPOT,
)
from apps.demo.segments import TWELFTHS
from apps.demo.tagging import CLUSTERS, PRODUCTION, tags
from apps.demo.timetable import Ints

_PER_PRICE = 10**6
"""10^-10 CNY in one 10^-4 CNY."""

COMPUTE: dict[str, Value] = {
    "ServiceName": "Elastic Compute Service",
    "ServiceCategory": "Compute",
    "ServiceSubcategory": "Virtual Machines",
    "ResourceType": "Instance",
    "PricingUnit": "Hours",
    "ConsumedUnit": "Hours",
    "AvailabilityZone": "cn-beijing-h",
}
SERVERLESS_CONTAINERS: dict[str, Value] = COMPUTE | {
    "ServiceName": "Elastic Container Instance",
    "ServiceSubcategory": "Serverless Compute",
    "ResourceType": "ContainerGroup",
}


def commitment_id(pool: Pool) -> str:
    """The commitment that covers a pool: a reservation (`ri-…`) or a subscription (`sub-…`)."""
    return (
        "ri-" if pool.pricing.commitment_type == "Reserved Instance" else "sub-"
    ) + f"2ze{pool.name.replace('-', '')}2026"


def pool_tags(pool: Pool) -> str:
    return tags(**_cluster_tags(pool.cluster), **{"acs:alibabacloud.com/nodepool": pool.name})


def _cluster_tags(cluster: str) -> dict[str, str]:
    """The provider's own tag, and what the platform team tags whole clusters with."""
    return {"acs:ack.aliyun.com": CLUSTER_IDS[cluster], "env": PRODUCTION, "project": CLUSTERS[cluster]}


def commitment(pool: Pool, status: str | None) -> dict[str, Value]:
    """The commitment columns of a covered, unused or purchase row."""
    return {
        "CommitmentDiscountId": commitment_id(pool),
        "CommitmentDiscountName": f"{pool.name} {pool.pricing.commitment_type.lower()}",
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountType": pool.pricing.commitment_type,
        "CommitmentDiscountStatus": status,
        "CommitmentDiscountUnit": "Hours",
        "PricingCategory": "Committed",
    }


def server_rows(account: DayAccount, names: ServerNames, fleet: Fleet, period: Period) -> list[pa.Table]:
    """Hourly charges of hourly paid servers, daily charges of committed ones, and refunds."""
    pool_of = fleet.node_pool[account.run.servers.node]
    tables = []
    for index in np.unique(pool_of).tolist():
        mine = np.flatnonzero(pool_of == index)
        make = _daily if POOLS[index].is_daily else _hourly
        tables.append(make(account, names, mine, POOLS[index], period))
    if account.refunds:
        tables.append(_refunds(account, names, pool_of, period))
    return tables


def _hourly(account: DayAccount, names: ServerNames, mine: Ints, pool: Pool, period: Period) -> pa.Table:
    run = account.run
    row, hour = np.nonzero(run.servers.length[mine])
    server = mine[row]
    length = run.servers.length[server, hour]
    units = pool.instance.units * length * _PER_PRICE // TWELFTHS
    price = account.price[server, hour]
    is_spot = pool.pricing is SPOT
    contracted = price if is_spot else CONTRACTED_PRICE * ones(len(server))
    cost = units * price
    quantity = bill_number(length * 100 // TWELFTHS, 2)
    texts = hour_texts(run.day.first_hour, run.day.hours + 1)
    return rows(
        len(server),
        period,
        COMPUTE
        | _server_columns(names, server, pool)
        | costs(billed=cost, effective=cost, listed=units * LIST_PRICE, contracted=units * contracted)
        | {
            "ChargePeriodStart": pick(texts, hour),
            "ChargePeriodEnd": pick(texts, hour + 1),
            "ChargeDescription": f"{pool.instance.name} {'spot' if is_spot else 'pay-as-you-go'}",
            "PricingCategory": pool.pricing.category,
            "PricingQuantity": quantity,
            "ConsumedQuantity": quantity,
            "ListUnitPrice": bill_number(LIST_PRICE * pool.instance.units * ones(len(server)), 4),
            "ContractedUnitPrice": bill_number(contracted * pool.instance.units, 4),
            "SkuMeter": "Instance Hours",
        },
    )


def _server_columns(names: ServerNames, server: Ints, pool: Pool) -> dict[str, Value]:
    return {
        "ResourceId": pick(names.instance_id, server),
        "ResourceName": pick(names.name, server),
        "SkuId": pool.instance.name,
        "SkuPriceId": f"{pool.instance.name}-{pool.pricing.name}",
        "Tags": pool_tags(pool),
    }


def _daily(account: DayAccount, names: ServerNames, mine: Ints, pool: Pool, period: Period) -> pa.Table:
    """Covered servers: paid by the commitment's purchase, so nothing is billed; the amortised price is effective."""
    run = account.run
    hours = run.servers.length[mine].sum(axis=1) // TWELFTHS
    units = pool.instance.units * hours * _PER_PRICE
    quantity = bill_number(hours, 0)
    return rows(
        len(mine),
        period,
        COMPUTE
        | _server_columns(names, mine, pool)
        | commitment(pool, "Used")
        | costs(
            billed=0 * units,
            effective=units * pool.pricing.effective,
            listed=units * LIST_PRICE,
            contracted=units * CONTRACTED_PRICE,
        )
        | {
            "ChargePeriodStart": hour_texts(run.day.first_hour, 1)[0],
            "ChargePeriodEnd": hour_texts(run.day.first_hour + run.day.hours, 1)[0],
            "ChargeDescription": f"{pool.instance.name} covered by {pool.pricing.commitment_type.lower()}",
            "PricingQuantity": quantity,
            "ConsumedQuantity": quantity,
            "CommitmentDiscountQuantity": quantity,
            "ListUnitPrice": bill_number(LIST_PRICE * pool.instance.units * ones(len(mine)), 4),
            "ContractedUnitPrice": bill_number(CONTRACTED_PRICE * pool.instance.units * ones(len(mine)), 4),
            "SkuMeter": "Instance Hours",
        },
    )


def _refunds(account: DayAccount, names: ServerNames, pool_of: Ints, period: Period) -> pa.Table:
    """Negative usage rows: part of an hour's price comes back, in the same billing month."""
    server = np.array([s for s, _ in account.refunds], dtype=np.int64)
    hour = np.array([h for _, h in account.refunds], dtype=np.int64)
    amount = -account.units[server] * REFUND_PRICE * _PER_PRICE
    texts = hour_texts(account.run.day.first_hour, account.run.day.hours + 1)
    return rows(
        len(server),
        period,
        COMPUTE
        | costs(billed=amount, effective=amount, listed=amount, contracted=amount)
        | {
            "ResourceId": pick(names.instance_id, server),
            "ResourceName": pick(names.name, server),
            "SkuId": pick([pool.instance.name for pool in POOLS], pool_of[server]),
            "Tags": pick([pool_tags(pool) for pool in POOLS], pool_of[server]),
            "ChargePeriodStart": pick(texts, hour),
            "ChargePeriodEnd": pick(texts, hour + 1),
            "ChargeDescription": "Service level refund",
        },
    )


def serverless_rows(account: DayAccount, pods: PodNames, period: Period) -> pa.Table:
    """One charge per serverless container and hour."""
    run = account.run
    at = np.flatnonzero(run.server == SERVERLESS)
    burst = run.segments.take(at)
    units = serverless_units(burst) * (_PER_PRICE // MILLI)
    cost = units * ECI_PRICE
    texts = hour_texts(run.day.first_hour, run.day.hours + 1)
    quantity = bill_number(burst.length * 100 // TWELFTHS, 2)
    cluster = POOLS[POOL_INDEX["elastic"]].cluster
    return rows(
        len(at),
        period,
        SERVERLESS_CONTAINERS
        | costs(billed=cost, effective=cost, listed=units * ECI_LIST_PRICE, contracted=cost)
        | {
            "ResourceId": pick(pods.resource_id, pods.pod[at]),
            "ResourceName": pick(pods.name, pods.pod[at]),
            "SkuId": f"eci.{ECI_CORES}c{ECI_GIB}g",
            "SkuMeter": "Container Hours",
            "ChargePeriodStart": pick(texts, burst.hour),
            "ChargePeriodEnd": pick(texts, burst.hour + 1),
            "ChargeDescription": "Serverless container, 2 cores and 8 GiB",
            "PricingQuantity": quantity,
            "ConsumedQuantity": quantity,
            "ListUnitPrice": bill_number(ECI_LIST_PRICE * ECI_UNITS * ones(len(at)), 4),
            "ContractedUnitPrice": bill_number(ECI_PRICE * ECI_UNITS * ones(len(at)), 4),
            "Tags": same(tags(**_cluster_tags(cluster)), len(at)),
        },
    )
