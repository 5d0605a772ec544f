"""What commitments are planned from: what is held and how well it is used, and what runs on demand hour by hour."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter or quoted

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.tables import ALLOCATED, CHARGES, MONEY
from apps.insights.idle.ledger import per_month
from apps.marts.models import Publication
from apps.planning.arrays import pack
from apps.planning.drafts import Case
from apps.planning.metering import NOTHING, Metering
from apps.planning.offers import offers
from apps.teams.models import UNALLOCATED
from apps.warehouse import lake

DAY = 24
DAYS, LEAST_DAYS = 120, 28
FEWEST_HOURS = 0.5
"""Pools that run in fewer of the last hours are bursts: nothing is committed for them."""
THIN = "%(days)s days are billed; what to commit to is planned from %(least)s."
NO_USE = "No computing on demand is billed in these days."
SQL_COMPUTE = "ServiceCategory = 'Compute' AND ChargeCategory = 'Usage' AND coalesce(ChargeClass, '') <> 'Correction'"
SQL_ON_DEMAND = (
    f"{SQL_COMPUTE} AND coalesce(CommitmentDiscountId, '') = '' AND coalesce(PricingCategory, '') <> 'Dynamic'"
)
SQL_FAMILY = r"coalesce(nullif(regexp_extract(SkuId, '^([A-Za-z0-9]+[.][A-Za-z0-9]+)', 1), ''), SkuId, '')"


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every service, region and family of instances that runs on demand all the time."""
    metering = Metering.of(pinned, now)
    at = pinned.versions.get(CHARGES.name)
    if metering is None or at is None or pinned.first_day is None:
        return
    end = metering.window.end
    start = max(pinned.first_day, end - timedelta(days=DAYS))
    days = (end - start).days
    if days < LEAST_DAYS:
        yield Case("", withheld=Sentence(THIN, {"days": f"{days}", "least": f"{LEAST_DAYS}"}))
        return
    charges = lake.query_of(CHARGES, lake.files(CHARGES, at=at))
    held = _held(metering, charges, start, end)
    pools = list(_pools(metering, charges, start, end))
    if not pools:
        yield Case("", withheld=Sentence(NO_USE))
        return
    table, version = offers()
    told = [[one.name, one.kind, one.family, one.region, one.term_months, str(one.ratio), str(one.interruption_rate),
             str(one.lost_hours), str(one.availability)] for one in table]  # fmt: skip
    for pool, hours in pools:
        meta = pool | {"held": held, "offers": told, "offers_version": version, "since": str(end - timedelta(days=1)),
                       "days": days}  # fmt: skip
        yield Case(pool["subject"], pack(meta, hours=hours))


def _pools(metering: Metering, charges: str, start: date, end: date) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every pool of computing on demand: its cost hour by hour, the list price of it, and who pays."""
    first, last = _hour(metering, start), _hour(metering, end)
    rows = metering.ask(
        f"""
        WITH used AS (
            SELECT coalesce(ServiceName, '') AS service, coalesce(RegionId, '') AS region, {SQL_FAMILY} AS family,
                BillingCurrency AS currency, ResourceId AS resource, EffectiveCost AS cost,
                coalesce(ListCost, EffectiveCost) AS list, epoch_us(ChargePeriodStart) // 3600000000 AS first,
                greatest(1, (epoch_us(ChargePeriodEnd) - epoch_us(ChargePeriodStart)) // 3600000000) AS hours
            FROM ({charges})
            WHERE {SQL_ON_DEMAND}
                AND x_ChargeDay >= ? AND x_ChargeDay < ? AND EffectiveCost > 0),
        hourly AS (
            SELECT service, region, family, currency, cost / hours AS cost, list / hours AS list,
                unnest(range(first, first + hours)) AS clock FROM used)
        SELECT service, region, family, currency, clock, sum(cost)::DOUBLE, sum(list)::DOUBLE
        FROM hourly GROUP BY ALL ORDER BY service, region, family, currency, clock""",
        start, end,
    )  # fmt: skip
    series: dict[tuple[str, ...], Any] = {}
    for *key, clock, cost, listed in rows:
        if first <= clock < last:
            pool = series.setdefault(tuple(key), np.zeros((2, last - first)))
            pool[:, clock - first] = cost, listed
    for (service, region, family, currency), hours in series.items():
        if not family or (hours[0][-LEAST_DAYS * DAY :] > 0).mean() < FEWEST_HOURS:
            continue
        cost = _cost(metering, charges, (service, region, family, currency))
        yield {
            "subject": " · ".join(part for part in (service, region, family) if part), "service": service,
            "region": region, "family": family, "currency": currency, "team": _payer(metering, cost[1]),
            "cost_per_month": f"{per_month(cost[0], metering.days):.12f}",
        }, hours  # fmt: skip


def _hour(metering: Metering, day: date) -> int:
    return int(datetime.combine(day, datetime.min.time(), metering.zone).timestamp()) // 3600


def _cost(metering: Metering, charges: str, key: tuple[str, ...]) -> tuple[Decimal, list[str]]:
    """What a pool cost in the costed days, exactly, and its resources."""
    ((cost, resources),) = metering.ask(
        f"""
        SELECT sum(EffectiveCost)::{MONEY}, list(DISTINCT ResourceId) FROM ({charges})
        WHERE {SQL_ON_DEMAND}
            AND coalesce(ServiceName, '') = ? AND coalesce(RegionId, '') = ? AND {SQL_FAMILY} = ?
            AND BillingCurrency = ?
            AND x_ChargeDay >= ? AND x_ChargeDay < ?""",
        *key, metering.window.start, metering.window.end,
    )  # fmt: skip
    return cost or Decimal(0), [one for one in resources or [] if one]


def _payer(metering: Metering, resources: list[str]) -> str:
    if metering.pinned.versions.get(ALLOCATED.name) is None or not resources:
        return UNALLOCATED
    found = metering.cost_of(resources)
    return UNALLOCATED if found == NOTHING else found.team


def _held(metering: Metering, charges: str, start: date, end: date) -> list[list[str]]:
    """Commitments of the last complete days by status: what they cost and what it would have cost by the list; and what
    none covers."""
    rows = metering.ask(
        f"""
        SELECT coalesce(CommitmentDiscountId, ''), coalesce(CommitmentDiscountStatus, ''), BillingCurrency,
            sum(coalesce(ListCost, EffectiveCost))::{MONEY}, sum(EffectiveCost)::{MONEY},
            max(coalesce(CommitmentDiscountName, '')), max(coalesce(CommitmentDiscountType, ''))
        FROM ({charges}) WHERE {SQL_COMPUTE} AND x_ChargeDay >= ? AND x_ChargeDay < ?
        GROUP BY ALL ORDER BY ALL""",
        max(start, metering.window.start), end,
    )  # fmt: skip
    return [[*row[:3], f"{row[3]:f}", f"{row[4]:f}", *row[5:]] for row in rows]
