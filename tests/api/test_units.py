"""Cost per unit over the API: drivers brought, units asked, changes that add up, and only one's own teams."""

from decimal import Decimal

import pytest
from django.test import Client

from tests.api.company import bring_drivers

UNITS, CHANGE, DRIVERS = "/api/v1/units/", "/api/v1/units/change/", "/api/v1/drivers/"
FILE = "date,driver,team,quantity\n2026-10-05,requests,live-class,1000\n2026-10-06,requests,live-class,500\n"


@pytest.fixture
def finance(callers: dict[str, Client]) -> Client:
    return callers["finance"]


def test_drivers_are_brought_and_listed(finance: Client) -> None:
    done = finance.post(f"{DRIVERS}?name=oct.csv", FILE, content_type="text/csv")
    assert done.status_code == 201
    (row,) = finance.get(DRIVERS).json()["rows"]
    assert row == done.json()
    assert (row["drivers"], row["by"], row["origin"], row["created_by"]) == (["requests"], "team", "oct.csv", "finance")
    body = '{"rows": [{"date": "2026-10-05", "driver": "orders", "namespace": "live-web", "quantity": 0.5}]}'
    assert finance.post(DRIVERS, body, content_type="application/json").json()["by"] == "namespace"


def test_quantities_are_told_with_the_version_that_told_them(finance: Client) -> None:
    first = finance.post(DRIVERS, FILE, content_type="text/csv").json()["version"]
    second = finance.post(DRIVERS, FILE.replace(",500", ",0.5"), content_type="text/csv").json()["version"]
    said = finance.get(f"{DRIVERS}quantities/?driver=requests&start=2026-10-06&end=2026-10-07").json()
    assert (said["drivers"], said["by"]) == (second, "team")
    assert said["rows"] == [
        {"day": "2026-10-06", "subject": "live-class", "quantity": "0.500000000000", "version": second, "line": 3}
    ]
    older = finance.get(f"{DRIVERS}quantities/?driver=requests&drivers_as_of={first}&format=csv").content.decode()
    assert older.splitlines()[1:] == [
        f"2026-10-05,live-class,1000.000000000000,{first},2", f"2026-10-06,live-class,500.000000000000,{first},3",
    ]  # fmt: skip


def test_a_lead_sees_own_quantities(callers: dict[str, Client]) -> None:
    bring_drivers()
    address = f"{DRIVERS}quantities/?driver=requests"
    for name, subjects in (("lilei", {"live-class"}), ("nobody", set()), ("finance", {"live-class", "data-platform"})):
        assert {row["subject"] for row in callers[name].get(address).json()["rows"]} == subjects
    assert callers["lilei"].get(f"{address}&by=namespace").status_code == 400


def test_a_wrong_line_is_named(finance: Client) -> None:
    refused = finance.post(f"{DRIVERS}?name=oct.csv", FILE + "2026-10-07,requests,wbe,1\n", content_type="text/csv")
    assert refused.status_code == 400
    assert "oct.csv: line 4, column team: there is no team 'wbe'" in refused.json()["detail"]
    assert finance.get(DRIVERS).json()["rows"] == []


def test_cost_per_unit(finance: Client) -> None:
    finance.post(DRIVERS, FILE, content_type="text/csv")
    said = finance.get(f"{UNITS}?driver=requests&end=2026-10-07").json()
    live = [row for row in said["rows"] if row["subject"] == "live-class"]
    assert [(row["period"], row["cost"], row["unit_cost"]) for row in live] == [
        ("2026-10-05", "4711.000000000017", "4.711000000000"),
        ("2026-10-06", "-0.250000000000", "-0.000500000000"),
    ]
    assert said["totals"][1]["cost_without_driver"] == "815.123456789012"
    text = finance.get(f"{UNITS}?driver=requests&end=2026-10-06&format=csv").content.decode()
    assert text.splitlines() == [
        "period,subject,currency,cost,quantity,unit_cost,days,cost_without_driver",
        "2026-10-05,live-class,CNY,4711.000000000017,1000.000000000000,4.711000000000,1,0.000000000000",
    ]


def test_a_change_adds_up(finance: Client) -> None:
    finance.post(DRIVERS, FILE, content_type="text/csv")
    said = finance.get(f"{CHANGE}?driver=requests&start=2026-10-06&end=2026-10-07").json()
    total = next(row for row in said["rows"] if row["subject"] == "")
    parts = [Decimal(total[name]) for name in ("volume", "mix", "efficiency", "price")]
    assert Decimal(total["before"]) + sum(parts) == Decimal(total["after"]) == Decimal("-0.25")
    assert Decimal(total["volume"]) == Decimal("-2355.500000000008")
    assert (said["before_start"], said["before_end"], said["resource"]) == ("2026-10-05", "2026-10-06", "list_cost")
    assert said["without_driver"] == [{"currency": "CNY", "before": "0.000000000000", "after": "815.123456789012"}]


@pytest.mark.parametrize(
    ("address", "parameter"),
    [
        pytest.param(UNITS, "driver", id="no driver"),
        pytest.param(f"{DRIVERS}quantities/", "driver", id="no driver of quantities"),
        pytest.param(f"{DRIVERS}quantities/?driver=requests&drivers_as_of=99", "drivers_as_of", id="no such version"),
        pytest.param(f"{UNITS}?driver=../etc", "driver", id="a strange driver"),
        pytest.param(f"{UNITS}?driver=requests&by=cluster", "by", id="by what is not told"),
        pytest.param(f"{UNITS}?driver=requests&drivers_as_of=99", "drivers_as_of", id="no version"),
        pytest.param(f"{CHANGE}?driver=requests&before_start=2026-10-01", "before_start", id="half a period"),
    ],
)
def test_a_bad_parameter_is_named(finance: Client, address: str, parameter: str) -> None:
    refused = finance.get(address)
    assert (refused.status_code, refused.json()["parameter"]) == (400, parameter)


def test_a_lead_sees_own_units_and_brings_none(callers: dict[str, Client]) -> None:
    bring_drivers()
    said = callers["lilei"].get(f"{UNITS}?driver=requests").json()
    assert {row["subject"] for row in said["rows"]} == {"live-class"}
    assert {row["quantity"] for row in said["totals"]} == {"8.000000000000"}
    assert callers["lilei"].get(f"{UNITS}?driver=requests&by=namespace").status_code == 400
    assert callers["lilei"].post(DRIVERS, FILE, content_type="text/csv").status_code == 403
