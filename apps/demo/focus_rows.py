"""Charges of the simulated company as FOCUS 1.2 rows, a table per kind of charge."""

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from apps.demo.columns import Column, decimals, same
from apps.demo.timetable import Ints, day_start, instant, next_month
from apps.finops import focus

COST_DIGITS = 10
BILL_DIGITS = 6
"""The bill prints six decimals; all its costs have no more."""
_TRIM = 10 ** (COST_DIGITS - BILL_DIGITS)

HOME_REGION = "cn-beijing"
REGIONS = {HOME_REGION: "China (Beijing)", "ap-southeast-1": "Singapore"}
PROVIDER = "Alibaba Cloud"
ACCOUNT = ("1427359680012345", "Lantern Learning")
CURRENCY = "CNY"

TYPES = {
    name: pa.decimal128(38, BILL_DIGITS) if kind == focus.MONEY else pa.string() for name, kind in focus.COLUMNS.items()
}
SCHEMA = pa.schema(list(TYPES.items()))

Value = Column | str | None


@dataclass(frozen=True)
class Period:
    """A billing month as the bill writes it."""

    month: date
    start: str
    end: str

    @property
    def invoice(self) -> str:
        return f"INV-{self.month:%Y%m}"


def period_of(day: date, zone: ZoneInfo) -> Period:
    month = day.replace(day=1)
    return Period(month, stamp(day_start(month, zone)), stamp(day_start(next_month(month), zone)))


def stamp(hour: int) -> str:
    """An hour since 1970 as the bill writes it."""
    return instant(hour).strftime("%Y-%m-%dT%H:%M:%SZ")


def bill_amount(values: Ints) -> Column:
    """Costs in 10^-10 CNY as the bill prints them."""
    if (values % _TRIM).any():
        raise ValueError("a bill amount has more decimals than the bill prints")
    return decimals(values // _TRIM, BILL_DIGITS)


def bill_number(values: Ints, digits: int) -> Column:
    """Quantities or prices in 10^-digits, as the bill prints them."""
    return decimals(values * 10 ** (BILL_DIGITS - digits), BILL_DIGITS)


def rows(length: int, period: Period, columns: dict[str, Value]) -> pa.Table:
    """A table of charges: the given columns, the ones all charges share, and nothing in the rest."""
    common: dict[str, Value] = {
        "ProviderName": PROVIDER,
        "PublisherName": PROVIDER,
        "InvoiceIssuerName": PROVIDER,
        "InvoiceId": period.invoice,
        "BillingAccountId": ACCOUNT[0],
        "BillingAccountName": ACCOUNT[1],
        "BillingAccountType": "Account",
        "SubAccountId": "lantern-prod",
        "BillingPeriodStart": period.start,
        "BillingPeriodEnd": period.end,
        "ChargeCategory": "Usage",
        "ChargeFrequency": "Usage-Based",
        "PricingCategory": "Standard",
        "BillingCurrency": CURRENCY,
        "PricingCurrency": CURRENCY,
        "RegionId": HOME_REGION,
        "RegionName": REGIONS[HOME_REGION],
    }
    given = common | columns
    arrays = []
    for name, kind in TYPES.items():
        value = given.get(name)
        if value is None:
            arrays.append(pa.nulls(length, kind))
        elif isinstance(value, str):
            arrays.append(same(value, length))
        else:
            arrays.append(value)
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def costs(*, billed: Ints, effective: Ints, listed: Ints, contracted: Ints) -> dict[str, Value]:
    return {
        "BilledCost": bill_amount(billed),
        "EffectiveCost": bill_amount(effective),
        "ListCost": bill_amount(listed),
        "ContractedCost": bill_amount(contracted),
    }


def plain_costs(amounts: Ints) -> dict[str, Value]:
    """Costs of something without discount: all four bases alike."""
    return costs(billed=amounts, effective=amounts, listed=amounts, contracted=amounts)


def ones(length: int) -> Ints:
    return np.ones(length, dtype=np.int64)
