"""The FOCUS specification's commitment examples: what was bought once is used, or left unused, hour by hour.

Worked after the examples "Purchase all upfront" and "Usage" of the specification's appendix on commitment discounts:
8,760 paid on the first of January for one unit an hour through 2023.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from apps.finops.money import add_up
from tests.ingest.bills import bill, charges, errors, ingest, put, row, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

START = datetime(2023, 1, 1, tzinfo=UTC)
HOURS = 8760
COMMITMENT = {"CommitmentDiscountId": "plan-1", "CommitmentDiscountCategory": "Spend", "CommitmentDiscountUnit": "USD"}


def instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def charge(moment: datetime, hours: int, **cells: str) -> dict[str, str]:
    month = moment.replace(day=1, hour=0)
    return row(
        day=f"{moment:%Y-%m-%d}", BillingCurrency="USD", BillingPeriodStart=instant(month),
        BillingPeriodEnd=instant((month + timedelta(days=32)).replace(day=1)), ChargePeriodStart=instant(moment),
        ChargePeriodEnd=instant(moment + timedelta(hours=hours)), **COMMITMENT | cells,
    )  # fmt: skip


def purchase() -> dict[str, str]:
    return charge(
        START, HOURS, ChargeCategory="Purchase", ResourceId="plan-1", BilledCost="8760.00", EffectiveCost="0.00",
        CommitmentDiscountQuantity="8760", CommitmentDiscountStatus="",
    )  # fmt: skip


def hour(number: int, used: str) -> list[dict[str, str]]:
    """One hour: what was used of its unit, and what was not."""
    moment, unused = START + timedelta(hours=number), Decimal(1) - Decimal(used)
    parts = (("Used", used, "i-1"), ("Unused", str(unused), "plan-1"))
    return [
        charge(
            moment, 1, BilledCost="0", EffectiveCost=amount, ResourceId=resource, CommitmentDiscountStatus=status,
            CommitmentDiscountQuantity=amount,
        )
        for status, amount, resource in parts
        if Decimal(amount)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("used", "expected"),
    [
        pytest.param("1.00", {"Used": "8760"}, id="one hundred percent used"),
        pytest.param("0", {"Unused": "8760"}, id="zero percent used"),
        pytest.param("0.75", {"Used": "6570", "Unused": "2190"}, id="three quarters used"),
    ],
)
def test_what_was_paid_is_what_was_used_and_unused_over_the_term(tmp_path, used, expected):
    hours = [row for number in range(HOURS) for row in hour(number, used)]
    put(tmp_path / "in", "year.csv", bill(purchase(), *hours))
    assert errors(ingest(source(tmp_path / "in"))) == []
    read = charges()
    assert len({charge["x_BillingMonth"] for charge in read}) == 12
    amortised = {
        status: add_up(charge["EffectiveCost"] for charge in read if charge["CommitmentDiscountStatus"] == status)
        for status in expected
    }
    assert amortised == {status: Decimal(amount) for status, amount in expected.items()}
    (bought,) = [charge for charge in read if charge["ChargeCategory"] == "Purchase"]
    assert bought["EffectiveCost"] == 0
    assert add_up(amortised.values()) == bought["BilledCost"] == add_up(charge["BilledCost"] for charge in read)
