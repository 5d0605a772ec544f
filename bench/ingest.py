"""Ingest of a two-million-row FOCUS bill, against the engine's bare CSV→Parquet copy measured in the same run."""

import shutil
from datetime import UTC, datetime

import duckdb

from bench.measure import Case, bench_home, run

ROWS = 2_000_000

_BILL = """
COPY (
  WITH drawn AS (SELECT i, (hash(i) >> 2)::BIGINT AS a, (hash(i + 7919) >> 2)::BIGINT AS b FROM range({rows}) AS t(i)),
  charge AS (
    SELECT *, TIMESTAMP '2026-10-01' + to_hours((a % 720)::INT) AS start_at,
      (1 + b % 5000000)::DECIMAL(18, 0) * 0.0000001::DECIMAL(18, 7) AS amount
    FROM drawn)
  SELECT 'Alibaba Cloud' AS ProviderName, 'Alibaba Cloud' AS PublisherName, 'Alibaba Cloud' AS InvoiceIssuerName,
    'INV-2026-10' AS InvoiceId, '1690000000001' AS BillingAccountId, 'Example Education' AS BillingAccountName,
    'Payer' AS BillingAccountType, '20' || lpad((a % 40)::VARCHAR, 10, '0') AS SubAccountId,
    'account-' || (a % 40) AS SubAccountName, 'Linked Account' AS SubAccountType,
    '2026-10-01T00:00:00Z' AS BillingPeriodStart, '2026-11-01T00:00:00Z' AS BillingPeriodEnd,
    strftime(start_at, '%Y-%m-%dT%H:%M:%SZ') AS ChargePeriodStart,
    strftime(start_at + INTERVAL 1 HOUR, '%Y-%m-%dT%H:%M:%SZ') AS ChargePeriodEnd, 'Usage' AS ChargeCategory,
    NULL AS ChargeClass, 'Elastic Compute ecs.g7.' || (a % 16) || 'xlarge, per hour' AS ChargeDescription,
    'Usage-Based' AS ChargeFrequency, amount AS BilledCost, (amount * 0.9)::DECIMAL(18, 8) AS EffectiveCost,
    (amount * 2)::DECIMAL(18, 7) AS ListCost, amount AS ContractedCost, amount AS ListUnitPrice,
    amount AS ContractedUnitPrice, 'Standard' AS PricingCategory, 1 + a % 3 AS PricingQuantity, 'Hours' AS PricingUnit,
    'CNY' AS PricingCurrency, amount AS PricingCurrencyContractedUnitPrice, amount AS PricingCurrencyEffectiveCost,
    amount AS PricingCurrencyListUnitPrice, 'CNY' AS BillingCurrency, 1 + a % 3 AS ConsumedQuantity,
    'Hours' AS ConsumedUnit,
    ['Elastic Compute Service', 'ApsaraDB RDS', 'Object Storage Service', 'Log Service'][(1 + a % 4)::INT]
      AS ServiceName,
    'Compute' AS ServiceCategory, 'Virtual Machines' AS ServiceSubcategory, 'sku-' || (a % 500) AS SkuId,
    'Instance' AS SkuMeter, 'price-' || (a % 900) AS SkuPriceId,
    '{{"InstanceType":"ecs.g7.' || (a % 16) || 'xlarge","CoreCount":' || (a % 64) || '}}' AS SkuPriceDetails,
    'i-2ze' || lpad(to_hex(b % 20000), 12, '0') AS ResourceId, 'node-' || (b % 20000) AS ResourceName,
    'ecs.instance' AS ResourceType, 'cn-beijing' AS RegionId, 'China (Beijing)' AS RegionName,
    'cn-beijing-' || (a % 8) AS AvailabilityZone, NULL AS CommitmentDiscountId, NULL AS CommitmentDiscountName,
    NULL AS CommitmentDiscountCategory, NULL AS CommitmentDiscountType, NULL AS CommitmentDiscountStatus,
    NULL AS CommitmentDiscountQuantity, NULL AS CommitmentDiscountUnit, NULL AS CapacityReservationId,
    NULL AS CapacityReservationStatus,
    '{{"team":"team-' || (b % 40) || '","env":"prod","project":"直播-' || (a % 100) || '"}}' AS Tags
  FROM charge
) TO '{path}' (HEADER)
"""


def build() -> None:
    """The bill, made once: 57 columns, one month, amounts of seven and eight decimals; a database with its source."""
    from django.core.management import call_command

    from apps.ingest import services
    from apps.ingest.models import Source

    bill = bench_home("ingest") / f"focus-{ROWS}.csv"
    if not bill.exists():
        duckdb.connect().execute(_BILL.format(rows=ROWS, path=bill.with_suffix(".making")))
        bill.with_suffix(".making").replace(bill)
    call_command("migrate", verbosity=0)
    Source.objects.all().delete()
    services.add_source(name="bench", kind="focus", location=str(bill), cluster="", options={}, now=datetime.now(UTC))


def floor() -> None:
    """What the engine does when nothing is asked of it: types guessed, nothing checked, nothing verified."""
    folder = bench_home("ingest")
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"COPY (FROM read_csv('{folder}/focus-{ROWS}.csv')) TO '{folder}/bare.parquet'")


def empty() -> None:
    """An installation that has landed nothing yet."""
    from apps.ingest.models import LandedFile

    for zone in ("landing", "lake"):
        shutil.rmtree(bench_home("ingest") / zone, ignore_errors=True)
    LandedFile.objects.all().delete()


def ours() -> None:
    """Land (copy and hash) and normalize (read strictly, tally, verify, commit) into an empty lake."""
    from apps.ingest import services
    from apps.ingest.models import Source

    now = datetime.now(UTC)
    source = Source.objects.get()
    services.land(source, now)
    result = services.normalize(source, now)
    assert result.rows == ROWS, result


if __name__ == "__main__":
    run(
        "ingest",
        build=build,
        floor=Case("the engine's bare copy of CSV to Parquet", floor),
        ours=Case("land and normalize", ours, before=empty),
        goal={"ratio": 1.5, "peak_mib": 1536},
    )
