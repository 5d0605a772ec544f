"""The rows of Azure's cost exports: header generations, dates, tags, services."""

import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.ingest.bills import bill, charges, costs, errors, ingest, put, source
from tests.ingest.providers.azure_costs import VM, ea

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def parquet(cells):
    out = io.BytesIO()
    typed = cells | {"Cost": Decimal(cells["Cost"]), "Date": datetime(2026, 10, 4, tzinfo=UTC)}
    pq.write_table(pa.Table.from_pylist([typed]), out, compression="snappy")
    return out.getvalue()


def renamed(cells, spell):
    return {spell(name): value for name, value in cells.items()}


MCA = {
    "billingProfileId": "BP-1", "billingAccountId": "acc:1", "billingCurrency": "EUR", "pricingCurrency": "USD",
    "costInBillingCurrency": "1.80", "quantity": "2", "effectivePrice": "1", "unitPrice": "1.5", "PayGPrice": "3",
    "paygCostInBillingCurrency": "5.40", "exchangeRatePricingToBilling": "0.9", "date": "2026-10-04",
    "billingPeriodStartDate": "2026-10-01", "billingPeriodEndDate": "2026-10-31", "chargeType": "Usage",
    "meterCategory": "Storage", "serviceFamily": "Storage", "invoiceId": "E0100", "previousInvoiceId": "",
    "tags": '{"env": "prod"}', "pricingModel": "OnDemand", "ProductName": "Blob",
}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(bill(ea()), "USD 2.64 3.60 2.64", id="Enterprise Agreement"),
        pytest.param(b"\xef\xbb\xbf" + bill(ea(), newline="\r\n"), "USD 2.64 3.60 2.64", id="a byte order mark, CRLF"),
        pytest.param(bill(renamed(ea(), str.lower)), "USD 2.64 3.60 2.64", id="lower case"),
        pytest.param(
            bill(renamed(ea(), lambda name: name[0].lower() + name[1:])), "USD 2.64 3.60 2.64", id="camel case"
        ),
        pytest.param(
            bill(ea(Date="2026-10-04", BillingPeriodStartDate="2026-10-01", BillingPeriodEndDate="2026-10-31")),
            "USD 2.64 3.60 2.64",
            id="ISO dates",
        ),
        pytest.param(parquet(ea()), "USD 2.64 3.60 2.64", id="Parquet"),
        # 2 × 1.5 × 0.9 = 2.70 contracted
        pytest.param(bill(MCA), "EUR 1.80 5.40 2.70", id="Microsoft Customer Agreement, priced in another currency"),
    ],
)
def test_header_generations(tmp_path, content, expected):
    put(tmp_path / "in", "costs.csv", content)
    assert errors(ingest(source(tmp_path / "in", "azure"))) == []
    (charge,) = charges()
    amounts = (charge[it] for it in ("BilledCost", "ListCost", "ContractedCost"))
    assert f"{charge['BillingCurrency']} {' '.join(f'{amount:.2f}' for amount in amounts)}" == expected
    assert f"{charge['BillingPeriodStart']:%m-%d} {charge['BillingPeriodEnd']:%m-%d}" == "10-01 11-01"
    assert f"{charge['ChargePeriodStart']:%m-%d} {charge['ChargePeriodEnd']:%m-%d}" == "10-04 10-05"


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        pytest.param('"env": "prod","team": "shop"', {"env": "prod", "team": "shop"}, id="without braces"),
        pytest.param('{"env": "prod"}', {"env": "prod"}, id="with braces"),
        pytest.param('""', None, id="two quotes: no tags"),
        pytest.param("", None, id="no tags"),
        pytest.param('" org": "old","org": "trey"', {"org": "trey"}, id="a key twice but for blanks: the one without"),
        pytest.param('"org": "trey"," org": "old"', {"org": "trey"}, id="in either order"),
        pytest.param('" a/b~c ": "1"', {"a/b~c": "1"}, id="blanks around a key"),
    ],
)
def test_tags(tmp_path, text, tags):
    put(tmp_path / "in", "costs.csv", bill(ea(Tags=text)))
    assert errors(ingest(source(tmp_path / "in", "azure"))) == []
    (charge,) = charges()
    assert (charge["Tags"] and json.loads(charge["Tags"])) == tags


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        pytest.param({"Cost": "1,234.50"}, "Cost", id="a separator of thousands"),
        pytest.param({"Date": "31/12/2026"}, "Date", id="a day as month"),
        pytest.param({"Cost": "2,64"}, "Cost", id="a decimal comma"),
        pytest.param({"BillingPeriodEndDate": "31/10/2026"}, "BillingPeriodEndDate", id="the day before the month"),
        pytest.param({"Tags": '"env": prod'}, "Tags", id="tags that are no object"),
        pytest.param({"BillingCurrency": ""}, "BillingCurrency", id="no currency"),
    ],
)
def test_bad_values_are_named(tmp_path, cells, column):
    put(tmp_path / "in", "costs.csv", bill(ea(), ea(**cells)))
    (problem,) = errors(ingest(source(tmp_path / "in", "azure")))
    assert f"costs.csv, line 3, column {column}" in problem
    assert costs() == []


NO_PERIOD = {name: cell for name, cell in ea().items() if not name.startswith("BillingPeriod")}


@pytest.mark.parametrize(
    ("days", "day", "is_read"),
    [
        pytest.param("20261001-20261031", "10/05/2026", True, id="a day of the run"),
        pytest.param("20261001-20261031", "2026-10-05", True, id="in ISO 8601"),
        pytest.param("20261001-20261031", "2026-09-24", True, id="use that arrived late, in ISO 8601"),
        pytest.param("20261001-20261031", "09/30/2026", True, id="the day before, which Azure may bill"),
        pytest.param("20261001-20261031", "05/10/2026", False, id="the day before the month: not in May"),
        pytest.param("20260101-20260131", "02/01/2026", False, id="the second of January, the day first"),
        pytest.param("20261001-20261031", "09/24/2026", True, id="use that arrived late"),
    ],
)
def test_rows_are_of_the_days_of_their_run(tmp_path, days, day, is_read):
    put(tmp_path / "in", f"exp/{days}/202611010300/part_0_0001.csv", bill(NO_PERIOD | {"Date": day}))
    told = errors(ingest(source(tmp_path / "in", "azure")))
    if is_read:
        assert (told, costs()) == ([], ["2.64"])
    else:
        assert "part_0_0001.csv, line 2, column Date: " in told[0]
        assert "is the day written before the month?" in told[0]
        assert costs() == []


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param({}, "Virtual Machines / Compute", id="by the type of the resource"),
        pytest.param(
            {"ResourceId": VM.lower().replace("virtualmachines/web-1", "virtualmachinescalesets/np-1")},
            "Virtual Machine Scale Sets / Compute",
            id="a lower-case id",
        ),
        pytest.param(
            {"ResourceId": "/subscriptions/1/providers/MICROSOFT.SQL/SERVERS/a/DATABASES/b"},
            "Azure SQL Database / Databases",
            id="a resource inside another",
        ),
        pytest.param(
            {"ResourceId": "/subscriptions/1/providers/microsoft.web/sites/a", "ConsumedService": "Functions"},
            "Functions / Compute",
            id="one type, two services",
        ),
        pytest.param(
            {"ResourceId": "", "ConsumedService": "", "MeterCategory": "Sentinel", "ServiceFamily": "Security"},
            "Sentinel / Security",
            id="no resource: the meter's category, and its family",
        ),
        pytest.param(
            {"ResourceId": "", "ConsumedService": "", "MeterCategory": "Bandwidth", "ServiceFamily": "Storage"},
            "Bandwidth / Networking",
            id="a meter that comes with several families",
        ),
        pytest.param(
            {"ResourceId": "", "ConsumedService": "", "MeterCategory": "", "ServiceFamily": "Quantum"},
            "Microsoft Azure / Other",
            id="nothing known",
        ),
    ],
)
def test_services(tmp_path, cells, expected):
    put(tmp_path / "in", "costs.csv", bill(ea(**cells)))
    assert errors(ingest(source(tmp_path / "in", "azure"))) == []
    (charge,) = charges()
    assert f"{charge['ServiceName']} / {charge['ServiceCategory']}" == expected
