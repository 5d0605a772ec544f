"""The cases of the purchase planner: demand by pool, what is held and on sale, who pays, and databases in memory."""

# ruff: noqa: S608  # identifiers are declared tables of our own; every value is a parameter

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from apps.finops.findings import Sentence
from apps.finops.money import add_up
from apps.finops.tables import NODE_HOURS, WORKLOAD_HOURS
from apps.finops.windows import Window
from apps.insights.idle.ledger import Ledger, complete_window, per_month
from apps.marts.models import Publication
from apps.planning.arrays import pack
from apps.planning.drafts import Case
from apps.planning.metering import JOBS, STANDING, Metering
from apps.planning.methods.purchase.existing import Summary, summarise
from apps.planning.methods.purchase.terms import LEAST_HOURS
from apps.planning.models import Offer
from apps.planning.offers import table
from apps.planning.planners.purchase_bill import Bill, Holding, Key, Memory, Pool, read_bill
from apps.planning.planners.purchase_words import NO_OFFER, THIN
from apps.prices.models import Price
from apps.teams.models import UNALLOCATED

COMMITMENTS = (Offer.Kind.RESERVED, Offer.Kind.SAVINGS_PLAN)
UNKNOWN_END_MONTHS = 60
"""A commitment whose end the bill does not tell is planned as held on: nothing is bought twice."""
Claims = dict[str, tuple[float, float | None]]
"""By billed resource: the share that jobs claim, and how full it is if it comes and goes."""
MOST_POOLS = 8
"""The largest pools are planned one by one: more would not be answered while a slider moves."""
FOUR, SIX = Decimal("0.0001"), 6


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every currency in which something is used that commitments are sold for."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    today = now.astimezone(zone).date()
    window = complete_window(pinned, today=today)
    bill = read_bill(pinned, window, zone) if window else None
    if window is None or bill is None:
        return
    offers = table.on_sale(today)
    metering = Metering.of(pinned, now)
    claims = _claims(metering) if metering else None
    for currency in sorted({key[0] for key in bill.pools}):
        yield _case(currency, bill, offers, claims, pinned, window)


def _case(
    currency: str, bill: Bill, offers: Sequence[Offer], claims: Claims | None, pinned: Publication, window: Window
) -> Case:  # fmt: skip
    if bill.days * 24 < LEAST_HOURS:
        told = {"days": f"{bill.days}", "least": f"{LEAST_HOURS // 24}"}
        return Case(currency, withheld=Sentence(THIN, told))
    held = {one.key for one in bill.holdings}
    own = [pool for key, pool in sorted(bill.pools.items()) if key[0] == currency]
    sold = {pool.key: [one for one in offers if _is_for(one, pool)] for pool in own}
    planned = [pool for pool in own if _can_be_committed(sold[pool.key]) or pool.key in held]
    if not planned:
        return Case(currency, withheld=Sentence(NO_OFFER, {"currency": currency}))
    unsold = [pool.key[2] for pool in own if pool not in planned]
    by_cost = sorted(planned, key=lambda pool: (-pool.cost, pool.key))
    planned = sorted(by_cost[:MOST_POOLS], key=lambda pool: pool.key)
    ledger = Ledger.read(pinned, window, (), {one for pool in planned for one in pool.resources if one})
    teams, clusters = _teams(planned, ledger), _clusters(planned, ledger)
    days = (window.end - window.start).days
    unsaid: list[str] = []
    meta = {
        "currency": currency, "first": bill.first_hour, "days": bill.days, "costed_days": days,
        "since": window.end.isoformat(), "is_metered": claims is not None,
        "pools": [
            _pool(pool, bill.holdings, claims or {}, window, days) | {
                "team": teams[pool.key],
                "clusters": {one: f"{per_month(cost, days):f}" for one, cost in clusters[pool.key].items()},
                "offers": [
                    cell for one in sold[pool.key] if (cell := _offer(one, pool, unsaid, window.end)) is not None
                ],
            }
            for pool in planned
        ],
        "unsold": unsold, "small": sorted({pool.key[2] for pool in by_cost[MOST_POOLS:]}),
        "existing": _existing(currency, bill, planned, days),
        "memory": _memory([one for one in bill.memory if one.currency == currency], offers, days, currency),
        "unlisted": f"{per_month(bill.unlisted.get(currency, Decimal(0)), days)}", "unpriced": sorted(set(unsaid)),
        "is_sample": any(one.pk is None for told in sold.values() for one in told),
    }  # fmt: skip
    return Case(currency, pack(meta, demand=np.array([np.round(pool.demand, SIX) for pool in planned])))


def _is_for(offer: Offer, pool: Pool) -> bool:
    _, region, family = pool.key
    if offer.kind == Offer.Kind.MEMORY:
        return False
    return table.fits(offer, region, family) or (bool(offer.price_text) and offer.family.startswith(f"{family}."))


def _can_be_committed(offers: Iterable[Offer]) -> bool:
    return any(one.kind in COMMITMENTS for one in offers)


def _pool(pool: Pool, holdings: Iterable[Holding], claims: Claims, window: Window, days: int) -> dict[str, Any]:
    """A pool as JSON; `pay` is what a list price really costs on demand, `jobs` the share of it that jobs claim."""
    _currency, region, family = pool.key
    cost = float(sum(pool.resources.values(), Decimal(0)))
    told = [(float(amount), *claims[resource]) for resource, amount in pool.resources.items() if resource in claims]
    filled = [(amount, fill) for amount, _, fill in told if fill is not None]
    interruptible = sum(amount * jobs for amount, jobs, _ in told)
    burst = sum(amount for amount, _ in filled)
    spot = pool.spot / pool.spot_list if pool.spot_list > pool.spot > 0 else None
    pay = pool.on_demand / pool.on_demand_list if pool.on_demand_list > 0 and pool.on_demand > 0 else Decimal(1)
    return {
        "region": region, "family": family, "service": pool.service,
        "pay": f"{min(pay, Decimal(1)).quantize(FOUR)}",
        "jobs": min(1.0, max(0.0, round(interruptible / cost, 4))) if cost > 0 else 0.0,
        "fill": min(1.0, round(sum(amount * fill for amount, fill in filled) / burst, 4)) if burst > 0 else 1.0,
        "spot_ratio": f"{spot.quantize(FOUR)}" if spot else "",
        "spot": f"{per_month(pool.spot, days)}", "on_demand": f"{per_month(pool.on_demand, days)}",
        "committed": f"{per_month(pool.committed, days)}",
        "held": [[one.commitment, f"{one.amount}", _months(one, window.end)] for one in holdings
                 if one.key == pool.key],
    }  # fmt: skip


def _months(holding: Holding, today: date) -> int:
    if holding.ends is None:
        return UNKNOWN_END_MONTHS
    return max(0, -(-(holding.ends - today).days // 30))


def _offer(offer: Offer, pool: Pool, unsaid: list[str], day: date) -> list[Any] | None:
    """An offer as JSON, with its ratio; None where it has a price and the list price of its SKU is not known."""
    ratio = offer.number("ratio")
    if ratio is None:
        ratio = _ratio(offer, pool, day)
        if ratio is None:
            unsaid.append(offer.name)
            return None
    told = {name: getattr(offer, f"{name}_text")
            for name in ("work_ratio", "interruption_rate", "lost_hours", "availability")}  # fmt: skip
    return [offer.name, offer.kind, offer.term_months, f"{ratio}", told]


def _ratio(offer: Offer, pool: Pool, day: date) -> Decimal | None:
    """Its price ÷ the list price of the SKU it names, from the price list or as learned from charges."""
    currency, region, _ = pool.key
    if offer.currency != currency:
        return None
    found = Price.objects.filter(
        region=region, sku_id=offer.family, currency=currency, unit=offer.unit, valid_from__lte=day
    ).exclude(list_unit_price_text="")
    for origin in (Price.Origin.LIST, Price.Origin.LEARNED):
        held = found.filter(origin=origin).order_by("-valid_from").first()
        listed, price = held.list_unit_price if held else None, offer.number("price")
        if listed and price is not None:
            return (price / listed).quantize(FOUR)
    return None


def _clusters(pools: Iterable[Pool], ledger: Ledger) -> dict[Key, dict[str, Decimal]]:
    """What each pool costs on demand by the cluster whose nodes it is; '' where it is none's."""
    found: dict[Key, dict[str, Decimal]] = {}
    for pool in pools:
        costs: dict[str, list[Decimal]] = defaultdict(list)
        for resource, cost in pool.resources.items():
            cluster = next((part.cluster for part in ledger.of_resource(resource) if part.cluster), "")
            costs[cluster].append(max(cost, Decimal(0)))
        found[pool.key] = {cluster: add_up(amounts) for cluster, amounts in sorted(costs.items())}
    return found


def _teams(pools: Iterable[Pool], ledger: Ledger) -> dict[Key, str]:
    """The team that carries most of what each pool costs on demand."""
    found = {}
    for pool in pools:
        costs: dict[str, list[Decimal]] = defaultdict(list)
        for resource in pool.resources:
            for part in ledger.of_resource(resource):
                if part.currency == pool.key[0]:
                    costs[part.team].append(ledger.left[part])
        sums = {team: add_up(amounts) for team, amounts in costs.items()}
        found[pool.key] = max(sums, key=lambda team: (sums[team], team)) if sums else UNALLOCATED
    return found


def _claims(metering: Metering) -> Claims:
    """Of each billed resource the share of its claims that jobs make, which can be run again, and, of a node that
    comes and goes, how full it is."""
    return {one: told for cluster, own in metering.clusters() for one, told in _of_cluster(own, cluster).items()}


def _of_cluster(metering: Metering, cluster: str) -> Claims:
    rows = metering.ask(
        f"""
        WITH nodes AS (
            SELECT cluster, node, max(provider_id) AS provider, count(DISTINCT clock) AS there,
                sum(cpu_capacity_core_hours)::DOUBLE AS capacity
            FROM {metering.listener.rows(NODE_HOURS)} WHERE cluster = ? AND clock >= ? AND clock < ?
            GROUP BY cluster, node)
        SELECT provider, sum(cores) FILTER (is_job) / nullif(sum(cores), 0),
            CASE WHEN any_value(there) < ? THEN sum(cores) / nullif(any_value(capacity), 0) END
        FROM (
            SELECT provider, there, capacity, workload_kind IN {JOBS} AS is_job,
                greatest(cpu_used_core_hours, cpu_request_core_hours)::DOUBLE AS cores
            FROM {metering.listener.rows(WORKLOAD_HOURS)} JOIN nodes USING (cluster, node)
            WHERE clock >= ? AND clock < ?)
        GROUP BY provider""",
        cluster, metering.costed.first, metering.costed.end, STANDING * metering.costed.count,
        metering.costed.first, metering.costed.end,
    )  # fmt: skip
    named = metering.listener.node_resources()
    return {named.get(provider, ""): (float(share or 0), fill) for provider, share, fill in rows}


def _existing(currency: str, bill: Bill, planned: Iterable[Pool], days: int) -> dict[str, Any]:
    """Coverage, utilisation, waste and savings rate of what is already bought, exact, and a row per commitment."""
    places = {(pool.key[1], pool.key[2]) for pool in planned}
    rows = [
        one for one in bill.committed
        if one.currency == currency and (one.commitment or (one.region, one.family) in places)
    ]  # fmt: skip
    found = summarise(rows)
    if not found:
        return {}
    (one,) = found
    return {
        "coverage": _float(one.coverage), "utilisation": _float(one.utilisation),
        "savings_rate": _float(one.savings_rate), "waste": f"{per_month(one.waste, days)}",
        "rows": _standings(one, days, {holding.commitment: holding.ends for holding in bill.holdings}),
    }  # fmt: skip


def _standings(summary: Summary, days: int, ends: dict[str, date | None]) -> list[list[Any]]:
    told = []
    for one in summary.commitments:
        listed, cost, unused = (f"{per_month(amount, days):.2f}" for amount in (one.list_cost, one.cost, one.unused))
        end = ends.get(one.commitment)
        told.append([one.name or one.commitment, one.kind, f"{end}" if end else "", cost, listed, unused,
                     _float(one.utilisation), _float(one.savings_rate), _float(one.break_even)])  # fmt: skip
    return told


def _float(share: Decimal | None) -> float | None:
    return None if share is None else float(share)


def _memory(found: Sequence[Memory], offers: Sequence[Offer], days: int, currency: str) -> dict[str, Any]:
    """Databases in memory with what they need, where that was told, and the tiers on sale in this currency."""
    needs = table.needs()
    tiers = [one for one in offers if one.kind == Offer.Kind.MEMORY and one.currency == currency]
    return {
        "count": len(found), "cost": f"{per_month(add_up(one.cost for one in found), days)}",
        "tiers": [[one.name, one.price_text, one.mib_per_second_text, one.latency_microseconds_text,
                   one.capacity_gib_text] for one in tiers],
        "instances": [
            [need.name, need.gib_text, need.mib_per_second_text, need.latency_microseconds_text, need.tier,
             f"{per_month(one.cost, days):.2f}"]
            for one in found if (need := needs.get(one.resource))
        ],
    }  # fmt: skip
