"""Charges that come once: support, credits, tax, rounding, refunds of a downgrade, corrections of an invoiced month."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

from apps.demo.focus_rows import REGIONS, Period, Value, ones, plain_costs, rows, stamp
from apps.demo.organisation import TEAM_INDEX
from apps.demo.service_bill import Owed
from apps.demo.services import NOBODY, PRODUCTS, SPLIT, Resources
from apps.demo.timetable import BusinessDay

_CNY = 10**10
CREDIT_OWNER = "corp-finance"
CREDIT_DAY = 10
CORRECTED_DAY = 28
DOWNGRADE_CHANCE = 0.15


@dataclass(frozen=True)
class Event:
    """A charge without a resource; `cents` is (least, most) at scale 1, in 1/100 CNY."""

    when: Literal["daily", "credit day", "last day"]
    cents: tuple[int, int]
    owner: int
    service: str
    category: str
    frequency: str
    description: str


EVENTS = (
    Event("daily", (60_000, 60_000), SPLIT, "Support Plan", "Usage", "Recurring", "Business support"),
    Event(
        "credit day",
        (-300_000, -300_000),
        TEAM_INDEX[CREDIT_OWNER],
        "Billing",
        "Credit",
        "One-Time",
        "Promotional credit",
    ),
    Event("last day", (12_000, 12_000), NOBODY, "Domain Names", "Tax", "One-Time", "Overseas service tax"),
    Event("last day", (-99, -1), NOBODY, "Billing", "Adjustment", "One-Time", "Month-end rounding"),
)


def scaled(cents: int, scale: float) -> int:
    """So many cents at scale 1, in 10^-10 CNY."""
    return cents * max(1, round(scale * 100)) * (_CNY // 100) // 100


def event_rows(
    resources: Resources, day: BusinessDay, period: Period, *, scale: float, rng: np.random.Generator
) -> list[Owed]:
    """The day's events, and now and then the refund of a downgrade."""
    is_last = (day.day + timedelta(days=1)).month != day.day.month
    happens = {"daily": True, "credit day": day.day.day == CREDIT_DAY, "last day": is_last}
    owed = []
    for event in EVENTS:
        if happens[event.when]:
            cents = int(rng.integers(event.cents[0], event.cents[1] + 1))
            owed.append(_event(event, scaled(cents, scale), day, period))
    if rng.random() < DOWNGRADE_CHANCE:
        cost = -scaled(int(rng.integers(20_000, 600_000)), scale)
        owed.append(_on_resource(resources, "rm-2ze", day, period, cost, ChargeDescription="Refund of a downgrade"))
    return owed


def correction(resources: Resources, charged: BusinessDay, booked: Period, *, scale: float) -> Owed:
    """A charge of an invoiced month, corrected in the next month's bill."""
    columns: dict[str, Value] = {"ChargeClass": "Correction", "ChargeDescription": "Storage measured again"}
    return _on_resource(resources, "oss-", charged, booked, -scaled(3_700, scale), **columns)


def is_corrected(day: date) -> bool:
    """Whether the storage of this day is measured again, after the month is invoiced."""
    return day.day == CORRECTED_DAY


def _event(event: Event, cost: int, day: BusinessDay, period: Period) -> Owed:
    columns: dict[str, Value] = {
        "ServiceCategory": "Other",
        "ChargeCategory": event.category,
        "ChargeFrequency": event.frequency,
        "ChargeDescription": event.description,
        "PricingCategory": "Standard" if event.category == "Usage" else None,
        "RegionId": None,
        "RegionName": None,
    }
    return _single(day, period, cost=cost, owner=event.owner, service=event.service, columns=columns)


def _on_resource(
    resources: Resources, prefix: str, day: BusinessDay, period: Period, cost: int, **columns: Value
) -> Owed:
    """A charge on the first resource of a product."""
    index = next(i for i, product in enumerate(PRODUCTS) if product.prefix == prefix)
    row = int(np.flatnonzero(resources.product == index)[0])
    product = PRODUCTS[index]
    of_resource: dict[str, Value] = {
        "ServiceCategory": product.category,
        "ServiceSubcategory": product.subcategory,
        "ResourceId": resources.ids[row],
        "ResourceType": product.resource_type,
        "SubAccountId": resources.sub_account[row],
        "RegionId": resources.region[row],
        "RegionName": REGIONS[resources.region[row]],
        "Tags": resources.tags[row] or None,
    }
    owner = int(resources.owner[row])
    return _single(day, period, cost=cost, owner=owner, service=product.service, columns=of_resource | columns)


def _single(
    day: BusinessDay, period: Period, *, cost: int, owner: int, service: str, columns: dict[str, Value]
) -> Owed:
    amount = cost * ones(1)
    times: dict[str, Value] = {
        "ServiceName": service,
        "ChargePeriodStart": stamp(day.first_hour),
        "ChargePeriodEnd": stamp(day.first_hour + day.hours),
    }
    return Owed(rows(1, period, plain_costs(amount) | times | columns), owner * ones(1), amount, [service])
