"""The FOCUS specification's commitment examples: what was bought once is used, or left unused, hour by hour.

Worked after the examples of the specification's appendix on commitment discounts, purchase scenarios 1 to 3 and usage
scenarios 1 to 4: 8,760 for one unit an hour through 2023, paid upfront, hour by hour, or half and half.
"""

from collections import defaultdict
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


def purchase(amount: str = "8760.00", number: int = 0, hours: int = HOURS) -> dict[str, str]:
    return charge(
        START + timedelta(hours=number), hours, ChargeCategory="Purchase", ResourceId="plan-1", BilledCost=amount,
        EffectiveCost="0.00", CommitmentDiscountQuantity=amount, CommitmentDiscountStatus="",
    )  # fmt: skip


def hourly(amount: str) -> list[dict[str, str]]:
    return [purchase(amount, number, 1) for number in range(HOURS)]


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


@pytest.mark.parametrize(
    "paid",
    [
        pytest.param([purchase()], id="all upfront"),
        pytest.param(hourly("1.00"), id="nothing upfront"),
        pytest.param([purchase("4380.00"), *hourly("0.50")], id="half upfront"),
    ],
)
def test_however_it_is_paid_it_is_amortised_alike(tmp_path, paid):
    hours = [row for number in range(HOURS) for row in hour(number, "1.00")]
    put(tmp_path / "in", "year.csv", bill(*paid, *hours))
    assert errors(ingest(source(tmp_path / "in"))) == []
    billed, amortised = defaultdict(Decimal), defaultdict(Decimal)
    for one in charges():
        billed[one["ChargeCategory"]] += one["BilledCost"]
        amortised[one["x_BillingMonth"]] += one["EffectiveCost"]
    assert billed == {"Purchase": 8760, "Usage": 0}
    # An hour is 1.00: January has 744 of them, February 672, April 720.
    assert (amortised["2023-01"], amortised["2023-02"], amortised["2023-04"]) == (744, 672, 720)
    assert sum(amortised.values()) == 8760


def test_what_goes_beyond_the_commitment_is_billed_as_it_is_used(tmp_path):
    beyond = charge(
        START, 1, BilledCost="0.50", EffectiveCost="0.50", CommitmentDiscountId="", CommitmentDiscountCategory="",
        CommitmentDiscountUnit="", CommitmentDiscountStatus="", CommitmentDiscountQuantity="",
    )  # fmt: skip
    put(tmp_path / "in", "hour.csv", bill(purchase(), *hour(0, "1.00"), beyond))
    assert errors(ingest(source(tmp_path / "in"))) == []
    used = [one for one in charges() if one["ChargeCategory"] == "Usage"]
    assert [(one["BilledCost"], one["EffectiveCost"], one["CommitmentDiscountStatus"]) for one in used] == [
        (0, 1, "Used"), (Decimal("0.5"), Decimal("0.5"), None),
    ]  # fmt: skip
