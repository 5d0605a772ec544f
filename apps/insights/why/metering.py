"""What a number of cost was paid for: its meters, with quantity, and what commitments left to pay, from the bill.

A number adds up from parts of pools, and behind a pool stand charges. A part takes as much of every charge of its pool
as it takes of the pool; so the meters of a number add up to it, and their quantities are its share of what was used.
It is asked in the engine's own language, for somebody waits.
"""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; no value is written into a query

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from apps.allocation.matching import billed_resource, told_by_bill
from apps.finops.focus import COST_METRICS
from apps.finops.money import NOTHING, SCALE, add_up, converted, less
from apps.finops.tables import ALLOCATED, CHARGES, MONEY, PASSED_ON
from apps.finops.why import USAGE, Meter, Used
from apps.finops.windows import Window
from apps.insights.behind import BILL_KEY, as_recorded, days_of, files_of, keep_mine, mine_of
from apps.insights.why.searching import Values
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import publication
from apps.rates.selectors import used_rates
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, connect, registered
from apps.warehouse.wording import query_of

_KEY = ", ".join((*BILL_KEY, "resource"))
_PLATFORM = ", ".join((*BILL_KEY, "cluster", "node_pool", "namespace"))
_METER = "part, service, meter_region, sku, meter, resource_type, pricing, unit"
_WHOLE = 10**12
"""A share counts in parts of this many: whole numbers, so that amounts are divided by nothing else."""

Key = tuple[str, int]
"""A currency, and the number of a segment; -1 for what is in none."""
Amounts = Mapping[Key, Mapping[Meter, Decimal]]
"""What is known of the cost of each without the bill: by service and category."""
Period = dict[Key, dict[Meter, Used]]
Row = tuple[int, Key, Meter, Used]
"""The place of the period, and what a meter was in it."""


def metered(
    query: CostQuery, periods: Sequence[Window], segments: Sequence[Values], amounts: Sequence[Amounts]
) -> list[Period]:
    """The meters of a question in each of some periods, by currency and segment.

    They add up to the `amounts` of the period, to the last decimal. A publication without charges or allocated rows
    tells the service and the category of cost, and no quantity.
    """
    pinned = publication(query.as_of)
    if all(table.name in pinned.versions for table in (ALLOCATED, PASSED_ON, CHARGES)):
        whole = query.between(min(one.start for one in periods), max(one.end for one in periods))
        rows = _in_one_currency(_from_charges(whole, periods, pinned, segments), query)
    else:
        rows = _from_amounts(amounts)
    found: list[Period] = [defaultdict(dict) for _ in periods]
    for place, key, meter, used in rows:
        of_key = found[place][key]
        of_key[meter] = added(of_key[meter], used) if meter in of_key else used
    return [
        {key: _settled(period.get(key, {}), add_up(told[key].values()) if key in told else NOTHING)
         for key in {*period, *told}}
        for period, told in zip(found, amounts, strict=True)
    ]  # fmt: skip


def _from_amounts(amounts: Sequence[Amounts]) -> Iterable[Row]:
    for place, told in enumerate(amounts):
        yield from ((place, key, meter, Used(cost)) for key, costs in told.items() for meter, cost in costs.items())


def rough_meter(service: str, region: str, category: str) -> Meter:
    """The meter of a row of the marts, which tell nothing finer."""
    part = _PARTS.get(category, USAGE)
    return Meter(part, service, region) if part == USAGE else Meter(part, service)


_PARTS = {"Tax": "taxes", "Credit": "credits", "Adjustment": "credits", "Purchase": "purchases"}


def added(one: Used, other: Used) -> Used:
    """What two parts of a meter were together."""
    names = ("cost", "quantity", "paid", "undiscounted")
    return Used(*(add_up([getattr(one, name), getattr(other, name)]) for name in names))


def _settled(period: Mapping[Meter, Used], total: Decimal) -> dict[Meter, Used]:
    """The meters with what dividing and converting rounded away: it goes to the largest."""
    left = less(total, add_up(used.cost for used in period.values()))
    settled = dict(period)
    if left:
        largest = max(sorted(settled), key=lambda one: abs(settled[one].cost), default=Meter(USAGE))
        known = settled.get(largest, Used())
        settled[largest] = replace(known, cost=add_up([known.cost, left]))
    return settled


def _in_one_currency(rows: Sequence[tuple[date | None, Row]], query: CostQuery) -> Iterable[Row]:
    """The rows of meters in the currency of a question, each at the rate of its day."""
    if query.currency is None:
        yield from (row for _, row in rows)
        return
    needed = sorted({(day, row[1][0]) for day, row in rows if day is not None})
    rates = {(one.day, one.source): one.rate for one in used_rates(needed, query.currency, at=query.rates_as_of or 0)}
    for day, (place, (currency, segment), meter, used) in rows:
        rate = rates.get((day, currency), Decimal(1)) if day is not None else Decimal(1)
        yield place, (query.currency, segment), meter, replace(used, cost=converted(used.cost, rate))


def _from_charges(
    query: CostQuery, periods: Sequence[Window], pinned: Publication, segments: Sequence[Values]
) -> list[tuple[date | None, Row]]:
    """What each meter was in each period, by day where amounts are to be converted."""
    with Workspace() as workspace:
        mine = _keep_pools(query, pinned, segments, workspace)
        charges = _keep_charges(query, pinned, mine, workspace)
        told = ", ".join(f"({place}, DATE '{one.start}', DATE '{one.end}')" for place, one in enumerate(periods))
        day = "NULL::DATE" if query.currency is None else "mine.day"
        found = connect().con.execute(_METERS.format(mine=mine, charges=charges, periods=told, day=day)).fetchall()
    return [
        (row[0], (row[1], (row[2], row[3]), Meter(*row[4:12]), Used(row[12], *map(_amount, row[13:])))) for row in found
    ]


def _amount(units: int | None) -> Decimal:
    """Whole units of 10^-12 as a decimal."""
    return Decimal(int(units or 0)).scaleb(-SCALE) if units else NOTHING


def _keep_pools(query: CostQuery, pinned: Publication, segments: Sequence[Values], workspace: Workspace) -> str:
    """The pools of a number, numbered, each with what segments take of it: in the metric asked for, and at effective
    cost.

    What was received is traced to the pools that were passed on for it, in proportion to what they passed on.
    """
    is_placed = bool(query.grouped().levels)
    told, asked = (f"FROM {keep_mine(query, pinned, workspace)}", []) if is_placed else mine_of(query, pinned)
    when = " ".join(
        f"WHEN {' AND '.join(f'{name} = ?' for name, _ in values)} THEN {place}"
        for place, values in enumerate(segments)
    )
    segment = f"CASE {when} ELSE -1 END" if when else "-1"
    return workspace.keep_query(
        _POOLS.format(
            mine=f"SELECT *, {segment} AS segment FROM ({told})", passed_on=days_of(PASSED_ON, query, pinned)
        ),
        [*(value for values in segments for _, value in values), *asked],
    )


_SHARE = "(units_of({part}) * 1000000000000::HUGEINT // nullif(units_of({whole}), 0))"

# A share is divided once for each part received, before it meets the hundreds of pools that it is of.
_POOLS = f"""
    WITH mine AS ({{mine}}),
    shared AS (
        SELECT segment, {_PLATFORM}, sum(amount)::{MONEY} AS amount, sum(effective_cost)::{MONEY} AS effective_cost
        FROM mine WHERE pool = 'shared' GROUP BY ALL),
    passed AS (
        SELECT {_PLATFORM}, resource, sum(amount)::{MONEY} AS passed, sum(effective_cost)::{MONEY} AS passed_effective
        FROM {{passed_on}} SEMI JOIN shared USING ({_PLATFORM}) GROUP BY ALL),
    sums AS (
        SELECT {_PLATFORM}, sum(passed)::{MONEY} AS whole, sum(passed_effective)::{MONEY} AS whole_effective
        FROM passed GROUP BY ALL),
    shares AS (
        SELECT *, {_SHARE.format(part="amount", whole="whole")} AS of_amount,
            {_SHARE.format(part="effective_cost", whole="whole_effective")} AS of_effective
        FROM shared LEFT JOIN sums USING ({_PLATFORM})),
    received AS (
        SELECT segment, {_KEY},
            CASE WHEN whole IS NULL THEN amount
                WHEN amount = whole THEN passed
                ELSE amount_of(units_of(passed) * coalesce(of_amount, 0) // {_WHOLE}::HUGEINT) END AS amount,
            CASE WHEN whole IS NULL THEN effective_cost
                WHEN effective_cost = whole_effective THEN passed_effective
                ELSE amount_of(units_of(passed_effective) * coalesce(of_effective, 0) // {_WHOLE}::HUGEINT)
                END AS effective_cost
        FROM shares LEFT JOIN passed USING ({_PLATFORM})),
    every AS (
        SELECT segment, {_KEY}, amount, effective_cost FROM mine WHERE pool <> 'shared'
        UNION ALL SELECT segment, {_KEY}, amount, effective_cost FROM received),
    taken AS (
        SELECT segment, {_KEY}, sum(amount)::{MONEY} AS amount, sum(effective_cost)::{MONEY} AS effective_cost
        FROM every GROUP BY ALL)
    SELECT row_number() OVER () AS number, * FROM (
        SELECT {_KEY}, list({{{{'segment': segment, 'amount': amount, 'effective_cost': effective_cost}}}}) AS taken
        FROM taken GROUP BY ALL)
"""


def _keep_charges(query: CostQuery, pinned: Publication, pools: str, workspace: Workspace) -> str:
    """The charges of the pools, added up by pool and meter."""
    con = connect().con
    bills = set(con.execute(f"SELECT DISTINCT source, billing_month FROM {pools}").fetchall())
    partition = ("x_SourceName", "x_BillingMonth")
    files = files_of(CHARGES, pinned)
    chosen = [file for file in files if tuple(file.partition[name] for name in partition) in bills]
    bill = lake.scan(CHARGES, only=chosen)
    bill = bill.filter(bill.x_ChargeDay >= query.start, bill.x_ChargeDay < query.end)
    texts = (
        "RegionId", "SkuId", "SkuMeter", "ResourceType", "PricingCategory", "PricingUnit", "ConsumedUnit",
        "ChargeClass", "CommitmentDiscountId", "CommitmentDiscountStatus",
    )  # fmt: skip
    told = bill.select(
        "PricingQuantity",
        "ConsumedQuantity",
        day=bill.x_ChargeDay,
        **told_by_bill(bill),
        **{name: bill[name].fill_null("") for name in texts},
        resource=billed_resource(bill.ResourceId.fill_null("")),
        cost=bill[COST_METRICS[query.metric]].fill_null(0),
        effective=bill.EffectiveCost.fill_null(0),
        contracted=bill.ContractedCost.fill_null(0),
    )
    with registered(told) as backend:
        return workspace.keep_query(
            _CHARGES.format(
                charges=as_recorded(query_of(backend, told), pools), pools=pools,
                undiscounted="contracted" if query.metric in ("effective_cost", "billed_cost") else "cost",
            )
        )  # fmt: skip


_CHARGES = f"""
    WITH charges AS (FROM ({{charges}}) JOIN (SELECT number, {_KEY} FROM {{pools}}) USING ({_KEY})),
    named AS (
        SELECT number, cost, effective, {{undiscounted}} AS undiscounted, RegionId, SkuId, SkuMeter, ResourceType,
            CASE WHEN charge_category = 'Tax' THEN 'taxes'
                WHEN charge_category IN ('Credit', 'Adjustment') OR ChargeClass = 'Correction' THEN 'credits'
                WHEN charge_category = 'Purchase' THEN
                    CASE WHEN CommitmentDiscountId <> '' OR PricingCategory = 'Committed'
                    THEN 'commitments' ELSE 'purchases' END
                WHEN CommitmentDiscountStatus = 'Unused' THEN 'commitments'
                WHEN cost < 0 THEN 'credits'
                ELSE 'usage' END AS part,
            CASE WHEN PricingCategory = 'Dynamic' THEN 'Dynamic' ELSE '' END AS pricing,
            coalesce(PricingQuantity, 0) > 0 AND PricingUnit <> '' AS is_priced,
            CASE WHEN is_priced THEN PricingUnit ELSE ConsumedUnit END AS unit,
            CASE WHEN is_priced THEN PricingQuantity WHEN ConsumedUnit <> '' THEN ConsumedQuantity END AS quantity
        FROM charges)
    SELECT number, part, CASE WHEN part = 'usage' THEN RegionId ELSE '' END AS meter_region,
        CASE WHEN part = 'usage' THEN SkuId ELSE '' END AS sku,
        CASE WHEN part = 'usage' THEN SkuMeter ELSE '' END AS meter,
        CASE WHEN part = 'usage' THEN ResourceType ELSE '' END AS resource_type,
        CASE WHEN part = 'usage' THEN pricing ELSE '' END AS pricing,
        CASE WHEN part = 'usage' THEN unit ELSE '' END AS unit,
        sum(cost)::{MONEY} AS cost, sum(effective)::{MONEY} AS effective, sum(undiscounted)::{MONEY} AS undiscounted,
        sum(CASE WHEN part = 'usage' THEN coalesce(quantity, 0) ELSE 0 END)::{MONEY} AS quantity
    FROM named GROUP BY ALL
"""

# Whoever takes a pool whole takes its charges as they are: to divide wide numbers takes longer than all the rest.
_NUMBERS = ("quantity", "paid", "undiscounted")
_METERS = f"""
    WITH held AS (
        SELECT number, sum(cost)::{MONEY} AS held, sum(effective)::{MONEY} AS held_effective, count(*) AS meters
        FROM {{charges}} GROUP BY ALL),
    mine AS (SELECT * EXCLUDE (taken), unnest(taken, recursive := true) FROM {{mine}}),
    joined AS (
        SELECT {{day}} AS day, place, mine.currency, mine.segment, mine.amount, mine.effective_cost,
            coalesce(part, 'usage') AS part, mine.service, coalesce(meter_region, mine.region) AS meter_region,
            coalesce(sku, '') AS sku, coalesce(meter, '') AS meter, coalesce(resource_type, '') AS resource_type,
            coalesce(pricing, '') AS pricing, coalesce(unit, '') AS unit, cost, held, held_effective, meters,
            coalesce(quantity, 0)::{MONEY} AS quantity, coalesce(cost, 0)::{MONEY} AS paid,
            coalesce(undiscounted, 0)::{MONEY} AS undiscounted,
            mine.effective_cost = held_effective AND held_effective <> 0 AS has_all,
            coalesce(has_all AND (meters = 1 OR mine.amount = held), false) AS is_whole
        FROM mine LEFT JOIN held USING (number) LEFT JOIN {{charges}} USING (number)
            JOIN (VALUES {{periods}}) AS periods(place, first, after) ON mine.day >= first AND mine.day < after),
    shared AS (
        SELECT *, coalesce(
            CASE WHEN has_all THEN {_WHOLE}::HUGEINT END,
            {_SHARE.format(part="effective_cost", whole="held_effective")},
            {_SHARE.format(part="amount", whole="held")}, 0) AS share,
            {_SHARE.format(part="cost", whole="held")} AS of_pool
        FROM joined WHERE NOT is_whole),
    told AS (
        SELECT day, place, currency, segment, {_METER},
            sum(CASE WHEN meters = 1 THEN amount ELSE cost END)::{MONEY} AS amount,
            {", ".join(f"units_of(sum({name})::{MONEY}) AS {name}" for name in _NUMBERS)}
        FROM joined WHERE is_whole GROUP BY ALL
        UNION ALL
        SELECT day, place, currency, segment, {_METER},
            sum(CASE WHEN meters IS NULL OR meters = 1 THEN amount
                WHEN amount = held THEN cost
                ELSE amount_of(units_of(amount) * coalesce(of_pool, 0) // {_WHOLE}::HUGEINT) END)::{MONEY} AS amount,
            {", ".join(f"sum(units_of({name}) * share // {_WHOLE}::HUGEINT) AS {name}" for name in _NUMBERS)}
        FROM shared GROUP BY ALL)
    SELECT day, place, currency, segment, {_METER}, sum(amount)::{MONEY} AS amount,
        {", ".join(f"sum({name}) AS {name}" for name in _NUMBERS)}
    FROM told GROUP BY ALL
"""
