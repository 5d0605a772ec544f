"""Ingest of CUR 2.0, as Parquet and as CSV.gz, each against the engine's bare copy of the same files to Parquet."""

import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import duckdb

from bench.measure import Case, bench_home, run

ROWS = int(os.environ.get("COSTOPS_BENCH_ROWS", "10000000"))
FILE_ROWS = 2_000_000  # an export comes in files of some hundred megabytes

_BILL = """
COPY (
  WITH drawn AS (
    SELECT (hash(i) >> 2)::BIGINT AS a, (hash(i + 7919) >> 2)::BIGINT AS b FROM range({first}, {last}) AS t(i)),
  charge AS (
    SELECT *, TIMESTAMP '2026-10-01' + to_hours((a % 720)::INT) AS start_at,
      CASE WHEN b % 10 < 7 THEN 'Usage' WHEN b % 10 = 7 THEN 'DiscountedUsage' ELSE 'SavingsPlanCoveredUsage' END AS kind,
      (1 + b % 5000000)::DECIMAL(18, 0) * 0.0000000001::DECIMAL(18, 10) AS amount
    FROM drawn)
  SELECT md5(a::VARCHAR) AS identity_line_item_id,
    '2026-10-01T00:00:00Z/2026-11-01T00:00:00Z' AS identity_time_interval,
    'Anniversary' AS bill_bill_type, 'AWS' AS bill_billing_entity, '1001' AS bill_invoice_id,
    'Amazon Web Services, Inc.' AS bill_invoicing_entity, '111122223333' AS bill_payer_account_id,
    'Example Education' AS bill_payer_account_name, {begin} AS bill_billing_period_start_date,
    {end} AS bill_billing_period_end_date, '20' || lpad((a % 40)::VARCHAR, 10, '0') AS line_item_usage_account_id,
    'account-' || (a % 40) AS line_item_usage_account_name, kind AS line_item_line_item_type,
    {start_at} AS line_item_usage_start_date, {end_at} AS line_item_usage_end_date,
    ['AmazonEC2', 'AmazonS3', 'AmazonRDS', 'AmazonCloudWatch'][(1 + a % 4)::INT] AS line_item_product_code,
    'EU-BoxUsage:m5.' || (a % 16) || 'xlarge' AS line_item_usage_type, 'RunInstances' AS line_item_operation,
    'eu-west-1' || chr((97 + a % 3)::INT) AS line_item_availability_zone,
    'i-0' || lpad(to_hex(b % 20000), 16, '0') AS line_item_resource_id, (1 + a % 3)::{number} AS line_item_usage_amount,
    8::{number} AS line_item_normalization_factor, (8 * (1 + a % 3))::{number} AS line_item_normalized_usage_amount,
    'USD' AS line_item_currency_code, (amount)::VARCHAR AS line_item_unblended_rate, amount::{number} AS line_item_unblended_cost,
    amount::{number} AS line_item_blended_cost, (amount * 0.9)::{number} AS line_item_net_unblended_cost,
    '$0.096 per On Demand Linux m5.' || (a % 16) || 'xlarge Instance Hour' AS line_item_line_item_description,
    'Amazon Web Services, Inc.' AS line_item_legal_entity, (amount * 2)::{number} AS pricing_public_on_demand_cost,
    '0.0960000000' AS pricing_public_on_demand_rate, 'SKU' || (a % 500) || '.JRTCKXETXF.6YS6EN2CT7' AS pricing_rate_code,
    'OnDemand' AS pricing_term, 'Hrs' AS pricing_unit, 'SKU' || (a % 500) AS product_sku,
    'm5.' || (a % 16) || 'xlarge' AS product_instance_type, 'eu-west-1' AS product_region_code,
    'EU (Ireland)' AS product_location, 'Compute Instance' AS product_product_family,
    {product} AS product, {tags} AS resource_tags, {nothing} AS cost_category,
    CASE WHEN kind = 'DiscountedUsage' THEN 'arn:aws:ec2:eu-west-1:111122223333:reserved-instances/' || (a % 20) END
      AS reservation_reservation_a_r_n,
    CASE WHEN kind = 'DiscountedUsage' THEN (amount * 0.5)::{number} ELSE 0 END AS reservation_effective_cost,
    CASE WHEN kind LIKE 'Savings%' THEN 'arn:aws:savingsplans::111122223333:savingsplan/' || (a % 20) END
      AS savings_plan_savings_plan_a_r_n,
    CASE WHEN kind LIKE 'Savings%' THEN (amount * 0.5)::{number} ELSE 0 END AS savings_plan_savings_plan_effective_cost,
    0::{number} AS savings_plan_total_commitment_to_date, 0::{number} AS savings_plan_used_commitment,
    NULL::VARCHAR AS split_line_item_parent_resource_id, NULL::DOUBLE AS split_line_item_split_cost
  FROM charge
) TO '{path}' ({format})
"""
_STAMP = "strftime({}, '%Y-%m-%dT%H:%M:%S.%gZ')"
_MOMENTS = {
    "begin": "TIMESTAMP '2026-10-01'",
    "end": "TIMESTAMP '2026-11-01'",
    "start_at": "start_at",
    "end_at": "start_at + INTERVAL 1 HOUR",
}
_MAPS = {
    "product": "MAP {{'product_name': 'Amazon Elastic Compute Cloud', 'vcpu': '4', 'memory': '16 GiB'}}",
    "tags": "MAP {{'user_team': 'team-' || (b % 40), 'user_env': 'prod', 'user_project': '直播-' || (a % 100)}}",
    "nothing": "MAP {{}}::MAP(VARCHAR, VARCHAR)",
}
NUMBERS = {"parquet": "DOUBLE", "csv.gz": "DECIMAL(18,10)"}
FORMS = {"parquet": "FORMAT parquet, COMPRESSION snappy", "csv.gz": "HEADER, COMPRESSION gzip"}


def _home(form: str) -> str:
    return f"aws-{form.split('.')[0]}"


def build(form: str) -> None:
    """A month of an export, made once, and a database with its source."""
    from django.core.management import call_command

    from apps.ingest import services
    from apps.ingest.models import Source

    folder = bench_home(_home(form)) / f"bill-{ROWS}"
    folder.mkdir(exist_ok=True)
    moments = _MOMENTS if form == "parquet" else {name: _STAMP.format(text) for name, text in _MOMENTS.items()}
    maps = _MAPS if form == "parquet" else {name: f"to_json({text})" for name, text in _MAPS.items()}
    for number, first in enumerate(range(0, ROWS, FILE_ROWS)):
        path = folder / f"cur2-{number:05}.{form}"
        if not path.exists():
            making = folder.parent / f"making.{form}"
            cells = {name: text.replace("{{", "{").replace("}}", "}") for name, text in (moments | maps).items()}
            last = min(first + FILE_ROWS, ROWS)
            duckdb.connect().execute(
                _BILL.format(first=first, last=last, path=making, format=FORMS[form], number=NUMBERS[form], **cells)
            )
            making.replace(path)
    call_command("migrate", verbosity=0)
    Source.objects.all().delete()
    services.add_source(name="bench", kind="aws", location=str(folder), cluster="", options={}, now=datetime.now(UTC))


def floor(form: str) -> None:
    """What the engine does when nothing is asked of it: all columns copied, nothing checked, nothing verified."""
    folder = bench_home(_home(form))
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    reader = "read_parquet" if form == "parquet" else "read_csv"
    connection.execute(f"COPY (FROM {reader}('{folder}/bill-{ROWS}/*.{form}')) TO '{folder}/bare.parquet'")


def empty(form: str) -> None:
    """An installation that has landed nothing yet."""
    from apps.ingest.models import LandedFile

    for zone in ("landing", "lake"):
        shutil.rmtree(bench_home(_home(form)) / zone, ignore_errors=True)
    LandedFile.objects.all().delete()


def ours() -> None:
    """Land (copy and hash) and normalize (read strictly, map, tally, verify, commit) into an empty lake."""
    from apps.ingest import services
    from apps.ingest.models import Source

    now = datetime.now(UTC)
    source = Source.objects.get()
    services.land(source, now)
    result = services.normalize(source, now)
    assert result.rows == ROWS, result


def build_parquet() -> None:
    build("parquet")


def floor_parquet() -> None:
    floor("parquet")


def empty_parquet() -> None:
    empty("parquet")


def build_csv() -> None:
    build("csv.gz")


def floor_csv() -> None:
    floor("csv.gz")


def empty_csv() -> None:
    empty("csv.gz")


Work = Callable[[], None]
CASES: dict[str, tuple[Work, Work, Work]] = {
    "parquet": (build_parquet, floor_parquet, empty_parquet),
    "csv": (build_csv, floor_csv, empty_csv),
}


if __name__ == "__main__":
    missed = []
    for form in sys.argv[1:] or CASES:
        make, bare, before = CASES[form]
        try:
            run(
                f"aws-{form}",
                build=make,
                floor=Case(f"the engine's bare copy of {form} to Parquet", bare),
                ours=Case("land and normalize", ours, before=before),
                goal={"ratio": 1.5, "peak_mib": 2048},
            )
        except SystemExit as told:
            missed += [form] if told.code else []
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)
