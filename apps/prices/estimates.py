"""Estimates and what-if: quantities at the prices that hold on a day, one scenario beside another."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path

from apps.finops.errors import CostOpsError
from apps.finops.money import UNIT, NotAnAmount, add_up, parse_amount
from apps.finops.tables import CHARGES, MONEY
from apps.prices.models import Price
from apps.prices.selectors import price_on
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

COLUMNS = ("scenario", "provider", "region", "sku_id", "unit", "currency", "quantity")
AS_BILLED = "as billed"
MOST_BYTES = 16 << 20
_EXACT = Context(prec=100)


class BadEstimate(CostOpsError):
    """What is to be estimated cannot be read, or there is nothing."""


@dataclass(frozen=True)
class Need:
    """A quantity of a SKU, in its pricing unit, that a scenario needs."""

    scenario: str
    provider: str
    region: str
    sku_id: str
    unit: str
    currency: str
    quantity: Decimal


@dataclass(frozen=True)
class Estimate:
    """What a need costs: at the contracted price, else at list price; unknown is None, never zero."""

    need: Need
    price: Price | None

    @property
    def unit_price(self) -> Decimal | None:
        agreed = self.price.contracted_unit_price if self.price else None
        return agreed if agreed is not None or self.price is None else self.price.list_unit_price

    @property
    def cost(self) -> Decimal | None:
        if self.unit_price is None:
            return None
        exact = _EXACT.multiply(self.need.quantity, self.unit_price)
        return exact.quantize(UNIT, rounding=ROUND_HALF_EVEN, context=_EXACT)


@dataclass(frozen=True)
class Total:
    """What a scenario costs in a currency, how many of its needs have no price, and the difference to the first
    scenario of that currency: None where anything in either of them has no price."""

    scenario: str
    currency: str
    cost: Decimal
    unpriced: int
    difference: Decimal | None


def estimate(needs: Iterable[Need], day: date) -> list[Estimate]:
    """What every need costs at the prices of a day."""
    return [
        Estimate(
            need,
            price_on(
                day, provider=need.provider, region=need.region, sku_id=need.sku_id, unit=need.unit,
                currency=need.currency,
            ),
        )
        for need in needs
    ]  # fmt: skip


def totals(estimates: Iterable[Estimate]) -> list[Total]:
    """By scenario and currency, in the order they came."""
    by_scenario: dict[tuple[str, str], list[Estimate]] = {}
    for one in estimates:
        by_scenario.setdefault((one.need.scenario, one.need.currency), []).append(one)
    firsts: dict[str, Total] = {}
    told = []
    for (scenario, currency), ones in by_scenario.items():
        costs = [one.cost for one in ones if one.cost is not None]
        total = Total(scenario, currency, add_up(costs), len(ones) - len(costs), None)
        first = firsts.setdefault(currency, total)
        is_known = not (total.unpriced or first.unpriced)
        told.append(replace(total, difference=total.cost - first.cost if is_known else None))
    return told


def read_needs(path: Path) -> list[Need]:
    """The needs of a CSV file, all of them or BadEstimate."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadEstimate(f"{path}: more than {MOST_BYTES >> 20} MiB; estimate less at once.")
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if sorted(reader.fieldnames or ()) != sorted(COLUMNS):
            raise BadEstimate(f"{path}, line 1: the columns must be {', '.join(COLUMNS)}.")
        needs = [_need(path, reader.line_num, row) for row in reader]
    except OSError as error:
        raise BadEstimate(f"{path}: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadEstimate(f"{path}: not CSV in UTF-8 ({error}).") from error
    if not needs:
        raise BadEstimate(f"{path}: there is a header and nothing to estimate.")
    return needs


def _need(path: Path, line: int, row: Mapping[str | None, str | None]) -> Need:
    if None in row or None in row.values():
        raise BadEstimate(f"{path}, line {line}: write {len(COLUMNS)} values.")
    cells = {str(name): str(value).strip() for name, value in row.items()}
    try:
        quantity, is_rounded = parse_amount(cells.pop("quantity"))
    except NotAnAmount as wrong:
        raise BadEstimate(f"{path}, line {line}, column quantity: {wrong}; write 720.5.") from None
    if quantity < 0 or is_rounded:
        raise BadEstimate(f"{path}, line {line}, column quantity: not negative, and at most twelve decimals.")
    return Need(**cells, quantity=quantity)


def billed_needs(month: str, instead: Mapping[str, str]) -> Iterator[Need]:
    """What was used of some SKUs in a billing month, once as it was billed and once of the SKUs instead of them."""
    bill = lake.scan(CHARGES, only=[one for one in lake.files(CHARGES) if one.partition["x_BillingMonth"] == month])
    used = bill.filter(bill.ChargeCategory == "Usage", bill.SkuId.isin(list(instead)), bill.PricingQuantity.notnull())
    used = used.mutate(who=used.ProviderName.fill_null(""), place=used.RegionId.fill_null(""))
    summed = used.group_by("who", "place", "SkuId", "PricingUnit", "BillingCurrency").aggregate(
        quantity=used.PricingQuantity.sum().cast(MONEY)
    )
    found = [
        Need(AS_BILLED, who, place, sku, unit or "", currency, quantity)
        for who, place, sku, unit, currency, quantity in rows_of(summed.order_by(summed.columns))
    ]
    if missing := sorted(set(instead) - {need.sku_id for need in found}):
        raise BadEstimate(f"No usage of {missing[0]} was billed in {month}; `manage.py prices list` names what was.")
    yield from found
    told = ", ".join(f"{new} instead of {old}" for old, new in sorted(instead.items()))
    yield from (replace(need, scenario=told, sku_id=instead[need.sku_id]) for need in found)
