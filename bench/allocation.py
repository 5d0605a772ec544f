"""Allocation of a month of 2,000 nodes and 20,000 pods, against the bare DuckDB float query of the same join and sum:
by plain rules, and with every key and every kind of policy on."""

import datetime as dt
import sys
from pathlib import Path

from bench.measure import Case, bench_home, run

NODES, PODS_PER_NODE, HOURS, NAMESPACES = 2_000, 10, 720, 1_500
START = dt.date(2026, 10, 1)
END = dt.date(2026, 10, 31)

FLOOR = """
CREATE TABLE floor_result AS
WITH share AS (
  SELECT w.day, n.provider_id AS resource, w.namespace, w.workload, n.hour,
         (8 * greatest(w.cpu_request_core_hours, w.cpu_used_core_hours)::DOUBLE
          + greatest(w.memory_request_gib_hours, w.memory_used_gib_hours)::DOUBLE
          + 320 * greatest(w.gpu_request_hours, w.gpu_used_hours)::DOUBLE)
         / (8 * n.cpu_capacity_core_hours::DOUBLE + n.memory_capacity_gib_hours::DOUBLE
            + 320 * n.gpu_capacity_hours::DOUBLE) AS part
  FROM read_parquet({workloads}, hive_partitioning = true) w
  JOIN read_parquet({nodes}, hive_partitioning = true) n USING (cluster, node, hour)),
cost AS (
  SELECT ResourceId AS resource, ChargePeriodStart AS hour, sum(BilledCost::DOUBLE) AS billed_cost,
         sum(EffectiveCost::DOUBLE) AS effective_cost, sum(ListCost::DOUBLE) AS list_cost,
         sum(ContractedCost::DOUBLE) AS contracted_cost
  FROM read_parquet({charges}, hive_partitioning = true) GROUP BY ALL)
SELECT day, resource, namespace, workload, sum(billed_cost * part) AS billed_cost, sum(effective_cost * part) AS effective_cost,
       sum(list_cost * part) AS list_cost, sum(contracted_cost * part) AS contracted_cost
FROM share JOIN cost USING (resource, hour) GROUP BY ALL
"""
"""The rows allocation makes of these nodes (day, node, namespace and workload, four costs), in doubles."""


def build() -> None:
    """Write the month into the lake, once."""
    from apps.finops import tables
    from apps.warehouse import engine, lake

    if lake.files(tables.WORKLOAD_HOURS):
        return
    raw = engine.connect().con
    raw.execute(f"""
        CREATE OR REPLACE TEMP TABLE hours AS
        SELECT TIMESTAMPTZ '2026-10-01 00:00:00+00' + to_hours(h::INT) AS hour, h FROM range({HOURS}) t(h)
    """)
    node = "printf('node-%04d', n)"
    where = "'bench' AS source, CAST(hour AS DATE) AS day, 'f1' AS file_id"
    queries = {
        tables.NODE_HOURS.name: f"""
            SELECT hour, 'online' AS cluster, {node} AS node, 'pool' AS node_pool, 'i-' || n AS provider_id, 'g7' AS instance_type,
                   16::DECIMAL(18,6) AS c, 64::DECIMAL(18,6) AS m, 0::DECIMAL(18,6) AS g, '{{}}' AS labels, {where}
            FROM hours, range({NODES}) t(n)""",
        tables.WORKLOAD_HOURS.name: f"""
            SELECT hour, 'online' AS cluster, 'ns-' || ((n * {PODS_PER_NODE} + p) % {NAMESPACES}) AS namespace,
                   'app-' || (p % 3) AS workload, 'Deployment' AS workload_kind, 'pod-' || n || '-' || p AS pod, {node} AS node,
                   '' AS resource_id, (0.2 + (hash(n, p, h) % 1000) / 1000.0)::DECIMAL(18,6) AS cu, 1::DECIMAL(18,6) AS cr,
                   (1 + (hash(p, h, n) % 3000) / 1000.0)::DECIMAL(18,6) AS mu, 4::DECIMAL(18,6) AS mr,
                   0::DECIMAL(18,6) AS gu, 0::DECIMAL(18,6) AS gr, {where}
            FROM hours, range({NODES}) t(n), range({PODS_PER_NODE}) u(p)""",
        tables.COVERAGE_HOURS.name: f"SELECT hour, 'online' AS cluster, 60 AS observed, 60 AS expected, {where} FROM hours",
        tables.LABEL_HOURS.name: f"""
            SELECT hour, 'online' AS cluster, 'ns-' || n AS namespace, '' AS workload, '{{"team":"team-' || (n % 120) || '"}}' AS labels, {where}
            FROM hours, range({NAMESPACES}) t(n) WHERE h % 24 = 0""",
        tables.CHARGES.name: _charges(tables.CHARGES.columns),
    }
    every = {table.name: table for table in (*tables.USAGE.values(), tables.CHARGES)}
    for name, query in queries.items():
        table = every[name]
        columns = ", ".join(f'"{column}"' for column in table.columns)
        lake.commit(
            table, add=lake.write(table, engine.connect().sql(f"SELECT * FROM ({query}) AS t({columns})")), remove=()
        )
    _migrate()


def _charges(columns: dict[str, str]) -> str:
    known = {
        "BillingAccountId": "'acct'", "BillingCurrency": "'CNY'", "ChargeCategory": "'Usage'", "ServiceName": "'ECS'", "RegionId": "'cn'",
        "ResourceId": "'i-' || n", "ChargePeriodStart": "hour", "ChargePeriodEnd": "hour + INTERVAL 1 HOUR", "Tags": "'{}'",
        "BillingPeriodStart": "TIMESTAMPTZ '2026-10-01 00:00:00+00'", "BillingPeriodEnd": "TIMESTAMPTZ '2026-11-01 00:00:00+00'",
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), "(2.4 + (h % 7) / 10.0)::DECIMAL(38,12)"),
        "x_ChargeDay": "CAST(hour AS DATE)", "x_Row": "1", "x_SourceName": "'bench'", "x_BillingMonth": "'2026-10'", "x_FileId": "'f1'",
    }  # fmt: skip
    nodes = f"SELECT {', '.join(known.get(name, 'NULL') for name in columns)} FROM hours, range({NODES}) t(n)"
    others = [
        known | {"ResourceId": "NULL", "InvoiceId": "'inv'"} | each
        for each in (
            {"ChargeCategory": "'Tax'"},
            {"ChargeCategory": "'Credit'", "EffectiveCost": "-1::DECIMAL(38,12)"},
            {"CommitmentDiscountId": "'ri-1'", "CommitmentDiscountStatus": "'Unused'"},
            {"ServiceName": "'Fee'"},
        )
    ]
    rest = [f"SELECT {', '.join(row.get(name, 'NULL') for name in columns)} FROM hours" for row in others]
    return " UNION ALL ".join([nodes, *rest])


def _migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def plain() -> None:
    """120 teams by a label of their namespaces, idle capacity with its owner, four platform namespaces."""
    _import([])


def everything() -> None:
    """The same with every key (node pools of workloads, expressions, splits, dates) and every kind of policy."""
    rules = [
        "  - {name: split, when: {namespace: 're:ns-1[0-9]', node_pool: pool}, split: {team-1: 33.33, team-2: 66.67}}",
        "  - {name: dated, when: {namespace: prefix:ns-14}, team: team-3, valid_from: 2026-10-10, priority: 5}",
        "policies:",
        "  - {name: idle, idle: share, valid_to: 2026-10-16}",
        "  - {name: idle, idle: central, team: team-5, valid_from: 2026-10-16}",
        "  - {name: watching, share: even, when: {namespace: [ns-4, ns-5]}}",
        "  - {name: fixed, share: fixed, split: {team-6: 60, team-7: 40}, when: {namespace: ns-6}}",
        "  - {name: taxes, follow: invoice, when: {charge_category: Tax}}",
        "  - {name: unused, unused: central, team: team-8}",
        "  - {name: credits, credits: earners}",
        "clusters:",
        "  - {name: fee, when: {service: Fee}, cluster: online}",
    ]
    _import(rules)


def _import(more: list[str]) -> None:
    from apps.teams.services import import_teams

    rules = [f"  - {{name: r{n}, when: {{label.team: team-{n}}}, team: team-{n}}}" for n in range(120)]
    lines = ["teams:", *(f"  - {{name: team-{n}}}" for n in range(120))]
    lines += ["shared:", "  - {name: platform, when: {namespace: [ns-0, ns-1, ns-2, ns-3]}}"]
    lines += ["rules:", *rules, "  - {name: owner of idle, when: {node_pool: pool}, team: team-0}", *more]
    path = bench_home() / "teams.yaml"
    path.write_text("\n".join(lines) + "\n")
    import_teams(path, dt.datetime(2026, 11, 1, tzinfo=dt.UTC))


def floor() -> None:
    """The same join and sum in doubles, as bare as it gets."""
    import duckdb

    from apps.finops import tables
    from apps.warehouse import lake

    names = {
        key: "[" + ", ".join(f"'{Path(lake.location(table)) / file.path}'" for file in lake.files(table)) + "]"
        for key, table in {
            "workloads": tables.WORKLOAD_HOURS,
            "nodes": tables.NODE_HOURS,
            "charges": tables.CHARGES,
        }.items()
    }
    duckdb.connect().execute("SET TimeZone='UTC'; " + FLOOR.format(**names))


def ours() -> None:
    """The whole step: rules, exact division of all four costs, platform sharing, the checks and the commit."""
    from apps.allocation.services import allocate
    from apps.finops.windows import Window

    allocate(Window(START, END))


BARE = Case("bare DuckDB float query: the same join, the same rows, four costs", floor)
CASES = {
    "plain": Case("apps.allocation.services.allocate", ours, plain),
    "everything": Case("allocate, with every key and policy", ours, everything),
}
GOALS = {"plain": 2.5, "everything": 4}


if __name__ == "__main__":
    missed = []
    for name in sys.argv[1:] or CASES:
        try:
            run(
                "allocation" if name == "plain" else f"allocation-{name}", home="allocation", build=build, floor=BARE,
                ours=CASES[name], goal={"ratio": GOALS[name], "peak_mib": 4096},
            )  # fmt: skip
        except SystemExit as ended:
            missed += [name] if ended.code else []
    sys.exit(f"missed: {', '.join(missed)}" if missed else 0)
