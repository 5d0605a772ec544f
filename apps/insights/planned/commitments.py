"""What the charges say of commitments that end or begin: from which day, and what will cost more without them."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
from django.conf import settings

from apps.finops.money import add_up, divided, less
from apps.finops.tables import CHARGES, MONEY
from apps.insights.planned.known import USUAL_DAYS, Known
from apps.marts.models import Publication
from apps.warehouse import lake
from apps.warehouse.engine import rows_of


def changes(pinned: Publication, currency: str, *, since: date, end: date, until: date) -> Iterator[Known]:
    """The commitments whose last purchase ends, or whose first begins, on a day of since <= day < until.

    Complete days are known before `end`. When one ends, what it covered costs its contracted (else list) cost instead
    of its effective cost, and what nobody used of it costs nothing; as on the `USUAL_DAYS` days before. One that was
    used on its last day or after it goes on. What one that begins will cover is not known: it is told, and not counted.
    """
    if CHARGES.name not in pinned.versions:
        return
    bill = lake.scan(CHARGES, at=pinned.versions[CHARGES.name])
    rows = bill.filter(bill.CommitmentDiscountId.fill_null("") != "", bill.BillingCurrency == currency)
    ending: dict[str, tuple[date, str]] = {}
    for identity, name, expiry, begins, last_used in rows_of(_facts(rows)):
        last = _day(expiry)
        if last and since <= last < until and (last_used is None or last_used < last):
            ending[identity] = (last, name or identity)
        first = _day(begins)
        if first and end <= first < until:
            yield Known("commitment_start", first, note=name or identity, ref=identity)
    for (identity, service), by_day in _covered(rows, ending, end).items():
        day, name = ending[identity]
        more = divided(add_up(by_day.values()), Decimal(len(by_day)))
        yield Known("commitment_end", day, service=service, per_day=more, note=name, ref=identity)


def _facts(rows: ir.Table) -> ir.Table:
    """Of every commitment its name, when its term ends and when its newest purchase begins, and its last used day."""
    bought = rows.ChargeCategory == "Purchase"
    term = bought & (rows.ChargePeriodEnd > rows.BillingPeriodEnd)
    found = rows.group_by("CommitmentDiscountId").aggregate(
        name=rows.CommitmentDiscountName.max(),
        expiry=rows.ChargePeriodEnd.max(where=term),
        begins=rows.ChargePeriodStart.max(where=bought),
        last_used=rows.x_ChargeDay.max(where=rows.CommitmentDiscountStatus == "Used"),
    )
    return found.order_by("CommitmentDiscountId")


def _covered(
    rows: ir.Table, ending: dict[str, tuple[date, str]], end: date
) -> dict[tuple[str, str], dict[date, Decimal]]:
    """By commitment and service, day by day: what would have cost more without it."""
    found: dict[tuple[str, str], dict[date, Decimal]] = defaultdict(dict)
    if not ending:
        return found
    first = min(min(day, end) for day, _ in ending.values()) - timedelta(days=USUAL_DAYS)
    rows = rows.filter(
        rows.CommitmentDiscountId.isin(sorted(ending)), rows.x_ChargeDay >= first, rows.x_ChargeDay < end
    )
    used, unused = rows.CommitmentDiscountStatus == "Used", rows.CommitmentDiscountStatus == "Unused"
    sums = rows.filter(used | unused).group_by("CommitmentDiscountId", "ServiceName", "x_ChargeDay").aggregate(
        contracted=rows.ContractedCost.sum(where=used).fill_null(0).cast(MONEY),
        listed=rows.ListCost.sum(where=used).fill_null(0).cast(MONEY),
        effective=rows.EffectiveCost.sum().fill_null(0).cast(MONEY),
    )  # fmt: skip
    for identity, service, day, contracted, listed, effective in rows_of(sums.order_by("x_ChargeDay")):
        last = min(ending[identity][0], end)
        if last - timedelta(days=USUAL_DAYS) <= day < last:
            found[identity, service or ""][day] = less(contracted or listed, effective)
    return found


def _day(moment: datetime | None) -> date | None:
    """The day that begins when a term ends, or that it begins on."""
    return moment.astimezone(ZoneInfo(settings.COSTOPS_TIME_ZONE)).date() if moment else None
