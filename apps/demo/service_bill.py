"""The bill of disks, services and commitments, and whose each charge is."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from apps.demo.columns import pick, pick_or_null
from apps.demo.compute_bill import COMPUTE, commitment, commitment_id
from apps.demo.fleet import Fleet
from apps.demo.focus_rows import REGIONS, Period, Value, bill_number, costs, ones, plain_costs, rows, stamp
from apps.demo.organisation import TEAM_INDEX
from apps.demo.pools import POOLS, Pool
from apps.demo.prices import CONTRACTED_PRICE, DISK_PRICES, LIST_PRICE
from apps.demo.services import NOBODY, PRODUCTS, SPLITS, TRAFFIC, Resources
from apps.demo.tagging import tags
from apps.demo.timetable import BusinessDay, Ints
from apps.demo.volumes import CATEGORIES, Volumes

_PER_PRICE = 10**6
SPARE_PERCENT = {"base-ri": 6, "base-sub": 4}
"""Pool → commitments that no server of the cluster uses, in percent of its servers."""
COMMITMENT_OWNER = "platform-container"


@dataclass(frozen=True)
class Owed:
    """Charges outside the clusters, and who pays them: parallel to the rows of `table`. Costs in 10^-10 CNY."""

    table: pa.Table
    owner: Ints  # a team, NOBODY, or SPLIT by the rule of its service
    cost: Ints
    service: list[str]


def _whole_day(day: BusinessDay) -> dict[str, Value]:
    return {"ChargePeriodStart": stamp(day.first_hour), "ChargePeriodEnd": stamp(day.first_hour + day.hours)}


def disk_rows(volumes: Volumes, day: BusinessDay, period: Period) -> pa.Table:
    """A daily charge for every disk, mounted or not."""
    cost = volumes.day_cost(day.hours)
    count = len(cost)
    prices = np.array(list(DISK_PRICES.values()))[volumes.category]
    quantity = bill_number(volumes.gib * day.hours, 0)
    return rows(
        count,
        period,
        plain_costs(cost)
        | _whole_day(day)
        | {
            "ServiceName": "Elastic Block Storage",
            "ServiceCategory": "Storage",
            "ServiceSubcategory": "Block Storage",
            "ResourceType": "Disk",
            "ResourceId": pa.array(volumes.ids),
            "ChargeDescription": "Cloud disk capacity",
            "PricingQuantity": quantity,
            "PricingUnit": "GiB-Hours",
            "ConsumedQuantity": quantity,
            "ConsumedUnit": "GiB-Hours",
            "ListUnitPrice": bill_number(prices, 5),
            "ContractedUnitPrice": bill_number(prices, 5),
            "SkuId": pick(list(CATEGORIES), volumes.category),
            "Tags": pick_or_null(volumes.tags, np.arange(count)),
        },
    )


def service_rows(resources: Resources, quantity: Ints, day: BusinessDay, period: Period) -> Owed:
    """A daily charge for every resource of every service."""
    price = np.array([p.price for p in PRODUCTS])[resources.product]
    is_stopped = resources.is_unused & np.array([p.category == "Compute" for p in PRODUCTS])[resources.product]
    titles = [f"{p.service} {what}" for what in ("usage", "instance, stopped") for p in PRODUCTS]
    return _resource_rows(
        resources, day, period, np.arange(len(quantity)), quantity, price,
        {
            "ChargeDescription": pick(titles, resources.product + len(PRODUCTS) * is_stopped),
            "ConsumedQuantity": bill_number(np.where(is_stopped, 0, quantity), 3),
            "PricingUnit": pick([p.unit for p in PRODUCTS], resources.product),
            "ConsumedUnit": pick([p.unit for p in PRODUCTS], resources.product),
        },
    )  # fmt: skip


def traffic_rows(resources: Resources, day: BusinessDay, period: Period, *, busy: float) -> Owed:
    """A daily charge for what went through every address and load balancer that is used."""
    at = np.flatnonzero(resources.traffic)
    quantity = np.rint(resources.traffic[at] * busy / 10).astype(np.int64) * 10
    prices = [TRAFFIC[p.prefix].price if p.prefix in TRAFFIC else 0 for p in PRODUCTS]
    product = resources.product[at]
    return _resource_rows(
        resources, day, period, at, quantity, np.array(prices)[product],
        {
            "ChargeDescription": pick([f"{p.service} traffic" for p in PRODUCTS], product),
            "ConsumedQuantity": bill_number(quantity, 3),
            "PricingUnit": "GB",
            "ConsumedUnit": "GB",
        },
    )  # fmt: skip


def _resource_rows(
    resources: Resources, day: BusinessDay, period: Period, at: Ints, quantity: Ints, price: Ints,
    columns: dict[str, Value],
) -> Owed:  # fmt: skip
    """A charge for each of these resources, of a quantity in thousandths at a price in 10^-4 CNY."""
    cost = quantity * price * 1000
    product, here = resources.product[at], at.tolist()
    region = [resources.region[i] for i in here]
    table = rows(
        len(at),
        period,
        plain_costs(cost)
        | _whole_day(day)
        | {
            "ServiceName": pick([p.service for p in PRODUCTS], product),
            "ServiceCategory": pick([p.category for p in PRODUCTS], product),
            "ServiceSubcategory": pick([p.subcategory for p in PRODUCTS], product),
            "ResourceType": pick([p.resource_type for p in PRODUCTS], product),
            "ResourceId": pick(resources.ids, at),
            "SubAccountId": pick(resources.sub_account, at),
            "RegionId": pa.array(region),
            "RegionName": pa.array([REGIONS[one] for one in region]),
            "PricingQuantity": bill_number(quantity, 3),
            "ListUnitPrice": bill_number(price, 4),
            "ContractedUnitPrice": bill_number(price, 4),
            "Tags": pick_or_null(resources.tags, at),
        }
        | columns,
    )
    return Owed(table, resources.owner[at], cost, [PRODUCTS[i].service for i in product.tolist()])


def commitment_rows(fleet: Fleet, day: BusinessDay, period: Period, *, purchase_hours: int) -> list[Owed]:
    """Unused reserved capacity, servers released before their term; with `purchase_hours`, the purchase itself."""
    owed = []
    for pool in POOLS:
        if pool.is_daily:
            count = len(fleet.nodes_of(pool.name))
            spare = _spare(pool, count)
            if spare:
                owed.append(_unused(pool, spare, day, period))
            if purchase_hours:
                owed.append(_purchase(pool, count + spare, purchase_hours, day, period))
    return owed


def _spare(pool: Pool, count: int) -> int:
    percent = SPARE_PERCENT.get(pool.name, 0)
    return max(1, count * percent // 100) if percent else 0


def _unused(pool: Pool, count: int, day: BusinessDay, period: Period) -> Owed:
    """A reservation nobody used is a row of the commitment; a released subscription server still has its own row."""
    hours = count * day.hours
    units = pool.instance.units * hours * _PER_PRICE * ones(1)
    is_reservation = pool.pricing.commitment_type == "Reserved Instance"
    quantity = bill_number(hours * ones(1), 0)
    columns: dict[str, Value] = {
        "ResourceId": commitment_id(pool) if is_reservation else released_id(pool),
        "ResourceType": "Reservation" if is_reservation else "Instance",
        "ChargeDescription": "Unused commitment" if is_reservation else "Prepaid servers outside the clusters",
        "CommitmentDiscountQuantity": quantity,
        "PricingQuantity": quantity,
        "SkuId": pool.instance.name,
    }
    if not is_reservation:
        columns["Tags"] = tags(team=COMMITMENT_OWNER, lifecycle="released")
        columns["ConsumedQuantity"] = quantity
    cost = units * pool.pricing.effective
    table = rows(
        1,
        period,
        COMPUTE
        | commitment(pool, "Unused" if is_reservation else "Used")
        | costs(billed=0 * cost, effective=cost, listed=units * LIST_PRICE, contracted=units * CONTRACTED_PRICE)
        | _whole_day(day)
        | columns
        | ({"ConsumedUnit": None} if is_reservation else {}),
    )
    return Owed(table, TEAM_INDEX[COMMITMENT_OWNER] * ones(1), cost, ["Elastic Compute Service"])


def released_id(pool: Pool) -> str:
    """The server of a subscription that is no part of its cluster any more."""
    return f"i-2ze{pool.name.replace('-', '')}released"


def _purchase(pool: Pool, count: int, hours: int, day: BusinessDay, period: Period) -> Owed:
    """What was paid for the commitment: cash now, cost later, as the covered servers use it."""
    amount = count * hours * pool.instance.units * pool.pricing.effective * _PER_PRICE * ones(1)
    quantity = bill_number(count * hours * ones(1), 0)
    table = rows(
        1,
        period,
        COMPUTE
        | commitment(pool, None)
        | costs(billed=amount, effective=0 * amount, listed=amount, contracted=amount)
        | {
            "ChargeCategory": "Purchase",
            "ChargeFrequency": "Recurring",
            "ChargePeriodStart": stamp(day.first_hour),
            "ChargePeriodEnd": stamp(day.first_hour + hours),
            "ResourceId": commitment_id(pool),
            "ResourceType": "Reservation",
            "ChargeDescription": f"{pool.pricing.commitment_type}, monthly payment",
            "PricingQuantity": quantity,
            "CommitmentDiscountQuantity": quantity,
            "ConsumedUnit": None,
            "SkuId": pool.instance.name,
        },
    )
    return Owed(table, NOBODY * ones(1), 0 * amount, ["Elastic Compute Service"])


def split_rule(service: str) -> dict[int, int]:
    """Team index → percent, for a service that a rule splits."""
    return {TEAM_INDEX[name]: percent for name, percent in SPLITS[service].items()}
