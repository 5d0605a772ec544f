"""The main job, end to end, through the terminal: a simulated company in, its known truth out, to the last decimal."""

import csv
import io
import json
import uuid
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests import prepared
from tests.servers.installation import Installation
from tests.servers.objects import settings_of

pytestmark = pytest.mark.timeout(600)

START, END = "2026-10-29", "2026-11-01"


@pytest.fixture(scope="module")
def company() -> Path:
    """A small company with three days of everything, metrics included."""
    return prepared.company()


def ask(installation: Installation, *arguments: str) -> list[dict[str, str]]:
    """The rows of `manage.py ask --format csv`."""
    printed = installation.manage("ask", "--start", START, "--end", END, "--format", "csv", *arguments).stdout
    return list(csv.DictReader(io.StringIO(printed)))


def truth_of(company: Path, *names: str) -> dict[tuple[str, ...], Decimal]:
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in pq.read_table(company / "truth.parquet").to_pylist():
        sums[tuple(str(row[name]) for name in names)] += row["effective_cost"]
    return {key: amount for key, amount in sums.items() if amount}


def published(rows: list[dict[str, str]], *names: str) -> dict[tuple[str, ...], Decimal]:
    amounts = {tuple(row[name] for name in names): Decimal(row["effective_cost"]) for row in rows}
    return {key: amount for key, amount in amounts.items() if amount}


def load(installation: Installation, company: Path, *usage: str) -> None:
    installation.manage_each(
        ("migrate", "--verbosity", "0"),
        ("source", "add", "bill", "--kind", "focus", "--location", str(company / "billing")),
        ("source", "add", "usage", *usage),
        ("import_teams", str(company / "teams.yaml")),
    )


def test_bill_and_usage_files_give_the_truth_to_the_last_decimal(installation: Installation, company: Path) -> None:
    load(installation, company, "--kind", "usage_files", "--location", str(company / "usage"))
    installation.manage("fill")

    keys = ("day", "team", "namespace", "kind")
    before = ask(installation, "--group-by", ",".join(keys))
    assert published(before, *keys) == truth_of(company, *keys)

    differences = json.loads(installation.manage("reconcile", "--format", "json").stdout)
    assert differences
    assert {Decimal(row["difference"]) for row in differences} == {Decimal(0)}

    again = installation.manage("fill").stdout
    assert "publish" not in again, "filling twice publishes once"
    assert ask(installation, "--group-by", ",".join(keys), "--as-of", "1") == before

    told = installation.manage(
        "explain", "--start", START, "--end", END, "--filter", "kind=shared", "--limit", "3"
    ).stdout
    assert "line " in told
    assert told.rstrip().endswith("equal.")


def test_bill_and_prometheus_come_within_half_a_percent(
    installation: Installation, company: Path, prometheus_server
) -> None:
    server = prometheus_server(sorted((company / "openmetrics").glob("*.om")))
    load(installation, company, "--kind", "prometheus", "--location", server.url)
    installation.manage("fill")

    day = str(date.fromisoformat(END) - timedelta(days=1))
    keys = ("day", "namespace")
    seen = {
        key: cost
        for key, cost in published(ask(installation, "--group-by", "day,namespace"), *keys).items()
        if key[0] == day
    }
    true = {key: cost for key, cost in truth_of(company, *keys).items() if key[0] == day}
    assert seen.keys() == true.keys()
    assert max(abs(seen[key] - true[key]) / abs(true[key]) for key in true) < Decimal("0.005")

    rows = json.loads(installation.manage("reconcile", "--format", "json").stdout)
    assert {Decimal(row["difference"]) for row in rows} == {Decimal(0)}


def test_two_machines_with_one_bucket_fill_together_and_answer_the_same_truth(
    postgres, lake_bucket, company: Path, tmp_path: Path
) -> None:
    from tests.servers.installation import new_installation

    url = postgres.create_database(f"costops_{uuid.uuid4().hex[:12]}")
    keys = ("day", "team", "namespace", "kind")
    with ThreadPoolExecutor(2) as both:
        machines = [new_installation(tmp_path / name, database_url=url) for name in ("one", "two")]
        for machine in machines:
            machine.environment |= settings_of(lake_bucket, "company") | {"COSTOPS_SECRET_KEY": "k" * 50}
        load(machines[0], company, "--kind", "usage_files", "--location", str(company / "usage"))
        said = [done.stdout for done in both.map(lambda machine: machine.manage("fill"), machines)]
        assert any("publish" in text for text in said)

        for machine in machines:
            assert published(ask(machine, "--group-by", ",".join(keys)), *keys) == truth_of(company, *keys)
        told = machines[1].manage("explain", "--start", START, "--end", END, "--filter", "kind=shared", "--limit", "3")
        assert told.stdout.rstrip().endswith("equal.")
        rows = json.loads(machines[1].manage("reconcile", "--format", "json").stdout)
        assert {Decimal(row["difference"]) for row in rows} == {Decimal(0)}
        assert not (tmp_path / "one" / "lake").exists(), "what lies on a machine is a copy"
