"""The simulated company's metrics, read back through a real Prometheus, tell the same costs."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from apps.demo.exposition import Exposition
from apps.demo.timetable import business_day
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.meter import meter_day
from tests.demo.conftest import Simulate
from tests.demo.readings import Company
from tests.reference import attribute
from tests.servers.prometheus import running_prometheus

CLOSE_ENOUGH = Decimal("0.005")


@pytest.fixture(scope="module")
def metered(simulate: Simulate, tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, dict[str, list[dict]]]:
    """A one-day company, and its usage as a Prometheus saw it."""
    company = simulate(days=1, scale=0.02, metrics_days=1)
    day = business_day(date(2026, 10, 31), company.zone)
    texts = sorted((company.folder / "openmetrics").glob("*.om"))
    with running_prometheus(tmp_path_factory.mktemp("prometheus"), texts) as server:
        tables, problems = meter_day(PrometheusConfig(url=server.url), day.start, day.end)
    assert problems == []
    return company, {name: table.to_pylist() for name, table in tables.items()}


def by_namespace(costs: dict[tuple[date, str, str, str], Decimal]) -> dict[tuple[date, str, str], Decimal]:
    total: dict[tuple[date, str, str], Decimal] = defaultdict(Decimal)
    for (day, _team, namespace, kind), cost in costs.items():
        total[day, namespace, kind] += cost
    return total


def test_metered_cost_of_every_namespace_and_day_is_within_half_a_percent(metered: tuple) -> None:
    company, usage = metered
    answer = attribute(company.charges, usage, company.teams)
    told, truth = by_namespace(answer), by_namespace(company.truth)
    assert told.keys() == truth.keys()
    assert {k: (told[k], truth[k]) for k in truth if abs(told[k] - truth[k]) > CLOSE_ENOUGH * abs(truth[k])} == {}
    assert answer.keys() == company.truth.keys()
    assert sum(answer.values()) == sum(company.truth.values())


@pytest.mark.parametrize("table", ["workload_hours", "node_hours", "volume_hours"])
def test_metered_rows_are_those_of_the_usage_files(table: str, metered: tuple) -> None:
    company, usage = metered
    keys = [name for name, value in company.usage[table][0].items() if isinstance(value, str) and name != "labels"]
    rows = [{(r["hour"], *(r[key] for key in keys)) for r in source[table]} for source in (company.usage, usage)]
    assert rows[0] == rows[1]


def test_families_are_contiguous_and_end(tmp_path: Path) -> None:
    exposition = Exposition(step=300)
    exposition.counter("cpu_seconds", {"pod": "a"}, 0, 600, 0.5)
    exposition.gauge("up", {"job": 'the "one"'}, 0, 600)
    exposition.counter("cpu_seconds", {"pod": "a"}, 600, 900, 1.0)
    with (tmp_path / "one.om").open("w") as file:
        exposition.write(file)
    assert (tmp_path / "one.om").read_text().splitlines() == [
        "# TYPE cpu_seconds counter",
        'cpu_seconds_total{pod="a"} 75.000000 150',
        'cpu_seconds_total{pod="a"} 225.000000 450',
        'cpu_seconds_total{pod="a"} 450.000000 750',
        "# TYPE up gauge",
        'up{job="the \\"one\\""} 1 150',
        'up{job="the \\"one\\""} 1 450',
        "# EOF",
    ]
