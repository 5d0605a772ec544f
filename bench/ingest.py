"""Ingest of a two-million-row FOCUS bill, against the engine's bare CSV→Parquet copy measured in the same run."""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb

ROWS = 2_000_000
RUNS = 3
MOST_RATIO, MOST_BYTES = 1.5, 1.5 * (1 << 30)
HOME = Path(os.environ.get("COSTOPS_HOME", Path(__file__).resolve().parent.parent / "var"))
FOLDER = HOME / "bench"
BILL = FOLDER / f"focus-{ROWS}.csv"

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
    ['Elastic Compute Service', 'ApsaraDB RDS', 'Object Storage Service', 'Log Service'][(1 + a % 4)::INT] AS ServiceName,
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


def make_bill() -> None:
    """The bill, made once: all 57 columns of FOCUS, one month, amounts of seven and eight decimals."""
    if BILL.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    temporary = BILL.with_suffix(".making")
    duckdb.connect().execute(_BILL.format(rows=ROWS, path=temporary))
    temporary.replace(BILL)


def bare(_home: Path) -> None:
    """The floor: what the engine does when nobody asks it anything."""
    target = FOLDER / "bare.parquet"
    duckdb.connect().execute(f"COPY (FROM read_csv('{BILL}')) TO '{target}'")
    target.unlink()


def ours(home: Path) -> None:
    """Land and normalize, into a new home folder."""
    import django

    django.setup()
    from datetime import UTC, datetime

    from apps.ingest import services
    from apps.ingest.models import Source

    now = datetime.now(UTC)
    source = Source.objects.get()
    for step in (services.land, services.normalize):
        started = time.monotonic()
        result = step(source, now)
        print(step.__name__, round(time.monotonic() - started, 2), file=sys.stderr)
        if result.failed or not result.rows:
            raise SystemExit(f"{step.__name__}: {result}")


def prepare(home: Path) -> None:
    """A new home folder with a database and one source; not measured."""
    import django

    django.setup()
    from datetime import UTC, datetime

    from django.core.management import call_command

    from apps.ingest import services

    call_command("migrate", verbosity=0)
    services.add_source(name="bench", kind="focus", location=str(BILL), cluster="", options={}, now=datetime.now(UTC))


PARTS = {"bare": bare, "ours": ours, "prepare": prepare}


def measure(part: str, home: Path) -> dict[str, float]:
    """Run a part in a process of its own: seconds from start to end, peak memory."""
    environment = os.environ | {"COSTOPS_HOME": str(home), "DJANGO_SETTINGS_MODULE": "costops.settings"}
    run = subprocess.run(
        [sys.executable, "-m", "bench.ingest", part], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return dict(json.loads(run.stdout.splitlines()[-1]))


def run_part(part: str) -> None:
    """What `measure` starts: does the part and tells what it took."""
    started = time.monotonic()
    PARTS[part](Path(os.environ["COSTOPS_HOME"]))
    seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * 1024}
    print(json.dumps(told))


def main() -> dict[str, Any]:
    """Measure both in turn; medians, ratio, and whether the promise holds."""
    make_bill()
    runs: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
    for _ in range(RUNS):
        home = FOLDER / "home"
        shutil.rmtree(home, ignore_errors=True)
        measure("prepare", home)
        for part, measured in runs.items():
            measured.append(measure(part, home))
        shutil.rmtree(home, ignore_errors=True)
    middle = {
        part: {key: statistics.median(run[key] for run in measured) for key in measured[0]}
        for part, measured in runs.items()
    }
    ratio = middle["ours"]["seconds"] / middle["bare"]["seconds"]
    peak = middle["ours"]["peak_bytes"]
    report = {
        "what": "land and normalize a two-million-row FOCUS CSV, against the engine's bare CSV to Parquet copy",
        "rows": ROWS,
        "bytes": BILL.stat().st_size,
        "floor": middle["bare"],
        "ours": middle["ours"],
        "ratio": round(ratio, 3),
        "cpu_ratio": round(middle["ours"]["cpu_seconds"] / middle["bare"]["cpu_seconds"], 3),
        "target_ratio": MOST_RATIO,
        "peak_bytes": peak,
        "target_peak_bytes": MOST_BYTES,
        "holds": ratio <= MOST_RATIO and peak <= MOST_BYTES,
        "runs": runs,
    }
    (FOLDER / "ingest.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps({key: value for key, value in report.items() if key != "runs"}, indent=1))
    return report


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run_part(sys.argv[1])
    else:
        main()
