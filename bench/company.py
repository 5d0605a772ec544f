"""A company of 120 teams, filled and published by the pipeline: the home that questions, pages and load are measured in.

python -m bench.company           # builds it below var/bench/company (some minutes), once
python -m bench.company --serve 127.0.0.1:8200   # and starts a site on it; sign in as `bench`, password `bench`
"""

import argparse
import hashlib
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bench.company_rows import CLUSTERS, COMPANY, END, USAGE_ROWS, Size, charges, days
from bench.measure import bench_home, told_by_child

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
NAME = PASSWORD = "bench"  # noqa: S105  # of a site that listens on this machine alone
LEADS = 40
"""So many sign in besides: the leads of the first teams."""
DEPARTMENTS, BUDGETS = 12, 60


def build() -> None:
    """The company of a hundred and twenty teams."""
    from django.core.management import call_command

    from apps.marts.models import Publication

    call_command("migrate", verbosity=0)
    if Publication.objects.exists():
        return
    found(bench_home("company"))
    call_command("fill")


def found(folder: Path, size: Size = COMPANY, end: date = END) -> None:
    """Write people, teams, drivers, budgets, and charges and usage up to a day: all that every step of a fill works on."""
    from django.core.management import call_command

    _people()
    _teams(folder, size)
    _land(folder, size, end)
    call_command("drivers", "import", str(_drivers(folder, size, end)))
    call_command("budgets", "import", str(_budgets(folder)))


def _people() -> None:
    from django.contrib.auth.models import User

    User.objects.create_superuser(NAME, email="bench@example.com", password=PASSWORD)
    User.objects.bulk_create(User(username=lead(n)) for n in range(LEADS))


def lead(number: int) -> str:
    """The name a lead signs in by."""
    return f"lead-{number:02d}"


def _teams(folder: Path, size: Size) -> None:
    """Twelve departments; namespaces are owned by their label, bills by their tag."""
    from django.contrib.auth.models import User

    from apps.teams.models import Membership, Team
    from apps.teams.services import import_teams

    lines = ["organisation:", "  - {name: bench, kind: company}"]
    lines += [
        f"  - {{name: dep-{d}, kind: department, parent: bench, cost_center: CC-{d}}}" for d in range(DEPARTMENTS)
    ]
    lines += ["teams:"]
    lines += [
        f"  - {{name: {_team(n)}, title: Team {n}, parent: dep-{n % DEPARTMENTS}, cost_center: CC-{n}, "
        f"lead: {{name: Lead {n}, email: lead-{n}@example.com}}}}"
        for n in range(size.teams)
    ]  # fmt: skip
    lines += ["shared:", "  - {name: platform, when: {namespace: [ns-0, ns-1, ns-2, ns-3]}}", "rules:"]
    lines += [
        f"  - {{name: idle of {c}, when: {{node_pool: {c}-pool}}, team: {_team(at)}}}" for at, c in enumerate(CLUSTERS)
    ]
    lines += [f"  - {{name: label {n}, when: {{label.team: {_team(n)}}}, team: {_team(n)}}}" for n in range(size.teams)]
    lines += [f"  - {{name: tag {n}, when: {{tag.team: {_team(n)}}}, team: {_team(n)}}}" for n in range(size.teams)]
    path = folder / "teams.yaml"
    path.write_text("\n".join(lines) + "\n")
    import_teams(path, NOW)
    for n in range(LEADS):
        Membership.objects.create(user=User.objects.get(username=lead(n)), team=Team.objects.get(name=_team(n)))


def _team(number: int) -> str:
    return f"team-{number:03d}"


def _land(folder: Path, size: Size, end: date) -> None:
    """The bill and the usage as they are when read, with a file in the database for each month of them."""
    from apps.finops import tables
    from apps.ingest.models import LandedFile, Source
    from apps.warehouse import lake

    sources = {
        name: Source.objects.create(name=name, kind=kind, location=str(folder / name), created_at=NOW)
        for name, kind in (("bill", "focus"), ("late", "focus"), ("usage", "usage_files"))
    }
    for name in sources:
        (folder / name).mkdir(exist_ok=True)
    for month, first, until in days.months(size.first, end):
        told = [str(day) for day in days.between(first, until)]
        for table in (tables.CHARGES, *(tables.USAGE[name] for name in USAGE_ROWS)):
            is_bill = table is tables.CHARGES
            source, window = ("bill", month) if is_bill else ("usage", table.name)
            file = LandedFile.objects.create(
                source=sources[source], path=f"{table.name}-{month}.csv", revision=1, size=1, modified_ns=0,
                sha256=hashlib.sha256(f"{table.name}{month}".encode()).hexdigest(), state=LandedFile.State.CURRENT, delivery=1, landed_at=NOW,
            )  # fmt: skip
            query = charges if is_bill else USAGE_ROWS[table.name]
            written = _written(table, query(first, until, file.file_id, size))
            lake.commit(table, add=written, remove=())
            entry = {"window": window, "days": told, "rows": 1, "cost": {}, "counts": True}
            file.contents = [entry | {"accounts": _accounts(written)} if is_bill else entry]
            file.save()


def _written(table: Any, query: str) -> list[Any]:
    from apps.warehouse import engine, lake

    columns = ", ".join(f'"{name}"' for name in table.columns)
    return lake.write(table, engine.connect().sql(f"SELECT * FROM ({query}) AS t({columns})"))


def _accounts(written: list[Any]) -> dict[str, dict[str, Any]]:
    """Account → day → when its charges begin, as it is kept of a bill that was read: later files are judged by it."""
    from apps.finops import tables
    from apps.warehouse import engine, lake

    names = ", ".join(f"'{lake.location(tables.CHARGES) / part.path}'" for part in written)
    rows = engine.connect().con.execute(
        'SELECT coalesce("BillingAccountId", \'\'), "x_ChargeDay", count(*), '
        'epoch_us(min("ChargePeriodStart")), epoch_us(max("ChargePeriodStart")) '
        f"FROM read_parquet([{names}], hive_partitioning=false) GROUP BY ALL ORDER BY ALL"
    )
    found: dict[str, dict[str, Any]] = {}
    for account, day, count, first, last in rows.fetchall():
        found.setdefault(account, {})[str(day)] = {"rows": count, "first": first, "last": last, "cost": {}}
    return found


def _drivers(folder: Path, size: Size, end: date) -> Path:
    """Requests of every team, day by day."""
    path = folder / "drivers.csv"
    rows = (
        f"{day},requests,{_team(n)},{1000 + 7 * n + (day.toordinal() * (n + 3)) % 500}"
        for day in days.between(size.first, end)
        for n in range(size.teams)
    )
    path.write_text("\n".join(["date,driver,team,quantity", *rows]) + "\n")
    return path


def _budgets(folder: Path) -> Path:
    """A monthly budget of every other team."""
    path = folder / "budgets.csv"
    rows = (f"Budget {n},team,{_team(2 * n)},month,{60_000 + 500 * n},CNY,2025-10-01" for n in range(BUDGETS))
    path.write_text("\n".join(["name,dimension,value,grain,amount,currency,valid_from", *rows]) + "\n")
    return path


def publications() -> int:
    """How many there are."""
    from apps.marts.models import Publication

    return Publication.objects.count()


def bring_bill(name: str) -> None:
    """A FOCUS file of one day's usage of another provider, in place of what it delivered before: what the next fill lands
    and publishes."""
    columns = ("BillingAccountId", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory",
               "ChargePeriodStart", "ChargePeriodEnd", "BilledCost", "EffectiveCost", "ListCost", "ContractedCost",
               "ServiceName", "ServiceCategory", "ProviderName", "PublisherName", "InvoiceIssuerName", "ResourceId",
               "SubAccountId", "RegionId", "PricingQuantity", "PricingUnit", "Tags")  # fmt: skip
    day = "2026-10-31T00:00:00Z,2026-11-01T00:00:00Z"
    rows = (
        f"acct,CNY,2026-10-01T00:00:00Z,2026-11-01T00:00:00Z,Usage,{day},1.5,1.5,1.5,1.5,Service {n % 60:02d},Databases,"
        f"Alibaba Cloud,Alibaba Cloud,Alibaba Cloud,{name}-{n},sub-0,cn-beijing,1,Hours,"
        f'"{{""team"":""{_team(n % COMPANY.teams)}""}}"'
        for n in range(2000)
    )
    path = bench_home("company") / "late" / f"{name}.csv"
    for earlier in path.parent.glob("*.csv"):
        earlier.unlink()  # two at once would count together, and the next be held for being so much smaller
    partial = path.with_suffix(".part")
    partial.write_text("\n".join([",".join(columns), *rows]) + "\n")
    partial.rename(path)


def serve(address: str) -> None:
    """Become the web server of the company's home, as `make run` would start it."""
    os.environ["COSTOPS_HOME"] = str(bench_home("company"))
    command = ["gunicorn", "--config", "python:costops.gunicorn", "costops.wsgi", "--bind", address]
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606  # our own server


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", metavar="HOST:PORT", help="start a site on it, in the foreground")
    asked = parser.parse_args()
    told_by_child("company", build)
    if asked.serve:
        serve(asked.serve)
