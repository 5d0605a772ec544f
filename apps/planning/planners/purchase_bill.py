"""What the purchase planner reads of the bill: hours of demand by pool, what covers them, and what they cost."""

# ruff: noqa: S608  # identifiers are declared columns of our own; patterns are declared here; days are dates

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt

from apps.allocation.matching import billed_resource
from apps.finops.money import add_up, rounded
from apps.finops.tables import CHARGES, MONEY
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.planning.methods.purchase.existing import CommittedCost
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, connect, registered
from apps.warehouse.wording import query_of

HISTORY_DAYS = 90
_CATEGORIES = ("Compute", "Databases", "Analytics", "AI and Machine Learning")
"""Services that are sold by commitments; storage and traffic are not planned here."""
IN_MEMORY = "redis|tair|memcache|memorydb|elasticache|valkey"
HOLD_DAYS = 7
"""What a commitment covers is what it covered in these last days; one that covered nothing has ended."""
_FAMILIES = (
    r"(ecs\.[a-z0-9-]+)\.",
    r"\b([a-z]+[0-9]+[a-z]*(?:-[a-z0-9]+)?)\.(?:nano|micro|small|medium|metal|[0-9]*x?large)",
    r"\b([a-z][0-9][a-z]?)[- ](?:standard|highmem|highcpu|custom|megamem|instance)",
)
_AZURE = r"standard_[a-z]+[0-9]+[a-z]*(?:_v[0-9]+)?"
_TEXTS = (
    "ServiceCategory", "ServiceName", "SkuId", "SkuMeter", "ChargeDescription", "RegionId", "PricingCategory",
    "CommitmentDiscountId", "CommitmentDiscountStatus", "CommitmentDiscountType", "CommitmentDiscountName",
    "ChargeCategory", "ResourceName",
)  # fmt: skip
Key = tuple[str, str, str]
Floats = npt.NDArray[np.float64]
NOTHING = Decimal(0)


@dataclass
class Pool:
    """Usage of one family (or service) in a region and a currency. Costs are of the costed window; on demand is what
    neither a commitment nor spot covers; `service` is the one that costs most."""

    key: Key
    demand: Floats
    service: str = ""
    on_demand_list: Decimal = NOTHING
    on_demand: Decimal = NOTHING
    committed: Decimal = NOTHING
    spot_list: Decimal = NOTHING
    spot: Decimal = NOTHING
    resources: dict[str, Decimal] = field(default_factory=dict)

    @property
    def cost(self) -> Decimal:
        return add_up([self.on_demand, self.committed, self.spot])


@dataclass(frozen=True)
class Holding:
    """What a commitment covers in a pool: list price an hour, and when it ends; None where the bill does not tell."""

    commitment: str
    key: Key
    amount: Decimal
    ends: date | None


@dataclass(frozen=True)
class Memory:
    """An in-memory database of the bill and what it cost in the costed window."""

    resource: str
    name: str
    currency: str
    cost: Decimal


@dataclass(frozen=True)
class Bill:
    """Everything read: `pools` by key, what is held, the costs of commitments (of the costed window), databases in
    memory, and the cost that had no list price."""

    days: int
    first_hour: int
    pools: dict[Key, Pool]
    holdings: tuple[Holding, ...]
    committed: tuple[CommittedCost, ...]
    memory: tuple[Memory, ...]
    unlisted: dict[str, Decimal]


def read_bill(pinned: Publication, window: Window, zone: ZoneInfo) -> Bill | None:
    """The bill of the last 90 days before the end of `window`, which costs are of; None where there is no usage. Of a
    charge that is dated ahead, as of a month, the hours after that end are no demand yet."""
    since = window.end - timedelta(days=HISTORY_DAYS)
    until = (int(window.hours(zone)[1].timestamp()) + 3599) // 3600
    with Workspace() as workspace:
        bill = workspace.keep_query(_usage(_charges(pinned, since, window.end, workspace)))
        ((first, end),) = _rows(f"SELECT min(first), least(max(last), {until}) FROM {bill}")
        if first is None:
            return None
        hours = end - first
        pools = {key: Pool(key, demand) for key, demand in _demand(bill, first, hours).items()}
        costed = f"{bill} WHERE day >= DATE '{window.start}'"
        _price(pools, costed)
        held = f"{bill} WHERE day >= DATE '{window.end - timedelta(days=HOLD_DAYS)}'"
        return Bill(
            days=hours // 24, first_hour=first, pools=pools,
            holdings=tuple(_holdings(held, min(HOLD_DAYS * 24, hours), _ends(pinned))),
            committed=tuple(_committed(costed)),
            memory=tuple(Memory(*row) for row in _rows(f"""
                SELECT resource, max(ResourceName), currency, sum(effective)::{MONEY} FROM {costed}
                    AND regexp_matches(lower(ServiceName), '{IN_MEMORY}') AND resource <> ''
                GROUP BY resource, currency ORDER BY resource""")),
            unlisted=dict(_rows(f"""
                SELECT currency, sum(effective)::{MONEY} FROM {costed} AND NOT is_listed AND effective > 0
                GROUP BY currency""")),
        )  # fmt: skip


def _charges(pinned: Publication, since: date, end: date, workspace: Workspace) -> str:
    """The charges of these days, with no NULL in a text or a cost."""
    files = lake.files(CHARGES, at=pinned.versions.get(CHARGES.name))
    bill = lake.scan(CHARGES, only=[file for file in files if file.partition["x_BillingMonth"] >= f"{since:%Y-%m}"])
    bill = bill.filter(
        bill.x_ChargeDay >= since, bill.x_ChargeDay < end, bill.ChargeCategory == "Usage",
        bill.ServiceCategory.isin(_CATEGORIES),
    )  # fmt: skip
    told = bill.select(
        day=bill.x_ChargeDay,
        currency=bill.BillingCurrency,
        resource=billed_resource(bill.ResourceId.fill_null("")),
        starts=bill.ChargePeriodStart,
        ends=bill.ChargePeriodEnd,
        ListCost=bill.ListCost.fill_null(0),
        ContractedCost=bill.ContractedCost.fill_null(0),
        effective=bill.EffectiveCost.fill_null(0),
        **{name: bill[name].fill_null("") for name in _TEXTS},
    )
    return _kept(told, workspace)


def _kept(told: ir.Table, workspace: Workspace) -> str:
    with registered(told) as backend:
        return workspace.keep_query(query_of(backend, told))


def _usage(charges: str) -> str:
    """Charges with their pool, their hours and their price by the list; without a list price by the contract, else as
    paid. What is credited is of other hours: it has a cost and no demand."""
    found = ", ".join(f"nullif(regexp_extract(told, '{pattern}', 1), '')" for pattern in _FAMILIES)
    azure = f"nullif(regexp_replace(regexp_extract(told, '{_AZURE}'), '[0-9]+', ''), '')"
    return f"""
        SELECT *, epoch(starts)::BIGINT // 3600 AS first,
            greatest(epoch(starts)::BIGINT // 3600 + 1, (epoch(ends)::BIGINT + 3599) // 3600) AS last,
            CASE WHEN ServiceCategory = 'Compute' THEN coalesce({found}, {azure}, ServiceName) ELSE ServiceName END
                AS family,
            ListCost <> 0 AS is_listed,
            CASE WHEN ListCost <> 0 THEN ListCost WHEN ContractedCost <> 0 THEN ContractedCost ELSE effective END
                AS list
        FROM (SELECT *, lower(SkuId || ' ' || SkuMeter || ' ' || ChargeDescription) AS told FROM {charges})"""


def _demand(bill: str, first: int, hours: int) -> dict[Key, Floats]:
    """List price of every hour by pool, whatever covered it but spot; a charge of a day is spread over its hours, of
    which those behind the last are left out.

    A curve for the learner, in floats: what is said in money is of the exact sums in `_price` and `_holdings`.
    """
    found: dict[Key, Floats] = defaultdict(lambda: np.zeros(hours))
    for *key, start, end, cost in _rows(f"""
        SELECT currency, RegionId, family, first, last, sum(list)::{MONEY} FROM {bill}
        WHERE list > 0 AND PricingCategory <> 'Dynamic' AND lower(CommitmentDiscountStatus) <> 'unused'
        GROUP BY ALL ORDER BY ALL"""):
        currency, region, family = key
        # Floats: hourly demand is what the method reads; its hours are decimals again before they are priced.
        found[currency, region, family][start - first : end - first] += float(cost) / (end - start)
    return dict(found)


def _price(pools: dict[Key, Pool], costed: str) -> None:
    rows = _rows(f"""
        SELECT currency, RegionId, family, PricingCategory = 'Dynamic', CommitmentDiscountId <> '', resource,
            sum(list)::{MONEY}, sum(effective)::{MONEY} FROM {costed} GROUP BY ALL ORDER BY ALL""")
    for currency, region, family, is_spot, is_committed, resource, listed, cost in rows:
        pool = pools.get((currency, region, family))
        if pool is None:
            continue
        if is_committed:
            pool.committed = add_up([pool.committed, cost])
        elif is_spot:
            pool.spot_list, pool.spot = add_up([pool.spot_list, listed]), add_up([pool.spot, cost])
        else:
            pool.on_demand_list = add_up([pool.on_demand_list, listed])
            pool.on_demand = add_up([pool.on_demand, cost])
            pool.resources[resource] = cost
    for currency, region, family, service in _rows(f"""
        SELECT currency, RegionId, family, ServiceName FROM {costed}
        GROUP BY ALL ORDER BY sum(effective)::{MONEY}, ServiceName"""):
        if (currency, region, family) in pools:
            pools[currency, region, family].service = service


def _holdings(held: str, hours: int, ends: dict[str, date]) -> Iterator[Holding]:
    """What commitments cover, used or not; what is unused and has no list price, by the discount of what is used."""
    for commitment, currency, region, family, listed, unlisted, used_list, used in _rows(f"""
        SELECT CommitmentDiscountId, currency, RegionId, family,
            coalesce(sum(list) FILTER (list > 0 AND (is_listed OR NOT is_unused)), 0)::{MONEY},
            coalesce(sum(effective) FILTER (is_unused AND NOT is_listed), 0)::{MONEY},
            coalesce(sum(list) FILTER (NOT is_unused), 0)::{MONEY},
            coalesce(sum(effective) FILTER (NOT is_unused), 0)::{MONEY}
        FROM (SELECT *, lower(CommitmentDiscountStatus) = 'unused' AS is_unused FROM {held})
        WHERE CommitmentDiscountId <> '' GROUP BY ALL ORDER BY ALL"""):
        whole = Fraction(listed) + Fraction(unlisted) * (Fraction(used_list) / Fraction(used) if used else 1)
        if whole > 0:
            amount = rounded(whole / hours).quantize(Decimal("0.0001"))
            yield Holding(commitment, (currency, region, family), amount, ends.get(commitment))


def _ends(pinned: Publication) -> dict[str, date]:
    """When commitments end: known where a purchase is of a term that is longer than the billing period."""
    bill = lake.scan(CHARGES, only=lake.files(CHARGES, at=pinned.versions.get(CHARGES.name)))
    terms = bill.filter(
        bill.CommitmentDiscountId.notnull(), bill.ChargeCategory == "Purchase",
        bill.ChargePeriodEnd > bill.BillingPeriodEnd,
    )  # fmt: skip
    with Workspace() as workspace:
        told = _kept(terms.select(commitment=terms.CommitmentDiscountId, ends=terms.ChargePeriodEnd), workspace)
        rows = _rows(f"SELECT commitment, max(epoch(ends)::BIGINT) FROM {told} GROUP BY ALL ORDER BY ALL")
    return {commitment: datetime.fromtimestamp(moment, UTC).date() for commitment, moment in rows if commitment}


def _committed(costed: str) -> Iterable[CommittedCost]:
    """Charges by commitment and status; what none covers is by pool, so that it can be said what could be covered."""
    for row in _rows(f"""
        SELECT CommitmentDiscountId, CASE WHEN lower(CommitmentDiscountStatus) = 'unused' THEN 'Unused' ELSE 'Used' END,
            currency, sum(list)::{MONEY}, sum(effective)::{MONEY}, max(CommitmentDiscountName),
            max(CommitmentDiscountType), family, RegionId
        FROM {costed} AND PricingCategory <> 'Dynamic'
        GROUP BY 1, 2, currency, family, RegionId ORDER BY 1, 2, currency, family, RegionId"""):
        yield CommittedCost(*row)


def _rows(query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connect().con.execute(query).fetchall()
    return found
