"""Thirteen published months of 120 teams and 1,500 namespaces, for the benchmarks of questions and pages."""

from datetime import UTC, date, datetime

TEAMS, NAMESPACES = 120, 1_500
START, END = date(2025, 10, 1), date(2026, 11, 1)
NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)

_DAYS = "(SELECT CAST(range AS DATE) AS day FROM range(TIMESTAMP '2025-10-01', TIMESTAMP '2026-11-01', INTERVAL 1 DAY))"
_COSTS = f"""
SELECT day, 'bill' AS source, strftime(day, '%Y-%m') AS billing_month, 'CNY' AS currency, 'acct' AS account,
       'sub-' || (n % 8) AS sub_account, CASE n % 5 WHEN 0 THEN 'Serverless' ELSE 'Elastic Compute' END AS service,
       'cn-beijing' AS region, 'Usage' AS charge_category, CASE n % 3 WHEN 0 THEN 'gpu' ELSE 'online' END AS cluster,
       '' AS node_pool, 'ns-' || n AS namespace, 'app-' || n AS workload, printf('team-%03d', n % {TEAMS}) AS team,
       CASE WHEN n % 40 = 0 THEN 'unallocated' ELSE 'direct' END AS kind,
       cost AS b, cost AS e, cost AS l, cost AS c, strftime(day, '%Y-%m') AS month
FROM (SELECT day, n, (10 + (hash(day, n) % 1000000) / 10000.0)::DECIMAL(38, 12) AS cost FROM {_DAYS}, range({NAMESPACES}) t(n))
UNION ALL
SELECT day, 'bill', strftime(day, '%Y-%m'), 'CNY', 'acct', 'sub-0', 'Elastic Compute', 'cn-beijing', 'Usage', 'online', '',
       'platform-' || p, '', printf('team-%03d', n), 'shared', cost, cost, cost, cost, strftime(day, '%Y-%m')
FROM (SELECT day, n, p, (1 + (hash(day, n, p) % 1000) / 700.0)::DECIMAL(38, 12) AS cost
      FROM {_DAYS}, range({TEAMS}) t(n), range(6) u(p))
UNION ALL
SELECT day, 'bill', strftime(day, '%Y-%m'), 'CNY', 'acct', 'sub-0', 'Elastic Compute', 'cn-beijing', 'Usage', 'online',
       'pool-' || n, '', '', printf('team-%03d', n), 'idle', 100, 100, 100, 100, strftime(day, '%Y-%m')
FROM {_DAYS}, range(20) t(n)
"""


def build() -> None:
    """Write the marts and one publication of them, once; and somebody who may see everything."""
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from apps.finops import tables
    from apps.marts.models import Publication
    from apps.teams.models import Team
    from apps.warehouse import engine, lake

    call_command("migrate", verbosity=0)
    if Publication.objects.exists():
        return
    _write(tables.COST_MART, _COSTS)
    sums = ", ".join(f"sum(e) AS {name}" for name in ("b1", "e1", "l1", "c1", "b2", "e2", "l2", "c2"))
    kinds = ", ".join(
        f"sum(CASE WHEN kind = '{kind}' THEN e ELSE 0 END)" for kind in ("direct", "shared", "idle", "unallocated")
    )
    _write(
        tables.RECONCILIATION_MART,
        f"SELECT day, source, billing_month, currency, {sums}, {kinds}, month FROM ({_COSTS}) GROUP BY ALL",
    )
    _write(
        tables.COVERAGE_MART,
        f"SELECT day, cluster, 1440, 1440, strftime(day, '%Y-%m') FROM {_DAYS}, (VALUES ('online'), ('gpu')) t(cluster)",
    )
    marts = (tables.COST_MART, tables.RECONCILIATION_MART, tables.COVERAGE_MART)
    Publication.objects.create(
        created_at=NOW, versions={table.name: lake.version(table) for table in marts}, ruleset=0, status="final",
        first_day=START, end_day=END, observed_samples=1, expected_samples=1,
        totals={"CNY": str(engine.rows_of(lake.scan(tables.COST_MART).effective_cost.sum().as_table())[0][0])},
    )  # fmt: skip
    Team.objects.bulk_create(Team(name=f"team-{n:03d}", title=f"Team {n}") for n in range(TEAMS))
    User.objects.create_superuser("bench", password=None)


def _write(table: "lake.LakeTable", query: str) -> None:  # type: ignore[name-defined]  # noqa: F821  # loaded in build
    from apps.warehouse import engine, lake

    columns = ", ".join(f'"{name}"' for name in table.columns)
    rows = engine.connect().sql(f"SELECT * FROM ({query}) AS t({columns})")
    lake.replace(table, rows.order_by("team", "day") if "team" in table.columns else rows, lake.files(table))
