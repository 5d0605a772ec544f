"""AWS exports: of every month the files of its last complete release, and nothing billed twice."""

import gzip
import io
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.ingest.models import LandedFile
from tests.ingest.bills import bill, charges, errors, ingest, put, row, source, total
from tests.ingest.providers.aws_bills import LEGACY, line

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def put_legacy(folder, assembly, *files, month="20261001-20261101", listed=None, is_overwritten=False, root="pfx/cur"):
    inner = "" if is_overwritten else f"{assembly}/"
    keys = [f"{root}/{month}/{inner}cur-{number}.csv.gz" for number, _ in enumerate(files, 1)]
    for key, content in zip(keys, files, strict=True):
        put(folder, key, gzip.compress(content))
    manifest = {"assemblyId": assembly, "account": "111122223333", "reportKeys": listed or keys}
    for place in {"", inner}:
        put(folder, f"{root}/{month}/{place}cur-Manifest.json", json.dumps(manifest).encode())


def put_export(
    folder, execution, *files, suffix="csv.gz", is_overwritten=True, root="pfx/cur2", account="111122223333"
):
    inner = "" if is_overwritten else f"{execution}/"
    keys = [f"{root}/data/BILLING_PERIOD=2026-10/{inner}cur2-{at}.{suffix}" for at, _ in enumerate(files, 1)]
    for key, content in zip(keys, files, strict=True):
        put(folder, key, content)
    arn = f"arn:aws:bcm-data-exports:us-east-1:{account}:export/cur2-1"
    manifest = {"executionId": execution, "exportArn": arn, "dataFiles": [f"s3://bucket/{key}" for key in keys]}
    put(folder, f"{root}/metadata/BILLING_PERIOD=2026-10/{inner}cur2-Manifest.json", json.dumps(manifest).encode())


def legacy(cost):
    return bill(LEGACY | {"lineItem/UnblendedCost": cost})


@pytest.mark.parametrize("is_overwritten", [pytest.param(False, id="assemblies"), pytest.param(True, id="overwritten")])
def test_a_legacy_month_is_its_last_assembly(tmp_path, is_overwritten):
    folder = tmp_path / "in"
    put_legacy(folder, "aaaa", legacy("1"), legacy("2"), is_overwritten=is_overwritten)
    one = source(folder, kind="aws")
    assert ingest(one) == []
    assert total() == Decimal(3)
    put_legacy(folder, "0000", legacy("1"), legacy("5"), is_overwritten=is_overwritten)
    assert ingest(one) == []
    assert total() == Decimal(6)
    files = LandedFile.objects.count()
    assert (ingest(one), total(), LandedFile.objects.count()) == ([], Decimal(6), files)


@pytest.mark.parametrize("is_overwritten", [pytest.param(False, id="executions"), pytest.param(True, id="overwritten")])
def test_a_month_of_data_exports_is_its_last_execution(tmp_path, is_overwritten):
    folder = tmp_path / "in"
    files = [gzip.compress(bill(line(cost=cost))) for cost in ("1.00", "2.00", "4.00")]
    put_export(folder, "20261102T010000Z-eeee", *files[:2], is_overwritten=is_overwritten)
    one = source(folder, kind="aws")
    assert ingest(one) == []
    assert total() == Decimal(3)
    put_export(folder, "20261103T010000Z-aaaa", files[2], is_overwritten=is_overwritten)
    assert ingest(one) == []
    assert total() == Decimal(4)


@pytest.mark.parametrize(
    "inside",
    ["", "pfx", "pfx/cur", "pfx/cur/20261001-20261101", "pfx/cur/20261001-20261101/aaaa"],
)
def test_the_location_may_be_any_folder_of_the_bucket(tmp_path, inside):
    put_legacy(tmp_path / "bucket", "aaaa", legacy("1"), legacy("2"))
    assert ingest(source(tmp_path / "bucket" / inside, kind="aws")) == []
    assert total() == Decimal(3)


def test_the_location_may_be_a_folder_around_the_bucket(tmp_path):
    put_legacy(tmp_path / "around" / "bucket", "aaaa", legacy("1"))
    assert ingest(source(tmp_path / "around", kind="aws")) == []
    assert total() == Decimal(1)


def test_a_release_waits_for_all_of_its_files(tmp_path):
    folder = tmp_path / "in"
    put_legacy(folder, "aaaa", legacy("1"))
    one = source(folder, kind="aws")
    ingest(one)
    month = "pfx/cur/20261001-20261101"
    put_legacy(folder, "bbbb", legacy("5"), listed=[f"{month}/bbbb/cur-1.csv.gz", f"{month}/bbbb/cur-2.csv.gz"])
    (told,) = ingest(one)
    assert told.startswith("warning")
    assert "bbbb/cur-2.csv.gz" in told
    assert total() == Decimal(1)
    put(folder, f"{month}/bbbb/cur-2.csv.gz", gzip.compress(legacy("7")))
    assert ingest(one) == []
    assert total() == Decimal(12)


def test_files_that_are_being_overwritten_wait_for_their_manifest(tmp_path):
    folder = tmp_path / "in"
    put_legacy(folder, "aaaa", legacy("1"), is_overwritten=True)
    one = source(folder, kind="aws")
    ingest(one)
    put(folder, "pfx/cur/20261001-20261101/cur-1.csv.gz", gzip.compress(legacy("9")))
    (told,) = ingest(one)
    assert "newer than its manifest" in told
    assert total() == Decimal(1)


def test_a_release_that_cannot_be_read_leaves_the_one_before(tmp_path):
    folder = tmp_path / "in"
    put_legacy(folder, "aaaa", legacy("1"))
    one = source(folder, kind="aws")
    ingest(one)
    put_legacy(folder, "bbbb", legacy("2"), legacy("two"))
    assert len(errors(ingest(one))) == 1
    assert total() == Decimal(1)


def test_an_unchanged_file_of_a_new_release_still_counts(tmp_path):
    folder = tmp_path / "in"
    put_legacy(folder, "aaaa", legacy("1"), legacy("2"), is_overwritten=True)
    one = source(folder, kind="aws")
    ingest(one)
    month = "pfx/cur/20261001-20261101"
    put(folder, f"{month}/cur-2.csv.gz", gzip.compress(legacy("5")))
    keys = [f"{month}/cur-{number}.csv.gz" for number in (1, 2)]
    manifest = {"assemblyId": "bbbb", "account": "111122223333", "reportKeys": keys}
    put(folder, f"{month}/cur-Manifest.json", json.dumps(manifest).encode())
    assert ingest(one) == []
    assert total() == Decimal(6)


def test_the_same_bill_in_two_exports_is_never_added(tmp_path):
    folder = tmp_path / "in"
    put_legacy(folder, "aaaa", legacy("1"))
    put_export(folder, "eeee", gzip.compress(bill(line())))
    told = errors(ingest(source(folder, kind="aws")))
    assert len(told) == 2
    assert "Account 111122223333 has 2 exports" in told[0]
    assert charges() == []


def test_two_payers_may_share_a_bucket(tmp_path):
    folder = tmp_path / "in"
    put_export(folder, "eeee", gzip.compress(bill(line(cost="1.00"))), root="a")
    put_export(folder, "ffff", gzip.compress(bill(line(cost="2.00"))), root="b", account="999988887777")
    assert ingest(source(folder, kind="aws")) == []
    assert total() == Decimal(3)


def test_files_without_their_manifest_wait(tmp_path):
    put(tmp_path / "in", "pfx/cur2/data/BILLING_PERIOD=2026-10/cur2-1.csv.gz", gzip.compress(bill(line())))
    (told,) = ingest(source(tmp_path / "in", kind="aws"))
    assert told.startswith("warning")
    assert "without a manifest" in told
    assert charges() == []


def test_a_manifest_that_is_no_json_is_an_error(tmp_path):
    put(tmp_path / "in", "pfx/cur2/metadata/BILLING_PERIOD=2026-10/cur2-Manifest.json", b"{")
    (told,) = errors(ingest(source(tmp_path / "in", kind="aws")))
    assert "not JSON" in told


# --- FOCUS --------------------------------------------------------------------------------------------------------
def test_focus_data_exports_come_with_maps_and_nulls(tmp_path):
    cells = row("1.25") | {"ProviderName": "AWS", "InvoiceIssuerName": None, "x_ServiceCode": "AmazonEC2"}
    columns = {name: pa.array([cell]) for name, cell in cells.items() if name not in ("Tags", "BilledCost")}
    maps = pa.map_(pa.string(), pa.string())
    columns["Tags"] = pa.array([[("team", "live-class")]], maps)
    columns["x_CostCategories"] = pa.array([[]], maps)
    columns["BilledCost"] = pa.array([1.25], pa.float64())
    columns["InvoiceIssuerName"] = pa.array([None], pa.string())
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    put_export(tmp_path / "in", "eeee", out.getvalue(), suffix="snappy.parquet", root="pfx/focus")
    assert errors(ingest(source(tmp_path / "in", kind="aws"))) == []
    (charge,) = charges()
    assert (charge["BilledCost"], charge["EffectiveCost"]) == (Decimal("1.25"), Decimal("1.25"))
    assert (charge["ServiceProviderName"], charge["InvoiceIssuerName"]) == ("AWS", None)
    assert json.loads(charge["Tags"]) == {"team": "live-class"}
    assert json.loads(charge["x_Other"]) == {"x_ServiceCode": "AmazonEC2"}
