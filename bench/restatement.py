"""The restatement ledger of a ten-million-line month that was issued anew, every hundredth charge with another cost."""

import os
from datetime import UTC, datetime

from bench.measure import report, timed, told_by_child

ROWS = int(os.environ.get("COSTOPS_BENCH_ROWS", "10000000"))
_CHARGES = """
SELECT 'acct' AS BillingAccountId, 'CNY' AS BillingCurrency, TIMESTAMPTZ '2026-10-01 00:00:00+00' AS BillingPeriodStart,
  TIMESTAMPTZ '2026-11-01 00:00:00+00' AS BillingPeriodEnd, start AS ChargePeriodStart,
  start + INTERVAL 1 HOUR AS ChargePeriodEnd, 'Usage' AS ChargeCategory, 'service-' || (i % 200) AS ServiceName,
  'i-' || (hash(i) % 50000) AS ResourceId, cost AS BilledCost, cost AS EffectiveCost, CAST(start AS DATE) AS "x_ChargeDay",
  i AS "x_Row", 'bench' AS "x_SourceName", '2026-10' AS "x_BillingMonth", '{file}' AS "x_FileId"
FROM (SELECT i, TIMESTAMPTZ '2026-10-01 00:00:00+00' + to_hours((hash(i) % 744)::INT) AS start,
  ((1 + hash(i + 7919) % 5000000)::DECIMAL(18, 0) * 0.0000001::DECIMAL(18, 7)
   + CASE WHEN {changed} AND i % 100 = 0 THEN 1 ELSE 0 END)::DECIMAL(38, 12) AS cost FROM range({rows}) t(i))
"""


def measure() -> dict[str, float]:
    """Seconds: the bare float sums of both issues by day and service, and the ledger of what differs."""
    from django.core.management import call_command

    from apps.finops.tables import CHARGES
    from apps.ingest import restatements
    from apps.ingest.models import Source
    from apps.warehouse import engine, lake

    call_command("migrate", verbosity=0)
    Source.objects.all().delete()
    lake.drop(CHARGES)
    now = datetime(2026, 11, 3, tzinfo=UTC)
    source = Source.objects.create(name="bench", kind="focus", location="/x", created_at=now)
    paths = []
    for file, changed in (("f1", "false"), ("f2", "true")):
        known = (
            engine.connect().con.execute(f"DESCRIBE {_CHARGES.format(file=file, changed=changed, rows=1)}").fetchall()
        )
        given = {name for name, *_ in known}
        columns = ", ".join(f'"{name}"' if name in given else f'NULL AS "{name}"' for name in CHARGES.columns)
        query = f"SELECT {columns} FROM ({_CHARGES.format(file=file, changed=changed, rows=ROWS)})"
        held = lake.files(CHARGES)
        lake.commit(CHARGES, add=lake.write(CHARGES, engine.connect().sql(query)), remove=held)
        if file == "f1":
            restatements.catch_up(source, now)
        paths.append([f"{lake.location(CHARGES) / one.path}" for one in lake.files(CHARGES)])
    floor = timed(lambda: [_bare(names) for names in paths])
    ours = timed(lambda: restatements.catch_up(source, now))
    changes = source.restatements.get().changes
    assert changes, "the second issue changes days that were billed before"
    return {"floor_seconds": floor, "our_seconds": ours, "ratio": ours / floor, "cells": len(changes)}


def _bare(names: list[str]) -> None:
    import duckdb

    listed = ", ".join(f"'{name}'" for name in names)
    duckdb.connect().execute(
        'SELECT "x_ChargeDay", "ServiceName", sum("BilledCost"::DOUBLE), sum("EffectiveCost"::DOUBLE) '
        f"FROM read_parquet([{listed}]) GROUP BY ALL"
    ).fetchall()


if __name__ == "__main__":
    measured = told_by_child("restatement", measure)
    report(
        "restatement",
        {"rows": ROWS, "floor": "bare DuckDB float sums of both issues by day and service", **measured},
        goal={"our_seconds": 60},
    )
