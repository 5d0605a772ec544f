"""The simulated company's metrics, read back through a real Prometheus, tell the same costs."""

import random
from collections import defaultdict
from collections.abc import Sequence
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


Usage = dict[str, list[dict]]


@pytest.fixture(scope="module")
def company(simulate: Simulate) -> Company:
    """A company of one day."""
    return simulate(days=1, scale=0.02, metrics_days=1)


@pytest.fixture(scope="module")
def metered(company: Company, tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Usage]:
    """The company, and its usage as a Prometheus saw it."""
    texts = sorted((company.folder / "openmetrics").glob("*.om"))
    return company, usage_seen(company, texts, tmp_path_factory.mktemp("prometheus"))


def usage_seen(company: Company, texts: Sequence[Path | str], folder: Path) -> Usage:
    """The usage of the day as a Prometheus with this history tells it."""
    day = business_day(date(2026, 10, 31), company.zone)
    with running_prometheus(folder, texts) as server:
        tables, problems = meter_day(PrometheusConfig(url=server.url), day.start, day.end)
    assert problems == []
    return {name: table.to_pylist() for name, table in tables.items()}


def without_scrapes(text: str, *, lost: float) -> str:
    """An OpenMetrics text without so much of its scrapes."""
    rng = random.Random(30)
    kept: dict[str, bool] = {}
    lines = text.splitlines(keepends=True)
    return "".join(
        line for line in lines if line.startswith("#") or kept.setdefault(line.rpartition(" ")[2], rng.random() >= lost)
    )


def coverage(usage: Usage) -> Decimal:
    rows = usage["coverage_hours"]
    return Decimal(sum(row["observed_samples"] for row in rows)) / sum(row["expected_samples"] for row in rows)


def test_coverage_falls_and_cost_does_not_when_scrapes_are_lost(metered: tuple, tmp_path: Path) -> None:
    company, whole = metered
    texts = [
        without_scrapes(path.read_text(), lost=0.3) for path in sorted((company.folder / "openmetrics").glob("*.om"))
    ]
    usage = usage_seen(company, texts, tmp_path)
    assert coverage(whole) == 1
    assert abs(coverage(usage) - Decimal("0.7")) < Decimal("0.01")
    answer = attribute(company.charges, usage, company.teams)
    told, truth = by_namespace(answer), by_namespace(company.truth)
    assert sum(told.values()) == sum(truth.values())
    assert told.keys() == truth.keys()
    claimed = [sum(cost for (_, _, kind), cost in costs.items() if kind != "idle") for costs in (told, truth)]
    assert abs(claimed[0] / claimed[1] - 1) < CLOSE_ENOUGH
    off = {key[1]: abs(told[key] / truth[key] - 1) for key in truth}
    assert max(off.values()) < Decimal("0.1"), "jobs of a few minutes are seen by two or three scrapes"
    assert sorted(off.values())[len(off) * 3 // 4] < Decimal("0.02")


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


@pytest.mark.parametrize(
    "table", ["workload_hours", "node_hours", "volume_hours", "workload_peaks", "autoscaler_hours"]
)
def test_metered_rows_are_those_of_the_usage_files(table: str, metered: tuple) -> None:
    company, usage = metered
    keys = [name for name, value in company.usage[table][0].items() if isinstance(value, str) and name != "labels"]
    rows = [{(r["hour"], *(r[key] for key in keys)) for r in source[table]} for source in (company.usage, usage)]
    assert rows[0] == rows[1]


def test_metered_peaks_are_those_of_the_usage_files(metered: tuple) -> None:
    company, usage = metered
    names = ("cpu_peak_cores", "memory_peak_gib", "gpu_peak_share", "gpu_memory_used_gib_hours", "gpu_memory_peak_gib")
    written, seen = (
        {(row["hour"], row["namespace"], row["pod"]): row for row in source["workload_peaks"]}
        for source in (company.usage, usage)
    )
    for name in names:
        rows = [(seen[key][name], row[name]) for key, row in written.items() if row[name] != 0]
        assert all(one is None for one, other in rows if other is None), "no GPU, nothing told of it"
        told = [(one, other) for one, other in rows if other is not None]
        off = sorted(abs(one / other - 1) for one, other in told if one is not None)
        assert len(off) > 0.97 * len(told), "of what lived shorter than two scrapes no rate is known"
        assert off[len(off) * 9 // 10] < CLOSE_ENOUGH, name
    bounds = [sorted(map(tuple, (row.values() for row in one["autoscaler_hours"]))) for one in (company.usage, usage)]
    assert bounds[0] == bounds[1]


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
