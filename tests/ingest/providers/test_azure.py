"""Azure's cost exports: actual and amortised cost of the same usage, never added, tied to the cent."""

import gzip
import json
from collections import defaultdict
from decimal import Decimal

import pytest

from apps.ingest.models import LandedFile
from tests.ingest.bills import bill, charges, costs, errors, ingest, put, row, source, total
from tests.ingest.providers.azure_costs import ACTUAL, AMORTISED, EVERYWHERE, VM, ea

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def export(folder, kind, rows, run="202610050300", *, name=None, guid="", **changes):
    """One run of an export with its manifest, as Azure writes it below a container."""
    name = name or f"daily-{kind.lower()}"
    place = f"{name}/20261001-20261031/{run}{guid}"
    content = gzip.compress(bill(*rows), mtime=0)
    put(folder, f"{place}/part_0_0001.csv.gz", content)
    manifest = {
        "exportConfig": {
            "type": kind,
            "resourceId": f"/providers/Microsoft.Billing/billingAccounts/8611537/providers/"
            f"Microsoft.CostManagement/exports/{name}",
        },
        "deliveryConfig": {"dataOverwriteBehavior": "CreateNewReport"},
        "runInfo": {"submittedTime": "2026-10-05T03:00:00Z", "startDate": "2026-10-01T00:00:00"},
        "blobs": [
            {
                "blobName": f"billing/{place}/part_0_0001.csv.gz",
                "byteCount": len(content),
                "dataRowCount": len(rows),
            }
        ],
    } | changes
    put(folder, f"{place}/manifest.json", json.dumps(manifest).encode())


def by_category(*columns):
    found = defaultdict(lambda: [Decimal(0)] * len(columns))
    for charge in charges():
        sums = found[charge["ChargeCategory"]]
        found[charge["ChargeCategory"]] = [known + charge[it] for known, it in zip(sums, columns, strict=True)]
    return {category: " ".join(f"{amount:.2f}" for amount in sums) for category, sums in found.items()}


COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")


def test_actual_and_amortised_cost_of_the_same_usage_tie_to_both(tmp_path):
    export(tmp_path / "in", "ActualCost", ACTUAL)
    export(tmp_path / "in", "AmortizedCost", AMORTISED, guid="/0d084c41-ccde-4070-930f-8ae302da6539")
    assert errors(ingest(source(tmp_path / "in", "azure"))) == []
    assert total("BilledCost") == Decimal("93.73") == sum(Decimal(one["Cost"]) for one in ACTUAL)
    assert total("EffectiveCost") == Decimal("15.73") == sum(Decimal(one["Cost"]) for one in AMORTISED)
    assert by_category(*COSTS) == {
        # 2.64 on demand (24 × 0.15 = 3.60 listed); covered: 24 × 0.10 = 2.40 contracted, 1.20 effective; unused: 0.80
        "Usage": "2.64 4.64 6.80 5.84",
        "Purchase": "90.00 10.00 10.00 10.00",  # the reservation 100, the plan's refund −20, the marketplace 10
        "Tax": "1.10 1.10 1.10 1.10",
        "Adjustment": "-0.01 -0.01 -0.01 -0.01",
    }
    assert len(charges()) == 13, "every row of both files is there"
    quantities = [charge["ConsumedQuantity"] for charge in charges() if charge["ConsumedQuantity"]]
    assert quantities == [24, 24], "usage is counted once"


@pytest.mark.parametrize(
    ("kind", "rows", "expected"),
    [
        pytest.param("ActualCost", ACTUAL, "93.73 93.73", id="actual alone: cash is all that is known"),
        pytest.param(
            "AmortizedCost", AMORTISED, "13.73 15.73", id="amortised alone: commitments were billed elsewhere"
        ),
    ],
)
def test_one_export_alone(tmp_path, kind, rows, expected):
    export(tmp_path / "in", kind, rows)
    assert errors(ingest(source(tmp_path / "in", "azure"))) == []
    assert f"{total('BilledCost'):.2f} {total('EffectiveCost'):.2f}" == expected


@pytest.mark.parametrize("first", ["ActualCost", "AmortizedCost"])
def test_the_second_export_may_come_later(tmp_path, first):
    one = source(tmp_path / "in", "azure")
    both = {"ActualCost": ACTUAL, "AmortizedCost": AMORTISED}
    export(tmp_path / "in", first, both.pop(first))
    ingest(one)
    ((second, rows),) = both.items()
    export(tmp_path / "in", second, rows, run="202610050200")  # even if it ran earlier
    assert errors(ingest(one)) == []
    assert (total("BilledCost"), total("EffectiveCost")) == (Decimal("93.73"), Decimal("15.73"))
    assert ingest(one) == []
    assert (total("BilledCost"), total("EffectiveCost")) == (Decimal("93.73"), Decimal("15.73"))


def test_a_newer_run_of_one_export_replaces_only_that_one(tmp_path):
    one = source(tmp_path / "in", "azure")
    export(tmp_path / "in", "ActualCost", ACTUAL)
    export(tmp_path / "in", "AmortizedCost", AMORTISED)
    ingest(one)
    export(tmp_path / "in", "AmortizedCost", [*AMORTISED, ea("5.00")], run="202610060300")
    assert errors(ingest(one)) == []
    assert (total("BilledCost"), total("EffectiveCost")) == (Decimal("98.73"), Decimal("20.73"))
    export(tmp_path / "in", "ActualCost", [*ACTUAL, ea("5.00")], run="202610060305")
    ingest(one)
    assert (total("BilledCost"), total("EffectiveCost")) == (Decimal("98.73"), Decimal("20.73"))


def test_where_nothing_was_committed_both_files_are_the_same_and_count_once(tmp_path):
    export(tmp_path / "in", "ActualCost", EVERYWHERE)
    export(tmp_path / "in", "AmortizedCost", EVERYWHERE)
    assert errors(ingest(source(tmp_path / "in", "azure"))) == []
    assert (total("BilledCost"), total("EffectiveCost")) == (Decimal("13.73"), Decimal("13.73"))


def test_a_refused_half_leaves_what_counted(tmp_path):
    one = source(tmp_path / "in", "azure")
    export(tmp_path / "in", "ActualCost", ACTUAL)
    ingest(one)
    export(tmp_path / "in", "AmortizedCost", [*AMORTISED, ea("x")])
    (problem,) = errors(ingest(one))
    assert "part_0_0001.csv.gz, line 8, column Cost" in problem
    assert (total("BilledCost"), total("EffectiveCost")) == (Decimal("93.73"), Decimal("93.73"))


FOCUS = row("7", ListCost="0", ContractedCost="0", x_SkuTerm="12")


def test_a_focus_export_says_it_all(tmp_path):
    export(tmp_path / "in", "ActualCost", ACTUAL)
    export(tmp_path / "in", "AmortizedCost", AMORTISED)
    export(tmp_path / "in", "FocusCost", [FOCUS])
    told = ingest(source(tmp_path / "in", "azure"))
    assert errors(told) == []
    assert any("left alone" in one for one in told)
    assert costs() == ["7"]
    (charge,) = charges()
    assert (charge["ListCost"], charge["ContractedCost"], charge["x_Mapping"]) == (7, 7, "azure-focus 1")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"blobs": [{"blobName": "a/part_0_0002.csv.gz"}]}, "is not there yet", id="a blob is missing"),
        pytest.param(
            {"blobs": [{"blobName": "a/part_0_0001.csv.gz", "byteCount": 9}]}, "bytes of 9", id="a blob is half there"
        ),
    ],
)
def test_an_incomplete_run_waits(tmp_path, changes, said):
    one = source(tmp_path / "in", "azure")
    export(tmp_path / "in", "ActualCost", EVERYWHERE)
    ingest(one)
    export(tmp_path / "in", "ActualCost", [ea("5")], run="202610060300", **changes)
    (problem,) = ingest(one)
    assert problem.startswith("warning")
    assert said in problem
    assert total() == Decimal("13.73")


def test_a_file_with_fewer_rows_than_its_manifest_says_is_refused(tmp_path):
    blob = {"blobName": "part_0_0001.csv.gz", "dataRowCount": 5}
    export(tmp_path / "in", "ActualCost", EVERYWHERE, blobs=[blob])
    (problem,) = errors(ingest(source(tmp_path / "in", "azure")))
    assert "4 rows" in problem
    assert costs() == []


def test_data_before_their_manifest_wait(tmp_path):
    one = source(tmp_path / "in", "azure")
    export(tmp_path / "in", "ActualCost", EVERYWHERE)
    put(tmp_path / "in", "daily-actualcost/20261001-20261031/202610060300/part_0_0001.csv", bill(ea("5")))
    ingest(one)
    assert total() == Decimal("13.73")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"amortized.csv": AMORTISED}, "13.73 15.73", id="amortised by name"),
        pytest.param({"costs.csv": ACTUAL}, "93.73 93.73", id="actual, if nothing says otherwise"),
        pytest.param(
            {
                "actual/20261001-20261031/a.csv": ACTUAL,
                "amortized/20261001-20261031/a.csv": AMORTISED,
            },
            "93.73 15.73",
            id="folders of dates without manifests",
        ),
        pytest.param(
            {
                "actual/20261001-20261031/202610050300/a.csv": [ea("5")],
                "actual/20261001-20261031/202610060300/a.csv": ACTUAL,
            },
            "93.73 93.73",
            id="the last of two runs",
        ),
        pytest.param(
            {"actual/20261001-20261031/one.csv": [ea("5")], "actual/20261001-20261031/two.csv": ACTUAL},
            "93.73 93.73",
            id="the last of two files of a month, each a whole one",
        ),
    ],
)
def test_exports_without_manifests(tmp_path, files, expected):
    for name, rows in files.items():
        put(tmp_path / "in", name, bill(*rows))
    assert errors(ingest(source(tmp_path / "in", "azure"))) == []
    assert f"{total('BilledCost'):.2f} {total('EffectiveCost'):.2f}" == expected


RUN = "exp/20261001-20261031/202610050300/part_0_0001.csv"
LATER = RUN.replace("202610050300", "202610060300")
ELSEWHERE = [
    pytest.param("backup/part_0_0001.csv", id="a copy in no folder of dates"),
    pytest.param("exp/20261101-20261130/202611050300/part_0_0001.csv", id="a copy in the folder of another month"),
    pytest.param("exp/20260901-20261031/202611050300/part_0_0001.csv", id="a copy in a folder of several months"),
]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize("order", ["together", "copy first", "copy last"])
def test_the_same_bytes_in_another_folder_count_once(tmp_path, elsewhere, order):
    one, content = source(tmp_path / "in", "azure"), bill(*ACTUAL)
    places = [elsewhere, RUN] if order == "copy first" else [RUN, elsewhere]
    for place in places:
        put(tmp_path / "in", place, content)
        if order != "together":
            ingest(one)
    assert errors(ingest(one)) == []
    assert total("BilledCost") == Decimal("93.73")
    assert one.files.filter(state=LandedFile.State.CURRENT).count() == 1


@pytest.mark.parametrize("rows", [pytest.param(ACTUAL, id="actual cost"), pytest.param(AMORTISED, id="amortised cost")])
@pytest.mark.parametrize("is_copy_first", [True, False])
def test_a_copy_of_one_of_two_exports_takes_nothing_from_the_other(tmp_path, rows, is_copy_first):
    one = source(tmp_path / "in", "azure")
    put(tmp_path / "in", "backup/20261001-20261031/part_0.csv.gz", gzip.compress(bill(*rows), mtime=0))
    if is_copy_first:
        ingest(one)
    export(tmp_path / "in", "ActualCost", ACTUAL)
    export(tmp_path / "in", "AmortizedCost", AMORTISED)
    assert errors(ingest(one)) == []
    assert (total("BilledCost"), total("EffectiveCost")) == (Decimal("93.73"), Decimal("15.73"))


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
@pytest.mark.parametrize("is_copy_first", [True, False])
def test_a_copy_of_what_a_newer_run_replaced_does_not_come_back(tmp_path, elsewhere, is_copy_first):
    one, content = source(tmp_path / "in", "azure"), bill(*ACTUAL)
    for place in (elsewhere, RUN) if is_copy_first else (RUN, elsewhere):
        put(tmp_path / "in", place, content)
        ingest(one)
    put(tmp_path / "in", LATER, bill(*ACTUAL, ea("5.00")))
    assert errors(ingest(one)) == []
    assert total("BilledCost") == Decimal("98.73")


def test_the_same_run_again_counts_once_beside_its_copy(tmp_path):
    one = source(tmp_path / "in", "azure")
    for place in ("exp/20261101-20261130/202611050300/a.csv", RUN, LATER):
        put(tmp_path / "in", place, bill(*ACTUAL))
        ingest(one)
    assert total("BilledCost") == Decimal("93.73")


def test_other_charges_in_another_folder_count_beside(tmp_path):
    put(tmp_path / "in", RUN, bill(*ACTUAL))
    put(tmp_path / "in", "backup/part_0_0001.csv", bill(ea("5.00", SubscriptionId="other")))
    ingest(source(tmp_path / "in", "azure"))
    assert total("BilledCost") == Decimal("98.73")


@pytest.mark.parametrize("first", ["20260901-20261031", "20261001-20261031"])
def test_a_month_is_not_told_by_a_run_over_several_as_well(tmp_path, first):
    september = ea("1.00", Date="09/10/2026", BillingPeriodStartDate="09/01/2026", BillingPeriodEndDate="09/30/2026")
    runs = {"20260901-20261031": [september, ea()], "20261001-20261031": [ea()]}
    one = source(tmp_path / "in", "azure")
    put(tmp_path / "in", f"exp/{first}/202611010000/part_0_0001.csv", bill(*runs.pop(first)))
    ingest(one)
    ((second, rows),) = runs.items()
    put(tmp_path / "in", f"exp/{second}/202611020000/part_0_0001.csv", bill(*rows))
    (told,) = ingest(one)
    assert "The run over 202609-202610 tells months that another tells as well, 202610" in told
    assert total() == Decimal("3.64")


@pytest.mark.parametrize("dates", ["12345678-87654321", "20261301-20261399", "20261031-20261001"])
@pytest.mark.parametrize("run", ["", "202611010000/"], ids=["a file", "a run"])
def test_a_folder_of_digits_that_are_no_days_is_any_folder(tmp_path, dates, run):
    put(tmp_path / "in", f"exp/{dates}/{run}a.csv", bill(ea("5")))
    put(tmp_path / "in", "exp/20261001-20261031/b.csv", bill(ea()))
    assert ingest(source(tmp_path / "in", "azure")) == []
    assert costs() == ["2.64", "5"]


@pytest.mark.parametrize("end", ["2026-13-40", "2026-09-30", "9", None])
def test_a_manifest_whose_days_are_none_stops_no_other(tmp_path, end):
    manifest = {"runInfo": {"startDate": "2026-10-01", "endDate": end}, "blobs": [{"blobName": "a.csv"}]}
    put(tmp_path / "in", "odd/a.csv", bill(ea("5")))
    put(tmp_path / "in", "odd/manifest.json", json.dumps(manifest).encode())
    export(tmp_path / "in", "ActualCost", EVERYWHERE)
    (problem,) = ingest(source(tmp_path / "in", "azure"))
    assert problem == "error odd/manifest.json: The manifest names no days (runInfo.startDate, endDate)."
    assert total() == Decimal("13.73")


def test_loose_actual_and_amortised_files_are_not_added(tmp_path):
    put(tmp_path / "in", "actual.csv", bill(*ACTUAL))
    put(tmp_path / "in", "amortized.csv", bill(*AMORTISED))
    (problem,) = errors(ingest(source(tmp_path / "in", "azure")))
    assert "side by side" in problem
    assert f"{total('BilledCost'):.2f} {total('EffectiveCost'):.2f}" == "13.73 15.73"


def test_resource_ids_are_lower_case_and_commitments_named(tmp_path):
    export(tmp_path / "in", "AmortizedCost", AMORTISED)
    ingest(source(tmp_path / "in", "azure"))
    found = charges()
    assert found[0]["ResourceId"] == VM.lower()
    assert found[0]["ResourceName"] == "Web-1"
    told = [
        (charge["CommitmentDiscountStatus"], charge["CommitmentDiscountType"], charge["PricingCategory"])
        for charge in found[-2:]
    ]
    assert told == [("Used", "Reservation", "Committed"), ("Unused", "Reservation", "Committed")]
    assert {charge["x_SourceCost"] for charge in found} == {Decimal(one["Cost"]) for one in AMORTISED}
    assert LandedFile.objects.get().expected_rows == 6
